//! Frames that lack something: what the recipe leaves out with a note, and what it refuses.

use haetae_features::FeatureBuilder;
use haetae_models::{Clearance, Error, LightGbm, Logistic, Protocol, metrics};
use polars::prelude::*;

use crate::data::{items, labelled};

/// Small, for the columns of [`items`].
pub fn recipe() -> Clearance {
    let features = FeatureBuilder::new().history(&["importer_id"], 10.0).count(&["goods"]).numeric("net_mass_kg");
    Clearance::new()
        .features(features)
        .plain_features(FeatureBuilder::new().categorical("importer_id").log("net_mass_kg"))
        .model(LightGbm::params().trees(30).depth(2).leaves(4).threads(2))
        .key(&["goods"])
        .folds(3)
}

fn data() -> (DataFrame, DataFrame) {
    (items(11, 500, 0, 200, 60), items(12, 300, 200, 60, 120))
}

fn with(frame: &DataFrame, column: Column) -> DataFrame {
    let mut frame = frame.clone();
    frame.with_column(column).unwrap();
    frame
}

fn duty(values: Vec<Option<f64>>) -> Column {
    Column::new("additional_duty_krw".into(), values)
}

fn refusal(recipe: &Clearance, train: &DataFrame, valid: &DataFrame) -> Error {
    recipe.run(train, valid).unwrap_err()
}

#[test]
fn without_revenue_the_other_figures_stand() {
    let (train, valid) = data();
    let with_revenue = recipe().run(&train, &valid).unwrap().evaluation;
    let missing = (train.drop("additional_duty_krw").unwrap(), valid.drop("additional_duty_krw").unwrap());
    let null = (with(&train, duty(vec![None; 500])), with(&valid, duty(vec![None; 300])));
    for (train, valid) in [missing, null] {
        let evaluation = recipe().run(&train, &valid).unwrap().evaluation;
        assert_eq!(evaluation.scores().len(), 12);
        for (found, expected) in evaluation.scores().iter().zip(with_revenue.scores()) {
            assert_eq!((found.revenue, found.auc), (None, expected.auc));
            assert!(expected.revenue.is_some());
        }
        assert!(!evaluation.html().contains("Rev@") && with_revenue.html().contains("Rev@5%"));
    }
}

#[test]
fn revenue_that_is_rarely_known_counts_as_zero_elsewhere() {
    let (train, valid) = data();
    // One amount in all: two of three folds have none, and it is known all the same.
    let fraud: Vec<Option<bool>> = valid.column("fraud").unwrap().bool().unwrap().iter().collect();
    let first = fraud.iter().position(|fraud| *fraud == Some(true)).unwrap();
    let amounts = (0..300).map(|row| (row == first).then_some(5e6)).collect();
    let (train, valid) = (with(&train, duty(vec![None; 500])), with(&valid, duty(amounts)));
    let run = recipe().run(&train, &valid).unwrap();
    let judged = labelled(&valid);
    let scores = run.model.score(&judged).unwrap();
    let revenue: Vec<f64> =
        judged.column("additional_duty_krw").unwrap().f64().unwrap().iter().map(|duty| duty.unwrap_or(0.0)).collect();
    let full = run.evaluation.get(Protocol::Full, "LightGBM").unwrap();
    assert_eq!(full.revenue.unwrap()[4], metrics::revenue_at(&revenue, &scores, 0.2).unwrap());
    for score in run.evaluation.scores() {
        let revenue = score.revenue.unwrap_or_else(|| panic!("{} has none", score.protocol.name()));
        assert!(revenue.iter().all(|share| [0.0, 1.0].contains(share) || share.is_nan()), "{revenue:?}");
    }
    assert!(!run.evaluation.get(Protocol::Grouped, "LightGBM").unwrap().revenue.unwrap()[4].is_nan());
}

#[test]
fn revenue_is_a_number_of_at_least_zero() {
    let (train, valid) = data();
    let text = with(&valid, Column::new("additional_duty_krw".into(), vec!["much"; 300]));
    let error = refusal(&recipe().folds(0), &train, &text);
    let expected = "column `additional_duty_krw`, needed for revenue: expected numbers, found str";
    assert_eq!(error.to_string(), expected);
    let negative = with(&valid, duty(vec![Some(-1.0); 300]));
    let error = refusal(&recipe().folds(0), &train, &negative);
    assert!(error.to_string().contains("expected a finite amount of at least 0, found -1"), "{error}");
}

#[test]
fn a_protocol_without_rows_or_of_one_class_is_left_out_with_a_note() {
    let (train, valid) = data();
    let goods = valid.column("goods").unwrap().i64().unwrap();
    let seen = valid.filter(&goods.iter().map(|goods| goods < Some(60)).collect()).unwrap();
    let run = recipe().folds(0).run(&train, &seen).unwrap().evaluation;
    let note = "Protocol clean is left out: target: expected at least 1 row with a label, found none among 0.";
    assert_eq!((run.notes(), run.scores().len()), (&[note.to_owned()][..], 4));
    assert!(run.html().contains(note) && run.to_string().ends_with(note));

    let honest = with(&valid, Column::new("fraud".into(), vec![false; 300]));
    let run = recipe().folds(0).run(&train, &honest).unwrap().evaluation;
    let reason = "target: expected both 0 and 1, found only 0 in";
    assert_eq!((run.scores().len(), run.notes().len()), (0, 2));
    for (note, protocol) in run.notes().iter().zip(["full", "clean"]) {
        assert!(note.starts_with(&format!("Protocol {protocol} is left out: {reason}")), "{note}");
    }
    assert!(run.audit().lookup_auc.is_nan());
}

