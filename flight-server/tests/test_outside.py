"""Delta Lake tables and Parquet folders that other programs have written, read by the real program where they lie.

Every answer of the server is compared with that of `deltalake` or `pyarrow` over the same folder. HAETAE_BIN names
the folder with `haetae-server`.
"""

import datetime
import decimal
import shutil
import subprocess
from pathlib import Path

import adbc_driver_manager
import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from haetae_testing import BIN, Server

ENTRY = ["--title", "T", "--description", "One row.", "--owner", "Statistics", "--steward", "Kim"]


def run(*words, **options):
    return subprocess.run([str(BIN / "haetae-server"), *map(str, words)], capture_output=True, text=True, **options)


def rows(first, count, **more):
    """Rows of all types that are read, with nulls."""
    ids = range(first, first + count)
    day = datetime.date(2026, 1, 1)
    noon = datetime.datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=datetime.timezone.utc)
    columns = {
        "id": pa.array(ids, pa.int64()),
        "whole": pa.array([i % 7 for i in ids], pa.int32()),
        "short": pa.array([i % 5 for i in ids], pa.int16()),
        "byte": pa.array([i % 3 for i in ids], pa.int8()),
        "name": pa.array([None if i % 4 == 0 else f"관세 {i}" for i in ids], pa.string()),
        "share": pa.array([i / 8 for i in ids], pa.float64()),
        "single": pa.array([i / 4 for i in ids], pa.float32()),
        "amount": pa.array([decimal.Decimal(i) / 4 for i in ids], pa.decimal128(18, 2)),
        "flag": pa.array([None if i % 5 == 0 else i % 2 == 0 for i in ids], pa.bool_()),
        "day": pa.array([day + datetime.timedelta(days=i) for i in ids], pa.date32()),
        "at": pa.array([noon + datetime.timedelta(hours=i) for i in ids], pa.timestamp("us", "UTC")),
        "raw": pa.array([bytes([i % 256]) for i in ids], pa.binary()),
        "office": pa.array([["40", "50", None, "a b/c=d"][i % 4] for i in ids], pa.string()),
        "month": pa.array([day.replace(month=1 + i % 3) for i in ids], pa.date32()),
    }
    return pa.table({**columns, **more})


class Lake(Server):
    """A warehouse, a folder beside it with tables of others, and a server."""

    def __init__(self, folder):
        self.folder = folder / "lake"
        self.folder.mkdir()
        warehouse = folder / "warehouse"
        warehouse.mkdir()
        (warehouse / "outside.toml").write_text(f'folders = ["{self.folder}"]\n')
        (warehouse / "outside.toml").chmod(0o600)
        super().__init__(warehouse)

    def __truediv__(self, name):
        return str(self.folder / name)

    def table(self, action, *words):
        return run("table", action, "--warehouse", self.warehouse, *words)

    def register(self, kind, name, *words):
        done = self.table("register", f"--{kind}", self / name, *ENTRY, *words, name)
        assert done.returncode == 0, done.stderr

    def refused(self, kind, name):
        done = self.table("register", f"--{kind}", self / name, *ENTRY, name)
        assert done.returncode == 1 and not done.stdout
        return done.stderr

    def ask(self, sql):
        with self.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

    def change(self, sql):
        with self.cursor() as cursor:
            # What asks for a result is a query.
            cursor.adbc_statement.set_sql_query(sql)
            return cursor.adbc_statement.execute_update()

    def error(self, sql):
        with pytest.raises(adbc_driver_manager.Error) as caught:
            self.ask(sql)
        return str(caught.value)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = Lake(tmp_path_factory.mktemp("outside"))
    yield lake
    lake.stop()
    assert lake.process.returncode == 0


def plain(table, columns):
    """Sorted rows, with texts and bytes of one form, as both sides may choose another."""
    types = {"string_view": pa.string(), "large_string": pa.string(), "binary_view": pa.binary(), "large_binary": pa.binary()}

    def cast(name):
        found = table.schema.field(name).type
        return table.column(name).cast(types.get(str(found), found))

    table = pa.table({name: cast(name) for name in columns})
    return table.sort_by([("id", "ascending")]).combine_chunks().replace_schema_metadata(None)


def same(lake, sql, expected):
    found = lake.ask(sql)
    columns = found.column_names
    assert plain(found, columns).equals(plain(pa.table(expected), columns)), sql
    return found


def own(path, version=None):
    """What deltalake itself says of a version of a table."""
    return pa.table(DeltaTable(path, version=version).to_pyarrow_dataset().to_table())


