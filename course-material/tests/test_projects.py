"""A data project from its beginning to its score, on an administration of its own; and two finished ones."""

import json
import os
import subprocess

import nbformat
import pytest
from course import NOTEBOOKS, ROOT
from haetae_testing import BIN, Server, make_warehouse, run
from nbclient import NotebookClient

SEED, ITEMS = 4242, 20_000
EXAMPLES = ["example-trees", "example-memory"]


def course(server, *words, status=0):
    """`haetae-course`, as an instructor calls it."""
    environment = {**os.environ, **server.environment}
    command = [BIN / "haetae-course", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def instructor(tmp_path_factory):
    """The instructor's server, which has all findings."""
    folder = tmp_path_factory.mktemp("instructor")
    server = Server(make_warehouse(folder, ITEMS, SEED))
    server.tables = folder / "data/tables"
    yield server
    server.stop()


@pytest.fixture(scope="module")
def project(instructor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("projects")
    said = course(instructor, "new-project", "air-cargo", "--folder", folder)
    assert f"{folder}/air-cargo: " in said and f"{folder}/air-cargo-private: " in said
    return folder


@pytest.fixture(scope="module")
def trainees(instructor, project, tmp_path_factory):
    """The trainees' server: all tables, but only the findings that they may see."""
    warehouse = tmp_path_factory.mktemp("trainees") / "warehouse"
    for table in sorted(instructor.tables.glob("*.parquet")):
        if table.stem != "fact_inspection":
            run("haetae-server", "ingest", "--warehouse", warehouse, table.stem, table)
    run("haetae-server", "ingest", "--warehouse", warehouse, "fact_inspection", project / "air-cargo/data/fact_inspection.csv")
    server = Server(warehouse)
    yield server
    server.stop()


def execute(path, folder, server, monkeypatch):
    """Runs a notebook in a folder, where it writes its files."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, startup_timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def score(instructor, project, folder):
    said = course(
        instructor, "score-project", folder / "predictions.csv", "--private", project / "air-cargo-private/findings.csv", "--json"
    )
    return json.loads(said)


def test_a_new_project_runs_and_is_scored_on_what_was_kept_apart(instructor, project, trainees, monkeypatch):
    public = project / "air-cargo"
    assert sorted(path.name for path in public.iterdir()) == ["data", "project.ipynb", "report.md", "rubric.md"]
    seen = (public / "data/fact_inspection.csv").read_text().splitlines()
    kept = (project / "air-cargo-private/findings.csv").read_text().splitlines()
    assert seen[0] == kept[0] and len(seen) > 1000 and len(kept) > 500
    assert not {line.rsplit(",", 4)[0] for line in seen[1:]} & {line.rsplit(",", 4)[0] for line in kept[1:]}
    assert "{{" not in (public / "rubric.md").read_text() + (public / "report.md").read_text()
    notebook = execute(public / "project.ipynb", public, trainees, monkeypatch)
    assert [cell.metadata.tags for cell in notebook.cells if "tags" in cell.metadata] == [["parameters"]]
    found = score(instructor, project, public)
    assert found["lines"] == len(kept) - 1
    assert found["auc"] > 0.6 and found["precision"] > found["base_rate"]
    assert (public / "model.haetae").stat().st_size > 100


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_finished_project_is_better_than_chance_and_light(name, instructor, project, trainees, tmp_path, monkeypatch):
    path = NOTEBOOKS / f"projects/{name}.ipynb"
    assert path.stat().st_size < 300_000
    notebook = execute(path, tmp_path, trainees, monkeypatch)
    assert all(output.get("name") != "stderr" for cell in notebook.cells for output in cell.get("outputs", []))
    assert len(nbformat.writes(notebook)) < 300_000
    found = score(instructor, project, tmp_path)
    assert found["auc"] > 0.65 and found["precision"] > 1.5 * found["base_rate"]
    assert (tmp_path / "model.haetae").stat().st_size > 1000


def test_what_cannot_be_made_is_refused(instructor, project):
    for words, part in [
        (["Air Cargo"], "expected a name of small letters"),
        (["air-cargo", "--cut", "2021"], "expected a day such as 2021-01-01"),
        (["air-cargo"], "air-cargo is there already"),
        (["later", "--cut", "2030-01-01"], "both parts need some"),
    ]:
        said = course(instructor, "new-project", *words, "--folder", project, status=1)
        assert part in said, said
        assert not (project / "later").exists()


def test_without_a_server_it_says_what_is_missing(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "HAETAE_URL"}
    command = [BIN / "haetae-course", "new-project", "x", "--folder", tmp_path]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "HAETAE_URL is not set" in done.stderr
