//! Weights against the conditions of the optimum and against problems that can be solved by hand.

use std::collections::{BTreeMap, HashMap};

use haetae_features::FeatureMatrix;
use haetae_models::{
    ClassWeight, Error, Logistic, LogisticModel, LogisticParams, MultinomialLogistic, Penalty, SparseMatrix, metrics,
};
use rayon::ThreadPoolBuilder;

use crate::data::{Random, assert_close, bits, codes, even, numbers};

const NAN: f64 = f64::NAN;

/// Two categorical features with rare and missing values, two numbers with missing values.
pub fn mixed(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let office: Vec<f64> = (0..rows).map(|_| random.below(5) as f64).collect();
    // Squares make high codes rare.
    let code = |random: &mut Random| (random.unit() * random.unit() * 30.0).floor();
    let goods: Vec<f64> = (0..rows).map(|_| if random.percent(10) { NAN } else { code(&mut random) }).collect();
    let mass: Vec<f64> = (0..rows).map(|_| 50.0 + 9.0 * random.unit()).collect();
    let price: Vec<f64> = (0..rows).map(|_| if random.percent(15) { NAN } else { 1e6 * random.unit() }).collect();
    let target = (0..rows).map(|row| {
        let sum = office[row] / 5.0 + f64::from(goods[row] < 3.0) + (mass[row] - 54.0) / 6.0 - 1.2;
        f64::from(random.unit() < 1.0 / (1.0 + (-sum).exp()))
    });
    let target = target.collect();
    let names = ["office", "mass", "goods", "price"].map(str::to_owned).to_vec();
    let features = FeatureMatrix::new(names, vec![office, mass, goods, price], vec![true, false, true, false]);
    (features.unwrap(), target)
}

/// The design as the documentation of the fit describes it: for every row what each weight is multiplied with.
pub fn design(train: &FeatureMatrix, scored: &FeatureMatrix, min_rows: usize) -> Vec<BTreeMap<String, f64>> {
    let mut rows = vec![BTreeMap::new(); scored.rows()];
    for (i, name) in train.names().iter().enumerate() {
        let known = train.column(i);
        if train.is_categorical(i) {
            let label = |value: f64| if value.is_nan() { "missing".to_owned() } else { format!("{value}") };
            let mut counts: HashMap<String, usize> = HashMap::new();
            known.iter().for_each(|&value| *counts.entry(label(value)).or_default() += 1);
            for (row, &value) in rows.iter_mut().zip(scored.column(i)) {
                let label = label(value);
                let own = counts.get(&label).is_some_and(|&count| count >= min_rows);
                row.insert(format!("{name}={}", if own { label } else { "other".to_owned() }), 1.0);
            }
        } else {
            let there: Vec<f64> = known.iter().copied().filter(|value| !value.is_nan()).collect();
            let mean = there.iter().sum::<f64>() / there.len() as f64;
            let deviation = (there.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / there.len() as f64).sqrt();
            for (row, &value) in rows.iter_mut().zip(scored.column(i)) {
                row.insert(name.clone(), if value.is_nan() { 0.0 } else { (value - mean) / deviation });
            }
        }
    }
    rows
}

fn probabilities(model: &LogisticModel, design: &[BTreeMap<String, f64>]) -> Vec<f64> {
    let weights: HashMap<String, f64> = model.coefficients().into_iter().collect();
    let sum = |row: &BTreeMap<String, f64>| {
        // A weight that is not there adds nothing.
        model.intercept() + row.iter().map(|(name, x)| weights.get(name).unwrap_or(&0.0) * x).sum::<f64>()
    };
    design.iter().map(|row| 1.0 / (1.0 + (-sum(row)).exp())).collect()
}

