"""What each kind of request brings, and in which order: busy, outputs, idle, and the answer."""

import pytest

ANSWERED = [
    ("shell", "kernel_info_request", {}),
    ("shell", "is_complete_request", {"code": "1"}),
    ("shell", "complete_request", {"code": "Cha", "cursor_pos": 3}),
    ("shell", "inspect_request", {"code": "Chart", "cursor_pos": 5, "detail_level": 0}),
    ("shell", "history_request", {"hist_access_type": "tail", "n": 3, "output": False, "raw": True}),
    ("shell", "comm_info_request", {}),
    ("control", "kernel_info_request", {}),
    ("control", "interrupt_request", {}),
    ("control", "create_subshell_request", {}),
    ("control", "list_subshell_request", {}),
    ("control", "debug_request", {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}}),
]


@pytest.mark.parametrize("channel, kind, content", ANSWERED)
def test_a_question_is_busy_answered_and_idle(kernel, channel, kind, content):
    request = kernel.send(kind, content, channel)
    request.idle()
    reply = request.reply()
    assert request.states == ["busy", "idle"] and request.kinds == ["status", "status"]
    assert reply["msg_type"] == kind.replace("_request", "_reply")
    for message in [reply, *request.messages]:
        assert message["parent_header"]["msg_type"] == kind
        assert message["parent_header"]["session"] == kernel.client.session.session


def test_a_cell_is_busy_echoed_shown_and_idle(kernel):
    request = kernel.start('println!("said"); 7')
    request.idle()
    assert request.kinds == ["status", "execute_input", "stream", "execute_result", "status"]
    assert request.states == ["busy", "idle"]
    assert request.messages[1]["content"]["code"] == 'println!("said"); 7'
    reply = request.reply()
    assert reply["msg_type"] == "execute_reply" and reply["content"]["status"] == "ok"
    assert reply["parent_header"]["msg_type"] == "execute_request"


def test_an_error_is_the_same_in_the_broadcast_and_in_the_reply(kernel):
    cell = kernel.run('panic!("as expected")')
    assert cell.kinds == ["status", "execute_input", "error", "status"]
    [error] = cell.of("error")
    assert error == {name: cell.reply[name] for name in ["ename", "evalue", "traceback"]}
    assert cell.reply["status"] == "error" and "as expected" in error["traceback"][0]


def test_the_last_word_on_a_request_is_idle(kernel):
    # Questions are answered beside the cells, and each says once more that a cell is running.
    cells = [kernel.start("// nothing to do") for _ in range(30)]
    questions = [kernel.send("is_complete_request", {"code": "1"}) for _ in range(30)]
    for request in cells + questions:
        request.idle()
    kernel.ok("// what was still on its way is here before this ends")
    assert {request.states[-1] for request in cells + questions} == {"idle"}


def test_counts_begin_at_one_and_only_stored_cells_raise_them(start):
    kernel = start()
    cell = kernel.ok("1 + 1")
    assert cell.reply["execution_count"] == 1
    assert [cell.of(kind)[0]["execution_count"] for kind in ["execute_input", "execute_result"]] == [1, 1]
    assert kernel.ok("// silent", silent=True).reply["execution_count"] == 1
    assert kernel.ok("// not stored", store_history=False).reply["execution_count"] == 1
    assert kernel.fails("%nosuch", "MagicError", "%nosuch").reply["execution_count"] == 2
    assert kernel.ok("// stored").reply["execution_count"] == 3


def test_a_silent_cell_runs_and_shows_nothing(kernel):
    cell = kernel.ok('let unseen = 3; println!("unheard"); eprintln!("unheard"); unseen', silent=True)
    assert cell.kinds == ["status", "status"]
    assert kernel.ok("unseen").text == "3"
    cell = kernel.run('panic!("unheard")', silent=True)
    assert cell.kinds == ["status", "status"]
    assert cell.reply["ename"] == "panic"


def test_a_cell_that_is_not_stored_shows_what_it_does(kernel):
    cell = kernel.ok('println!("heard"); 5', store_history=False)
    assert (cell.stdout, cell.text) == ("heard\n", "5")


def test_user_expressions_are_values_or_errors(kernel):
    kernel.ok("let base = 20;")
    cell = kernel.ok('println!("x");', user_expressions={"twice": "base * 2", "name": '"해태"', "bad": "no_such"})
    values = cell.reply["user_expressions"]
    assert values["twice"] == {"status": "ok", "data": {"text/plain": "40"}, "metadata": {}}
    assert values["name"]["data"]["text/plain"] == '"해태"'
    bad = values["bad"]
    assert (bad["status"], bad["ename"]) == ("error", "CompileError") and "no_such" in bad["evalue"]
    assert bad["traceback"]
    assert cell.kinds == ["status", "execute_input", "stream", "status"]


def test_without_user_expressions_there_is_an_empty_object(kernel):
    assert kernel.ok("// nothing").reply["user_expressions"] == {}


def test_user_expressions_are_left_out_after_a_failure(kernel):
    kernel.ok("let mut marks = 0;")
    cell = kernel.run('panic!("no")', user_expressions={"mark": "{ marks += 1; marks }"})
    assert cell.reply["user_expressions"] == {}
    assert kernel.ok("marks").text == "0"


