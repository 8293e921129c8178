"""Completion and inspection in SQL cells, and of the arguments of commands."""

import time

import pytest
from haetae_cells import WAIT


@pytest.fixture(scope="module", autouse=True)
def tables(kernel):
    """An answer does not wait long for a busy server; what comes later is there for the next question."""
    ends = time.monotonic() + WAIT
    while at(kernel, "%%sql\nselect * from fact_it|")["matches"] == [] and time.monotonic() < ends:
        pass


def completed(kernel, code, cursor=None):
    return kernel.ask("complete_request", {"code": code, "cursor_pos": len(code) if cursor is None else cursor})


def at(kernel, code):
    """What is offered at the `|`."""
    return completed(kernel, code.replace("|", ""), code.index("|"))


def inspected(kernel, code):
    content = {"code": code.replace("|", ""), "cursor_pos": code.index("|"), "detail_level": 0}
    reply = kernel.ask("inspect_request", content)
    return reply["data"].get("text/plain") if reply["found"] else None


@pytest.mark.parametrize(
    "code, matches",
    [
        ("%%sql\nselect item_pr| from fact_item", ["item_price_krw"]),
        ("%%sql\nselect i.item_| from fact_item as i", ["item_no", "item_price_krw"]),
        ("%%sql\nselect * from customs.fact_i|", ["fact_image_object", "fact_item", "fact_inspection"]),
        ("%%sql named <<\nselect * from fact_it|", ["fact_item"]),
        ("%%time\n%%sql\nselect * from dim_tar|", ["dim_tariff_rate"]),
        ("%%sql --s|", ["--save"]),
        ("%%sql -|\nselect 1", ["--limit", "--save"]),
        ("%%sql --limit 5 -|\nselect 1", ["--save"]),
        ("%%sql\nSELECT DISTI|", ["DISTINCT"]),
        ("%%sql\nselect approx_per|", ["approx_percentile_cont", "approx_percentile_cont_with_weight"]),
        ("%%sql\nselect 'item_|' from fact_item", []),
        ("%%sql\n-- item_|", []),
        ("%describe fact_ins|", ["fact_inspection"]),
        ("%sqlplot his|", ["histogram"]),
        ("%sqlplot bar --table fact_ins|", ["fact_inspection"]),
        ("%sqlplot bar --table fact_item --column item_p|", ["item_price_krw"]),
        ("%sqlplot bar --tab|", ["--table"]),
        ("%progress o|", ["off", "on"]),
    ],
)
def test_completion_knows_exactly(kernel, code, matches):
    reply = at(kernel, code)
    assert (reply["status"], sorted(reply["matches"])) == ("ok", sorted(matches))


def test_columns_of_the_named_tables_come_first_and_say_their_type(kernel):
    reply = at(kernel, "%%sql\nselect | from customs.fact_item")
    assert reply["matches"][:3] == ["declaration_id", "item_no", "declaration_date"]
    typed = reply["metadata"]["_jupyter_types_experimental"]
    assert [entry["text"] for entry in typed] == reply["matches"]
    assert [(entry["type"], entry["signature"]) for entry in typed[:3]] == [
        ("column", "str"), ("column", "i32"), ("column", "date"),
    ]
    assert {"keyword", "function", "table", "schema"} <= {entry["type"] for entry in typed}


def test_positions_count_characters(kernel):
    code = "%%sql\nselect '해태', item_pr from fact_item"
    reply = completed(kernel, code, code.index(" from"))
    assert code[reply["cursor_start"]:reply["cursor_end"]] == "item_pr"


def test_a_saved_query_is_offered_with_its_columns(kernel):
    kernel.ok("%%sql --save offered_later\nselect hs6, count(*) as \"How Many\" from fact_item group by 1")
    assert at(kernel, "%%sql\nselect * from offered_l|")["matches"] == ["offered_later"]
    assert at(kernel, "%%sql\nselect o.| from offered_later o")["matches"] == ["hs6", '"How Many"']
    assert at(kernel, '%%sql\nselect "Ho| from offered_later')["matches"] == ['"How Many"']
    assert at(kernel, "%sqlplot bar --table offered_later --column h|")["matches"] == ["hs6", "'\"How Many\"'"]
    assert "saved query\nselect hs6" in inspected(kernel, "%%sql\nselect * from offered_|later")


def test_inspection_says_what_a_table_and_a_column_are(kernel):
    table = inspected(kernel, "%%sql\nselect * from fact_|item")
    assert table.startswith("customs.fact_item\n  declaration_id ") and "hs10               str, may be null" in table
    assert inspected(kernel, "%%sql\nselect i.hs|6 from fact_item i") == "customs.fact_item.hs6: str"
    assert inspected(kernel, "%describe fact_ite|m") == table
    assert "count(expression)" in inspected(kernel, "%%sql\nselect cou|nt(*) from fact_item")
    assert inspected(kernel, "%%sql\nselect no_such_n|ame from fact_item") is None
    assert "--save" in inspected(kernel, "%%s|ql\nselect 1")


def test_answers_come_beside_a_query_and_a_cell_that_run(kernel):
    reply = kernel.ask("create_subshell_request", channel="control")
    cell = kernel.start('println!("on"); loop { stop_if_asked(); }')
    cell.until("stream")
    long = "select count(*) from fact_item a cross join fact_item b cross join fact_item c " \
        "where a.item_price_krw + b.item_price_krw + c.item_price_krw < 0"
    query = kernel.start(f"%%sql\n{long}", subshell=reply["subshell_id"])
    query.until("execute_input")
    assert at(kernel, "%%sql\nselect item_pr| from fact_item")["matches"] == ["item_price_krw"]
    kernel.interrupt()
    assert {request.end().reply["ename"] for request in [cell, query]} == {"Interrupted"}
    kernel.ask("delete_subshell_request", {"subshell_id": reply["subshell_id"]}, "control")


def test_without_a_server_keywords_are_offered(start, server):
    # Nobody listens there.
    kernel = start({**server.environment, "HAETAE_URL": "http://127.0.0.1:9"})
    assert at(kernel, "%%sql\nselec|")["matches"] == ["select"]
    assert at(kernel, "%%sql\nselect * from fact_it|")["matches"] == []


def test_an_answer_is_quick(kernel):
    code = "%%sql\nselect item_pr from fact_item"
    times = []
    for _ in range(11):
        begun = time.perf_counter()
        completed(kernel, code, 20)
        times.append(time.perf_counter() - begun)
    # One of them is answered while nothing else keeps the machine.
    assert min(times) < 0.3