#[test]
fn at_the_weights_found_no_direction_lowers_the_loss() {
    for (seed, c, min_rows) in [(1, 0.1, 10), (2, 0.01, 25), (3, 5.0, 1), (4, 100.0, 10)] {
        let (features, target) = mixed(seed, 400);
        let model = Logistic::params().c(c).min_rows(min_rows).fit(&features, &target).unwrap();
        let design = design(&features, &features, min_rows);
        let probabilities = probabilities(&model, &design);
        assert_close("probability", &model.predict(&features).unwrap(), &probabilities, 1e-12);

        // The problem is convex: a gradient of 0 is the optimum, and there is no other.
        let gradient = |factor: &dyn Fn(usize) -> f64| {
            (0..400).map(|row| (probabilities[row] - target[row]) * factor(row)).sum::<f64>() / 400.0
        };
        assert!(gradient(&|_| 1.0).abs() < 2e-7, "intercept");
        let coefficients = model.coefficients();
        for (name, weight) in &coefficients {
            let slope = gradient(&|row| design[row].get(name).copied().unwrap_or(0.0)) + weight / (c * 400.0);
            assert!(slope.abs() < 2e-7, "seed {seed}: the gradient of {name} is {slope:e}");
        }
        let named: Vec<&String> = coefficients.iter().map(|(name, _)| name).collect();
        let expected: std::collections::BTreeSet<&String> = design.iter().flat_map(BTreeMap::keys).collect();
        assert_eq!(named.iter().copied().collect::<std::collections::BTreeSet<_>>(), expected);
        assert_eq!(named.len(), expected.len());
    }
}

#[test]
fn under_an_absolute_penalty_weights_are_0_or_have_its_slope() {
    let mut zeros = Vec::new();
    for (seed, c, balance) in
        [(1, 0.03, ClassWeight::Equal), (2, 0.3, ClassWeight::Balanced), (3, 5.0, ClassWeight::Equal)]
    {
        let (features, target) = mixed(seed, 400);
        let params = Logistic::params().penalty(Penalty::L1).c(c).class_weight(balance);
        let model = params.fit(&features, &target).unwrap();
        let design = design(&features, &features, 10);
        let probabilities = probabilities(&model, &design);
        let ones = target.iter().sum::<f64>();
        let weight = |row: usize| match (balance, target[row] == 1.0) {
            (ClassWeight::Equal, _) => 1.0,
            (_, true) => 200.0 / ones,
            (_, false) => 200.0 / (400.0 - ones),
        };
        let gradient = |factor: &dyn Fn(usize) -> f64| {
            (0..400).map(|row| weight(row) * (probabilities[row] - target[row]) * factor(row)).sum::<f64>() / 400.0
        };
        assert!(gradient(&|_| 1.0).abs() < 2e-7, "intercept");
        let penalty = 1.0 / (c * 400.0);
        for (name, weight) in model.coefficients() {
            let slope = gradient(&|row| design[row].get(&name).copied().unwrap_or(0.0));
            let off = if weight == 0.0 { slope.abs() - penalty } else { (slope + penalty * weight.signum()).abs() };
            assert!(off < 2e-7, "seed {seed}: {name} {weight}: {off:e}");
        }
        zeros.push(model.weights().iter().filter(|weight| **weight == 0.0).count());
        let again = params.fit(&features, &target).unwrap();
        assert_eq!(bits(again.weights()), bits(model.weights()));
    }
    assert!(zeros[0] > zeros[2] && zeros[0] > 10, "{zeros:?}");
    // Sparse rows too: of three columns one says something.
    let mut random = Random::new(6);
    let x: Vec<f64> = even(&mut random, 900);
    let target: Vec<f64> = (0..300).map(|row| f64::from(random.unit() < x[3 * row])).collect();
    let rows = SparseMatrix::new(3, (0..=300).map(|row| 3 * row).collect(), [0, 1, 2].repeat(300), x).unwrap();
    let weights = Logistic::params().penalty(Penalty::L1).c(0.2).fit_sparse(&rows, &target).unwrap();
    assert!(weights.weights()[0] > 0.5 && weights.weights()[1..] == [0.0, 0.0], "{:?}", weights.weights());
    let error = Logistic::params().penalty(Penalty::L1).iterations(1).tolerance(1e-12).fit_sparse(&rows, &target);
    assert!(matches!(error, Err(Error::NotConverged { iterations: 100, .. })), "{error:?}");
}

#[test]
fn rows_that_were_not_trained_on_are_read_the_same_way() {
    let (features, target) = mixed(5, 300);
    let (others, _) = mixed(6, 300);
    let model = Logistic::params().fit(&features, &target).unwrap();
    let expected = probabilities(&model, &design(&features, &others, 10));
    assert_close("probability", &model.predict(&others).unwrap(), &expected, 1e-12);
    assert_eq!(model.names(), ["office", "mass", "goods", "price"]);
}

