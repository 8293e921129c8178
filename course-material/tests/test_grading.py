"""`haetae-course grade` on good and on bad submissions."""

import json
import os
import socket
import subprocess
from functools import cache

import nbformat
import pytest
from course import NOTEBOOKS, ROOT
from haetae_testing import BIN

MODULE = "01-tour"
# Seconds; a run takes a few.
LIMIT = 300


def grade(file, *options):
    """As the guide has it: in the folder of the clone, with the Python of its environment."""
    command = [BIN / "haetae-course", "grade", file, "--json", *map(str, options)]
    environment = {**os.environ, "HAETAE_SECRET_FILE": os.path.relpath(os.environ["HAETAE_SECRET_FILE"], ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)


def report(done, status):
    assert done.returncode == status, done.stdout + done.stderr
    found = json.loads(done.stdout or pytest.fail(done.stderr))
    if not namespaces():
        found["notes"] = [note for note in found["notes"] if not note.startswith("the run was not kept apart")]
    return found


@cache
def namespaces():
    """Whether this machine gives namespaces to its users."""
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


def rust(cell_seconds=120):
    """Runs Rust cells; apart from the machine where that is possible, and with time to compile also on a busy one."""
    return ["--rust", "--isolation", "required" if namespaces() else "off", "--cell-seconds", cell_seconds]


@pytest.fixture
def submission(tmp_path, server):
    """Writes a submission: the exercise with answers, after a change."""

    def write(change=lambda cells: None, trainee=7, answers=True, module=MODULE):
        notebook = nbformat.read(NOTEBOOKS / module / "exercise.ipynb", as_version=4)
        solved = nbformat.read(NOTEBOOKS / module / "solution.ipynb", as_version=4)
        cells = {cell.id: cell for cell in notebook.cells}
        cells["trainee"].source = cells["trainee"].source.replace("select 1001", f"select {trainee}")
        for cell in solved.cells:
            if answers and cell.id in ["q1", "q2", "q3", "q4"]:
                cells[cell.id].source = cell.source
        change(cells)
        notebook.cells = list(cells.values())
        nbformat.write(notebook, tmp_path / "exercise.ipynb")
        return tmp_path / "exercise.ipynb"

    return write


def cell(source, name="mine"):
    return nbformat.v4.new_code_cell(source, id=name)


def test_a_good_submission_has_all_points_and_counts_in_the_progress(submission, tmp_path):
    ledger = tmp_path / "ledger"
    done = report(grade(submission(), "--trainee", 7, "--ledger", ledger), 0)
    assert (done["points"], done["of"], done["trainee"], done["notes"]) == (7, 7, 7, [])
    assert [mark["says"] for mark in done["marks"]] == [""] * 4
    with open(ledger, "a") as more:
        more.write(json.dumps({**done, "trainee": 8, "points": 2}) + "\n")
    command = [BIN / "haetae-course", "progress", "--ledger", ledger]
    table = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert table[0].split()[:2] == ["trainee", MODULE] and table[0].split()[-1] == "passed"
    assert table[1].split()[:3] == ["7", "7/7", "-"] and " 1 of " in table[1]
    assert table[2].split()[:3] == ["8", "2/7", "-"] and " 0 of " in table[2]


def test_what_a_trainee_has_done_to_the_file_is_told_and_changes_nothing(submission):
    def change(cells):
        del cells["q1"], cells["q2-check"]
        cells["q3-check"].source = "// I am right.\n1 + 1"
        cells["my-items"].source = "%%sql --save my_items\nselect * from fact_item limit 1"
        cells["rust"] = cell('std::fs::read_to_string("solution.ipynb")?', "rust")
        cells["again"] = cell("%%sql --save my_items\nselect * from fact_item limit 1", "again")
        cells["other"] = cell("%%sql --save q4\nselect 1.5 as total_price_bn_krw", "other")

    done = report(grade(submission(change), "--trainee", 8), 2)
    notes = "\n".join(done["notes"])
    for part in [
        "this is the file of trainee 7, expected that of 8",
        "the cell `q1` was deleted; there is no answer to look at",
        "the cell `q2-check` was deleted; the course's own was run instead",
        "`q3-check` was changed; the course's own text was run instead",
        "`my-items` was changed",
        "was not run: it begins with `std::fs::read_to_string",
    ]:
        assert part in notes, notes
    says = {mark["question"]: mark["says"] for mark in done["marks"]}
    assert "there is no answer yet" in says["q1"]
    # Right, whatever the file has saved as `my_items`.
    assert says["q2"] == says["q3"] == ""
    assert says["q4"].startswith("Exercise q4, not yet: ")
    assert done["trainee"] == 8


def test_a_cell_that_prepares_data_is_the_courses_whatever_the_file_makes_of_it(submission):
    def change(cells):
        name = next(name for name, cell in cells.items() if cell.source.startswith("%%sql --save my_prices"))
        cells[name].source = "%%sql --save my_prices\nselect 1 as nothing"

    done = report(grade(submission(change, module="15-trees"), "--trainee", 7), 0)
    assert len(done["notes"]) == 1 and done["notes"][0].endswith("was changed; the course's own text was run instead"), done["notes"]


def test_what_the_course_itself_has_in_rust_is_not_noted(submission):
    assert report(grade(submission(module="15-trees"), "--trainee", 7), 0)["notes"] == []


def test_rust_answers_run_only_where_somebody_allows_it(submission):
    solved = submission(module="09-rust")
    refused = report(grade(solved, "--trainee", 7), 2)
    assert refused["points"] == 0
    assert sum("Rust of a submission runs only with --rust" in note for note in refused["notes"]) == 4, refused["notes"]
    done = report(grade(solved, "--trainee", 7, *rust()), 0)
    assert (done["points"], done["notes"]) == (done["of"], [])


def test_a_wrong_answer_in_rust_gets_its_advice(submission):
    def change(cells):
        cells["q1"].source = cells["q1"].source.replace('.and(col("item_price_krw")', '.or(col("item_price_krw")')

    done = report(grade(submission(change, module="09-rust"), "--trainee", 7, *rust()), 2)
    says = {mark["question"]: mark["says"] for mark in done["marks"]}
    assert "Both have to hold" in says["q1"] and says["q2"] == says["q3"] == says["q4"] == ""


def test_endless_loops_and_huge_outputs_end(submission):
    endless = "with recursive t as (select 1 as n union all select n from t) select count(*) as lines from t"

    def change(cells):
        cells["q1"].source = f"%%sql --save q1\n{endless}"
        cells["q2"].source = "%%sql --save q2\nselect no_such_column from my_items"
        cells["huge"] = cell("%%sql --limit 2000\nselect * from fact_item", "huge")

    done = report(grade(submission(change), "--cell-seconds", 10), 2)
    says = {mark["question"]: (mark["points"], mark["says"]) for mark in done["marks"]}
    assert says["q1"] == (0, "the query took too long")
    assert says["q2"][0] == 0 and says["q2"][1].startswith("the query fails: ") and "no_such_column" in says["q2"][1]
    assert says["q3"] == (2, "") and says["q4"] == (2, "")
    notes = "\n".join(done["notes"])
    assert "`q1` took more than 10 s and was stopped" in notes
    assert "wrote" in notes and "only the beginning was kept" in notes


def test_memory_and_time_are_bounded(submission):
    # Where it ends before the course's own cells have run, that is no grade.
    for options, part in [(["--memory-mb", 60], "MB of memory, 60 are allowed"), (["--seconds", 1], "it took more than 1 s")]:
        done = grade(submission(), *options)
        assert done.returncode in (1, 2) and part in done.stdout + done.stderr, done.stdout + done.stderr
        assert done.returncode == 2 or "the run ended before the course's own cell" in done.stderr, done.stderr


def test_a_server_that_a_run_cannot_reach_is_told_before_it_starts(submission, monkeypatch):
    monkeypatch.setenv("HAETAE_URL", "https://127.0.0.1:1")
    done = grade(submission(), "--isolation", "required")
    assert done.returncode == 1 and "over http:// alone" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"\x89PNG", "this is no notebook (not JSON"),
        (b"{}", "it has no cells"),
        (b'{"cells": []}', "it is no notebook of the course"),
        (b'{"cells": [], "metadata": {"haetae": {"course": {"module": "99-x", "part": "exercise"}}}}', "no module `99-x`"),
        (b'{"cells": [], "metadata": {"haetae": {"course": {"module": "01-tour", "part": "lesson"}}}}', "the lesson of 01-tour"),
    ],
)
def test_a_file_that_is_no_exercise_is_refused(tmp_path, server, text, part):
    (tmp_path / "x.ipynb").write_bytes(text)
    done = grade(tmp_path / "x.ipynb")
    assert done.returncode == 1 and part in done.stderr and "exercise.ipynb" in done.stderr, done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path, server):
    done = grade(tmp_path / "nothing.ipynb")
    assert done.returncode == 1 and "nothing.ipynb" in done.stderr


