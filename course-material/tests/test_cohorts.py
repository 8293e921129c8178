"""Cohorts in the warehouse, with the program that is built: from the enrolment to the certificate."""

import json
import random
import subprocess
import time
from collections import defaultdict

import nbformat
import pytest
from course import MODULES, NOTEBOOKS, ROOT, checks
from haetae_testing import BIN

LIMIT = 300
LEVELS = {"basic": MODULES[:8], "intermediate": MODULES[8:16], "advanced": MODULES[16:]}


def office(*words, status=0):
    """A command of the office; what it prints, and says."""
    command = [BIN / "haetae-course", "cohort", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def tables(text):
    """Title -> rows as dictionaries, of what is printed."""
    found = {}
    for part in text.strip().split("\n\n"):
        lines = part.splitlines()
        if len(lines) == 1 and title_only(lines[0]):
            title = lines[0]
            continue
        head = lines[0].split()
        found[title] = [dict(zip(head, line.split(None, len(head) - 1))) for line in lines[1:]]
    return found


def title_only(line):
    return "  " not in line


def points(module):
    """Question -> points."""
    source = (ROOT / "course-material/modules" / module / "exercise.md").read_text()
    found = {}
    for name in checks(module):
        head = source.split(f"```check {name}", 1)[1]
        found[name] = int(head.split("points:", 1)[1].split()[0])
    return found


def report(module, trainee, right):
    marks = [
        {"question": name, "points": of if name in right else 0, "of": of, "says": "" if name in right else f"Look at {name} again"}
        for name, of in points(module).items()
    ]
    reached, all_ = sum(mark["points"] for mark in marks), sum(mark["of"] for mark in marks)
    return {"module": module, "trainee": trainee, "points": reached, "of": all_, "marks": marks, "notes": []}


@pytest.fixture(scope="module")
def big(server, tmp_path_factory):
    """160 trainees, all modules, some of them handed in twice; the first trainee has everything right."""
    draw = random.Random(8)
    trainees = range(1001, 1161)
    reports = []
    for trainee in trainees:
        for module in MODULES:
            for _ in range(draw.choice([0, 1, 1, 1, 2]) if trainee != 1001 else 1):
                chance = 1.0 if trainee == 1001 else draw.uniform(0.2, 1.0)
                reports.append(report(module, trainee, {name for name in points(module) if draw.random() < chance}))
    folder = tmp_path_factory.mktemp("big")
    ledger, roster = folder / "ledger.jsonl", folder / "roster.csv"
    ledger.write_text("".join(json.dumps(one) + "\n" for one in [*reports, report(MODULES[0], 9, set())]))
    roster.write_text("".join(f"{trainee},Trainee of {trainee}\n" for trainee in trainees))
    office("create", "big", "--title", "A big one", "--starts", "2026-03-02", "--ends", "2026-05-29")
    assert "160 of 160 are new" in office("enrol", "big", "--roster", roster, "--on", "2026-03-02")
    # The same report twice is one submission, and who is not enrolled has none.
    different = {json.dumps(one) for one in reports}
    assert f"{len(different)} reports are new" in office("record", "big", "--ledger", ledger, "--on", "2026-03-12")
    assert "0 reports are new" in office("record", "big", "--ledger", ledger)
    assert "0 of 160 are new" in office("enrol", "big", "--roster", roster)
    return [json.loads(one) for one in sorted(different)]


def best_of(reports):
    best = defaultdict(int)
    for one in reports:
        key = one["trainee"], one["module"]
        best[key] = max(best[key], one["points"])
    return dict(best)


def test_the_progress_of_a_big_cohort_is_what_counting_gives(big):
    best, found = best_of(big), tables(office("progress", "big"))
    total = {module: sum(points(module).values()) for module in MODULES}
    passed = {key for key, reached in best.items() if reached >= 0.6 * total[key[1]] - 1e-9}
    assert len(found["Trainees"]) == 160
    for row in found["Trainees"]:
        trainee = int(row["trainee_id"])
        own = {module: reached for (who, module), reached in best.items() if who == trainee}
        assert int(row["handed_in"]) == len(own) and int(row["points"]) == sum(own.values())
        assert int(row["passed"]) == sum(who == trainee for who, _ in passed)
        assert int(row["submissions"]) == sum(one["trainee"] == trainee for one in big)
    [cohort] = found["Cohorts"]
    assert [int(cohort[name]) for name in ["trainees", "passed", "of_all"]] == [160, len(passed), 160 * len(MODULES)]


def test_the_statistics_of_a_big_cohort_are_what_counting_gives(big):
    best, found = best_of(big), tables(office("statistics", "big"))
    assert [row["module"] for row in found["Modules"]] == MODULES
    for row in found["Modules"]:
        own = [reached for (_, module), reached in best.items() if module == row["module"]]
        total = sum(points(row["module"]).values())
        assert (int(row["handed_in"]), int(row["of_points"])) == (len(own), total)
        assert int(row["passed"]) == sum(reached >= 0.6 * total - 1e-9 for reached in own)
        assert float(row["mean_points"]) == pytest.approx(sum(own) / len(own), abs=0.006)
        assert row["level"] == next(level for level, modules in LEVELS.items() if row["module"] in modules)
    tenths = found["Points: trainees by tenths of what there is"]
    assert sum(int(row["trainees"]) for row in tenths) == len(best)
    questions = found["Questions, the hardest first"]
    rates = [float(row["solved_rate"]) for row in questions]
    assert rates == sorted(rates) and len(questions) == sum(len(points(module)) for module in MODULES)
    tried, solved = defaultdict(set), defaultdict(set)
    for one in big:
        for mark in one["marks"]:
            key = one["module"], mark["question"]
            tried[key].add(one["trainee"])
            if mark["points"] == mark["of"]:
                solved[key].add(one["trainee"])
    for row in questions:
        key = row["module"], row["question"]
        assert (int(row["trainees"]), int(row["solved"])) == (len(tried[key]), len(solved[key]))
        assert row["said_most_often"] == f"Look at {key[1]} again"
    assert {(row["shortest"], row["longest"]) for row in found["Days from enrolment to passing"]} == {("10", "10")}


def test_a_certificate_is_recorded_once_with_its_day_and_its_cohort(big, tmp_path):
    first = office("certificate", "big", "--trainee", 1001, "--level", "advanced", "--on", "2026-06-01")
    assert "Trainee of 1001 (trainee 1001) has passed the advanced level" in first and "Cohort big, 2026-06-01." in first
    assert office("certificate", "big", "--trainee", 1001, "--level", "advanced", "--on", "2026-07-01") == first
    # In another cohort it stays the one that was given.
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text("".join(json.dumps(one) + "\n" for one in big if one["trainee"] == 1001))
    office("create", "later", "--starts", "2026-08-03")
    office("enrol", "later", "--trainee", 1001, "--on", "2026-08-03")
    assert f"{len(MODULES)} reports are new" in office("record", "later", "--ledger", ledger)
    later = office("certificate", "later", "--trainee", 1001, "--level", "advanced", "--on", "2026-08-04")
    assert "Cohort big, 2026-06-01." in later and "later" not in later
    refused = office("certificate", "big", "--trainee", 9, "--level", "basic", status=1)
    assert "trainee 9 has not passed the basic level yet" in refused and "01-tour (nothing handed in)" in refused


def write(path, trainee, answers, module="01-tour"):
    notebook = nbformat.read(NOTEBOOKS / module / "exercise.ipynb", as_version=4)
    solved = {cell.id: cell.source for cell in nbformat.read(NOTEBOOKS / module / "solution.ipynb", as_version=4).cells}
    for cell in notebook.cells:
        if cell.id == "trainee":
            cell.source = cell.source.replace("select 1001", f"select {trainee}")
        elif cell.id in answers:
            cell.source = solved[cell.id]
    nbformat.write(notebook, path)
    return path


def test_what_is_handed_in_is_kept_and_graded_once(server, tmp_path):
    folder = tmp_path / "office"
    good = write(tmp_path / "good.ipynb", 21, ["q1", "q2", "q3", "q4"])
    other = write(tmp_path / "other.ipynb", 22, ["q1"])
    office("create", "small", "--starts", "2026-03-02")
    office("enrol", "small", "--trainee", 21, "--name", "Somebody", "--on", "2026-03-02")
    office("enrol", "small", "--trainee", 22, "--on", "2026-03-02")
    submit = ["submit", "small", "--folder", folder, "--on", "2026-03-05", "--trainee"]
    assert "handed in before" not in office(*submit, 21, good)
    assert "handed in before" in office(*submit, 21, good)
    office(*submit, 22, other)
    # The file of 21 under the name of 22: its queries are as good on the data of 22, and the office is told.
    office(*submit, 22, good)
    assert "is not enrolled in small" in office(*submit, 23, good, status=1)
    (tmp_path / "no.ipynb").write_bytes(b"\x89PNG")
    assert "this is no notebook" in office(*submit, 21, tmp_path / "no.ipynb", status=1)
    kept = sorted((folder / "submissions").iterdir())
    assert len(kept) == 3 and all(file.stat().st_mode & 0o077 == 0 for file in kept)

    graded = office("grade", "small", "--folder", folder)
    assert "3 graded" in graded and "this is the file of trainee 21, expected that of 22" in graded, graded
    assert office("grade", "small", "--folder", folder) == "0 graded\n"
    rows = {row["trainee_id"]: row for row in tables(office("progress", "small"))["Trainees"]}
    assert (rows["21"]["points"], rows["21"]["passed"], rows["21"]["submissions"]) == ("7", "1", "1")
    assert (rows["22"]["points"], rows["22"]["submissions"]) == ("7", "2")
    refused = office("certificate", "small", "--trainee", 21, "--level", "basic", status=1)
    assert "02-select (nothing handed in)" in refused and "01-tour" not in refused

    # A file that was changed behind the office's back is not graded.
    last = write(tmp_path / "last.ipynb", 21, ["q1", "q2"])
    identity = office(*submit, 21, last).split()[0]
    (folder / "submissions" / f"{identity}.ipynb").write_bytes(good.read_bytes())
    said = office("grade", "small", "--folder", folder, status=1)
    assert "it is not the file that was handed in" in said and "0 graded" in said and "1 without a grade" in said
    # The others are graded all the same.
    office(*submit, 22, write(tmp_path / "third.ipynb", 22, ["q1", "q2"]))
    said = office("grade", "small", "--folder", folder, status=1)
    assert "trainee 21, 01-tour: " in said and "1 graded" in said and "1 without a grade" in said


def test_no_submission_gets_the_password_of_the_office(server, tmp_path):
    office("create", "code", "--starts", "2026-03-02")
    grade = ["grade", "code", "--folder", tmp_path, "--rust"]
    assert "--rust needs --as-user and --as-secret-file" in office(*grade, status=1)
    # A server without a policy has one user: to name it is the office's decision.
    assert office(*grade, "--as-user", "haetae", "--as-secret-file", server.environment["HAETAE_SECRET_FILE"]) == "0 graded\n"


def test_a_failure_of_the_machine_is_no_grade(server, tmp_path):
    folder, wrong = tmp_path / "office", tmp_path / "wrong.secret"
    wrong.write_text("no such password\n")
    wrong.chmod(0o600)
    office("create", "machine", "--starts", "2026-03-02")
    office("enrol", "machine", "--trainee", 31)
    office("submit", "machine", "--folder", folder, "--trainee", 31, write(tmp_path / "good.ipynb", 31, ["q1", "q2", "q3", "q4"]))
    said = office("grade", "machine", "--folder", folder, "--as-user", "haetae", "--as-secret-file", wrong, status=1)
    assert "the course's own cell `trainee` failed" in said or "the course's own cell `my_items` failed" in said, said
    # The server lets nobody in for a while after so many wrong passwords.
    command = [BIN / "haetae-course", "cohort", "grade", "machine", "--folder", str(folder)]
    for _ in range(LIMIT):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
        if "too many logins have failed" not in done.stderr:
            break
        time.sleep(1)
    assert "31: 7 of 7 points" in done.stdout, done.stdout + done.stderr


def test_what_an_office_cannot_do_is_said(server, tmp_path):
    assert "expected a name of small letters" in office("create", "Spring 26", status=1)
    assert "expected a day such as 2026-03-02, found `soon`" in office("create", "x", "--starts", "soon", status=1)
    assert "the last day is before the first" in office("create", "x", "--starts", "2026-03-02", "--ends", "2026-03-01", status=1)
    assert "there is no cohort `nobody`" in office("progress", "nobody", status=1)
    (tmp_path / "roster").write_text("7\n8,A\n7,B\n")
    office("create", "twice", "--starts", "2026-03-02")
    assert "roster:3: this trainee stands here twice" in office("enrol", "twice", "--roster", tmp_path / "roster", status=1)
    both = office("enrol", "twice", "--roster", tmp_path / "roster", "--trainee", 7, status=2)
    assert "cannot be used with" in both, both
    assert "there is a cohort `twice` already" in office("create", "twice", status=1)


def test_the_queries_can_be_taken_elsewhere(server):
    text = office("statistics", "--sql")
    assert text.count(";") == 4 and "$1" not in text and "course.marks" in text
