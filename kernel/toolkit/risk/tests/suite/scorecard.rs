//! Scorecards: points that add up, and points by their formula.

use crate::data::{companies, numbers, says, without};
use haetae_models::metrics;
use haetae_risk::{Binning, Scale, Scorecard, Unseen};
use polars::prelude::*;

#[test]
fn points_are_whole_numbers_that_add_up_to_the_score() {
    let frame = without(&companies(1, 3000), "company_id");
    let card = Scorecard::params().binning(Binning::new().special("audit_year", &[-1.0])).fit(&frame, "bad").unwrap();
    let (scores, points) = (card.score(&frame).unwrap(), card.points(&frame).unwrap());
    let columns: Vec<Vec<f64>> = points.get_column_names().iter().map(|name| numbers(&points, name)).collect();
    for (row, &score) in scores.iter().enumerate() {
        assert_eq!(columns.iter().map(|column| column[row]).sum::<f64>(), score as f64, "row {row}");
    }
    let scores: Vec<f64> = scores.iter().map(|&score| score as f64).collect();
    let auc = metrics::auc(&haetae_features::target(&frame, "bad").unwrap(), &scores).unwrap();
    assert!(auc > 0.75, "{auc}");
    assert!(card.left_out().iter().any(|(name, why)| name == "noise" && why.contains("information value")));
}

#[test]
fn the_scale_is_that_of_its_formula() {
    let frame = companies(2, 3000).select(["late_filings", "region", "bad"]).unwrap();
    let card = |pdo: f64| {
        let scale = Scale { pdo, base_score: 600.0, base_odds: 0.25 };
        Scorecard::params().scale(scale).c(1000.0).fit(&frame, "bad").unwrap()
    };
    // Twice the points to double the odds: twice the distance of every bin from the base.
    let points = |pdo| numbers(&card(pdo).table().unwrap(), "points");
    for (narrow, wide) in points(1000.0).iter().zip(points(2000.0)) {
        assert!((2.0 * narrow - wide).abs() <= 1.0, "{narrow}, {wide}");
    }
    let card = card(50.0);
    assert!((card.probability(600) - 0.2).abs() < 1e-12 && (card.probability(650) - 1.0 / 3.0).abs() < 1e-12);
    // With the weight of evidence the one attribute, little penalty and no smoothing, probabilities are the bins' rates.
    let alone = companies(2, 3000).select(["late_filings", "bad"]).unwrap();
    let scale = Scale { pdo: 5000.0, ..Scale::default() };
    let params = Scorecard::params().binning(Binning::new().smoothing(1e-9)).scale(scale).c(1e4);
    let card = params.fit(&alone, "bad").unwrap();
    let rates = numbers(&card.table().unwrap(), "bad_rate");
    let points = numbers(&card.table().unwrap(), "points");
    for (rate, points) in rates.iter().zip(points) {
        let said = card.probability(card.base() + points as i64);
        assert!((said - rate).abs() < 0.002, "{said}, {rate}");
    }
}

#[test]
fn a_value_that_was_not_seen_is_refused_with_its_row_or_says_nothing() {
    let frame = companies(3, 1000).select(["late_filings", "region", "bad"]).unwrap();
    let card = Scorecard::params().fit(&frame, "bad").unwrap();
    let other = df!("late_filings" => [1, 2], "region" => ["port", "moon"]).unwrap();
    says(card.score(&other), "column `region`, row 1: expected a value that some training row had, found `moon`");
    let missing = df!("late_filings" => [Some(1), None], "region" => ["port", "port"]).unwrap();
    says(card.score(&missing), "column `late_filings`, row 1");
    let text = df!("late_filings" => ["1"], "region" => ["port"]).unwrap();
    says(card.score(&text), "expected numbers, booleans or dates, found str");
    says(card.score(&frame.select(["region"]).unwrap()), "column `late_filings`, needed for the scorecard");
    let card = card.unseen(Unseen::Average);
    let points = card.points(&other).unwrap();
    assert_eq!(numbers(&points, "region")[1], 0.0);
    assert_eq!(card.score(&missing).unwrap().len(), 2);
}

#[test]
fn settings_out_of_range_and_columns_that_say_nothing_are_refused() {
    let frame = companies(4, 600).select(["noise", "bad"]).unwrap();
    says(
        Scorecard::params().min_iv(0.5).fit(&frame, "bad"),
        "no attribute is left to score by: `noise`: its information value",
    );
    says(Scorecard::params().c(0.0).fit(&frame, "bad"), "scorecard, c");
    says(Scorecard::params().scale(Scale { pdo: 0.0, ..Scale::default() }).fit(&frame, "bad"), "scale, pdo");
    says(Scorecard::params().scale(Scale { base_odds: -1.0, ..Scale::default() }).fit(&frame, "bad"), "base_odds");
}
