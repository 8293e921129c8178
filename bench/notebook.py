"""The notebook of a data scientist, from SQL through a compared set of models to a kept one, run as it is -> how long its
cells take."""

import statistics

from haetae_notebooks import DEMO_ITEMS, FOLDER, code_cells, complaints, execute_timed, make_demo
from haetae_testing import Server

NAME = "model-comparison.ipynb"
# The tag of a cell that trains.
TRAINING = "training"
# Seconds from a kernel that is there to the first cell, as a reader has them; `kernel.first_rust_cell_s` has none.
PAUSE = 5


def runs(context, server):
    """The code cells, and of each its seconds in each run."""
    seconds = []
    for _ in range(context.repeat(3)):
        notebook, of_cells = execute_timed(FOLDER / NAME, server.environment, PAUSE)
        if wrong := complaints(notebook):
            raise RuntimeError(f"{NAME}: {'; '.join(wrong)}")
        seconds.append(of_cells)
    return code_cells(notebook), list(zip(*seconds, strict=True))


def figures(context):
    folder = context.folder / "notebook"
    folder.mkdir()
    server = Server(make_demo(folder))
    try:
        cells, seconds = runs(context, server)
    finally:
        server.stop()
    medians = dict(enumerate(map(statistics.median, seconds), start=1))
    training = [number for number, cell in enumerate(cells, start=1) if TRAINING in cell.metadata.get("tags", [])]
    if not training:
        raise RuntimeError(f"{NAME}: expected a cell with the tag `{TRAINING}`, found none")
    others = [number for number in medians if number not in training]
    worst = max(others, key=medians.get)
    lines = [line for cell in cells for line in cell.source.splitlines() if line.strip()]
    said = lambda numbers: ", ".join(f"{number}: {medians[number]:.3f} s" for number in numbers)
    note = (
        f"{NAME} on the demo of {DEMO_ITEMS:,} items, {len(cells)} code cells of {len(lines)} lines, each from when it is sent "
        f"until it is answered, the first {PAUSE} s after the start; the worst is cell {worst}, "
        f"`{cells[worst - 1].source.splitlines()[0][:50]}…`; {said(others)}; training, not counted: {said(training)}"
    )
    return [context.figure("models.notebook_cell_s", medians[worst], "s", n=len(seconds[0]), aim="<= 1", note=note)]
