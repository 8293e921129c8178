"""The same cell on a data frame in our kernel, in evcxr_jupyter and in ipykernel, by turns."""

import statistics
import subprocess

import evcxr

FRAME_SETUP = """
let n = 100_000i32;
let offices: Vec<i32> = (0..n).map(|i| i % 40).collect();
let prices: Vec<f64> = (0..n).map(|i| f64::from(i % 977)).collect();
let frame = df!("office" => offices, "price" => prices)?;
"""
FRAME_CELL = """
frame.clone().lazy().group_by([col("office")]).agg([col("price").mean()]).sort(["office"], Default::default()).collect()?
"""
PYTHON_SETUP = """
import polars as pl

n = 100_000
frame = pl.DataFrame({"office": [i % 40 for i in range(n)], "price": [float(i % 977) for i in range(n)]})
"""
PYTHON_CELL = """
frame.lazy().group_by("office").agg(pl.col("price").mean()).sort("office").collect()
"""


def pairs(run, ours, cell, peer, n):
    """Seconds of the cell in our kernel and in the peer's, by turns; the first pair is not counted."""
    return [(run(ours, FRAME_CELL), run(peer, cell)) for _ in range(n + 1)][1:]


def figures(context, running, run, environment, n):
    """How many times as long the peers take. `running` and `run` start a kernel and time a cell."""
    with running(environment) as ours:
        run(ours.client, FRAME_SETUP)
        return [
            beside_evcxr(context, running, run, ours.client, n),
            beside_ipykernel(context, running, run, ours.client, environment, n),
        ]


def beside_evcxr(context, running, run, ours, n):
    name, unit, aim = "kernel.frame_cell_vs_evcxr", "peer/ours time", ">= 5"
    try:
        evcxr.install(context.quick)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        options = {"kernels": evcxr.kernels(), "cwd": evcxr.work(), **quiet}
        evcxr.same_versions()
        with running(evcxr.environment(), "evcxr", **options) as peer:
            built = evcxr.begin(lambda code, limit: run(peer.client, code, limit), context.quick)
            run(peer.client, FRAME_SETUP)
            measured = pairs(run, ours, FRAME_CELL, peer.client, n)
    except (evcxr.Unavailable, RuntimeError) as reason:  # a peer that does not run is no reason to measure nothing else
        return context.figure(name, None, unit, aim=aim, note=str(reason).splitlines()[0])
    mine, theirs = zip(*measured)
    note = f"medians {statistics.median(mine):.3f} s and {statistics.median(theirs):.3f} s; "
    note += f"its first cell, which compiles polars and is not counted, took {built / 60:.0f} minutes"
    ratio = statistics.median(theirs / mine for mine, theirs in measured)
    peer = f"{evcxr.NAME} with the same polars"
    return context.figure(name, ratio, unit, n=n, aim=aim, peer=peer, peer_value=1.0, note=note)


def beside_ipykernel(context, running, run, ours, environment, n):
    # ipykernel warns on stderr that its sockets are not encrypted.
    with running(environment, "python3", stderr=subprocess.DEVNULL) as peer:
        run(peer.client, PYTHON_SETUP)
        measured = pairs(run, ours, PYTHON_CELL, peer.client, n)
    mine, theirs = zip(*measured)
    note = f"nothing is compiled there; medians {statistics.median(mine):.3f} s and {statistics.median(theirs):.3f} s"
    ratio = statistics.median(mine / theirs for mine, theirs in measured)
    return context.figure(
        "kernel.frame_cell_vs_ipykernel", ratio, "ours/peer time", n=n, peer="ipykernel with polars", peer_value=1.0, note=note
    )