#[test]
fn what_features_add_sums_to_the_log_odds() {
    let (train, target) = mixed(12, 400);
    let (later, _) = mixed(13, 50);
    let model = Logistic::params().c(1.0).fit(&train, &target).unwrap();
    let told = model.contributions(&later).unwrap();
    assert_eq!((told.rows(), told.classes(), told.names()), (50, 1, later.names()));
    let design = design(&train, &later, 10);
    let weights: HashMap<String, f64> = model.coefficients().into_iter().collect();
    for (row, chance) in model.predict(&later).unwrap().into_iter().enumerate() {
        let sum = told.row(row, 0).iter().sum::<f64>() + told.expected(row, 0);
        assert_close("log-odds", &[sum], &[(chance / (1.0 - chance)).ln()], 1e-9);
        for (name, part) in told.names().iter().zip(told.row(row, 0)) {
            let own = design[row].iter().filter(|(label, _)| *label == name || label.starts_with(&format!("{name}=")));
            let expected: f64 = own.map(|(label, x)| weights.get(label).unwrap_or(&0.0) * x).sum();
            assert_close(name, &[*part], &[expected], 1e-12);
        }
    }
    // In words and in order, by hand.
    let strongest = told.strongest(3, 0, 2);
    let mut sizes: Vec<f64> = told.row(3, 0).iter().map(|part| part.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(strongest.iter().map(|(_, part)| part.abs()).collect::<Vec<_>>(), sizes[..2]);
    let sentence = told.sentence(3, 0, 2);
    let word = |by: f64| format!("{} it by {:.3}", if by < 0.0 { "lowers" } else { "raises" }, by.abs());
    let rest = told.row(3, 0).iter().sum::<f64>() - strongest[0].1 - strongest[1].1;
    let named: Vec<String> = strongest.iter().map(|(name, by)| format!("{name} {}", word(*by))).collect();
    assert!(sentence.ends_with(&format!(": {}, {}, all else {}.", named[0], named[1], word(rest))), "{sentence}");
    assert!(sentence.starts_with("The score is ") && sentence.contains("before any feature is known"), "{sentence}");
    assert_eq!((told.sentence(50, 0, 2), told.sentence(0, 1, 2)), (String::new(), String::new()));
    let overall = told.overall(0);
    let mean = |i: usize| (0..50).map(|row| told.row(row, 0)[i].abs()).sum::<f64>() / 50.0;
    let place = later.position(&overall[0].0).unwrap();
    assert_close("overall", &[overall[0].1], &[(0..4).map(mean).fold(0.0, f64::max)], 1e-12);
    assert_close("overall", &[overall[0].1], &[mean(place)], 1e-12);
    assert!(overall.windows(2).all(|pair| pair[0].1 >= pair[1].1) && overall.len() == 4);
}

#[test]
fn without_anything_to_go_by_the_rate_is_found() {
    let target: Vec<f64> = (0..200).map(|i| f64::from(i % 8 == 0)).collect();
    let model =
        Logistic::params().fit(&numbers([("same", vec![3.0; 200]), ("none", vec![NAN; 200])]), &target).unwrap();
    assert_close("intercept", &[model.intercept()], &[(0.125_f64 / 0.875).ln()], 1e-5);
    assert_eq!(model.coefficients(), [("same".to_owned(), 0.0), ("none".to_owned(), 0.0)]);
    let scores = model.predict(&numbers([("same", vec![3.0, 3.0]), ("none", vec![NAN, 5.0])])).unwrap();
    assert_close("rate", &scores, &[0.125; 2], 1e-6);
}

/// Where a function that grows is 0.
fn root(function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-100.0, 100.0);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if function(middle) > 0.0 { high = middle } else { low = middle }
    }
    low
}

