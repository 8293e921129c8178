"""Commands, and what completion and inspection know."""

import pytest


@pytest.fixture(scope="module")
def frame(kernel):
    """A kernel with a table in the variable `frame`."""
    kernel.ok('let frame = df!("hs6" => ["010121", "010129"], "price" => [1.5, 2.5]).unwrap();')
    return kernel


def completed(kernel, code, cursor=None):
    return kernel.ask("complete_request", {"code": code, "cursor_pos": len(code) if cursor is None else cursor})


def inspected(kernel, code, cursor=None):
    content = {"code": code, "cursor_pos": len(code) if cursor is None else cursor, "detail_level": 0}
    return kernel.ask("inspect_request", content)


def test_help_lists_the_commands(kernel):
    text = kernel.ok("%help").text
    for command in ["%%sql [NAME <<] [--save NAME]", "%%time", "%connect", "%describe TABLE", "%load FILE", "NAME?"]:
        assert command in text


def test_vars_are_names_and_types(frame):
    frame.ok("let counted = 3u8;")
    lines = [line.split() for line in frame.ok("%vars").text.splitlines()]
    assert ["counted", "u8"] in lines
    assert any(line[0] == "frame" and line[1].endswith("DataFrame") for line in lines)


def test_vars_has_what_a_query_has_just_handed_over(kernel):
    kernel.ok("%%sql handed_over <<\nselect 1 as one")
    assert "handed_over" in kernel.ok("%vars").text


def test_tables_of_the_warehouse(kernel):
    text = kernel.ok("%tables").text
    assert any(line.split()[:2] == ["customs", "fact_item"] for line in text.splitlines())
    assert "information_schema" not in text


def test_tables_of_one_schema_say_what_a_row_is(kernel):
    lines = kernel.ok("%tables customs").text.splitlines()
    assert lines[1].split() == ["schema", "name", "rows", "a", "row", "is"]
    assert {line.split()[0] for line in lines[2:]} <= {"str", "customs"}
    counted = kernel.ok("%%sql\nselect count(*) as n from customs.dim_office").text.split()[-1]
    [office] = [line.split(maxsplit=3) for line in lines if "dim_office" in line]
    assert office[2] == counted and len(office[3]) > 10


@pytest.mark.parametrize("schema", ["no_such_schema", "it's"])
def test_an_unknown_schema_is_named(kernel, schema):
    failed = kernel.run(f"%tables {schema}")
    assert failed.reply["ename"] == "UnknownSchema" and f"`{schema}`" in failed.reply["evalue"]


@pytest.mark.parametrize("table", ["fact_item", "customs.fact_item"])
def test_describe_lists_the_columns_of_a_table(kernel, table):
    lines = kernel.ok(f"%describe {table}").text.splitlines()
    assert lines[1].split() == "column type may be null unit what it holds".split()
    [price] = [line.split(maxsplit=4) for line in lines if line.startswith("item_price_krw")]
    assert price[1:4] == ["f64", "no", "KRW"] and len(price[4]) > 10


def test_describe_lists_the_columns_of_a_saved_query(kernel):
    kernel.ok("%%sql --save described\nselect 1 as one, 'a' as letter")
    lines = [line.split() for line in kernel.ok("%describe described").text.splitlines()]
    assert ["one", "i64", "no"] in lines and ["letter", "str", "no"] in lines


@pytest.mark.parametrize("table", ["no_such_table", "no_such_schema.fact_item", "it's"])
def test_an_unknown_table_is_named(kernel, table):
    failed = kernel.run(f"%describe {table}")
    assert failed.reply["ename"] == "UnknownTable" and f"`{table}`" in failed.reply["evalue"]


def test_connect_says_where_the_server_is(kernel, server):
    assert server.url in kernel.ok("%connect").text
    assert kernel.ok("%%sql\nselect 1 as one").text.startswith("shape: (1, 1)")


@pytest.mark.parametrize(
    "code, text",
    [("%time 20 + 1", "21"), ("%%time\n20 + 2", "22"), ("%%time\n%%sql\nselect 1 as one", "shape: (1, 1)")],
)
def test_a_cell_is_timed(kernel, code, text):
    cell = kernel.ok(code)
    assert cell.stdout.startswith("wall time: ") and cell.stdout.endswith(" s\n")
    assert cell.text.startswith(text)


def test_a_timed_cell_keeps_its_variables_and_its_errors(kernel):
    kernel.ok("%%time\nlet timed = 4;")
    assert kernel.ok("timed").text == "4"
    cell = kernel.fails('%%time\npanic!("timed, too")', "panic", "timed, too")
    assert cell.stdout.startswith("wall time: ")


@pytest.mark.parametrize(
    "code, name, part",
    [
        ("%load /no/such/file.rs", "FileError", "/no/such/file.rs"),
        ("%load", "MagicError", "%load FILE"),
        ("%describe", "MagicError", "%describe TABLE"),
        ("%vars\n1 + 1", "MagicError", "%vars"),
        ("%%sql", "MagicError", "no statement"),
        ("%%sql fn <<\nselect 1", "MagicError", "fn"),
        ("%%sql --limit many\nselect 1", "MagicError", "many"),
    ],
)
def test_a_mistake_is_named(kernel, code, name, part):
    kernel.fails(code, name, part)


