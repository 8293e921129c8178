"""The wire: a whole table from our server, and from pyarrow's own C++ server with the same batches."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import analyst_queries
import point_reads
import policy
import postgres
import pyarrow as pa
import soak
import tpch
from haetae_testing import memory_mb
from pyarrow import flight

SQL = b"select * from fact_item"

# The peer keeps the batches in memory and does nothing but send them, in a process of its own. Its
# stream is C++ from end to end: no Python runs between two batches.
PEER = """
import sys
import pyarrow as pa
from pyarrow import flight

table = pa.ipc.open_stream(open(sys.argv[1], "rb")).read_all()


class Peer(flight.FlightServerBase):
    def do_get(self, context, ticket):
        return flight.RecordBatchStream(table)


server = Peer("grpc://127.0.0.1:0")
print(server.port, flush=True)
server.serve()
"""


def statement(sql):
    """`CommandStatementQuery` in an `Any`, written out by hand: pyarrow knows Flight, not Flight SQL."""
    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    query = b"\x0a" + bytes([len(sql)]) + sql
    return b"\x0a" + bytes([len(url)]) + url + b"\x12" + bytes([len(query)]) + query


class Ours:
    def __init__(self, environment):
        secret = Path(environment["HAETAE_SECRET_FILE"]).read_text().strip()
        self.client = flight.FlightClient(environment["HAETAE_URL"].replace("http://", "grpc://"))
        token = self.client.authenticate_basic_token(environment.get("HAETAE_USER", "haetae"), secret)
        self.options = flight.FlightCallOptions(headers=[token])

    def reader(self):
        info = self.client.get_flight_info(flight.FlightDescriptor.for_command(statement(SQL)), self.options)
        return self.client.do_get(info.endpoints[0].ticket, self.options)

    def exchange(self, sql):
        """A call that takes values for the parameters of `sql` and gives rows: a writer and a reader."""
        descriptor = flight.FlightDescriptor.for_command(statement(sql.encode()))
        return self.client.do_exchange(descriptor, self.options)


class Peer:
    def __init__(self, file):
        words = [sys.executable, "-c", PEER, str(file)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.client = flight.FlightClient(f"grpc://127.0.0.1:{int(self.process.stdout.readline())}")

    def reader(self):
        return self.client.do_get(flight.Ticket(b""))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def scan(server):
    """Bytes of Arrow data a second, and rows, from the request to the last batch."""
    begun, size, rows = time.monotonic(), 0, 0
    for chunk in server.reader():
        size += chunk.data.nbytes
        rows += chunk.data.num_rows
    return size / (time.monotonic() - begun), rows


def copied(server, file):
    """Writes what a server sends into a file, batch by batch; the number of rows."""
    reader, rows = server.reader(), 0
    with pa.ipc.new_stream(file, reader.schema) as writer:
        for chunk in reader:
            writer.write_batch(chunk.data)
            rows += chunk.data.num_rows
    return rows


def scans(context):
    """The whole table from both, in turns: the rows, bytes a second of our first scan, from Parquet, pairs of (bytes a second, rows)
    of later ones, and what the two processes held at most."""
    items = 100_000 if context.quick else 10_000_000
    server = context.running(items)
    ours = Ours(server.environment)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "batches.arrow"
        first, _ = scan(ours)
        expected = copied(ours, file)
        peer = Peer(file)
        try:
            scan(ours), scan(peer)
            pairs = [(scan(ours), scan(peer)) for _ in range(context.repeat(7))]
            peaks = memory_mb(server.process.pid), memory_mb(peer.process.pid)
        finally:
            peer.stop()
    # The other measurements want a million items.
    context.end(items)
    if any(rows != expected for pair in pairs for _, rows in pair):
        raise RuntimeError(f"expected {expected} rows from every scan")
    return expected, first, pairs, peaks


def figures(context):
    expected, first, pairs, (mine, theirs) = scans(context)
    ratio = statistics.median(mine / theirs for (mine, _), (theirs, _) in pairs)
    speed = lambda side: statistics.median(pair[side][0] for pair in pairs) / 1e9
    note = (
        f"{expected:,} rows of fact_item; the peer sends batches that it holds in memory, ours answers SQL with columns that it keeps "
        f"decoded from the second scan on; the first, from Parquet, {first / 1e9:.3f} GB/s; "
        f"resident at most {mine:.0f} and {theirs:.0f} MB"
    )
    ours = Ours(context.server(items=1_000_000))
    return [
        context.figure(
            "flight.scan_vs_pyarrow", ratio, "ours/peer throughput", n=len(pairs), aim=">= 1.0",
            peer="pyarrow.flight server (C++), same batches", peer_value=1.0, note=note,
        ),
        context.figure(
            "flight.scan_gb_per_s", speed(0), "GB/s", n=len(pairs),
            peer="pyarrow.flight server (C++), same batches", peer_value=speed(1), note=note,
        ),
        policy.mismatches(context),
        policy.features(context),
        *postgres.figures(context, ours),
        *point_reads.figures(context, ours),
        *analyst_queries.figures(context),
        *tpch.figures(context),
        *soak.figures(context),
    ]
