"""TPC-H: the 22 queries through our server by ADBC, and by DuckDB in the client's own process on the Parquet files that
the server was given. Answers are compared before anything is measured."""

import math
import statistics
import tempfile
import time
from pathlib import Path

import haetae_tpch as tpch
from analyst_queries import KEPT, compare
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
                ratios, notes = compare(
                    context, cursor, tpch.duckdb_over(folder / "files"), tpch.queries(scale), tpch.difference
                )
            peak = memory_mb(server.process.pid)
        finally:
            server.stop()
    if not ratios:
        raise RuntimeError(f"no answer is DuckDB's: {notes}")
    geomean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios.values()))
    worst = max(ratios, key=ratios.get)
    n, peer = context.repeat(3), "duckdb, in process, on the Parquet files that were ingested"
    data = f"TPC-H at scale factor {scale}"
    return [
        context.figure("flight.tpch_same", len(ratios), "of 22 queries", aim="= 22", note=f"answers that are DuckDB's; {data}"),
        context.figure("flight.tpch_vs_duckdb_geomean", geomean, "ours/peer time", n=n, peer=peer, peer_value=1.0,
                       note=f"{data}; {KEPT}, those of earlier queries too; " + "; ".join(notes) + f"; the server held {peak:.0f} MB at most"),
        context.figure("flight.tpch_vs_duckdb_max", ratios[worst], "ours/peer time", n=n, peer=peer, peer_value=1.0, note=worst),
        context.figure("flight.tpch_ingest_rows_per_s", rate, "rows/s", note=f"{rows:,} rows of 8 tables by adbc_ingest, one after the other"),
    ]
