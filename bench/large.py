"""A result of 10 million rows by 10 columns that becomes a frame: how long it takes, and what it needs."""

import statistics
import subprocess

from haetae_testing import memory_mb

ROWS = 10_000_000
QUERY = """
select a.declaration_id, a.item_no, a.hs10, a.office_id, a.declaration_date, a.item_price_krw, a.net_mass_kg,
       a.item_price_krw * b.n as price, a.net_mass_kg * b.n as mass, b.n
from fact_item a cross join (values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11)) b (n)
limit 10000000
"""


def figures(context, running, run, environment):
    """Figures of `%%sql large <<`; `running` and `run` are those of the kernel's area."""
    seconds, peaks, copies = [], [], []
    for _ in range(context.repeat(3)):
        with running(environment) as kernel:
            run(kernel.client, "1")
            seconds.append(run(kernel.client, f"%%sql large <<\n{QUERY}"))
            # Waits for the variable, and sees that it is whole.
            run(kernel.client, f"assert_eq!(large.shape(), ({ROWS}, 10));")
            process = kernel.manager.provisioner.process.pid
            peaks.append(memory_mb(process))
            [worker] = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
            copies.append(memory_mb(worker, "RssAnon"))
    p50 = statistics.median
    return [
        context.figure("kernel.sql_10m_rows_s", p50(seconds), "s", n=len(seconds), note="10 columns, until the reply"),
        context.figure(
            "kernel.sql_10m_rows_peak_mb", max(peaks), "MB", n=len(peaks), aim="<= 1000",
            note=f"resident in the kernel at most; the worker, which maps the rows, holds {max(copies):.0f} MB of its own",
        ),
    ]
