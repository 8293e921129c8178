"""Clients that this project did not write: ADBC and pyarrow, against the real program.

HAETAE_BIN names the folder with `haetae-synth` and `haetae-server`.
"""

import base64
import datetime

import adbc_driver_flightsql.dbapi as flightsql
import adbc_driver_manager
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest
from haetae_testing import Server as Process
from haetae_testing import make_warehouse
from pyarrow import flight

USER = "haetae"
TABLES = 40
# Those of `course`, and of `meta`, `quality`, `risk` and `system`.
COURSE, OWN = 8, [8, 5, 11, 1]


class Server(Process):
    """`haetae-server` in front of a small made-up administration."""

    def __init__(self, folder):
        super().__init__(make_warehouse(folder, 2000))
        self.tables = {file.stem: pq.read_table(file) for file in (folder / "data/tables").glob("*.parquet")}
        self.location = self.url.replace("http", "grpc")

    def adbc(self, password=None):
        options = {"username": USER, "password": password or self.password}
        return flightsql.connect(self.location, db_kwargs=options, autocommit=True)

    def pyarrow(self, timeout=60):
        """A client, and options with which it waits no longer than `timeout` seconds."""
        client = flight.FlightClient(self.location)
        token = client.authenticate_basic_token(USER, self.password)
        return client, flight.FlightCallOptions(headers=[token], timeout=timeout)

    def stop(self):
        super().stop()
        assert self.process.returncode == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def cursor(server):
    with server.adbc() as connection, connection.cursor() as cursor:
        yield cursor


def command(name, body=b""):
    """A Flight SQL command: the protobuf message `Any`, written out by hand."""
    url = f"type.googleapis.com/arrow.flight.protocol.sql.{name}".encode()
    return b"\x0a" + bytes([len(url)]) + url + b"\x12" + varint(len(body)) + body


def varint(number):
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def text_field(number, value):
    value = value.encode()
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def pyarrow_fetch(server, name, body=b""):
    client, options = server.pyarrow()
    info = client.get_flight_info(flight.FlightDescriptor.for_command(command(name, body)), options)
    table = client.do_get(info.endpoints[0].ticket, options).read_all()
    assert table.schema.equals(info.schema)
    return table


def pyarrow_query(server, sql):
    return pyarrow_fetch(server, "CommandStatementQuery", text_field(1, sql))


def by_key(table):
    return table.sort_by([("declaration_id", "ascending"), ("item_no", "ascending")])


def test_adbc_reads_back_what_was_loaded(server, cursor):
    cursor.execute("select * from fact_item")
    assert by_key(cursor.fetch_arrow_table()).equals(by_key(server.tables["fact_item"]))


def test_pyarrow_reads_back_what_was_loaded(server):
    assert by_key(pyarrow_query(server, "select * from fact_item")).equals(by_key(server.tables["fact_item"]))


def test_adbc_types_are_plain(cursor):
    cursor.execute(
        "select arrow_cast('x', 'Utf8View') as v, arrow_cast('y', 'Dictionary(Int32, Utf8)') as d, "
        "declaration_date as t, null as n, array_agg(office_id) as l from fact_item group by declaration_date limit 1"
    )
    types = [field.type for field in cursor.fetch_arrow_table().schema]
    assert types == [pa.string(), pa.string(), pa.date32(), pa.null(), pa.list_(pa.field("item", pa.string()))]


def test_adbc_binds_parameters(server, cursor):
    items = server.tables["fact_item"].to_pylist()
    office, day = items[0]["office_id"], datetime.date(2020, 6, 1)
    expected = sum(row["office_id"] == office and row["declaration_date"] >= day for row in items)
    sql = "select count(*) from fact_item where office_id = ? and declaration_date >= ?"
    cursor.execute(sql, (office, day))
    assert cursor.fetchone() == (expected,)
    cursor.execute(sql, ("no such office", day))
    assert cursor.fetchone() == (0,)
    cursor.execute("select ? + 1", (41,))
    assert cursor.fetchone() == (42,)


def test_adbc_prepares_once_and_runs_often(server, cursor):
    sql = "select count(*) from fact_item where transport_mode = ?"
    cursor.adbc_prepare(sql)
    modes = server.tables["fact_item"]["transport_mode"].to_pylist()
    for mode in sorted(set(modes)):
        cursor.execute(sql, (mode,))
        assert cursor.fetchone() == (modes.count(mode),)


