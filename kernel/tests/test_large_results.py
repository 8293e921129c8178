"""Results of SQL cells that are too large to be held: what the notebook sees, and what a cell gets."""

import subprocess

import pytest
from haetae_testing import memory_mb

ROWS = 1_000_000
THOUSAND = "(select * from fact_item order by declaration_id, item_no limit 1000)"
LARGE = (
    "select a.declaration_id as first, b.hs10 as second, a.item_price_krw + b.item_no as price, a.declaration_date as day "
    f"from {THOUSAND} a cross join {THOUSAND} b"
)
LONG_QUERY = "select a.item_price_krw as price from fact_item a cross join fact_item b cross join fact_item c"


def shown(cell):
    """Contents of the one place in which a long result is shown, in order."""
    messages = [m for m in cell.messages if m["msg_type"] in ("display_data", "update_display_data")]
    [place] = {m["content"]["transient"]["display_id"] for m in messages}
    assert [m["msg_type"] for m in messages] == ["display_data"] + ["update_display_data"] * (len(messages) - 1)
    return [m["content"]["data"]["text/plain"] for m in messages]


def test_a_long_result_is_shown_while_it_comes(kernel):
    cell = kernel.ok(f"%%sql\n{LARGE}")
    first, *_, last = shown(cell)
    assert first.startswith("reading; so far shape: (2")
    assert last.startswith("shape: (1,000,000, 4)") and len(last.splitlines()) == 14
    assert cell.of("execute_result") == []


def test_a_short_result_is_shown_once(kernel):
    cell = kernel.ok("%%sql\nselect * from fact_item limit 100")
    assert [kind for kind in cell.kinds if kind not in ("status", "execute_input")] == ["execute_result"]


def test_a_long_result_becomes_a_frame_without_a_copy(start, server):
    kernel = start(server.environment)
    process = kernel.manager.provisioner.process.pid
    cell = kernel.ok(f"%%sql large <<\n{LARGE}")
    assert shown(cell)[-1].startswith("large: DataFrame, shape: (1,000,000, 4)")
    assert kernel.ok("large.shape()").text == f"({ROWS}, 4)"
    # Four columns of a million rows take about 60 MB, which neither process holds: the kernel has the pieces that
    # wait for the disk, the worker the file's own pages.
    [worker] = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
    assert memory_mb(process, "VmHWM") < 250
    assert memory_mb(worker, "RssAnon") < 30
    same = (
        f'let whole = sql("select count(*) as n, sum(price) as price from ({LARGE})")?;\n'
        'large.numbers("price")?.iter().sum::<f64>() / whole.numbers("price")?[0]'
    )
    assert float(kernel.ok(same).text) == pytest.approx(1, rel=1e-9)


def test_the_connection_is_free_while_rows_come(kernel):
    subshell = kernel.ask("create_subshell_request", {}, "control")["subshell_id"]
    cell = kernel.start(f"%%sql\n{LONG_QUERY}")
    cell.until("display_data")
    beside = kernel.start("%%sql\nselect 1 as one", subshell=subshell).end()
    assert beside.text.startswith("shape: (1, 1)")
    kernel.interrupt()
    stopped = cell.end()
    assert stopped.reply["ename"] == "Interrupted"
    assert shown(stopped)[-1].startswith("not read to its end; reading; so far shape: (")
    kernel.ask("delete_subshell_request", {"subshell_id": subshell}, "control")


def test_a_stopped_result_leaves_no_file_and_no_variable(start, server, tmp_path):
    kernel = start({**server.environment, "TMPDIR": str(tmp_path)})
    kernel.ok("1")
    cell = kernel.start(f"%%sql stopped <<\n{LONG_QUERY}")
    cell.until("display_data")
    kernel.interrupt()
    assert cell.end().reply["ename"] == "Interrupted"
    kernel.fails("stopped", "CompileError", "stopped")
    assert not list(tmp_path.rglob("sql-*.arrow"))


@pytest.mark.parametrize("name", ["", "list << "])
def test_a_type_that_no_frame_holds(kernel, name):
    query = f"%%sql {name}\nselect array_agg(item_no) as numbers from fact_item where item_no > 1000000"
    if name:
        kernel.fails(query, "SqlError", "cast(numbers as varchar)")
    else:
        assert kernel.ok(query).text.startswith("shape: (1, 1)")
