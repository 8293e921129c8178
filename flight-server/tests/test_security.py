"""Two users of a policy, through ADBC and pyarrow, against the real program.

HAETAE_BIN names the folder with `haetae-synth` and `haetae-server`.
"""

import json
import subprocess

import adbc_driver_flightsql.dbapi as flightsql
import adbc_driver_manager
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from haetae_testing import BIN, make_warehouse
from haetae_testing import Server as Process
from pyarrow import flight

PASSWORDS = {"kim": "the officer's password", "lee": "the auditor's password", "min": "the owner's password"}

POLICY = """
[roles.officer]
tables = ["customs.fact_item", "customs.fact_inspection", "customs.dim_importer"]
attributes = ["office"]
rows."customs.fact_item" = "office_id = $office"

[roles.auditor]
auditor = true

[roles.admin]
admin = true
"""


def run(program, *words, **options):
    return subprocess.run([str(BIN / program), *words], check=True, capture_output=True, text=True, **options).stdout


class Server(Process):
    """`haetae-server` with a policy and TLS on a free port, in front of a small made-up administration."""

    def __init__(self, folder):
        warehouse = make_warehouse(folder, 1000)
        self.policy = folder / "policy.toml"
        self.tables = {file.stem: pq.read_table(file) for file in (folder / "data/tables").glob("*.parquet")}
        self.office = self.tables["fact_item"]["office_id"].value_counts()[0].as_py()["values"]
        self.policy.write_text(POLICY)
        self.policy.chmod(0o600)
        self.add("kim", "officer", "--attribute", f"office={self.office}")
        self.add("lee", "auditor")
        self.add("min", "admin")
        run("haetae-server", "certificate", "--out", str(folder), "localhost")
        self.certificate = (folder / "server.crt").read_text()
        tls = ["--tls-cert", folder / "server.crt", "--tls-key", folder / "server.pem"]
        super().__init__(warehouse, "--policy", self.policy, *tls)
        self.location = f"grpc+tls://localhost:{self.port}"

    def add(self, user, role, *words):
        said = run("haetae-server", "user", "add", "--policy", str(self.policy), "--role", role, *words, user, input=PASSWORDS[user] + "\n")
        assert said.startswith(f"{user} can log in as {role}; the policy is at version "), said

    def adbc(self, user, password=None):
        options = {
            "username": user,
            "password": password or PASSWORDS[user],
            "adbc.flight.sql.client_option.tls_root_certs": self.certificate,
        }
        return flightsql.connect(self.location, db_kwargs=options, autocommit=True)

    def ask(self, user, sql, parameters=None):
        with self.adbc(user) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetch_arrow_table()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()
    assert server.process.returncode == 0
    said = run("haetae-server", "audit", "verify", "--warehouse", str(server.warehouse))
    assert "records, whole; the last has the hash" in said


def test_each_user_sees_their_rows(server):
    items = server.tables["fact_item"]
    theirs = items.filter(pc.equal(items["office_id"], server.office))
    sql = "select declaration_id, item_no, hs6, item_price_krw from fact_item order by declaration_id, item_no"
    order = [("declaration_id", "ascending"), ("item_no", "ascending")]
    columns = ["declaration_id", "item_no", "hs6", "item_price_krw"]
    assert 0 < theirs.num_rows < items.num_rows
    assert server.ask("kim", sql).to_pylist() == theirs.select(columns).sort_by(order).to_pylist()
    assert server.ask("min", sql).to_pylist() == items.select(columns).sort_by(order).to_pylist()
    bound = "select count(*) as n from fact_item where office_id = ?"
    assert server.ask("kim", bound, (server.office,)).to_pylist() == [{"n": theirs.num_rows}]
    other = next(office for office in items["office_id"].to_pylist() if office != server.office)
    assert server.ask("kim", bound, (other,)).to_pylist() == [{"n": 0}]


def test_people_and_their_past_are_masked(server):
    joined = "select count(*) as n, count(distinct i.importer_id) as ids from fact_item i join dim_importer d using (importer_id)"
    items = server.tables["fact_item"]
    theirs = items.filter(pc.equal(items["office_id"], server.office))
    expected = [{"n": theirs.num_rows, "ids": len(set(theirs["importer_id"].to_pylist()))}]
    assert server.ask("kim", joined).to_pylist() == expected
    shown = server.ask("kim", "select importer_id, name from dim_importer").to_pylist()
    names = set(server.tables["dim_importer"]["name"].to_pylist())
    ids = set(server.tables["dim_importer"]["importer_id"].to_pylist())
    assert all(row["name"] not in names and "**" in row["name"] for row in shown)
    assert all(row["importer_id"] not in ids and len(row["importer_id"]) == 32 for row in shown)
    past = server.ask("kim", "select count(*) as n, count(fraud) as f, count(additional_duty_krw) as d from fact_inspection")
    assert past.to_pylist() == [{"n": server.tables["fact_inspection"].num_rows, "f": 0, "d": 0}]


