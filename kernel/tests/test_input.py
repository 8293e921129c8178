"""Cells that ask the analyst."""

import pytest


def answered(kernel, code, *answers):
    """Runs a cell and answers its questions in turn; the questions and the cell."""
    cell = kernel.start(code)
    questions = []
    for answer in answers:
        questions.append(cell.question())
        kernel.client.input(answer)
    return questions, cell.end()


TYPED = ["Kim", "", "해태 😀", 'with "quotes" \\ and {braces}', "two\nlines\n", "x" * 100_000]


@pytest.mark.parametrize("typed", TYPED)
def test_the_answer_is_what_was_typed(kernel, typed):
    questions, cell = answered(kernel, 'let name = input("name? ")?; print!("{name}");', typed)
    assert questions == [{"prompt": "name? ", "password": False}]
    assert cell.status == "ok" and cell.stdout == typed


def test_a_password_is_asked_for_as_one_and_shown_nowhere(kernel):
    questions, cell = answered(kernel, 'let secret = password("secret: ")?; secret.len()', "open sesame")
    assert questions == [{"prompt": "secret: ", "password": True}]
    assert cell.text == "11"
    assert "sesame" not in str(cell.messages)


def test_questions_come_one_after_the_other(kernel):
    code = 'let first = input("1: ")?; println!("{first}"); let second = input("2: ")?; println!("{second}");'
    questions, cell = answered(kernel, code, "a", "b")
    assert [question["prompt"] for question in questions] == ["1: ", "2: "]
    assert cell.stdout == "a\nb\n"


def test_what_was_printed_before_a_question_is_seen_before_the_answer(kernel):
    cell = kernel.start('print!("think well: "); let number = input("")?; println!("{number}");')
    assert cell.until("stream")["content"]["text"] == "think well: "
    assert cell.question()["prompt"] == ""
    kernel.client.input("7")
    assert cell.end().stdout == "think well: 7\n"


def test_without_an_analyst_there_is_an_error(kernel):
    cell = kernel.fails('input("name? ")?', "Error", "takes no input", allow_stdin=False)
    assert cell.of("execute_result") == []
    assert not kernel.client.stdin_channel.msg_ready()
    assert kernel.ok('input("name? ").is_err()', allow_stdin=False).text == "true"


def test_a_late_answer_does_not_answer_the_next_question(kernel):
    cell = kernel.start('let typed = input("given up: ")?;')
    cell.question()
    kernel.interrupt()
    assert cell.end().reply["ename"] == "Interrupted"
    kernel.client.input("too late")
    questions, cell = answered(kernel, 'let typed = input("again: ")?; print!("{typed}");', "in time")
    assert questions[0]["prompt"] == "again: "
    assert cell.stdout == "in time"


def test_the_front_end_that_runs_the_cell_is_asked(kernel):
    other = kernel.another()
    try:
        questions, cell = answered(other, 'let who = input("who? ")?; print!("{who}");', "the other")
        assert [question["prompt"] for question in questions] == ["who? "]
        assert cell.stdout == "the other"
        assert not kernel.client.stdin_channel.msg_ready()
    finally:
        other.stop()
