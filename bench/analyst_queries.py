"""Twelve questions of analysts, over 24.7 million items (the Korea Customs Service's 18 months): our server by
ADBC, and DuckDB in the client's own process on the very Parquet files of the warehouse.

DuckDB sends nothing over a wire; ours does. Both answers are compared before anything is measured. Ours keeps columns decoded in
memory that are read again, DuckDB reads its files each time; so it is measured without them too (`--columns-mib 0`).
"""

import math
import statistics
import tempfile
import time
from pathlib import Path

from haetae_testing import Server, make_warehouse, memory_mb, parquet_files

ITEMS, QUICK_ITEMS = 24_700_000, 100_000
# For the notes of figures of what is read more than once.
KEPT = "columns that are read again are kept decoded in the server's memory"

QUERIES = {
    "count of a month": """
        select count(*) as items, sum(item_price_krw) as krw from fact_item
        where declaration_date between date '2021-03-01' and date '2021-03-31'""",
    "by month": """
        select date_trunc('month', declaration_date) as month, count(*) as items, sum(item_price_krw) as krw
        from fact_item group by 1 order by 1""",
    "by office and chapter": """
        select office_id, substr(hs6, 1, 2) as hs2, count(*) as items, avg(duty_rate) as duty from fact_item
        group by 1, 2 order by 1, 2""",
    "top importers": """
        select importer_id, sum(item_price_krw) as krw, count(*) as items from fact_item
        group by 1 order by krw desc, importer_id limit 20""",
    "unit price by heading": """
        select hs6, origin_country, count(*) as items, avg(item_price_krw / net_mass_kg) as krw_per_kg
        from fact_item where net_mass_kg > 0 group by 1, 2 having count(*) >= 50 order by 1, 2""",
    "items of one importer": """
        select declaration_id, item_no, hs6, item_price_krw from fact_item
        where importer_id = (select min(importer_id) from dim_importer) order by 1, 2""",
    "hit rate by office": """
        select office_id, count(*) as inspected, avg(case when fraud then 1.0 else 0.0 end) as hit_rate
        from fact_item join fact_inspection using (declaration_id, item_no) group by 1 order by 1""",
    "value by region and industry": """
        select region, industry, sum(item_price_krw) as krw, count(distinct importer_id) as importers
        from fact_item join dim_importer using (importer_id) group by 1, 2 order by 1, 2""",
    "distinct importers by month": """
        select date_trunc('month', declaration_date) as month, count(distinct importer_id) as importers
        from fact_item group by 1 order by 1""",
    "rank in each chapter": """
        select hs2, importer_id, krw, place from (
            select substr(hs6, 1, 2) as hs2, importer_id, sum(item_price_krw) as krw,
                rank() over (partition by substr(hs6, 1, 2) order by sum(item_price_krw) desc, importer_id) as place
            from fact_item group by 1, 2)
        where place <= 3 order by 1, 4""",
    "preference without its origin": """
        select tariff_type, origin_mark, departure_country <> origin_country as transshipped, count(*) as items,
            sum(item_price_krw * duty_rate) as duty_krw
        from fact_item group by 1, 2, 3 order by 1, 2, 3""",
    "dearest lines of a week": """
        select declaration_id, item_no, importer_id, hs6, item_price_krw from fact_item
        where declaration_date between date '2021-05-03' and date '2021-05-09'
        order by item_price_krw desc, declaration_id, item_no limit 100""",
}


def same(ours, theirs):
    """Whether two tables hold the same rows in the same order; sums of numbers may differ in the last digits."""
    if ours.num_rows != theirs.num_rows or ours.num_columns != theirs.num_columns:
        return False
    for mine, other in zip(ours.columns, theirs.columns):
        for a, b in zip(mine.to_pylist(), other.to_pylist()):
            if isinstance(a, float) or isinstance(b, float):
                if (a is None) != (b is None) or a is not None and not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6):
                    return False
            elif str(a)[:10] != str(b)[:10] if "date" in str(mine.type) or "timestamp" in str(mine.type) else a != b:
                return False
    return True


def duckdb_over(warehouse):
    """A connection that reads the files of the newest version; each table a view over exactly its files."""
    import duckdb

    connection = duckdb.connect()
    for table, files in parquet_files(warehouse).items():
        names = ", ".join(f"'{file}'" for file in files)
        connection.execute(f"create view {table} as select * from read_parquet([{names}])")
    return connection


def figures(context):
    items = QUICK_ITEMS if context.quick else ITEMS
    with tempfile.TemporaryDirectory(prefix="haetae-analyst-") as folder:
        print(f"  warehouse with {items:,} items …", flush=True)
        return over(context, make_warehouse(Path(folder), items), items)


def over(context, warehouse, items):
    """The figures over a warehouse: as the server is by itself, and where it keeps no columns."""
    n = context.repeat(3)
    figure = lambda name, value, note, aim="": context.figure(
        f"flight.queries_{name}", value, "ours/peer time", n=n, aim=aim, peer="duckdb, in process, same Parquet files",
        peer_value=1.0, note=note,
    )
    geomean = lambda ratios: math.exp(statistics.fmean(math.log(ratio) for ratio in ratios.values()))
    ratios, notes = served(context, warehouse)
    worst = max(ratios, key=ratios.get)
    of_files, of_files_notes = served(context, warehouse, "--columns-mib", "0")
    return [
        figure("vs_duckdb_geomean", geomean(ratios), f"{items:,} items; {KEPT}; {notes}", "<= 1.1"),
        figure("vs_duckdb_max", ratios[worst], worst, "<= 2"),
        figure("from_files_vs_duckdb_geomean", geomean(of_files), f"{items:,} items; no columns are kept; {of_files_notes}"),
        figure("from_files_vs_duckdb_max", max(of_files.values()), max(of_files, key=of_files.get)),
    ]


def served(context, warehouse, *options):
    """Ratios of times by query, and a note, of a server that was just started with these options."""
    server = Server(warehouse, *options)
    try:
        theirs = duckdb_over(server.warehouse)
        with server.cursor() as cursor:
            ratios, notes = compare(context, cursor, theirs, QUERIES, difference)
        peak = memory_mb(server.process.pid)
    finally:
        server.stop()
    if len(ratios) < len(QUERIES):
        raise RuntimeError("; ".join(note for note in notes if "differs" in note))
    return ratios, f"{'; '.join(notes)}; the server held {peak:.0f} MB at most"


def compare(context, cursor, theirs, queries, difference):
    """Ratio of times by query, and a note for each. A query whose answers differ, as `difference` says of ours and theirs, has
    the note alone."""

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
    for name, sql in queries.items():
        begun = time.monotonic()
        ours = ours_of(sql)
        first = time.monotonic() - begun
        if told := difference(ours, theirs_of(sql)):
            notes.append(f"{name} differs: {told}")
            continue
        pairs = [(seconds(ours_of, sql), seconds(theirs_of, sql)) for _ in range(context.repeat(3))]
        ratios[name] = statistics.median(a / b for a, b in pairs)
        a, b = (statistics.median(side) for side in zip(*pairs))
        notes.append(f"{name} {a:.3f} s / {b:.3f} s (our first {first:.3f} s)")
        print(f"    {name:<32} {a:8.3f} s {b:8.3f} s {ratios[name]:6.2f}", flush=True)
    return ratios, notes


def difference(ours, theirs):
    """Nothing, or the first rows of two answers that differ."""
    return None if same(ours, theirs) else f"{ours.slice(0, 3)} {theirs.slice(0, 3)}"
