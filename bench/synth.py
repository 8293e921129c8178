"""The generator of the demo data: one million declared lines, from nothing to files on the disk."""

import statistics
import subprocess
import tempfile
import time

ITEMS = 1_000_000


def seconds(program, items):
    """Wall time of one run into a fresh folder; the files are synced before the program ends."""
    with tempfile.TemporaryDirectory(prefix="haetae-synth-") as home:
        command = [program, "--seed", "7", "--items", str(items), "--out", f"{home}/demo"]
        begun = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        elapsed = time.monotonic() - begun
    if done.returncode != 0:
        raise RuntimeError(f"haetae-synth failed: {done.stderr.strip()}")
    if f"{items} items" not in done.stdout:
        raise RuntimeError(f"haetae-synth was to make {items} items and said: {done.stdout.strip()}")
    return elapsed


def figures(context):
    program = context.bin / "haetae-synth"
    runs = [seconds(program, ITEMS) for _ in range(context.repeat(3))]
    return [context.figure("synth.million_items_s", statistics.median(runs), "s", n=len(runs), aim="<= 20")]
