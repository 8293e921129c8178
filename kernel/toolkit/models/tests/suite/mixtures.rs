//! Gaussian mixtures against densities by the formula, and what no clustering accepts.

use haetae_features::FeatureMatrix;
use haetae_models::{
    Covariance, Dbscan, Error, GaussianMixture, GaussianMixtureModel, KMeans, Profiles, Result, adjusted_rand_index,
    silhouette,
};

use crate::clusters::blobs;
use crate::data::{assert_close, bits, codes, numbers};

const NAN: f64 = f64::NAN;

/// Density of a two-dimensional mixture at a row, by the textbook.
fn density(model: &GaussianMixtureModel, x: f64, y: f64) -> f64 {
    let each = model.weights().into_iter().zip(model.means()).enumerate();
    let terms = each.map(|(bell, (weight, mean))| {
        let (a, b, c) = (model.covariance(bell, 0, 0), model.covariance(bell, 0, 1), model.covariance(bell, 1, 1));
        let determinant = a * c - b * b;
        let (u, v) = (x - mean[0], y - mean[1]);
        let square = (c * u * u - 2.0 * b * u * v + a * v * v) / determinant;
        weight * (-square / 2.0).exp() / (2.0 * std::f64::consts::PI * determinant.sqrt())
    });
    terms.sum()
}

/// A slanted bell beside a round one.
fn two_bells() -> FeatureMatrix {
    let base = blobs(21, 3_000, 2, 1, 3.0);
    let slanted = |i: usize| i.is_multiple_of(3);
    let x = (0..3_000).map(|i| if slanted(i) { 2.0 * base.value(i, 0) } else { base.value(i, 0) + 8.0 }).collect();
    let y = (0..3_000).map(|i| if slanted(i) { base.value(i, 0) + 0.3 * base.value(i, 1) } else { base.value(i, 1) });
    numbers([("x", x), ("y", y.collect())])
}

#[test]
fn densities_and_chances_are_those_of_the_formula() {
    let features = two_bells();
    for form in [Covariance::Full, Covariance::Diagonal] {
        let model = GaussianMixture::params().covariance(form).scaled(false).fit(&features).unwrap();
        assert!(model.converged());
        assert_close("weights", &[model.weights().iter().sum()], &[1.0], 1e-12);
        let expected: Vec<f64> =
            (0..3_000).map(|i| density(&model, features.value(i, 0), features.value(i, 1))).collect();
        let logs: Vec<f64> = expected.iter().map(|density| density.ln()).collect();
        assert_close("log-densities", &model.log_densities(&features).unwrap(), &logs, 1e-9);
        assert_close("likelihood", &[model.log_likelihood()], &[logs.iter().sum::<f64>() / 3_000.0], 1e-9);
        let chances = model.predict_proba(&features).unwrap();
        chances.chunks(2).for_each(|pair| assert!((pair[0] + pair[1] - 1.0).abs() < 1e-12));
        let labels: Vec<i32> = chances.chunks(2).map(|pair| i32::from(pair[1] > pair[0])).collect();
        assert_eq!((model.predict(&features).unwrap(), model.labels()), (labels.clone(), labels));
    }
    let full = GaussianMixture::params().fit(&features).unwrap();
    let truth: Vec<i32> = (0..3_000).map(|i| i32::from(i % 3 == 0)).collect();
    let agreement = adjusted_rand_index(&full.labels(), &truth).unwrap();
    assert!(agreement > 0.7, "{agreement}");
    let diagonal = GaussianMixture::params().covariance(Covariance::Diagonal).fit(&features).unwrap();
    assert!(full.log_likelihood() > diagonal.log_likelihood() + 0.1 && full.bic() < diagonal.bic());
}