#[test]
fn validation_that_begins_too_early_is_noted() {
    let (train, _) = data();
    for (first_day, noted) in [(199, true), (200, false)] {
        // One row makes sure that the first day is there.
        let valid = items(13, 300, first_day, 40, 120);
        let day = Column::new("declaration_date".into(), [18_262 + first_day as i32]).cast(&DataType::Date).unwrap();
        let row = with(&valid.head(Some(1)), day);
        let evaluation = recipe().folds(0).run(&train, &row.vstack(&valid).unwrap()).unwrap().evaluation;
        let notes = evaluation.notes().iter().filter(|note| note.starts_with("Validation begins before training ends"));
        assert_eq!(notes.count() == 1, noted, "{:?}", evaluation.notes());
    }
}

#[test]
fn columns_are_known_by_name_and_not_by_place() {
    let (train, valid) = data();
    let expected = recipe().run(&train, &valid).unwrap();
    let mut names: Vec<String> = valid.get_column_names().iter().map(|name| name.to_string()).collect();
    names.reverse();
    let mixed = with(&valid.select(names).unwrap(), Column::new("remark".into(), vec!["-"; 300]));
    assert_eq!(recipe().run(&train, &mixed).unwrap().to_string(), expected.to_string());
}

#[test]
fn columns_may_have_other_names() {
    let (train, valid) = data();
    let rename = |frame: &DataFrame| {
        let mut frame = frame.clone();
        for (from, to) in [
            ("declaration_date", "day"),
            ("importer_id", "company"),
            ("fraud", "caught"),
            ("additional_duty_krw", "found_krw"),
        ] {
            frame.rename(from, to.into()).unwrap();
        }
        frame
    };
    let renamed = recipe()
        .features(FeatureBuilder::new().history(&["company"], 10.0).count(&["goods"]).numeric("net_mass_kg"))
        .plain_features(FeatureBuilder::new().categorical("company").log("net_mass_kg"))
        .model(LightGbm::params().trees(30).depth(2).leaves(4).threads(2))
        .target("caught")
        .date("day")
        .importer("company")
        .revenue("found_krw");
    let run = renamed.run(&rename(&train), &rename(&valid)).unwrap();
    let expected = recipe().run(&train, &valid).unwrap();
    assert_eq!(run.evaluation, expected.evaluation);
}

#[test]
fn without_folds_there_is_no_grouped_protocol() {
    let (train, valid) = data();
    let evaluation = recipe().folds(0).run(&train, &valid).unwrap().evaluation;
    assert_eq!(evaluation.scores().len(), 8);
    assert!(evaluation.get(Protocol::Grouped, "LightGBM").is_none());
    let error = refusal(&recipe().folds(500), &train, &valid);
    assert!(error.to_string().contains("500 folds for"), "{error}");
}

#[test]
fn what_cannot_be_learnt_or_judged_is_refused() {
    let (train, valid) = data();
    let unlabelled = |rows: usize| Column::new("fraud".into(), vec![None::<bool>; rows]);
    let error = refusal(&recipe(), &train, &with(&valid, unlabelled(300)));
    assert_eq!(error.to_string(), "validation rows: expected at least 1 row with a label, found none among 300");
    let error = refusal(&recipe(), &with(&train, unlabelled(500)), &valid);
    assert_eq!(error.to_string(), "training rows: expected at least 1 row with a label, found none among 500");
    let honest = with(&train, Column::new("fraud".into(), vec![false; 500]));
    assert!(matches!(refusal(&recipe(), &honest, &valid), Error::OneClass { found: 0.0, rows: 500 }));
    let error = refusal(&recipe().target("critical"), &train, &valid);
    assert!(error.to_string().starts_with("column `critical`, needed for the target, is not in the frame"), "{error}");
    for recipe in [recipe().key(&["hs6"]), recipe().importer("hs6"), recipe().date("hs6")] {
        let error = refusal(&recipe, &train, &valid);
        assert!(error.to_string().starts_with("column `hs6`, needed for"), "{error}");
    }
    let error = refusal(&recipe().model(LightGbm::params().trees(0)), &train, &valid);
    assert!(matches!(error, Error::Parameter { model: "LightGBM", name: "trees", .. }), "{error}");
    let error = refusal(&recipe().logistic(Logistic::params().c(0.0)), &train, &valid);
    assert!(matches!(error, Error::Parameter { model: "logistic regression", name: "c", .. }), "{error}");
}

#[test]
fn a_column_name_with_markup_stands_in_html_as_itself() {
    let (mut train, mut valid) = data();
    for frame in [&mut train, &mut valid] {
        frame.rename("net_mass_kg", "a<b".into()).unwrap();
        frame.rename("goods", "<i>&goods".into()).unwrap();
    }
    let recipe = recipe()
        .features(FeatureBuilder::new().numeric("a<b").history(&["importer_id"], 10.0))
        .plain_features(FeatureBuilder::new().log("a<b"))
        .key(&["<i>&goods"]);
    let run = recipe.run(&train, &valid).unwrap();
    let html = run.html();
    assert!(html.contains("Leakage audit by &lt;i&gt;&amp;goods:") && html.contains("Features by gain: "), "{html}");
    assert!(html.contains("a&lt;b "), "the feature is among those that matter: {html}");
    assert!(!html.contains("a<b") && !html.contains("<i>"), "{html}");
    // In text there is no markup to guard against.
    assert!(run.to_string().contains("a<b ") && run.to_string().contains("by <i>&goods:"));
}
