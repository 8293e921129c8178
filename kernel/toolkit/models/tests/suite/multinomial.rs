//! Weights of several classes against the conditions of the optimum, and against the logistic regression of two.

use std::collections::{BTreeMap, HashMap};

use haetae_features::FeatureMatrix;
use haetae_models::{
    ClassWeight, Error, LinearSvm, Logistic, MultinomialLogistic, MultinomialLogisticModel, MultinomialLogisticParams,
    Penalty, Result, SparseMatrix, metrics,
};
use rayon::ThreadPoolBuilder;

use crate::data::{Random, assert_close, bits, codes, even, numbers};
use crate::logistic::{copied, design, mixed};

const NAN: f64 = f64::NAN;

/// The rows of the logistic regression, in four classes of which the last is rare.
fn kinds(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let (features, two) = mixed(seed, rows);
    let mut random = Random::new(seed + 100);
    let class = |row: usize| match (two[row] == 1.0, features.value(row, 1) > 54.0) {
        _ if row == 0 || random.percent(5) => 3.0,
        (true, _) => 2.0,
        (false, true) => 1.0,
        (false, false) => 0.0,
    };
    (features.clone(), (0..rows).map(class).collect())
}

/// The probabilities of each class, from what the documentation says of the weights.
fn probabilities(model: &MultinomialLogisticModel, design: &[BTreeMap<String, f64>]) -> Vec<f64> {
    let weights: Vec<HashMap<String, f64>> =
        (0..model.classes()).map(|class| model.coefficients(class).into_iter().collect()).collect();
    let of_row = |row: &BTreeMap<String, f64>| {
        let power = |class: usize| {
            let own = row.iter().map(|(name, x)| weights[class].get(name).unwrap_or(&0.0) * x).sum::<f64>();
            (model.intercept(class) + own).exp()
        };
        let powers: Vec<f64> = (0..model.classes()).map(power).collect();
        let all: f64 = powers.iter().sum();
        powers.into_iter().map(move |power| power / all).collect::<Vec<f64>>()
    };
    design.iter().flat_map(of_row).collect()
}

/// What a row of each class weighs.
fn weigh(balance: ClassWeight, target: &[f64]) -> Vec<f64> {
    let rows = |class: usize| target.iter().filter(|target| **target == class as f64).count() as f64;
    let weight = |class| if balance == ClassWeight::Equal { 1.0 } else { target.len() as f64 / (4.0 * rows(class)) };
    (0..4).map(weight).collect()
}

/// The slope of the mean loss along the weight of a class, of the rows as `factor` says them.
fn slope(chances: &[f64], target: &[f64], weights: &[f64], class: usize, factor: &dyn Fn(usize) -> f64) -> f64 {
    let one = |row: usize| {
        let off = chances[4 * row + class] - f64::from(target[row] == class as f64);
        weights[target[row] as usize] * off * factor(row)
    };
    (0..target.len()).map(one).sum::<f64>() / target.len() as f64
}

#[test]
fn at_the_weights_found_no_direction_lowers_the_loss() {
    for (seed, c, min_rows, balance) in [
        (1, 0.1, 10, ClassWeight::Equal),
        (2, 0.01, 25, ClassWeight::Balanced),
        (3, 5.0, 1, ClassWeight::Equal),
        (4, 100.0, 10, ClassWeight::Balanced),
    ] {
        let (features, target) = kinds(seed, 400);
        let params = MultinomialLogistic::params().classes(4).c(c).min_rows(min_rows).class_weight(balance);
        let model = params.fit(&features, &target).unwrap();
        let design = design(&features, &features, min_rows);
        let chances = probabilities(&model, &design);
        assert_close("probability", &model.predict(&features).unwrap(), &chances, 1e-12);
        let weights = weigh(balance, &target);
        for class in 0..4 {
            let free = slope(&chances, &target, &weights, class, &|_| 1.0);
            assert!(free.abs() < 2e-7, "intercept of {class}: {free:e}");
            for (name, weight) in model.coefficients(class) {
                let factor = |row: usize| design[row].get(&name).copied().unwrap_or(0.0);
                let slope = slope(&chances, &target, &weights, class, &factor) + weight / (c * 400.0);
                assert!(slope.abs() < 2e-7, "seed {seed}: the slope of {name} for class {class} is {slope:e}");
            }
        }
        // What is the same for all classes changes nothing, and so it is 0.
        let mean: f64 = (0..4).map(|class| model.intercept(class)).sum();
        assert!(mean.abs() < 1e-6, "{mean:e}");
        assert!(model.intercept(4).is_nan() && model.weights(4).is_empty() && model.coefficients(4).is_empty());
    }
}

