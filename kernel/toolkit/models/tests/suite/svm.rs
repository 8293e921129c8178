//! Support vector machines: the conditions of the best margin, bounded memory, and what they refuse.

use haetae_features::FeatureMatrix;
use haetae_models::{
    ClassWeight, Error, Kernel, LinearSvm, LinearSvmModel, LinearSvmParams, MarginLoss, Nystroem, SparseMatrix, Svm,
    SvmParams, metrics,
};

use crate::clusters::blobs;
use crate::data::{Random, assert_close, bits, codes, even, numbers};

const NAN: f64 = f64::NAN;

/// Two features that decide with some noise, and one that does not.
fn noisy(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let (x, y, z) = (even(&mut random, rows), even(&mut random, rows), even(&mut random, rows));
    let target = (0..rows).map(|i| f64::from(x[i] + 0.5 * y[i] + 0.3 * random.unit() > 0.9)).collect();
    (numbers([("x", x), ("y", y), ("z", z)]), target)
}

/// A ring around a spot.
fn ring(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let (mut x, mut y, mut target) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..rows {
        let (angle, far) = (6.3 * random.unit(), 0.6 * random.unit() + if i % 2 == 0 { 0.1 } else { 0.9 });
        x.push(far * angle.cos());
        y.push(far * angle.sin());
        target.push((i % 2) as f64);
    }
    (numbers([("x", x), ("y", y)]), target)
}

fn sides(target: &[f64]) -> Vec<f64> {
    target.iter().map(|target| 2.0 * target - 1.0).collect()
}

/// What the fit minimises, from the model's own decisions.
fn goal(model: &LinearSvmModel, features: &FeatureMatrix, target: &[f64], c: f64, loss: MarginLoss) -> f64 {
    let lacks = model.decision(features).unwrap();
    let losses = lacks.iter().zip(sides(target)).map(|(sum, side)| match loss {
        MarginLoss::Hinge => (1.0 - side * sum).max(0.0),
        MarginLoss::SquaredHinge => (1.0 - side * sum).max(0.0).powi(2),
    });
    let squares = model.weights().iter().map(|weight| weight * weight).sum::<f64>() + model.intercept().powi(2);
    squares / 2.0 + c * losses.sum::<f64>()
}

#[test]
fn two_rows_have_the_margin_of_the_formula() {
    // Rows at -1 and 1: weight w and intercept 0 by symmetry; w^2 / 2 + 2 c (1 - w)^2 is least at w = 4 c / (1 + 4 c).
    let two = numbers([("x", vec![-1.0, 1.0])]);
    let model = LinearSvm::params().c(2.0).tolerance(1e-12).fit(&two, &[0.0, 1.0]).unwrap();
    assert_close("weight", model.weights(), &[8.0 / 9.0], 1e-10);
    assert!(model.intercept().abs() < 1e-10);
    // With the plain loss the margin is met as soon as c allows the force of one half that it takes.
    let plain =
        |c: f64| LinearSvm::params().c(c).loss(MarginLoss::Hinge).tolerance(1e-9).fit(&two, &[0.0, 1.0]).unwrap();
    assert_close("met", plain(2.0).weights(), &[1.0], 1e-8);
    assert_close("not met", plain(0.1).weights(), &[0.2], 1e-8);
    let svm = Svm::params().kernel(Kernel::Linear).c(2.0).tolerance(1e-9).fit(&two, &[0.0, 1.0]).unwrap();
    assert_close("kernel", &svm.decision(&two).unwrap(), &[-1.0, 1.0], 1e-8);
    assert_close("forces", svm.forces(), &[-0.5, 0.5], 1e-8);
}

#[test]
fn both_solvers_of_the_squared_loss_meet() {
    let (features, target) = noisy(1, 60);
    // The same rows sparse, as they are: more columns than rows, so the other solver is taken.
    let columns = 80;
    let starts = (0..=60).map(|row| 3 * row).collect();
    let positions = (0..60).flat_map(|_| [0_u32, 1, 79]).collect();
    let values = (0..60).flat_map(|row| (0..3).map(|i| features.value(row, i)).collect::<Vec<_>>()).collect();
    let sparse = SparseMatrix::new(columns, starts, positions, values).unwrap();
    let params = LinearSvm::params().scaled(false).tolerance(1e-10).iterations(100_000).c(3.0);
    let newton = params.fit(&features, &target).unwrap();
    let dual = params.fit_sparse(&sparse, &target).unwrap();
    let weights = dual.weights();
    assert_close(
        "weights",
        &[weights[0], weights[1], weights[79], dual.intercept()],
        &[newton.weights()[0], newton.weights()[1], newton.weights()[2], newton.intercept()],
        1e-7,
    );
    assert!(weights[2..79].iter().all(|&weight| weight == 0.0));
    assert_close("sums", &dual.decision_sparse(&sparse).unwrap(), &newton.decision(&features).unwrap(), 1e-7);
    assert_eq!(dual.coefficients()[79].0, "79");
}