# Looks at what a trainee must not see, and says what came of it.
SPY = r"""
let look = |path: &str| std::fs::read(path).map_or_else(|error| error.kind().to_string(), |bytes| format!("read {}", bytes.len()));
let knock = |at: &str| std::net::TcpStream::connect_timeout(&at.parse().unwrap(), std::time::Duration::from_secs(5))
    .map_or_else(|error| error.kind().to_string(), |_| "open".to_owned());
panic!("solution {}; other {}; office {}; first {}; port {}; far {}; write {}", look("SOLUTION"), look("OTHER"), look("SECRET"),
    look("/proc/1/environ"), knock("127.0.0.1:PORT"), knock("192.0.2.1:53"),
    std::fs::write("/usr/mark", "x").map_or_else(|error| error.kind().to_string(), |()| "written".to_owned()));
"""
FLOOD = 'for line in 0..20_000 { println!("{line} and a lot of words that nobody will ever read"); }'
HOG = "let mut kept = Vec::new();\nloop { kept.push(vec![1_u8; 64 << 20]); std::thread::sleep(std::time::Duration::from_millis(20)); }"


def test_code_is_bounded_in_time_and_output(submission):
    def change(cells):
        cells["q2"].source, cells["q3"].source = FLOOD, "loop {}"

    done = report(grade(submission(change, module="09-rust"), "--trainee", 7, *rust(30)), 2)
    notes = "\n".join(done["notes"])
    assert [mark["points"] for mark in done["marks"][1:3]] == [0, 0]
    assert "`q2` wrote" in notes and "`q3` took more than 30 s" in notes, notes
    assert done["marks"][2]["says"] == "the code took too long"


