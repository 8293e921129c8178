"""Each lesson runs. Each exercise fails as it is given out, passes as it is solved, and tells each typical wrong answer
what its author has for it."""

import pytest
from course import LANGUAGES, MODULES, cells, checks, code, frames

TOP = ["trainee", "my-items", "my-inspections"]


def begin(kernel, cells, trainee=None):
    """Runs the cells at the top, for a trainee."""
    for name in TOP:
        source = cells[name]
        kernel.ok(source.replace("1001", str(trainee)) if trainee else source)


def verdicts(kernel, checks, frames):
    """Question -> what its check says; all in one cell, which is compiled once."""
    calls = [
        f'::haetae::course::check_frame("{name}", &{name}, "{sealed}")' if name in frames else f'course::check("{name}", "{sealed}")'
        for name, sealed in checks.items()
    ]
    cell = kernel.ok(
        f"for verdict in [{', '.join(calls)}] {{\n"
        "    match verdict { Ok(()) => {} Err(error) => println!(\"{error}\") }\n}"
    )
    return cell.stdout.splitlines()


def answer(kernel, name, query, frames):
    """The result of a query as an answer, saved or as a frame."""
    kernel.ok(f'let {name}: DataFrame = sql(r#"{query}"#)?;' if name in frames else f"%%sql --save {name}\n{query}")


@pytest.mark.parametrize("module", MODULES)
def test_a_lesson_runs_and_each_of_its_cells_shows_something(kernel, module):
    sources = code(module, "lesson")
    assert len(sources) >= 8
    for name, source in sources.items():
        cell = kernel.ok(source)
        assert cell.stderr == "", name
        shown = cell.of("execute_result") + cell.of("display_data") + cell.reply["payload"]
        assert shown or cell.stdout, f"{name} of {module} shows nothing:\n{source}"
        assert "shape: (0," not in (cell.text or ""), f"{name} of {module} finds no rows:\n{source}"


@pytest.mark.parametrize("module", MODULES)
def test_a_lesson_is_read_without_scrolling(module):
    lines = [line for source in code(module, "lesson").values() for line in source.splitlines()]
    # The words of a command stand on one line.
    assert [line for line in lines if len(line) > 120 and not line.startswith("%sqlplot")] == []


@pytest.mark.parametrize("module", MODULES)
def test_an_exercise_fails_as_it_is_given_out(kernel, module):
    exercise = code(module, "exercise")
    begin(kernel, exercise)
    in_rust = frames(module)
    sealed = {name: sealed for name, (sealed, _) in checks(module).items()}
    # As a trainee does it: the cells in their order. The first check stops them.
    kernel.ok(exercise["q1"])
    kernel.fails(exercise["q1-check"], "Error", "Exercise q1, not yet: the cell above still holds the example line")
    for name in sealed:
        kernel.ok(exercise[name])
    said = verdicts(kernel, sealed, in_rust)
    assert said == [
        f"Exercise {name}, not yet: the cell above still holds the example line; "
        f"write your {'code' if name in in_rust else 'query'} there and run it"
        for name in sealed
    ]


@pytest.mark.parametrize("module", MODULES)
def test_an_exercise_passes_as_it_is_solved(kernel, module):
    solution = code(module, "solution")
    begin(kernel, solution, trainee=7)
    in_rust = frames(module)
    sealed = {name: sealed for name, (sealed, _) in checks(module).items()}
    for name, source in solution.items():
        cell = kernel.ok(source)
        assert cell.stderr == ""
        if name in sealed:
            assert "shape: (0," not in cell.text, f"{name} of {module} has no rows"
        if name.endswith("-check"):
            question = name.removesuffix("-check")
            assert cell.stdout == f"Exercise {question}: right.\n"
            # A frame of another trainee would need the trainee's code to run again.
            hidden = f'check_for(1004711, "{question}", "{sealed[question]}")'
            assert (hidden in source) == (question not in in_rust)


@pytest.mark.parametrize("module", MODULES)
def test_a_typical_wrong_answer_gets_the_advice_that_it_deserves(kernel, module):
    begin(kernel, code(module, "exercise"), trainee=23)
    found, in_rust = checks(module), frames(module)
    assert sum(len(check["traps"]) for _, check in found.values()) >= 2 * len(found)
    for turn in range(max(len(check["traps"]) for _, check in found.values())):
        said = {}
        for name, (sealed, check) in found.items():
            if turn < len(check["traps"]):
                trap = check["traps"][turn]
                answer(kernel, name, trap["query"].replace("{trainee}", "23"), in_rust)
                said[name] = (sealed, f"Exercise {name}, not yet: {trap['says']}")
        spoken = verdicts(kernel, {name: sealed for name, (sealed, _) in said.items()}, in_rust)
        assert spoken == [says for _, says in said.values()]


