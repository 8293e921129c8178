//! Nets from the outside: what they learn, that they are the same each time, and what they refuse.

use haetae_features::FeatureMatrix;
use haetae_models::{
    ClassWeight, Cnn, Error, Fcnn, Gates, ModelCard, ModelFile, Optimiser, Pictures, Recurrent, Schedule, Sequences,
    metrics,
};
use polars::prelude::*;
use std::fmt::Write;

use crate::data::{Random, bits, even, numbers};

const NAN: f64 = f64::NAN;

/// Rows as histories: row `i` belongs to key `i % keys`, and comes after those above it.
pub fn histories(features: &FeatureMatrix, keys: usize) -> Sequences {
    try_histories(features, keys).unwrap()
}

/// The same, or why not.
pub fn try_histories(features: &FeatureMatrix, keys: usize) -> haetae_models::Result<Sequences> {
    let key: Vec<String> = (0..features.rows()).map(|row| format!("I{}", row % keys)).collect();
    let day: Vec<i64> = (0..features.rows() as i64).collect();
    let frame =
        DataFrame::new(key.len(), vec![Column::new("key".into(), key), Column::new("day".into(), day)]).unwrap();
    Sequences::new(features, &frame, &["key"], "day")
}

fn lists(rows: Vec<Option<Vec<Option<f64>>>>) -> DataFrame {
    let lists: ListChunked = rows.into_iter().map(|row| row.map(|row| Series::new("".into(), row))).collect();
    DataFrame::new(lists.len(), vec![lists.with_name("scan".into()).into_series().into()]).unwrap()
}

/// Rows as pictures of one line.
pub fn series(features: &FeatureMatrix) -> Pictures {
    pictures(features, 1)
}

/// Rows as pictures of so many lines.
pub fn pictures(features: &FeatureMatrix, height: usize) -> Pictures {
    let row = |row: usize| Some((0..features.columns()).map(|i| Some(features.value(row, i))).collect());
    let frame = lists((0..features.rows()).map(row).collect());
    Pictures::from_frame(&frame, "scan", height, features.columns() / height, 1).unwrap()
}

/// Two numbers of which the target is the exclusive or, and an office that turns it round; some values are missing.
pub fn mixed(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let (mut x, y) = (even(&mut random, rows), even(&mut random, rows));
    let office: Vec<f64> = (0..rows).map(|_| random.below(6) as f64).collect();
    let target = (0..rows).map(|i| f64::from((x[i] > 0.5) ^ (y[i] > 0.5) ^ (office[i] == 4.0))).collect();
    x.iter_mut().for_each(|x| {
        if random.percent(3) {
            *x = NAN
        }
    });
    let names = ["x", "y", "office"].map(str::to_owned).to_vec();
    (FeatureMatrix::new(names, vec![x, y, office], vec![false, false, true]).unwrap(), target)
}

#[test]
fn an_fcnn_learns_what_no_weighted_sum_can() {
    let ((train, target), (later, truth)) = (mixed(1, 1500), mixed(2, 600));
    let params = Fcnn::params().epochs(30).batch(64).learning_rate(0.01);
    for params in [params.clone(), params.optimiser(Optimiser::Sgd { momentum: 0.9, decay: 0.0 }).learning_rate(0.1)] {
        let model = params.fit(&train, &target).unwrap();
        let auc = metrics::auc(&truth, &model.predict(&later).unwrap()).unwrap();
        assert!(auc > 0.96, "{params:?}: {auc}");
        let losses: Vec<f64> = model.epochs().iter().map(|epoch| epoch.loss).collect();
        assert!(losses.len() == 30 && losses[29] < 0.5 * losses[0], "{losses:?}");
    }
}

#[test]
fn a_fit_is_the_same_for_any_number_of_threads() {
    let (train, target) = mixed(3, 700);
    let past = histories(&train, 11);
    let pictures = series(&numbers([("a", train.column(1).to_vec()), ("b", train.column(2).to_vec())]));
    let scores = |threads: usize, seed: u64| {
        let fcnn = Fcnn::params().epochs(2).dropout(0.2).hidden(&[200, 100]).threads(threads).seed(seed);
        let chain = Recurrent::params().epochs(1).dropout(0.2).width(64).threads(threads).seed(seed);
        let cnn = Cnn::params().epochs(1).channels(&[32]).threads(threads).seed(seed);
        let cnn = cnn.fit(&pictures, &target).unwrap().predict(&pictures).unwrap();
        let fcnn = fcnn.fit(&train, &target).unwrap().predict(&train).unwrap();
        [fcnn, chain.fit(&past, &target).unwrap().predict(&past).unwrap(), cnn].map(|scores| bits(&scores))
    };
    let one = scores(1, 7);
    assert_eq!(one, scores(3, 7));
    let other = scores(1, 8);
    one.iter().zip(&other).for_each(|(one, other)| assert_ne!(one, other));
}

