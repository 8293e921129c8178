"""A running kernel, and a running server with a small warehouse, for the tests of this folder."""

import pytest
from haetae_testing import Kernel, Server, make_warehouse


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(make_warehouse(tmp_path_factory.mktemp("server"), items=2_000))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kernel(server):
    kernel = Kernel(server.environment)
    yield kernel
    kernel.stop()