def test_adbc_lists_objects(server):
    with server.adbc() as connection:
        catalogs = connection.adbc_get_objects(depth="all").read_all().to_pylist()
        assert [catalog["catalog_name"] for catalog in catalogs] == ["haetae"]
        schemas = {schema["db_schema_name"]: schema["db_schema_tables"] for schema in catalogs[0]["catalog_db_schemas"]}
        assert sorted(schemas) == ["course", "customs", "kcs", "meta", "quality", "risk", "system"]
        assert [len(schemas[name]) for name in sorted(schemas)] == [COURSE, TABLES, TABLES, *OWN]
        items = next(table for table in schemas["customs"] if table["table_name"] == "fact_item")
        assert items["table_type"] == "TABLE"
        assert [column["column_name"] for column in items["table_columns"]] == server.tables["fact_item"].column_names

        only = connection.adbc_get_objects(depth="tables", db_schema_filter="kcs", table_name_filter="dim_%")
        tables = only.read_all().to_pylist()[0]["catalog_db_schemas"][0]["db_schema_tables"]
        assert {table["table_name"][:4] for table in tables} == {"dim_"}
        assert connection.adbc_get_table_types() == ["TABLE"]
        schema = connection.adbc_get_table_schema("fact_item", db_schema_filter="customs")
        assert schema.equals(server.tables["fact_item"].schema, check_metadata=False)


def test_adbc_knows_whom_it_talks_to(server):
    with server.adbc() as connection:
        assert connection.adbc_get_info()["vendor_name"] == "Haetae"


# `select name, courier_id from customs.dim_courier where courier_id <> 'C2' order by courier_id desc`, written by the package
# `substrait` 0.37.1 of the Python index (Apache-2.0).
PLAN = base64.b64decode(
    "EhkaFxABGhFub3RfZXF1YWw6YW55X2FueSABGrUBErIBCp0BOpoBCgYSBAoCAgMSeip4EmgSZhJCCkAKAgoAEiIKCmNvdXJpZXJf"
    "aWQKBG5hbWUSDgoEYgIQAgoEYgIQARgCOhYKB2N1c3RvbXMKC2RpbV9jb3VyaWVyGiAaHggBGgQKAhACIgoaCBIGCgISACIAIgga"
    "BgoEYgJDMhoMCggSBgoCEgAiABAEGgoSCAoEEgIIASIAGggSBgoCEgAiABIEbmFtZRIKY291cmllcl9pZDICEGpCLwgBEitleHRl"
    "bnNpb246aW8uc3Vic3RyYWl0OmZ1bmN0aW9uc19jb21wYXJpc29u"
)


def read_plan(statement):
    handle, _ = statement.execute_query()
    return pa.RecordBatchReader._import_from_c(handle.address).read_all()


def test_adbc_runs_a_substrait_plan(cursor):
    cursor.execute("select name, courier_id from dim_courier where courier_id <> 'C2' order by courier_id desc")
    wanted = cursor.fetch_arrow_table()
    assert wanted.num_rows > 0
    for prepared in (False, True):
        cursor.adbc_statement.set_substrait_plan(PLAN)
        if prepared:
            cursor.adbc_statement.prepare()
        assert read_plan(cursor.adbc_statement).equals(wanted)
    cursor.adbc_statement.set_substrait_plan(b"no plan")
    with pytest.raises(adbc_driver_manager.Error, match="this is no Substrait plan"):
        cursor.adbc_statement.execute_query()


def test_adbc_wrong_password(server):
    with pytest.raises(adbc_driver_manager.Error) as caught:
        server.adbc(password="wrong")
    assert caught.value.status_code == adbc_driver_manager.AdbcStatusCode.UNAUTHENTICATED
    assert "wrong user name or password; the user is haetae" in str(caught.value)


def test_pyarrow_wrong_password(server):
    client = flight.FlightClient(server.location)
    with pytest.raises(flight.FlightUnauthenticatedError, match="wrong user name or password"):
        client.authenticate_basic_token(USER, "wrong")
    with pytest.raises(flight.FlightUnauthenticatedError, match="no bearer token"):
        client.get_flight_info(flight.FlightDescriptor.for_command(command("CommandGetCatalogs")))


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("selct 1", "this is not valid SQL"),
        ("select * from fact_itm", "Did you mean fact_item?"),
        ("select importer from fact_item", "Did you mean importer_id?"),
        ("delete from fact_item", "the warehouse is read-only for SQL"),
        ("copy fact_item to '/tmp/haetae-copy.csv'", "the warehouse is read-only for SQL"),
        ("select * from '/etc/passwd'", "there is no"),
    ],
)
def test_bad_sql_is_explained(server, cursor, sql, part):
    with pytest.raises(adbc_driver_manager.Error) as caught:
        cursor.execute(sql)
    assert part in str(caught.value)
    with pytest.raises((flight.FlightError, pa.ArrowException), match=part.replace("?", r"\?")):
        pyarrow_query(server, sql)
    cursor.execute("select 1")
    assert cursor.fetchone() == (1,)


