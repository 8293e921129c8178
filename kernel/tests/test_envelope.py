"""Frames that no front end should send, and the sockets themselves. What is not signed is not answered."""

import json
import random
import socket
from contextlib import ExitStack

import pytest
import zmq
from haetae_cells import Request
from raw_peer import DELIMITER, Peer

CHANNELS = ["shell", "control"]


@pytest.fixture
def connect():
    """Opens raw sockets to a kernel, which are closed behind the test."""
    with ExitStack() as opened:

        def connect(kernel, channel, **options):
            peer = Peer(kernel, channel, **options)
            opened.callback(peer.close)
            return peer

        yield connect


def question(peer):
    return peer.parts("kernel_info_request")[1]


def resigned(peer, place, part):
    """A good question with another part in one place, and a signature that fits."""
    parts = question(peer)
    parts[place] = part
    return peer.signed(*parts)


def with_signature(peer, change):
    delimiter, signature, *parts = peer.signed(*question(peer))
    return [delimiter, change(signature), *parts]


BAD = {
    "another key": lambda peer: peer.signed(*question(peer), key=b"another key"),
    "no signature": lambda peer: with_signature(peer, lambda s: b""),
    "half a signature": lambda peer: with_signature(peer, lambda s: s[:32]),
    "an odd signature": lambda peer: with_signature(peer, lambda s: s[:-1]),
    "a signature that is no hex": lambda peer: with_signature(peer, lambda s: b"zz" * 32),
    "a signature that is no text": lambda peer: with_signature(peer, lambda s: b"\xff" * 64),
    "content that was changed": lambda peer: peer.signed(*question(peer))[:-1] + [b'{"changed": true}'],
    "no delimiter": lambda peer: peer.signed(*question(peer))[1:],
    "a delimiter alone": lambda peer: [DELIMITER],
    "too few frames": lambda peer: peer.signed(*question(peer))[:-1],
    "a signature and nothing else": lambda peer: peer.signed(),
    "an empty message": lambda peer: [b""],
    "empty frames": lambda peer: [b""] * 7,
    "a header that is no JSON": lambda peer: resigned(peer, 0, b"{not json"),
    "a header that is empty": lambda peer: resigned(peer, 0, b""),
    "a header that is cut": lambda peer: resigned(peer, 0, question(peer)[0][:-5]),
    "a header that is a list": lambda peer: resigned(peer, 0, b"[]"),
    "a header that is no text": lambda peer: resigned(peer, 0, b"\xff\xfe"),
    "a parent that is a number": lambda peer: resigned(peer, 1, b"7"),
    "metadata that is null": lambda peer: resigned(peer, 2, b"null"),
    "content that is a text": lambda peer: resigned(peer, 3, b'"text"'),
    "content that is too deep": lambda peer: resigned(peer, 3, b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("bad", BAD)
def test_a_broken_message_is_dropped_and_the_next_one_answered(kernel, connect, channel, bad):
    peer = connect(kernel, channel)
    peer.send(BAD[bad](peer))
    assert peer.answers_next()


@pytest.mark.parametrize("channel", CHANNELS)
def test_buffers_are_tolerated(kernel, connect, channel):
    peer = connect(kernel, channel)
    sent, parts = peer.parts("kernel_info_request")
    peer.send(peer.signed(*parts) + [b"\x00\xff raw", b"", b"x" * 100_000])
    _, header, parent, _ = peer.receive()
    assert (header["msg_type"], parent["msg_id"]) == ("kernel_info_reply", sent)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_request_of_ten_megabytes_is_answered(kernel, connect, channel):
    peer = connect(kernel, channel)
    sent = peer.request("kernel_info_request", {"padding": "x" * 10_000_000})
    assert peer.receive()[2]["msg_id"] == sent
    assert peer.answers_next()


def test_headers_are_whole_and_carry_the_whole_parent(kernel, connect):
    peer = connect(kernel, "shell")
    _, parts = peer.parts("kernel_info_request")
    # A field that this protocol does not have comes back, too.
    parts[0] = json.dumps({**json.loads(parts[0]), "later": [1]}).encode()
    peer.send(peer.signed(*parts))
    identities, header, parent, _ = peer.receive()
    assert identities == [] and parent == json.loads(parts[0])
    assert set(header) == {"msg_id", "session", "username", "date", "msg_type", "version"}
    assert header["version"] == "5.5" and header["msg_id"] != parent["msg_id"]


JUNK = [
    None, True, -1, 0, 2**63, 1e308, "", "\x00", "해태" * 50, "x" * 5_000, "<IDS|MSG>", [], [[[]]], {}, {"a": None},
]
# Nothing among them runs code or ends the kernel: what it may do to itself is not what is tested here.
VALID = [
    ("kernel_info_request", {}),
    ("is_complete_request", {"code": "fn f() { 1"}),
    ("complete_request", {"code": "Cha", "cursor_pos": 3}),
    ("inspect_request", {"code": "Chart", "cursor_pos": 2, "detail_level": 0}),
    ("history_request", {"hist_access_type": "search", "pattern": "a*", "n": 2, "unique": True, "output": True}),
    ("history_request", {"hist_access_type": "range", "session": 0, "start": 0, "stop": 2}),
    ("comm_info_request", {"target_name": "x"}),
    ("comm_open", {"comm_id": "c", "target_name": "x", "data": {}}),
    ("comm_msg", {"comm_id": "c", "data": {}}),
    ("list_subshell_request", {}),
    ("delete_subshell_request", {"subshell_id": "none"}),
    ("debug_request", {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}}),
    ("interrupt_request", {}),
]


def mutated(draw, peer):
    """A valid message with one thing wrong, drawn by chance."""
    kind, content = draw.choice(VALID)
    parts = peer.parts(kind, dict(content))[1]
    what = draw.randrange(8)
    if what < 3:
        # Signed as it should be, so that it reaches what lies behind the signature.
        place = draw.choice([0, 3])
        value = json.loads(parts[place])
        name = draw.choice([*value, "new"])
        if draw.random() < 0.3:
            value.pop(name, None)
        # Not the kind: of another kind it might end the kernel.
        elif name != "msg_type":
            value[name] = draw.choice(JUNK)
        parts[place] = json.dumps(value).encode()
        return peer.signed(*parts)
    if what == 3:
        place = draw.randrange(4)
        parts[place] = parts[place][: draw.randrange(len(parts[place]) + 1)]
        return peer.signed(*parts)
    frames = peer.signed(*parts)
    place = draw.randrange(len(frames))
    if what == 4:
        del frames[place]
    elif what == 5:
        frames.insert(place, draw.choice([b"", DELIMITER, b"{}", draw.randbytes(20)]))
    elif what == 6:
        other = draw.randrange(len(frames))
        frames[place], frames[other] = frames[other], frames[place]
    else:
        changed = bytearray(frames[place] or b"x")
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        frames[place] = bytes(changed)
    return frames


def test_ten_thousand_mutated_messages_do_no_harm(own, connect):
    draw = random.Random(20_260_101)
    peers = [connect(own, channel) for channel in CHANNELS]
    own.ok("let kept = 5;")
    for _ in range(10_000):
        peer = draw.choice(peers)
        peer.send(mutated(draw, peer))
        peer.drain()
    assert all(peer.answers() for peer in peers)
    assert own.ok("kept").text == "5"


def test_a_stranger_on_every_port_does_no_harm(own, connect):
    information = own.manager.get_connection_info()
    for channel in ["shell", "control", "stdin", "iopub", "hb"]:
        for greeting in [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5, b"\xff", b""]:
            with socket.create_connection((information["ip"], information[f"{channel}_port"])) as stranger:
                stranger.sendall(greeting)
    assert all(connect(own, channel).answers_next() for channel in CHANNELS)
    assert own.ok("1 + 1").text == "2"


def test_the_heartbeat_is_an_echo(kernel, connect):
    heart = connect(kernel, "hb", kind=zmq.REQ)
    for beat in [b"ping", b"any bytes \x00\xff"]:
        heart.socket.send(beat)
        assert heart.socket.recv() == beat


def test_the_heartbeat_goes_on_after_a_broken_one(own, connect):
    heart = connect(own, "hb", kind=zmq.DEALER)
    # Without the empty frame that a REQ socket sends first.
    heart.send([b"broken"])
    heart.send([b"", b"ping"])
    assert heart.socket.recv_multipart()[0] == b""


@pytest.mark.parametrize("topic", ["", "stream"])
def test_a_subscription_is_welcomed(kernel, connect, topic):
    peer = connect(kernel, "iopub", kind=zmq.SUB, topic=topic)
    identities, header, parent, content = peer.receive()
    assert header["msg_type"] == "iopub_welcome" and parent == {}
    assert content == {"subscription": topic}
    assert identities == [topic.encode()]


def test_after_the_welcome_nothing_is_missed(kernel, connect):
    everything = connect(kernel, "iopub", kind=zmq.SUB, topic="")
    streams = connect(kernel, "iopub", kind=zmq.SUB, topic="stream")
    while everything.receive()[3].get("subscription") != "":
        pass
    assert streams.receive()[3] == {"subscription": "stream"}
    kernel.ok('println!("heard by all");')
    kinds = []
    while kinds[-2:] != ["stream", "status"]:
        kinds.append(everything.receive()[1]["msg_type"])
    assert [kind for kind in kinds if kind != "iopub_welcome"] == ["status", "execute_input", "stream", "status"]
    assert streams.receive()[3] == {"name": "stdout", "text": "heard by all\n"}


def test_two_front_ends_get_their_own_answers_and_see_everything(kernel):
    other = kernel.another()
    try:
        mine, theirs = kernel.start("20 + 1"), other.start("20 + 2")
        # Each also listens for what the other has asked.
        for here, request in [(kernel, theirs), (other, mine)]:
            here.requests[request.sent] = Request(here, request.kind, request.channel, request.sent)
        overheard = [kernel.requests[theirs.sent], other.requests[mine.sent]]
        for request in [mine, theirs, *overheard]:
            request.idle()
        for request, text in [(mine, "21"), (theirs, "22"), (overheard[0], "22"), (overheard[1], "21")]:
            [result] = [m["content"] for m in request.messages if m["msg_type"] == "execute_result"]
            assert result["data"]["text/plain"] == text
        assert [request.reply()["content"]["status"] for request in [mine, theirs]] == ["ok", "ok"]
        assert [request.heard["shell"] for request in overheard] == [[], []]
    finally:
        other.stop()