#[test]
fn weights_and_classes_count() {
    let mut random = Random::new(4);
    let x = even(&mut random, 400);
    let target: Vec<f64> = x.iter().map(|x| f64::from(random.unit() < 0.1 + 0.2 * x)).collect();
    let features = numbers([("x", x)]);
    let mean = |scores: Vec<f64>| scores.iter().sum::<f64>() / scores.len() as f64;
    let share = mean(target.clone());
    let params = Fcnn::params().hidden(&[8]).epochs(40).batch(50).learning_rate(0.01);
    let plain = mean(params.fit(&features, &target).unwrap().predict(&features).unwrap());
    assert!((plain - share).abs() < 0.03, "{plain} {share}");
    let balanced = params.clone().class_weight(ClassWeight::Balanced).fit(&features, &target).unwrap();
    let balanced = mean(balanced.predict(&features).unwrap());
    assert!((balanced - 0.5).abs() < 0.05, "{balanced}");
    // A row that weighs nothing may as well be wrong.
    let weights: Vec<f64> = (0..400).map(|i| f64::from(i % 4 > 0)).collect();
    let turned: Vec<f64> = target.iter().zip(&weights).map(|(t, w)| if *w == 0.0 { 1.0 - t } else { *t }).collect();
    let one = params.fit_weighted(&features, &target, &weights).unwrap().predict(&features).unwrap();
    assert_eq!(
        bits(&one),
        bits(&params.fit_weighted(&features, &turned, &weights).unwrap().predict(&features).unwrap())
    );
}

#[test]
fn categories_that_training_did_not_have_are_taken_together() {
    let (train, target) = mixed(5, 800);
    let model = Fcnn::params().epochs(5).fit(&train, &target).unwrap();
    let office = |code: f64| {
        let names = ["x", "y", "office"].map(str::to_owned).to_vec();
        let columns = vec![vec![0.9], vec![0.2], vec![code]];
        model.predict(&FeatureMatrix::new(names, columns, vec![false, false, true]).unwrap()).unwrap()[0]
    };
    assert_eq!(office(77.0), office(1e6));
    assert_eq!(office(77.0), office(NAN));
    assert_ne!(office(77.0), office(4.0));
}

#[test]
fn patience_keeps_the_best_epoch() {
    let mut random = Random::new(6);
    // Nothing to learn: what is learnt is chance, and the loss of other rows rises.
    let draw = |random: &mut Random| {
        let columns = [even(random, 120), even(random, 120), even(random, 120)];
        let target: Vec<f64> = (0..120).map(|_| f64::from(random.percent(50))).collect();
        let [a, b, c] = columns;
        (numbers([("a", a), ("b", b), ("c", c)]), target)
    };
    let ((train, target), (valid, truth)) = (draw(&mut random), draw(&mut random));
    let params = Fcnn::params().epochs(200).batch(20).learning_rate(0.01).schedule(Schedule::Constant).patience(4);
    let model = params.fit_valid(&train, &target, &valid, &truth).unwrap();
    let losses: Vec<f64> = model.epochs().iter().map(|epoch| epoch.valid_loss.unwrap()).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(losses.len() < 200 && losses[losses.len() - 5] == best, "{losses:?}");
    let found = metrics::log_loss(&truth, &model.predict(&valid).unwrap()).unwrap();
    assert!((found - best).abs() < 1e-5, "{found} {best}");
}

/// The target of a row is whether its key has had an `x` above 0.8 among the last rows but this one.
fn remembered(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let x = even(&mut random, rows);
    let before = |row: usize, back: usize| row.checked_sub(10 * back).is_some_and(|row| x[row] > 0.8);
    let target = (0..rows).map(|row| f64::from(before(row, 1) || before(row, 2))).collect();
    (numbers([("x", x)]), target)
}

