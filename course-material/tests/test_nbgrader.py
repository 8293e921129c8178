"""nbgrader makes the same exercise out of the solution as we do, and gives the same points."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from course import MODULES, NOTEBOOKS, ROOT, cells
from nbgrader.api import Gradebook
from nbgrader.preprocessors import CheckCellMetadata, ClearHiddenTests, ClearSolutions
from traitlets.config.loader import PyFileConfigLoader

BIN = Path(sys.executable).parent
MODULE = "01-tour"


def nbgrader(folder, *words):
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "JUPYTER_CONFIG_DIR": str(folder / "none")}
    command = [BIN / "nbgrader", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory, server):
    """One module as an assignment of nbgrader's."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "source/basic").mkdir(parents=True)
    shutil.copy(NOTEBOOKS / MODULE / "solution.ipynb", folder / f"source/basic/{MODULE}.ipynb")
    nbgrader(folder, "generate_assignment", "basic")
    return folder


def same(theirs, module):
    ours = cells(module, "exercise")
    assert {cell.id: cell.source for cell in theirs.cells} == {name: cell.source for name, cell in ours.items()}


def test_the_exercise_is_what_nbgrader_makes_of_the_solution(course):
    same(nbformat.read(course / f"release/basic/{MODULE}.ipynb", as_version=4), MODULE)


@pytest.mark.parametrize("module", MODULES)
def test_each_exercise_is_what_the_steps_of_nbgrader_make_of_the_solution(module):
    """Its steps, without its programs, of which each costs seconds."""
    loader = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT / "python"))
    config = loader.load_config()
    notebook = nbformat.read(NOTEBOOKS / module / "solution.ipynb", as_version=4)
    for step in [ClearSolutions, CheckCellMetadata, ClearHiddenTests]:
        notebook, _ = step(config=config).preprocess(notebook, {})
    same(notebook, module)


def test_nbgrader_gives_points_for_what_is_right(course):
    released = nbformat.read(course / f"release/basic/{MODULE}.ipynb", as_version=4)
    solved = cells(MODULE, "solution")
    for cell in released.cells:
        # Right, copied from a result, as it was, right.
        if cell.id in ["q1", "q4"]:
            cell.source = solved[cell.id].source
        if cell.id == "q2":
            cell.source = "%%sql --save q2\nselect 5 as declarations"
    handed_in = course / "submitted/seven/basic"
    handed_in.mkdir(parents=True)
    nbformat.write(released, handed_in / f"{MODULE}.ipynb")
    nbgrader(course, "autograde", "basic", "--notebook", MODULE)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        grades = book.find_submission_notebook(MODULE, "basic", "seven").grades
        points = {grade.name: grade.auto_score for grade in grades}
    assert points == {"q1-check": 1, "q2-check": 0, "q3-check": 0, "q4-check": 2}
