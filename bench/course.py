"""The course: each exercise handed in as it is given out and as it is solved, and how long a cohort takes to grade."""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import nbformat

ITEMS = 100_000
TRAINEES = 160
# At a time; each has a kernel, which is busy most of the time.
JOBS = max(1, (os.cpu_count() or 2))


def hand_in(context, module, solved, trainee):
    """A submission of a trainee, as a file."""
    folder = context.root / "notebooks/course" / module
    notebook = nbformat.read(folder / "exercise.ipynb", as_version=4)
    if solved:
        answers = {cell.id: cell.source for cell in nbformat.read(folder / "solution.ipynb", as_version=4).cells}
        for cell in notebook.cells:
            if cell.id[0] == "q" and "-" not in cell.id:
                cell.source = answers[cell.id]
    for cell in notebook.cells:
        if cell.id == "trainee":
            cell.source = cell.source.replace("select 1001", f"select {trainee}")
    path = context.folder / f"{module}-{trainee}-{solved}.ipynb"
    nbformat.write(notebook, path)
    return path


def grade(context, environment, file):
    """The report on a file."""
    command = [context.bin / "haetae-course", "grade", file, "--json"]
    done = subprocess.run(command, cwd=context.root, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode not in (0, 2):
        raise RuntimeError(f"haetae-course grade {file.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def figures(context):
    environment = context.server(ITEMS)
    modules = sorted(path.name for path in (context.root / "course-material/modules").iterdir())
    cases = [(module, solved) for module in modules for solved in (False, True)]
    files = [hand_in(context, module, solved, 100 + n) for n, (module, solved) in enumerate(cases)]
    grade(context, environment, files[0])
    begun = time.monotonic()
    with ThreadPoolExecutor(JOBS) as pool:
        reports = list(pool.map(lambda file: grade(context, environment, file), files))
    seconds = (time.monotonic() - begun) / len(files)
    good = 0
    for module, (idle, right) in zip(modules, zip(reports[::2], reports[1::2])):
        pairs = list(zip(idle["marks"], right["marks"]))
        good += sum(before["points"] == 0 and after["points"] == after["of"] for before, after in pairs)
    questions = sum(len(report["marks"]) for report in reports[::2])
    note = f"{TRAINEES} trainees x {len(modules)} modules; from {len(files)} files, {JOBS} at a time, {seconds:.2f} s each"
    return [
        context.figure(
            "course.exercises_ok", good, "exercises", n=questions, aim=f"= {questions}",
            note="without points as given out, with all points as solved",
        ),
        context.figure("course.grade_cohort_min", seconds * TRAINEES * len(modules) / 60, "min", n=len(files), note=note),
    ]