@pytest.mark.parametrize("sql", ["select * from dim_seller", "select * from kcs.fact_item", "select * from system.audit"])
def test_what_is_hidden_does_not_exist(server, sql):
    with server.adbc("kim") as connection, connection.cursor() as cursor:
        with pytest.raises(adbc_driver_manager.Error, match="there is no"):
            cursor.execute(sql)
        objects = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
        schemas = {s["db_schema_name"]: s["db_schema_tables"] for s in objects[0]["catalog_db_schemas"]}
        assert list(schemas) == ["customs", "meta", "system"]
        assert [t["table_name"] for t in schemas["system"]] == ["queries"]
        assert [t["table_name"] for t in schemas["customs"]] == ["dim_importer", "fact_inspection", "fact_item"]


def test_a_wrong_password_and_no_tls_are_refused(server):
    with pytest.raises(adbc_driver_manager.Error) as caught:
        server.adbc("kim", "not the password")
    assert caught.value.status_code == adbc_driver_manager.AdbcStatusCode.UNAUTHENTICATED
    assert "server.secret" not in str(caught.value)
    with pytest.raises((flight.FlightError, OSError)):
        plain = flight.FlightClient(server.location.replace("grpc+tls", "grpc"))
        plain.authenticate_basic_token("kim", PASSWORDS["kim"], flight.FlightCallOptions(timeout=10))


def test_tokens_are_renewed_and_ended(server):
    client = flight.FlightClient(server.location, tls_root_certs=server.certificate)
    name, token = client.authenticate_basic_token("kim", PASSWORDS["kim"])
    options = flight.FlightCallOptions(headers=[(name, token)])
    actions = [action.type for action in client.list_actions(options)]
    assert "CloseSession" in actions and actions[-1] == "haetae.RefreshToken"
    header, claims, _ = token.decode().removeprefix("Bearer ").split(".")
    assert header == "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" and claims
    list(client.do_action(flight.Action("CloseSession", b""), options))
    with pytest.raises(flight.FlightUnauthenticatedError):
        list(client.list_actions(options))


def test_the_auditor_reads_who_read_what(server):
    server.ask("kim", "select hs6 from fact_item where hs6 <> 'not to be kept'")
    seen = server.ask(
        "lee",
        "select role, statement, tables, columns, rows, outcome from system.audit where user_name = 'kim' "
        "and event = 'query' and statement like 'select hs6 from fact_item where%' order by seq desc limit 1",
    ).to_pylist()
    items = server.tables["fact_item"]["office_id"].to_pylist()
    assert seen == [
        {
            "role": "officer",
            "statement": "select hs6 from fact_item where hs6 <> ?",
            "tables": "customs.fact_item",
            "columns": "customs.fact_item.hs6",
            "rows": items.count(server.office),
            "outcome": "ok",
        }
    ]
    lines = (server.warehouse / "audit" / "audit.jsonl").read_text().splitlines()
    assert all(set(json.loads(line)) >= {"seq", "time", "user", "prev", "hash"} for line in lines)
    assert "not to be kept" not in "".join(lines)


def test_a_changed_line_is_found(server, tmp_path):
    server.ask("kim", "select 1")
    server.ask("lee", "select count(*) from system.audit")
    copy = tmp_path / "warehouse"
    (copy / "audit").mkdir(parents=True)
    # A record of what was asked may still be on its way: the lines that the head counts are all there.
    for name in ["server.key", "audit/head.json", "audit/audit.jsonl"]:
        (copy / name).write_bytes((server.warehouse / name).read_bytes())
        (copy / name).chmod(0o600)
    lines = (copy / "audit/audit.jsonl").read_text().rpartition("\n")[0].splitlines()
    lines[1] = lines[1].replace('"user":"', '"user":"not ')
    (copy / "audit/audit.jsonl").write_text("\n".join(lines) + "\n")
    words = [str(BIN / "haetae-server"), "audit", "verify", "--warehouse", str(copy)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "line 2 was changed, or made with another key" in done.stdout
    assert "the audit is not whole: 1 faults" in done.stderr
