"""Variables after the worker has ended: what comes back, and that it is what was there."""

import pytest

CRASH = "std::process::abort();"
ALL_BACK = "all variables are back as they were before this cell"


def crash(kernel, code=CRASH):
    """What the error of a cell that ends the worker says of the variables."""
    reply = kernel.run(code).reply
    assert reply["ename"] == "Crashed", reply
    return reply["evalue"]


def lost_by(kernel, code=CRASH):
    """The variables that are gone after a cell that ends the worker; other tests have theirs in the same kernel."""
    return crash(kernel, code).partition("run the cells again that make ")[2].split(", ")


# Each value, and an expression that is true of it alone.
VALUES = {
    "a number": ("let kept = -7i64;", "kept == -7"),
    "a small number": ("let kept = 200u8;", "kept == 200"),
    "a large number": ("let kept = u64::MAX;", "kept == u64::MAX"),
    "a fraction": ("let kept = 0.1f64 + 0.2;", "kept == 0.30000000000000004"),
    "not a number": ("let kept = f32::NAN;", "kept.is_nan()"),
    "a truth": ("let kept = true;", "kept"),
    "a letter": ("let kept = '해';", "kept == '해'"),
    "a text": ('let kept = "두 줄\\n\\"two\\" lines".to_string();', 'kept == "두 줄\\n\\"two\\" lines"'),
    "a constant text": ('let kept = "red";', 'kept == "red"'),
    "numbers": ("let kept = vec![1.5, f64::INFINITY, -0.0];", "kept == [1.5, f64::INFINITY, 0.0] && kept.len() == 3"),
    "no numbers": ("let kept: Vec<i32> = Vec::new();", "kept.is_empty()"),
    "texts": ('let kept = vec!["a".to_string(), String::new()];', 'kept == ["a", ""]'),
    "a table": (
        'let kept = df!("hs6" => [Some("010121"), None], "price" => [Some(1.5), None], "n" => [1i32, 2])?;',
        'kept.equals_missing(&df!("hs6" => [Some("010121"), None], "price" => [Some(1.5), None], "n" => [1i32, 2])?)',
    ),
    "a table without rows": ('let kept = df!("n" => [1i32])?.head(Some(0));', 'kept.shape() == (0, 1)'),
    "a column": ('let kept = Series::new("n".into(), [1i64, 2, 3]);', "kept.sum::<i64>()? == 6 && kept.name() == \"n\""),
    "a list in a table": (
        'let kept = df!("a" => [1i32, 1, 2])?.lazy().group_by([col("a")]).agg([col("a").alias("b")]).collect()?;',
        'kept.shape() == (2, 2) && matches!(kept.column("b")?.dtype(), DataType::List(_))',
    ),
    "features": (
        'let kept = FeatureMatrix::new(vec!["x".into(), "office".into()], vec![vec![1.0, f64::NAN], vec![3.0, 4.0]],'
        " vec![false, true])?;",
        "kept.rows() == 2 && kept.is_categorical(1) && !kept.is_categorical(0) && kept.value(0, 1) == 3.0"
        " && kept.value(1, 0).is_nan()",
    ),
}


@pytest.fixture(scope="module")
def crashed(server):
    """A kernel whose worker has ended once, with all values; what it said."""
    from haetae_testing import Kernel

    kernel = Kernel(server.environment)
    for number, (make, _) in enumerate(VALUES.values()):
        kernel.ok(make.replace("kept", f"kept_{number}"))
    yield kernel, crash(kernel)
    kernel.stop()


def test_all_values_come_back(crashed):
    assert ALL_BACK in crashed[1]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_what_it_was(crashed, value):
    number = list(VALUES).index(value)
    assert crashed[0].ok(VALUES[value][1].replace("kept", f"kept_{number}")).text == "true"


def test_a_model_comes_back_and_scores_the_same(own):
    own.ok(
        "let x: Vec<f64> = (0..400).map(|i| f64::from(i * 37 % 101)).collect();\n"
        "let y: Vec<f64> = x.iter().map(|&x| f64::from(x > 50.0)).collect();\n"
        'let features = FeatureMatrix::new(vec!["x".into()], vec![x.clone()], vec![false])?;\n'
        "let model = LightGbm::params().trees(5).fit(&features, &y)?;\n"
        "let scores = model.predict(&features)?;"
    )
    assert not {"x", "y", "features", "model", "scores"} & set(lost_by(own))
    assert own.ok("model.predict(&features)? == scores").text == "true"


