//! What the trees learn, against leaves worked out by hand and against what was planted.

use haetae_models::{LightGbm, LightGbmModel, LightGbmParams, Objective, metrics};

use crate::data::{Random, assert_close, codes, even, numbers};

/// Few rows are to be enough for a leaf.
pub fn params() -> LightGbmParams {
    LightGbm::params().threads(2).min_rows_in_leaf(5)
}

/// One of two values a row, so that there is one possible split: 60 rows of 0 (6 frauds), 40 of 1 (30 frauds).
fn one_split() -> (Vec<f64>, Vec<f64>) {
    let x = (0..100).map(|i| f64::from(i >= 60)).collect();
    let target = (0..100).map(|i| f64::from(if i < 60 { i < 6 } else { i < 90 })).collect();
    (x, target)
}

#[test]
fn one_tree_has_the_leaves_of_the_formula() {
    let (x, target) = one_split();
    let (l1, l2, rate) = (2.0, 1.5, 0.3);
    let model = params().trees(1).l1(l1).l2(l2).learning_rate(rate).fit(&numbers([("x", x)]), &target).unwrap();
    // Log loss: gradient p - y, curvature p (1 - p), leaf -(G drawn towards 0 by l1) / (H + l2); p is the base rate.
    let base: f64 = 0.36;
    let leaf = |rows: f64, frauds: f64| {
        let (gradient, curvature) = (rows * base - frauds, rows * base * (1.0 - base));
        -gradient.signum() * (gradient.abs() - l1) / (curvature + l2)
    };
    let start = (base / (1.0 - base)).ln();
    let expected = [start + rate * leaf(60.0, 6.0), start + rate * leaf(40.0, 30.0)];
    let asked = numbers([("x", vec![0.0, 1.0])]);
    assert_close("raw score", &model.predict_raw(&asked).unwrap(), &expected, 1e-6);
    let probability = expected.map(|raw| 1.0 / (1.0 + (-raw).exp()));
    assert_close("probability", &model.predict(&asked).unwrap(), &probability, 1e-6);
}

#[test]
fn one_tree_of_values_has_the_means_of_its_leaves() {
    let (x, _) = one_split();
    // Sums of quarters are exact, also as f32.
    let target: Vec<f64> =
        (0..100).map(|i| if i < 60 { f64::from(i % 4) } else { 20.0 - f64::from(i % 8) / 4.0 }).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (all, low, high) = (mean(&target), mean(&target[..60]), mean(&target[60..]));
    let model = params().objective(Objective::Value).trees(1).learning_rate(0.5);
    let model = model.fit(&numbers([("x", x)]), &target).unwrap();
    let expected = [all + 0.5 * (low - all), all + 0.5 * (high - all)];
    assert_close("value", &model.predict(&numbers([("x", vec![0.0, 1.0])])).unwrap(), &expected, 1e-6);
}

#[test]
fn trees_learn_what_no_sum_of_features_can() {
    // Exclusive or, with groups of different sizes: balanced ones have no first split that gains anything.
    let groups = [(0.0, 0.0, 30), (0.0, 1.0, 40), (1.0, 0.0, 50), (1.0, 1.0, 20)];
    let rows: Vec<(f64, f64)> = groups.iter().flat_map(|&(a, b, size)| vec![(a, b); size]).collect();
    let (a, b): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
    let target: Vec<f64> = a.iter().zip(&b).map(|(a, b)| f64::from(a != b)).collect();
    let features = numbers([("a", a), ("b", b)]);
    let scores = params().fit(&features, &target).unwrap().predict(&features).unwrap();
    // The probability is that of 1, not of 0: high where the target is 1.
    assert!(scores.iter().zip(&target).all(|(score, target)| (score - target).abs() < 0.1), "{scores:?}");

    let flipped: Vec<f64> = target.iter().map(|target| 1.0 - target).collect();
    let of_zero = params().fit(&features, &flipped).unwrap().predict(&features).unwrap();
    let expected: Vec<f64> = scores.iter().map(|score| 1.0 - score).collect();
    assert_close("probability of the other class", &of_zero, &expected, 1e-5);
}