#[test]
fn one_bell_has_the_mean_and_the_covariance_of_the_rows() {
    let features = two_bells();
    let model = GaussianMixture::params().bells(1).regularisation(0.0).fit(&features).unwrap();
    let column = |i: usize| features.column(i);
    let mean = |i: usize| column(i).iter().sum::<f64>() / 3_000.0;
    let covariance = |a: usize, b: usize| {
        column(a).iter().zip(column(b)).map(|(x, y)| (x - mean(a)) * (y - mean(b))).sum::<f64>() / 3_000.0
    };
    assert_close("mean", &model.means()[0], &[mean(0), mean(1)], 1e-10);
    let found = [model.covariance(0, 0, 0), model.covariance(0, 1, 0), model.covariance(0, 1, 1)];
    assert_close("covariance", &found, &[covariance(0, 0), covariance(0, 1), covariance(1, 1)], 1e-10);
    assert!(model.covariance(1, 0, 0).is_nan() && model.covariance(0, 2, 0).is_nan());
    assert!(model.predict_proba(&features).unwrap().iter().all(|chance| *chance == 1.0));
}

#[test]
fn every_round_makes_the_rows_likelier_and_threads_change_nothing() {
    let features = blobs(23, 4_000, 5, 32, 8.0);
    let params = GaussianMixture::params().bells(6).tolerance(0.0);
    let mut before = f64::NEG_INFINITY;
    for rounds in [1, 2, 3, 5, 9, 20] {
        let model = params.clone().iterations(rounds).fit(&features).unwrap();
        assert!(model.log_likelihood() >= before - 1e-12, "{rounds} rounds: {}", model.log_likelihood());
        assert!(!model.converged() && format!("{model:?}").contains("NOT converged"));
        before = model.log_likelihood();
    }
    let fit = |threads: usize| params.clone().iterations(9).threads(threads).fit(&features).unwrap();
    let chances = |model: GaussianMixtureModel| bits(&model.predict_proba(&features).unwrap());
    let one = chances(fit(1));
    assert!([2, 5].into_iter().all(|threads| chances(fit(threads)) == one));
}

#[test]
fn rows_far_from_all_bells_have_chances_too() {
    let model = GaussianMixture::params().fit(&two_bells()).unwrap();
    let far = numbers([("x", vec![1e6, -1e150]), ("y", vec![-1e6, 0.0])]);
    let chances = model.predict_proba(&far).unwrap();
    assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)), "{chances:?}");
    assert!(model.log_densities(&far).unwrap()[0] < -1e6);
}

type Fit = fn(&FeatureMatrix) -> Result<()>;

const FITS: [(&str, Fit); 3] = [
    ("k-means", |features| KMeans::params().clusters(2).fit(features).map(|_| ())),
    ("DBSCAN", |features| Dbscan::params().fit(features).map(|_| ())),
    ("mixture", |features| GaussianMixture::params().fit(features).map(|_| ())),
];

#[test]
fn rows_without_distances_are_refused() {
    for (name, fit) in FITS {
        let refusal = |features: &FeatureMatrix| fit(features).unwrap_err();
        let missing = numbers([("x", vec![1.0, 2.0]), ("y", vec![1.0, NAN])]);
        let message = "feature `y`, row 1: expected a number, found a missing value; fill it or leave the row out";
        assert_eq!(refusal(&missing).to_string(), message, "{name}");
        assert!(matches!(refusal(&numbers([("x", vec![NAN; 3])])), Error::Missing { row: 0, .. }), "{name}");
        let infinite = numbers([("x", vec![1.0, f64::INFINITY])]);
        assert!(matches!(refusal(&infinite), Error::Infinite { row: 1, .. }), "{name}");
        assert!(matches!(refusal(&codes(vec![1.0, 2.0])), Error::NoDistance { .. }), "{name}");
        assert!(matches!(refusal(&numbers([])), Error::Empty { .. }), "{name}");
        assert!(matches!(refusal(&numbers([("x", vec![])])), Error::Empty { rows: 0, columns: 1, .. }), "{name}");
    }
}

