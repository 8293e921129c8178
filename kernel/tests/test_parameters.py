"""Parameters of a notebook as Rust. What these statements do in a kernel is in `test_clients.py`."""

import datetime
import math

import pytest
from haetae_jupyter.rust import ParameterError, statement

WRITTEN = [
    (3, "i64 = 3"),
    (-3, "i64 = -3"),
    ((1 << 63) - 1, "i64 = 9223372036854775807"),
    (-(1 << 63), "i64 = -9223372036854775808"),
    (1.5, "f64 = 1.5"),
    (2.0, "f64 = 2.0"),
    (-0.0, "f64 = -0.0"),
    (1e300, "f64 = 1e+300"),
    (5e-324, "f64 = 5e-324"),
    (math.inf, "f64 = f64::INFINITY"),
    (-math.inf, "f64 = f64::NEG_INFINITY"),
    (math.nan, "f64 = f64::NAN"),
    (True, "bool = true"),
    (False, "bool = false"),
    (None, "Option<String> = None"),
    ("", 'String = "".to_string()'),
    ("Busan", 'String = "Busan".to_string()'),
    ("해태 🦀", 'String = "해태 🦀".to_string()'),
    ([1, -2], "Vec<i64> = vec![1, -2]"),
    ([1, 2.5], "Vec<f64> = vec![1.0, 2.5]"),
    ([True], "Vec<bool> = vec![true]"),
    (["a"], 'Vec<String> = vec!["a".to_string()]'),
    ((1, 2), "Vec<i64> = vec![1, 2]"),
    ([], "Vec<String> = vec![]"),
    ([None, 1], "Vec<Option<i64>> = vec![None, Some(1)]"),
    ([2.5, None, 1], "Vec<Option<f64>> = vec![Some(2.5), None, Some(1.0)]"),
    ([None], "Vec<Option<String>> = vec![None]"),
    ([[], [1]], "Vec<Vec<i64>> = vec![vec![], vec![1]]"),
    ([[1], [None]], "Vec<Vec<Option<i64>>> = vec![vec![Some(1)], vec![None]]"),
]
# Each could end the literal, or the cell, or be refused by the compiler, if it stood there as it is.
ESCAPED = [
    ('"', r"\""),
    ("\\", r"\\"),
    ('"; std::process::exit(1); //', r"\"; std::process::exit(1); //"),
    ("a\nb\r\tc", r"a\nb\r\tc"),
    ("\n%%sql\ndrop table t", r"\n%%sql\ndrop table t"),
    ("\0\x1b\x7f", r"\u{0}\u{1b}\u{7f}"),
    ("\u202e\u2066\u200b\ufeff", r"\u{202e}\u{2066}\u{200b}\u{feff}"),
    ("\u2028\u0085", r"\u{2028}\u{85}"),
    ("{x} 'y' */", "{x} 'y' */"),
]
REFUSED = [
    ({"low": 1}, "found a table"),
    ([{"low": 1}], "found a table"),
    ([1, "a"], "the list holds i64 and String"),
    ([True, 1], "the list holds bool and i64"),
    ([[1], 2], "the list holds Vec<i64> and i64"),
    (1 << 63, "too large for i64"),
    ([(1 << 60), 0.5], "does not hold it exactly"),
    (datetime.date(2024, 3, 1), "found a date"),
    ("\ud800", "half a character"),
]


@pytest.mark.parametrize("value, written", WRITTEN)
def test_a_value_is_written_with_its_type(value, written):
    assert statement("x", value) == f"let x: {written};"


@pytest.mark.parametrize("value, escaped", ESCAPED)
def test_nothing_in_a_text_ends_it(value, escaped):
    assert statement("x", value) == f'let x: String = "{escaped}".to_string();'


@pytest.mark.parametrize("value, part", REFUSED)
def test_what_has_no_form_is_refused_by_its_name(value, part):
    with pytest.raises(ParameterError, match="parameter 'limits': .*" + part):
        statement("limits", value)


@pytest.mark.parametrize("name", ["", "1a", "a b", "a-b", "a; b", "a: u8 = 1; let b", "type", "self", "_", "a\nb"])
def test_a_name_that_no_variable_can_have_is_refused(name):
    with pytest.raises(ParameterError, match="expected a name"):
        statement(name, 1)


@pytest.mark.parametrize("name", ["month", "_month", "세관", "macro_rules", "r2"])
def test_other_names_are_kept(name):
    assert statement(name, 1) == f"let {name}: i64 = 1;"
