"""Programs of others that run our kernel: as processes of their own, which never outlive a test."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import nbformat
import psutil

BIN = Path(sys.executable).parent
# As after `source .venv/bin/activate`: nbgrader calls other programs of its environment.
PATH = f"{BIN}{os.pathsep}{os.environ['PATH']}"
# Seconds. A run takes a few; this one is only there so that nothing hangs for ever.
LIMIT = 180
KERNEL = {"name": "haetae", "display_name": "Rust (Haetae)", "language": "rust"}


def notebook(*cells, **metadata):
    """A notebook for our kernel. A cell is its code, or its code and the metadata of the cell."""
    cells = [cell if isinstance(cell, tuple) else (cell, {}) for cell in cells]
    made = [nbformat.v4.new_code_cell(code, metadata=about) for code, about in cells]
    return nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": KERNEL, **metadata})


def kill(pid):
    """Kills a process and the kernels that it has started, which a signal to the process would leave running."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [*process.children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()


def run(folder, *words, environment=None):
    """Runs a program of `.venv` in a folder; the completed process. Its kernels end with it, also where it hangs."""
    command = [str(BIN / words[0]), *map(str, words[1:])]
    # The user's settings must not decide a test.
    environment = {
        **os.environ, "PATH": PATH, "JUPYTER_CONFIG_DIR": str(folder / "no-settings"), **(environment or {})
    }
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        kill(process.pid)
        raise RuntimeError(f"{' '.join(command)} took longer than {LIMIT} s:\n{process.communicate()[0]}") from None
    return subprocess.CompletedProcess(command, process.returncode, output)


def good(folder, *words, **options):
    """Like `run`, of what must succeed; what it printed."""
    done = run(folder, *words, **options)
    assert done.returncode == 0, f"{' '.join(done.args)}: {done.returncode}\n{done.stdout}"
    return done.stdout
