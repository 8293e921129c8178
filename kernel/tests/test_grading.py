"""nbgrader makes an assignment for students out of a Rust notebook, and grades what comes back."""

import re

import nbformat
import pytest
from nbgrader.api import Gradebook
from outside import PATH, good, notebook

DUTY = """/// Duty on a value, by a rate in percent.
fn duty(value: f64, rate: f64) -> f64 {
    // BEGIN SOLUTION
    value * rate / 100.0
    // END SOLUTION
}"""
DUTY_TEST = """assert_eq!(duty(1000.0, 8.0), 80.0);
// BEGIN HIDDEN TESTS
assert_eq!(duty(500.0, 0.0), 0.0, "goods that are free of duty");
// END HIDDEN TESTS"""
TOTAL = "let total: f64 = [10.0, 20.0].iter().map(|value| duty(*value, 10.0)).sum();"
TOTAL_TEST = "// A warning of the compiler must not cost points.\nlet unused = 1;\nassert!((total - 3.0).abs() < 1e-9);"
PART = "// Two of three.\n2.0"

STUB = "// YOUR CODE HERE\ntodo!();"
# What students hand in instead of the stubs, and the points for the two functions.
HANDED_IN = {
    "right": ("value * (rate / 100.0)", "let total = duty(10.0, 10.0) + duty(20.0, 10.0);", [4, 3, 2]),
    # The first passes the test that students see, the second does not compile.
    "wrong": ("if rate == 0.0 { 1.0 } else { value * rate / 100.0 }", 'let total: f64 = "3.0";', [0, 0, 2]),
    "idle": (None, None, [0, 0, 2]),
}


def cell(code, name, points=None):
    """A cell of an assignment: one to be solved, or one with tests that are worth points."""
    about = {"schema_version": 3, "grade_id": name, "locked": points is not None, "task": False}
    about |= {"grade": points is not None, "solution": points is None, "cell_type": "code"}
    return code, {"nbgrader": about | ({"points": points} if points else {})}


@pytest.fixture(scope="module")
def course(tmp_path_factory, data_folder):
    """A course whose assignment is released, handed in by students, and graded."""
    folder = tmp_path_factory.mktemp("course")
    source = folder / "source/ps1"
    source.mkdir(parents=True)
    cells = [
        cell(DUTY, "duty"), cell(DUTY_TEST, "duty-test", 4), cell(TOTAL, "total"), cell(TOTAL_TEST, "total-test", 3),
        cell(PART, "part", 3),
    ]
    nbformat.write(notebook(*cells), source / "duty.ipynb")
    environment = {"JUPYTER_DATA_DIR": str(folder / "data")}
    good(folder, "nbgrader", "generate_assignment", "ps1", environment=environment)
    for student, (body, total, _) in HANDED_IN.items():
        handed_in = nbformat.read(folder / "release/ps1/duty.ipynb", as_version=4)
        if body:
            duty, _, let, *_ = handed_in.cells
            duty.source, let.source = duty.source.replace(indented(STUB), f"    {body}"), total
        (folder / f"submitted/{student}/ps1").mkdir(parents=True)
        nbformat.write(handed_in, folder / f"submitted/{student}/ps1/duty.ipynb")
    good(folder, "nbgrader", "autograde", "ps1", environment=environment)
    return folder


def indented(text):
    return re.sub("^", "    ", text, flags=re.MULTILINE)


def test_students_get_stubs_that_compile_and_no_hidden_tests(course):
    released = nbformat.read(course / "release/ps1/duty.ipynb", as_version=4)
    sources = [cell.source for cell in released.cells]
    assert sources[0] == DUTY.split("    // BEGIN")[0] + indented(STUB) + "\n}"
    assert sources[1] == "assert_eq!(duty(1000.0, 8.0), 80.0);"
    assert sources[2] == STUB
    # With the stub, the function is defined, and what calls it says why it fails.
    graded = nbformat.read(course / "autograded/idle/ps1/duty.ipynb", as_version=4)
    # The compiler's remarks on what the stub does not use are folded away.
    assert {output.output_type for output in graded.cells[0].outputs} <= {"display_data"}
    assert [out.ename for out in graded.cells[1].outputs] == ["panic"]
    assert "not yet implemented" in graded.cells[1].outputs[0].evalue


@pytest.mark.parametrize("student", HANDED_IN)
def test_points_are_those_of_the_tests_that_hold(course, student, monkeypatch):
    monkeypatch.setenv("PATH", PATH)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        grades = book.find_submission_notebook("duty", "ps1", student).grades
        points = {grade.name: grade.auto_score for grade in grades}
    assert [points[name] for name in ["duty-test", "total-test", "part"]] == HANDED_IN[student][2]


def test_a_graded_notebook_says_which_hidden_test_failed(course):
    graded = nbformat.read(course / "autograded/wrong/ps1/duty.ipynb", as_version=4)
    [error] = graded.cells[1].outputs
    assert "goods that are free of duty" in error.evalue
