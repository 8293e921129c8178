"""The 22 queries of TPC-H over tables that were ingested through the wire, with DuckDB's answers beside ours."""

import haetae_tpch as tpch
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from haetae_testing import Server

# The smallest of which every query has an answer.
SCALE = 0.05


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """A cursor over our server, and DuckDB over the files that the server was given."""
    folder = tmp_path_factory.mktemp("tpch")
    tpch.generate(folder / "files", SCALE)
    server = Server(folder / "warehouse")
    try:
        with server.cursor() as cursor:
            loaded = tpch.ingest(cursor, folder / "files")
            assert loaded == {name: pq.read_metadata(folder / f"files/{name}.parquet").num_rows for name in tpch.TABLES}
            yield cursor, tpch.duckdb_over(folder / "files")
    finally:
        server.stop()


@pytest.mark.parametrize(("name", "sql"), tpch.queries(SCALE).items(), ids=tpch.queries(SCALE))
def test_the_answer_is_duckdbs(sides, name, sql):
    cursor, theirs = sides
    cursor.execute(sql)
    ours = cursor.fetch_arrow_table()
    assert ours.num_rows > 0
    assert tpch.difference(ours, theirs.sql(sql).to_arrow_table()) is None


def test_there_are_22_queries_and_each_names_the_schema():
    texts = tpch.queries(SCALE)
    assert list(texts) == [f"q{number:02}" for number in range(1, 23)]
    assert all(f"from {tpch.SCHEMA}." in text for text in texts.values())


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (pa.table({"n": [1, 2], "d": pa.array(["1.10", "2.20"]).cast(pa.decimal128(9, 2))}), None),
        (pa.table({"n": [1, 2], "d": [1.1, 2.205]}), None),
        (pa.table({"n": [1, 2], "d": [1.1, 2.22]}), "row 1, column d"),
        (pa.table({"n": [2, 1], "d": [1.1, 2.2]}), "row 0, column n"),
        (pa.table({"n": [1], "d": [1.1]}), "2 rows of 2 columns"),
        (pa.table({"n": [1, 2], "d": pa.array(["1.10", "2.21"]).cast(pa.decimal128(9, 2))}), "row 1, column d"),
    ],
)
def test_a_difference_is_told(theirs, told):
    ours = pa.table({"n": [1, 2], "d": pa.array(["1.10", "2.20"]).cast(pa.decimal128(9, 2))})
    found = tpch.difference(ours, theirs)
    assert found is None if told is None else told in found
