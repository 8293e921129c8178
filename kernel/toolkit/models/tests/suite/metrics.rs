//! Figures against their definitions, written down without a sort.

use haetae_models::metrics::{
    accuracy, auc, average_precision, confusion, hits_of_oracle, inspected_rows, likeliest, log_loss_of_classes,
    precision_at, recall_at, revenue_at,
};
use haetae_models::{Error, Result};

use crate::data::{Random, assert_close};

/// Few levels make many ties.
fn ranking(seed: u64, rows: usize, levels: u64) -> (Vec<f64>, Vec<f64>) {
    let mut random = Random::new(seed);
    let scores: Vec<f64> = (0..rows).map(|_| random.below(levels) as f64 / 7.0 - 1.0).collect();
    let mut target: Vec<f64> = (0..rows).map(|_| f64::from(random.percent(30))).collect();
    (target[0], target[1]) = (0.0, 1.0);
    (target, scores)
}

/// The chance that a row with target 1 scores above one with target 0, over all pairs.
fn auc_by_pairs(target: &[f64], scores: &[f64]) -> f64 {
    let (mut won, mut pairs) = (0.0, 0.0);
    for i in (0..target.len()).filter(|&i| target[i] == 1.0) {
        for j in (0..target.len()).filter(|&j| target[j] == 0.0) {
            pairs += 1.0;
            won += if scores[i] == scores[j] { 0.5 } else { f64::from(scores[i] > scores[j]) };
        }
    }
    won / pairs
}

/// The mean over rows with target 1 of the precision among all rows that score at least as high.
fn average_precision_by_rows(target: &[f64], scores: &[f64]) -> f64 {
    let hits: Vec<usize> = (0..target.len()).filter(|&i| target[i] == 1.0).collect();
    let precision = |i: usize| {
        let above: Vec<usize> = (0..target.len()).filter(|&j| scores[j] >= scores[i]).collect();
        above.iter().map(|&j| target[j]).sum::<f64>() / above.len() as f64
    };
    hits.iter().map(|&i| precision(i)).sum::<f64>() / hits.len() as f64
}

/// A row's rank is the number of rows that come before it: higher scores, and equal ones that stand earlier.
fn inspected_by_rank(scores: &[f64], percent: usize) -> Vec<usize> {
    let before = |i: usize| {
        let comes_first = |j: &usize| scores[*j] > scores[i] || (scores[*j] == scores[i] && *j < i);
        (0..scores.len()).filter(comes_first).count()
    };
    let count = scores.len() * percent / 100;
    let mut rows: Vec<usize> = (0..scores.len()).filter(|&i| before(i) < count).collect();
    rows.sort_by_key(|&i| before(i));
    rows
}

#[test]
fn areas_are_those_of_the_definitions_with_and_without_ties() {
    for (seed, levels) in [(1, 2), (2, 5), (3, 40), (4, 1 << 40)] {
        let (target, scores) = ranking(seed, 150, levels);
        let found = [auc(&target, &scores).unwrap(), average_precision(&target, &scores).unwrap()];
        let expected = [auc_by_pairs(&target, &scores), average_precision_by_rows(&target, &scores)];
        assert_close("AUC and average precision", &found, &expected, 1e-12);
    }
    // The example on scikit-learn's pages of roc_auc_score and average_precision_score.
    let (target, scores) = ([0.0, 0.0, 1.0, 1.0], [0.1, 0.4, 0.35, 0.8]);
    assert_eq!(auc(&target, &scores).unwrap(), 0.75);
    assert_close("AP", &[average_precision(&target, &scores).unwrap()], &[5.0 / 6.0], 1e-15);
}