#[test]
fn recurrent_nets_remember() {
    let ((train, target), (later, truth)) = (remembered(1, 1200), remembered(2, 600));
    let (train, later) = (histories(&train, 10), histories(&later, 10));
    for gates in [Gates::Lstm, Gates::Gru] {
        let params = Recurrent::params().gates(gates).width(16).epochs(60).batch(2).learning_rate(0.02).window(30);
        let model = params.fit_valid(&train, &target, &later, &truth).unwrap();
        let auc = metrics::auc(&truth, &model.predict(&later).unwrap()).unwrap();
        assert!(auc > 0.95, "{gates:?}: {auc}");
        assert!(model.epochs().last().unwrap().valid_loss.unwrap() < 0.35, "{:?}", model.epochs().last());
    }
}

#[test]
fn a_row_has_a_past_and_no_future_and_other_keys_do_not_matter() {
    let (features, target) = remembered(3, 300);
    let all = histories(&features, 10);
    assert_eq!((all.len(), all.longest(), all.rows(3)[1]), (10, 30, 13));
    let model = Recurrent::params().epochs(1).fit(&all, &target).unwrap();
    let scores = model.predict(&all).unwrap();
    // Key 0 without its last rows, in another order of the frame, beside a key that nobody knows.
    let rows: Vec<usize> = (0..20).rev().map(|i| 10 * i).chain([1, 2]).collect();
    let key: Vec<Option<&str>> = rows.iter().map(|row| if row % 10 == 0 { Some("a") } else { None }).collect();
    let day: Vec<String> =
        rows.iter().map(|row| format!("2024-{:02}-{:02}", 1 + row / 280, 1 + row / 10 % 28)).collect();
    let columns = vec![Column::new("who".into(), key), Column::new("when".into(), day)];
    let frame = DataFrame::new(rows.len(), columns).unwrap();
    let some = Sequences::new(&features.select_rows(&rows), &frame, &["who"], "when").unwrap();
    let found = model.predict(&some).unwrap();
    for (place, &row) in rows.iter().enumerate().take(20) {
        assert_eq!(found[place].to_bits(), scores[row].to_bits(), "row {row}");
    }
    let last = Recurrent::params().per_key(true).epochs(2);
    let of_keys: Vec<f64> = (0..10).map(|key| f64::from(key % 2)).collect();
    let one = last.fit(&all, &of_keys).unwrap();
    assert_eq!(one.predict(&all).unwrap().len(), 10);
    let error = last.fit(&all, &target).unwrap_err().to_string();
    assert!(error.contains("target: expected 10 rows"), "{error}");
}

#[test]
fn ten_thousand_steps_need_no_stack() {
    let work = || {
        let mut random = Random::new(5);
        let x = even(&mut random, 10_050);
        let target: Vec<f64> = x.iter().map(|x| f64::from(*x > 0.5)).collect();
        let key: Vec<i64> = (0..10_050).map(|row| if row < 10_000 { 0 } else { row / 10 }).collect();
        let columns =
            vec![Column::new("key".into(), key), Column::new("day".into(), (0..10_050_i64).collect::<Vec<_>>())];
        let frame = DataFrame::new(10_050, columns).unwrap();
        let sequences = Sequences::new(&numbers([("x", x)]), &frame, &["key"], "day").unwrap();
        assert_eq!((sequences.len(), sequences.longest()), (6, 10_000));
        // One gradient through all steps.
        let params = Recurrent::params().width(8).window(20_000).epochs(20).learning_rate(0.05).threads(1);
        let scores = params.fit(&sequences, &target).unwrap().predict(&sequences).unwrap();
        assert!(metrics::auc(&target, &scores).unwrap() > 0.9);
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_cnn_finds_a_mark_wherever_it_stands() {
    let mut random = Random::new(7);
    let mut draw = |count: usize| {
        let mut target = Vec::new();
        let rows = (0..count).map(|_| {
            let mut picture: Vec<Option<f64>> = (0..100).map(|_| Some(random.unit())).collect();
            let (y, x, there) = (1 + random.below(8) as usize, 1 + random.below(8) as usize, random.percent(50));
            // A cross, or the same light in a square.
            let cross = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)];
            let square = [(0, 0), (0, 1), (1, 0), (1, 1), (-1, -1)];
            for (dy, dx) in if there { cross } else { square } {
                picture[((y as i32 + dy) * 10 + x as i32 + dx) as usize] = Some(3.0);
            }
            target.push(f64::from(there));
            Some(picture)
        });
        (Pictures::from_frame(&lists(rows.collect()), "scan", 10, 10, 1).unwrap(), target)
    };
    let ((train, target), (later, truth)) = (draw(400), draw(200));
    assert_eq!((train.len(), train.size()), (400, (10, 10, 1)));
    for params in [Cnn::params(), Cnn::params().mean_over_picture(true)] {
        let model = params.clone().epochs(15).learning_rate(0.01).fit_valid(&train, &target, &later, &truth).unwrap();
        let auc = metrics::auc(&truth, &model.predict(&later).unwrap()).unwrap();
        assert!(auc > 0.97, "{params:?}: {auc}");
    }
}

