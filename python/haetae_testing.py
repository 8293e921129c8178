"""What tests and benchmarks share: a warehouse made for the occasion with a real server in front of it,
and a real kernel. `HAETAE_BIN` names the folder of the built programs, if it is not the usual one."""

import os
import subprocess
from pathlib import Path

from jupyter_client.manager import start_new_kernel

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
BIN = Path(os.environ.get("HAETAE_BIN") or Path(os.environ.get("CARGO_TARGET_DIR") or CACHE / "haetae/target") / "debug")


def run(*words):
    """Runs one of our programs; its standard output. A failure carries what the program said."""
    command = [str(BIN / words[0]), *map(str, words[1:])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def make_warehouse(folder, items, seed=7):
    """A warehouse in `folder/warehouse` with `items` generated items; its path."""
    data, warehouse = folder / "data", folder / "warehouse"
    run("haetae-synth", "--seed", seed, "--items", items, "--out", data, "--force")
    for table in sorted((data / "tables").glob("*.parquet")):
        run("haetae-server", "ingest", "--warehouse", warehouse, table.stem, table)
    return warehouse


def load_kcs(warehouse, folder):
    """Loads the declarations of the Korea Customs Service in `folder` into the schema `kcs`."""
    files = sorted(Path(folder).glob("df_syn_*_eng.csv"))
    if not files:
        raise FileNotFoundError(f"expected df_syn_*_eng.csv in HAETAE_KCS_DIR, found none in {folder}")
    run("haetae-server", "ingest", "--warehouse", warehouse, "--format", "kcs", *files)


class Server:
    """`haetae-server` in front of a warehouse, on a free port that it keeps when it is started again."""

    def __init__(self, warehouse):
        self.warehouse = Path(warehouse)
        self.port = 0
        self.start()

    def start(self):
        command = [BIN / "haetae-server", "serve", "--listen", f"127.0.0.1:{self.port}", "--warehouse", self.warehouse]
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

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class Cell:
    """What one cell said: the reply, and all that was published for it in between."""

    def __init__(self, reply, messages):
        self.reply = reply["content"]
        self.messages = messages
        self.status = self.reply["status"]

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
    def kinds(self):
        return [m["msg_type"] for m in self.messages]


class Kernel:
    """The installed kernel `haetae`, over its real sockets."""

    def __init__(self, environment=None):
        self.manager, self.client = start_new_kernel(
            startup_timeout=120, kernel_name="haetae", env={**os.environ, **(environment or {})}
        )

    def run(self, code, timeout=120, **options):
        sent = self.client.execute(code, **options)
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != sent:
                continue
            messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        while True:
            reply = self.client.get_shell_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") == sent:
                return Cell(reply, messages)

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
        self.manager.shutdown_kernel(now=True)
