"""Runs notebooks and compares two runs. As a program it runs `notebooks/*.ipynb` on the demo warehouse
that `make lab` makes, and stores their outputs in them."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from haetae_testing import Server, load_kcs

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
# As in scripts/demo, so that stored outputs are what a user sees.
DEMO_ITEMS = 100_000
# A fit adds up in another order on another number of cores; what is printed of it may differ in the last digits.
RELATIVE, ABSOLUTE = 0.02, 0.01

DURATION = re.compile(r"\b\d+(\.\d+)? ?(ms|µs|s|seconds)\b")
NUMBER = re.compile(r"[-+]?\d[\d,_]*(?:\.\d+)?(?:[eE][-+]?\d+)?")


def make_demo(folder):
    """The demo warehouse of `make lab` in `folder`, with the KCS declarations where there are any; its path."""
    subprocess.run([FOLDER.parent / "scripts/demo", folder], check=True, stdout=subprocess.DEVNULL)
    warehouse = folder / "warehouse"
    if kcs := os.environ.get("HAETAE_KCS_DIR"):
        load_kcs(warehouse, kcs)
    return warehouse


def read(path):
    """A notebook of our folder."""
    return nbformat.read(path, as_version=4)


def execute(path, environment=None):
    """Runs a notebook with the kernel that it names, in its folder; the notebook with fresh outputs.
    A cell that fails ends the run with its error. The kernel has the variables of `environment` beside ours."""
    return execute_timed(path, environment)[0]


def execute_timed(path, environment=None, pause=0):
    """As `execute`; beside the notebook the seconds of each code cell, from when it is sent until it is answered. The first is
    sent `pause` seconds after the kernel has said that it is there: a measurement of cells waits like a reader, no test does."""
    notebook, begun, seconds = read(path), [], []
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook, timeout=900, startup_timeout=120, record_timing=False, resources={"metadata": {"path": str(path.parent)}},
        on_notebook_start=lambda **_: time.sleep(pause),
        on_cell_execute=lambda **_: begun.append(time.monotonic()),
        on_cell_executed=lambda **_: seconds.append(time.monotonic() - begun[-1]),
    )
    client.execute(env={**os.environ, **(environment or {})})
    return notebook, seconds


def code_cells(notebook):
    """The cells that a kernel runs."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def complaints(notebook):
    """What must not be in a notebook that has run: errors, text on stderr, cells that were left out."""
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        if cell.execution_count != number:
            found.append(f"code cell {number}: expected execution count {number}, found {cell.execution_count}")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"code cell {number}: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"code cell {number}: stderr: {output.text.strip()}")
    return found


def differences(stored, fresh):
    """Where two runs of a notebook differ: other kinds of output, other words, other numbers."""
    found = []
    for number, (before, after) in enumerate(zip(code_cells(stored), code_cells(fresh), strict=True), start=1):
        old, new = outputs_of(before), outputs_of(after)
        if not same(old, new):
            found.append(f"code cell {number} ({before.source.splitlines()[0]!r}):\n  stored {old}\n  fresh  {new}")
    return found


def outputs_of(cell):
    """The outputs of a cell, as far as two runs must agree on them."""
    kept = []
    for output in cell.outputs:
        if output.output_type == "stream":
            # A text comes in as many pieces as it happens to be read in.
            if kept and kept[-1].keys() == {output.name}:
                kept[-1][output.name] += output.text
            else:
                kept.append({output.name: output.text})
        elif output.output_type == "error":
            kept.append({output.ename: output.evalue})
        else:
            # HTML and SVG show the same values once more.
            kept.append({kind: value if comparable(kind) else "" for kind, value in sorted(output.data.items())})
    return kept


def comparable(kind):
    return kind == "text/plain" or kind.endswith("+json")


def same(old, new):
    """Equal but for durations and for the last digits of numbers."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    if isinstance(old, str) and isinstance(new, str):
        return same_text(old, new)
    if is_number(old) and is_number(new):
        return close(old, new)
    return old == new


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def close(old, new):
    return abs(old - new) <= max(ABSOLUTE, RELATIVE * max(abs(old), abs(new)))


def same_text(old, new):
    if old == new:
        return True
    old, new = DURATION.sub("", old), DURATION.sub("", new)
    # Padding changes with the width of a number.
    words = [[" ".join(re.sub(r"[-─]+", "-", part).split()) for part in NUMBER.split(text)] for text in (old, new)]
    numbers = [[float(re.sub("[,_]", "", n)) for n in NUMBER.findall(text)] for text in (old, new)]
    return words[0] == words[1] and len(numbers[0]) == len(numbers[1]) and all(map(close, *numbers))


def main(names):
    """Runs the named notebooks (all without names) and stores them with their outputs."""
    kcs = os.environ.get("HAETAE_KCS_DIR")
    paths = [FOLDER / name for name in names] or sorted(FOLDER.glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as folder:
        print(f"demo warehouse with {DEMO_ITEMS:,} items", flush=True)
        server = Server(make_demo(Path(folder)))
        try:
            for path in paths:
                if path.name.startswith("kcs-") and not kcs:
                    print(f"{path.name}: left out, HAETAE_KCS_DIR is not set", flush=True)
                    continue
                notebook = execute(path, server.environment)
                if found := complaints(notebook):
                    sys.exit(f"{path.name} is not stored:\n" + "\n".join(found))
                nbformat.write(notebook, path)
                print(f"{path.name}: {len(code_cells(notebook))} cells run and stored", flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
