"""`%dep`: crates beside the toolkit. All of them lie on the disk: the tests have no network."""

import pytest


def make_crate(folder, name, code, manifest=""):
    """A crate in a folder of its own; the folder."""
    path = folder / name
    (path / "src").mkdir(parents=True)
    (path / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "0.3.1"\nedition = "2024"\n{manifest}'
    )
    (path / "src/lib.rs").write_text(code)
    return path


@pytest.fixture(scope="module")
def lone(data_folder, tmp_path_factory):
    """A kernel with a cache of its own."""
    from haetae_testing import Kernel

    kernel = Kernel({"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))})
    yield kernel
    kernel.stop()


COUNTER = """
#[derive(Debug, Clone, PartialEq)]
pub struct Counter { pub n: u32 }
impl Counter {
    pub fn new() -> Self { Counter { n: 40 } }
    pub fn more(&mut self, by: u32) -> u32 { self.n += by; self.n }
}
"""


def test_a_crate_is_there_for_later_cells_and_their_variables(lone, tmp_path):
    folder = make_crate(tmp_path, "my-counter", COUNTER)
    lone.fails("my_counter::Counter::new()", "CompileError", "my_counter")
    lone.ok("let kept = 1;")
    cell = lone.ok(f"%dep {folder}")
    assert cell.text == "cells now see my_counter 0.3.1"
    assert (cell.stdout, cell.stderr) == ("", "")
    [first], updates = cell.of("display_data"), cell.of("update_display_data")
    assert {shown["transient"]["display_id"] for shown in updates} <= {first["transient"]["display_id"]}
    assert ": 100 % (1 of 1)" in [first, *updates][-1]["data"]["text/plain"]
    # Without a type: the kernel asks the compiler, which must know the crate too.
    lone.ok("let mut counter = my_counter::Counter::new();")
    assert lone.ok("counter.more(2) as i32 + kept").text == "43"
    lone.ok("use my_counter::Counter;\nlet another = Counter::new();")
    assert lone.ok("another == counter").text == "false"
    assert any(line.split()[0] == "counter" for line in lone.ok("%vars").text.splitlines())
    reply = lone.ask("inspect_request", {"code": "another", "cursor_pos": 3, "detail_level": 0})
    assert "Counter" in reply["data"]["text/plain"]


def test_the_same_crate_once_more_is_no_build_and_another_form_is_refused(lone, tmp_path):
    folder = make_crate(tmp_path, "twice", "pub fn two() -> i32 { 2 }", "[features]\nextra = []\n")
    lone.ok(f'%dep twice = {{ path = "{folder}" }}')
    cell = lone.ok(f'%dep twice = {{ path = "{folder}" }}')
    assert (cell.text, cell.of("display_data")) == ("cells already see twice 0.3.1", [])
    lone.fails(f'%dep twice = {{ path = "{folder}", features = ["extra"] }}', "DependencyError", "restart the kernel")
    assert lone.ok("twice::two()").text == "2"


def test_features_and_crates_behind_a_crate(lone, tmp_path):
    make_crate(tmp_path, "deep", "pub const DEEP: i32 = 40;\n#[macro_export] macro_rules! two { () => { 2 } }")
    manifest = '[features]\nextra = []\n[dependencies]\ndeep = { path = "../deep" }\n'
    code = '#[cfg(feature = "extra")] pub fn extra() -> i32 { deep::DEEP + deep::two!() }\npub use deep;'
    outer = make_crate(tmp_path, "outer", code, manifest)
    lone.ok(f'%dep outer = {{ path = "{outer}", features = ["extra"] }}')
    assert lone.ok("outer::extra()").text == "42"
    assert lone.ok("outer::deep::DEEP").text == "40"


def test_a_crate_survives_a_crash_and_the_optimisation_level(lone, tmp_path):
    folder = make_crate(tmp_path, "stays", "pub fn answer() -> i32 { 42 }")
    lone.ok(f"%dep {folder}")
    assert lone.run("std::process::abort();").reply["ename"] == "Crashed"
    assert lone.ok("stays::answer()").text == "42"
    cell = lone.ok("%opt 3")
    assert lone.ok("stays::answer()").text == "42"
    lone.ok("%opt 0")
    assert cell.of("display_data") == []


@pytest.mark.parametrize(
    "wanted, parts",
    [
        ("polars", ["polars 0.", "part of the toolkit", "haetae::polars"]),
        ('polars = { version = "0.50", features = ["lazy"] }', ["polars 0.", "haetae::polars"]),
        ("serde_json", ["serde_json 1.", "haetae::serde_json"]),
        ("tokio", ["tokio 1.", "without any `use`"]),
        ("haetae", ["every cell sees it"]),
        ("no-such-crate-on-this-machine", ["not found on this machine", "--online"]),
        ("/no/such/folder", ["cannot open the folder /no/such/folder"]),
    ],
)
def test_a_crate_that_cannot_be_added_is_an_error_with_a_reason(lone, wanted, parts):
    cell = lone.fails(f"%dep {wanted}", "DependencyError", parts[0])
    assert all(part in cell.reply["evalue"] for part in parts)
    assert lone.ok("40 + 2").text == "42"


def test_a_crate_that_does_not_compile_says_where_and_leaves_nothing_behind(lone, tmp_path):
    folder = make_crate(tmp_path, "wrong", "pub fn wrong() -> i32 { undefined_name }")
    cell = lone.fails(f"%dep {folder}", "DependencyError", "wrong does not compile")
    details = "\n".join(cell.reply["traceback"])
    assert "undefined_name" in details and "src/lib.rs:1" in details
    good = make_crate(tmp_path, "good", "pub fn good() -> i32 { 1 }")
    lone.ok(f"%dep {good}")
    assert lone.ok("good::good()").text == "1"
    # Mended, it can be added.
    (folder / "src/lib.rs").write_text("pub fn wrong() -> i32 { 3 }")
    lone.ok(f"%dep {folder}")
    assert lone.ok("wrong::wrong() + good::good()").text == "4"


def test_a_program_is_no_crate_for_cells(lone, tmp_path):
    folder = make_crate(tmp_path, "program", "")
    (folder / "src/lib.rs").rename(folder / "src/main.rs")
    (folder / "src/main.rs").write_text("fn main() {}")
    lone.fails(f"%dep {folder}", "DependencyError", "no library")


def test_a_build_is_stopped_and_cells_go_on(lone, tmp_path):
    code = "fn main() { std::fs::write(std::env::var(\"MARK\").unwrap_or_default(), \"\").ok(); loop {} }"
    folder = make_crate(tmp_path, "endless", "pub fn never() {}")
    (folder / "build.rs").write_text(code)
    lone.ok("let kept_through = 41;")
    cell = lone.start(f"%dep {folder}")
    # The bar says that something is compiled.
    cell.until("display_data")
    lone.interrupt()
    ended = cell.end()
    assert ended.reply["ename"] == "Interrupted" and "nothing was added" in ended.reply["evalue"]
    assert lone.ok("kept_through + 1").text == "42"
    lone.fails("endless::never()", "CompileError", "endless")


def test_bars_can_be_switched_off(lone, tmp_path):
    folder = make_crate(tmp_path, "silent", "pub fn one() -> i32 { 1 }")
    lone.ok("%progress off")
    assert lone.ok(f"%dep {folder}").of("display_data") == []
    lone.ok("%progress on")


@pytest.mark.parametrize("argument", ["", "a b", "a = 1", "a = {", "--online"])
def test_a_mistake_says_how_it_is_used(lone, argument):
    lone.fails(f"%dep {argument}", "MagicError", "%dep [--online] CRATE")
