"""TPC-H: the 22 queries through our server by ADBC, and by DuckDB in the client's own process on the Parquet files that
the server was given. Answers are compared before anything is measured."""

import math
import statistics
import tempfile
import time
from pathlib import Path

import haetae_tpch as tpch
from haetae_testing import Server, memory_mb

SCALE, QUICK_SCALE = 1, 0.05


def figures(context):
    scale = QUICK_SCALE if context.quick else SCALE
    with tempfile.TemporaryDirectory(prefix="haetae-tpch-") as folder:
        folder = Path(folder)
        print(f"  TPC-H at scale factor {scale} …", flush=True)
        tpch.generate(folder / "files", scale)
        server = Server(folder / "warehouse")
        try:
            with server.cursor() as cursor:
                begun = time.monotonic()
                rows = sum(tpch.ingest(cursor, folder / "files").values())
                rate = rows / (time.monotonic() - begun)
                ratios, notes = compare(context, cursor, tpch.duckdb_over(folder / "files"), scale)
            peak = memory_mb(server.process.pid)
        finally:
            server.stop()
    geomean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios.values()))
    worst = max(ratios, key=ratios.get)
    n, peer = context.repeat(3), "duckdb, in process, on the Parquet files that were ingested"
    data = f"TPC-H at scale factor {scale}"
    return [
        context.figure("flight.tpch_same", len(ratios), "of 22 queries", aim="= 22", note=f"answers that are DuckDB's; {data}"),
        context.figure("flight.tpch_vs_duckdb_geomean", geomean, "ours/peer time", n=n, peer=peer, peer_value=1.0,
                       note=f"{data}; " + "; ".join(notes) + f"; the server held {peak:.0f} MB at most"),
        context.figure("flight.tpch_vs_duckdb_max", ratios[worst], "ours/peer time", n=n, peer=peer, peer_value=1.0, note=worst),
        context.figure("flight.tpch_ingest_rows_per_s", rate, "rows/s", note=f"{rows:,} rows of 8 tables by adbc_ingest, one after the other"),
    ]


def compare(context, cursor, theirs, scale):
    """Ratio of times by query whose answers are the same, and a note for each."""

    def ours_of(sql):
        cursor.execute(sql)
        return cursor.fetch_arrow_table()

    def theirs_of(sql):
        return theirs.sql(sql).to_arrow_table()

    def seconds(run, sql):
        begun = time.monotonic()
        run(sql)
        return time.monotonic() - begun

    ratios, notes = {}, []
    for name, sql in tpch.queries(scale).items():
        if told := tpch.difference(ours_of(sql), theirs_of(sql)):
            notes.append(f"{name} differs: {told}")
            continue
        pairs = [(seconds(ours_of, sql), seconds(theirs_of, sql)) for _ in range(context.repeat(3))]
        ratios[name] = statistics.median(a / b for a, b in pairs)
        a, b = (statistics.median(side) for side in zip(*pairs))
        notes.append(f"{name} {a:.3f} s / {b:.3f} s")
        print(f"    {name:<32} {a:8.3f} s {b:8.3f} s {ratios[name]:6.2f}", flush=True)
    if not ratios:
        raise RuntimeError(f"no answer is DuckDB's: {notes}")
    return ratios, notes
