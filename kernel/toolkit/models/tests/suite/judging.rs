//! Probabilities, calibration, intervals, drift and learning curves against their definitions.

use haetae_features::FeatureMatrix;
use haetae_models::{
    Error, Interval, Isotonic, Logistic, Platt, bootstrap, drift, learning_curve, metrics, psi, reliability,
};
use rayon::ThreadPoolBuilder;

use crate::data::{Random, assert_close, even, numbers};

const NAN: f64 = f64::NAN;

/// Probabilities, and targets that come true as often as they say.
fn honest(seed: u64, rows: usize) -> (Vec<f64>, Vec<f64>) {
    let mut random = Random::new(seed);
    let said: Vec<f64> = (0..rows).map(|_| (random.unit() * 50.0).floor() / 50.0).collect();
    let target = said.iter().map(|said| f64::from(random.unit() < *said)).collect();
    (target, said)
}

#[test]
fn figures_of_probabilities_are_those_of_the_definitions() {
    let (target, said) = honest(1, 400);
    let at_least = |threshold: f64, class: f64| {
        let own: Vec<f64> = (0..400).filter(|&i| target[i] == class).map(|i| said[i]).collect();
        own.iter().filter(|score| **score >= threshold).count() as f64 / own.len() as f64
    };
    let distance = |threshold: &f64| (at_least(*threshold, 1.0) - at_least(*threshold, 0.0)).abs();
    let ks = said.iter().map(distance).fold(0.0, f64::max);
    let brier = (0..400).map(|i| (said[i] - target[i]).powi(2)).sum::<f64>() / 400.0;
    let found = [metrics::ks(&target, &said).unwrap(), metrics::brier(&target, &said).unwrap()];
    assert_close("KS, Brier", &found, &[ks, brier], 1e-12);
    let loss = metrics::log_loss(&[1.0, 0.0, 0.0, 1.0], &[0.9, 0.1, 0.2, 0.65]).unwrap();
    let given = [0.9_f64, 0.9, 0.8, 0.65];
    assert_close("log loss", &[loss], &[-given.iter().map(|given| given.ln()).sum::<f64>() / 4.0], 1e-12);
    let certain = metrics::log_loss(&[1.0, 0.0], &[0.0, 0.0]).unwrap();
    assert_close("wrong certainty", &[certain], &[-f64::EPSILON.ln() / 2.0], 1e-12);
    assert_eq!(metrics::ks(&[0.0, 1.0, 1.0], &[0.1, 0.2, 0.3]).unwrap(), 1.0);
    assert_eq!(metrics::ks(&[0.0, 1.0], &[0.5, 0.5]).unwrap(), 0.0);
}

#[test]
fn an_oracle_finds_all_that_can_be_found() {
    let revenue = [0.0, 10.0, 30.0, 0.0, 60.0];
    let scores = [0.9, 0.8, 0.1, 0.2, 0.3];
    // At 40 % two rows are inspected: 10 of the 90 that an oracle would find.
    let found = metrics::revenue_of_oracle(&revenue, &scores, 0.4).unwrap();
    assert_close("share", &[found], &[10.0 / 90.0], 1e-12);
    assert_eq!(metrics::revenue_of_oracle(&revenue, &revenue, 0.4).unwrap(), 1.0);
    assert!(metrics::revenue_of_oracle(&[0.0; 5], &scores, 0.4).unwrap().is_nan());
}

#[test]
fn what_is_no_probability_is_refused() {
    for figure in [metrics::brier, metrics::log_loss] {
        for wrong in [-0.1, 1.1, NAN, f64::INFINITY] {
            let error = figure(&[0.0, 1.0], &[0.5, wrong]).unwrap_err();
            assert!(matches!(error, Error::Probability { row: 1, .. }), "{error}");
        }
        assert!(matches!(figure(&[0.0], &[0.5, 0.1]), Err(Error::Rows { .. })));
        assert!(matches!(figure(&[2.0], &[0.5]), Err(Error::Target { .. })));
        assert!(matches!(figure(&[], &[]), Err(Error::NoLabels { .. })));
    }
    assert!(matches!(metrics::ks(&[1.0, 1.0], &[0.1, 0.2]), Err(Error::OneClass { .. })));
    assert!(matches!(reliability(&[1.0], &[2.0], 5), Err(Error::Probability { .. })));
    assert!(matches!(reliability(&[1.0], &[0.5], 0), Err(Error::Parameter { name: "bins", .. })));
}