def test_an_error_aborts_the_cells_behind_it(kernel):
    first, second, third = [kernel.start(code) for code in ['panic!("stop")', "1 + 1", "// nothing"]]
    assert first.end().status == "error"
    for cell in [second.end(), third.end()]:
        assert cell.status == "aborted" and cell.kinds == ["status", "status"]
    assert kernel.ok("2").text == "2"


def test_a_cell_that_is_sent_after_the_error_runs(kernel):
    cells = []
    for _ in range(300):
        cells.append(kernel.start("%nosuch"))
        cells[-1].reply()
    assert {cell.end().status for cell in cells} == {"error"}


def test_an_error_without_stop_on_error_aborts_nothing(kernel):
    first, second = kernel.start('panic!("go on")', stop_on_error=False), kernel.start("1 + 1")
    assert first.end().status == "error"
    assert second.end().text == "2"


def test_load_puts_the_text_of_a_file_into_the_cell(kernel, tmp_path):
    file = tmp_path / "some cell.rs"
    file.write_text("let loaded = 1;\n// 해태\n")
    cell = kernel.ok(f"%load {file}")
    assert cell.reply["payload"] == [{"source": "set_next_input", "text": file.read_text(), "replace": True}]


def test_a_question_mark_behind_a_name_opens_the_pager(kernel):
    kernel.ok("let asked_for = 5;")
    [page] = kernel.ok("asked_for?").reply["payload"]
    assert page["source"] == "page" and page["start"] == 0
    assert page["data"]["text/plain"].startswith("asked_for: i32")
    assert "bar" in kernel.ok("?Chart::bar").reply["payload"][0]["data"]["text/plain"]
    kernel.fails("no_such_name?", "UnknownName", "no_such_name")


def test_the_pager_knows_commands(kernel):
    [page] = kernel.ok("%%sql?").reply["payload"]
    assert "--save" in page["data"]["text/plain"]


@pytest.mark.parametrize(
    "code, status, indent",
    [
        ("1 + 1", "complete", None),
        ("%%sql\nselect (", "complete", None),
        ("fn f() {", "incomplete", "    "),
        ("if a {\n    g(", "incomplete", "        "),
        (")", "invalid", None),
    ],
)
def test_a_cell_is_complete_or_wants_more(kernel, code, status, indent):
    reply = kernel.ask("is_complete_request", {"code": code})
    assert (reply["status"], reply.get("indent")) == (status, indent)


def test_a_comm_to_nobody_is_closed(kernel):
    request = kernel.send("comm_open", {"comm_id": "c1", "target_name": "nobody", "data": {}})
    request.idle()
    assert request.kinds == ["status", "comm_close", "status"]
    assert request.messages[1]["content"]["comm_id"] == "c1"
    assert kernel.ask("comm_info_request") == {"status": "ok", "comms": {}}
    assert kernel.ask("comm_info_request", {"target_name": "nobody"})["comms"] == {}


@pytest.mark.parametrize("kind", ["comm_msg", "comm_close"])
def test_a_message_to_a_comm_that_is_not_open_is_ignored(kernel, kind):
    request = kernel.send(kind, {"comm_id": "never opened", "data": {"x": 1}})
    request.idle()
    assert request.kinds == ["status", "status"]
    assert kernel.ok("// goes on").status == "ok"


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_an_unknown_request_is_passed_over(kernel, channel):
    request = kernel.send("frobnicate_request", {"deeply": {"unknown": [1]}}, channel)
    request.idle()
    assert request.states == ["busy", "idle"]
    assert kernel.ask("kernel_info_request", channel=channel)["status"] == "ok"
    assert request.heard[channel] == []


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_the_kernel_says_what_it_is(kernel, channel):
    info = kernel.ask("kernel_info_request", channel=channel)
    assert (info["status"], info["protocol_version"], info["implementation"]) == ("ok", "5.5", "haetae")
    language = info["language_info"]
    version = language.pop("version")
    assert [part.isdigit() for part in version.split(".")] == [True] * 3
    assert language == {
        "name": "rust", "mimetype": "text/x-rustsrc", "file_extension": ".rs", "pygments_lexer": "rust",
        "codemirror_mode": "rust", "nbconvert_exporter": "script",
    }
    assert "kernel subshells" in info["supported_features"]
    assert info["banner"].startswith("Haetae") and info["debugger"] is False
    assert all({"text", "url"} == set(link) for link in info["help_links"])


def test_the_variable_view_lists_variables(kernel):
    kernel.ok("let viewed = 2.5;")
    asked = {"type": "request", "seq": 9, "command": "inspectVariables", "arguments": {}}
    answer = kernel.ask("debug_request", asked, "control")
    assert answer["success"] and answer["request_seq"] == 9 and answer["command"] == "inspectVariables"
    assert ("viewed", "f64") in [(v["name"], v["type"]) for v in answer["body"]["variables"]]


def test_other_commands_of_a_debugger_are_refused(kernel):
    asked = {"type": "request", "seq": 10, "command": "setBreakpoints", "arguments": {}}
    answer = kernel.ask("debug_request", asked, "control")
    assert not answer["success"] and "setBreakpoints" in answer["message"]
