//! Frames that nobody would make by hand: few rows, constant columns, all missing, extreme numbers.

use haetae_risk::{Binning, Scorecard, Taxpayer, Unseen};
use polars::prelude::*;

#[test]
fn strange_columns_have_bins_and_do_no_harm() {
    let rows = 400;
    let bad: Vec<bool> = (0..rows).map(|i| i % 7 < 2 || i % 50 == 0).collect();
    let frame = df!(
        "constant" => vec![5; rows],
        "missing" => vec![None::<f64>; rows],
        "absent" => vec![None::<&str>; rows],
        "huge" => (0..rows).map(|i| 1e300 * (i as f64 - 200.0)).collect::<Vec<_>>(),
        "zeros" => (0..rows).map(|i| if i % 2 == 0 { 0.0 } else { -0.0 }).collect::<Vec<_>>(),
        "week" => (0..rows).map(|i| (i % 7) as i64).collect::<Vec<_>>(),
        "texts" => (0..rows).map(|i| format!("한국 {}", i % 90)).collect::<Vec<_>>(),
        "day" => (0..rows as i32).collect::<Vec<_>>(),
        "flag" => (0..rows).map(|i| i % 3 == 0).collect::<Vec<_>>(),
        "bad" => bad
    )
    .unwrap();
    let frame = frame.lazy().with_column(col("day").cast(DataType::Date)).collect().unwrap();
    let bins = Binning::new().fit(&frame, "bad").unwrap();
    assert_eq!(bins.attributes().len(), 9);
    for attribute in bins.attributes() {
        assert!(attribute.bins().iter().all(|bin| bin.woe.is_finite() && bin.rows > 0), "{attribute:?}");
        assert!(attribute.information_value().is_finite());
    }
    let single = |name: &str| bins.get(name).unwrap().bins().len() == 1;
    assert!(single("constant") && single("missing") && single("absent") && single("zeros"));
    let model = Taxpayer::params().fit(&frame, "bad").unwrap();
    assert_eq!(model.score(&frame).unwrap().height(), rows);
    assert!(
        Scorecard::params()
            .fit(&frame, "bad")
            .unwrap()
            .unseen(Unseen::Average)
            .score(&frame.head(Some(0)))
            .unwrap()
            .is_empty()
    );
}
