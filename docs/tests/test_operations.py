"""The commands of the page on operations that are marked so, run one after the other in an empty folder."""

import os
import re
import subprocess
from pathlib import Path

from haetae_testing import BIN

PAGE = Path(__file__).resolve().parent.parent / "operations.md"
BLOCK = re.compile(r"^```sh\n# run\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_what_the_page_says_can_be_done(tmp_path):
    blocks = BLOCK.findall(PAGE.read_text())
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    said = []
    for block in blocks:
        done = subprocess.run(["bash", "-euc", block], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    load, housekeeping, backup, restore = said
    assert "2,000 rows" in load or "2000 rows" in load
    assert "is safe on the disk" in load
    assert "removed" in housekeeping
    versions = housekeeping[housekeeping.index("version  committed") :].split()
    assert backup.split() == versions
    assert restore.split()[: len(versions)] == versions
    assert "already" in restore[restore.rindex("fact_item") - 200 :]
