"""Fits of ours, in cells of the kernel, beside a peer's in Python: a fit of either by turns -> a figure of the ratio of their times,
and one of the memory that either needs.

That memory is what is resident at the peak of one fit beyond what was just before it: of the worker that runs the cells, and of this
process. Either has given back to the system what it has free, so that no fit lives on what an earlier one left. Not counted are
the numbers that are fitted on, which are in memory before; what libraries took at an earlier fit and keep (threads, buffers of
linear algebra); and what a peer would take in processes that it starts. Below a MB or so a figure says nothing.
"""

import ctypes
import gc
import os
import statistics
import time
from pathlib import Path

from haetae_testing import memory_mb

THREADS = os.cpu_count()
UNIT = "ours/peer time"
# What Linux has to be told so that the peak of a process begins anew.
PEAK_ANEW = "5"
CELL = f"""
fn resident_mb(part: &str) -> Result<f64, Box<dyn std::error::Error>> {{
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(part)).ok_or("no such line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<f64>()? / 1024.0)
}}
fn resident_now_mb() -> Result<f64, Box<dyn std::error::Error>> {{
    unsafe extern "C" {{
        safe fn malloc_trim(pad: usize) -> i32;
    }}
    malloc_trim(0);
    std::fs::write("/proc/self/clear_refs", "{PEAK_ANEW}")?;
    resident_mb("VmRSS")
}}
"""


def ratio_of(name, short):
    return f"models.{name}_vs_{short}"


def peak_of(name):
    return f"models.{name}_peak_mb"


def unmeasured(context, name, short, aim, why, peaks=True):
    """The figures of a task without their values."""
    made = [context.figure(ratio_of(name, short), None, UNIT, aim=aim, note=why)]
    return [*made, context.figure(peak_of(name), None, "MB", note=why)] if peaks else made


class Pairs:
    """Ours and those of a peer: `short` is how figures call it, `where` on what both work. `peaks`: whether to measure memory."""

    def __init__(self, context, cells, short, peer, where=f"{THREADS} threads", peaks=True):
        self.context, self.cells, self.short, self.peer, self.where, self.peaks = context, cells, short, peer, where, peaks
        cells.kernel.ok(CELL)

    def figures(self, name, aim, n, ours, theirs, rows, quality, once=False):
        """`ours` and `theirs` take the number of the turn: a cell's code, and a function. One fit of either more, of which the
        memory is measured, stays for `quality`: ours as the variable `fitted`. It takes the number of turns and their fit,
        and says how good either was. `once`: these fits are all there are, and their times are taken."""
        n = 1 if once else self.context.repeat(n)
        pairs = [] if once else self.by_turns(n, ours, theirs)
        mine, memory = self.ours_measured(ours(0))
        peer, their_memory, fitted = self.theirs_measured(theirs)
        pairs = pairs or [(mine, peer)]
        said = quality(n, fitted)
        self.cells.kernel.ok("drop(fitted);")
        ratio = statistics.median(mine / peer for mine, peer in pairs)
        mine, peer = (statistics.median(side) for side in zip(*pairs))
        note = f"{rows}, {self.where}; ours {mine:.3f} s, theirs {peer:.3f} s; {said}"
        figure = self.context.figure
        made = [figure(ratio_of(name, self.short), ratio, UNIT, n=n, aim=aim, peer=self.peer, peer_value=1.0, note=note)]
        note = f"{rows}; what one fit has resident at its peak beyond what was before it"
        peak = figure(peak_of(name), memory, "MB", peer=self.peer, peer_value=their_memory, note=note)
        return [*made, peak] if self.peaks else made

    def by_turns(self, n, ours, theirs):
        """Seconds of either at each turn, after one of each that is not counted."""
        timed = lambda turn: self.cells.number(
            f"{{ let begun = std::time::Instant::now(); let fitted = {ours(turn)}; "
            "let seconds = begun.elapsed().as_secs_f64(); drop(fitted); seconds }"
        )
        timed(0), theirs(0)
        pairs = []
        for turn in range(n):
            mine = timed(turn)
            begun = time.monotonic()
            theirs(turn)
            pairs.append((mine, time.monotonic() - begun))
        return pairs

    def ours_measured(self, code):
        """Seconds and MB of one fit, which stays."""
        cell = (
            f"let before = resident_now_mb()?; let begun = std::time::Instant::now(); let fitted = {code}; "
            'let measured = [begun.elapsed().as_secs_f64(), resident_mb("VmHWM")? - before];'
        )
        self.cells.kernel.ok(cell, timeout=3600)
        return self.cells.take("&measured")

    def theirs_measured(self, fit):
        """As of ours, and the fit."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text(PEAK_ANEW)
        before = memory_mb("self", "VmRSS")
        begun = time.monotonic()
        fitted = fit(0)
        return time.monotonic() - begun, memory_mb("self") - before, fitted
