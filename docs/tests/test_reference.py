"""The page of command lines is what the programs say of themselves. After a change, run with HAETAE_UPDATE_SNAPSHOTS=1."""

import os
import re
import subprocess
from pathlib import Path

from haetae_testing import BIN

PAGE = Path(__file__).resolve().parent.parent / "reference/command-lines.md"
PROGRAMS = ["haetae-server", "haetae-kernel", "haetae-course", "haetae-synth"]
HEAD = """# Command lines

What `--help` of each program says, made from the programs: do not edit this page. They are in `~/.cache/haetae/target/debug`
after `make build`.
"""
COMMANDS = re.compile(r"^Commands:\n((?:  .*\n|\n(?=  ))+)", re.MULTILINE)


def help_of(words):
    done = subprocess.run([BIN / words[0], *words[1:], "--help"], capture_output=True, text=True, check=True)
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def sections(words):
    """The help of a command and of those below it, as Markdown."""
    text = help_of(words)
    yield f"{'#' * (len(words) + 1)} {' '.join(words)}\n\n```text\n{text}\n```\n"
    listed = COMMANDS.search(text + "\n")
    for name in re.findall(r"^  ([a-z]\S*)", listed[1], re.MULTILINE) if listed else []:
        if name != "help":
            yield from sections([*words, name])


def test_the_page_of_command_lines_is_what_the_programs_say():
    found = [section for program in PROGRAMS for section in sections([program])]
    assert len(found) > 20
    page = "\n".join([HEAD, *found])
    if os.environ.get("HAETAE_UPDATE_SNAPSHOTS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run with HAETAE_UPDATE_SNAPSHOTS=1"
