"""On what, and of what, the figures are."""

import os
import subprocess


def machine():
    """Cores that this process may use, memory in GiB, and the name of the first GPU."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": len(os.sched_getaffinity(0)), "memory_gb": round(memory), "gpu": gpu()}


def gpu():
    words = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        names = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    return names[0] if names else None


def commit(root):
    """The commit of the checkout, with `+` where tracked files differ from it."""
    words = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "none"
