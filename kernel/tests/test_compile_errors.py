"""What the compiler says of a cell: where the mistake is, in the author's own lines, and how to mend it."""

import pytest

TYPED = 'let rate: f64 = "0.08";'
COUNTED = "let mut total = 0;\nfor item in 1..4 {\n    totl += item;\n}\ntotal"


def test_an_error_points_at_its_place_in_the_cell(kernel):
    cell = kernel.fails(TYPED, "CompileError", "mismatched types")
    lines = cell.traceback.splitlines()
    assert lines[0] == "CompileError: mismatched types"
    assert lines[1] == "error[E0308]: mismatched types"
    at = lines.index(f"1 | {TYPED}")
    marks = [line for line in lines[at:] if "^" in line]
    assert any(line.index("^") == f"1 | {TYPED}".index('"0.08"') for line in marks), lines
    assert any("expected `f64`, found `&str`" in line for line in marks)


def test_the_line_is_the_one_of_the_cell(kernel):
    cell = kernel.fails(COUNTED, "CompileError", "totl")
    assert "3 |     totl += item;" in cell.traceback
    assert "total" in cell.traceback.split("help:")[1]


@pytest.mark.parametrize("code", [TYPED, COUNTED, "let x = vec![1]; x.push(2); x", "frame(1)", "1 +", "fn f( {"])
def test_nothing_of_the_generated_code_is_shown(kernel, code):
    cell = kernel.fails(code, "CompileError", "")
    for generated in ["evcxr", "haetae_checked_cell", "cell.rs", "src/lib.rs", "brought_back"]:
        assert generated not in cell.traceback


def test_colors_are_those_of_the_theme(kernel):
    cell = kernel.fails(TYPED, "CompileError", "")
    assert cell.reply["traceback"][0].startswith("\x1b[1;31mCompileError\x1b[0m")
    text = "\n".join(cell.reply["traceback"])
    # Each color is one of the terminal's own, and is switched off again.
    assert text.count("\x1b[0m") == sum(text.count(f"\x1b[{code}m") for code in ["1;31", "34", "32"]) == text.count("\x1b[") / 2


def test_a_type_and_its_value_in_one_cell(kernel):
    assert kernel.ok("struct Parcel(i32); let parcel = Parcel(3); parcel.0").text == "3"
    kernel.ok("let parcels = vec![Parcel(1), Parcel(2)]; let first = Some(Parcel(5));")
    assert kernel.ok("parcels.len() + first.map_or(0, |parcel| parcel.0 as usize)").text == "7"


WARNED = {
    "an answer that is thrown away": ('sql("select 1 as one");', "that must be used"),
    "a name that is not used": ("fn twice(number: i32) -> i32 { 2 }", "unused variable: `number`"),
    "code that is never reached": ("fn early() -> i32 { return 1; 2 }", "unreachable"),
}


@pytest.mark.parametrize("what", WARNED)
def test_a_warning_is_folded_and_not_on_stderr(kernel, what):
    code, text = WARNED[what]
    cell = kernel.ok(f"// {what}\n{code}")
    assert cell.stderr == cell.stdout == ""
    [shown] = cell.of("display_data")
    assert text in shown["data"]["text/plain"] and "2 | " in shown["data"]["text/plain"]
    html = shown["data"]["text/html"]
    assert html.startswith("<details><summary>1 warning") and "<script" not in html


@pytest.mark.parametrize(
    "code",
    [
        "let quiet = 1;", "1 + 1", "use std::fmt;", "let mut quiet = 2;", "let _ = sql(\"select 1 as a\");",
        "let given = vec![1];\nlet taken = given;", "let given = vec![1];\nlet taken = given;\ntaken.len()",
    ],
)
def test_a_cell_without_a_fault_has_no_warnings(kernel, code):
    assert kernel.ok(code).of("display_data") == []


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ('let n = 5; n + 1.5', 1, 13),
        ('let first = sql("select 1 as a");\nfirst.height()', 2, 6),
        ('let v = vec![1]; let w = v; v.len()', 1, 28),
        ('let 값 = 5;\nlet f = |x: i32| x;\n값.nothing()', 3, 2),
    ],
)
def test_the_mark_is_below_its_place_in_the_last_expression(kernel, code, line, column):
    lines = kernel.fails(code, "CompileError", "").traceback.splitlines()
    at = lines.index(f"{line} | {code.splitlines()[line - 1]}")
    marks = [mark for mark in lines[at:] if "^" in mark]
    assert marks and marks[0].index("^") == len(f"{line} | ") + column, lines


def test_advice_stands_in_one_line(kernel):
    cell = kernel.fails("let count = 1;\ncounts", "CompileError", "counts")
    assert "help: a local variable with a similar name exists: `count`" in cell.traceback.splitlines()


def test_a_variable_that_was_given_away_is_remembered(kernel):
    kernel.ok('let df = sql("select 1 as a")?;')
    kernel.ok("df.lazy().collect()?")
    cell = kernel.fails("df.height()", "CompileError", "df")
    assert "help: `df` is there no longer" in cell.traceback and "`df.clone()`" in cell.traceback
    kernel.ok('let df = sql("select 1 as a")?;')
    assert kernel.ok("df.height()").text == "1"


def test_a_missing_mut_is_named(kernel):
    code = 'let bar = Progress::new("lines", 4);\nfor line in 0..4 {\n    bar.set(line);\n}'
    cell = kernel.fails(code, "CompileError", "cannot borrow `bar` as mutable")
    assert "3 |     bar.set(line);" in cell.traceback and "help:" in cell.traceback


@pytest.mark.parametrize("code", ["select count(*) from fact_item", "WITH a AS (select 1)\nselect * from a"])
def test_a_query_in_a_rust_cell_is_told_where_it_belongs(kernel, code):
    assert "whose first line is `%%sql`" in kernel.fails(code, "CompileError", "").traceback


@pytest.mark.parametrize(
    ("code", "place"),
    [("let empty: Vec<i32> = vec![];\nlet n: usize = 1;\nempty[n]", "at line 3: empty[n]"), ("None::<i32>.unwrap()", "at line 1: ")],
)
def test_a_panic_names_the_line_of_the_cell(kernel, code, place):
    assert place in kernel.fails(code, "panic", "").traceback


def test_a_list_of_everything_that_would_have_fitted_is_left_out(kernel):
    cell = kernel.fails("let rate = 0.08; 12000 * rate", "CompileError", "cannot multiply")
    assert "other types implement" not in cell.traceback