def test_code_is_bounded_in_memory(submission):
    def change(cells):
        cells["q1"].source = HOG

    done = report(grade(submission(change, module="09-rust"), "--trainee", 7, *rust(), "--memory-mb", 1500), 2)
    notes, says = "\n".join(done["notes"]), done["marks"][0]["says"]
    assert done["marks"][0]["points"] == 0
    assert "MB of memory, 1500 are allowed" in notes or says.startswith("the code fails"), (notes, says)


def test_what_code_looks_at_is_not_there(submission, tmp_path):
    if not namespaces():
        pytest.skip("this machine gives no namespaces to its users")
    other = tmp_path / "other.ipynb"
    other.write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as door:
        spy = SPY.replace("SOLUTION", str(NOTEBOOKS / "09-rust/solution.ipynb")).replace("OTHER", str(other))
        spy = spy.replace("PORT", str(door.getsockname()[1])).replace("SECRET", os.environ["HAETAE_SECRET_FILE"])

        def change(cells):
            cells["q1"].source = spy

        done = report(grade(submission(change, module="09-rust"), "--trainee", 7, *rust()), 2)
    said = done["marks"][0]["says"]
    gone = "entity not found"
    for part in [f"solution {gone}", f"other {gone}", f"office {gone}", "first permission denied", "port connection refused", "far network unreachable", "write read-only filesystem"]:
        assert part in said, said


def test_where_a_machine_gives_no_namespaces_it_is_said_and_code_is_not_run(submission):
    solved = submission()
    # As on a machine that does not allow them: no more of them below this one.
    first = ["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
    first = first if namespaces() else []
    environment = {**os.environ, "HAETAE_SECRET_FILE": os.path.abspath(os.environ["HAETAE_SECRET_FILE"])}

    def graded(*options):
        command = [*first, BIN / "haetae-course", "grade", solved, "--json", "--trainee", "7", *options]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)

    done = graded()
    found = json.loads(done.stdout or pytest.fail(done.stderr))
    assert done.returncode == 0 and found["isolation"] == "none", done.stdout + done.stderr
    assert [note for note in found["notes"] if note.startswith("the run was not kept apart from the machine (cannot make namespaces")]
    for options in (["--rust"], ["--isolation", "required"]):
        refused = graded(*options)
        assert refused.returncode == 1 and "--isolation off" in refused.stderr, refused.stdout + refused.stderr
