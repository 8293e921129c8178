//! Monitoring: figures that can be worked out by hand, and moves that are planted.

use crate::data::{companies, numbers, says, texts};
use haetae_risk::{Binning, by_grade, by_period, csi, fairness, hit_rates, ranking, score_psi};
use polars::prelude::*;

/// Eight scored rows of two groups and two years.
fn scored() -> DataFrame {
    df!(
        "score" => [900, 800, 700, 600, 400, 300, 200, 100],
        "grade" => ["01", "01", "01", "02", "02", "03", "03", "03"],
        "probability" => [0.9, 0.8, 0.7, 0.5, 0.4, 0.1, 0.1, 0.1],
        "year" => [2020, 2021, 2020, 2021, 2020, 2021, 2020, 2021],
        "size" => [Some("small"), Some("small"), Some("large"), None, Some("large"), Some("small"), Some("large"), Some("small")],
        "bad" => [1, 1, 0, 1, 0, 0, 0, 0],
    )
    .unwrap()
}

#[test]
fn grades_hold_what_is_counted_by_hand() {
    let grades = by_grade(&scored(), "bad").unwrap();
    assert_eq!(texts(&grades, "grade"), ["01", "02", "03"]);
    assert_eq!(numbers(&grades, "rows"), [3.0, 2.0, 3.0]);
    assert_eq!(numbers(&grades, "bad_rate"), [2.0 / 3.0, 0.5, 0.0]);
    assert_eq!(numbers(&grades, "captured"), [2.0 / 3.0, 1.0, 1.0]);
    assert!((numbers(&grades, "lift")[0] - (2.0 / 3.0) / (3.0 / 8.0)).abs() < 1e-12);
    assert_eq!(numbers(&grades, "in_order"), [1.0, 1.0, 1.0]);
}

#[test]
fn groups_are_compared_by_what_is_found_in_them() {
    let groups = fairness(&scored(), "size", "bad", 1).unwrap();
    assert_eq!(texts(&groups, "group"), ["large", "missing", "small"]);
    assert_eq!(numbers(&groups, "flagged"), [1.0 / 3.0, 0.0, 0.5]);
    let found = numbers(&groups, "found");
    assert!(found[0].is_nan() && found[1..] == [0.0, 1.0], "none of the large ones is bad");
    assert_eq!(numbers(&groups, "found_gap")[1], 1.0);
    assert!((numbers(&groups, "gap")[0] - 0.4).abs() < 1e-12);
    says(fairness(&scored(), "region", "bad", 1), "column `region`, needed for fairness");
    says(fairness(&scored(), "size", "bad", 0), "up_to");
    says(by_grade(&scored().drop("grade").unwrap(), "bad"), "column `grade`");
    says(by_grade(&scored().head(Some(0)), "bad"), "scored rows: expected at least 1 row");
}

#[test]
fn periods_have_figures_of_their_own() {
    let periods = by_period(&scored(), "year", "bad").unwrap();
    assert_eq!(texts(&periods, "period"), ["2020", "2021"]);
    assert_eq!(numbers(&periods, "auc"), [1.0, 1.0]);
    assert_eq!(numbers(&periods, "gini"), [1.0, 1.0]);
    assert_eq!(numbers(&periods, "bad_rate"), [0.25, 0.5]);
    assert_eq!(numbers(&periods, "psi")[0], 0.0);
    assert!(numbers(&periods, "psi")[1] > 0.0);
    let one = by_period(&scored().head(Some(2)), "year", "bad").unwrap();
    assert_eq!(one.column("auc").unwrap().null_count(), 2);
}

#[test]
fn an_attribute_that_moves_is_named_first() {
    let (then, now) = (companies(1, 3000), companies(2, 3000));
    let bins = Binning::new().columns(&["late_filings", "region", "age_years"]).fit(&then, "bad").unwrap();
    let calm = csi(&bins, &then, &now).unwrap();
    assert!(texts(&calm, "verdict").iter().all(|verdict| verdict == "calm"), "{calm}");
    let moved = now.clone().lazy().with_column(col("late_filings") + lit(2)).collect().unwrap();
    let moved = csi(&bins, &then, &moved).unwrap();
    assert_eq!(
        (texts(&moved, "feature")[0].as_str(), texts(&moved, "verdict")[0].as_str()),
        ("late_filings", "another population")
    );
    let shifted = scored().lazy().with_column(col("score") + lit(500)).collect().unwrap();
    assert!(score_psi(&scored(), &shifted).unwrap() > score_psi(&scored(), &scored()).unwrap());
}

#[test]
fn figures_of_ranking_have_their_intervals() {
    let target: Vec<f64> = (0..200).map(|i| f64::from(i % 3 == 0)).collect();
    let scores: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 100) + 40.0 * f64::from(i % 3 == 0)).collect();
    let found = ranking(&target, &scores, 1).unwrap();
    assert!((found.gini - (2.0 * found.auc.estimate - 1.0)).abs() < 1e-12);
    assert!(found.auc.low < found.auc.estimate && found.auc.estimate < found.auc.high && found.ks.low > 0.0);
    assert!(found.to_string().starts_with("AUC 0."));
    assert_eq!(ranking(&target, &scores, 1).unwrap(), found);
}

#[test]
fn a_hit_rate_that_falls_is_told_from_chance() {
    // 10 of 20, 2 of 40, 1 of 2.
    let month: Vec<&str> = [vec!["2026-01"; 20], vec!["2026-02"; 40], vec!["2026-03"; 2]].concat();
    let fraud: Vec<bool> = (0..62).map(|row| row < 10 || (20..22).contains(&row) || row == 60).collect();
    let results = df!("month" => month, "fraud" => fraud).unwrap();
    let found = hit_rates(&results, "month", "fraud", 0.4).unwrap();
    assert_eq!(texts(&found, "period"), ["2026-01", "2026-02", "2026-03"]);
    assert_eq!(numbers(&found, "hit_rate"), [0.5, 0.05, 0.5]);
    // Wilson's interval of 10 of 20 without correction, as in tables: 0.2993 to 0.7007.
    assert!((numbers(&found, "low")[0] - 0.299_3).abs() < 1e-4 && (numbers(&found, "high")[0] - 0.700_7).abs() < 1e-4);
    assert_eq!(texts(&found, "verdict"), ["calm", "fallen", "calm"], "two inspections say nothing");
    assert_eq!(texts(&hit_rates(&results, "month", "fraud", 0.02).unwrap(), "verdict"), ["risen", "calm", "risen"]);
    says(hit_rates(&results, "month", "fraud", 1.5), "expected a share from 0 to 1");
    says(hit_rates(&results, "week", "fraud", 0.4), "column `week`");
    says(hit_rates(&results, "month", "found", 0.4), "column `found`");
    says(hit_rates(&results.head(Some(0)), "month", "fraud", 0.4), "results of inspections: expected at least 1 row");
}
