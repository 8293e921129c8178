//! What a row may know of labels: those of strictly earlier days. Judged by counting every row by hand.

use haetae_features::{FeatureBuilder, FeatureMatrix, History};
use polars::prelude::*;
use rayon::prelude::*;

use crate::data::{NEW_YEAR, Random, Row, assert_close, bits, feature, frame, rows};

fn builder() -> FeatureBuilder {
    FeatureBuilder::new()
        .prefix("hs4", "hs6", 4)
        .history(&["importer_id"], 2.0)
        .history(&["office_id", "hs4"], 0.0)
        .count(&["importer_id", "office_id"])
        .deviation("item_price_krw", "net_mass_kg", &["hs4"])
}

fn fit(train: &[Row], frame_to_score: &DataFrame) -> FeatureMatrix {
    builder().fit(&frame(train), "fraud", "declaration_date").unwrap().transform(frame_to_score).unwrap()
}

fn hs4(row: &Row) -> Option<&str> {
    row.hs6.as_ref().map(|code| &code[..4])
}

/// `(p + prior * r) / (n + prior)` over the rows of earlier days.
fn rate(train: &[Row], row: &Row, prior: f64, same: fn(&Row, &Row) -> bool) -> f64 {
    let earlier: Vec<(&Row, bool)> =
        train.iter().filter(|other| other.day < row.day).filter_map(|other| Some((other, other.fraud?))).collect();
    let overall = earlier.iter().filter(|(_, fraud)| *fraud).count() as f64 / earlier.len() as f64;
    let own: Vec<bool> = earlier.iter().filter(|(other, _)| same(other, row)).map(|(_, fraud)| *fraud).collect();
    let positive = own.iter().filter(|fraud| **fraud).count() as f64;
    // Without any earlier label 0 / 0 makes it NaN, as it has to be.
    (positive + prior * overall) / (own.len() as f64 + prior)
}

fn count(train: &[Row], row: &Row, same: fn(&Row, &Row) -> bool) -> f64 {
    train.iter().filter(|other| other.day < row.day && same(other, row)).count() as f64
}

fn log_price(row: &Row) -> Option<f64> {
    let (price, mass) = (row.price?, row.mass?);
    (price > 0.0 && mass > 0.0).then(|| (price / mass).ln())
}

fn deviation(train: &[Row], row: &Row) -> f64 {
    let past = train.iter().filter(|other| other.day < row.day && hs4(other) == hs4(row));
    let past: Vec<f64> = past.filter_map(log_price).collect();
    let mean = past.iter().sum::<f64>() / past.len() as f64;
    log_price(row).map_or(f64::NAN, |own| own - mean)
}

/// Compares every row of `scored` with a count by hand; gives the number of rows without a value.
fn assert_as_by_hand(train: &[Row], scored: &[Row]) -> [usize; 4] {
    let found = fit(train, &frame(scored));
    let by_hand = |value: &dyn Fn(&Row) -> f64| scored.iter().map(value).collect::<Vec<_>>();
    let expected = [
        ("rate_by_importer_id", by_hand(&|row| rate(train, row, 2.0, |a, b| a.importer == b.importer))),
        ("rate_by_office_id_x_hs4", {
            by_hand(&|row| rate(train, row, 0.0, |a, b| a.office == b.office && hs4(a) == hs4(b)))
        }),
        ("rows_by_importer_id_x_office_id", {
            by_hand(&|row| count(train, row, |a, b| a.importer == b.importer && a.office == b.office))
        }),
        ("item_price_krw_per_net_mass_kg_off_hs4", by_hand(&|row| deviation(train, row))),
    ];
    for (name, expected) in &expected {
        assert_close(name, feature(&found, name), expected, 1e-10);
    }
    expected.map(|(_, values)| values.into_iter().filter(|value| value.is_nan()).count())
}

#[test]
fn every_row_knows_what_a_count_by_hand_finds() {
    for seed in 1..=4 {
        let train = rows(seed, 220, NEW_YEAR, 0);
        let missing = assert_as_by_hand(&train, &train);
        // Rows of the first day know nothing, most others do: neither kind may be left out of the test.
        assert!(missing[0] > 5 && missing.iter().all(|&missing| missing < 150), "{missing:?}");
    }
}

#[test]
fn rows_that_were_not_trained_on_follow_the_same_rule() {
    let train = rows(11, 200, NEW_YEAR, 0);
    // Days before, within and after the training rows; importers that training knows and others.
    for first_day in [NEW_YEAR - 20, NEW_YEAR + 6, NEW_YEAR + 40] {
        let missing = assert_as_by_hand(&train, &rows(12, 150, first_day, 3));
        assert_eq!(missing[0] == 150, first_day < NEW_YEAR, "{missing:?}");
    }
}

#[test]
fn labels_of_the_same_day_and_later_change_nothing() {
    let train = rows(21, 120, NEW_YEAR, 0);
    let scored = frame(&train);
    let before = fit(&train, &scored);
    let mut seen_earlier = 0;
    for (i, row) in train.iter().enumerate() {
        // Own label included: its row is of its own day.
        let with = |flips: &dyn Fn(&Row) -> bool| {
            let mut changed = train.clone();
            for other in changed.iter_mut().filter(|other| flips(other)) {
                other.fraud = match other.fraud {
                    Some(fraud) => Some(!fraud),
                    None => Some(true),
                };
            }
            bits(&fit(&changed, &scored), i)
        };
        assert_eq!(with(&|other| other.day >= row.day), bits(&before, i), "row {i} sees a label it may not see");
        seen_earlier += usize::from(with(&|other| other.day < row.day) != bits(&before, i));
    }
    // The other half: labels of earlier days do count, so the comparison above is one that can fail.
    assert!(seen_earlier > 80, "only {seen_earlier} rows look at earlier labels");
}

