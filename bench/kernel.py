"""The kernel as a notebook meets it: start, first cell, warm cells, SQL cells."""

import os
import statistics
import subprocess
import time

from jupyter_client.manager import start_new_kernel

FRAME_SETUP = """
let n = 100_000i32;
let offices: Vec<i32> = (0..n).map(|i| i % 40).collect();
let prices: Vec<f64> = (0..n).map(|i| f64::from(i % 977)).collect();
let frame = df!("office" => offices, "price" => prices)?;
"""
FRAME_CELL = """
frame.clone().lazy().group_by([col("office")]).agg([col("price").mean()]).sort(["office"], Default::default()).collect()?
"""
SQL_CELL = """%%sql
select date_trunc('month', declaration_date) as month, count(*) as n from fact_item group by 1 order by 1"""


def run(client, code):
    """Seconds from the request to the reply; fails with the kernel's words."""
    begun = time.monotonic()
    reply = client.execute_interactive(code, timeout=300, output_hook=lambda message: None)
    seconds = time.monotonic() - begun
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{reply['content']['ename']}: {reply['content']['evalue']}")
    return seconds


def start(environment):
    """Seconds to kernel_info_reply, and the running kernel."""
    begun = time.monotonic()
    manager, client = start_new_kernel(kernel_name="haetae", startup_timeout=120, env=environment)
    return time.monotonic() - begun, begun, manager, client


def resident_mb(process):
    """Resident memory of a process and its children."""
    pids = [str(process)] + subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
    kilobytes = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            kilobytes += sum(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return kilobytes / 1024


def figures(context):
    environment = {**os.environ, **context.server(items=1_000_000)}
    starts, firsts = [], []
    for _ in range(context.repeat(5)):
        info, begun, manager, client = start(environment)
        run(client, "let chart = Chart::line(&[0.0], &[1.0]); chart")
        firsts.append(time.monotonic() - begun)
        starts.append(info)
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    _, _, manager, client = start(environment)
    try:
        run(client, FRAME_SETUP)
        many = context.repeat(20)
        warm = lambda code: [run(client, code) for _ in range(many + 1)][1:]
        trivial = warm("1 + 1")
        frame = warm(FRAME_CELL)
        sql = warm(SQL_CELL)
        resident = resident_mb(manager.provisioner.process.pid)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    alone = context.query_seconds(SQL_CELL.split("\n", 1)[1], n=many)
    p50 = statistics.median
    figure = context.figure
    return [
        figure("kernel.info_reply_s", p50(starts), "s", n=len(starts), aim="<= 0.5"),
        figure("kernel.first_rust_cell_s", p50(firsts), "s", n=len(firsts), aim="<= 3"),
        figure("kernel.trivial_cell_p50_s", p50(trivial), "s", n=many, aim="<= 0.3"),
        figure("kernel.frame_cell_p50_s", p50(frame), "s", n=many, aim="<= 0.8"),
        figure(
            "kernel.sql_cell_p50_s", p50(sql), "s", n=many, aim="<= 0.02 over the server's own time",
            peer="ADBC from Python, same server and query", peer_value=p50(alone),
        ),
        figure("kernel.resident_mb", resident, "MB", n=1, aim="<= 800"),
    ]
