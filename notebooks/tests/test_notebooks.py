"""Every notebook runs from top to bottom and says what its stored outputs say."""

import os

import pytest
from haetae_notebooks import FOLDER, code_cells, complaints, differences, execute, outputs_of, read, same

needs_kcs = pytest.mark.skipif(
    not os.environ.get("HAETAE_KCS_DIR"),
    reason="HAETAE_KCS_DIR names no folder: the notebook on the KCS declarations is NOT tested (docs/guides/install.md)",
)


WORKING = [
    "data-life-cycle", "model-comparison", "model-monitoring", "officer-of-the-day", "policy-simulator", "problem-taxpayers",
    "warehouse-and-quality",
]
# Those that run on the demo warehouse alone.
NAMES = ["welcome", *WORKING]


@pytest.mark.parametrize("name", [*NAMES, pytest.param("kcs-clearance", marks=needs_kcs)])
def test_a_notebook_runs_and_says_what_is_stored(name, server):
    path = FOLDER / f"{name}.ipynb"
    fresh = execute(path)
    assert complaints(fresh) == []
    kinds = {kind for cell in code_cells(fresh) for output in outputs_of(cell) for kind in output}
    # A table and a chart, each with a form for readers without JupyterLab.
    assert {"text/html", "text/plain", "application/vnd.plotly.v1+json", "image/svg+xml"} <= kinds
    assert differences(read(path), fresh) == [], "run `make notebooks` if the change is meant"


def test_each_notebook_is_tested():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted([*NAMES, "kcs-clearance"])


@pytest.mark.parametrize("name", [*NAMES, "kcs-clearance"])
def test_stored_notebooks_have_run_in_order(name):
    notebook = read(FOLDER / f"{name}.ipynb")
    assert notebook.metadata.kernelspec.name == "haetae"
    assert complaints(notebook) == []
    assert any(cell.outputs for cell in code_cells(notebook))
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 300_000


@pytest.mark.parametrize("name", [*NAMES, "kcs-clearance"])
def test_a_cell_is_read_without_scrolling(name):
    lines = [line for cell in code_cells(read(FOLDER / f"{name}.ipynb")) for line in cell.source.splitlines()]
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("name", WORKING)
def test_a_working_notebook_has_parameters_and_a_summary_first_and_its_limits_last(name):
    cells = read(FOLDER / f"{name}.ipynb").cells
    [place] = [number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    assert place == 1 and cells[place + 1].source.startswith("## Summary")
    assert cells[-1].source.startswith("## Method and limits")


def test_from_sql_to_a_registered_model_in_fewer_than_60_lines():
    cells = code_cells(read(FOLDER / "model-comparison.ipynb"))
    sources = [cell.source for cell in cells]
    lines = [line for source in sources for line in source.splitlines() if line.strip()]
    assert len(lines) < 60
    whole = "\n".join(lines)
    assert [whole.count(word) > 0 for word in ("sql(", "split_at(", "Protocol::Clean", ".save(", "model_card(")] == [True] * 5
    fits = [source for source in sources if ".fit(&x, &y)?" in source]
    assert "\n".join(fits).count(".fit(&x, &y)?") >= 4, "several families"
    # They are measured apart from the others: bench/notebook.py.
    assert [cell.source for cell in cells if "training" in cell.metadata.get("tags", [])] == fits


def test_the_comparison_sees_what_matters():
    table = "shape: (2, 1)\n│ lane  ┆ 12,300.5 │\nfitted in 1.2 s"
    assert same(table, table.replace("12,300.5", "12,301.5").replace("1.2 s", "14 ms"))
    assert not same(table, table.replace("12,300.5", "13,300.5"))
    assert not same(table, table.replace("lane", "line"))
    assert not same([{"text/plain": "1"}], [])
    assert not same({"y": [1.0, 2.0]}, {"y": [1.0, 2.5]})
    assert not same({"visible": True}, {"visible": 1.01})