def test_a_saved_query_is_a_table_for_later_ones(kernel):
    cell = kernel.ok("%%sql --save dear_items\nselect * from fact_item where item_price_krw >= 0")
    assert cell.text.startswith("shape: (")
    kernel.ok("%%sql --save dear_offices\nselect office_id, count(*) as n from dear_items group by office_id;")
    one = kernel.ok("%%sql all_of_it <<\nselect count(*) as n from dear_items")
    assert one.text == "all_of_it: DataFrame, shape: (1, 1)"
    kernel.ok("%%sql through_another <<\nselect sum(n) as n from dear_offices")
    assert kernel.ok('all_of_it.numbers("n")? == through_another.numbers("n")?').text == "true"


def test_a_rust_cell_knows_saved_queries(kernel):
    kernel.ok("%%sql --save three\nselect * from fact_item limit 3")
    kernel.ok("%%sql --save of_three\nselect count(*) as n from three")
    assert kernel.ok('sql("select n from of_three")?.numbers("n")?[0]').text == "3.0"
    kernel.ok("%%sql --save three\nselect * from fact_item limit 4")
    assert kernel.ok('sql("select n from of_three")?.numbers("n")?[0]').text == "4.0"


@pytest.mark.parametrize("beginning", ["with", "WITH", "with\n"])
def test_a_saved_query_stands_beside_the_tables_of_a_query(kernel, beginning):
    kernel.ok("%%sql --save few\nselect * from fact_item limit 3")
    query = f"{beginning} own as (select * from few) select count(*) as n from own"
    assert kernel.ok(f"%%sql\n{query}").text.splitlines()[-1].strip() == "3"


def test_a_query_that_fails_is_not_saved(kernel):
    kernel.fails("%%sql --save broken\nselect no_such_column from fact_item", "SqlError", "no_such_column")
    kernel.fails("%%sql\nselect * from broken", "SqlError", "broken")


def test_a_query_can_be_saved_anew(kernel):
    for n in [1, 2]:
        kernel.ok(f"%%sql --save again\nselect {n} as n")
    assert kernel.ok("%%sql\nselect n from again").text.splitlines()[-1].strip() == "2"


@pytest.mark.parametrize(
    "code, matches",
    [
        ("frame.hei", ["height"]),
        ("Chart::b", ["bar", "barh", "boxes", "boxes_of"]),
        ("let x = Chart::b", ["bar", "barh", "boxes", "boxes_of"]),
        ("%%s", ["%%sql"]),
        ("no_such_name.a", []),
        ("1.", []),
    ],
)
def test_completion_knows_exactly(frame, code, matches):
    reply = completed(frame, code)
    assert (reply["status"], reply["matches"]) == ("ok", matches)


@pytest.mark.parametrize(
    "code, match",
    [
        ("frame.clone().lazy().fil", "filter"),
        ("frame.clone().lazy().filter(col(\"price\").g", "gt"),
        ("vec![1.5].it", "iter"),
        ("fra", "frame"),
        ("Cha", "Chart"),
        ("metr", "metrics"),
        ("metrics::a", "auc"),
        ("metrics::k", "ks"),
        ("frame.clo", "clone"),
        ("Fcnn::params().se", "seed"),
        ("Fcnn::params().epochs(2).dev", "device"),
        ("Isotonic::fit(&[0.1, 0.9], &[0.0, 1.0])?.sa", "save"),
        ("RandomForestModel::lo", "load"),
        ("whi", "while"),
    ],
)
def test_completion_contains(frame, code, match):
    assert match in completed(frame, code)["matches"]


@pytest.mark.parametrize("method", ["to_bytes", "put", "evcxr_display"])
def test_a_method_of_a_trait_that_no_cell_sees_is_not_completed(frame, method):
    assert method not in completed(frame, "Isotonic::fit(&[0.1, 0.9], &[0.0, 1.0])?.")["matches"]


def test_variables_stand_before_other_names(frame):
    frame.ok("let sort_of_mine = 1;")
    assert completed(frame, "fra")["matches"][0] == "frame"
    assert completed(frame, "sor")["matches"][0] == "sort_of_mine"


def test_a_completion_says_what_it_replaces_and_of_which_kind_it_is(frame):
    # Positions count characters, not bytes.
    code = '"해태"; Chart::ba + 1'
    reply = completed(frame, code, cursor=14)
    assert (reply["cursor_start"], reply["cursor_end"]) == (13, 14)
    typed = reply["metadata"]["_jupyter_types_experimental"]
    assert [entry["text"] for entry in typed] == reply["matches"] == ["bar", "barh", "boxes", "boxes_of"]
    assert {(entry["start"], entry["end"], entry["type"]) for entry in typed} == {(13, 14, "function")}
    [variable] = [e for e in completed(frame, "fra")["metadata"]["_jupyter_types_experimental"] if e["text"] == "frame"]
    assert variable["type"] == "variable"


@pytest.mark.parametrize(
    "code, cursor, part",
    [
        ("frame", 2, "DataFrame"),
        ("frame.height()", 9, "height"),
        ("Chart::bar(", 9, "bar"),
        ("Chart", 5, "Chart"),
        ("Fcnn::params().seed(7)", 18, "fn seed(mut self, seed: u64) -> Self"),
        ("RandomForestModel::load", 23, "fn load(path: &str) -> Result<Self>"),
        ("%%sql", 5, "--save"),
        ("%describe fact_item", 4, "%describe TABLE"),
    ],
)
def test_inspection_says_what_a_name_is(frame, code, cursor, part):
    reply = inspected(frame, code, cursor)
    assert reply["status"] == "ok" and reply["found"]
    assert part in reply["data"]["text/plain"]


@pytest.mark.parametrize("code", ["no_such_name", "", "1 + 1"])
def test_inspection_says_that_it_knows_nothing(frame, code):
    reply = inspected(frame, code)
    assert (reply["status"], reply["found"], reply["data"]) == ("ok", False, {})