#[test]
fn no_other_plane_near_it_is_better() {
    let (features, target) = noisy(2, 400);
    for loss in [MarginLoss::Hinge, MarginLoss::SquaredHinge] {
        let params = LinearSvm::params().loss(loss).c(0.5).tolerance(1e-9).iterations(100_000);
        let model = params.fit(&features, &target).unwrap();
        let best = goal(&model, &features, &target, 0.5, loss);
        for other in [0.4, 0.49, 0.51, 0.6] {
            let other = params.clone().c(other).fit(&features, &target).unwrap();
            assert!(goal(&other, &features, &target, 0.5, loss) > best, "{loss:?}");
        }
        let right = model.predict(&features).unwrap().iter().zip(&target).filter(|(a, b)| a == b).count();
        assert!(right > 340, "{right}");
    }
}

#[test]
fn categories_weights_and_seeds_of_a_linear_margin() {
    let mut random = Random::new(4);
    let code: Vec<f64> = (0..600).map(|_| random.below(12) as f64).collect();
    let target: Vec<f64> =
        code.iter().map(|&code| f64::from(random.percent(if code < 3.0 { 80 } else { 10 }))).collect();
    let features = codes(code);
    let model = LinearSvm::params().fit(&features, &target).unwrap();
    let weight = |name: &str| model.coefficients().iter().find(|one| one.0 == name).unwrap().1;
    assert!(weight("code=1") > 0.4 && weight("code=7") < -0.2, "{:?}", model.coefficients());
    assert!(metrics::auc(&target, &model.decision(&features).unwrap()).unwrap() > 0.8);
    // A row that weighs twice is a row that is there twice.
    let (twice, double): (Vec<usize>, Vec<f64>) =
        (0..600).flat_map(|i| std::iter::repeat_n((i, target[i]), 1 + target[i] as usize)).unzip();
    for loss in [MarginLoss::Hinge, MarginLoss::SquaredHinge] {
        let params = LinearSvm::params().loss(loss).min_rows(1).c(0.1).tolerance(1e-9).iterations(100_000);
        let weighed = params.clone().class_weight(ClassWeight::Of { zero: 1.0, one: 2.0 });
        let (a, b) = (weighed.fit(&features, &target), params.fit(&features.select_rows(&twice), &double));
        let (a, b) = (a.unwrap().decision(&features).unwrap(), b.unwrap().decision(&features).unwrap());
        assert_close("weighed", &a, &b, 1e-4);
        let again = weighed.fit(&features, &target).unwrap().decision(&features).unwrap();
        assert_eq!(bits(&a), bits(&again));
    }
}

