"""Commands that set something for later cells."""

import pytest

BAR = '{ let mut bar = Progress::new("rows", 4); for _ in 0..4 { bar.advance(1); } "done" }'


@pytest.fixture(autouse=True)
def as_before(kernel):
    yield
    kernel.ok("%opt 0")
    kernel.ok("%progress on")


def test_the_optimisation_level_is_said_and_set(kernel):
    assert kernel.ok("%opt").text == "cells are compiled at optimisation level 0"
    for level in "3120":
        assert kernel.ok(f"%opt {level}").text == f"cells are compiled at optimisation level {level}"


def test_a_level_reaches_the_compiler_and_variables_stay(kernel):
    kernel.ok("let kept = 41;")
    kernel.ok("%opt 3")
    manifest = 'std::fs::read_to_string(std::env::var("EVCXR_TMPDIR")? + "/Cargo.toml")?'
    assert kernel.ok(f'{manifest}.contains("opt-level = 3")').text == "true"
    kernel.ok("let fresh = vec![1.5, 2.5];")
    assert kernel.ok("kept + 1").text == "42"
    assert kernel.ok("fresh.iter().sum::<f64>()").text == "4.0"
    lines = [line.split() for line in kernel.ok("%vars").text.splitlines()]
    assert ["kept", "i32"] in lines


@pytest.mark.parametrize("level", ["4", "-1", "fast", "1 2"])
def test_another_level_is_refused(kernel, level):
    kernel.fails(f"%opt {level}", "MagicError", "%opt [0-3]")
    assert kernel.ok("%opt").text.endswith("level 0")


def test_bars_are_shown_unless_the_analyst_wants_none(kernel):
    assert kernel.ok("%progress").text == "progress bars are shown"
    assert kernel.ok("%progress off").text == "progress bars are not shown"
    cell = kernel.ok(BAR)
    assert (cell.of("display_data"), cell.of("update_display_data"), cell.text) == ([], [], '"done"')
    # What a cell shows under a name of its own is no bar.
    assert len(kernel.ok('Chart::line(&[1.0], &[1.0]).show_as("mine");').of("display_data")) == 1
    assert kernel.ok("%progress on").text == "progress bars are shown"
    assert len(kernel.ok(BAR).of("display_data")) == 1


def test_another_state_is_refused(kernel):
    kernel.fails("%progress perhaps", "MagicError", "%progress [on|off]")
