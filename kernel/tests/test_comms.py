"""Comms between cells and code in the front end, in both directions."""

import pytest

SERVE = """
on_comm("doubler", |comm, data| {
    println!("opened with {data}");
    comm.on_message(|comm, data| {
        let number = data["number"].as_f64().unwrap();
        comm.send(json!({"doubled": 2.0 * number}));
    });
});
"""


@pytest.fixture(scope="module")
def served(own):
    own.ok(SERVE)
    return own


def tell(kernel, kind, name, data=None, **more):
    """Sends a message to a comm; what the kernel published for it. Comm messages have no reply."""
    request = kernel.send(kind, {"comm_id": name, "data": data or {}, **more})
    request.idle()
    return request.messages


def open_comm(kernel, name):
    return tell(kernel, "comm_open", name, {"from": "front end"}, target_name="doubler")


def said(messages, kind):
    return [m["content"] for m in messages if m["msg_type"] == kind]


def comms(kernel, **wanted):
    return kernel.ask("comm_info_request", wanted)["comms"]


def test_a_front_end_opens_a_comm_and_is_answered(served):
    opened = open_comm(served, "first")
    assert "".join(m["text"] for m in said(opened, "stream")) == 'opened with {"from":"front end"}\n'
    assert comms(served, target_name="doubler") == {"first": {"target_name": "doubler"}}
    message = tell(served, "comm_msg", "first", {"number": 21})
    assert said(message, "comm_msg") == [{"comm_id": "first", "data": {"doubled": 42.0}}]
    tell(served, "comm_close", "first")
    assert "first" not in comms(served)


def test_a_handler_that_panics_says_so_and_the_comm_lives_on(served):
    open_comm(served, "second")
    broken = tell(served, "comm_msg", "second")
    assert any(m["name"] == "stderr" and "panicked" in m["text"] for m in said(broken, "stream"))
    message = tell(served, "comm_msg", "second", {"number": 1})
    assert said(message, "comm_msg")[0]["data"] == {"doubled": 2.0}
    assert served.ok("1 + 1").text == "2"


def test_a_cell_opens_sends_and_closes(served):
    cell = served.ok('let comm = Comm::open("view", json!({"rows": 3})); comm.send(json!([1, 2])); comm.close(json!({}));')
    [opened], [sent], [closed] = cell.of("comm_open"), cell.of("comm_msg"), cell.of("comm_close")
    assert opened["target_name"] == "view" and opened["data"] == {"rows": 3}
    assert sent["data"] == [1, 2]
    assert opened["comm_id"] == sent["comm_id"] == closed["comm_id"]
    assert opened["comm_id"] not in comms(served)


def test_comms_end_with_the_worker(served):
    open_comm(served, "third")
    assert "third" in comms(served)
    served.fails("std::process::abort()", "Crashed", "the worker process has ended")
    assert comms(served) == {}
    assert said(open_comm(served, "fourth"), "comm_close") == [{"comm_id": "fourth", "data": {}}]