#[test]
fn a_score_without_knowledge_is_a_coin() {
    let (target, _) = ranking(5, 120, 2);
    let base = target.iter().sum::<f64>() / 120.0;
    assert_eq!(auc(&target, &[3.5; 120]).unwrap(), 0.5);
    assert_close("AP", &[average_precision(&target, &[3.5; 120]).unwrap()], &[base], 1e-12);
    let (perfect, reversed) = (target.clone(), target.iter().map(|value| -value).collect::<Vec<_>>());
    assert_eq!((auc(&target, &perfect).unwrap(), average_precision(&target, &perfect).unwrap()), (1.0, 1.0));
    assert_eq!(auc(&target, &reversed).unwrap(), 0.0);
}

#[test]
fn figures_at_every_rate_are_those_of_the_definitions() {
    for (seed, rows) in [(11, 7), (12, 100), (13, 143)] {
        let (target, scores) = ranking(seed, rows, 12);
        let mut random = Random::new(seed);
        let revenue: Vec<f64> = (0..rows).map(|_| random.below(5) as f64 * 100.0).collect();
        for percent in 1..=100 {
            let rate = percent as f64 / 100.0;
            let top = inspected_by_rank(&scores, percent);
            assert_eq!(inspected_rows(&scores, rate).unwrap(), top, "{rows} rows at {percent} percent");
            let sum = |values: &[f64]| top.iter().map(|&row| values[row]).sum::<f64>();
            let expected = [
                sum(&target) / top.len() as f64,
                sum(&target) / target.iter().sum::<f64>(),
                sum(&revenue) / revenue.iter().sum::<f64>(),
            ];
            let found = [
                precision_at(&target, &scores, rate).unwrap(),
                recall_at(&target, &scores, rate).unwrap(),
                revenue_at(&revenue, &scores, rate).unwrap(),
            ];
            assert_close("precision, recall, revenue", &found, &expected, 1e-12);
            // A rate that is no row finds nothing, and has no precision.
            assert_eq!(found[0].is_nan(), rows * percent < 100);
        }
    }
}

#[test]
fn an_oracle_takes_hits_first() {
    let (target, scores) = ([1.0, 0.0, 1.0, 0.0, 0.0], [0.1, 0.9, 0.8, 0.2, 0.3]);
    let found = |rate: f64| hits_of_oracle(&target, &scores, rate).unwrap();
    // Of one row it has 1, of two and more 2: more than all there are it cannot find.
    assert_eq!([0.2, 0.4, 0.6, 0.8, 1.0].map(found), [0.0, 0.5, 0.5, 0.5, 1.0]);
    assert!(found(0.1).is_nan(), "no row is inspected");
    for (rate, precision) in [(0.2, 1.0), (0.4, 1.0), (0.8, 0.5)] {
        let (own, of_all) = (precision_at(&target, &scores, rate), recall_at(&target, &scores, rate));
        assert_close("precision", &[own.unwrap() / precision], &[found(rate)], 1e-15);
        let most = f64::min(1.0, 5.0 * rate / 2.0);
        assert_close("recall", &[of_all.unwrap() / most], &[found(rate)], 1e-15);
    }
}

#[test]
fn nothing_to_find_has_no_share() {
    let scores = [0.1, 0.2];
    assert!(hits_of_oracle(&[0.0, 0.0], &scores, 1.0).unwrap().is_nan());
    assert!(recall_at(&[0.0, 0.0], &scores, 1.0).unwrap().is_nan());
    assert_eq!(precision_at(&[0.0, 0.0], &scores, 1.0).unwrap(), 0.0);
    assert!(revenue_at(&[0.0, 0.0], &scores, 1.0).unwrap().is_nan());
}

#[test]
fn infinite_scores_rank_and_zero_has_no_sign() {
    let target = [1.0, 0.0, 1.0, 0.0];
    assert_eq!(auc(&target, &[f64::INFINITY, 2.0, 1.0, f64::NEG_INFINITY]).unwrap(), 0.75);
    assert_eq!(auc(&target, &[0.0, -0.0, -0.0, 0.0]).unwrap(), 0.5);
    assert_eq!(inspected_rows(&[-0.0, 0.0, 1.0], 1.0).unwrap(), [2, 0, 1]);
}

