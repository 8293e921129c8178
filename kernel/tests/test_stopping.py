"""The stop button, shutdown, restart, and cells that end their worker."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from haetae_cells import WAIT

LONG_QUERY = (
    "select count(*) from fact_item a cross join fact_item b cross join fact_item c "
    # Without a condition the number of rows would be known without counting.
    "where a.item_price_krw + b.item_price_krw + c.item_price_krw < 0"
)
INTERRUPTIBLE = {
    "printing": 'for i in 0.. { println!("{i}"); }',
    "asking": 'println!("on"); loop { stop_if_asked(); }',
    "a query": f'println!("on"); sql("{LONG_QUERY}")?;',
    "progress": '{ let mut bar = Progress::new("steps", usize::MAX); println!("on"); loop { bar.advance(1); } }',
}
FIT = """
let numbers: Vec<f64> = (0..20_000).map(|i: i32| f64::from(i * 7_919 % 10_007)).collect();
let answers: Vec<f64> = (0..20_000).map(|i: i32| f64::from((i * 31 + i / 7) % 2)).collect();
let features: FeatureMatrix = FeatureMatrix::new(vec!["x".to_string()], vec![numbers], vec![false])?;
"""


def stop_at(kernel, code, kind):
    """Presses stop when the cell has published a message of a kind; the cell, ended."""
    kernel.ok("let kept = 41;")
    cell = kernel.start(code)
    cell.until(kind)
    assert kernel.interrupt() == {"status": "ok"}
    return cell.end()


def assert_stopped_and_kept(kernel, cell):
    assert cell.reply["ename"] == "Interrupted", cell.reply
    assert [error["ename"] for error in cell.of("error")] == ["Interrupted"]
    assert cell.stderr == ""
    assert kernel.ok("kept + 1").text == "42"


@pytest.mark.parametrize("what", INTERRUPTIBLE)
def test_a_cell_that_listens_is_stopped_and_variables_stay(own, what):
    assert_stopped_and_kept(own, stop_at(own, INTERRUPTIBLE[what], "stream"))


def test_what_was_printed_before_the_stop_is_whole(own):
    cell = stop_at(own, 'for i in 0.. { println!("{i}"); }', "stream")
    lines = cell.stdout.splitlines()
    assert lines == [str(i) for i in range(len(lines))]


def test_a_fit_is_stopped_and_variables_stay(own):
    own.ok(FIT)
    # Each tree sees other rows, so that none is the last one that finds something to split.
    fit = 'println!("on"); LightGbm::params().trees(100_000).row_share(0.5).fit(&features, &answers)?;'
    assert_stopped_and_kept(own, stop_at(own, fit, "stream"))
    assert own.ok("features.rows()").text == "20000"


def test_an_sql_cell_is_stopped_and_the_next_query_works(own):
    assert_stopped_and_kept(own, stop_at(own, f"%%sql\n{LONG_QUERY}", "execute_input"))
    assert own.ok("%%sql\nselect 1 as one").text.startswith("shape: (1, 1)")
    assert own.ok('sql("select 2 as two")?.numbers("two")?[0]').text == "2.0"


# With `let`, a type check goes before the compilation proper.
@pytest.mark.parametrize("code", ['println!("ran");', 'let fresh = vec![1.5]; println!("ran {fresh:?}");'])
def test_a_cell_that_is_stopped_while_it_compiles_does_not_run(own, code):
    for _ in range(10):
        cell = stop_at(own, code, "execute_input")
        # On a busy machine the press may come when the cell is compiled.
        if cell.stdout == "":
            break
    assert cell.stdout == ""
    assert_stopped_and_kept(own, cell)


def test_a_cell_that_waits_for_input_is_stopped(own):
    own.ok("let kept = 41;")
    cell = own.start('let typed = input("never answered: ")?;')
    assert cell.question()["prompt"] == "never answered: "
    own.interrupt()
    assert_stopped_and_kept(own, cell.end())


def test_a_stopped_cell_aborts_what_is_queued_behind_it(own):
    cell, queued = own.start(INTERRUPTIBLE["asking"]), own.start("1 + 1")
    cell.until("stream")
    own.interrupt()
    assert cell.end().reply["ename"] == "Interrupted"
    assert queued.end().status == "aborted"


def test_a_cell_that_does_not_listen_survives_the_first_press(own, tmp_path):
    signal = tmp_path / "go on"
    wait = f'while !std::path::Path::new("{signal}").exists() {{ std::hint::spin_loop(); }}'
    # `println!` listens when it has printed, which may be after the press; `eprintln!` does not.
    cell = own.start(f'eprintln!("on"); {wait} 6 * 7')
    cell.until("stream")
    own.interrupt()
    signal.touch()
    assert cell.end().text == "42"


def test_a_cell_that_does_not_listen_is_ended_by_the_second_press(own):
    own.ok("struct Own; let gone = Own; let kept = 41;")
    cell = own.start('eprintln!("on"); loop { std::hint::spin_loop(); }')
    cell.until("stream")
    own.interrupt()
    own.interrupt()
    ended = cell.end()
    assert ended.reply["ename"] == "Interrupted", ended.reply
    back, _, lost = ended.reply["evalue"].partition("the others are gone: run the cells again that make ")
    assert "kept" in back and "gone" in lost and "kept" not in lost
    own.fails("gone", "CompileError", "gone")
    assert own.ok("kept + 1").text == "42"


@pytest.mark.parametrize("code", ["kept + 1", 'println!("on"); kept + 1', 'println!("on"); loop { println!("on"); }'])
@pytest.mark.parametrize("running", [False, True])
def test_two_presses_at_any_moment_tell_the_truth_about_the_variables(own, code, running):
    own.ok("let kept = 41;")
    cell = own.start(code)
    if running and "println" in code:
        cell.until("stream")
    elif "loop" in code:
        # Presses come over another socket: those that are there before the cell stop nothing, and it would never end.
        cell.until("execute_input")
    own.interrupt()
    own.interrupt()
    ended = cell.end()
    if ended.status == "error":
        assert ended.reply["ename"] == "Interrupted", ended.reply
    # Whenever the presses came: the worker is there, with what the answer says.
    assert own.ok("kept + 1").text == "42"


def test_a_stop_while_nothing_runs_changes_nothing(own):
    own.ok("let kept = 41;")
    for _ in range(3):
        assert own.interrupt() == {"status": "ok"}
    cell = own.ok('for i in 0..3 { println!("{i}"); stop_if_asked(); } kept')
    assert (cell.stdout, cell.text) == ("0\n1\n2\n", "41")


CRASHES = {
    "abort": ("std::process::abort();", "signal: 6"),
    # Not address 0, for which the compiler puts a check of its own in front of the write.
    "a wild write": ("unsafe { *std::ptr::null_mut::<u64>().wrapping_add(1) = 1; }", "signal: 11"),
    "recursion": ("fn deep(n: u64) -> u64 { if n == u64::MAX { 0 } else { deep(n + 1) + 1 } } deep(0)", "signal: 6"),
    "exit": ("std::process::exit(3);", "exit status: 3"),
}


@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_is_an_error_of_its_cell_and_the_next_one_works(own, crash):
    code, cause = CRASHES[crash]
    own.ok("struct Own; let gone = Own;")
    cell = own.run(f'println!("before");\n{code}')
    assert cell.reply["ename"] == "Crashed" and "run the cells again that make gone" in cell.reply["evalue"], cell.reply
    assert [error["ename"] for error in cell.of("error")] == ["Crashed"]
    assert cause in cell.traceback
    assert cell.stdout == "before\n"
    own.fails("gone", "CompileError", "gone")
    assert own.ok("40 + 2").text == "42"


def test_a_worker_that_ends_in_the_middle_of_a_picture_leaves_no_rest_behind(start):
    kernel = start()
    # What is left in the pipe when a process is ended while it sends a large picture.
    half = 'print!("\\x1b]haetae;{};1000000;{{", std::env::var("HAETAE_CHANNEL_KEY")?); std::process::exit(3);'
    assert kernel.run(half).reply["ename"] == "Crashed"
    assert kernel.ok('println!("whole"); 1').stdout == "whole\n"


@pytest.mark.parametrize("restart", [False, True])
def test_a_shutdown_is_answered_and_the_process_ends(start, restart):
    kernel = start()
    request = kernel.send("shutdown_request", {"restart": restart}, "control")
    assert request.reply()["content"] == {"status": "ok", "restart": restart}
    assert kernel.ended() == 0


def test_a_shutdown_ends_a_cell_that_does_not_listen(start):
    kernel = start()
    cell = kernel.start('println!("on"); loop { std::hint::spin_loop(); }')
    cell.until("stream")
    reply = kernel.send("shutdown_request", {"restart": False}, "control").reply()
    assert reply["content"]["status"] == "ok"
    assert kernel.ended() == 0


def test_a_restart_begins_anew(start):
    kernel = start()
    kernel.ok("let gone = 1;")
    kernel.restart()
    cell = kernel.run("gone")
    assert (cell.reply["ename"], cell.reply["execution_count"]) == ("CompileError", 1)
    assert kernel.ok("1 + 1").text == "2"


def gone(process, seconds=WAIT):
    """Whether a process that is not ours ends in time."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor):
        return bool(select.select([descriptor], [], [], seconds)[0])


def worker_of(process):
    [worker] = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
    return int(worker)


def test_a_kernel_whose_front_end_is_gone_ends():
    start = "import sys; sys.path.insert(0, sys.argv[1]); from haetae_testing import Kernel; kernel = Kernel()"
    busy = """cell = kernel.start('println!("on"); loop { std::hint::spin_loop(); }'); cell.until("stream")"""
    tell = "print(kernel.manager.provisioner.process.pid, flush=True); sys.stdin.read()"
    folder = str(Path(__file__).resolve().parents[2] / "python")
    command = [sys.executable, "-c", f"{start}\n{busy}\n{tell}", folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as front_end:
        kernel = int(front_end.stdout.readline())
        worker = worker_of(kernel)
        front_end.kill()
        assert gone(kernel) and gone(worker)


def test_a_worker_ends_with_its_kernel(start):
    kernel = start()
    cell = kernel.start('println!("on"); loop { std::hint::spin_loop(); }')
    cell.until("stream")
    process = kernel.manager.provisioner.process.pid
    worker = worker_of(process)
    os.kill(process, signal.SIGKILL)
    assert gone(worker)
