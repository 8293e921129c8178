"""nbgrader's settings for Rust notebooks. `make setup` puts them in .venv/etc/jupyter, where nbgrader finds them; the
nbgrader_config.py of a course comes on top."""

import re

from nbgrader.preprocessors import ClearSolutions

c = get_config()  # noqa: F821  (traitlets puts it there)

# A macro that fits every type: what a student has not written compiles, and fails when it is called.
RUST = "// YOUR CODE HERE\ntodo!();"

# All languages have to be named, those that nbgrader knows too.
c.ClearSolutions.code_stub = {**ClearSolutions().code_stub, "rust": RUST}

# What an answer of the course holds before it is one; course-material/src/build.rs has the same words.
SQL = "-- YOUR QUERY HERE\nselect 'write your query here' as todo"
FRAME = "// YOUR CODE HERE\nDataFrame::empty()"
replace = ClearSolutions._replace_solution_region


def replace_in_its_language(self, cell, language):
    """A cell that begins with `%%sql` is SQL, whatever the language of its notebook; one that makes `q1` wants a frame."""
    stub = SQL if cell.source.startswith("%%sql") else FRAME if re.match(r"let q\d+: DataFrame = ", cell.source) else None
    if stub is None:
        return replace(self, cell, language)
    stubs = self.code_stub
    self.code_stub = {**stubs, language: stub}
    try:
        return replace(self, cell, language)
    finally:
        self.code_stub = stubs


ClearSolutions._replace_solution_region = replace_in_its_language