#[test]
fn under_an_absolute_penalty_weights_are_0_or_have_its_slope() {
    let mut zeros = Vec::new();
    for (seed, c, balance) in [(1, 0.03, ClassWeight::Equal), (2, 0.3, ClassWeight::Balanced)] {
        let (features, target) = kinds(seed, 400);
        let params = MultinomialLogistic::params().classes(4).penalty(Penalty::L1).c(c).class_weight(balance);
        let model = params.fit(&features, &target).unwrap();
        let design = design(&features, &features, 10);
        let (chances, weights) = (probabilities(&model, &design), weigh(balance, &target));
        let penalty = 1.0 / (c * 400.0);
        for class in 0..4 {
            assert!(slope(&chances, &target, &weights, class, &|_| 1.0).abs() < 2e-7, "intercept of {class}");
            for (name, weight) in model.coefficients(class) {
                let factor = |row: usize| design[row].get(&name).copied().unwrap_or(0.0);
                let slope = slope(&chances, &target, &weights, class, &factor);
                let off = if weight == 0.0 { slope.abs() - penalty } else { (slope + penalty * weight.signum()).abs() };
                assert!(off < 2e-7, "seed {seed}: {name} {weight}: {off:e}");
            }
        }
        zeros.push((0..4).flat_map(|class| model.weights(class)).filter(|weight| **weight == 0.0).count());
    }
    assert!(zeros[0] > zeros[1] && zeros[0] > 40, "{zeros:?}");
}

#[test]
fn two_classes_are_the_logistic_regression_of_half_the_penalty() {
    // Either class has half of the weight, so that the squares sum to half of its square.
    let (features, target) = mixed(5, 400);
    let two = MultinomialLogistic::params().classes(2).c(0.7).tolerance(1e-10).fit(&features, &target).unwrap();
    let one = Logistic::params().c(1.4).tolerance(1e-10).fit(&features, &target).unwrap();
    let half: Vec<f64> = one.weights().iter().map(|weight| weight / 2.0).collect();
    let other: Vec<f64> = half.iter().map(|weight| -weight).collect();
    assert_close("weights of 1", two.weights(1), &half, 1e-7);
    assert_close("weights of 0", two.weights(0), &other, 1e-7);
    assert_close("intercept", &[two.intercept(1)], &[one.intercept() / 2.0], 1e-7);
    let of_one: Vec<f64> = two.predict(&features).unwrap().chunks_exact(2).map(|row| row[1]).collect();
    assert_close("probability", &of_one, &one.predict(&features).unwrap(), 1e-8);
}

