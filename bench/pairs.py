"""Fits of ours, in cells of the kernel, beside a peer's in Python: a fit of either by turns -> the figure of their ratio."""

import os
import statistics
import time

THREADS = os.cpu_count()
UNIT = "ours/peer time"


class Pairs:
    """Ours and those of a peer: `short` is how figures call it, `where` on what both work."""

    def __init__(self, context, cells, short, peer, where=f"{THREADS} threads"):
        self.context, self.cells, self.short, self.peer, self.where = context, cells, short, peer, where

    def figure(self, name, aim, n, ours, theirs, rows, quality):
        """`ours` and `theirs` take the number of the turn: a cell's code, whose value stays as `fitted`, and a function.
        `quality` takes the number of turns, and says how good either was."""
        timed = lambda turn: self.cells.number(
            f"{{ let begun = std::time::Instant::now(); let fitted = {ours(turn)}; "
            "let seconds = begun.elapsed().as_secs_f64(); drop(fitted); seconds }"
        )
        timed(0), theirs(0)
        n = self.context.repeat(n)
        pairs = []
        for turn in range(n):
            mine = timed(turn)
            begun = time.monotonic()
            theirs(turn)
            pairs.append((mine, time.monotonic() - begun))
        ratio = statistics.median(mine / peer for mine, peer in pairs)
        mine, peer = (statistics.median(side) for side in zip(*pairs))
        note = f"{rows}, {self.where}; ours {mine:.3f} s, theirs {peer:.3f} s; {quality(n)}"
        return self.context.figure(
            self.called(name), ratio, UNIT, n=n, aim=aim, peer=self.peer, peer_value=1.0, note=note
        )

    def none(self, name, aim, why):
        """The same figure without a value."""
        return self.context.figure(self.called(name), None, UNIT, aim=aim, note=why)

    def called(self, name):
        return f"models.{name}_vs_{self.short}"
