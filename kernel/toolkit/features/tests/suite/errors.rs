//! What is refused, and whether the message says where and why.

use haetae_features::{Error, FeatureBuilder, History, labelled_rows, target};
use polars::prelude::*;

fn items() -> DataFrame {
    df!(
        "day" => [1, 2, 3],
        "importer" => ["A", "B", "A"],
        "office" => [20_i64, 40, 20],
        "price" => [1.0, 2.0, 3.0],
        "fraud" => [Some(true), Some(false), None],
    )
    .unwrap()
}

fn with(column: Column) -> DataFrame {
    let mut frame = items();
    frame.with_column(column).unwrap();
    frame
}

fn refusal(builder: &FeatureBuilder, frame: &DataFrame) -> String {
    builder.fit(frame, "fraud", "day").unwrap_err().to_string()
}

#[test]
fn names_say_what_a_feature_is_of() {
    let builder = FeatureBuilder::new()
        .numeric("a")
        .log("a")
        .ratio("a", "b")
        .same("a", "b")
        .categorical("c")
        .history(&["c"], 1.0)
        .history(&["c", "d"], 1.0)
        .count(&["c", "d"])
        .deviation("a", "b", &["c", "d"]);
    let names =
        ["a", "log_a", "a_per_b", "a_is_b", "c", "rate_by_c", "rate_by_c_x_d", "rows_by_c_x_d", "a_per_b_off_c_x_d"];
    assert_eq!(builder.names(), names);
    assert_eq!(builder.rate_names(), ["rate_by_c", "rate_by_c_x_d"]);
    let fewer = builder.clone().without("a_is_b").without("rate_by_c").without("not there");
    assert_eq!(fewer.names(), [names[0], names[1], names[2], names[4], names[6], names[7], names[8]]);
    assert_eq!(fewer.rate_names(), ["rate_by_c_x_d"]);
    let fitted = FeatureBuilder::new().numeric("price").count(&["importer"]).fit(&items(), "fraud", "day").unwrap();
    assert_eq!(fitted.names(), ["price", "rows_by_importer"]);
}

