"""Bound reads of one row by its key, from one client: a statement that is prepared once, each time with other values.

Three clients: pyarrow with one open call (DoExchange) that gets values and gives rows, waiting for each answer; the same
with up to 16 values on their way; and ADBC from Python, which makes three calls a read, one after another.
"""

import random
import statistics
import time
from collections import deque

import pyarrow as pa

READS = {
    "importer": ("select * from dim_importer where importer_id = ?", "select importer_id from dim_importer"),
    "item": (
        "select * from fact_item where declaration_id = ? and item_no = ?",
        "select declaration_id, item_no from fact_item",
    ),
}

# Values that are on their way at a time where the client does not wait.
OUTSTANDING = 16


class Asked:
    """One open call of pyarrow's Flight client: values go in, rows come out, the last ones of each with its number."""

    def __init__(self, ours, sql, schema):
        self.schema, self.sent, self.got = schema, 0, 0
        self.writer, self.reader = ours.exchange(sql)
        self.writer.begin(schema)

    def ask(self, key):
        values = [pa.array([value], field.type) for value, field in zip(key, self.schema)]
        self.writer.write_batch(pa.record_batch(values, schema=self.schema))
        self.sent += 1

    def answer(self):
        rows = []
        while True:
            chunk = self.reader.read_chunk()
            rows += chunk.data.to_pylist()
            if chunk.app_metadata is not None and len(chunk.app_metadata):
                break
        if int(chunk.app_metadata.to_pybytes()) != self.got:
            raise RuntimeError(f"expected answer {self.got}, found {chunk.app_metadata.to_pybytes()}")
        self.got += 1
        return rows

    def close(self):
        self.writer.done_writing()
        try:
            self.reader.read_chunk()
        except StopIteration:
            return
        raise RuntimeError("expected the end of the answers")


def figures(context, ours):
    """`ours` makes calls of pyarrow's Flight client to the server with a million items."""
    server = context.running(items=1_000_000)
    n, cold, done, rate_of = 20 if context.quick else 1000, {}, {}, {}
    with server.cursor() as cursor:
        for name, (sql, keys) in READS.items():
            cursor.execute(keys)
            known = cursor.fetch_arrow_table().combine_chunks()
            chosen = random.Random(7).sample(range(known.num_rows), 4 * n)
            keys = [tuple(row.values()) for row in known.take(chosen).to_pylist()]
            cold[name] = waited(ours, sql, known.schema, keys[:n])
            done[name] = waited(ours, sql, known.schema, keys[n:2 * n])
            rate_of[name] = n / sum(done[name])
            if name == "item":
                streamed, together = ahead(ours, sql, known.schema, keys[2 * n:3 * n])
                adbc = adbc_reads(cursor, sql, keys[3 * n:])
    seconds, ms = done["item"], 1e3
    p99 = lambda times: sorted(times)[int(len(times) * 0.99)] * ms
    adbc_rate = n / sum(adbc)
    note = (
        "one pyarrow client, one open call (DoExchange): it sends the values of a read and waits for the row before the next; "
        f"the thousand before these, with nothing in memory: {n / sum(cold['item']):.0f} a second, p99 {p99(cold['item']):.1f} ms; "
        f"by importer (dim_importer) {rate_of['importer']:.0f} a second; ADBC from Python, in three calls a read: {adbc_rate:.0f} a second"
    )
    return [
        context.figure("flight.point_reads_per_s", rate_of["item"], "reads/s", n=n, aim=">= 1500", note=note),
        context.figure("flight.point_read_p50_ms", statistics.median(seconds) * ms, "ms", n=n),
        context.figure("flight.point_read_p99_ms", p99(seconds), "ms", n=n, aim="<= 5"),
        context.figure(
            "flight.point_reads_streamed_per_s", n / together, "reads/s", n=n,
            note=f"the same call with up to {OUTSTANDING} values on their way; p99 of one read {p99(streamed):.1f} ms",
        ),
        context.figure(
            "flight.point_reads_adbc_per_s", adbc_rate, "reads/s", n=n,
            note="ADBC from Python: each read binds, asks and fetches, in three calls, one after another",
        ),
        context.figure("flight.point_read_adbc_p50_ms", statistics.median(adbc) * ms, "ms", n=n),
        context.figure("flight.point_read_adbc_p99_ms", p99(adbc), "ms", n=n),
    ]


def waited(ours, sql, schema, keys):
    """Seconds of each read, from its values to its row."""
    call, seconds = Asked(ours, sql, schema), []
    for key in keys:
        begun = time.monotonic()
        call.ask(key)
        found = call.answer()
        seconds.append(time.monotonic() - begun)
        found_one(key, [tuple(row.values()) for row in found])
    call.close()
    return seconds


def ahead(ours, sql, schema, keys):
    """The same with several on their way: seconds of each, and of all."""
    call, seconds, waiting = Asked(ours, sql, schema), [], deque()

    def take():
        key, begun = waiting.popleft()
        found = call.answer()
        seconds.append(time.monotonic() - begun)
        found_one(key, [tuple(row.values()) for row in found])

    begun = time.monotonic()
    for key in keys:
        if len(waiting) == OUTSTANDING:
            take()
        waiting.append((key, time.monotonic()))
        call.ask(key)
    while waiting:
        take()
    together = time.monotonic() - begun
    call.close()
    return seconds, together


def adbc_reads(cursor, sql, keys):
    """Seconds of each read by ADBC."""
    seconds = []
    cursor.adbc_prepare(sql)
    for key in keys:
        begun = time.monotonic()
        cursor.execute(sql, key)
        found = cursor.fetchall()
        seconds.append(time.monotonic() - begun)
        found_one(key, found)
    return seconds


def found_one(key, found):
    """Every read has to find exactly its row."""
    if len(found) != 1 or found[0][0] != key[0]:
        raise RuntimeError(f"expected the one row of {key}, found {found}")
