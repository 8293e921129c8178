"""The demo warehouse of `make lab` behind a real server, one kernel for all lessons, and the notebooks by their cells."""

import hashlib
import os
import sys
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
# The kernel and the toolkit are those that are installed, not those that were built last.
INSTALLED = Path(sys.prefix) / "share/haetae"
PROGRAMS = [
    *(BIN / name for name in ["haetae-server", "haetae-synth", "haetae-course"]),
    INSTALLED / "haetae-kernel",
    INSTALLED / "toolkit/libhaetae.so",
]
FRESH = "HAETAE_RUN_ALL"


@cache
def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def standing_on_all():
    """A number of all that the cells stand on: the programs, the tests, the packages, and all notebooks of the course, since
    its lessons share one kernel here and could get into each other's way."""
    notebooks = sorted(NOTEBOOKS.rglob("*.ipynb"))
    ours = [*Path(__file__).parent.glob("*.py"), *(ROOT / "python").glob("*.py"), *(ROOT / "python").glob("*.txt")]
    files = [*notebooks, *sorted(ours), ROOT / "pytest.ini", *PROGRAMS]
    return hashlib.sha256("".join(map(digest, files)).encode()).hexdigest()


def kept_at(item):
    """Where it is kept that a test has passed; `None` for one that is always run."""
    module = getattr(item, "callspec", None) and item.callspec.params.get("module")
    if item.path.name != "test_exercises.py" or "kernel" not in item.fixturenames or not module:
        return None
    return KEPT / hashlib.sha256(item.name.encode()).hexdigest(), standing_on_all()


def pytest_collection_modifyitems(items):
    for item in items:
        # Looked at before anything runs, so that what changes meanwhile is not taken for tested.
        kept = kept_at(item)
        if kept and not os.environ.get(FRESH) and kept[0].is_file() and kept[0].read_text() == kept[1]:
            item.add_marker(pytest.mark.skip(reason="has passed, and nothing that it stands on has changed"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    kept, report = kept_at(item), outcome.get_result()
    if kept and report.failed:
        kept[0].unlink(missing_ok=True)
    elif kept and report.passed and call.when == "call":
        KEPT.mkdir(parents=True, exist_ok=True)
        kept[0].write_text(kept[1])