#[test]
fn a_feature_that_says_nothing_gives_the_base_rate() {
    let (_, target) = one_split();
    let model = params().fit(&numbers([("x", vec![4.2; 100])]), &target).unwrap();
    let scores = model.predict(&numbers([("x", vec![4.2, -1.0, f64::NAN])])).unwrap();
    assert_close("base rate", &scores, &[0.36; 3], 1e-6);
    assert_eq!(model.importance().unwrap(), [("x".to_owned(), 0.0)]);
}

/// Of a noisy target that rises and falls: does the prediction ever fall as `x` grows?
fn falls_somewhere(params: &LightGbmParams) -> bool {
    let mut random = Random::new(3);
    let (x, z) = (even(&mut random, 400), even(&mut random, 400));
    let target: Vec<f64> =
        x.iter().zip(&z).map(|(x, z)| f64::from(random.unit() < 0.2 + 0.4 * (6.0 * x).sin().abs() + 0.2 * z)).collect();
    let model = params.fit(&numbers([("x", x), ("z", z)]), &target).unwrap();
    let falls = |model: &LightGbmModel, z: f64| {
        let grid: Vec<f64> = (0..=200).map(|i| f64::from(i) / 200.0).collect();
        let scores = model.predict_raw(&numbers([("x", grid), ("z", vec![z; 201])])).unwrap();
        scores.windows(2).any(|pair| pair[1] < pair[0])
    };
    [0.1, 0.5, 0.9].into_iter().any(|z| falls(&model, z))
}

#[test]
fn a_constrained_feature_only_raises_or_only_lowers_the_score() {
    let x = ["x".to_owned()];
    assert!(!falls_somewhere(&params().increasing(&x)));
    // Without the constraint it does, so that the line above says something; and it must not fall on the wrong feature.
    assert!(falls_somewhere(&params()));
    assert!(falls_somewhere(&params().increasing(&["z".to_owned()])));
    assert!(falls_somewhere(&params().decreasing(&x)));
}

#[test]
fn a_decreasing_feature_never_raises_the_score() {
    let mut random = Random::new(4);
    let x = even(&mut random, 300);
    let target: Vec<f64> = x.iter().map(|x| f64::from(random.unit() < 0.8 - 0.6 * (x - 0.5).abs() - 0.3 * x)).collect();
    let grid = numbers([("x", (0..=100).map(|i| f64::from(i) / 100.0).collect())]);
    let rises = |params: LightGbmParams| {
        let model = params.fit(&numbers([("x", x.clone())]), &target).unwrap();
        model.predict_raw(&grid).unwrap().windows(2).any(|pair| pair[1] > pair[0])
    };
    assert!(rises(params()));
    assert!(!rises(params().decreasing(&["x".to_owned()])));
}

#[test]
fn a_missing_value_is_neither_zero_nor_a_number() {
    // The sign decides, and a missing value means fraud.
    let x: Vec<f64> = (0..300).map(|i| if i % 3 == 0 { f64::NAN } else { f64::from(i % 7 - 3) }).collect();
    let target: Vec<f64> = x.iter().map(|x| f64::from(x.is_nan() || *x > 1.0)).collect();
    let model = params().fit(&numbers([("x", x)]), &target).unwrap();
    let scores = model.predict(&numbers([("x", vec![f64::NAN, 3.0, 0.0, -0.0, -3.0])])).unwrap();
    assert!(scores[0] > 0.9 && scores[1] > 0.9 && scores[2] < 0.1, "{scores:?}");
    assert_eq!(scores[2].to_bits(), scores[3].to_bits());
    assert!(scores[4] < 0.1, "{scores:?}");
}