#[test]
fn sparse_rows_have_the_weights_of_the_categories_that_they_stand_for() {
    let mut random = Random::new(8);
    let code: Vec<f64> = (0..500).map(|_| random.below(6) as f64).collect();
    let target: Vec<f64> = code.iter().map(|code| if random.percent(30) { 2.0 } else { code % 3.0 }).collect();
    let params = MultinomialLogistic::params().c(2.0).tolerance(1e-9);
    let dense = params.fit(&codes(code.clone()), &target).unwrap();
    let places = code.iter().map(|code| *code as u32).collect();
    let rows = SparseMatrix::new(6, (0..=500).collect(), places, vec![1.0; 500]).unwrap();
    let sparse = params.fit_sparse(&rows, &target).unwrap();
    for class in 0..3 {
        assert_close("weights", sparse.weights(class), dense.weights(class), 1e-7);
        assert_eq!(sparse.coefficients(class)[5].0, "5");
    }
    let scores = sparse.predict_sparse(&rows).unwrap();
    assert_close("probabilities", &scores, &dense.predict(&codes(code.clone())).unwrap(), 1e-8);
    let found = metrics::likeliest(&scores, 3).unwrap();
    assert!(metrics::accuracy(&target, &found).unwrap() > 0.7);
    assert!(matches!(sparse.predict(&codes(code)), Err(Error::Columns { expected: 6, found: 1 })));
    assert!(matches!(dense.predict_sparse(&rows), Err(Error::Columns { expected: 0, found: 6 })));
    assert_eq!(format!("{sparse:?}"), "multinomial logistic regression, 3 classes of 6 weights each on sparse rows");
}

#[test]
fn a_row_weighs_as_much_as_so_many_of_its_kind() {
    let mut random = Random::new(3);
    let weights: Vec<f64> = (0..300).map(|_| random.below(4) as f64).collect();
    let target: Vec<f64> = (0..300).map(|_| random.below(3) as f64).collect();
    let (rows, copies) = copied(6, &weights);
    let of_copies = target.iter().zip(&weights).flat_map(|(&target, &weight)| vec![target; weight as usize]);
    let of_copies: Vec<f64> = of_copies.collect();
    for (penalty, balance) in [(Penalty::L2, ClassWeight::Equal), (Penalty::L1, ClassWeight::Balanced)] {
        let params = MultinomialLogistic::params().penalty(penalty).class_weight(balance).c(0.3).tolerance(1e-8);
        let one = params.fit_sparse_weighted(&rows, &target, &weights).unwrap();
        let other = params.fit_sparse(&copies, &of_copies).unwrap();
        let chances = |model: &MultinomialLogisticModel| model.predict_sparse(&rows).unwrap();
        assert_close("probabilities", &chances(&one), &chances(&other), 1e-6);
        assert!(chances(&one) != chances(&params.fit_sparse(&rows, &target).unwrap()));
    }
}

#[test]
fn what_features_add_sums_to_what_the_probabilities_are_made_of() {
    let ((train, target), (later, _)) = (kinds(12, 400), kinds(13, 30));
    let model = MultinomialLogistic::params().classes(4).fit(&train, &target).unwrap();
    let told = model.contributions(&later).unwrap();
    assert_eq!((told.rows(), told.classes(), told.names()), (30, 4, later.names()));
    for (row, chances) in model.predict(&later).unwrap().chunks_exact(4).enumerate() {
        let sum = |class: usize| told.row(row, class).iter().sum::<f64>() + told.expected(row, class);
        let powers: Vec<f64> = (0..4).map(|class| sum(class).exp()).collect();
        let all: f64 = powers.iter().sum();
        let expected: Vec<f64> = powers.iter().map(|power| power / all).collect();
        assert_close("probabilities", chances, &expected, 1e-12);
    }
    let alone = told.of_class(2);
    assert_eq!((alone.rows(), alone.classes(), told.of_class(4).rows()), (30, 1, 0));
    assert_eq!((alone.row(7, 0), alone.expected(7, 0)), (told.row(7, 2), told.expected(7, 2)));
}

#[test]
fn the_same_rows_give_the_same_bits_on_any_number_of_threads() {
    // Enough rows for several parts of a sum.
    let (features, target) = kinds(7, 5_000);
    let on = |threads: usize, penalty: Penalty| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let params = MultinomialLogistic::params().classes(4).penalty(penalty).tolerance(1e-4);
        let model = pool.install(|| params.fit(&features, &target)).unwrap();
        bits(&(0..4).flat_map(|class| model.weights(class).to_vec()).collect::<Vec<_>>())
    };
    for penalty in [Penalty::L1, Penalty::L2] {
        assert_eq!(on(1, penalty), on(3, penalty));
    }
}

