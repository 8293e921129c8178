//! Bins: by their definition, in order, with special and missing values apart.

use crate::data::{companies, numbers, says, texts, without};
use haetae_risk::{Binning, Direction, Unseen};
use polars::prelude::*;

#[test]
fn weights_of_evidence_are_those_of_the_definition() {
    // 10 of 40 bad below, 30 of 60 above: shares of bad 1/4 and 3/4, of good 1/2 and 1/2 (30 and 30 of 60).
    let x: Vec<i64> = (0..100).map(|i| i64::from(i >= 40)).collect();
    let bad: Vec<bool> = (0..100).map(|i| i < 10 || (40..70).contains(&i)).collect();
    let frame = df!("x" => x, "bad" => bad).unwrap();
    let bins = Binning::new().smoothing(1e-9).fit(&frame, "bad").unwrap();
    let attribute = bins.get("x").unwrap();
    assert_eq!(
        attribute.bins().iter().map(|bin| (bin.label.as_str(), bin.rows)).collect::<Vec<_>>(),
        [("up to 0", 40), ("above 0", 60)]
    );
    let expected = [(0.25_f64 / 0.5).ln(), (0.75_f64 / 0.5).ln()];
    for (bin, expected) in attribute.bins().iter().zip(expected) {
        assert!((bin.woe - expected).abs() < 1e-9, "{bin:?}");
    }
    let value = (0.25 - 0.5) * expected[0] + (0.75 - 0.5) * expected[1];
    assert!((attribute.information_value() - value).abs() < 1e-9);
    let table = bins.table().unwrap();
    assert_eq!(numbers(&table, "bad_rate"), [0.25, 0.5]);
    assert_eq!(
        numbers(&bins.woe(&frame, Unseen::Refuse).unwrap(), "x")[39..41],
        [attribute.bins()[0].woe, attribute.bins()[1].woe]
    );
}

#[test]
fn numbers_are_monotone_and_every_bin_has_its_share() {
    let frame = without(&companies(1, 4000), "company_id");
    let bins = Binning::new().special("audit_year", &[-1.0]).fit(&frame, "bad").unwrap();
    let late: Vec<f64> = bins.get("late_filings").unwrap().bins().iter().map(|bin| bin.woe).collect();
    assert!(late.len() > 3 && late.windows(2).all(|pair| pair[0] < pair[1]), "{late:?}");
    let age: Vec<f64> = bins.get("age_years").unwrap().bins().iter().map(|bin| bin.woe).collect();
    assert!(age.len() > 2 && age.windows(2).all(|pair| pair[0] > pair[1]), "{age:?}");
    for attribute in bins.attributes() {
        let own = |label: &str| label == "missing" || label == "-1";
        assert!(attribute.bins().iter().all(|bin| own(&bin.label) || bin.rows >= 200), "{attribute:?}");
        assert_eq!(attribute.bins().iter().map(|bin| bin.rows).sum::<usize>(), 4000);
    }
    let last = |name: &str| bins.get(name).unwrap().bins().last().unwrap().clone();
    assert_eq!((last("audit_year").label.as_str(), last("turnover").label.as_str()), ("-1", "missing"));
    assert!(last("audit_year").rows > 1000 && last("turnover").rows > 300);
    assert_eq!(texts(&bins.information().unwrap(), "attribute")[0], "late_filings");
    assert!(bins.get("noise").unwrap().information_value() < 0.02);
}

#[test]
fn categories_go_together_by_their_share_of_bad_rows() {
    let frame = companies(2, 4000).select(["region", "bad"]).unwrap();
    let bins = Binning::new().min_gain(0.01).fit(&frame, "bad").unwrap();
    let region = bins.get("region").unwrap().bins();
    assert_eq!((region.len(), region[1].label.as_str()), (2, "port"), "{region:?}");
    // Hundreds of names, of which those that end in 7 are bad: far more names than places to cut at.
    let name: Vec<String> = (0..9000).map(|i| format!("N{}", i % 300)).collect();
    let bad: Vec<bool> = (0..9000).map(|i| i % 10 == 7 || i % 97 == 0).collect();
    let names = Binning::new().fit(&df!("name" => name, "bad" => bad).unwrap(), "bad").unwrap();
    let last = names.get("name").unwrap().bins().last().unwrap().clone();
    // Names are put together by some 225 rows before they are cut, so a few names may stand beside their like.
    assert!(last.rows >= 675 && last.bad > 0.9 * last.rows as f64 && last.label.ends_with("more"), "{last:?}");
}

#[test]
fn a_direction_that_is_said_is_kept() {
    let frame = companies(3, 2000).select(["late_filings", "bad"]).unwrap();
    let falling = Binning::new().direction("late_filings", Direction::Falling).fit(&frame, "bad").unwrap();
    assert_eq!(falling.get("late_filings").unwrap().bins().len(), 1, "it rises, so there is no way to cut it");
    let rising = Binning::new().direction("late_filings", Direction::Rising).fit(&frame, "bad").unwrap();
    assert!(rising.get("late_filings").unwrap().bins().len() > 2);
}

#[test]
fn what_cannot_be_binned_is_refused() {
    let frame = without(&companies(4, 300), "company_id");
    let fit = |binning: Binning| binning.fit(&frame, "bad");
    says(fit(Binning::new().bins(1)), "bins: expected 2 to 50, found 1");
    says(fit(Binning::new().min_share(0.7)), "min_share");
    says(fit(Binning::new().smoothing(0.0)), "smoothing");
    says(fit(Binning::new().min_gain(f64::NAN)), "min_gain");
    says(fit(Binning::new().columns(&["age", "noise"])), "column `age`, needed for the bins, is not in the frame");
    says(fit(Binning::new().columns(&["noise", "noise"])), "`noise` twice");
    says(fit(Binning::new().columns(&["bad"])), "columns other than the target");
    says(fit(Binning::new().special("agee", &[0.0])), "found `agee`");
    says(fit(Binning::new().special("region", &[0.0])), "columns of numbers");
    says(Binning::new().fit(&frame, "worse"), "column `worse`, needed for the target");
    says(Binning::new().fit(&frame.head(Some(0)), "bad"), "expected at least 1 row");
    let nan = df!("x" => [1.0, f64::NAN, 2.0], "bad" => [true, false, true]).unwrap();
    says(Binning::new().fit(&nan, "bad"), "column `x`, row 1: expected a finite number or null, found NaN");
    let one = df!("x" => [1.0, 3.0], "bad" => [true, true]).unwrap();
    says(Binning::new().fit(&one, "bad"), "expected both 0 and 1, found only 1 in 2 rows");
    let unknown = df!("x" => [1.0, 3.0], "bad" => [Some(true), None]).unwrap();
    says(Binning::new().fit(&unknown, "bad"), "row 1");
    let wrong = df!("x" => [1.0, 3.0], "bad" => [0, 2]).unwrap();
    says(Binning::new().fit(&wrong, "bad"), "column `bad`, row 1: expected 0, 1 or null, found 2");
}

#[test]
fn a_column_of_names_says_nothing() {
    // Each text stands once: by its own row it would be all good or all bad.
    let name: Vec<String> = (0..1000).map(|i| format!("company {i}")).collect();
    let bad: Vec<bool> = (0..1000).map(|i| i * 7919 % 1000 < 300).collect();
    let frame = df!("name" => name, "bad" => bad).unwrap();
    let bins = Binning::new().fit(&frame, "bad").unwrap();
    let attribute = bins.get("name").unwrap();
    assert_eq!(attribute.bins().len(), 1);
    assert!(attribute.information_value().abs() < 1e-12);
}
