"""The demo warehouse of `make lab` behind a real server, one kernel for all lessons, and the notebooks by their cells."""

import hashlib
import os
from functools import cache
from pathlib import Path

import pytest
from course import NOTEBOOKS, ROOT
from haetae_notebooks import DEMO_ITEMS
from haetae_testing import BIN, TARGET, Kernel, Server, make_warehouse


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory):
    """Keeps every kernel that a test starts off the user's history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAETAE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(make_warehouse(tmp_path_factory.mktemp("server"), DEMO_ITEMS))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.stop()


@pytest.fixture(scope="session")
def kernel(server, data_folder):
    kernel = Kernel(server.environment)
    yield kernel
    kernel.stop()


# Cells of the course are run again only where something changed that they stand on. `make release-test` runs all.
KEPT = TARGET / "course-tests"
PROGRAMS = ["haetae-kernel", "haetae-server", "haetae-synth", "haetae-course", "libhaetae.so"]
FRESH = "HAETAE_RUN_ALL"


@cache
def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def standing_on(module):
    """A number of all that the cells of a module stand on: its notebooks, the tests, and the programs."""
    notebooks = sorted((NOTEBOOKS / module).glob("*.ipynb"))
    ours = sorted([*Path(__file__).parent.glob("*.py"), *(ROOT / "python").glob("*.py")])
    files = [*notebooks, *ours, *(BIN / name for name in PROGRAMS)]
    return hashlib.sha256("".join(map(digest, files)).encode()).hexdigest()


def kept_at(item):
    """Where it is kept that a test has passed; `None` for one that is always run."""
    module = getattr(item, "callspec", None) and item.callspec.params.get("module")
    if item.path.name != "test_exercises.py" or "kernel" not in item.fixturenames or not module:
        return None
    return KEPT / hashlib.sha256(item.name.encode()).hexdigest(), standing_on(module)


def pytest_collection_modifyitems(items):
    for item in items:
        if not os.environ.get(FRESH) and (kept := kept_at(item)) and kept[0].is_file() and kept[0].read_text() == kept[1]:
            item.add_marker(pytest.mark.skip(reason="has passed, and nothing that it stands on has changed"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    kept = kept_at(item) if call.when == "call" else None
    if kept and outcome.get_result().passed:
        KEPT.mkdir(parents=True, exist_ok=True)
        kept[0].write_text(kept[1])
    elif kept:
        kept[0].unlink(missing_ok=True)
