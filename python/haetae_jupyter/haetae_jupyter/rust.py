"""Values of Python, as they come out of YAML or JSON, to `let` statements of Rust."""

import math
import unicodedata

LIMIT = 1 << 63
# Beyond it a float does not hold every whole number.
EXACT = 1 << 53
# The words of the 2024 edition that cannot name a variable.
WORDS = frozenset(
    "abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if "
    "impl in let loop macro match mod move mut override priv pub ref return self Self static struct super trait true "
    "try type typeof unsafe unsized use virtual where while yield".split()
)
EXPECTED = "a number, a text, true, false, null, or a list of these"
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class ParameterError(ValueError):
    """A parameter that has no form in Rust."""


def statement(name, value):
    """`let name: type = value;` on one line."""
    if not name.isidentifier() or name == "_" or name in WORDS:
        raise ParameterError(
            f"parameter {name!r}: expected a name that a variable of Rust can have: letters, digits and _, "
            "no digit at the beginning, and no word of the language"
        )
    try:
        kind = kind_of(value)
        return f"let {name}: {written_kind(kind)} = {literal(value, kind)};"
    except ParameterError as error:
        raise ParameterError(f"parameter {name!r}: {error}") from None


def kind_of(value):
    """The type of a value: a name of Rust, ("Vec", of), ("Option", of), or None where nothing tells."""
    if value is None:
        return ("Option", None)
    # bool comes first: in Python it is an int.
    for python, rust in [(bool, "bool"), (int, "i64"), (float, "f64"), (str, "String")]:
        if isinstance(value, python):
            return rust
    if isinstance(value, (list, tuple)):
        of = None
        for item in value:
            of = common(of, kind_of(item))
        return ("Vec", of)
    if isinstance(value, dict):
        raise ParameterError(f"found a table; expected {EXPECTED}. Give each field a parameter of its own")
    raise ParameterError(f"found a {type(value).__name__}; expected {EXPECTED}")


def common(one, other):
    """The type that holds values of both."""
    if one is None or one == other:
        return other
    if other is None:
        return one
    for option, plain in [(one, other), (other, one)]:
        if option[0] == "Option":
            return ("Option", common(option[1], plain[1] if plain[0] == "Option" else plain))
    if one[0] == other[0] == "Vec":
        return ("Vec", common(one[1], other[1]))
    if {one, other} == {"i64", "f64"}:
        return "f64"
    raise ParameterError(f"the list holds {written_kind(one)} and {written_kind(other)}; expected values of one type")


def written_kind(kind):
    # Text where nothing tells: an empty list, or a null alone.
    kind = kind or "String"
    return kind if isinstance(kind, str) else f"{kind[0]}<{written_kind(kind[1])}>"


def literal(value, kind):
    """A value as an expression of that type."""
    if kind is not None and kind[0] == "Option":
        return "None" if value is None else f"Some({literal(value, kind[1])})"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"vec![{', '.join(literal(item, kind[1]) for item in value)}]"
    return real(value) if kind == "f64" else whole(value)


def whole(value):
    if not -LIMIT <= value < LIMIT:
        raise ParameterError(f"{value} is too large for i64; give it as text, in quotes")
    return str(value)


def real(value):
    if isinstance(value, int) and abs(value) > EXACT:
        raise ParameterError(f"{value} stands among fractions, and f64 does not hold it exactly")
    value = float(value)
    if math.isnan(value):
        return "f64::NAN"
    if math.isinf(value):
        return "f64::INFINITY" if value > 0 else "f64::NEG_INFINITY"
    return repr(value)


def text(value):
    """Nothing in a text can end the literal: all that is not plainly visible is written by its number."""
    return f'"{"".join(map(character, value))}".to_string()'


def character(c):
    if c in ESCAPES:
        return ESCAPES[c]
    if unicodedata.category(c) == "Cs":
        raise ParameterError(f"the text holds half a character, U+{ord(c):04X}; expected Unicode text")
    # rustc refuses characters that turn the direction of writing; they are among those that cannot be seen.
    return c if c.isprintable() else f"\\u{{{ord(c):x}}}"
