//! Forests of more than two classes: by rules that are known, and beside the forest of two.

use haetae_features::FeatureMatrix;
use haetae_models::{ClassWeight, Error, RandomForest, RandomForestModel};

use crate::data::{Random, assert_close, bits, even, numbers};

/// Classes by two numbers and a code: 0 below, 1 and 2 above by the code, 3 in a corner.
fn rule(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let (x, y) = (even(&mut random, rows), even(&mut random, rows));
    let code: Vec<f64> = (0..rows).map(|_| random.below(9) as f64).collect();
    let class = |i: usize| match (x[i] > 0.5, code[i] % 3.0 == 1.0) {
        (true, _) if y[i] > 0.7 => 3.0,
        (true, true) => 1.0,
        (true, false) => 2.0,
        (false, _) => 0.0,
    };
    let target = (0..rows).map(class).collect();
    let names = ["x", "y", "code"].map(str::to_owned).to_vec();
    (FeatureMatrix::new(names, vec![x, y, code], vec![false, false, true]).unwrap(), target)
}

fn likeliest(model: &RandomForestModel, features: &FeatureMatrix) -> Vec<f64> {
    let scores = model.predict(features).unwrap();
    let best = |row: &[f64]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as f64;
    scores.chunks_exact(model.classes()).map(best).collect()
}

fn agreement(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
}

#[test]
fn four_classes_are_learnt_and_explained() {
    let (features, target) = rule(1, 1_500);
    let (later, later_target) = rule(2, 500);
    let params = RandomForest::params().classes(4).trees(30).out_of_bag(true).features_per_split(2);
    let model = params.fit(&features, &target).unwrap();
    assert_eq!(model.classes(), 4);
    assert_eq!(likeliest(&model, &features), target);
    assert!(agreement(&likeliest(&model, &later), &later_target) > 0.97);
    let bag = model.out_of_bag().unwrap();
    assert!(bag.accuracy() > 0.97 && bag.rows() == 1_500 && bag.scores().len() == 6_000);
    let scores = model.predict(&later).unwrap();
    for row in scores.chunks_exact(4) {
        assert_close("sum", &[row.iter().sum()], &[1.0], 1e-12);
    }
    let told = model.contributions(&later.select_rows(&[0, 7, 40])).unwrap();
    assert_eq!(told.classes(), 4);
    for (place, row) in [0, 7, 40].into_iter().enumerate() {
        for class in 0..4 {
            let sum = told.row(place, class).iter().sum::<f64>() + told.expected(place, class);
            assert_close("contributions", &[sum], &[scores[4 * row + class]], 1e-12);
        }
    }
    for threads in [1, 3] {
        let again = params.clone().threads(threads).fit(&features, &target).unwrap();
        assert_eq!(bits(&again.predict(&later).unwrap()), bits(&scores));
    }
}

#[test]
fn two_classes_of_three_are_the_forest_of_two() {
    let (features, target) = rule(3, 600);
    // Without the code, whose bins three classes may put in the contrary order.
    let features = numbers([("x", features.column(0).to_vec()), ("y", features.column(1).to_vec())]);
    let target: Vec<f64> = target.iter().map(|class| f64::from(*class == 2.0)).collect();
    let weights: Vec<f64> = (0..600).map(|i| f64::from(1 + i % 3)).collect();
    let params = RandomForest::params().trees(10);
    let second = |model: RandomForestModel| {
        let scores = model.predict(&features).unwrap();
        scores.chunks_exact(3).map(|row| row[1]).collect::<Vec<f64>>()
    };
    let two = params.fit(&features, &target).unwrap();
    let three = params.clone().classes(3).fit(&features, &target).unwrap();
    assert_close("equal rows", &second(three), &two.predict(&features).unwrap(), 1e-12);
    let two = params.check().unwrap().fit_weighted(&features, &target, &weights).unwrap();
    let three = params.classes(3).check().unwrap().fit_weighted(&features, &target, &weights).unwrap();
    assert_close("weighed rows", &second(three), &two.predict(&features).unwrap(), 1e-12);
}

/// What is rare weighs more where classes are balanced.
#[test]
fn balanced_classes_find_the_rare_one() {
    let mut random = Random::new(9);
    let x = even(&mut random, 2_000);
    let class = |x: f64| if x > 0.8 && random.percent(20) { 2.0 } else { f64::from(x > 0.4) };
    let target: Vec<f64> = x.iter().copied().map(class).collect();
    let features = numbers([("x", x)]);
    let found = |weight: ClassWeight| {
        let params = RandomForest::params().classes(3).trees(20).min_rows_in_leaf(50).class_weight(weight);
        let model = params.fit(&features, &target).unwrap();
        likeliest(&model, &features).iter().filter(|class| **class == 2.0).count()
    };
    assert_eq!(found(ClassWeight::Equal), 0);
    assert!(found(ClassWeight::Balanced) > 200);
}

#[test]
fn thirty_two_classes_of_a_code_need_few_splits() {
    let code: Vec<f64> = (0..960).map(|i| f64::from(i % 96)).collect();
    let target: Vec<f64> = code.iter().map(|code| (code / 3.0).floor()).collect();
    let features = FeatureMatrix::new(vec!["code".to_owned()], vec![code], vec![true]).unwrap();
    let params = RandomForest::params().classes(32).trees(1).bootstrap(false);
    let model = params.fit(&features, &target).unwrap();
    assert_eq!(likeliest(&model, &features), target);
    // Codes of one class lie side by side in the order, so that no class is split.
    assert_eq!(model.nodes(), 63);
}

#[test]
fn classes_that_do_not_fit_are_refused() {
    let features = numbers([("x", vec![1.0, 2.0, 3.0])]);
    let params = || RandomForest::params().classes(3);
    let fit = |target: &[f64]| params().fit(&features, target).unwrap_err().to_string();
    assert!(fit(&[0.0, 1.0, 3.0]).contains("row 2: expected a whole number from 0 to 2, found 3"));
    assert!(fit(&[2.0, 2.0, 2.0]).contains("expected at least two classes, found only 2 in 3 rows"));
    let weighed =
        |weights: &[f64; 3]| params().check().unwrap().fit_weighted(&features, &[0.0, 1.0, 2.0], weights).unwrap_err();
    assert!(matches!(weighed(&[0.0, 0.0, 1.0]), Error::OneValue { found: 2.0, rows: 1 }));
    assert!(matches!(weighed(&[0.0; 3]), Error::NoLabels { rows: 3, .. }));
    for wrong in [
        RandomForest::params().classes(1).check(),
        RandomForest::params().classes(33).check(),
        params().class_weight(ClassWeight::Of { zero: 1.0, one: 2.0 }).check(),
    ] {
        assert!(matches!(wrong, Err(Error::Parameter { .. })));
    }
}