def notes(numbers):
    return pa.table({"name": [f"note {n}" for n in numbers], "n": pa.array(numbers, pa.int64())})


def ingest(cursor, table, rows, mode):
    return cursor.adbc_ingest(table, rows, mode=mode, db_schema_name="work")


def test_adbc_ingests(cursor):
    assert ingest(cursor, "notes", notes([1, 2, 3]), "create") == 3
    with pytest.raises(adbc_driver_manager.Error, match="already"):
        ingest(cursor, "notes", notes([4]), "create")
    assert ingest(cursor, "notes", notes([4]), "append") == 1
    assert ingest(cursor, "notes", notes([5]), "create_append") == 1
    cursor.execute("select * from work.notes order by n")
    assert cursor.fetch_arrow_table().equals(notes([1, 2, 3, 4, 5]))
    assert ingest(cursor, "notes", notes([9]), "replace") == 1
    cursor.execute("select n from work.notes")
    assert cursor.fetchall() == [(9,)]
    with pytest.raises(adbc_driver_manager.Error, match="work.nothing"):
        ingest(cursor, "nothing", notes([4]), "append")
    with pytest.raises(adbc_driver_manager.Error, match='the column "n"'):
        ingest(cursor, "notes", pa.table({"n": ["four"]}), "append")


def test_adbc_makes_tables_in_work_alone(cursor):
    with pytest.raises(adbc_driver_manager.Error, match="in the schema work"):
        cursor.adbc_ingest("notes", notes([1]), mode="create")