#[test]
fn two_equal_groups_have_the_weight_of_one_equation() {
    // x is -1 or 1 in 50 rows each; of the 1s 40 are fraud, of the -1s 10. By symmetry the intercept is 0, and the
    // weight solves 100 (p(w) - 0.8) + w / c = 0. The second case is separable: only the penalty keeps w finite.
    for (frauds, c) in [(40, 0.1), (40, 10.0), (50, 0.1), (50, 1_000.0)] {
        let x: Vec<f64> = (0..100).map(|i| if i < 50 { 7.0 } else { 9.0 }).collect();
        let target: Vec<f64> =
            (0..100).map(|i| f64::from(if i < 50 { i >= frauds } else { i - 50 < frauds })).collect();
        let features = numbers([("x", x)]);
        let model = Logistic::params().c(c).tolerance(1e-10).fit(&features, &target).unwrap();
        let share = f64::from(frauds) / 50.0;
        let weight = root(|w| 100.0 * (1.0 / (1.0 + (-w).exp()) - share) + w / c);
        let [(name, found)] = &model.coefficients()[..] else { panic!("{:?}", model.coefficients()) };
        assert_eq!(name, "x");
        assert_close("weight and intercept", &[*found, model.intercept()], &[weight, 0.0], 1e-5);
        let scores = model.predict(&features).unwrap();
        assert_eq!(metrics::auc(&target, &scores).unwrap() == 1.0, frauds == 50);
    }
}

#[test]
fn far_values_have_a_probability_and_no_overflow() {
    let target: Vec<f64> = (0..100).map(|i| f64::from(i >= 50)).collect();
    let features = numbers([("x", (0..100).map(f64::from).collect())]);
    let model = Logistic::params().c(1e6).fit(&features, &target).unwrap();
    let scores = model.predict(&numbers([("x", vec![-1e12, 1e12])])).unwrap();
    assert_eq!(scores, [0.0, 1.0]);
}

#[test]
fn rare_and_new_categories_share_a_weight() {
    // Code 0 is frequent, 1 and missing are rare.
    let column: Vec<f64> = (0..60)
        .map(|i| {
            if i < 50 {
                0.0
            } else if i < 57 {
                1.0
            } else {
                NAN
            }
        })
        .collect();
    let target: Vec<f64> = (0..60).map(|i| f64::from(i % 3 == 0 || i >= 50)).collect();
    let model = Logistic::params().fit(&codes(column), &target).unwrap();
    let names: Vec<String> = model.coefficients().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["code=0", "code=other"]);
    let scores = model.predict(&codes(vec![0.0, 1.0, NAN, 77.0])).unwrap();
    assert!(scores[1] > scores[0] && scores[2] == scores[1] && scores[3] == scores[1], "{scores:?}");
    // Without rare ones there is nothing to share: a new category then adds nothing to the intercept.
    let column: Vec<f64> = (0..60).map(|i| f64::from(i % 2)).collect();
    let model = Logistic::params().fit(&codes(column), &target).unwrap();
    let expected = 1.0 / (1.0 + (-model.intercept()).exp());
    assert_close("new", &model.predict(&codes(vec![9.0, NAN])).unwrap(), &[expected; 2], 1e-15);
}

#[test]
fn the_same_rows_give_the_same_bits_on_any_number_of_threads() {
    // Enough rows for several parts of a sum.
    let (features, target) = mixed(7, 5_000);
    let on = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let model = pool.install(|| Logistic::params().fit(&features, &target)).unwrap();
        bits(&model.coefficients().into_iter().map(|(_, weight)| weight).collect::<Vec<_>>())
    };
    let one = on(1);
    assert_eq!(one, on(3));
    assert_eq!(one, on(8));
}

/// So many rows of 4 numbers as sparse ones, and as often as `weights` says.
pub fn copied(seed: u64, weights: &[f64]) -> (SparseMatrix, SparseMatrix) {
    let mut random = Random::new(seed);
    let values: Vec<f64> = even(&mut random, 4 * weights.len()).iter().map(|value| 4.0 * value - 2.0).collect();
    let sparse = |values: Vec<f64>| {
        let rows = values.len() / 4;
        let starts = (0..=rows).map(|row| 4 * row).collect();
        SparseMatrix::new(4, starts, [0, 1, 2, 3].repeat(rows), values).unwrap()
    };
    let copies = values.chunks(4).zip(weights).flat_map(|(row, &weight)| row.repeat(weight as usize)).collect();
    (sparse(values), sparse(copies))
}