#[test]
fn one_row_and_equal_rows_are_no_two_clusters() {
    for (name, fit) in [FITS[0], FITS[2]] {
        for x in [vec![3.0], vec![3.0; 50]] {
            let error = fit(&numbers([("x", x)])).unwrap_err();
            assert!(matches!(error, Error::TooFewRows { expected: 2, found: 1, .. }), "{name}: {error}");
        }
    }
    let one = Dbscan::params().fit(&numbers([("x", vec![3.0])])).unwrap();
    assert_eq!((one.labels(), one.clusters()), (&[-1][..], 0));
    let equal = Dbscan::params().fit(&numbers([("x", vec![3.0; 50])])).unwrap();
    assert_eq!((equal.clusters(), equal.noise()), (1, 0));
}

#[test]
fn a_bell_without_width_says_what_to_do() {
    let x: Vec<f64> = (0..50).map(f64::from).collect();
    let twice = numbers([("x", x.clone()), ("y", x)]);
    let error = GaussianMixture::params().bells(1).regularisation(0.0).scaled(false).fit(&twice).unwrap_err();
    assert!(matches!(error, Error::Flat { bell: 0 }), "{error}");
    assert!(error.to_string().contains("raise `regularisation`"), "{error}");
    assert!(GaussianMixture::params().bells(1).fit(&twice).is_ok());
}

#[test]
fn parameters_and_lengths_are_checked() {
    let name_of = |error: Error| match error {
        Error::Parameter { name, .. } => name,
        other => panic!("{other}"),
    };
    let k = KMeans::params;
    for (name, params) in [
        ("clusters", k().clusters(0)),
        ("starts", k().starts(0)),
        ("iterations", k().iterations(0)),
        ("tolerance", k().tolerance(NAN)),
        ("batch", k().batch(0)),
        ("start_from", k().start_from(&[vec![1.0]])),
        ("threads", k().threads(2_000)),
    ] {
        assert_eq!(name_of(params.check().unwrap_err()), name);
    }
    let wrong = k().clusters(1).start_from(&[vec![1.0, 2.0]]).fit(&numbers([("x", vec![1.0, 2.0])]));
    assert_eq!(name_of(wrong.unwrap_err()), "start_from");
    let d = Dbscan::params;
    let wrong = [("distance", d().distance(0.0)), ("min_rows", d().min_rows(0)), ("threads", d().threads(0))];
    for (name, params) in wrong {
        assert_eq!(name_of(params.check().unwrap_err()), name);
    }
    let g = GaussianMixture::params;
    for (name, params) in [
        ("bells", g().bells(0)),
        ("starts", g().starts(0)),
        ("iterations", g().iterations(0)),
        ("tolerance", g().tolerance(-1.0)),
        ("regularisation", g().regularisation(f64::INFINITY)),
        ("threads", g().threads(0)),
    ] {
        assert_eq!(name_of(params.check().unwrap_err()), name);
    }
    let features = numbers([("x", vec![1.0, 2.0, 3.0])]);
    assert!(matches!(silhouette(&features, &[0, 1], false), Err(Error::Rows { expected: 3, found: 2, .. })));
    for labels in [[0, 0, 0], [0, 1, 2]] {
        assert!(matches!(silhouette(&features, &labels, false), Err(Error::TooFewRows { .. })));
    }
    assert!(matches!(adjusted_rand_index(&[1], &[]), Err(Error::Rows { .. })));
    assert!(matches!(adjusted_rand_index(&[], &[]), Err(Error::NoLabels { .. })));
    assert!(matches!(Profiles::of(&features, &[0]), Err(Error::Rows { .. })));
    let model = KMeans::params().clusters(2).fit(&features).unwrap();
    let other = model.predict(&numbers([("z", vec![1.0])])).unwrap_err();
    assert!(matches!(other, Error::FeatureMismatch { .. }), "{other}");
}
