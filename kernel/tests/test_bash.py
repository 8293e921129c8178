"""`%%bash`: off unless whoever starts the kernel allows it; then live, and ended with all it has started."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def shell(data_folder):
    from haetae_testing import Kernel

    kernel = Kernel({"HAETAE_ALLOW_BASH": "1"})
    yield kernel
    kernel.stop()


def alive(process):
    """Whether a process runs: one that has ended and is not yet waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_script_is_refused_where_nobody_has_allowed_it(kernel, tmp_path):
    trace = tmp_path / "trace"
    kernel.fails(f"%%bash\ntouch {trace}", "NotAllowed", "HAETAE_ALLOW_BASH=1")
    assert not trace.exists()


@pytest.mark.parametrize("value", ["0", "", "yes"])
def test_only_one_value_allows_it(start, value):
    start({"HAETAE_ALLOW_BASH": value}).fails("%%bash\ntrue", "NotAllowed", "HAETAE_ALLOW_BASH=1")


def test_a_cell_cannot_allow_it(kernel):
    kernel.ok('unsafe { std::env::set_var("HAETAE_ALLOW_BASH", "1") };')
    kernel.fails("%%bash\ntrue", "NotAllowed", "HAETAE_ALLOW_BASH=1")


def test_both_streams_of_a_script(shell):
    cell = shell.ok("%%bash\nfor i in 1 2; do echo \"$i $(printf '세관')\"; done\necho wrong >&2")
    assert (cell.stdout, cell.stderr) == ("1 세관\n2 세관\n", "wrong\n")


def test_an_exit_status_is_an_error(shell):
    cell = shell.fails("%%bash\necho before\nexit 3", "BashError", "exit status: 3")
    assert cell.stdout == "before\n"
    shell.fails("%%bash\nkill -9 $$", "BashError", "signal: 9")


def test_a_script_without_lines_is_a_mistake(shell):
    shell.fails("%%bash\n\n", "MagicError", "no script")


def test_output_comes_while_the_script_runs(shell, tmp_path):
    go_on = tmp_path / "go on"
    cell = shell.start(f"%%bash\necho first\nwhile [ ! -e '{go_on}' ]; do sleep 0.01; done\necho second")
    assert cell.until("stream")["content"]["text"] == "first\n"
    go_on.touch()
    assert cell.end().stdout == "first\nsecond\n"


def test_a_script_that_reads_finds_nothing(shell):
    assert shell.ok("%%bash\ncat; echo end").stdout == "end\n"


@pytest.mark.parametrize("script", ["sleep 1000 & echo $!; wait", "trap '' TERM; sleep 1000 & echo $!; while :; do :; done"])
def test_a_script_is_stopped_with_all_that_it_has_started(shell, script):
    cell = shell.start(f"%%bash\n{script}")
    process = int(cell.until("stream")["content"]["text"])
    assert alive(process)
    shell.interrupt()
    assert cell.end().reply["ename"] == "Interrupted"
    assert not alive(process)
    assert shell.ok("%%bash\necho next").stdout == "next\n"


def test_what_a_script_leaves_running_ends_with_its_cell(shell):
    process = int(shell.ok("%%bash\nsleep 1000 & echo $!").stdout)
    assert not alive(process)


def test_bytes_that_are_no_text_and_marks_of_the_kernel_are_only_text(shell):
    cell = shell.ok("%%bash\nprintf '\\xff\\x1b]haetae;key;2;{}\\x07'; printf 'é' | head -c 1; sleep 0.05; printf '\\xa9'")
    assert "haetae;key;2;{}" in cell.stdout


def test_ten_megabytes_arrive_whole(shell):
    assert len(shell.ok("%%bash\nhead -c 10000000 /dev/zero | tr '\\0' x").stdout) == 10_000_000


def test_a_script_is_timed(shell):
    assert shell.ok("%%time\n%%bash\necho on").stdout.startswith("on\nwall time: ")
