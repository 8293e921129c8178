"""The course: each exercise handed in as it is given out and as it is solved, and how long a cohort takes to grade, from the
file to the rows in the warehouse."""

import os
import re
import subprocess
import time

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


def office(context, environment, *words):
    """A command of the training office; what it prints."""
    command = [context.bin / "haetae-course", "cohort", *map(str, words)]
    done = subprocess.run(command, cwd=context.root, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"haetae-course cohort {words[0]}: {done.stderr.strip()}")
    return done.stdout


def reports(text):
    """Trainee -> question -> points and what there is, of what `cohort grade` prints."""
    found, own = {}, None
    for line in text.splitlines():
        if head := re.match(r"\S+, trainee (\d+): ", line):
            own = found.setdefault(int(head[1]), {})
        elif mark := re.match(r"  (q\d+)  (\d+) of (\d+)  ", line):
            own[mark[1]] = int(mark[2]), int(mark[3])
    return found


def figures(context):
    environment = context.server(ITEMS)
    modules = sorted(path.name for path in (context.root / "course-material/modules").iterdir())
    # A trainee for each file, so that each has its own part of the data.
    cases = {100 + at: case for at, case in enumerate((module, solved) for module in modules for solved in (False, True))}
    folder = context.folder / "office"
    for cohort, trainees in [("first", [99]), ("cases", list(cases))]:
        office(context, environment, "create", cohort)
        for trainee in trainees:
            office(context, environment, "enrol", cohort, "--trainee", trainee)
            file = hand_in(context, *cases.get(trainee, (modules[0], False)), trainee)
            office(context, environment, "submit", cohort, "--trainee", trainee, "--folder", folder, file)
    # What the machine has not read yet is read here.
    office(context, environment, "grade", "first", "--folder", folder)
    # The server has one user, whose data are nobody's.
    login = ["--as-user", "haetae", "--as-secret-file", environment["HAETAE_SECRET_FILE"]]
    begun = time.monotonic()
    text = office(context, environment, "grade", "cases", "--folder", folder, "--jobs", JOBS, "--rust", *login)
    seconds = (time.monotonic() - begun) / len(cases)
    found, good, questions = reports(text), 0, 0
    for trainee, (_, solved) in cases.items():
        if not solved:
            idle, right = found[trainee], found[trainee + 1]
            questions += len(idle)
            good += sum(points == 0 and right[name][0] == right[name][1] for name, (points, _) in idle.items())
    note = f"{TRAINEES} trainees x {len(modules)} modules; from {len(cases)} files, {JOBS} at a time, {seconds:.2f} s each"
    return [
        context.figure(
            "course.exercises_ok", good, "exercises", n=questions, aim=f"= {questions}",
            note="without points as given out, with all points as solved",
        ),
        context.figure("course.grade_cohort_min", seconds * TRAINEES * len(modules) / 60, "min", n=len(cases), note=note),
    ]