@pytest.mark.parametrize("module", MODULES)
def test_answers_differ_from_trainee_to_trainee(kernel, module):
    for name, (_, check) in checks(module).items():
        answers = {kernel.ok("%%sql\n" + check["query"].replace("{trainee}", number)).text for number in ["7", "23"]}
        assert len(answers) == 2, f"{name} of {module} has one answer for all"


def test_an_answer_that_was_copied_does_not_pass_the_hidden_test(kernel):
    module = "01-tour"
    solution = code(module, "solution")
    begin(kernel, solution, trainee=7)
    lines = kernel.ok("%%sql lines <<\nselect count(*) as lines from my_items")
    assert lines.status == "ok"
    number = int(float(kernel.ok('lines.numbers("lines")?[0]').text))
    kernel.ok(f"%%sql --save q1\nselect {number} as lines")
    assert kernel.ok(code(module, "exercise")["q1-check"]).stdout == "Exercise q1: right.\n"
    kernel.fails(solution["q1-check"], "Error", "on the data of another trainee it is not right")


def test_what_is_missing_is_named(kernel):
    exercise = code("01-tour", "exercise")
    begin(kernel, exercise)
    sealed = checks("01-tour")["q1"][0]
    kernel.fails(f'course::check("q9", "{sealed}")?;', "Error", "this is the check of q1")
    kernel.fails(exercise["q1-check"].replace(sealed, sealed[:-1]), "Error", "the text of this check is damaged")
    kernel.ok("%%sql --save q1\nselect item_no from my_items cross join dim_office")
    kernel.fails(exercise["q1-check"], "Error", "rows, and that is far too many")
    kernel.ok("%%sql --save trainee\nselect 0 as trainee_no")
    kernel.fails(exercise["q1-check"], "Error", "expected one whole number from 1 to 999999")


def test_the_checks_carry_what_nbgrader_needs():
    for module in MODULES:
        for name, cell in cells(module, "solution").items():
            about = cell.metadata.get("nbgrader")
            if name.endswith("-check"):
                assert about["grade"] and about["locked"] and about["points"] >= 1 and about["grade_id"] == name
            elif name in {*TOP[1:]}:
                assert about["locked"] and not about["solution"]


@pytest.mark.parametrize(("language", "module"), LANGUAGES)
def test_a_translation_asks_the_same(language, module):
    """What is run is the same, but for comments; what is right is the same, but for the advice."""
    assert code(module, "lesson") == code(module, f"lesson.{language}")
    english, translated = checks(module), checks(module, f"exercise.{language}")
    for name, (_, check) in english.items():
        _, theirs = translated[name]
        assert [trap.pop("query") for trap in check["traps"]] == [trap.pop("query") for trap in theirs["traps"]]
        assert all(mine["says"] != other["says"] for mine, other in zip(check.pop("traps"), theirs.pop("traps"), strict=True))
        assert theirs.pop("language") == language
        assert check == theirs
    assert english.keys() == translated.keys()


@pytest.mark.parametrize(("language", "module"), LANGUAGES)
def test_a_translation_advises_in_its_language(kernel, language, module):
    exercise = code(module, f"exercise.{language}")
    begin(kernel, exercise)
    trap = checks(module, f"exercise.{language}")["q1"][1]["traps"][0]
    kernel.ok("%%sql --save q1\n" + trap["query"].replace("{trainee}", "1001"))
    kernel.fails(exercise["q1-check"], "Error", trap["says"])


SPOKEN = {
    "ko": ("위의 셀에 예시 줄이 그대로 있습니다", "열들이 없습니다", "실습 q1: 맞았습니다.\n"),
    "ru": ("в ячейке выше всё ещё стоит строка-пример", "не хватает столбцов", "Упражнение q1: верно.\n"),
}


@pytest.mark.parametrize("language", SPOKEN)
def test_a_check_speaks_the_language_of_its_notebook(kernel, language):
    untouched, no_columns, right = SPOKEN[language]
    exercise = code("05-tariffs", f"exercise.{language}")
    begin(kernel, exercise)
    kernel.ok(exercise["q1"])
    kernel.fails(exercise["q1-check"], "Error", untouched)
    kernel.ok("%%sql --save q1\nselect 1 as one")
    kernel.fails(exercise["q1-check"], "Error", no_columns)
    kernel.ok(code("05-tariffs", "solution")["q1"])
    assert kernel.ok(exercise["q1-check"]).stdout == right
