"""The installed kernel over its real sockets: requests of every kind, and what was heard of each."""

import os
import queue
import re

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

# Seconds after which a message that does not come is taken for lost, also on a busy machine. No test waits as long when all is well.
WAIT = 180


class Cell:
    """What one cell said: the reply, and all that was published for it in between."""

    def __init__(self, reply, messages):
        self.reply = reply["content"]
        self.messages = messages
        self.status = self.reply.get("status")  # answers of the debug adapter have none

    def of(self, kind):
        return [m["content"] for m in self.messages if m["msg_type"] == kind]

    def stream(self, name):
        return "".join(m["text"] for m in self.of("stream") if m["name"] == name)

    @property
    def stdout(self):
        return self.stream("stdout")

    @property
    def stderr(self):
        return self.stream("stderr")

    @property
    def text(self):
        results = self.of("execute_result")
        return results[-1]["data"]["text/plain"] if results else None

    @property
    def traceback(self):
        """The lines of the error, without colors."""
        return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(self.reply["traceback"]))

    @property
    def kinds(self):
        return [m["msg_type"] for m in self.messages]


class Request:
    """A request that was sent: what has been heard of it so far, by channel."""

    def __init__(self, client, kind, channel, sent):
        self.client, self.kind, self.channel, self.sent = client, kind, channel, sent
        self.heard = {"iopub": [], "shell": [], "control": [], "stdin": []}
        self.seen = 0
        self.asked = 0

    @property
    def messages(self):
        return self.heard["iopub"]

    @property
    def kinds(self):
        return [m["msg_type"] for m in self.messages]

    @property
    def states(self):
        return [m["content"]["execution_state"] for m in self.messages if m["msg_type"] == "status"]

    def hear(self, channel, timeout):
        """Waits for one message more; those of other requests go where they belong meanwhile."""
        before = len(self.heard[channel])
        try:
            while len(self.heard[channel]) == before:
                self.client.hear(channel, timeout)
        except queue.Empty:
            heard = f"heard {self.kinds[-10:]} on iopub"
            raise TimeoutError(f"nothing more on {channel} for {self.kind} in {timeout} s; {heard}") from None

    def until(self, kind, timeout=WAIT, **content):
        """Its next broadcast of a kind whose content has these fields."""
        while True:
            while self.seen < len(self.messages):
                message = self.messages[self.seen]
                self.seen += 1
                fits = all(message["content"].get(name) == value for name, value in content.items())
                if message["msg_type"] == kind and fits:
                    return message
            self.hear("iopub", timeout)

    def idle(self, timeout=WAIT):
        return self.until("status", timeout, execution_state="idle")

    def reply(self, timeout=WAIT):
        if not self.heard[self.channel]:
            self.hear(self.channel, timeout)
        return self.heard[self.channel][0]

    def question(self, timeout=WAIT):
        """The content of its next `input_request`."""
        self.asked += 1
        while len(self.heard["stdin"]) < self.asked:
            self.hear("stdin", timeout)
        return self.heard["stdin"][self.asked - 1]["content"]

    def end(self, timeout=WAIT):
        """Waits until it is answered and idle. What comes later for it is not heard any more."""
        self.idle(timeout)
        reply = self.reply(timeout)
        del self.client.requests[self.sent]
        return Cell(reply, self.messages)


class Client:
    """A front end of a running kernel, over the real sockets."""

    def __init__(self, client):
        self.client = client
        self.requests = {}
        self.heard = 0

    def hear(self, channel, timeout):
        """Takes one message off a channel and gives it to the request that it answers, if that is waited for."""
        message = getattr(self.client, f"{channel}_channel").get_msg(timeout=timeout)
        request = self.requests.get(message["parent_header"].get("msg_id"))
        if request:
            # Messages of several requests can be put in order by this.
            self.heard += 1
            request.heard[channel].append({**message, "heard": self.heard})

    def send(self, kind, content=None, channel="shell", subshell=None):
        """Sends a request of any kind."""
        message = self.client.session.msg(kind, content or {})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        sent = message["header"]["msg_id"]
        self.requests[sent] = Request(self, kind, channel, sent)
        getattr(self.client, f"{channel}_channel").send(message)
        return self.requests[sent]

    def ask(self, kind, content=None, channel="shell", **options):
        """The content of the answer to a request."""
        return self.send(kind, content, channel, **options).end().reply

    def start(self, code, subshell=None, **options):
        """Sends a cell."""
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True,
            "stop_on_error": True, **options,
        }
        return self.send("execute_request", content, subshell=subshell)

    def interrupt(self):
        return self.ask("interrupt_request", channel="control")

    def run(self, code, timeout=WAIT, **options):
        return self.start(code, **options).end(timeout)

    def ok(self, code, **options):
        cell = self.run(code, **options)
        assert cell.status == "ok", cell.reply
        return cell

    def fails(self, code, name, part, **options):
        cell = self.run(code, **options)
        assert cell.status == "error", cell.reply
        assert cell.reply["ename"] == name, cell.reply
        assert part in cell.reply["evalue"], cell.reply
        assert [m["ename"] for m in cell.of("error")] == [name]
        assert cell.stderr == ""
        return cell

    def stop(self):
        self.client.stop_channels()


class Kernel(Client):
    """The installed kernel `haetae`, and its first front end."""

    def __init__(self, environment=None):
        self.manager, client = start_new_kernel(
            startup_timeout=120, kernel_name="haetae", env={**os.environ, **(environment or {})}
        )
        super().__init__(client)

    def another(self):
        """One front end more, with a session of its own."""
        client = BlockingKernelClient()
        client.load_connection_file(self.manager.connection_file)
        client.start_channels()
        client.wait_for_ready(timeout=WAIT)
        return Client(client)

    def restart(self):
        self.manager.restart_kernel()
        self.client.wait_for_ready(timeout=WAIT)

    def ended(self):
        """Waits for the end of the process; its exit status."""
        return self.manager.provisioner.process.wait(timeout=WAIT)

    def stop(self):
        super().stop()
        self.manager.shutdown_kernel(now=True)