type Figure = fn(&[f64], &[f64]) -> Result<f64>;

const FIGURES: [(&str, Figure); 5] = [
    ("auc", auc),
    ("average_precision", average_precision),
    ("precision_at", |target, scores| precision_at(target, scores, 0.5)),
    ("recall_at", |target, scores| recall_at(target, scores, 0.5)),
    ("hits_of_oracle", |target, scores| hits_of_oracle(target, scores, 0.5)),
];

#[test]
fn lists_that_cannot_be_judged_are_refused() {
    for (name, figure) in FIGURES {
        let error = figure(&[0.0, 1.0], &[0.5]).unwrap_err();
        assert!(matches!(error, Error::Rows { expected: 2, found: 1, .. }), "{name}: {error}");
        let error = figure(&[], &[]).unwrap_err();
        assert!(matches!(error, Error::NoLabels { rows: 0, .. }), "{name}: {error}");
        let error = figure(&[0.0, 1.0, 1.0], &[0.1, 0.2, f64::NAN]).unwrap_err();
        assert_eq!(error.to_string(), "scores, row 2: expected a number, found NaN", "{name}");
        for wrong in [0.5, 2.0, -1.0] {
            let error = figure(&[0.0, wrong], &[0.1, 0.2]).unwrap_err();
            assert_eq!(error.to_string(), format!("target, row 1: expected 0 or 1, found {wrong}"), "{name}");
        }
        let error = figure(&[f64::NAN, 1.0], &[0.1, 0.2]).unwrap_err();
        assert!(matches!(error, Error::Target { row: 0, .. }), "{name}: {error}");
    }
}

#[test]
fn one_class_has_no_area() {
    for (name, figure) in &FIGURES[..2] {
        for (class, target) in [(0.0, [0.0; 3]), (1.0, [1.0; 3])] {
            let error = figure(&target, &[0.1, 0.2, 0.3]).unwrap_err();
            assert!(matches!(error, Error::OneClass { found, rows: 3 } if found == class), "{name}: {error}");
        }
    }
    let message = "target: expected both 0 and 1, found only 1 in 2 rows; take a longer period";
    assert_eq!(auc(&[1.0, 1.0], &[0.0, 0.5]).unwrap_err().to_string(), message);
}