#[test]
fn codes_are_split_by_sets_and_not_by_their_order() {
    // Even codes are fraud. One split of a set finds that; one cut of an order cannot.
    let column: Vec<f64> = (0..2_000).map(|i| f64::from(i % 8)).collect();
    let target: Vec<f64> = column.iter().map(|code| f64::from(code % 2.0 == 0.0)).collect();
    let stump = params().trees(1).leaves(2);
    let model = stump.fit(&codes(column.clone()), &target).unwrap();
    assert_eq!(metrics::auc(&target, &model.predict(&codes(column.clone())).unwrap()).unwrap(), 1.0);
    assert!(model.text().contains("\nnum_cat=1\n"), "{}", model.text());
    let ordered = numbers([("code", column)]);
    let model = stump.fit(&ordered, &target).unwrap();
    assert!(metrics::auc(&target, &model.predict(&ordered).unwrap()).unwrap() < 0.8);
    assert!(model.text().contains("\nnum_cat=0\n"));
}

#[test]
fn a_code_that_training_did_not_have_is_like_a_missing_one() {
    let column: Vec<f64> = (0..2_000).map(|i| if i % 9 == 8 { f64::NAN } else { f64::from(i % 9) }).collect();
    let target: Vec<f64> = column.iter().map(|code| f64::from([1.0, 4.0, 6.0].contains(code))).collect();
    let model = params().fit(&codes(column), &target).unwrap();
    let scores = model.predict(&codes(vec![4.0, 5.0, f64::NAN, 8.0, 1_000_000.0])).unwrap();
    assert!(scores[0] > 0.9 && scores[1] < 0.1, "{scores:?}");
    assert!(scores[2] < 0.1 && scores[3] == scores[2] && scores[4] == scores[2], "{scores:?}");
}

#[test]
fn parameters_of_binning_reach_the_data() {
    let mut random = Random::new(5);
    let x = even(&mut random, 500);
    let target: Vec<f64> = x.iter().map(|x| f64::from(random.unit() < *x)).collect();
    let features = numbers([("x", x)]);
    let different = |bins: usize| {
        let mut scores = params().bins(bins).trees(30).fit(&features, &target).unwrap().predict(&features).unwrap();
        scores.sort_by(f64::total_cmp);
        scores.dedup();
        scores.len()
    };
    // Values in one bin cannot be told apart, however many trees there are.
    assert!((2..=4).contains(&different(4)) && (5..=16).contains(&different(16)));
    assert!(different(255) > 20);
}

#[test]
fn classes_have_a_probability_each() {
    let mut random = Random::new(6);
    let z = even(&mut random, 600);
    let target: Vec<f64> = (0..600).map(|_| random.below(3) as f64).collect();
    // A gap between the classes, so that there is a right answer for each row.
    let x = target.iter().map(|class| class + 0.8 * random.unit()).collect();
    let features = numbers([("z", z), ("x", x)]);
    let model = params().objective(Objective::Classes(3)).trees(30).fit(&features, &target).unwrap();
    assert_eq!((model.classes(), model.trees()), (3, 90));
    let probabilities = model.predict(&features).unwrap();
    assert_eq!(probabilities.len(), 1_800);
    for (row, of_row) in probabilities.chunks(3).enumerate() {
        assert!((of_row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && of_row.iter().all(|p| *p > 0.0), "{of_row:?}");
        let likeliest = (0..3).max_by(|&a, &b| of_row[a].total_cmp(&of_row[b])).unwrap();
        assert_eq!(likeliest as f64, target[row], "row {row}: {of_row:?}");
    }
    // Probabilities are the normalised exponentials of the raw scores.
    for (of_row, raw) in probabilities.chunks(3).zip(model.predict_raw(&features).unwrap().chunks(3)) {
        let all: f64 = raw.iter().map(|raw| raw.exp()).sum();
        assert_close("softmax", of_row, &raw.iter().map(|raw| raw.exp() / all).collect::<Vec<_>>(), 1e-12);
    }
}
