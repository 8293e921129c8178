//! Nets that learn values: what they find, and which targets they refuse.

use haetae_models::{ClassWeight, Cnn, Fcnn, FcnnModel, Gates, ModelCard, ModelFile, Objective, Recurrent};

use crate::data::{Random, bits, even, numbers};
use crate::nets::{histories, series};

/// Mean squared difference.
fn error(found: &[f64], right: &[f64]) -> f64 {
    assert_eq!(found.len(), right.len());
    found.iter().zip(right).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / right.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    error(&vec![mean; values.len()], values)
}

#[test]
fn an_fcnn_learns_amounts_in_their_own_size() {
    let draw = |seed: u64| {
        let mut random = Random::new(seed);
        let (x, y) = (even(&mut random, 1200), even(&mut random, 1200));
        // Far from 0, and not a weighted sum.
        let target: Vec<f64> = x.iter().zip(&y).map(|(x, y)| 5e6 + 4e5 * (x - 0.5) * (y - 0.5)).collect();
        (numbers([("x", x), ("y", y)]), target)
    };
    let ((train, target), (later, truth)) = (draw(1), draw(2));
    let params = Fcnn::params().objective(Objective::Value).epochs(40).batch(64).learning_rate(0.01);
    let model = params.fit(&train, &target).unwrap();
    let found = model.predict(&later).unwrap();
    assert!(error(&found, &truth) < 0.05 * variance(&truth), "{} {}", error(&found, &truth), variance(&truth));
    // The loss is that of deviations.
    let last = model.epochs().last().unwrap().loss;
    assert!(last < 0.05, "{last}");
    let again = FcnnModel::from_bytes(&model.to_bytes(&ModelCard::new())).unwrap();
    assert_eq!(bits(&again.predict(&later).unwrap()), bits(&found));
    let valid = params.clone().epochs(3).fit_valid(&train, &target, &later, &truth).unwrap();
    let said = error(&valid.predict(&later).unwrap(), &truth) / variance(&target);
    let loss = valid.epochs().last().unwrap().valid_loss.unwrap();
    assert!((said - loss).abs() < 1e-3 * said, "{said} {loss}");
    // A row that weighs nothing may say anything.
    let weights: Vec<f64> = (0..1200).map(|row| f64::from(row % 3 > 0)).collect();
    let wrong: Vec<f64> = target.iter().zip(&weights).map(|(t, w)| if *w == 0.0 { -1e300 } else { *t }).collect();
    let fit = |target: &[f64]| params.clone().epochs(2).fit_weighted(&train, target, &weights).unwrap();
    assert_eq!(bits(&fit(&target).predict(&later).unwrap()), bits(&fit(&wrong).predict(&later).unwrap()));
}

#[test]
fn recurrent_nets_and_cnns_learn_values_too() {
    let mut random = Random::new(3);
    let x = even(&mut random, 600);
    // The sum of a row and the one of its key before it.
    let target: Vec<f64> =
        (0..600).map(|row| 100.0 * (x[row] + row.checked_sub(6).map_or(0.0, |row| x[row]))).collect();
    let past = histories(&numbers([("x", x)]), 6);
    for gates in [Gates::Lstm, Gates::Gru] {
        let params = Recurrent::params().objective(Objective::Value).gates(gates).width(16).batch(1);
        let model = params.epochs(60).learning_rate(0.02).window(50).fit(&past, &target).unwrap();
        let found = error(&model.predict(&past).unwrap(), &target);
        assert!(found < 0.15 * variance(&target), "{gates:?}: {found} {}", variance(&target));
    }
    let (a, b) = (even(&mut random, 400), even(&mut random, 400));
    let target: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 1000.0 + 10.0 * (a - b)).collect();
    let lines = series(&numbers([("a", a), ("b", b)]));
    let params = Cnn::params().objective(Objective::Value).epochs(30).learning_rate(0.01);
    let found = error(&params.fit(&lines, &target).unwrap().predict(&lines).unwrap(), &target);
    assert!(found < 0.1 * variance(&target), "{found} {}", variance(&target));
}

#[test]
fn targets_that_do_not_fit_are_refused() {
    let features = numbers([("x", vec![1.0, 2.0, 3.0])]);
    let value = Fcnn::params().objective(Objective::Value).epochs(1);
    let refused =
        |params: &haetae_models::FcnnParams, target: &[f64]| params.fit(&features, target).unwrap_err().to_string();
    for (error, expected) in [
        (refused(&value, &[1.0, f64::NAN, 2.0]), "target, row 1: expected a finite number, found NaN"),
        (refused(&value, &[1.0, 2.0, f64::INFINITY]), "target, row 2: expected a finite number, found inf"),
        (refused(&Fcnn::params(), &[0.0, 1.0, 5e6]), "target, row 2: expected 0 or 1, found 5000000"),
        (
            refused(&Fcnn::params().objective(Objective::Classes(3)), &[0.0, 1.0, 2.0]),
            "FCNN: parameter `objective`: expected Binary or Value, found Classes(3)",
        ),
        (
            refused(&value.clone().class_weight(ClassWeight::Balanced), &[1.0, 2.0, 3.0]),
            "FCNN: parameter `class_weight`: expected Equal for the objective Value",
        ),
        (
            value.fit_weighted(&features, &[1.0, 2.0, 3.0], &[0.0; 3]).unwrap_err().to_string(),
            "rows that weigh more than 0",
        ),
        (
            value.fit_weighted(&features, &[1.0, 2.0, 3.0], &[1.0, -1.0, 0.0]).unwrap_err().to_string(),
            "weights, row 1: expected a finite number of at least 0, found -1",
        ),
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // What squared leaves the numbers is learnt all the same.
    let great = numbers([("x", vec![1e200, 2e200, 3e200])]);
    let found = value.clone().epochs(60).learning_rate(0.05).fit(&great, &[-1e300, 1e300, 3e300]).unwrap();
    let found = found.predict(&great).unwrap();
    assert!(found.is_sorted() && found.iter().all(|value| value.is_finite()) && found[2] > 2e300, "{found:?}");
    // Values that are all equal are learnt as they are.
    let same = value.fit(&features, &[7.0; 3]).unwrap().predict(&features).unwrap();
    assert!(same.iter().all(|value| (value - 7.0).abs() < 0.5), "{same:?}");
}
