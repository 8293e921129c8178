"""The Jupyter project's own conformance suite, with every attribute set: nothing in it is skipped."""

import unittest

import jupyter_kernel_test
from haetae_cells import WAIT
from jupyter_client.manager import start_new_kernel
from jupyter_kernel_test.msgspec_v5 import validate_message

# The suite's own seconds are those of a machine with nothing else to do.
jupyter_kernel_test.TIMEOUT = WAIT


class HaetaeKernelTests(jupyter_kernel_test.KernelTests):
    @classmethod
    def setUpClass(cls):
        cls.km, cls.kc = start_new_kernel(startup_timeout=WAIT, kernel_name=cls.kernel_name)

    def execute_helper(self, code, timeout=WAIT, **options):
        """As in the suite, but what is published may come later than a tenth of a second after the reply."""
        asked = self.kc.execute(code=code, **options)
        reply = self.get_non_kernel_info_reply(timeout=timeout)
        validate_message(reply, "execute_reply", asked)
        messages = []
        while not messages or messages[-1]["content"].get("execution_state") != "idle":
            message = self.kc.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") == asked:
                validate_message(message, message["msg_type"], asked)
                messages.append(message)
        self.assertEqual((messages[0]["msg_type"], messages[0]["content"].get("execution_state")), ("status", "busy"))
        inputs = [message["content"]["code"] for message in messages if message["msg_type"] == "execute_input"]
        self.assertLessEqual(set(inputs), {code})
        return reply, [message for message in messages if message["msg_type"] not in ("status", "execute_input")]

    def history_helper(self, execute_first, timeout=WAIT, **wanted):
        return super().history_helper(execute_first, timeout, **wanted)

    kernel_name = "haetae"
    language_name = "rust"
    file_extension = ".rs"

    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("to the other stream");'
    code_generate_error = 'panic!("on purpose");'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"해태"', "result": '"해태"'},
    ]
    code_display_data = [
        {
            "code": 'Chart::bar(&["a".to_string()], &[1.0]).show();',
            "mime": "application/vnd.plotly.v1+json",
        },
    ]
    complete_code_samples = ["1 + 1", 'println!("a");', "%%sql\nselect 1"]
    incomplete_code_samples = ["fn f() {", 'print!("', "vec![1,"]
    invalid_code_samples = ["let let", ")"]
    completion_samples = [{"text": "Cha", "matches": {"Chart", "ChainedThen", "ChainedWhen"}}]
    code_page_something = "Chart?"
    code_inspect_sample = "Chart"
    code_history_pattern = "6*"
    supported_history_operations = ("tail", "range", "search")
    code_clear_output = "clear_output(false);"


if __name__ == "__main__":
    unittest.main()
