"""Every notebook runs from top to bottom and says what its stored outputs say."""

import os

import pytest
from haetae_notebooks import FOLDER, code_cells, complaints, differences, execute, outputs_of, read, same

needs_kcs = pytest.mark.skipif(
    not os.environ.get("HAETAE_KCS_DIR"),
    reason="HAETAE_KCS_DIR names no folder: the notebook on the KCS declarations is NOT tested (docs/guides/install.md)",
)


@pytest.mark.parametrize("name", ["welcome", pytest.param("kcs-clearance", marks=needs_kcs)])
def test_a_notebook_runs_and_says_what_is_stored(name, server):
    path = FOLDER / f"{name}.ipynb"
    fresh = execute(path)
    assert complaints(fresh) == []
    kinds = {kind for cell in code_cells(fresh) for output in outputs_of(cell) for kind in output}
    # A table and a chart, each with a form for readers without JupyterLab.
    assert {"text/html", "text/plain", "application/vnd.plotly.v1+json", "image/svg+xml"} <= kinds
    assert differences(read(path), fresh) == [], "run `make notebooks` if the change is meant"


def test_each_notebook_is_tested():
    assert sorted(path.name for path in FOLDER.glob("*.ipynb")) == ["kcs-clearance.ipynb", "welcome.ipynb"]


@pytest.mark.parametrize("name", ["welcome", "kcs-clearance"])
def test_stored_notebooks_have_run_in_order(name):
    notebook = read(FOLDER / f"{name}.ipynb")
    assert notebook.metadata.kernelspec.name == "haetae"
    assert complaints(notebook) == []
    assert any(cell.outputs for cell in code_cells(notebook))


def test_the_comparison_sees_what_matters():
    table = "shape: (2, 1)\n│ lane  ┆ 12,300.5 │\nfitted in 1.2 s"
    assert same(table, table.replace("12,300.5", "12,301.5").replace("1.2 s", "14 ms"))
    assert not same(table, table.replace("12,300.5", "13,300.5"))
    assert not same(table, table.replace("lane", "line"))
    assert not same([{"text/plain": "1"}], [])
    assert not same({"y": [1.0, 2.0]}, {"y": [1.0, 2.5]})
    assert not same({"visible": True}, {"visible": 1.01})
