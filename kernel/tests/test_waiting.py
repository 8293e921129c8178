"""Cells with `.await`: on a runtime that the toolkit has ready, so that no cell builds one."""

import pytest


def test_a_cell_waits_and_keeps_what_came(own):
    own.ok("async fn twice(of: i64) -> i64 { tokio::time::sleep(std::time::Duration::from_millis(1)).await; 2 * of }")
    assert own.ok("let first = twice(4).await;\nlet second: i64 = twice(first).await;\nsecond + 1").text == "17"
    assert own.ok("first + second").text == "24"
    assert own.ok("twice(first).await").text == "16"


def test_a_waiting_cell_changes_what_earlier_cells_left(own):
    own.ok("let mut list = vec![1, 2];")
    own.ok("for n in 3..5 { list.push(async { n }.await); }")
    assert own.ok("list").text == "[1, 2, 3, 4]"
    # Moved away, as in any cell.
    own.ok("let moved = async { list }.await;")
    assert own.ok("moved.len()").text == "4"


def test_tasks_go_on_behind_the_cell(own):
    own.ok("let (sender, mut receiver) = tokio::sync::oneshot::channel::<i32>();")
    own.ok('let task = tokio::spawn(async move { sender.send(7) });\ntask.await?.map_err(|_| "gone")?;')
    assert own.ok("receiver.try_recv()?").text == "7"
    assert own.ok("let (a, b) = tokio::join!(async { 1 }, async { 2 });\na + b").text == "3"


def test_a_failed_question_mark_is_the_cells_error(own):
    own.fails('let n: i32 = async { "x" }.await.parse::<i32>()?;', "ParseIntError", "invalid digit")
    assert own.ok("1 + 1").text == "2"


def test_a_panic_while_waiting_is_the_cells_error(own):
    own.fails('async { panic!("no such office") }.await;', "panic", "no such office")


def test_a_mistake_is_shown_where_it_stands(own):
    cell = own.fails("let n = async { 1 }.await;\nlet m: String = n;", "CompileError", "mismatched types")
    text = "\n".join(cell.reply["traceback"])
    assert "expected `String`, found" in text, text
    assert "2 |" in text and "let m: String = n;" in text, text


def test_waiting_is_stopped_and_variables_stay(own):
    own.ok("let kept = 41;")
    cell = own.start('println!("on"); tokio::time::sleep(std::time::Duration::from_secs(3600)).await;')
    cell.until("stream")
    own.interrupt()
    assert cell.end().reply["ename"] == "Interrupted"
    assert own.ok("kept + 1").text == "42"


def test_the_toolkit_may_be_asked_while_a_cell_waits(own):
    assert own.ok('let n = async { sql("select count(*) as n from fact_item") }.await?.height();\nn').text == "1"


@pytest.mark.parametrize("level", ["2", "0"])
def test_another_optimisation_level_changes_nothing(own, level):
    own.ok(f"%opt {level}")
    assert own.ok("async { 5 }.await").text == "5"
