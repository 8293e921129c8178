//! A choice among ways to fit: on later rows of training alone, by rows, by days and by groups.

use haetae_features::{FeatureMatrix, Fold, group_folds, time_folds};
use haetae_models::{Logistic, choose_in_time, choose_on_folds, metrics};
use polars::prelude::*;

use crate::data::{Random, assert_close, even, numbers};

const NAN: f64 = f64::NAN;

#[test]
fn a_choice_looks_at_later_rows_of_training_alone() {
    let mut random = Random::new(11);
    let x = even(&mut random, 400);
    let target: Vec<f64> = x.iter().map(|x| f64::from(random.unit() < *x)).collect();
    let rows: Vec<f64> = (0..400).map(f64::from).collect();
    let features = numbers([("row", rows), ("x", x)]);
    // Which rows each fit saw, and which it was measured on.
    let seen = std::cell::RefCell::new(Vec::new());
    let sound = |before: &FeatureMatrix, labels: &[f64], after: &FeatureMatrix| {
        assert_eq!(before.rows(), labels.len());
        seen.borrow_mut().push((before.rows(), after.value(0, 0), after.rows()));
        Ok(after.column(1).to_vec())
    };
    let upside_down =
        |_: &FeatureMatrix, _: &[f64], after: &FeatureMatrix| Ok(after.column(1).iter().map(|x| -x).collect());
    let choose = |slices: usize| {
        choose_in_time(&[("upside down", &upside_down), ("x", &sound)], &features, &target, slices, &metrics::auc)
    };
    let choice = choose(3).unwrap();
    assert_eq!((choice.best(), choice.name()), (1, "x"));
    assert_eq!(*seen.borrow(), [(100, 100.0, 100), (200, 200.0, 100), (300, 300.0, 100)]);
    let by_hand: Vec<f64> = (1..4)
        .map(|slice| {
            let part = 100 * slice..100 * (slice + 1);
            metrics::auc(&target[part.clone()], &features.column(1)[part]).unwrap()
        })
        .collect();
    let means = choice.means();
    assert_close("means", &means, &[1.0 - by_hand.iter().sum::<f64>() / 3.0, by_hand.iter().sum::<f64>() / 3.0], 1e-12);
    let frame = choice.frame().unwrap();
    assert_eq!(frame.get_column_names(), ["candidate", "slice_1", "slice_2", "slice_3", "mean"]);
    assert_eq!(frame.column("slice_2").unwrap().f64().unwrap().get(1), Some(by_hand[1]));
    assert!(choice.to_string().starts_with("best: x\nupside down: mean 0."), "{choice}");
    for (wrong, expected) in [
        (choose(0), "`slices`: expected 1 up to one less than there are rows, found 0 for 400 rows"),
        (choose(400), "found 400 for 400 rows"),
        (
            choose_in_time(&[], &features, &target, 2, &metrics::auc),
            "`number of candidates`: expected at least 1, found 0",
        ),
        (choose_in_time(&[("x", &sound)], &features, &target[1..], 2, &metrics::auc), "target: expected 400 rows"),
        (
            choose_in_time(&[("x", &sound)], &features, &[0.0; 400], 2, &metrics::auc),
            "expected both 0 and 1, found only 0",
        ),
        (
            choose_in_time(&[("x", &sound)], &features, &target, 2, &|_, _| Ok(NAN)),
            "`figure`: expected a number, found NaN of `x` on slice 1",
        ),
    ] {
        let error = wrong.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_choice_on_folds_never_cuts_a_day_nor_a_group() {
    let mut random = Random::new(12);
    let rows = 300;
    // Rows in no order, many of one day.
    let day: Vec<i32> = (0..rows).map(|_| random.below(9) as i32 * 7).collect();
    let group: Vec<i64> = (0..rows).map(|_| random.below(20) as i64).collect();
    let x = even(&mut random, rows);
    let target: Vec<f64> = x.iter().map(|x| f64::from(random.unit() < *x)).collect();
    let frame = df!("day" => &day, "group" => &group).unwrap();
    let as_numbers = |values: &[i64]| values.iter().map(|value| *value as f64).collect::<Vec<_>>();
    let days: Vec<i64> = day.iter().map(|day| i64::from(*day)).collect();
    let features = numbers([("day", as_numbers(&days)), ("group", as_numbers(&group)), ("x", x)]);
    let earlier = |before: &FeatureMatrix, labels: &[f64], after: &FeatureMatrix| {
        let most = before.column(0).iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(after.column(0).iter().all(|day| *day > most), "a day lies on both sides");
        Logistic::params().fit(before, labels)?.predict(after)
    };
    let apart = |before: &FeatureMatrix, labels: &[f64], after: &FeatureMatrix| {
        assert!(after.column(1).iter().all(|group| !before.column(1).contains(group)), "a group lies on both sides");
        Logistic::params().fit(before, labels)?.predict(after)
    };
    let none = |_: &FeatureMatrix, _: &[f64], after: &FeatureMatrix| Ok(vec![0.0; after.rows()]);
    let in_time = time_folds(&frame, "day", 3).unwrap();
    let choice = choose_on_folds(&[("none", &none), ("x", &earlier)], &features, &target, &in_time, &metrics::auc);
    let choice = choice.unwrap();
    assert_eq!((choice.name(), choice.frame().unwrap().shape()), ("x", (2, 5)));
    assert_close("of no knowledge", &[choice.means()[0]], &[0.5], 1e-15);
    let groups = Fold::leaving_out(&group_folds(&frame, &["group"], 4).unwrap());
    let choice = choose_on_folds(&[("none", &none), ("x", &apart)], &features, &target, &groups, &metrics::auc);
    assert!(choice.unwrap().means()[1] > 0.6);
    let fold = |learn: &[usize], judge: &[usize]| vec![Fold { learn: learn.to_vec(), judge: judge.to_vec() }];
    for (folds, expected) in [
        (vec![], "`number of folds`: expected at least 1, found 0"),
        (fold(&[0, 300], &[1]), "`folds`: expected rows below 300, found 300"),
        (fold(&[0], &[1, 999]), "`folds`: expected rows below 300, found 999"),
        (
            fold(&[0, 1, 2], &[3, 1]),
            "expected each row on one side, found row 1 among those to learn from and to judge by",
        ),
    ] {
        let error = choose_on_folds(&[("none", &none)], &features, &target, &folds, &metrics::auc).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
