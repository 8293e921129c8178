"""The demo warehouse of `make lab` behind a real server, one kernel for all lessons, and the notebooks by their cells."""

import pytest
from haetae_notebooks import DEMO_ITEMS
from haetae_testing import Kernel, Server, make_warehouse


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