#[test]
fn a_logistic_curve_is_found_again_and_its_gradient_vanishes() {
    let mut random = Random::new(3);
    for (scale, offset) in [(1.0, 0.0), (1e-5, 3.0), (1e4, -2e4)] {
        let z: Vec<f64> = (0..20_000).map(|_| 6.0 * random.unit() - 4.0).collect();
        let target: Vec<f64> = z.iter().map(|z| f64::from(random.unit() < 1.0 / (1.0 + (-z).exp()))).collect();
        let scores: Vec<f64> = z.iter().map(|z| z * scale + offset).collect();
        let curve = Platt::fit(&scores, &target).unwrap();
        let found = curve.predict(&scores);
        let worst = z.iter().zip(&found).map(|(z, p)| (p - 1.0 / (1.0 + (-z).exp())).abs()).fold(0.0, f64::max);
        assert!(worst < 0.03, "scale {scale}: {worst}");
        // The optimum: errors against the drawn-in targets sum to 0, alone and weighed by the scores.
        let positive: f64 = target.iter().sum();
        let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (20_000.0 - positive + 2.0));
        let errors: Vec<f64> =
            target.iter().zip(&found).map(|(t, p)| if *t == 1.0 { high - p } else { low - p }).collect();
        let weighed: f64 = errors.iter().zip(&z).map(|(error, z)| error * z).sum();
        assert!(errors.iter().sum::<f64>().abs() < 1e-5 && weighed.abs() < 1e-5, "scale {scale}");
        assert!(curve.coefficients().0 < 0.0);
    }
    // Scores that separate or say nothing have an answer too.
    let apart = Platt::fit(&[0.0, 1.0, 2.0, 3.0], &[0.0, 0.0, 1.0, 1.0]).unwrap().predict(&[-1e9, 0.0, 3.0, 1e9, NAN]);
    assert!(apart[0] < 1e-6 && apart[1] < 0.5 && apart[2] > 0.5 && apart[3] > 0.999 && apart[4].is_nan());
    let same = Platt::fit(&[2.0; 4], &[1.0, 0.0, 0.0, 0.0]).unwrap().predict(&[2.0]);
    assert!((same[0] - 0.3).abs() < 0.05, "{same:?}");
}

#[test]
fn isotonic_steps_are_those_of_the_min_max_formula() {
    let mut random = Random::new(5);
    let scores: Vec<f64> = (0..120).map(|_| random.below(40) as f64).collect();
    let target: Vec<f64> = scores.iter().map(|score| f64::from(random.below(50) < *score as u64)).collect();
    let curve = Isotonic::fit(&scores, &target).unwrap();
    let mut levels: Vec<f64> = scores.clone();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let mean = |from: f64, to: f64| {
        let own: Vec<f64> = (0..120).filter(|&i| from <= scores[i] && scores[i] <= to).map(|i| target[i]).collect();
        own.iter().sum::<f64>() / own.len() as f64
    };
    // The greatest, over all beginnings at or before a level, of the least mean up to an end at or behind it.
    let expected: Vec<f64> = (0..levels.len())
        .map(|i| {
            let least = |from: f64| levels[i..].iter().map(|&to| mean(from, to)).fold(f64::INFINITY, f64::min);
            levels[..=i].iter().map(|&from| least(from)).fold(f64::NEG_INFINITY, f64::max)
        })
        .collect();
    assert_close("steps", &curve.predict(&levels), &expected, 1e-12);
    let (corners, values) = curve.corners();
    assert!(corners.windows(2).all(|pair| pair[0] < pair[1]) && values.windows(2).all(|pair| pair[0] <= pair[1]));
    // Straight lines between corners, and the ends outside.
    let line = Isotonic::fit(&[0.0, 0.0, 4.0], &[0.0, 0.0, 1.0]).unwrap();
    assert_eq!(line.predict(&[-9.0, 1.0, 3.0, 9.0]), [0.0, 0.25, 0.75, 1.0]);
    assert!(line.predict(&[NAN])[0].is_nan());
}

#[test]
fn calibration_needs_finite_scores_of_both_classes() {
    type Fit = fn(&[f64], &[f64]) -> haetae_models::Result<()>;
    let fits: [Fit; 2] = [
        |scores, target| Platt::fit(scores, target).map(|_| ()),
        |scores, target| Isotonic::fit(scores, target).map(|_| ()),
    ];
    for fit in fits {
        assert!(matches!(fit(&[0.1, 0.2], &[1.0, 1.0]), Err(Error::OneClass { .. })));
        assert!(matches!(fit(&[0.1, NAN], &[1.0, 0.0]), Err(Error::NotANumber { row: 1, .. })));
        assert!(matches!(fit(&[f64::INFINITY, 0.2], &[1.0, 0.0]), Err(Error::NotANumber { row: 0, .. })));
        assert!(matches!(fit(&[0.2], &[1.0, 0.0]), Err(Error::Rows { .. })));
        assert!(matches!(fit(&[], &[]), Err(Error::NoLabels { .. })));
    }
}