def test_other_models_come_back_and_the_newest_of_each(own):
    own.ok(
        "let x: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 101)).collect();\n"
        "let y: Vec<f64> = x.iter().map(|&x| f64::from(x > 50.0)).collect();\n"
        'let features = FeatureMatrix::new(vec!["x".into()], vec![x.clone()], vec![false])?;\n'
        "let forest = RandomForest::params().trees(5).fit(&features, &y)?;\n"
        "let margin = Svm::params().fit(&features, &y)?; let groups = KMeans::params().clusters(3).fit(&features)?;"
    )
    own.ok("let forest = RandomForest::params().trees(6).fit(&features, &y)?; let scores = forest.predict(&features)?;")
    own.ok("let sides = margin.decision(&features)?; let labels = groups.labels().to_vec();")
    assert not {"forest", "margin", "groups", "scores"} & set(lost_by(own))
    assert own.ok("forest.predict(&features)? == scores && forest.trees() == 6").text == "true"
    assert own.ok("margin.decision(&features)? == sides && groups.labels() == labels").text == "true"


def test_what_comes_back_is_the_newest_value(own):
    own.ok('let mut numbers = vec![1, 2]; let mut frame = df!("n" => [1i32, 2, 3])?; let other = 1;')
    own.ok("numbers.push(3); frame = frame.head(Some(1));")
    own.ok("let other = other + 1;")
    assert not {"numbers", "frame", "other"} & set(lost_by(own, f"numbers.push(4); {CRASH}"))
    assert own.ok("(numbers, frame.height(), other)").text == "([1, 2, 3], 1, 2)"


def test_a_name_that_is_a_keyword_comes_back_too(own):
    own.ok("let mut r#type = vec![1];")
    own.ok("r#type.push(2);")
    assert "r#type" not in lost_by(own)
    assert own.ok("r#type").text == "[1, 2]"


def test_a_variable_that_a_cell_gave_away_does_not_come_back(own):
    own.ok("let kept = 1; let given = vec![1.5];")
    own.ok("drop(given);")
    assert not {"kept", "given"} & set(lost_by(own))
    own.fails("given", "CompileError", "given")


def test_what_is_lost_is_named(own):
    own.ok("struct Own(i32); let lost = Own(1); let kept = 2;")
    gone = lost_by(own)
    assert "lost" in gone and "kept" not in gone
    own.fails("lost.0", "CompileError", "lost")
    assert own.ok("kept").text == "2"
    own.ok("let lost = Own(3);")
    assert own.ok("lost.0").text == "3"


def test_variables_come_back_a_second_time(own):
    own.ok('let kept = 1; let frame = df!("n" => [1i32, 2])?;')
    for _ in range(2):
        assert not {"kept", "frame"} & set(lost_by(own))
    assert own.ok("kept as usize + frame.height()").text == "3"


def test_functions_and_the_connection_work_on_after_a_crash(own):
    own.ok("fn twice(n: i32) -> i32 { 2 * n }")
    own.ok("let n = twice(2);")
    own.ok('let one = sql("select 1 as one")?;')
    assert not {"n", "one"} & set(lost_by(own))
    assert own.ok('twice(n) + sql("select 1 as one")?.height() as i32 + one.height() as i32').text == "10"


def test_a_result_of_sql_comes_back(own):
    own.ok("%%sql items <<\nselect * from fact_item order by declaration_id, item_no limit 1000")
    own.ok('let total: f64 = items.numbers("item_price_krw")?.iter().sum();')
    assert not {"items", "total"} & set(lost_by(own))
    assert own.ok('items.numbers("item_price_krw")?.iter().sum::<f64>() == total').text == "true"


def test_values_beyond_the_budget_are_named_as_lost(start, server):
    kernel = start({**server.environment, "HAETAE_KEEP_MB": "1"})
    kernel.ok("let large = vec![0.5; 200_000]; let small = 1;")
    said = crash(kernel)
    assert "small" in said and "run the cells again that make large" in said


def test_a_large_value_is_written_beside_the_cells(own):
    own.ok('let frame = df!("n" => (0..3_000_000i32).collect::<Vec<_>>())?;')
    # The next cells need not wait for the disk; this one does.
    own.ok(
        "let folder = std::env::var(\"HAETAE_KEEP_FOLDER\")?;\n"
        'while !std::path::Path::new(&folder).join("frame.arrow").exists() { stop_if_asked(); }'
    )
    assert "frame" not in lost_by(own)
    assert own.ok('frame.column("n")?.get(2_999_999)?').text.endswith("2999999)")