#[test]
fn a_builder_that_cannot_be_right_is_refused() {
    let empty = FeatureBuilder::new().prefix("x", "importer", 1);
    assert!(matches!(empty.fit(&items(), "fraud", "day"), Err(Error::NoFeatures)));
    let twice = FeatureBuilder::new().numeric("price").categorical("price");
    let message = "feature `price` stands twice in the builder; remove one of them with `.without(\"price\")`";
    assert_eq!(refusal(&twice, &items()), message);
    // Two histories of one key differ in their prior only, and have one name.
    let twice = FeatureBuilder::new().history(&["importer"], 1.0).history(&["importer"], 2.0);
    assert!(
        matches!(twice.fit(&items(), "fraud", "day"), Err(Error::FeatureTwice { name }) if name == "rate_by_importer")
    );
    for prior in [-0.5, f64::NAN, f64::INFINITY] {
        let message = format!("prior of a history (rows): expected a finite number of at least 0, found {prior}");
        assert_eq!(refusal(&FeatureBuilder::new().history(&["importer"], prior), &items()), message);
        let error = History::fit(&items(), &["importer"], prior, "fraud", "day").unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    for builder in [FeatureBuilder::new().history(&[], 1.0), FeatureBuilder::new().count(&[])] {
        assert_eq!(refusal(&builder, &items()), "a history: expected at least one column, found none");
    }
}

#[test]
fn a_missing_column_is_named_beside_those_that_are_there() {
    let new = FeatureBuilder::new;
    let cases = [
        (new().numeric("mass"), "mass", "a feature"),
        (new().log("mass"), "mass", "a logarithm"),
        (new().ratio("price", "mass"), "mass", "a ratio"),
        (new().same("importer", "seller"), "seller", "a comparison"),
        (new().categorical("mode"), "mode", "a category"),
        (new().history(&["importer", "hs6"], 1.0), "hs6", "a history"),
        (new().prefix("hs2", "hs6", 2).count(&["hs2"]), "hs6", "a history"),
        (new().deviation("price", "mass", &["importer"]), "mass", "a deviation"),
        (new().deviation("price", "price", &["hs6"]), "hs6", "a deviation"),
    ];
    for (builder, column, purpose) in cases {
        let found = "found: day, importer, office, price, fraud";
        let message = format!("column `{column}`, needed for {purpose}, is not in the frame; {found}");
        assert_eq!(refusal(&builder, &items()), message);
    }
    let builder = new().numeric("price");
    let error = builder.fit(&items(), "critical", "day").unwrap_err().to_string();
    assert!(error.starts_with("column `critical`, needed for the target, is not in the frame"), "{error}");
    let error = builder.fit(&items(), "fraud", "declared").unwrap_err().to_string();
    assert!(error.starts_with("column `declared`, needed for the order in time, is not in the frame"), "{error}");
    let fitted = builder.fit(&items(), "fraud", "day").unwrap();
    let error = fitted.transform(&items().drop("price").unwrap()).unwrap_err();
    assert!(matches!(error, Error::ColumnMissing { column, .. } if column == "price"));
}

#[test]
fn a_wrong_type_is_named_beside_the_right_one() {
    let new = FeatureBuilder::new;
    let numbers = "expected numbers, booleans or dates, found str";
    for (builder, purpose) in [
        (new().numeric("importer"), "a feature"),
        (new().log("importer"), "a logarithm"),
        (new().ratio("price", "importer"), "a ratio"),
        (new().deviation("importer", "price", &["office"]), "a deviation"),
    ] {
        assert_eq!(refusal(&builder, &items()), format!("column `importer`, needed for {purpose}: {numbers}"));
    }
    let length = Column::new("price".into(), [1_i64, 2, 3]).cast(&DataType::Duration(TimeUnit::Milliseconds)).unwrap();
    let error = refusal(&new().numeric("price"), &with(length));
    assert!(error.starts_with("column `price`, needed for a feature: expected numbers, booleans or dates"), "{error}");
    let prefix = new().prefix("head", "office", 2).history(&["head"], 1.0);
    assert_eq!(refusal(&prefix, &items()), "column `office`, needed for a history: expected text, found i64");
    // Two columns of different types never hold the same value: most likely one was read wrongly.
    assert!(refusal_of_scoring(&new().same("importer", "office"), &items()).contains("`office`"));
}

/// Fits on [`items`] and scores another frame.
fn refusal_of_scoring(builder: &FeatureBuilder, frame: &DataFrame) -> String {
    builder.fit(&items(), "fraud", "day").unwrap().transform(frame).unwrap_err().to_string()
}

#[test]
fn a_type_that_changes_after_the_fit_is_refused() {
    let history = FeatureBuilder::new().history(&["importer"], 1.0);
    let numbers = with(Column::new("importer".into(), [1_i64, 2, 3]));
    let message = "column `importer`, needed for a category: expected text, as in the frame that was fitted, found i64";
    assert_eq!(refusal_of_scoring(&history, &numbers), message);
    let category = FeatureBuilder::new().categorical("office");
    let text = with(Column::new("office".into(), ["20", "40", "20"]));
    let message =
        "column `office`, needed for a category: expected numbers, as in the frame that was fitted, found str";
    assert_eq!(refusal_of_scoring(&category, &text), message);
}

#[test]
fn a_row_without_a_date_is_named() {
    let builder = FeatureBuilder::new().numeric("price");
    let hint = "a row without a date has no past; drop it or give it its date";
    let nulls = with(Column::new("day".into(), [Some(1), None, Some(3)]));
    let message = format!("column `day`, row 1: expected a date, found null; {hint}");
    assert_eq!(refusal(&builder, &nulls), message);
    assert_eq!(refusal_of_scoring(&builder, &nulls), message);
    let text = with(Column::new("day".into(), ["2021-01-31", "2021-01-30", "2021-02-30"]));
    let message = format!("column `day`, row 2: expected a date, found `2021-02-30`; {hint}");
    assert_eq!(refusal(&builder, &text), message);
    let fractions = with(Column::new("day".into(), [1.0, 2.0, 3.0]));
    let expected = "expected Date, Datetime, whole days or text YYYY-MM-DD, found f64";
    assert_eq!(refusal(&builder, &fractions), format!("column `day`, needed for the order in time: {expected}"));
}

#[test]
fn a_label_is_yes_or_no() {
    let builder = FeatureBuilder::new().numeric("price");
    let classes = with(Column::new("fraud".into(), [0_i64, 1, 2]));
    let hint = "make a yes/no column of it first, such as `class > 0`";
    assert_eq!(refusal(&builder, &classes), format!("column `fraud`, row 2: expected 0, 1 or null, found 2; {hint}"));
    let text = with(Column::new("fraud".into(), ["yes", "no", "no"]));
    let message = "column `fraud`, needed for the target: expected booleans, or numbers 0 and 1, found str";
    assert_eq!(refusal(&builder, &text), message);
    assert_eq!(target(&items().head(Some(2)), "fraud").unwrap(), [1.0, 0.0]);
    assert_eq!(target(&classes.head(Some(2)), "fraud").unwrap(), [0.0, 1.0]);
    let hint = "a model learns from inspected rows only; filter to rows with a label";
    let error = target(&items(), "fraud").unwrap_err().to_string();
    assert_eq!(error, format!("column `fraud`, row 2: expected 0 or 1, found null; {hint}"));
    assert_eq!(labelled_rows(&items(), "fraud").unwrap(), [0, 1]);
    let fractions = with(Column::new("fraud".into(), [Some(1.0), None, Some(0.5)]));
    assert!(matches!(labelled_rows(&fractions, "fraud"), Err(Error::Value { row: 2, .. })));
}

#[test]
fn an_infinite_amount_is_named_and_a_frame_without_rows_refused() {
    let builder = FeatureBuilder::new().ratio("price", "office");
    let infinite = with(Column::new("price".into(), [1.0, f64::NEG_INFINITY, 3.0]));
    let message = "column `price`, row 1: expected a finite number or null, found -inf; \
                   set it to null where the amount is not known";
    assert_eq!(refusal(&builder, &infinite), message);
    assert_eq!(refusal_of_scoring(&builder, &infinite), message);
    let none = items().head(Some(0));
    assert!(matches!(builder.fit(&none, "fraud", "day"), Err(Error::NoRows)));
    assert!(matches!(History::fit(&none, &["importer"], 1.0, "fraud", "day"), Err(Error::NoRows)));
}