#[test]
fn what_is_no_picture_or_no_history_is_refused_with_its_row() {
    let whole = || Some(vec![Some(1.0); 4]);
    for (row, found) in [
        (None, "found null"),
        (Some(vec![Some(1.0); 3]), "found 3 numbers"),
        (Some(vec![Some(1.0), None, Some(1.0), Some(1.0)]), "found null at place 1"),
        (Some(vec![Some(1.0), Some(1.0), Some(NAN), Some(1.0)]), "found NaN at place 2"),
        (Some(vec![Some(f64::INFINITY), Some(1.0), Some(1.0), Some(1.0)]), "found inf at place 0"),
    ] {
        let frame = lists(vec![whole(), row, whole()]);
        let error = Pictures::from_frame(&frame, "scan", 2, 2, 1).unwrap_err().to_string();
        assert_eq!(error, format!("pictures `scan`, row 1: expected 2 x 2 x 1 = 4 finite numbers, {found}"));
    }
    let good = Pictures::from_frame(&lists(vec![whole(), whole()]), "scan", 2, 2, 1).unwrap();
    let none = Pictures::from_frame(&lists(vec![whole()]).slice(0, 0), "scan", 2, 2, 1).unwrap();
    let line = Pictures::from_frame(&lists(vec![whole(), whole()]), "scan", 1, 4, 1).unwrap();
    let model = Cnn::params().epochs(1).fit(&good, &[0.0, 1.0]).unwrap();
    assert!(model.predict(&good).unwrap().iter().all(|score| score.is_finite()));
    let mut said = String::new();
    for error in [
        Pictures::from_frame(&lists(vec![whole()]), "scan", 0, 4, 1).unwrap_err(),
        Pictures::from_frame(&lists(vec![whole()]), "picture", 2, 2, 1).unwrap_err(),
        Cnn::params().fit(&none, &[]).unwrap_err(),
        Cnn::params().fit(&good, &[1.0, 1.0]).unwrap_err(),
        Cnn::params().fit(&good, &[1.0]).unwrap_err(),
        Cnn::params().fit(&good, &[1.0, 0.5]).unwrap_err(),
        model.predict(&line).unwrap_err(),
    ] {
        writeln!(said, "{error}").unwrap();
    }
    for part in [
        "parameter `height`: expected 1 to 16777216, found 0",
        "\"picture\"",
        "training pictures is empty",
        "found only 1 in 2 rows",
        "target: expected 2 rows",
        "target, row 1: expected 0 or 1, found 0.5",
        "pictures: the model was fitted on 2 x 2 x 1 (height x width x channels), found 1 x 4 x 1",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    let features = numbers([("x", vec![1.0, 2.0])]);
    let frame = |day: Vec<Option<i64>>| {
        let key = vec!["a"; day.len()];
        DataFrame::new(day.len(), vec![Column::new("key".into(), key), Column::new("day".into(), day)]).unwrap()
    };
    let refuse =
        |frame: &DataFrame, key: &str| Sequences::new(&features, frame, &[key], "day").unwrap_err().to_string();
    assert!(refuse(&frame(vec![Some(1), None]), "key").starts_with("feature `day`, row 1: expected a number"));
    assert!(refuse(&frame(vec![Some(1)]), "key").starts_with("frame of keys: expected 2 rows"));
    assert!(refuse(&frame(vec![Some(1), Some(1)]), "importer").contains("importer"));
}

#[test]
fn parameters_out_of_their_ranges_are_named() {
    let said = |error: Error| error.to_string();
    for (error, expected) in [
        (
            said(Fcnn::params().hidden(&[4, 0]).check().unwrap_err()),
            "FCNN: parameter `hidden`: expected 1 to 8192, found 0",
        ),
        (
            said(Fcnn::params().epochs(0).check().unwrap_err()),
            "FCNN: parameter `epochs`: expected 1 to 1000000, found 0",
        ),
        (said(Fcnn::params().batch(0).check().unwrap_err()), "parameter `batch`"),
        (said(Fcnn::params().learning_rate(NAN).check().unwrap_err()), "parameter `learning_rate`"),
        (said(Fcnn::params().clip(Some(0.0)).check().unwrap_err()), "parameter `clip`"),
        (said(Fcnn::params().patience(0).check().unwrap_err()), "parameter `patience`"),
        (said(Fcnn::params().dropout(1.0).check().unwrap_err()), "`dropout`: expected at least 0 and below 1, found 1"),
        (said(Fcnn::params().optimiser(Optimiser::AdamW { decay: -1.0 }).check().unwrap_err()), "parameter `decay`"),
        (
            said(Fcnn::params().optimiser(Optimiser::Sgd { momentum: 1.0, decay: 0.0 }).check().unwrap_err()),
            "`momentum`: expected at least 0 and below 1, found 1",
        ),
        (said(Fcnn::params().embedding(0).check().unwrap_err()), "parameter `embedding`"),
        (said(Recurrent::params().width(0).check().unwrap_err()), "recurrent net: parameter `width`"),
        (said(Recurrent::params().layers(9).check().unwrap_err()), "`layers`: expected 1 to 8, found 9"),
        (said(Recurrent::params().window(0).check().unwrap_err()), "parameter `window`"),
        (
            said(Cnn::params().window(4).check().unwrap_err()),
            "CNN: parameter `window`: expected an odd number from 1 to 15",
        ),
        (said(Cnn::params().channels(&[]).check().unwrap_err()), "parameter `number of stages`"),
    ] {
        assert!(error.contains(expected), "{error}");
    }
    let (features, target) = mixed(1, 100);
    let params = Fcnn::params().clip(None).schedule(Schedule::Constant).learning_rate(1e30);
    let error = params.optimiser(Optimiser::Sgd { momentum: 0.0, decay: 0.0 }).epochs(9).fit(&features, &target);
    let error = said(error.unwrap_err());
    assert!(error.starts_with("FCNN: in epoch ") && error.contains("the loss is no longer a number"), "{error}");
}

#[test]
fn a_last_step_that_leaves_the_numbers_is_noticed() {
    let (features, target) = mixed(1, 100);
    // One step in all, and no loss after it.
    let params = Fcnn::params().epochs(1).batch(100).clip(None).learning_rate(1e300);
    for optimiser in [Optimiser::Sgd { momentum: 0.9, decay: 0.0 }, Optimiser::AdamW { decay: 0.0 }] {
        let found = params.clone().optimiser(optimiser).fit(&features, &target);
        assert!(matches!(found, Err(Error::Diverged { epoch: 1, .. })), "{optimiser:?}: {found:?}");
    }
}

#[test]
fn a_card_says_which_net_it_is() {
    let (features, target) = mixed(1, 100);
    let small = Fcnn::params().epochs(1).hidden(&[3]).fit(&features, &target).unwrap();
    let bytes = small.to_bytes(&ModelCard::new());
    let card = ModelCard::read(&bytes).unwrap();
    assert_eq!((card.kind(), card.features()[2].clone()), ("FCNN", ("office".to_owned(), true)));
    assert!(card.summary().starts_with("FCNN, ") && card.parameters().contains("hidden: [3]"), "{card}");
    let error = haetae_models::CnnModel::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("it holds a model of the kind `FCNN`, expected `CNN`"), "{error}");
}

#[test]
fn what_did_not_vary_in_training_says_nothing_later() {
    let (train, target) = mixed(1, 400);
    let with = |constant: f64, empty: f64| {
        let columns = vec![train.column(0).to_vec(), vec![constant; 400], vec![empty; 400]];
        FeatureMatrix::new(["x", "constant", "empty"].map(str::to_owned).to_vec(), columns, vec![false; 3]).unwrap()
    };
    // 0.1 is no sum of powers of two: the mean of many is not quite 0.1.
    let model = Fcnn::params().epochs(2).fit(&with(0.1, NAN), &target).unwrap();
    let scores = model.predict(&with(0.1, NAN)).unwrap();
    for (constant, empty) in [(500.0, NAN), (0.1, 3.0), (NAN, -9.0)] {
        assert_eq!(bits(&model.predict(&with(constant, empty)).unwrap()), bits(&scores), "{constant} {empty}");
    }
}
