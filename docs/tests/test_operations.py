"""The commands of the page on operations that are marked so, run one after the other in an empty folder."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from haetae_testing import BIN, Server, run

PAGE = Path(__file__).resolve().parent.parent / "operations.md"
LOAD, HOUSEKEEPING, BACKUP, RESTORE = re.findall(r"^```sh\n# run\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
PASSWORD = "a long enough password"


def shell(commands, folder):
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-euc", commands], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout


def ask(server, query, user="haetae", password=None):
    """The first value of a query's result."""
    with server.cursor(user, password) as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


@pytest.fixture
def loaded(tmp_path):
    assert shell(LOAD, tmp_path).count("is safe on the disk") == 11
    return tmp_path


def test_a_backup_of_a_warehouse_in_use_is_the_warehouse(loaded):
    housekeeping = shell(HOUSEKEEPING, loaded)
    assert "removed" in housekeeping
    versions = housekeeping[housekeeping.index("version  committed") :].splitlines()
    server = Server(loaded / "wh")
    try:
        total = ask(server, "select sum(item_price_krw) from fact_item")
        kept = shell(BACKUP, loaded).splitlines()
        assert [line.split() for line in kept] == [line.split() for line in versions]
    finally:
        server.stop()
    restored = shell(RESTORE, loaded)
    assert restored.splitlines()[: len(versions)] == kept
    assert "nothing to load" in restored
    server = Server(loaded / "wh")
    try:
        assert ask(server, "select count(*) from fact_item") == 2000
        assert ask(server, "select sum(item_price_krw) from fact_item") == total
    finally:
        server.stop()


def test_a_backup_has_the_policy_and_a_whole_audit(loaded):
    hashed = subprocess.run([BIN / "haetae-server", "policy", "hash"], input=f"{PASSWORD}\n", capture_output=True, text=True)
    roles = "[roles.admin]\nadmin = true\n[roles.auditor]\nauditor = true\n"
    users = {"owner": "admin", "lee": "auditor"}
    password = hashed.stdout.strip()
    policy = loaded / "wh/policy.toml"
    policy.write_text(roles + "".join(f'[users.{who}]\nrole = "{role}"\npassword = "{password}"\n' for who, role in users.items()))
    policy.chmod(0o600)
    server = Server(loaded / "wh")
    try:
        assert ask(server, "select count(*) from fact_item", "owner", PASSWORD) == 2000
        shell(BACKUP, loaded)
    finally:
        server.stop()
    assert "whole" in run("haetae-server", "audit", "verify", "--warehouse", loaded / "backup")
    server = Server(loaded / "backup")
    try:
        recorded = "select count(*) from system.audit where event = 'query'"
        assert ask(server, recorded, "lee", PASSWORD) >= 1
    finally:
        server.stop()