#[test]
fn what_says_nothing_leaves_the_shares_of_the_classes() {
    let target: Vec<f64> = (0..200).map(|i| [0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0][i % 8]).collect();
    let nothing = numbers([("same", vec![3.0; 200]), ("none", vec![NAN; 200])]);
    let model = MultinomialLogistic::params().fit(&nothing, &target).unwrap();
    assert_eq!(model.weights(1), [0.0, 0.0]);
    let later = numbers([("same", vec![3.0, 3.0]), ("none", vec![NAN, 5.0])]);
    assert_close("shares", &model.predict(&later).unwrap(), &[0.25, 0.125, 0.625].repeat(2), 1e-6);
    // Far away from all that it has seen it is sure, and nothing overflows; of a new category it knows as much as of none.
    let apart = numbers([("x", (0..300).map(f64::from).collect())]);
    let thirds: Vec<f64> = (0..300).map(|i| f64::from(i / 100)).collect();
    let model = MultinomialLogistic::params().c(100.0).fit(&apart, &thirds).unwrap();
    assert_eq!(model.predict(&numbers([("x", vec![-1e12, 1e12])])).unwrap(), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let code: Vec<f64> = (0..300).map(|i| f64::from(i % 3)).collect();
    let model = MultinomialLogistic::params().fit(&codes(code.clone()), &code).unwrap();
    let new = model.predict(&codes(vec![9.0, NAN])).unwrap();
    assert_close("new categories", &new, &[1.0 / 3.0; 6], 1e-6);
}

#[test]
fn a_row_beyond_all_numbers_is_refused() {
    // In deviations of the fit the second value is infinite, and 0 times that is no number.
    let narrow = numbers([("x", (0..300).map(|i| f64::from(i) * 1e-6).collect())]);
    let far = numbers([("x", vec![0.0, f64::MAX])]);
    let thirds: Vec<f64> = (0..300).map(|i| f64::from(i / 100)).collect();
    let two: Vec<f64> = thirds.iter().map(|class| class.min(1.0)).collect();
    for penalty in [Penalty::L2, Penalty::L1] {
        let several = MultinomialLogistic::params().penalty(penalty).fit(&narrow, &thirds).unwrap();
        assert!(matches!(several.predict(&far), Err(Error::TooFar { row: 1 })));
        assert!(matches!(several.contributions(&far), Err(Error::TooFar { row: 1 })));
        let one = Logistic::params().penalty(penalty).fit(&narrow, &two).unwrap();
        assert!(matches!(one.predict(&far), Err(Error::TooFar { row: 1 })));
        assert!(matches!(one.contributions(&far), Err(Error::TooFar { row: 1 })));
    }
    let margin = LinearSvm::params().fit(&narrow, &two).unwrap();
    assert!(matches!(margin.decision(&far), Err(Error::TooFar { row: 1 })));
    // Sparse rows are taken as they are: times the weights these are infinite, of both signs.
    let place = thirds.iter().map(|class| *class as u32).collect();
    let rows = SparseMatrix::new(3, (0..=300).collect(), place, vec![1.0; 300]).unwrap();
    let model = MultinomialLogistic::params().c(100.0).fit_sparse(&rows, &thirds).unwrap();
    let far = SparseMatrix::new(3, vec![0, 1, 4], vec![0, 0, 1, 2], vec![1.0, f64::MAX, f64::MAX, f64::MAX]).unwrap();
    assert!(matches!(model.predict_sparse(&far), Err(Error::TooFar { row: 1 })));
}

#[test]
fn rows_that_cannot_be_learnt_from_are_refused() {
    let (features, target) = kinds(8, 60);
    let params = || MultinomialLogistic::params().classes(4);
    let fit = |target: &[f64]| params().fit(&features, target).unwrap_err();
    assert!(matches!(fit(&[1.0; 60]), Error::OneValue { found: 1.0, rows: 60 }));
    assert!(matches!(fit(&target[1..]), Error::Rows { expected: 60, found: 59, .. }));
    let mut wrong = target.clone();
    for value in [NAN, 4.0, -1.0, 0.5, f64::INFINITY] {
        wrong[5] = value;
        assert!(matches!(fit(&wrong), Error::Target { row: 5, .. }), "{value}");
    }
    let gap: Vec<f64> = target.iter().map(|class| if *class == 1.0 { 3.0 } else { *class }).collect();
    let message = "target: expected rows of each of 4 classes, found none of class 1 in 60 rows";
    assert!(fit(&gap).to_string().starts_with(message), "{}", fit(&gap));
    let weighed = |weights: &[f64]| params().fit_weighted(&features, &target, weights).unwrap_err();
    assert!(matches!(weighed(&[1.0; 59]), Error::Rows { what: "weights", expected: 60, found: 59 }));
    assert!(matches!(weighed(&[-1.0; 60]), Error::Weight { row: 0, .. }));
    let without: Vec<f64> = target.iter().map(|class| f64::from(*class != 1.0)).collect();
    assert!(matches!(weighed(&without), Error::NoClass { class: 1, classes: 4, .. }));
    let none = features.select_rows(&[]);
    assert!(matches!(params().fit(&none, &[]), Err(Error::Empty { rows: 0, columns: 4, .. })));
    let one = params().fit(&features.select_rows(&[0]), &target[..1]);
    assert!(matches!(one, Err(Error::OneValue { rows: 1, .. })));
    let infinite = numbers([("x", (0..60).map(|i| 1.0 / f64::from(i)).collect())]);
    assert!(matches!(params().fit(&infinite, &target), Err(Error::Infinite { row: 0, .. })));
    let model = params().fit(&features, &target).unwrap();
    let error = model.predict(&numbers([("x", vec![1.0])])).unwrap_err();
    assert_eq!(error.to_string(), "feature 0: the model was fitted on `office`, found `x`");
    let mut random = Random::new(1);
    let rows = SparseMatrix::new(1, (0..=60).collect(), vec![0; 60], even(&mut random, 60)).unwrap();
    assert!(matches!(params().fit_sparse(&rows, &gap), Err(Error::NoClass { class: 1, classes: 4, rows: 60 })));
    assert!(matches!(params().fit_sparse(&rows, &target[1..]), Err(Error::Rows { .. })));
    let empty = SparseMatrix::new(1, vec![0], vec![], vec![]).unwrap();
    assert!(matches!(params().fit_sparse(&empty, &[]), Err(Error::Empty { .. })));
    let early = params().c(100.0).iterations(1).fit(&features, &target).unwrap_err();
    assert!(early.to_string().starts_with("multinomial logistic regression: after 1 iterations"), "{early}");
}

#[test]
fn parameters_out_of_range_are_named() {
    let params = MultinomialLogistic::params;
    let cases: [(MultinomialLogisticParams, &str); 5] = [
        (params().classes(1), "`classes`: expected 2 to 1000, found 1"),
        (params().c(0.0), "`c`: expected a finite number above 0, found 0"),
        (params().iterations(0), "`iterations`: expected 1 to 1000000, found 0"),
        (params().tolerance(1.0), "`tolerance`: expected above 0 and below 1, found 1"),
        (
            params().class_weight(ClassWeight::Of { zero: 1.0, one: 2.0 }),
            "`class_weight`: expected equal or balanced where there are more than two classes, found Of { zero: 1.0, one: 2.0 }",
        ),
    ];
    for (params, range) in cases {
        let message = format!("multinomial logistic regression: parameter {range}");
        let checked: Result<_> = params.check();
        assert_eq!(checked.unwrap_err().to_string(), message);
    }
}
