"""The peer evcxr_jupyter, with polars as our cells have it. It is built once, into the user's cache, and keeps what its
cells have compiled; the user's own kernels and settings are not touched."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import tomllib
from pathlib import Path

from haetae_testing import CACHE

ROOT = Path(__file__).resolve().parent.parent
VERSION = "0.22.0"
NAME = f"evcxr_jupyter {VERSION}"
FOLDER = CACHE / "haetae/peers" / f"evcxr_jupyter-{VERSION}"
PROGRAM = FOLDER / "bin/evcxr_jupyter"
# The versions that polars was compiled with: a newer one of a small crate would have it compiled anew.
LOCK = FOLDER / "Cargo.lock"
# Seconds: it compiles polars when a notebook names it for the first time.
FIRST_CELL = 3 * 3600


class Unavailable(Exception):
    """Why there is nothing to measure."""


def install(quick):
    """Builds the program where it is missing."""
    if PROGRAM.exists():
        return
    if quick:
        raise Unavailable(f"{NAME} is not built yet: a run without HAETAE_BENCH_QUICK builds it")
    print(f"  building {NAME} …", flush=True)
    with tempfile.TemporaryDirectory() as build:
        words = ["cargo", "install", "evcxr_jupyter", "--version", f"={VERSION}", "--locked", "--root", str(FOLDER)]
        done = subprocess.run([*words, "--target-dir", build], env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"{NAME} was not built: {done.stderr.strip().splitlines()[-1]}")


def kernels():
    """A folder of kernels with this one alone; its name there is `evcxr`."""
    folder = FOLDER / "kernels"
    (folder / "evcxr").mkdir(parents=True, exist_ok=True)
    spec = {
        "argv": [str(PROGRAM), "--control_file", "{connection_file}"],
        "display_name": "evcxr", "language": "rust", "interrupt_mode": "message",
    }
    (folder / "evcxr/kernel.json").write_text(json.dumps(spec))
    return folder


def environment():
    """Of its process: cells compile with our compiler, in a folder that is there again next time, and with no settings
    but the usual ones."""
    ours = ["CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTC_WRAPPER"]
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    compiler = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    return {
        **kept, "RUSTUP_TOOLCHAIN": compiler, "EVCXR_TMPDIR": str(work()), "EVCXR_CONFIG_DIR": str(FOLDER / "no-settings"),
        # Cells look for the standard library relative to where they lie, which is off by one folder where that and the
        # toolchain are both below the home folder.
        "LD_LIBRARY_PATH": subprocess.check_output(["rustc", "--print", "target-libdir"], text=True).strip(),
        # Where there is a kernel `rust` of the user, it would bring that up to date.
        "JUPYTER_PATH": str(FOLDER / "no-kernels"),
    }


def work():
    folder = FOLDER / "work"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def same_versions():
    """Before the program starts: it makes its crate anew, and cargo then keeps to the versions that it finds."""
    if LOCK.exists():
        shutil.copy(LOCK, work() / "Cargo.lock")


def first_cell():
    """Names polars with our features, as an analyst has to."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    polars = manifest["workspace"]["dependencies"]["polars"]
    features = ", ".join(f'"{name}"' for name in polars["features"])
    given = f'version = "{polars["version"]}", default-features = false, features = [{features}]'
    return f":dep polars = {{ {given} }}\nuse polars::prelude::*;"


def begin(run, quick):
    """Runs the first cell; seconds that it took when it compiled polars, which is remembered for later runs."""
    cell, built = first_cell(), FOLDER / "built.json"
    known = json.loads(built.read_text()) if built.exists() else {}
    if known.get("cell") != cell:
        if quick:
            raise Unavailable(f"{NAME} has not compiled polars yet: a run without HAETAE_BENCH_QUICK does")
        print(f"  {NAME} compiles polars …", flush=True)
    begun = time.monotonic()
    try:
        run(cell, FIRST_CELL)
    except RuntimeError as error:
        raise Unavailable(f"{NAME} did not compile polars: {error}") from None
    if known.get("cell") != cell:
        known = {"cell": cell, "seconds": time.monotonic() - begun}
        built.write_text(json.dumps(known))
        shutil.copy(work() / "Cargo.lock", LOCK)
    return known["seconds"]
