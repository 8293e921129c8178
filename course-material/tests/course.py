"""The course's notebooks, by their cells; and the checks in them, opened."""

import base64
import json
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOKS = ROOT / "notebooks/course"
MODULES = sorted(path.name for path in (ROOT / "course-material/modules").iterdir())
SEALED = re.compile(r'course::check(_frame)?\("(q\d+)", (?:&q\d+, )?"([^"]+)"\)')


def cells(module, part):
    """The cells of a notebook by their ids, in order."""
    notebook = nbformat.read(NOTEBOOKS / module / f"{part}.ipynb", as_version=4)
    return {cell.id: cell for cell in notebook.cells}


def code(module, part):
    """The texts of the cells that are run."""
    return {name: cell.source for name, cell in cells(module, part).items() if cell.cell_type == "code"}


def opened(sealed):
    """A check, from the text in its cell: the inverse of `seal` in haetae-check, written a second time."""
    state, plain = 0x9E3779B9, bytearray()
    for byte in base64.b64decode(sealed + "=" * (-len(sealed) % 4)):
        state = (state * 1664525 + 1013904223) % 2**32
        plain.append(byte ^ state >> 24)
    return json.loads(plain[4:])


LANGUAGES = [
    tuple(line.split()) for line in (ROOT / "course-material/languages").read_text().splitlines() if not line.startswith("#")
]


def checks(module, part="exercise"):
    """Question -> its sealed text and the check in it."""
    found = {}
    for source in code(module, part).values():
        for _, name, sealed in SEALED.findall(source):
            found[name] = (sealed, opened(sealed))
    return found


def frames(module):
    """The questions whose answers are frames, made by Rust."""
    return {name for source in code(module, "exercise").values() for frame, name, _ in SEALED.findall(source) if frame}
