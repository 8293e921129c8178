"""TPC-H through the server: a scale factor goes in, and the 22 queries' answers beside DuckDB's come out.

The data are those of `tpchgen-cli`, the queries follow the definitions of the TPC-H specification (revision 3.0.1,
section 2.4) with the values of its validation run. Where `order by` leaves a tie, one column more settles it.
"""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = "work"
TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
QUERIES = Path(__file__).resolve().parent.parent / "flight-server/tests/tpch"
# A batch takes at most 16 MiB on the wire.
ROWS = 50_000
# Of numbers that one side holds as floating point: what is lost in adding them up.
RELATIVE = 1e-9


def generate(folder, scale):
    """Writes the eight tables as Parquet files into `folder`."""
    words = [Path(sys.executable).with_name("tpchgen-cli"), "parquet", "-s", scale, "-o", folder]
    subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)


def ingest(cursor, folder):
    """Makes the tables in the user's own schema by CommandStatementIngest; the number of rows of each."""
    loaded = {}
    for name in TABLES:
        file = pq.ParquetFile(folder / f"{name}.parquet")
        schema = pa.schema([field.with_type(plain(field.type)) for field in file.schema_arrow])
        batches = (batch.cast(schema) for batch in file.iter_batches(ROWS))
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        loaded[name] = cursor.adbc_ingest(name, reader, mode="create", db_schema_name=SCHEMA)
    return loaded


def plain(kind):
    return pa.string() if kind == pa.string_view() else kind


def duckdb_over(folder):
    """DuckDB with the same files as views, so that one text is asked on both sides."""
    connection = duckdb.connect()
    connection.execute(f"create schema {SCHEMA}")
    for name in TABLES:
        connection.execute(f"create view {SCHEMA}.{name} as select * from read_parquet('{folder}/{name}.parquet')")
    return connection


def queries(scale):
    """The 22 queries by name, over the tables of `SCHEMA`."""
    texts = {file.stem: file.read_text() for file in sorted(QUERIES.glob("q*.sql"))}
    # The specification divides this share by the scale factor.
    fraction = format(Decimal("0.0001") / Decimal(str(scale)), "f")
    return {name: qualified(text.replace("{fraction}", fraction)) for name, text in texts.items()}


def qualified(text):
    """Every table with its schema; a table stands after `from` or `join`, and is a word of its own."""
    lines = []
    for line in text.splitlines():
        words = line.split(" ")
        for place, word in enumerate(words):
            if word.rstrip(")") in TABLES and place and words[place - 1].lstrip("(") in ("from", "join"):
                words[place] = f"{SCHEMA}.{word}"
        lines.append(" ".join(words))
    return "\n".join(lines)


def difference(ours, theirs):
    """The first place where two answers differ, or nothing. Order counts. Decimals, whole numbers, texts and dates are
    to be equal. Where DuckDB answers with floating point (averages and quotients), ours is a decimal cut off after
    some digits: it may be off by one in the last of them."""
    if (ours.num_rows, ours.num_columns) != (theirs.num_rows, theirs.num_columns):
        return f"{ours.num_rows} rows of {ours.num_columns} columns, DuckDB {theirs.num_rows} of {theirs.num_columns}"
    for field, mine, other in zip(ours.schema, ours.columns, theirs.columns):
        unit = Decimal(1).scaleb(-field.type.scale) if pa.types.is_decimal(field.type) else Decimal(0)
        for row, (a, b) in enumerate(zip(mine.to_pylist(), other.to_pylist())):
            if not same(a, b, unit):
                return f"row {row}, column {field.name}: {a!r}, DuckDB {b!r}"
    return None


def same(a, b, unit):
    if isinstance(a, float) or isinstance(b, float):
        a, b = (Decimal(repr(side)) if isinstance(side, float) else Decimal(side) for side in (a, b))
        return abs(a - b) <= unit + abs(b) * Decimal(RELATIVE)
    return a == b
