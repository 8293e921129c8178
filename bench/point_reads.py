"""Bound reads of one row by its key, from one client: a prepared statement, each time with other values."""

import random
import statistics
import time

READS = {
    "importer": ("select * from dim_importer where importer_id = ?", "select importer_id from dim_importer"),
    "item": (
        "select * from fact_item where declaration_id = ? and item_no = ?",
        "select declaration_id, item_no from fact_item",
    ),
}


def figures(context):
    server = context.running(items=1_000_000)
    n, done = 20 if context.quick else 1000, {}
    with server.cursor() as cursor:
        for name, (sql, keys) in READS.items():
            cursor.execute(keys)
            rows = cursor.fetch_arrow_table().to_pylist()
            chosen = [tuple(row.values()) for row in random.Random(7).sample(rows, n)]
            done[name] = read(cursor, sql, chosen)
    seconds = done["item"]
    p99 = sorted(seconds)[int(len(seconds) * 0.99)] * 1e3
    rate = len(seconds) / sum(seconds)
    other = len(done["importer"]) / sum(done["importer"])
    note = f"ADBC from Python: each read binds, asks and fetches, in three calls; by importer (dim_importer) {other:.0f} a second"
    return [
        context.figure("flight.point_reads_per_s", rate, "reads/s", n=n, aim=">= 1500", note=note),
        context.figure("flight.point_read_p50_ms", statistics.median(seconds) * 1e3, "ms", n=n),
        context.figure("flight.point_read_p99_ms", p99, "ms", n=n, aim="<= 5"),
    ]


def read(cursor, sql, keys):
    """Seconds of each read; every one has to find exactly its row."""
    seconds = []
    cursor.adbc_prepare(sql)
    for key in keys:
        begun = time.monotonic()
        cursor.execute(sql, key)
        found = cursor.fetchall()
        seconds.append(time.monotonic() - begun)
        if len(found) != 1 or found[0][0] != key[0]:
            raise RuntimeError(f"expected the one row of {key}, found {found}")
    return seconds
