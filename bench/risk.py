"""The taxpayer score on German credit data, policies of inspection on generated items, and a month of items scored, laned
and logged by the server's program."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from german_credit import german
from haetae_testing import Server, run, timed
from inspection import policies

MONTH_ITEMS, QUICK_ITEMS = 1_400_000, 20_000
FIRST, DAYS = np.datetime64("2026-01-01"), 30
LOOKUPS = 200


def two_months(folder, items):
    """A warehouse in which generated declarations of 18 months lie within 60 days: a month of `items` behind another one.

    Days keep their order; a finding comes as many days after its declaration as it was generated."""
    import pyarrow
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    demo, warehouse = folder / "demo", folder / "wh"
    run("haetae-synth", "--seed", 7, "--items", 2 * items, "--core", "--out", demo)
    table = lambda name: parquet.read_table(demo / "tables" / f"{name}.parquet")
    put = lambda rows, column, days: rows.set_column(
        rows.column_names.index(column), column, compute.cast(days, rows.schema.field(column).type)
    )
    declared, inspected = table("fact_item"), table("fact_inspection")
    before = declared["declaration_date"].to_numpy().astype("datetime64[D]")
    days, counts = np.unique(before, return_counts=True)
    # The day within the 60 by how many items were declared before it.
    moved = FIRST + (2 * DAYS * (np.cumsum(counts) - counts) // counts.sum())
    after = moved[np.searchsorted(days, before)]
    key = lambda rows: compute.binary_join_element_wise(rows["declaration_id"], compute.cast(rows["item_no"], "string"), "/")
    place = compute.index_in(key(inspected), key(declared)).to_numpy()
    delay = inspected["inspection_date"].to_numpy().astype("datetime64[D]") - before[place]
    date = lambda values: pyarrow.array(values.astype("datetime64[D]"))
    parquet.write_table(put(declared, "declaration_date", date(after)), demo / "tables" / "fact_item.parquet")
    parquet.write_table(put(inspected, "inspection_date", date(after[place] + delay)), demo / "tables" / "fact_inspection.parquet")
    for file in sorted((demo / "tables").glob("*.parquet")):
        run("haetae-server", "ingest", "--warehouse", warehouse, file.stem, file)
    return warehouse, int((after >= FIRST + DAYS).sum())


def lookups(warehouse, n):
    """Seconds of `n` bound queries of one declaration's score and its summands, by ADBC from Python."""
    server, seconds = Server(warehouse), []
    try:
        with server.cursor() as cursor:
            cursor.execute(f"select declaration_id from risk.scores order by declaration_id limit {n}")
            names = [row[0] for row in cursor.fetchall()]
            sql = (
                "select item_no, version, probability, expected_revenue_krw, feature_1, value_1, feature_2, value_2 "
                "from risk.scores where declaration_id = ?"
            )
            cursor.adbc_prepare(sql)
            for name in names:
                begun = time.monotonic()
                cursor.execute(sql, (name,))
                if not cursor.fetchall():
                    raise RuntimeError(f"{name} has no score")
                seconds.append(time.monotonic() - begun)
    finally:
        server.stop()
    return seconds


def service(context):
    items = QUICK_ITEMS if context.quick else MONTH_ITEMS
    with tempfile.TemporaryDirectory(prefix="haetae-risk-") as folder:
        folder = Path(folder)
        warehouse, month = two_months(folder, items)
        text = (context.root / "flight-server" / "scoring" / "definitions" / "import.toml").read_text()
        definition = folder / "import.toml"
        definition.write_text(text.replace("days = 180", "days = 24").replace("delay_days = 14", "delay_days = 3"))
        first, last = FIRST + DAYS, FIRST + 2 * DAYS - 1
        trained, training = timed("haetae-server", "model", "train", "--warehouse", warehouse, "--definition", definition, "--as-of", first)
        run("haetae-server", "model", "promote", "--warehouse", warehouse, "--by", "bench", "--why", "the only one", "import-1")
        words = ["score", "--warehouse", warehouse, "--definition", definition, "--date", first, "--to", last]
        said, seconds = timed("haetae-server", *words)
        version = said.split(" by ")[1].split(";")[0]
        _, verifying = timed("haetae-server", "score", "verify", "--warehouse", warehouse)
        again, repeated = timed("haetae-server", *words)
        if "nothing to do" not in again:
            raise RuntimeError(f"a day was scored twice: {again}")
        compared = run(
            "haetae-server", "model", "compare", "--warehouse", warehouse, "--from", first, "--to", last, "--known-on", last + 10, version
        )
        print("    " + compared.replace("\n", "\n    "))
        run("haetae-server", "compact", "--warehouse", warehouse, "--all")
        found = lookups(warehouse, 20 if context.quick else LOOKUPS)
    note = (
        f"{month:,} items behind as many of the month before, by 11 features in SQL as of each day, 100 trees, summands, lanes and log; "
        f"training {training:.0f} s ({trained.splitlines()[0]}); verifying the log {verifying:.0f} s, the same days again {repeated:.0f} s"
    )
    return [
        context.figure("risk.month_min", seconds / 60, "min", note=note, aim="<= 5"),
        context.figure(
            "risk.single_p50_ms", 1000 * statistics.median(found), "ms", n=len(found), aim="<= 10",
            note="the kept score of one declaration with its greatest summands, by a bound query over Flight from ADBC; not computed anew",
        ),
    ]


def figures(context):
    return [*german(context), *policies(context), *service(context)]