#[test]
fn a_row_knows_no_more_than_if_the_future_had_not_happened() {
    let train = rows(31, 150, NEW_YEAR, 0);
    let whole = fit(&train, &frame(&train));
    for day in NEW_YEAR + 1..NEW_YEAR + 12 {
        let known: Vec<Row> = train.iter().filter(|row| row.day < day).cloned().collect();
        let today: Vec<usize> = (0..train.len()).filter(|&i| train[i].day == day).collect();
        let scored: Vec<Row> = today.iter().map(|&i| train[i].clone()).collect();
        let found = fit(&known, &frame(&scored));
        for (place, &i) in today.iter().enumerate() {
            assert_eq!(bits(&found, place), bits(&whole, i), "row {i} of day {day}");
        }
    }
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let train = rows(41, 200, NEW_YEAR, 0);
    let mut order: Vec<usize> = (0..train.len()).collect();
    Random::new(42).shuffle(&mut order);
    let mixed: Vec<Row> = order.iter().map(|&i| train[i].clone()).collect();
    let (found, expected) = (fit(&mixed, &frame(&mixed)), fit(&train, &frame(&train)).select_rows(&order));
    for (column, name) in expected.names().iter().enumerate() {
        // Means are sums of floating-point numbers; counts must be equal to the last bit.
        let tolerance = if name.contains("_off_") { 1e-12 } else { 0.0 };
        assert_close(name, found.column(column), expected.column(column), tolerance);
    }
}

#[test]
fn the_same_rows_give_the_same_bytes_on_any_number_of_threads() {
    let train = rows(51, 400, NEW_YEAR, 0);
    let scored = frame(&train);
    let all = |matrix: &FeatureMatrix| matrix.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let expected = all(&fit(&train, &scored));
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| all(&fit(&train, &scored))), expected, "{threads} threads");
    }
    // Several fits at once, as cells of several notebooks would run them.
    let at_once: Vec<Vec<u64>> = (0..4).into_par_iter().map(|_| all(&fit(&train, &scored))).collect();
    assert!(at_once.iter().all(|found| *found == expected));
}

#[test]
fn a_history_on_its_own_is_the_feature() {
    let (train, later) = (rows(61, 200, NEW_YEAR, 0), rows(62, 100, NEW_YEAR + 5, 2));
    let history = History::fit(&frame(&train), &["importer_id", "hs6"], 3.0, "fraud", "declaration_date").unwrap();
    let builder = FeatureBuilder::new().history(&["importer_id", "hs6"], 3.0).count(&["importer_id", "hs6"]);
    let fitted = builder.fit(&frame(&train), "fraud", "declaration_date").unwrap();
    for scored in [frame(&train), frame(&later)] {
        let matrix = fitted.transform(&scored).unwrap();
        assert_close("rate", &history.rates(&scored).unwrap(), feature(&matrix, "rate_by_importer_id_x_hs6"), 0.0);
        assert_close("rows", &history.rows(&scored).unwrap(), feature(&matrix, "rows_by_importer_id_x_hs6"), 0.0);
    }
}

#[test]
fn rows_without_a_label_are_counted_and_teach_no_rate() {
    let train = df!(
        "day" => [1, 1, 2, 3],
        "importer" => ["A", "A", "A", "B"],
        "fraud" => [Some(true), None, None, Some(false)],
    )
    .unwrap();
    let later = df!("day" => [4, 4, 4], "importer" => ["A", "B", "C"]).unwrap();
    let history = History::fit(&train, &["importer"], 1.0, "fraud", "day").unwrap();
    assert_eq!(history.rows(&later).unwrap(), [3.0, 1.0, 0.0]);
    // Overall 1 of 2 labels: (1 + 0.5) / 2, (0 + 0.5) / 2, and 0.5 for an importer never seen.
    assert_eq!(history.rates(&later).unwrap(), [0.75, 0.25, 0.5]);
}

#[test]
fn a_day_is_the_same_however_it_is_written() {
    let days = [18_262, 18_263, 18_321, 18_322, 18_322];
    let text = ["2020-01-01", "2020-01-02", "2020-02-29", "2020-03-01", "2020-03-01"];
    let moments: Vec<i64> =
        days.iter().enumerate().map(|(i, &day)| (i64::from(day) * 24 + i as i64) * 3_600_000).collect();
    let moments = Column::new("day".into(), moments).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    let writings = [
        crate::data::days(&days),
        Column::new("day".into(), days),
        Column::new("day".into(), days.map(i64::from)),
        Column::new("day".into(), text),
        moments,
    ];
    for day in writings {
        let dtype = day.dtype().clone();
        let mut frame = df!("office" => ["a", "a", "a", "b", "a"], "fraud" => [1, 0, 1, 0, 0]).unwrap();
        frame.with_column(day).unwrap();
        let history = History::fit(&frame, &["office"], 0.0, "fraud", "day").unwrap();
        assert_close(
            &dtype.to_string(),
            &history.rates(&frame).unwrap(),
            &[f64::NAN, 1.0, 0.5, f64::NAN, 2.0 / 3.0],
            1e-15,
        );
        assert_eq!(history.rows(&frame).unwrap(), [0.0, 1.0, 2.0, 0.0, 3.0], "{dtype}");
    }
}