def test_append_delete_overwrite_and_every_version(lake):
    path = lake / "steps"
    write_deltalake(path, rows(0, 40))
    write_deltalake(path, rows(40, 20), mode="append")
    lake.register("delta", "steps")
    assert same(lake, "select * from outside.steps", own(path)).num_rows == 60
    DeltaTable(path).delete("id >= 10 and id < 50")
    assert same(lake, "select * from outside.steps", own(path)).num_rows == 20
    DeltaTable(path).update(predicate="id < 5", updates={"name": "'new'"})
    same(lake, "select * from outside.steps", own(path))
    write_deltalake(path, rows(100, 5), mode="overwrite")
    assert same(lake, "select * from outside.steps", own(path)).num_rows == 5
    for version in range(5):
        same(lake, f'select * from outside."steps@{version}"', own(path, version))
    assert "expected version 9" in lake.error('select * from outside."steps@9"')


def test_partitions_are_typed_and_skip_files(lake):
    path = lake / "parts"
    write_deltalake(path, rows(0, 48), partition_by=["office", "month", "byte"])
    lake.register("delta", "parts")
    everything = own(path)
    same(lake, "select * from outside.parts", everything)
    for condition, expected in [
        ("office is null", pa.compute.is_null(everything["office"])),
        ("office = 'a b/c=d'", pa.compute.equal(everything["office"], "a b/c=d")),
        ("month = date '2026-02-01'", pa.compute.equal(everything["month"], datetime.date(2026, 2, 1))),
        (
            "byte in (0, 2) and id > 20",
            pa.compute.and_(pa.compute.not_equal(everything["byte"], 1), pa.compute.greater(everything["id"], 20)),
        ),
    ]:
        found = same(lake, f"select * from outside.parts where {condition}", everything.filter(expected))
        assert 0 < found.num_rows < everything.num_rows, condition
    plan = lake.ask("explain select id from outside.parts where month = date '2026-02-01' and office = '40'")
    plan = "".join(plan["plan"].to_pylist())
    # Paths are as the reader has them: percent signs once more.
    assert "month=2026-02-01" in plan and "month=2026-01-01" not in plan and "office=50" not in plan


def test_checkpoints_stand_for_the_commits_before_them(lake):
    path = lake / "points"
    for step in range(6):
        write_deltalake(path, rows(step * 10, 10), mode="append", partition_by=["office"])
    DeltaTable(path).delete("id < 5")
    DeltaTable(path).create_checkpoint()
    write_deltalake(path, rows(60, 10), mode="append")
    log = Path(path) / "_delta_log"
    for commit in sorted(log.glob("*.json"))[:6]:
        commit.unlink()
    lake.register("delta", "points")
    assert same(lake, "select * from outside.points", own(path)).num_rows == 65
    assert "00000000000000000000.json" in lake.error('select * from outside."points@2"')
    (point,) = log.glob("*.checkpoint.parquet")
    point.write_bytes(point.read_bytes()[:-100])
    assert point.name in lake.error("select * from outside.points")


def test_a_checkpoint_in_parts(lake):
    path = lake / "several"
    for step in range(4):
        write_deltalake(path, rows(step * 10, 10), mode="append")
    DeltaTable(path).create_checkpoint()
    log = Path(path) / "_delta_log"
    (point,) = log.glob("*.checkpoint.parquet")
    actions = pq.read_table(point)
    version = point.name.split(".")[0]
    half = actions.num_rows // 2
    for part, some in [(1, actions.slice(0, half)), (2, actions.slice(half))]:
        pq.write_table(some, log / f"{version}.checkpoint.{part:010}.{2:010}.parquet")
    point.unlink()
    (log / "_last_checkpoint").unlink()
    for commit in log.glob("*.json"):
        commit.unlink()
    lake.register("delta", "several")
    found = lake.ask("select * from outside.several")
    assert plain(found, found.column_names).equals(plain(rows(0, 40), found.column_names))
    # One part alone is no checkpoint.
    (log / f"{version}.checkpoint.{2:010}.{2:010}.parquet").unlink()
    assert "cannot read" in lake.error("select * from outside.several")


def test_a_column_that_was_added_is_null_before(lake):
    path = lake / "grown"
    write_deltalake(path, rows(0, 10))
    lake.register("delta", "grown")
    more = rows(10, 10, extra=pa.array(range(10), pa.int32()))
    write_deltalake(path, more, mode="append", schema_mode="merge")
    before = lake.ask("select * from outside.grown")
    assert before.num_rows == 20 and "extra" not in before.column_names
    assert lake.table("refresh", "grown").returncode == 0
    found = same(lake, "select * from outside.grown", own(path))
    assert found["extra"].null_count == 10
    old = lake.ask('select count(*) as n, count(extra) as e from outside."grown@0"')
    assert old.to_pylist() == [{"n": 10, "e": 0}]


