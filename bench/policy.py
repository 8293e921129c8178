"""Answers of restricted users against those of a plain engine over tables that were filtered and masked beforehand."""

import re
import subprocess

TEST = "restricted_answers_are_those_of_filtered_and_masked_tables"
FEATURE = re.compile(r"^\| \d+ \| [^|]+ \| yes\b[^|]* \| `[^|]+` \|$", re.MULTILINE)
LINE = re.compile(r"flight\.policy_mismatches = (\d+) of (\d+) comparisons")


def mismatches(context):
    """The test counts and prints; that it also fails on a mismatch does not keep the count from being shown."""
    words = ["cargo", "test", "--workspace", "--locked", "--no-fail-fast", "-q", TEST, "--", "--nocapture"]
    done = subprocess.run(words, cwd=context.root, capture_output=True, text=True)
    found = LINE.search(done.stdout)
    if not found:
        raise RuntimeError(f"the test {TEST} printed no count; it ended with {done.returncode}:\n{done.stderr[-2000:]}")
    count, compared = map(int, found.groups())
    return context.figure(
        "flight.policy_mismatches", count, "answers", n=compared, aim="= 0",
        note="generated queries x 4 roles; peer: DataFusion over tables that other code filtered and masked",
    )


def features(context):
    """Rows of the page that say yes; `docs/tests/test_flight_sql.py` checks that the tests that they name are there."""
    rows = FEATURE.findall((context.root / "docs/reference/flight-sql.md").read_text())
    return context.figure(
        "flight.features", len(rows), "features", n=23, aim=">= 22",
        note="features of Flight SQL in docs/reference/flight-sql.md, each held by the tests that its row names",
    )
