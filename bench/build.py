"""`make test` in a fresh clone: once with nothing compiled and nothing installed in the clone, once again."""

import os
import subprocess
import tempfile
import time
from pathlib import Path


def minutes_of_tests(clone, environment):
    begun = time.monotonic()
    done = subprocess.run(["make", "test"], cwd=clone, env=environment)
    if done.returncode:
        raise RuntimeError(f"`make test` in a fresh clone failed with exit status {done.returncode}")
    return (time.monotonic() - begun) / 60


def figures(context):
    # The last would run more than `make test` does.
    hidden = ("VIRTUAL_ENV", "HAETAE_BIN", "MAKEFLAGS", "CARGO_MAKEFLAGS", "HAETAE_RUN_ALL")
    with tempfile.TemporaryDirectory(prefix="haetae-build-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(context.root), str(clone)], check=True)
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        own = str(context.root / ".venv" / "bin")
        environment["PATH"] = os.pathsep.join(p for p in environment["PATH"].split(os.pathsep) if p != own)
        environment["CARGO_TARGET_DIR"] = str(Path(folder) / "target")
        cold = minutes_of_tests(clone, environment)
        warm = minutes_of_tests(clone, environment)
    note = "of the last commit; crates and wheels may come from the caches of cargo and pip"
    return [
        context.figure("build.cold_test_min", cold, "min", aim="<= 60", note=note),
        context.figure("build.warm_test_min", warm, "min", aim="<= 15"),
    ]