def test_what_a_table_asks_too_much_is_refused(lake):
    schema = DeltaTable.create(lake / "plain", schema=own_schema()).schema()
    DeltaTable.create(lake / "vectors", schema=schema, configuration={"delta.enableDeletionVectors": "true"})
    error = lake.refused("delta", "vectors")
    assert "deletionVectors" in error and "reader features" in error
    lake.register("delta", "plain")
    assert lake.ask("select * from outside.plain").num_rows == 0
    listed = lake.table("list").stdout
    assert "outside.plain: delta" in listed and "outside.vectors" not in listed


def own_schema():
    from deltalake import Field, Schema

    return Schema([Field("id", "long"), Field("name", "string")])


def test_folders_of_parquet_files(lake):
    everything = rows(0, 40).drop(["raw"])
    ds.write_dataset(
        everything,
        lake / "hive",
        format="parquet",
        partitioning=ds.partitioning(pa.schema([("office", pa.string()), ("month", pa.date32())]), flavor="hive"),
    )
    lake.register("parquet", "hive", "--partition", "month=date")
    found = same(lake, "select * from outside.hive", everything)
    assert found.column_names[-2:] == ["office", "month"]
    same(
        lake,
        "select * from outside.hive where month = date '2026-03-01'",
        everything.filter(pa.compute.equal(everything["month"], datetime.date(2026, 3, 1))),
    )
    with pytest.raises(adbc_driver_manager.Error, match="only read"):
        lake.change("delete from outside.hive")


def test_broken_files_leave_the_server_and_other_tables_as_they_are(lake):
    for name in ["whole", "broken"]:
        Path(lake / name).mkdir()
        pq.write_table(rows(0, 10), lake / f"{name}/a.parquet")
        lake.register("parquet", name)
    file = Path(lake / "broken/a.parquet")
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])
    assert "a.parquet" in lake.error("select * from outside.broken")
    pq.write_table(pa.table({"id": ["x"]}), file)
    assert "expected the column id as Int64" in lake.error("select * from outside.broken")
    file.write_bytes(good)
    assert lake.ask("select * from outside.broken").num_rows == 10
    link = Path(lake / "broken/b.parquet")
    link.symlink_to("/etc/hosts")
    assert "symbolic link" in lake.error("select * from outside.broken")
    shutil.rmtree(lake / "broken")
    assert "broken" in lake.error("select * from outside.broken")
    assert lake.ask("select * from outside.whole").num_rows == 10
    assert lake.ask("select count(*) as n from customs.fact_item").to_pylist() == [{"n": 0}]


def test_they_are_in_the_catalogue(lake):
    Path(lake / "listed").mkdir()
    pq.write_table(rows(0, 3), lake / "listed/a.parquet")
    lake.register("parquet", "listed", "--class", "internal", "--classification", "open")
    sql = "select title, owner, class from meta.datasets where schema_name = 'outside' and table_name = 'listed'"
    assert lake.ask(sql).to_pylist() == [{"title": "T", "owner": "Statistics", "class": "internal"}]
    with lake.cursor() as cursor:
        objects = cursor.connection.adbc_get_objects(depth="columns", db_schema_filter="outside").read_all().to_pylist()
        tables = {t["table_name"]: t for s in objects[0]["catalog_db_schemas"] for t in s["db_schema_tables"]}
        assert [c["column_name"] for c in tables["listed"]["table_columns"]] == rows(0, 1).column_names
    where = "schema_name = 'outside' and table_name = 'listed'"
    assert lake.change(f"update meta.datasets set steward = 'Lee' where {where}") == 1
    assert lake.ask(f"select steward from meta.datasets where {where}").to_pylist() == [{"steward": "Lee"}]
    edits = lake.ask(f"select edited_by, property, value, in_force from meta.edits where {where}").to_pylist()
    assert edits == [{"edited_by": "haetae", "property": "steward", "value": "Lee", "in_force": True}]
    assert lake.table("unregister", "listed").returncode == 0
    assert "there is no table" in lake.error("select * from outside.listed")
    assert "registered are" in lake.table("unregister", "listed").stderr


def test_times_of_the_old_form_are_read_beyond_2262(lake):
    never = datetime.datetime(9999, 12, 31, 23, 59, 59)
    times = [datetime.datetime(2026, 1, 1, 12, 30, 15, 123456), never, None, datetime.datetime(1600, 1, 1)]
    table = pa.table({"id": pa.array(range(4), pa.int64()), "at": pa.array(times, pa.timestamp("us"))})
    (lake.folder / "old").mkdir()
    pq.write_table(table, lake.folder / "old" / "a.parquet", use_deprecated_int96_timestamps=True)
    assert pq.ParquetFile(lake.folder / "old" / "a.parquet").schema.column(1).physical_type == "INT96"
    lake.register("parquet", "old")
    same(lake, "select * from outside.old", table)
    assert lake.ask("select id from outside.old where date_part('year', at) > 5000").column("id").to_pylist() == [1]
