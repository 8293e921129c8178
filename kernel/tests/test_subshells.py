"""Subshells (JEP 91), and everything else that is answered while a cell runs."""

import pytest


@pytest.fixture
def subshell(kernel):
    reply = kernel.ask("create_subshell_request", channel="control")
    assert reply["status"] == "ok"
    yield reply["subshell_id"]
    kernel.ask("delete_subshell_request", {"subshell_id": reply["subshell_id"]}, "control")


@pytest.fixture
def busy(kernel):
    """A cell that runs in the main shell as long as the test does."""
    cell = kernel.start('println!("on"); loop { stop_if_asked(); }')
    cell.until("stream")
    yield cell
    kernel.interrupt()
    assert cell.end().reply["ename"] == "Interrupted"


def assert_said_to_be_busy_after(busy, request):
    """Front ends take the last status for the kernel's."""
    idle = request.until("status", execution_state="idle")
    again = busy.until("status", execution_state="busy")
    while again["heard"] < idle["heard"]:
        again = busy.until("status", execution_state="busy")


def listed(kernel):
    reply = kernel.ask("list_subshell_request", channel="control")
    assert reply["status"] == "ok"
    return reply["subshell_id"]


def test_subshells_are_created_listed_and_deleted(kernel):
    ids = [kernel.ask("create_subshell_request", channel="control")["subshell_id"] for _ in range(2)]
    assert len(set(ids)) == 2 and set(ids) <= set(listed(kernel))
    for left, subshell in [(ids[1:], ids[0]), ([], ids[1])]:
        assert kernel.ask("delete_subshell_request", {"subshell_id": subshell}, "control") == {"status": "ok"}
        assert [known for known in listed(kernel) if known in ids] == left


@pytest.mark.parametrize("unknown", ["no such id", "", None])
def test_a_subshell_that_does_not_exist_cannot_be_deleted(kernel, unknown):
    reply = kernel.ask("delete_subshell_request", {"subshell_id": unknown}, "control")
    assert reply["status"] == "error" and "no subshell" in reply["evalue"]


def test_a_cell_for_a_subshell_that_does_not_exist_is_refused(kernel):
    cell = kernel.run("1 + 1", subshell="no such id")
    assert cell.status == "error" and "no such id" in cell.reply["evalue"]
    assert cell.of("execute_result") == []


def test_a_cell_for_a_subshell_that_was_deleted_is_refused(kernel):
    subshell = kernel.ask("create_subshell_request", channel="control")["subshell_id"]
    assert kernel.ok("1 + 1", subshell=subshell).text == "2"
    kernel.ask("delete_subshell_request", {"subshell_id": subshell}, "control")
    assert kernel.run("1 + 1", subshell=subshell).status == "error"


def test_a_subshell_shares_variables_and_numbers_with_the_main_shell(kernel, subshell):
    first = kernel.ok("let shared = 20;").reply["execution_count"]
    cell = kernel.ok("shared + 1", subshell=subshell)
    assert (cell.text, cell.reply["execution_count"]) == ("21", first + 1)


def test_messages_name_the_subshell_in_their_parent(kernel, subshell):
    request = kernel.start("// nothing", subshell=subshell)
    request.idle()
    headers = [message["parent_header"] for message in [*request.messages, request.reply()]]
    assert {header["subshell_id"] for header in headers} == {subshell}


def test_a_query_in_a_subshell_is_answered_while_a_cell_runs(kernel, subshell, busy):
    request = kernel.start("%%sql\nselect count(*) as n from fact_item", subshell=subshell)
    assert_said_to_be_busy_after(busy, request)
    assert request.reply()["content"]["status"] in ("ok", "complete")
    assert "execute_result" in request.kinds


@pytest.mark.parametrize("command", ["%vars", "%help", "%tables", "Chart?"])
def test_a_command_in_a_subshell_is_answered_while_a_cell_runs(kernel, subshell, busy, command):
    assert kernel.start(command, subshell=subshell).end().status == "ok"


QUESTIONS = {
    "kernel_info_request": {},
    "is_complete_request": {"code": "1"},
    "complete_request": {"code": "Cha", "cursor_pos": 3},
    "inspect_request": {"code": "Chart", "cursor_pos": 5, "detail_level": 0},
    "history_request": {"hist_access_type": "tail", "n": 1, "output": False, "raw": True},
    "comm_info_request": {},
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_a_question_is_answered_while_a_cell_runs(kernel, busy, kind):
    request = kernel.send(kind, QUESTIONS[kind])
    assert_said_to_be_busy_after(busy, request)
    assert request.reply()["content"]["status"] in ("ok", "complete")


def test_a_type_is_asked_for_while_a_cell_runs(kernel):
    kernel.ok('let asked_frame = df!("n" => [1]).unwrap();')
    cell = kernel.start('println!("on"); loop { stop_if_asked(); }')
    cell.until("stream")
    reply = kernel.ask("complete_request", {"code": "asked_frame.hei", "cursor_pos": 15})
    kernel.interrupt()
    assert cell.end().reply["ename"] == "Interrupted"
    assert "height" in reply["matches"]


def test_the_control_channel_is_answered_while_a_cell_runs(kernel, busy):
    request = kernel.send("kernel_info_request", channel="control")
    assert_said_to_be_busy_after(busy, request)
    assert request.reply()["content"]["status"] in ("ok", "complete")


def test_a_refusal_leaves_a_busy_kernel_busy(kernel, busy):
    idle = kernel.start("1 + 1", subshell="no such id").idle()
    # What is heard before this question is not said on its behalf.
    asked = kernel.send("comm_info_request").until("status", execution_state="busy")
    assert [m for m in busy.messages if idle["heard"] < m["heard"] < asked["heard"]]
