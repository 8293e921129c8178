"""The cells that README and guides show run as they stand there, one after the other."""

import re
from pathlib import Path

import pytest
from haetae_testing import Kernel

ROOT = Path(__file__).resolve().parent.parent.parent
CELL = re.compile(r"^```(?:rust|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


PAGES = [
    "README.md",
    "docs/getting-started.md",
    "docs/guides/first-notebook.md",
    "docs/guides/models.md",
    "docs/guides/risk.md",
    "docs/roles/analyst.md",
    "docs/roles/data-scientist.md",
    "docs/roles/officer.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_cells_of_a_page_run(page, server):
    cells = CELL.findall((ROOT / page).read_text())
    assert cells, page
    kernel = Kernel(server.environment)
    try:
        for code in cells:
            cell = kernel.ok(code)
            assert cell.stderr == ""
            shown = cell.of("execute_result") + cell.of("display_data")
            assert shown, f"a cell of {page} shows nothing:\n{code}"
    finally:
        kernel.stop()
