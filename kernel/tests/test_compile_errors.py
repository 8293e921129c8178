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


@pytest.mark.parametrize("code", ["let quiet = 1;", "1 + 1", "use std::fmt;", "let mut quiet = 2;", "let _ = sql(\"select 1 as a\");"])
def test_a_cell_without_a_fault_has_no_warnings(kernel, code):
    assert kernel.ok(code).of("display_data") == []
