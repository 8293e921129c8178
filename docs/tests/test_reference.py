"""Pages that are made from the programs and the code are what these say. After a change, run with HAETAE_UPDATE_SNAPSHOTS=1."""

import os
import re
import subprocess
from pathlib import Path

import pytest
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


SOURCES = PAGE.parents[2] / "kernel/toolkit"
FUNCTION = re.compile(r"((?:^ *///.*\n)+)(?:^ *#\[.*\n)*^ *(pub fn (?:[^{;]|\n)*?) (?:where|\{)", re.MULTILINE)
# Page -> its head, and the files whose public functions it lists.
PAGES = {
    "features": (
        "# Features\n\nWhat `FeatureBuilder` can be told, made from the toolkit: do not edit this page. A feature of a row is "
        "made of that row\nand of what was known before its day; `fit` learns from rows, `transform` applies it to others.\n",
        ["features/src/builder.rs"],
    ),
    "metrics": (
        "# Metrics\n\nThe functions of `metrics`, made from the toolkit: do not edit this page. How they are put together in one "
        "evaluation\nwith its leakage audit: [models](models.md).\n",
        [f"models/src/metrics/{name}.rs" for name in ("mod", "probability", "classes")],
    ),
}


def described(path):
    """The public functions of a file, with what their documentation says, as Markdown."""
    for comment, signature in FUNCTION.findall((SOURCES / path).read_text()):
        lines = [re.sub(r"^ */// ?", "", line) for line in comment.splitlines()]
        text = "\n".join(re.sub(r"^# ", "### ", line) for line in lines)
        # Links of Rust's own documentation lead nowhere here.
        text = re.sub(r"\[(`[^`\]]+`)\](?:\([^)]*\))?", r"\1", text)
        name = re.search(r"fn (\w+)", signature)[1]
        shown = re.sub(r",? \)", ")", re.sub(r"\( ", "(", re.sub(r"\s+", " ", signature)))
        yield f"## `{name}`\n\n```text\n{shown}\n```\n\n{text}\n"


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_of_features_and_metrics_are_what_the_toolkit_says(name):
    head, sources = PAGES[name]
    found = [section for source in sources for section in described(source)]
    assert len(found) > 8
    page, path = "\n".join([head, *found]), PAGE.with_name(f"{name}.md")
    if os.environ.get("HAETAE_UPDATE_SNAPSHOTS"):
        path.write_text(page)
    assert path.read_text() == page, "run with HAETAE_UPDATE_SNAPSHOTS=1"
