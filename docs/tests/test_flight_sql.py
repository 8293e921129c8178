"""The table of the features of Flight SQL: one row each, held by tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs/reference/flight-sql.md").read_text())


def is_there(name):
    """Whether `file::test` names a test of the server."""
    path, _, test = name.partition("::")
    file = ROOT / "flight-server/tests" / path
    if not test or not file.is_file():
        return False
    head = r"^def {}\(" if file.suffix == ".py" else r"^#\[(?:tokio::)?test[^\n]*\]\n(?:#\[[^\n]*\n)*(?:async )?fn {}\(\)"
    return re.search(head.format(re.escape(test)), file.read_text(), re.MULTILINE) is not None


def test_there_is_one_row_for_each_feature():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 24))
    assert len({feature for _, feature, *_ in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_feature_is_held_by_tests_that_are_there(row):
    *_, held = row
    names = re.findall(r"`([^`]+)`", held)
    assert names
    assert [name for name in names if not is_there(name)] == []


def test_a_test_that_is_not_there_is_missed():
    assert not is_there("suite/statements.rs::no_such_test")
    assert not is_there("suite/statements.rs")
    assert not is_there("suite/no_such_file.rs::rows_arrive_as_they_were_announced")
