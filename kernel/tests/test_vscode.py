"""What VS Code's Jupyter extension sends, as far as its source shows it: github.com/microsoft/vscode-jupyter, whose
files are named below. The extension itself is not run here."""


def cell(kernel, code):
    # src/kernels/execution/cellExecution.ts: no `user_expressions`, and an error does not abort the queue.
    content = {"code": code, "silent": False, "stop_on_error": False, "allow_stdin": True, "store_history": True}
    return kernel.send("execute_request", content)


def aside(kernel, code):
    # src/kernels/helpers.ts, executeSilently: for its own purposes, with outputs and without a number.
    content = {"code": code, "silent": False, "stop_on_error": False, "allow_stdin": True, "store_history": False}
    return kernel.send("execute_request", content)


def test_the_kernel_is_asked_twice_who_it_is(own):
    # src/kernels/raw/session/rawKernelConnection.node.ts, postStartKernel: once more if no broadcast came with the
    # first answer.
    asked = [own.send("kernel_info_request") for _ in range(2)]
    first, second = [request.end() for request in asked]
    assert first.reply == second.reply and first.reply["language_info"]["name"] == "rust"
    assert first.kinds == ["status", "status"]


def test_cells_sent_at_once_all_run(own):
    requests = [cell(own, code) for code in ["let a = 1;", 'panic!("stop");', "a + 1"]]
    ended = [request.end() for request in requests]
    assert [one.status for one in ended] == ["ok", "error", "ok"]
    assert ended[2].text == "2"
    assert ended[0].reply["user_expressions"] == {}


def test_code_of_the_extension_leaves_no_trace(own):
    before = cell(own, "1").end().reply["execution_count"]
    shown = aside(own, 'println!("seen"); 40 + 2').end()
    assert shown.kinds == ["status", "execute_input", "stream", "execute_result", "status"]
    assert cell(own, "2").end().reply["execution_count"] == before + 1
    tail = {"hist_access_type": "tail", "n": 2, "output": False, "raw": True}
    assert [code for _, _, code in own.ask("history_request", tail)["history"]] == ["1", "2"]


def test_a_question_of_the_cell_is_answered(own):
    # It allows input in both ways of running code.
    request = cell(own, 'input("Office? ")?')
    assert request.question() == {"prompt": "Office? ", "password": False}
    own.client.input("Busan")
    assert request.end().text == '"Busan"'


def test_completions_have_the_fields_that_icons_need(own):
    # src/standalone/intellisense/kernelCompletionProvider.ts: kinds are used only if there is one for each match, each
    # with a text; the code is the whole cell.
    cell(own, 'let frame = df!("price" => [1.5])?;').end()
    code = "// over\nframe.he\n// under"
    cursor = code.index("\n// under")
    reply = own.ask("complete_request", {"code": code, "cursor_pos": cursor})
    kinds = reply["metadata"]["_jupyter_types_experimental"]
    assert "head" in reply["matches"] and [kind["text"] for kind in kinds] == reply["matches"]
    assert {(kind["start"], kind["end"]) for kind in kinds} == {(reply["cursor_start"], reply["cursor_end"])}
    assert code[reply["cursor_start"] : reply["cursor_end"]] == "he"
    # src/standalone/intellisense/resolveCompletionItem.ts: for each entry that is looked at, the text before it with the
    # entry in full. It counts from the beginning of the cell what is a place in a line, so it may cut a word in two.
    assert own.ask("inspect_request", {"code": "frame.head", "cursor_pos": 10, "detail_level": 0})["found"]
    cut = own.ask("inspect_request", {"code": "// overhead", "cursor_pos": 11, "detail_level": 0})
    assert cut["status"] == "ok"


def test_the_stop_button_comes_on_the_shell_channel(own):
    # src/kernels/raw/session/rawKernelConnection.node.ts, interrupt: for kernels with `interrupt_mode: message` it sends
    # the request on the shell channel, where the cell is that it is to stop, and waits for the answer.
    cell(own, "let kept = 5;").end()
    running, waiting = cell(own, 'println!("on"); loop { stop_if_asked(); }'), cell(own, "kept + 1")
    running.until("stream")
    stop = own.send("interrupt_request")
    assert stop.end().reply == {"status": "ok"}
    assert running.end().reply["ename"] == "Interrupted"
    assert waiting.end().text == "6"
