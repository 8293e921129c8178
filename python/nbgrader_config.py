"""nbgrader's settings for Rust notebooks. `make setup` puts them in .venv/etc/jupyter, where nbgrader finds them; the
nbgrader_config.py of a course comes on top."""

from nbgrader.preprocessors import ClearSolutions

c = get_config()  # noqa: F821  (traitlets puts it there)

# A macro that fits every type: what a student has not written compiles, and fails when it is called.
RUST = "// YOUR CODE HERE\ntodo!();"

# All languages have to be named, those that nbgrader knows too.
c.ClearSolutions.code_stub = {**ClearSolutions().code_stub, "rust": RUST}