#[test]
fn honest_probabilities_are_reliable_and_calibration_makes_them_so() {
    let (target, said) = honest(7, 30_000);
    let curve = reliability(&target, &said, 10).unwrap();
    assert_eq!(curve.bins().iter().map(|bin| bin.rows).sum::<usize>(), 30_000);
    let mean = |of: fn(&haetae_models::ReliabilityBin) -> f64| {
        curve.bins().iter().map(|bin| bin.rows as f64 * of(bin)).sum::<f64>() / 30_000.0
    };
    let whole = [said.iter().sum::<f64>() / 30_000.0, target.iter().sum::<f64>() / 30_000.0];
    assert_close("means", &[mean(|bin| bin.said), mean(|bin| bin.came_true)], &whole, 1e-12);
    assert!(curve.error() < 0.015 && curve.bins().len() == 10, "{}", curve.error());
    assert_eq!(curve.frame().unwrap().shape(), (10, 3));
    // Squares are too low in the middle.
    let squares: Vec<f64> = said.iter().map(|said| said * said).collect();
    let before = reliability(&target, &squares, 10).unwrap().error();
    let isotonic = Isotonic::fit(&squares, &target).unwrap().predict(&squares);
    assert!(before > 0.1 && reliability(&target, &isotonic, 10).unwrap().error() < 0.015);
    // Equal probabilities share one bin.
    assert_eq!(reliability(&[1.0, 0.0, 0.0, 1.0], &[0.3, 0.3, 0.3, 0.9], 4).unwrap().bins().len(), 2);
}

#[test]
fn an_interval_holds_the_truth_as_often_as_it_says() {
    // The mean of the scores, whose truth is one half; the targets do not matter.
    let mean = |_: &[f64], scores: &[f64]| Ok(scores.iter().sum::<f64>() / scores.len() as f64);
    let held = (0..200).filter(|&seed| {
        let scores = even(&mut Random::new(seed), 60);
        let interval = bootstrap(&mean, &[0.0; 60], &scores, 200, 0.8, seed).unwrap();
        interval.low <= 0.5 && 0.5 <= interval.high
    });
    let held = held.count();
    assert!((135..=182).contains(&held), "{held} of 200 at 80 %");
}

#[test]
fn an_interval_is_the_same_on_any_number_of_threads() {
    let (target, said) = honest(9, 300);
    let fit = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bootstrap(&metrics::auc, &target, &said, 300, 0.95, 4)).unwrap()
    };
    let one: Interval = fit(1);
    assert_eq!(one, fit(4));
    assert!(one.low < one.estimate && one.estimate < one.high && one.high - one.low < 0.2, "{one}");
    assert_eq!(one.estimate, metrics::auc(&target, &said).unwrap());
    assert!(one.to_string().contains("(95 % interval "), "{one}");
    // Samples of one class only are left out.
    let rare = bootstrap(&metrics::auc, &[1.0, 0.0, 0.0, 0.0], &[0.9, 0.1, 0.2, 0.3], 100, 0.9, 1).unwrap();
    assert!(rare.samples < 90 && rare.samples > 40 && rare.low == 1.0, "{rare}");
    let wrong = |samples, level| bootstrap(&metrics::auc, &target, &said, samples, level, 1);
    assert!(matches!(wrong(19, 0.9), Err(Error::Parameter { name: "samples", .. })));
    assert!(matches!(wrong(50, 1.0), Err(Error::Parameter { name: "level", .. })));
    assert!(matches!(bootstrap(&metrics::auc, &[1.0], &[1.0], 50, 0.9, 1), Err(Error::OneClass { .. })));
}

