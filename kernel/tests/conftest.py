"""A running kernel, and a running server with a small warehouse, for the tests of this folder."""

from contextlib import ExitStack

import pytest
from haetae_testing import Kernel, Server, make_warehouse


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory):
    """Keeps every kernel that a test starts, also the one of the conformance suite, off the user's history."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAETAE_DATA_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(make_warehouse(tmp_path_factory.mktemp("server"), items=2_000))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kernel(server, data_folder):
    """For tests that leave nothing behind but variables and history."""
    kernel = Kernel(server.environment)
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module")
def own(server, data_folder):
    """The kernel of one file, for tests that end its worker or fill its queues."""
    kernel = Kernel(server.environment)
    yield kernel
    kernel.stop()


@pytest.fixture
def start(data_folder):
    """Starts kernels that end with the test."""
    with ExitStack() as running:

        def start(environment=None):
            kernel = Kernel(environment)
            running.callback(kernel.stop)
            return kernel

        yield start