#[test]
fn a_row_weighs_as_much_as_so_many_of_its_kind() {
    let mut random = Random::new(3);
    let weights: Vec<f64> = (0..300).map(|_| random.below(4) as f64).collect();
    let target: Vec<f64> = (0..300).map(|_| random.below(2) as f64).collect();
    let (rows, copies) = copied(5, &weights);
    let of_copies = target.iter().zip(&weights).flat_map(|(&target, &weight)| vec![target; weight as usize]);
    let of_copies: Vec<f64> = of_copies.collect();
    for penalty in [Penalty::L2, Penalty::L1] {
        for balance in [ClassWeight::Equal, ClassWeight::Balanced, ClassWeight::Of { zero: 1.0, one: 4.0 }] {
            let params = Logistic::params().penalty(penalty).class_weight(balance).c(0.3).tolerance(1e-8);
            let one = params.fit_sparse_weighted(&rows, &target, &weights).unwrap();
            let other = params.fit_sparse(&copies, &of_copies).unwrap();
            assert_close("weights", one.weights(), other.weights(), 1e-6);
            assert!((one.intercept() - other.intercept()).abs() < 1e-6);
            let without = params.fit_sparse(&rows, &target).unwrap();
            assert!(one.weights() != without.weights());
        }
    }
}

#[test]
fn weights_of_all_rows_are_as_much_less_penalty() {
    let (features, target) = mixed(4, 400);
    let plain = Logistic::params().c(0.5).tolerance(1e-8);
    let expected = plain.fit(&features, &target).unwrap().predict(&features).unwrap();
    for weight in [1.0, 2.5, 1e-12, 1e9, 3e-308, 1e300] {
        let params = plain.clone().c(0.5 / weight);
        let found = params.fit_weighted(&features, &target, &[weight; 400]).unwrap();
        assert_close("probabilities", &found.predict(&features).unwrap(), &expected, 1e-7);
    }
}

#[test]
fn rows_that_weigh_nothing_beside_the_penalty_are_refused_and_named() {
    let (features, target) = mixed(4, 400);
    let lights: [(&str, haetae_models::Result<()>); 4] = [
        ("rows", Logistic::params().fit_weighted(&features, &target, &[1e-308; 400]).map(drop)),
        ("many", Logistic::params().penalty(Penalty::L1).fit_weighted(&features, &target, &[5e-324; 400]).map(drop)),
        ("c", Logistic::params().c(1e-308).fit(&features, &target).map(drop)),
        (
            "classes",
            MultinomialLogistic::params().classes(2).fit_weighted(&features, &target, &[1e-308; 400]).map(drop),
        ),
    ];
    for (name, found) in lights {
        let error = found.unwrap_err();
        assert!(matches!(error, Error::TooLight { found, .. } if found < 1e-300), "{name}: {error}");
        let said = error.to_string();
        assert!(said.contains("regression: the weights of all rows together, times `c`, are "), "{said}");
        assert!(said.ends_with("expected at least 1e-100: give greater weights, or raise `c`"), "{said}");
    }
    // As far as squares can be told from 0 there is a model, which says the share of the target.
    let faint = Logistic::params().fit_weighted(&features, &target, &[1e-98; 400]).unwrap();
    let share = target.iter().sum::<f64>() / 400.0;
    assert_close("share", &faint.predict(&features).unwrap(), &[share; 400], 1e-6);
}

#[test]
fn a_class_of_rows_that_hardly_weigh_anything_is_balanced_too() {
    let (features, target) = mixed(4, 400);
    let plain = Logistic::params().class_weight(ClassWeight::Balanced).c(0.5).tolerance(1e-8);
    let expected = plain.fit(&features, &target).unwrap().predict(&features).unwrap();
    // Beside those of 1, the others are lost in the sum of all.
    let weights: Vec<f64> = target.iter().map(|target| if *target == 1.0 { 1.0 } else { 1e-20 }).collect();
    let share = target.iter().sum::<f64>() / 400.0;
    let found = plain.c(0.5 / share).fit_weighted(&features, &target, &weights).unwrap();
    assert_close("probabilities", &found.predict(&features).unwrap(), &expected, 1e-6);
}