def test_adbc_ingests_many_rows_of_many_types(cursor):
    count = 200_000
    rows = pa.table(
        {
            "i": pa.array(range(count), pa.int32()),
            "f": pa.array([n / 7 for n in range(count)]),
            "s": pa.array([f"text {n % 1000}" for n in range(count)]).dictionary_encode(),
            "d": pa.array([datetime.date(2020, 1, 1)] * count),
            "t": pa.array([datetime.datetime(2020, 1, 1, 12, 30)] * count, pa.timestamp("us")),
            "b": pa.array([None, True, False, True] * (count // 4)),
        }
    )
    assert ingest(cursor, "many", rows, "create") == count
    cursor.execute("select * from work.many order by i")
    expected = rows.set_column(2, "s", rows["s"].cast(pa.string()))
    assert cursor.fetch_arrow_table().equals(expected)


def test_adbc_transactions(server, cursor):
    # The driver names the transaction with statements, but not with an ingest.
    ingest(cursor, "one", notes([9]), "create")
    ingest(cursor, "two", notes([9]), "create")
    options = {"username": USER, "password": server.password}
    both = "select (select count(*) from work.one) as a, (select count(*) from work.two) as b"
    with flightsql.connect(server.location, db_kwargs=options) as connection, connection.cursor() as changing:
        for n, ended in enumerate([connection.rollback, connection.commit, connection.commit]):
            for table in ("one", "two"):
                changing.executemany(f"insert into work.{table} values (?, ?)", [("x", n), ("y", n)])
            cursor.execute(both)
            assert cursor.fetchall() == [(1 + max(n - 1, 0) * 2,) * 2]
            ended()
        changing.execute(both)
        assert changing.fetchall() == [(5, 5)]


def test_adbc_changes_rows(server, cursor):
    ingest(cursor, "changing", notes([1, 2, 3]), "create")
    cursor.executemany("insert into work.changing values (?, ?)", [("x", 10), ("y", 11)])
    cursor.executemany("delete from work.changing where n = ?", [(1,), (10,)])
    cursor.execute("select name, n from work.changing order by n")
    assert cursor.fetchall() == [("note 2", 2), ("note 3", 3), ("y", 11)]
    with server.adbc() as connection, connection.cursor() as other:
        other.adbc_statement.set_sql_query("update work.changing set name = 'z' where n > 2")
        assert other.adbc_statement.execute_update() == 2


def test_pyarrow_exchanges(server):
    client, options = server.pyarrow()
    sql = "select b.value * cast($1 as bigint) as x from generate_series(1, 2) b order by x"
    descriptor = flight.FlightDescriptor.for_command(command("CommandStatementQuery", text_field(1, sql)))
    writer, reader = client.do_exchange(descriptor, options)
    with writer:
        writer.begin(pa.schema([("n", pa.int64())]))
        for n in (1, 10):
            writer.write_batch(pa.record_batch({"n": [n]}, schema=pa.schema([("n", pa.int64())])))
        writer.done_writing()
        assert reader.read_all()["x"].to_pylist() == [1, 2, 10, 20]


def test_pyarrow_waits_for_each_answer_of_an_exchange(server):
    client, options = server.pyarrow()
    sql = "select value from generate_series(1, 5) where value = cast($1 as bigint)"
    descriptor = flight.FlightDescriptor.for_command(command("CommandStatementQuery", text_field(1, sql)))
    writer, reader = client.do_exchange(descriptor, options)
    schema = pa.schema([("n", pa.int64())])
    with writer:
        writer.begin(schema)
        for number, n in enumerate((2, 9, 5)):
            writer.write_batch(pa.record_batch({"n": [n]}, schema=schema))
            chunk = reader.read_chunk()
            assert chunk.data.to_pydict() == {"value": [n] if n <= 5 else []}
            assert chunk.app_metadata.to_pybytes() == str(number).encode()
        writer.done_writing()
        with pytest.raises(StopIteration):
            reader.read_chunk()


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_pyarrow_reads_compressed_results(server, codec):
    client, options = server.pyarrow()
    query = command("CommandStatementQuery", text_field(1, "select * from fact_item"))
    descriptor = flight.FlightDescriptor.for_command(query)
    ticket = client.get_flight_info(descriptor, options).endpoints[0].ticket
    token = client.authenticate_basic_token(USER, server.password)
    options = flight.FlightCallOptions(headers=[token, (b"x-haetae-compression", codec.encode())])
    assert by_key(client.do_get(ticket, options).read_all()).equals(by_key(server.tables["fact_item"]))


def test_pyarrow_lists_tables(server):
    assert pyarrow_fetch(server, "CommandGetTableTypes").to_pylist() == [{"table_type": "TABLE"}]
    tables = pyarrow_fetch(server, "CommandGetTables").to_pylist()
    # What other tests have made comes on top.
    tables = [table for table in tables if table["db_schema_name"] != "work"]
    assert len(tables) == 2 * TABLES + COURSE + sum(OWN)
    assert {table["catalog_name"] for table in tables} == {"haetae"}


def test_a_large_result_is_whole(cursor):
    cursor.execute("select value, repeat('x', 50) as text from generate_series(1, 500000)")
    table = cursor.fetch_arrow_table()
    assert table.num_rows == 500_000
    assert pa.compute.sum(table["value"]).as_py() == 500_000 * 500_001 // 2


def test_a_cancelled_query_leaves_the_server_well(server):
    with server.adbc() as connection, connection.cursor() as cursor:
        cursor.execute("select b.value from generate_series(1, 1000) a, generate_series(1, 1000000000000) b")
        reader = cursor.fetch_record_batch()
        assert reader.read_next_batch().num_rows > 0
        cursor.adbc_cancel()
    with server.adbc() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from fact_item")
        assert cursor.fetchone() == (2000,)


def test_a_join_that_was_given_up_holds_nobody_up(server):
    # Each row of one side meets a third of the other: nothing is read and nothing is sent for hours.
    join = "generate_series(1, 1000000) a join generate_series(1, 1000000) b on a.value % 3 = b.value % 3"
    sql = f"select sum(a.value - b.value) as s from {join}"
    client, options = server.pyarrow()
    _, impatient = server.pyarrow(timeout=1)
    descriptor = flight.FlightDescriptor.for_command(command("CommandStatementQuery", text_field(1, sql)))
    ticket = client.get_flight_info(descriptor, options).endpoints[0].ticket
    with pytest.raises(flight.FlightTimedOutError):
        client.do_get(ticket, impatient).read_all()
    assert pyarrow_query(server, "select 1 as one").to_pylist() == [{"one": 1}]


def test_a_dead_server_is_an_error(tmp_path):
    server = Server(tmp_path)
    with server.adbc() as connection, connection.cursor() as cursor:
        server.process.kill()
        server.process.wait()
        with pytest.raises(adbc_driver_manager.Error) as caught:
            cursor.execute("select 1")
        # Its words are now those of a connection that was refused, now those of one that ended. The status is that of either.
        assert caught.value.status_code == adbc_driver_manager.AdbcStatusCode.IO, caught.value
