"""A whole table by our server, and by PostgreSQL's row protocol (from Debian) with the same rows."""

import glob
import os
import pwd
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from analyst_queries import KEPT

TYPES = {"int32": "integer", "int8": "smallint", "double": "double precision", "date32[day]": "date", "string": "text",
         "bool": "boolean"}


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return Path(found[-1]).parent if found else None


class Postgres:
    """A server of its own in a folder, reached by a socket there alone; it does not run as root."""

    def __init__(self, folder):
        self.bin, self.home = programs(), Path(folder) / "postgres"
        self.user = "postgres" if os.getuid() == 0 else None
        self.home.mkdir()
        if self.user:
            os.chmod(folder, 0o755)
            shutil.chown(self.home, self.user)
        self.run("initdb", "-D", self.home / "data", "-A", "trust", "-U", "bench", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={self.home} -c shared_buffers=2GB -c fsync=off"
        self.run("pg_ctl", "-D", self.home / "data", "-o", options, "-w", "-l", self.home / "log", "start")

    def run(self, program, *words):
        command = [str(self.bin / program), *map(str, words)]
        identity = {}
        if self.user:
            entry = pwd.getpwnam(self.user)
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "cwd": self.home}
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **identity)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()[-1000:]}")

    def psql(self, *words, **options):
        command = ["psql", "-h", self.home, "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-q", *words]
        return subprocess.run([str(word) for word in command], check=True, **options)

    def load(self, table, csv):
        columns = ", ".join(f"{field.name} {TYPES[str(field.type)]}" for field in table.schema)
        self.psql("-c", f"create unlogged table items ({columns})")
        with open(csv, "rb") as rows:
            self.psql("-c", "copy items from stdin with (format csv)", stdin=rows)
        self.psql("-c", "vacuum analyze items")

    def scan(self, rows):
        """Rows a second; psql reads the row protocol in C, ten thousand rows at a time, and throws the text away."""
        begun = time.monotonic()
        self.psql("-At", "-v", "FETCH_COUNT=10000", "-o", "/dev/null", "-c", "select * from items")
        seconds = time.monotonic() - begun
        counted = self.psql("-At", "-c", "select count(*) from items", stdout=subprocess.PIPE).stdout
        if int(counted) != rows:
            raise RuntimeError(f"expected {rows} rows in PostgreSQL, found {int(counted)}")
        return rows / seconds

    def stop(self):
        self.run("pg_ctl", "-D", self.home / "data", "-m", "immediate", "stop")


def figures(context, ours):
    """`ours` gives a reader of the whole table, as bench/flight.py has it, of a server that has read nothing of it yet."""
    name, unit, aim = "flight.scan_vs_postgres", "ours/peer rows a second", ">= 10"
    if programs() is None or shutil.which("psql") is None:
        reason = "PostgreSQL is not installed: apt-get install postgresql"
        return [context.figure(name, None, unit, note=reason, aim=aim)]
    import pyarrow.csv

    with tempfile.TemporaryDirectory(prefix="haetae-postgres-") as folder:
        begun = time.monotonic()
        table = ours.reader().read_all()
        rows = table.num_rows
        first = rows / (time.monotonic() - begun)
        csv = Path(folder) / "items.csv"
        pyarrow.csv.write_csv(table, csv, pyarrow.csv.WriteOptions(include_header=False))
        postgres = Postgres(folder)
        try:
            postgres.load(table, csv)
            del table
            mine, theirs = [], []
            for _ in range(context.repeat(3)):
                begun = time.monotonic()
                found = sum(chunk.data.num_rows for chunk in ours.reader())
                mine.append(found / (time.monotonic() - begun))
                theirs.append(postgres.scan(rows))
        finally:
            postgres.stop()
    ratio = statistics.median(a / b for a, b in zip(mine, theirs))
    note = (
        f"{rows:,} rows of fact_item; {statistics.median(mine):,.0f} and {statistics.median(theirs):,.0f} rows a second; {KEPT}; "
        f"our first scan, from Parquet, {first:,.0f} rows a second"
    )
    return [context.figure(name, ratio, unit, n=len(mine), aim=aim, peer="PostgreSQL 15, psql, row protocol",
                           peer_value=1.0, note=note)]
