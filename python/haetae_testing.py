"""What tests and benchmarks share: a warehouse made for the occasion with a real server in front of it, and a real kernel
(`haetae_cells`). `HAETAE_BIN` names the folder of the built programs, if it is not the usual one."""

import json
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from haetae_cells import Kernel

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or CACHE / "haetae/target")
BIN = Path(os.environ.get("HAETAE_BIN") or TARGET / "debug")


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

    # Seconds that it has to finish what it is doing, also on a busy machine.
    PATIENCE = 120

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