#[test]
fn a_kernel_sees_a_ring() {
    let (features, target) = ring(1, 400);
    let right = |found: Vec<f64>| found.iter().zip(&target).filter(|(a, b)| a == b).count();
    let params = Svm::params().c(10.0).gamma(1.0);
    let model = params.fit(&features, &target).unwrap();
    assert!(right(model.predict(&features).unwrap()) > 390);
    let square = params.clone().kernel(Kernel::Polynomial { degree: 2, constant: 1.0 });
    assert!(right(square.fit(&features, &target).unwrap().predict(&features).unwrap()) > 390);
    assert!(
        right(params.clone().kernel(Kernel::Linear).fit(&features, &target).unwrap().predict(&features).unwrap()) < 300
    );
    let landmarks = Nystroem::params().landmarks(60).gamma(1.0).fit(&features).unwrap();
    let rich = landmarks.transform(&features).unwrap();
    assert_eq!((rich.columns(), rich.names()[0].as_str()), (60, "landmark_1"));
    let plane = LinearSvm::params().scaled(false).c(10.0).fit(&rich, &target).unwrap();
    assert!(right(plane.predict(&rich).unwrap()) > 390);
    assert!(model.support().len() < 200 && model.support().windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn forces_meet_the_conditions_of_the_best_margin() {
    let (features, target) = noisy(3, 700);
    let (c, tolerance) = (0.7, 1e-6);
    let params = Svm::params().c(c).tolerance(tolerance).class_weight(ClassWeight::Of { zero: 1.0, one: 3.0 });
    let model = params.fit(&features, &target).unwrap();
    let mut forces = vec![0.0; 700];
    model.support().into_iter().zip(model.forces()).for_each(|(row, force)| forces[row] = *force);
    assert!(forces.iter().sum::<f64>().abs() < 1e-9);
    let decisions = model.decision(&features).unwrap();
    for ((&force, decision), side) in forces.iter().zip(decisions).zip(sides(&target)) {
        let (own, limit, margin) = (force * side, if side > 0.0 { 3.0 * c } else { c }, side * decision);
        assert!((0.0..=limit).contains(&own), "{own}");
        let met = if own == 0.0 {
            margin > 1.0 - 1e-4
        } else if own == limit {
            margin < 1.0 + 1e-4
        } else {
            (margin - 1.0).abs() < 1e-4
        };
        assert!(met, "force {own} of {limit}, margin {margin}");
    }
}

#[test]
fn threads_and_memory_do_not_change_a_margin() {
    let (features, target) = ring(5, 3_000);
    let params = Svm::params().c(1.0).gamma(3.0);
    let first = params.fit(&features, &target).unwrap();
    let bits_of = |params: &SvmParams| {
        let model = params.fit(&features, &target).unwrap();
        assert_eq!(model.steps(), first.steps());
        (bits(model.forces()), model.intercept().to_bits())
    };
    let expected = bits_of(&params);
    assert_eq!(expected, bits_of(&params.clone().threads(1)));
    assert_eq!(expected, bits_of(&params.clone().threads(3)));
    assert_eq!(expected, bits_of(&params.clone().cache_mb(1)));
}

#[test]
fn landmarks_are_exact_where_they_lie() {
    let features = blobs(4, 50, 3, 8, 2.0);
    let params = Nystroem::params().landmarks(50).scaled(false).gamma(0.1);
    let rich = params.fit(&features).unwrap().transform(&features).unwrap();
    let row = |of: &FeatureMatrix, row: usize| (0..of.columns()).map(|i| of.value(row, i)).collect::<Vec<_>>();
    for a in 0..50 {
        for b in 0..50 {
            let square: f64 = row(&features, a).iter().zip(row(&features, b)).map(|(a, b)| (a - b).powi(2)).sum();
            let product: f64 = row(&rich, a).iter().zip(row(&rich, b)).map(|(a, b)| a * b).sum();
            assert!((product - (-0.1 * square).exp()).abs() < 1e-7, "{a} {b}");
        }
    }
    // Landmarks that are equal say nothing new, and no number becomes infinite.
    let equal = numbers([("x", vec![1.0; 20])]);
    let rich = Nystroem::params().fit(&equal).unwrap().transform(&equal).unwrap();
    assert_eq!((0..20).map(|i| rich.value(3, i)).collect::<Vec<_>>()[..3], [1.0, 0.0, 0.0]);
}

#[test]
fn probabilities_come_from_rows_that_were_not_fitted() {
    let (features, target) = noisy(6, 600);
    let (later, later_target) = noisy(7, 600);
    let linear = LinearSvm::params().fit(&features, &target).unwrap();
    assert!(matches!(linear.predict_proba(&later), Err(Error::NotCalibrated { .. })));
    let linear = linear.calibrated(&later, &later_target).unwrap();
    let svm = Svm::params().fit(&features, &target).unwrap();
    assert!(matches!(svm.predict_proba(&later), Err(Error::NotCalibrated { .. })));
    let svm = svm.calibrated(&later, &later_target).unwrap();
    for probabilities in [linear.predict_proba(&features).unwrap(), svm.predict_proba(&features).unwrap()] {
        assert!(metrics::brier(&target, &probabilities).unwrap() < 0.12);
    }
}

#[test]
fn a_kernel_that_makes_more_of_two_rows_than_of_either_alone_is_refused_where_32_bits_do_not_hold_it() {
    let x = [200.0_f64.sqrt(), -200.0_f64.sqrt(), 1.0, -1.0, 2.0, -2.0];
    let (features, target) = (numbers([("x", x.to_vec())]), [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    let fit = |constant: f64| {
        let kernel = Kernel::Polynomial { degree: 16, constant };
        Svm::params().kernel(kernel).scaled(false).gamma(1.0).fit(&features, &target)
    };
    // Of the first row with itself it makes 0, with the second 400^16.
    assert!(matches!(fit(-200.0), Err(Error::TooFar { row: 0 })));
    assert!(matches!(fit(200.0), Err(Error::TooFar { row: 0 })));
}

#[test]
fn what_a_margin_cannot_be_fitted_to_is_refused() {
    let (features, target) = noisy(8, 60);
    let early = Svm::params().iterations(1).fit(&features, &target).unwrap_err();
    assert!(matches!(early, Error::NotSettled { iterations: 1, .. }), "{early}");
    let early = LinearSvm::params().loss(MarginLoss::Hinge).iterations(1).tolerance(1e-9).fit(&features, &target);
    assert!(matches!(early, Err(Error::NotSettled { iterations: 1, .. })));
    let early = LinearSvm::params().iterations(1).tolerance(1e-9).fit(&features, &target).unwrap_err();
    assert!(matches!(early, Error::NotConverged { iterations: 1, .. }), "{early}");
    assert!(matches!(Svm::params().fit(&codes(vec![1.0, 2.0]), &[0.0, 1.0]), Err(Error::NoDistance { .. })));
    assert!(matches!(Svm::params().fit(&numbers([("x", vec![1.0, NAN])]), &[0.0, 1.0]), Err(Error::Missing { .. })));
    let polynomial = |degree| Svm::params().kernel(Kernel::Polynomial { degree, constant: 0.0 });
    for (name, wrong) in [
        ("c", Svm::params().c(0.0)),
        ("gamma", Svm::params().gamma(NAN)),
        ("degree", polynomial(0)),
        ("constant", Svm::params().kernel(Kernel::Polynomial { degree: 16, constant: -1e3 })),
        ("tolerance", Svm::params().tolerance(0.0)),
        ("iterations", Svm::params().iterations(0)),
        ("cache_mb", Svm::params().cache_mb(0)),
        ("threads", Svm::params().threads(0)),
        ("class_weight", Svm::params().class_weight(ClassWeight::Of { zero: 0.0, one: 1.0 })),
    ] {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
    let params = LinearSvm::params;
    let wrong: [(&str, LinearSvmParams); 4] = [
        ("c", params().c(NAN)),
        ("min_rows", params().min_rows(0)),
        ("iterations", params().iterations(0)),
        ("tolerance", params().tolerance(1.0)),
    ];
    for (name, wrong) in wrong {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
    for (name, wrong) in [("landmarks", Nystroem::params().landmarks(0)), ("threads", Nystroem::params().threads(0))] {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
}

#[test]
fn lists_that_are_no_sparse_matrix_are_refused() {
    type Case = (Vec<usize>, Vec<u32>, Vec<f64>, &'static str);
    let cases: [Case; 6] = [
        (vec![0, 1], vec![0, 1], vec![1.0], "as many positions as values"),
        (vec![0, 1], vec![0, 1], vec![1.0, 1.0], "from 0 to the number of values"),
        (vec![0, 2, 1, 2], vec![0, 1], vec![1.0, 1.0], "row 1: it ends before it starts"),
        (vec![0, 2], vec![0, 3], vec![1.0, 1.0], "positions below 3, found 3"),
        (vec![0, 2], vec![1, 1], vec![1.0, 1.0], "found 1 before 1"),
        (vec![0, 1], vec![0], vec![NAN], "finite numbers, found NaN"),
    ];
    for (starts, positions, values, message) in cases {
        let error = SparseMatrix::new(3, starts, positions, values).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let rows = SparseMatrix::new(2, vec![0, 1, 1, 2], vec![0, 1], vec![1.0, 2.0]).unwrap();
    let model = LinearSvm::params().fit_sparse(&rows, &[0.0, 0.0, 1.0]).unwrap();
    let other = SparseMatrix::new(3, vec![0, 0], vec![], vec![]).unwrap();
    assert!(matches!(model.decision_sparse(&other), Err(Error::Columns { expected: 2, found: 3 })));
    assert!(matches!(LinearSvm::params().fit_sparse(&rows, &[0.0]), Err(Error::Rows { .. })));
    assert!(matches!(LinearSvm::params().fit_sparse(&rows, &[1.0; 3]), Err(Error::OneClass { .. })));
}