#[test]
fn parameters_out_of_range_are_named() {
    let params = Logistic::params;
    let cases: [(LogisticParams, &str, &str); 8] = [
        (params().c(0.0), "c", "a finite number above 0, found 0"),
        (params().c(-1.0), "c", "a finite number above 0, found -1"),
        (params().c(NAN), "c", "a finite number above 0, found NaN"),
        (params().c(f64::INFINITY), "c", "a finite number above 0, found inf"),
        (params().min_rows(0), "min_rows", "at least 1, found 0"),
        (params().iterations(0), "iterations", "1 to 1000000, found 0"),
        (params().tolerance(0.0), "tolerance", "above 0 and below 1, found 0"),
        (params().tolerance(NAN), "tolerance", "above 0 and below 1, found NaN"),
    ];
    for (params, name, range) in cases {
        let message = format!("logistic regression: parameter `{name}`: expected {range}");
        assert_eq!(params.check().unwrap_err().to_string(), message);
    }
}

#[test]
fn rows_that_cannot_be_learnt_from_are_refused() {
    let (features, target) = mixed(8, 60);
    let fit = |target: &[f64]| Logistic::params().fit(&features, target).unwrap_err();
    assert!(matches!(fit(&[1.0; 60]), Error::OneClass { found: 1.0, rows: 60 }));
    assert!(matches!(fit(&target[1..]), Error::Rows { expected: 60, found: 59, .. }));
    let mut wrong = target.clone();
    for value in [NAN, 2.0] {
        wrong[5] = value;
        assert!(matches!(fit(&wrong), Error::Target { row: 5, .. }));
    }
    let weighed = |weights: &[f64]| Logistic::params().fit_weighted(&features, &target, weights).unwrap_err();
    assert!(matches!(weighed(&[1.0; 59]), Error::Rows { what: "weights", expected: 60, found: 59 }));
    assert!(matches!(weighed(&[]), Error::Rows { what: "weights", expected: 60, found: 0 }));
    for value in [NAN, -1.0, f64::INFINITY] {
        let mut weights = [1.0; 60];
        weights[7] = value;
        assert!(matches!(weighed(&weights), Error::Weight { row: 7, .. }), "{value}");
    }
    assert!(matches!(weighed(&target), Error::OneClass { found: 1.0, rows: 60 }));
    assert!(matches!(weighed(&[0.0; 60]), Error::OneClass { .. }));
    let none = features.select_rows(&[]);
    assert!(matches!(Logistic::params().fit(&none, &[]), Err(Error::Empty { rows: 0, columns: 4, .. })));
    let infinite = numbers([("x", vec![1.0; 60]), ("y", (0..60).map(|i| 1.0 / f64::from(i)).collect())]);
    let error = Logistic::params().fit(&infinite, &target).unwrap_err();
    assert!(matches!(&error, Error::Infinite { feature, row: 0 } if feature == "y"), "{error}");
    let category = codes((0..60).map(|i| f64::from(i) / 2.0).collect());
    assert!(matches!(Logistic::params().fit(&category, &target), Err(Error::Category { row: 1, .. })));
    let model = Logistic::params().fit(&features, &target).unwrap();
    let error = model.predict(&numbers([("x", vec![1.0])])).unwrap_err();
    assert_eq!(error.to_string(), "feature 0: the model was fitted on `office`, found `x`");
}

#[test]
fn a_solver_that_ends_too_early_says_so() {
    let (features, target) = mixed(9, 300);
    let error = Logistic::params().c(100.0).iterations(1).fit(&features, &target).unwrap_err();
    let Error::NotConverged { iterations: 1, gradient, tolerance, .. } = error else { panic!("{error}") };
    assert!(gradient > tolerance && tolerance == 1e-7, "{gradient:e}");
    assert!(error.to_string().ends_with("raise `iterations` or `tolerance`"), "{error}");
    let loose = Logistic::params().c(100.0).iterations(1).tolerance(0.5).fit(&features, &target);
    assert!(loose.is_ok());
    let far = numbers([("x", even(&mut Random::new(1), 300))]);
    assert!(Logistic::params().c(100.0).fit(&far, &target).is_ok());
}
