"""Parameters of Rust notebooks, written and read for papermill, which imports this module with its engines."""

import re

from papermill.engines import NBClientEngine
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

from .rust import statement

DECLARED = re.compile(
    r"^\s*let\s+(?:mut\s+)?(?P<name>\w+)\s*(?::(?P<type>[^=]+))?=\s*(?P<default>.+?)\s*;\s*(?://\s*(?P<help>.*))?$"
)


class RustTranslator(Translator):
    """Parameters, to the cell that papermill puts behind the cell with the tag `parameters`."""

    @classmethod
    def comment(cls, cmt_str):
        return "\n".join(f"// {line}" for line in cmt_str.splitlines())

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [cls.comment(comment), *(statement(name, value) for name, value in parameters.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        found = filter(None, map(DECLARED.match, parameters_cell["source"].splitlines()))
        return [
            Parameter(one["name"], (one["type"] or "None").strip(), one["default"], (one["help"] or "").strip())
            for one in found
        ]


class Engine(NBClientEngine):
    """Runs notebooks as papermill always does."""


papermill_translators.register("rust", RustTranslator)
