"""`flight_sql_client`, the command line that comes with the crate arrow-flight. No part of `make test`: `make release-test`
builds the program, and only there this file is collected (conftest.py)."""

import subprocess

import pytest
from haetae_testing import CACHE, Server, make_warehouse

PROGRAM = CACHE / "haetae/flight-sql-client/bin/flight_sql_client"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    assert PROGRAM.exists(), f"there is no {PROGRAM}; scripts/flight-sql-client builds it"
    server = Server(make_warehouse(tmp_path_factory.mktemp("cli"), 200))
    yield server
    server.stop()


def ask(server, *words, password=None):
    login = ["--username", "haetae", "--password", password or server.password]
    command = [PROGRAM, "--host", "127.0.0.1", "--port", str(server.port), *login, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def cells(server, *words):
    """The cells of the table that it prints, without its head."""
    done = ask(server, *words)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("|").split("|") for line in done.stdout.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def test_it_asks(server):
    assert cells(server, "statement-query", "select count(*) as n, 'x' as t from fact_item") == [["200", "x"]]


def test_it_binds(server):
    # The types of the values are those of the columns: the server says them.
    sql = "select count(*) as n from fact_item where item_no >= $1 and declaration_date > $2 and office_id <> $3"
    assert cells(server, "prepared-statement-query", sql, "-p", "$1=1", "-p", "$2=1999-12-31", "-p", "$3=none") == [["200"]]
    assert cells(server, "prepared-statement-query", sql, "-p", "$1=1", "-p", "$2=2999-12-31", "-p", "$3=none") == [["0"]]


def test_it_lists_what_there_is(server):
    assert cells(server, "catalogs") == [["haetae"]]
    assert ["haetae", "customs"] in cells(server, "db-schemas", "haetae")
    assert cells(server, "db-schemas", "haetae", "--db-schema-filter", "k%") == [["haetae", "kcs"]]
    found = cells(server, "tables", "haetae", "--db-schema-filter", "customs", "--table-filter", "fact_item")
    assert found == [["haetae", "customs", "fact_item", "TABLE"]]
    assert cells(server, "table-types") == [["TABLE"]]


def test_errors_are_told(server):
    wrong = ask(server, "statement-query", "select importer from fact_item")
    assert wrong.returncode != 0
    assert "Did you mean importer_id?" in wrong.stderr
    stranger = ask(server, "catalogs", password="wrong")
    assert stranger.returncode != 0
    assert "wrong user name or password" in stranger.stderr
