"""A thousand connections that open and drop: what the server's process holds afterwards."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from haetae_testing import Server, make_warehouse, memory_mb
from pyarrow import flight

CONNECTIONS, AT_A_TIME = 1000, 20
ENDLESS = "select value, repeat('x', 1000) as text from generate_series(1, 1000000000000)"
# Seconds after which a connection that is not gone is taken for lost, and the most that a thousand more may cost in MB.
# A leak of one buffer of a connection (64 KiB) would be 64 MB each time.
PATIENCE, SPARE_MB, TIMES = 60, 40, 4


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(make_warehouse(tmp_path_factory.mktemp("connections"), 200))
    yield server
    server.stop()


def files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def statement(sql):
    """`CommandStatementQuery` in an `Any`: pyarrow knows Flight, not Flight SQL."""
    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    query = b"\x0a" + bytes([len(sql)]) + sql.encode()
    return flight.FlightDescriptor.for_command(b"\x0a" + bytes([len(url)]) + url + b"\x12" + bytes([len(query)]) + query)


def visit(server, number):
    """Some say nothing, some say what is no HTTP, some ask and read, some go away in the middle of a result."""
    if number % 4 < 2:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            if number % 4:
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64))
        return
    with flight.FlightClient(f"grpc://127.0.0.1:{server.port}") as client:
        options = flight.FlightCallOptions(headers=[client.authenticate_basic_token("haetae", server.password)])
        sql = "select count(*) from fact_item" if number % 4 == 2 else ENDLESS
        reader = client.do_get(client.get_flight_info(statement(sql), options).endpoints[0].ticket, options)
        if number % 4 == 2:
            assert reader.read_all().to_pydict() == {"count(*)": [200]}
        else:
            assert reader.read_chunk().data.num_rows > 0
            reader.cancel()


def visits(server):
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(lambda number: visit(server, number), range(CONNECTIONS)))


def settled(server, at_most):
    """Waits until no more files are open than so many; what is open in the end."""
    ends = time.monotonic() + PATIENCE
    with server.cursor() as cursor:
        while files(server) > at_most + 1 and time.monotonic() < ends:
            cursor.execute("select 1")  # one that asks meanwhile is answered
            assert cursor.fetchone() == (1,)
    return files(server)


def test_a_thousand_connections_leave_no_files_and_no_memory(server):
    visit(server, 2)
    before = files(server)
    # What is kept for good, such as threads and their memory, is there after the first thousand.
    visits(server)
    assert settled(server, before) <= before + 2
    # How many of them are busy at once, and with them what is kept, depends on the machine.
    costs = []
    while len(costs) < TIMES and (not costs or costs[-1] > SPARE_MB):
        memory = memory_mb(server.process.pid, "VmRSS")
        visits(server)
        assert settled(server, before) <= before + 2
        costs.append(memory_mb(server.process.pid, "VmRSS") - memory)
    assert costs[-1] <= SPARE_MB, costs
    ends = time.monotonic() + PATIENCE
    with server.cursor() as cursor:
        left = None
        while left != (1,) and time.monotonic() < ends:
            cursor.execute("select count(*) from system.queries where state <> 'ended'")
            left = cursor.fetchone()
    assert left == (1,)


def test_open_connections_are_counted_as_files(server):
    """The count above can see a connection that is not closed."""
    before = files(server)
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    try:
        ends = time.monotonic() + PATIENCE
        # What the test before had open may close meanwhile.
        while files(server) < before + 48:
            assert time.monotonic() < ends
    finally:
        for connection in held:
            connection.close()
    assert settled(server, before) <= before + 2
