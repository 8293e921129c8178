"""The demo warehouse of `make lab` behind a real server, in the environment that the lab gives a notebook."""

import os

import pytest
from haetae_notebooks import DEMO_ITEMS
from haetae_testing import Server, load_kcs, make_warehouse


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    warehouse = make_warehouse(tmp_path_factory.mktemp("server"), DEMO_ITEMS)
    if kcs := os.environ.get("HAETAE_KCS_DIR"):
        load_kcs(warehouse, kcs)
    server = Server(warehouse)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.stop()
