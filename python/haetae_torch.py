"""PyTorch, where there is one: for tests and benchmarks that set our nets beside its own.

Its wheels take gigabytes, so it is no part of the test environment: `make release-test` installs it into `pytorch` of .venv, and
`HAETAE_TORCH_DIR` may name another folder that `pip install --target` has put it into.
"""

import os
import sys
from pathlib import Path

NO_TORCH = (
    "PyTorch is not there: its wheels are too large for the test environment; `make release-test` installs it, or "
    "HAETAE_TORCH_DIR may name a folder with it"
)


def torch_of_machine(threads):
    """The module; None where it cannot be had."""
    folder = os.environ.get("HAETAE_TORCH_DIR") or str(Path(sys.prefix) / "pytorch")
    if folder not in sys.path:
        # Behind all others: what else lies there must not come before what is installed here.
        sys.path.append(folder)
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    return torch