#[test]
fn the_stability_index_is_that_of_the_formula() {
    let then = [1.0, 1.0, 2.0, 2.0, NAN];
    let now = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, NAN, NAN, NAN, NAN];
    let term = |then: f64, now: f64| (now - then) * (now / then).ln();
    let expected = term(0.4, 0.1) + term(0.4, 0.5) + term(0.2, 0.4);
    assert_close("PSI", &[psi(&then, &now, 2).unwrap()], &[expected], 1e-12);
    let mut random = Random::new(11);
    let (a, b) = (even(&mut random, 20_000), even(&mut random, 20_000));
    assert!(psi(&a, &b, 10).unwrap() < 0.005);
    assert_eq!(psi(&a, &a, 10).unwrap(), 0.0);
    let shifted: Vec<f64> = b.iter().map(|b| b * 0.9 + 0.1).collect();
    let gone: Vec<f64> = b.iter().map(|b| b + 5.0).collect();
    assert!(psi(&a, &shifted, 10).unwrap() > 0.1 && psi(&a, &gone, 10).unwrap() > 5.0);
    assert!(matches!(psi(&[], &b, 10), Err(Error::Empty { .. })));
    assert!(matches!(psi(&a, &[], 10), Err(Error::Empty { .. })));
    for bins in [0, 1, 1001, usize::MAX] {
        assert!(matches!(psi(&a, &b, bins), Err(Error::Parameter { name: "bins", .. })));
        let curve = reliability(&[1.0], &[0.5], bins);
        assert_eq!(matches!(curve, Err(Error::Parameter { name: "bins", .. })), bins != 1, "{bins}");
    }

    let matrix = |price: Vec<f64>, code: Vec<f64>| {
        let names = ["price", "code"].map(str::to_owned).to_vec();
        FeatureMatrix::new(names, vec![price, code], vec![false, true]).unwrap()
    };
    let code = |random: &mut Random, most: u64| (0..20_000).map(|_| random.below(most) as f64).collect::<Vec<_>>();
    let (old, new) = (matrix(a, code(&mut random, 3)), matrix(b, code(&mut random, 4)));
    let frame = drift(&old, &new, 10).unwrap();
    let texts = |name: &str| frame.column(name).unwrap().str().unwrap().iter().flatten().collect::<Vec<_>>();
    assert_eq!((texts("feature"), texts("verdict")), (vec!["code", "price"], vec!["another population", "calm"]));
    assert!(matches!(drift(&old, &numbers([("price", vec![1.0])]), 10), Err(Error::FeatureMismatch { .. })));
    // Codes counted as numbers would be compared by ranges that mean nothing.
    let untyped = numbers([("price", new.column(0).to_vec()), ("code", new.column(1).to_vec())]);
    assert!(matches!(drift(&old, &untyped, 10), Err(Error::FeatureType { feature, .. }) if feature == "code"));
}

#[test]
fn more_rows_bring_the_two_curves_together() {
    let mut random = Random::new(13);
    let mut rows = |count: usize| {
        let columns: Vec<Vec<f64>> = (0..20).map(|_| even(&mut random, count)).collect();
        let target: Vec<f64> =
            (0..count).map(|i| f64::from(columns[0][i] + columns[1][i] + random.unit() > 1.5)).collect();
        let names = (0..20).map(|i| format!("x{i}")).collect();
        (FeatureMatrix::new(names, columns, vec![false; 20]).unwrap(), target)
    };
    let ((train, target), (valid, valid_target)) = (rows(3_000), rows(2_000));
    let fit = |features: &FeatureMatrix, target: &[f64], other: &FeatureMatrix| {
        let model = Logistic::params().c(10.0).fit(features, target)?;
        Ok((model.predict(features)?, model.predict(other)?))
    };
    let sizes = [40, 300, 3_000];
    let frame = learning_curve(&fit, (&train, &target), (&valid, &valid_target), &sizes, 1).unwrap();
    let column = |name: &str| frame.column(name).unwrap().f64().unwrap().into_no_null_iter().collect::<Vec<_>>();
    let gaps: Vec<f64> = column("auc_train").iter().zip(column("auc_valid")).map(|(a, b)| a - b).collect();
    assert!(gaps[0] > gaps[1] && gaps[1] > gaps[2] && gaps[2].abs() < 0.03, "{gaps:?}");
    // Refused before the first fit, which may take long.
    let never = |_: &FeatureMatrix, _: &[f64], _: &FeatureMatrix| panic!("it was fitted");
    for wrong in [0, 3_001] {
        let error = learning_curve(&never, (&train, &target), (&valid, &valid_target), &[40, wrong], 1).unwrap_err();
        assert!(matches!(error, Error::Parameter { name: "sizes", .. }), "{error}");
    }
    let error = learning_curve(&never, (&train, &target), (&valid, &valid_target[1..]), &sizes, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "target of the other rows: expected 2000 rows, as many as in what belongs to it, found 1999"
    );
}
