"""The harness of the tests and of the benchmarks leaves nothing behind."""

import signal

import pytest
from haetae_testing import Server, make_warehouse


def test_a_server_that_does_not_end_is_killed(tmp_path, monkeypatch):
    server = Server(make_warehouse(tmp_path, items=200))
    monkeypatch.setattr(server, "PATIENCE", 0.2)
    # SIGTERM waits until the process goes on.
    server.process.send_signal(signal.SIGSTOP)
    with pytest.raises(RuntimeError, match="was killed"):
        server.stop()
    assert server.process.returncode == -signal.SIGKILL
