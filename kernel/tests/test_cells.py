"""What an analyst meets in a cell, over the real sockets."""

from haetae_testing import Kernel


def test_a_value_a_print_and_their_order(kernel):
    cell = kernel.ok('println!("first"); Chart::bar(&["a".to_string()], &[1.0]).show(); print!("no line end"); 1 + 1')
    assert cell.stdout == "first\nno line end"
    assert cell.text == "2"
    assert [k for k in cell.kinds if k != "status"] == [
        "execute_input", "stream", "display_data", "stream", "execute_result",
    ]
    assert cell.kinds[0] == "status" and cell.kinds[-1] == "status"


def test_variables_of_every_toolkit_type_need_no_type(kernel):
    kernel.ok(
        'let frame = df!("a" => [1, 2, 2], "b" => [0.5, 1.5, 2.5]).unwrap();\n'
        'let chart = Chart::line(&[0.0, 1.0], &[1.0, 2.0]);\n'
        'let lazy = frame.clone().lazy().group_by([col("a")]).agg([col("b").sum()]);\n'
        'let numbers = frame.numbers("b")?;\n'
        "let (low, mut high) = (1, 2.5);\n"
        'let pairs: Vec<_> = numbers.iter().map(|n| (n.to_string(), *n)).collect();'
    )
    assert kernel.ok("frame.height() + numbers.len() + pairs.len() + low as usize").text == "10"
    assert kernel.ok("high += 1.0; high").text == "3.5"
    cell = kernel.ok('lazy.sort(["a"], Default::default()).collect()?')
    data = cell.of("execute_result")[0]["data"]
    assert 'class="dataframe"' in data["text/html"]
    assert data["text/plain"].startswith("shape: (2, 2)")
    lines = [line.split() for line in kernel.ok("%vars").text.splitlines()]
    assert any(line[0] == "chart" and line[1].startswith("haetae::") for line in lines)
    # No prelude has its error.
    kernel.ok("let refused = Fcnn::params().epochs(0).check();")
    assert kernel.ok("refused.is_err()").text == "true"


def test_what_cannot_be_kept_works_in_its_cell_and_a_note_says_so(kernel):
    cell = kernel.ok("fn three() -> i32 { 3 }\nlet add = |x: i32| x + three();\nlet sum = add(1);\nadd(sum)")
    assert cell.text == "7"
    assert cell.stdout.startswith("note: `add` ends with this cell") and "closure" in cell.stdout
    assert kernel.ok("sum + three()").text == "7"
    kernel.fails("add(1)", "CompileError", "add")
    assert "refers to something" in kernel.ok("let numbers = vec![1, 2];\nlet first = &numbers[0];\n*first").stdout
    assert kernel.ok("numbers.len()").text == "2"


def test_a_value_that_is_given_away_is_where_it_went(kernel):
    cell = kernel.ok('let given = vec![1.5];\nlet holder = Series::new("s".into(), given);\nholder')
    assert 'class="dataframe"' in cell.of("execute_result")[0]["data"]["text/html"]
    assert cell.stdout == ""
    assert kernel.ok("holder.len()").text == "1"
    kernel.fails("given.len()", "CompileError", "given")


def test_items_and_later_redefinition(kernel):
    kernel.ok("struct Lane { name: String }\nfn lane(name: &str) -> Lane { Lane { name: name.into() } }")
    kernel.ok('let red = lane("red");')
    assert kernel.ok("red.name").text == '"red"'
    kernel.ok("fn double(x: i32) -> i32 { 2 * x }")
    kernel.ok("fn double(x: i32) -> i32 { x + x + 1 }")
    assert kernel.ok("let d = double(4); d").text == "9"


def test_failures_are_errors_and_the_next_cell_works(kernel):
    kernel.ok("let kept = 5;")
    cell = kernel.fails('panic!("wrong {}", 1);', "panic", "wrong 1")
    assert cell.stdout == ""
    kernel.fails('let n: i32 = "x".parse()?; n', "ParseIntError", "invalid digit")
    kernel.fails("sql(\"select\")?", "Error", "")
    cell = kernel.fails("let y: i32 = undefined_name;", "CompileError", "undefined_name")
    assert "1 | let y: i32 = undefined_name;" in cell.traceback
    kernel.fails("%%nosuch\n1", "MagicError", "%%sql")
    assert kernel.ok("kept").text == "5"


def test_the_last_expression_says_of_which_type_a_number_is(kernel):
    assert kernel.ok("let k = 5; let v = vec![1, 2, 3, 4, 5, 6]; v[k]").text == "6"
    assert kernel.ok("let narrow = 7; let all = vec![1u8, 2]; all.iter().sum::<u8>() + narrow").text == "10"
    assert kernel.ok("let given = vec![1, 2]; given.into_iter().sum::<u64>()").text == "3"
    assert kernel.ok("narrow").text == "7"


def test_programs_that_a_cell_starts_are_those_of_the_path(kernel):
    path = kernel.ok('std::env::var("PATH")?').text
    assert "haetae-kernel-" not in path
    version = 'String::from_utf8_lossy(&std::process::Command::new("cargo").arg("--version").output()?.stdout).into_owned()'
    assert kernel.ok(version).text.startswith('"cargo 1.')


def test_sql_shows_a_table_and_hands_over_a_frame(kernel):
    query = "select office_id, count(*) as n from fact_item group by office_id order by office_id limit 3"
    cell = kernel.ok(f"%%sql\n{query}")
    assert 'class="dataframe"' in cell.of("execute_result")[0]["data"]["text/html"]
    assert cell.text.startswith("shape: (3, 2)")
    assert kernel.ok("%%sql items <<\nselect * from fact_item").text.startswith("items: DataFrame, shape: (2,000, ")
    assert kernel.ok("items.height()").text == "2000"
    cell = kernel.ok('let prices = items.numbers("item_price_krw")?; prices.len()')
    assert cell.text == "2000"
    assert kernel.ok('sql("select count(*) as n from fact_item")?.numbers("n")?[0]').text == "2000.0"


def test_bad_sql_and_a_dead_server(kernel, server):
    kernel.fails("%%sql\nselect * from fact_itm", "SqlError", "fact_item")
    kernel.fails("%%sql\nselec 1", "SqlError", "")
    server.stop()
    try:
        kernel.fails("%%sql\nselect 1", "SqlError", "make lab")
        cell = kernel.run('sql("select 1")?')
        assert cell.status == "error" and "make lab" in cell.reply["evalue"]
        assert kernel.ok("3").text == "3"
    finally:
        server.start()
    assert kernel.ok("%%sql\nselect 1 as one").text.startswith("shape: (1, 1)")


def test_much_output_arrives_whole_and_in_order(kernel):
    cell = kernel.ok('for i in 0..20_000 { println!("line {i}"); }')
    assert cell.stdout == "".join(f"line {i}\n" for i in range(20_000))


def test_kernel_info_is_answered_while_the_evaluator_warms_up():
    kernel = Kernel()
    try:
        # The first cell waits for the evaluator, which takes long to load.
        cell, question = kernel.start("1 + 1"), kernel.send("kernel_info_request")
        info = question.reply()["content"]
        assert info["protocol_version"] == "5.5"
        assert info["language_info"]["name"] == "rust"
        assert question.idle()["heard"] < cell.idle()["heard"]
        assert cell.reply()["content"]["status"] == "ok"
    finally:
        kernel.stop()