#[test]
fn a_rate_is_a_share() {
    for rate in [0.0, -0.1, 1.01, f64::NAN] {
        let expected = format!("metric: parameter `rate`: expected above 0 and at most 1, such as 0.05, found {rate}");
        for error in [
            precision_at(&[0.0, 1.0], &[0.1, 0.2], rate).unwrap_err(),
            recall_at(&[0.0, 1.0], &[0.1, 0.2], rate).unwrap_err(),
            revenue_at(&[0.0, 1.0], &[0.1, 0.2], rate).unwrap_err(),
            inspected_rows(&[0.1], rate).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn revenue_is_an_amount() {
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        let error = revenue_at(&[0.0, wrong], &[0.1, 0.2], 0.5).unwrap_err();
        assert!(matches!(error, Error::Revenue { row: 1, .. }), "{error}");
        let said = "revenue, row 1: expected a finite amount of at least 0, found";
        assert!(error.to_string().starts_with(said) && error.to_string().ends_with("has 0"), "{error}");
    }
    assert!(matches!(revenue_at(&[1.0], &[0.1, 0.2], 0.5), Err(Error::Rows { .. })));
    assert!(matches!(revenue_at(&[1.0], &[f64::NAN], 0.5), Err(Error::NotANumber { row: 0, .. })));
}

#[test]
fn figures_of_several_classes_are_counted() {
    let target = [0.0, 0.0, 0.0, 1.0, 1.0, 3.0];
    let scores = [
        [0.7, 0.1, 0.1, 0.1],
        [0.2, 0.5, 0.2, 0.1],
        // The first of equal ones.
        [0.4, 0.4, 0.1, 0.1],
        [0.0, 1.0, 0.0, 0.0],
        [0.6, 0.4, 0.0, 0.0],
        [0.3, 0.3, 0.4, 0.0],
    ]
    .concat();
    let found = likeliest(&scores, 4).unwrap();
    assert_eq!(found, [0.0, 1.0, 0.0, 1.0, 0.0, 2.0]);
    assert_close("accuracy", &[accuracy(&target, &found).unwrap()], &[0.5], 1e-15);
    // What was given to the class that came true; to the last one nothing.
    let given = [0.7, 0.2, 0.4, 1.0, 0.4, f64::EPSILON];
    let expected = -given.iter().map(|given| given.ln()).sum::<f64>() / 6.0;
    assert_close("loss", &[log_loss_of_classes(&target, &scores, 4).unwrap()], &[expected], 1e-12);

    let table = confusion(&target, &found, 4).unwrap();
    assert_eq!(table.get_column_names(), ["class", "rows", "as_0", "as_1", "as_2", "as_3", "precision", "recall"]);
    let counts = |name: &str| table.column(name).unwrap().u64().unwrap().into_no_null_iter().collect::<Vec<u64>>();
    assert_eq!((counts("rows"), counts("as_0")), (vec![3, 2, 0, 1], vec![2, 1, 0, 0]));
    assert_eq!((counts("as_1"), counts("as_2"), counts("as_3")), (vec![1, 1, 0, 0], vec![0, 0, 0, 1], vec![0; 4]));
    let share = |name: &str| table.column(name).unwrap().f64().unwrap().iter().collect::<Vec<Option<f64>>>();
    assert_eq!(share("precision"), [Some(2.0 / 3.0), Some(0.5), Some(0.0), None]);
    assert_eq!(share("recall"), [Some(2.0 / 3.0), Some(0.5), None, Some(0.0)]);
}

#[test]
fn figures_of_several_classes_refuse_what_is_none() {
    for classes in [0, 4] {
        assert!(matches!(likeliest(&[0.1; 6], classes), Err(Error::Parameter { name: "classes", .. })));
        let loss = log_loss_of_classes(&[0.0, 1.0], &[0.5; 6], classes);
        assert!(matches!(loss, Err(Error::Parameter { name: "classes", .. })));
    }
    // So many that their product with the rows is beyond all whole numbers.
    let loss = log_loss_of_classes(&[0.0, 1.0], &[], usize::MAX / 2 + 1);
    assert!(matches!(loss, Err(Error::Parameter { name: "classes", .. })));
    for classes in [0, 1001, usize::MAX] {
        assert!(matches!(confusion(&[0.0], &[0.0], classes), Err(Error::Parameter { name: "classes", .. })));
    }
    assert!(matches!(likeliest(&[0.1, 0.2, f64::NAN], 1), Err(Error::NotANumber { row: 2, .. })));
    assert!(matches!(accuracy(&[0.0], &[f64::NAN]), Err(Error::NotANumber { what: "found", row: 0 })));
    assert!(matches!(accuracy(&[0.0], &[]), Err(Error::Rows { .. })));
    assert!(matches!(accuracy(&[], &[]), Err(Error::NoLabels { .. })));
    assert!(matches!(log_loss_of_classes(&[0.0, 2.0], &[0.5; 4], 2), Err(Error::Target { row: 1, .. })));
    assert!(matches!(log_loss_of_classes(&[0.0], &[0.5, 1.5], 2), Err(Error::Probability { row: 0, .. })));
    for (target, found) in [([0.0, 2.0], [0.0, 1.0]), ([0.0, 1.0], [0.0, 0.5])] {
        assert!(matches!(confusion(&target, &found, 2), Err(Error::Target { row: 1, .. })));
    }
}
