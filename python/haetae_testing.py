"""What tests and benchmarks share: a warehouse made for the occasion with a real server in front of it,
and a real kernel. `HAETAE_BIN` names the folder of the built programs, if it is not the usual one."""

import json
import os
import queue
import re
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or CACHE / "haetae/target")
BIN = Path(os.environ.get("HAETAE_BIN") or TARGET / "debug")

# Seconds after which a message that does not come is taken for lost. No test lasts as long when all is well.
WAIT = 60


def run(*words):
    """Runs one of our programs; its standard output. A failure carries what the program said."""
    command = [str(BIN / words[0]), *map(str, words[1:])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def timed(*words):
    """As `run`, and the seconds that it took."""
    begun = time.monotonic()
    return run(*words), time.monotonic() - begun


def memory_mb(process, part="VmHWM"):
    """Memory of a process in MB: what it held at most, or another part of what Linux tells of it."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(part)) / 1024


def make_warehouse(folder, items, seed=7, more=()):
    """A warehouse in `folder/warehouse` with `items` generated items and the registers that they name; its path. `more` are
    words for the generator, whose files stay in `folder/data`."""
    data, warehouse = folder / "data", folder / "warehouse"
    run("haetae-synth", "--seed", seed, "--items", items, "--out", data, "--force", "--core", *more)
    for table in sorted((data / "tables").glob("*.parquet")):
        run("haetae-server", "ingest", "--warehouse", warehouse, table.stem, table)
    return warehouse


def parquet_files(warehouse, schema="customs"):
    """The files of each table of the newest version."""
    manifests = Path(warehouse).glob("manifest-*.json")
    newest = max(manifests, key=lambda file: int(file.stem.rsplit("-", 1)[1]))
    tables = json.loads(newest.read_text())["tables"][schema]
    return {name: [str(Path(warehouse) / file["path"]) for file in table["files"]] for name, table in tables.items()
            if table["files"]}


def load_kcs(warehouse, folder):
    """Loads the declarations of the Korea Customs Service in `folder` into the schema `kcs`."""
    files = sorted(Path(folder).glob("df_syn_*_eng.csv"))
    if not files:
        raise FileNotFoundError(f"expected df_syn_*_eng.csv in HAETAE_KCS_DIR, found none in {folder}")
    run("haetae-server", "ingest", "--warehouse", warehouse, "--format", "kcs", *files)


class Server:
    """`haetae-server` in front of a warehouse, on a free port that it keeps when it is started again; `options` of `serve`."""

    # Seconds that it has to finish what it is doing.
    PATIENCE = 30

    def __init__(self, warehouse, *options):
        self.warehouse, self.options = Path(warehouse), options
        self.port = 0
        self.start()

    def start(self):
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        command = [BIN / "haetae-server", "serve", *listen, "--warehouse", self.warehouse, *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on 127.0.0.1:"):
            raise RuntimeError(f"expected `listening on 127.0.0.1:PORT` from haetae-server, found {line!r}")
        self.port = int(line.strip().rsplit(":", 1)[1])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self):
        return (self.warehouse / "server.secret").read_text().strip()

    @property
    def environment(self):
        """What a client has to know, as the lab sets it."""
        return {"HAETAE_URL": self.url, "HAETAE_SECRET_FILE": str(self.warehouse / "server.secret")}

    @contextmanager
    def cursor(self, user="haetae", password=None, query_class=None):
        """A cursor of ADBC, as Python programs of an analyst have it; `query_class` says among which queries its own wait."""
        from adbc_driver_flightsql import dbapi

        options = {"username": user, "password": password or self.password}
        if query_class:
            options["adbc.flight.sql.rpc.call_header.x-haetae-class"] = query_class
        address = self.url.replace("http", "grpc")
        with dbapi.connect(address, db_kwargs=options, autocommit=True) as connection, connection.cursor() as cursor:
            yield cursor

    def stop(self):
        """Ends it. One that does not go is killed, so that none is left behind, and that is an error."""
        self.process.terminate()
        try:
            self.process.wait(timeout=self.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"haetae-server did not end in {self.PATIENCE} s after SIGTERM, and was killed") from None
        finally:
            self.process.stdout.close()


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


@contextmanager
def kernel_before(warehouse):
    """A kernel whose cells ask a server in front of a warehouse."""
    server = Server(warehouse)
    try:
        kernel = Kernel(server.environment)
        try:
            yield kernel
        finally:
            kernel.stop()
    finally:
        server.stop()
