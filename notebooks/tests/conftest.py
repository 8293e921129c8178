"""The demo warehouse of `make lab` behind a real server, in the environment that the lab gives a notebook."""

import pytest
from haetae_notebooks import make_demo
from haetae_testing import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(make_demo(tmp_path_factory.mktemp("server")))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.stop()
