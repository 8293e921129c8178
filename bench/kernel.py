"""The kernel as a notebook meets it: start, first cell, warm cells, SQL cells."""

import os
import statistics
import subprocess
import time
from contextlib import contextmanager
from typing import NamedTuple

import frames
import large
from frames import FRAME_CELL, FRAME_SETUP
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpecManager
from responses import completion_seconds, conformance, worst_stop

QUERY = "select date_trunc('month', declaration_date) as month, count(*) as n from fact_item group by 1 order by 1"
SQL_CELL = f"%%sql\n{QUERY}"

# What an analyst in Python would run instead: one connection for the notebook, the table shown by its last line.
PYTHON_SETUP = """
import os
from pathlib import Path

import polars as pl
from adbc_driver_flightsql import dbapi

connection = dbapi.connect(
    os.environ["HAETAE_URL"].replace("http://", "grpc://"),
    db_kwargs={
        "username": os.environ.get("HAETAE_USER", "haetae"),
        "password": Path(os.environ["HAETAE_SECRET_FILE"]).read_text().strip(),
    },
    autocommit=True,
)
"""
PYTHON_CELL = f"""
pl.read_database({QUERY!r}, connection)
"""

# A notebook that grows: every cell defines an item and a variable, and the first of them are used far below.
GROWING_CELL = """
fn duty_{n}(value: f64) -> f64 {{ value * {n}.0 / 100.0 }}
let total_{n} = duty_{n}(1000.0);
"""
USING_CELL = "duty_1(total_1) + 1.0"


def run(client, code, limit=300):
    """Seconds from the request to the reply; fails with the kernel's words."""
    begun = time.monotonic()
    reply = client.execute_interactive(code, timeout=limit, output_hook=lambda message: None)
    seconds = time.monotonic() - begun
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{reply['content']['ename']}: {reply['content']['evalue']}")
    return seconds


class Running(NamedTuple):
    begun: float
    info_reply: float
    manager: KernelManager
    client: BlockingKernelClient


@contextmanager
def running(environment, kernel="haetae", kernels=None, **options):
    """A kernel, with the time at which its start was begun and the seconds from there to kernel_info_reply.
    It is among those that Jupyter finds, or in the folder `kernels`."""
    begun = time.monotonic()
    specs = KernelSpecManager(kernel_dirs=[str(kernels)]) if kernels else KernelSpecManager()
    manager = KernelManager(kernel_name=kernel, kernel_spec_manager=specs)
    manager.start_kernel(env=environment, **options)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        yield Running(begun, time.monotonic() - begun, manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def resident_mb(process):
    """Resident memory of a process and its children."""
    pids = [str(process)] + subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
    kilobytes = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            kilobytes += sum(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return kilobytes / 1024


def sql_pairs(client, environment, n):
    """Seconds of the same query in a cell of ours and in one of ipykernel, by turns; the first pair is not counted."""
    # ipykernel warns on stderr that its sockets are not encrypted.
    with running(environment, "python3", stderr=subprocess.DEVNULL) as python:
        run(python.client, PYTHON_SETUP)
        return [(run(client, SQL_CELL), run(python.client, PYTHON_CELL)) for _ in range(n + 1)][1:]


def growth(environment):
    """How many times as long the same cell takes around cell 100 of a notebook as around cell 10."""
    measured = {10: [], 100: []}
    with running(environment) as kernel:
        for n in range(1, 102):
            # Three cells beside each other, for their median: 9, 10, 11, and 99, 100, 101.
            at = next((place for place in measured if abs(n - place) <= 1), None)
            if at:
                measured[at].append(run(kernel.client, USING_CELL))
            else:
                run(kernel.client, GROWING_CELL.format(n=n))
    return statistics.median(measured[100]) / statistics.median(measured[10])


def figures(context):
    server = context.running(items=1_000_000)
    environment = {**os.environ, **server.environment}
    starts, firsts = [], []
    for _ in range(context.repeat(5)):
        with running(environment) as kernel:
            run(kernel.client, "let chart = Chart::line(&[0.0], &[1.0]); chart")
            firsts.append(time.monotonic() - kernel.begun)
            starts.append(kernel.info_reply)

    with running(environment) as kernel:
        run(kernel.client, FRAME_SETUP)
        many = context.repeat(20)
        warm = lambda code: [run(kernel.client, code) for _ in range(many + 1)][1:]
        trivial = warm("1 + 1")
        frame = warm(FRAME_CELL)
        sql = sql_pairs(kernel.client, environment, many)
        process = kernel.manager.provisioner.process.pid
        resident = resident_mb(process)
        completion = completion_seconds(kernel.client, many)
        with_completion = resident_mb(process)
        stop = worst_stop(kernel.client, context.repeat(5))
    beside = frames.figures(context, running, run, environment, many)
    rows = large.figures(context, running, run, environment)
    passed, all_tests = conformance(context.root)
    alone = context.query_seconds(server, QUERY, n=many)
    notebooks = [growth(environment) for _ in range(context.repeat(3))]
    p50 = statistics.median
    ours, python = zip(*sql)
    figure = context.figure
    return [
        figure("kernel.info_reply_s", p50(starts), "s", n=len(starts), aim="<= 0.5"),
        figure("kernel.first_rust_cell_s", p50(firsts), "s", n=len(firsts), aim="<= 3"),
        figure("kernel.trivial_cell_p50_s", p50(trivial), "s", n=many, aim="<= 0.3"),
        figure("kernel.frame_cell_p50_s", p50(frame), "s", n=many, aim="<= 0.8"),
        *beside,
        figure(
            "kernel.cell100_vs_cell10", p50(notebooks), "ratio of times", n=len(notebooks), aim="<= 1.3",
            note="a notebook whose other cells define a function and a variable each",
        ),
        figure(
            "kernel.sql_cell_p50_s", p50(ours), "s", n=many, aim="<= 0.02 over the server's own time",
            peer="ADBC from Python, same server and query", peer_value=p50(alone),
        ),
        figure(
            "kernel.sql_cell_vs_adbc", p50(mine / theirs for mine, theirs in sql), "ours/peer time", n=many,
            aim="<= 1.5", peer="ipykernel with ADBC and polars, same server and query", peer_value=1.0,
            note=f"the cell of ipykernel takes {p50(python):.4f} s",
        ),
        figure(
            "kernel.completion_p50_s", p50(completion), "s", n=many, aim="<= 0.3",
            note="behind a dot, each of another expression, while another cell runs",
        ),
        figure(
            "kernel.interrupt_s", stop, "s", n=3 * context.repeat(5), aim="<= 1",
            note="the slowest stop of a loop, a query and a fit; a variable of an earlier cell is read afterwards",
        ),
        *rows,
        figure("kernel.resident_mb", resident, "MB", n=1, aim="<= 800"),
        figure("kernel.resident_with_completion_mb", with_completion, "MB", n=1, aim="<= 1000"),
        figure("kernel.conformance", passed, "tests of jupyter_kernel_test", n=1, aim=f"= {all_tests}"),
    ]
