"""The Jupyter project's own conformance suite, with every attribute set: nothing in it is skipped."""

import unittest

import jupyter_kernel_test


class HaetaeKernelTests(jupyter_kernel_test.KernelTests):
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
