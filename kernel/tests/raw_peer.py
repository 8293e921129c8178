"""A front end that frames and signs by itself, well or badly: what `jupyter_client` would not send."""

import hashlib
import hmac
import json
import uuid

import zmq

DELIMITER = b"<IDS|MSG>"
PATIENCE_MS = 60_000


class Peer:
    """One socket to one channel of a running kernel."""

    def __init__(self, kernel, channel, kind=zmq.DEALER, topic=None):
        information = kernel.manager.get_connection_info()
        self.key = information["key"]
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger = 0
        self.socket.rcvtimeo = self.socket.sndtimeo = PATIENCE_MS
        if topic is not None:
            self.socket.subscribe(topic)
        self.socket.connect(f"tcp://{information['ip']}:{information[channel + '_port']}")

    def close(self):
        self.socket.close()

    def signed(self, *parts, key=None):
        """Delimiter, signature and these parts."""
        return [DELIMITER, self.signature(parts, key).encode(), *parts]

    def signature(self, parts, key=None):
        return hmac.new(key or self.key, b"".join(parts), hashlib.sha256).hexdigest()

    def parts(self, kind, content=None):
        """The id of a new request, and its header, parent, metadata and content."""
        sent = uuid.uuid4().hex
        header = {
            "msg_id": sent, "session": "raw", "username": "raw", "msg_type": kind, "version": "5.5",
            "date": "2026-01-01T00:00:00.000000Z",
        }
        return sent, [json.dumps(part).encode() for part in [header, {}, {}, content or {}]]

    def request(self, kind, content=None):
        """Sends a good request; its id."""
        sent, parts = self.parts(kind, content)
        self.send(self.signed(*parts))
        return sent

    def send(self, frames):
        self.socket.send_multipart(frames)

    def receive(self):
        """The next message: what stands before the delimiter, header, parent and content. Checks the signature."""
        frames = self.socket.recv_multipart()
        at = frames.index(DELIMITER)
        signature, parts = frames[at + 1].decode(), frames[at + 2 : at + 6]
        assert signature == self.signature(parts)
        header, parent, _, content = [json.loads(part) for part in parts]
        return frames[:at], header, parent, content

    def drain(self):
        """Throws away what has come."""
        while self.socket.poll(0):
            self.socket.recv_multipart()

    def answers_next(self):
        """Asks who is there: true where that answer is the next thing that comes, so nothing before it was answered."""
        sent = self.request("kernel_info_request")
        _, header, parent, content = self.receive()
        return (header["msg_type"], parent["msg_id"], content["status"]) == ("kernel_info_reply", sent, "ok")

    def answers(self):
        """Asks who is there, and waits for that answer among others."""
        sent = self.request("kernel_info_request")
        while True:
            _, _, parent, content = self.receive()
            if parent.get("msg_id") == sent:
                return content["status"] == "ok"
