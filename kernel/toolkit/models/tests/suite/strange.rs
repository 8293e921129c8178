//! Isolation forests and principal components: strange rows, and directions by their definition.

use haetae_features::FeatureMatrix;
use haetae_models::{Error, IsolationForest, Pca, metrics};

use crate::clusters::blobs;
use crate::data::{Random, assert_close, bits, codes, even, numbers};

const NAN: f64 = f64::NAN;

#[test]
fn rows_far_from_all_others_are_strange() {
    let mut random = Random::new(1);
    let (mut x, mut y) = (even(&mut random, 1_000), even(&mut random, 1_000));
    let target: Vec<f64> = (0..1_000).map(|i| f64::from(i < 20)).collect();
    for i in 0..20 {
        (x[i], y[i]) = (x[i] * 10.0 - 5.0, 2.0 + y[i] * 5.0);
    }
    let features = numbers([("x", x), ("y", y), ("constant", vec![1.0; 1_000])]);
    let model = IsolationForest::params().fit(&features).unwrap();
    let scores = model.predict(&features).unwrap();
    assert!(metrics::auc(&target, &scores).unwrap() > 0.99);
    assert!(scores.iter().all(|score| *score > 0.0 && *score < 1.0));
    let usual = scores[20..].iter().sum::<f64>() / 980.0;
    assert!((0.35..0.5).contains(&usual), "{usual}");
    // Units do not matter: the same cuts in other numbers.
    let moved = |i: usize| features.column(i).iter().map(|x| x * 1024.0).collect();
    let other = numbers([("x", moved(0)), ("y", moved(1)), ("constant", vec![5.0; 1_000])]);
    let scaled = IsolationForest::params().fit(&other).unwrap().predict(&other).unwrap();
    assert_close("scaled", &scaled, &scores, 1e-12);
    for threads in [1, 3] {
        let again = IsolationForest::params().threads(threads).fit(&features).unwrap();
        assert_eq!(bits(&again.predict(&features).unwrap()), bits(&scores), "{threads} threads");
    }
    assert_eq!(format!("{model:?}"), "isolation forest, 100 trees of 256 rows on 3 features");
}

#[test]
fn two_rows_and_equal_rows_have_the_score_of_the_formula() {
    // One cut sets each of two rows apart: as long as the mean path, so 2^-1.
    let two = numbers([("x", vec![1.0, 2.0])]);
    assert_eq!(IsolationForest::params().fit(&two).unwrap().predict(&two).unwrap(), [0.5, 0.5]);
    // Rows that nothing sets apart: what they would add is the mean path itself.
    let equal = numbers([("x", vec![3.0; 40])]);
    assert_close("equal", &IsolationForest::params().fit(&equal).unwrap().predict(&equal).unwrap(), &[0.5; 40], 1e-12);
}

/// The covariance of two features, divided by one row less.
fn covariance(features: &FeatureMatrix, a: usize, b: usize) -> f64 {
    let (x, y) = (features.column(a), features.column(b));
    let rows = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / rows, y.iter().sum::<f64>() / rows);
    x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / (rows - 1.0)
}

#[test]
fn components_are_the_eigenvectors_of_the_covariance() {
    let base = blobs(3, 9_000, 5, 32, 4.0);
    let mut columns: Vec<Vec<f64>> = (0..5).map(|i| base.column(i).to_vec()).collect();
    columns[1] = (0..9_000).map(|i| columns[0][i] * 0.7 + 0.01 * columns[1][i]).collect();
    columns[4].iter_mut().for_each(|value| *value *= 1e-4);
    let names = (0..5).map(|i| format!("x{i}")).collect();
    let features = FeatureMatrix::new(names, columns, vec![false; 5]).unwrap();
    let model = Pca::params().scaled(false).fit(&features).unwrap();
    let variances = model.explained_variance();
    let trace: f64 = (0..5).map(|i| covariance(&features, i, i)).sum();
    assert_close("trace", &[variances.iter().sum()], &[trace], 1e-12);
    assert!(variances.windows(2).all(|pair| pair[0] >= pair[1]));
    for (k, direction) in model.directions().iter().enumerate() {
        let turned: Vec<f64> =
            (0..5).map(|i| (0..5).map(|j| covariance(&features, i, j) * direction[j]).sum()).collect();
        let expected: Vec<f64> = direction.iter().map(|part| part * variances[k]).collect();
        assert_close("eigenvector", &turned, &expected, 1e-10);
        for (l, other) in model.directions().iter().enumerate() {
            let dot: f64 = direction.iter().zip(other).map(|(a, b)| a * b).sum();
            assert!((dot - f64::from(k == l)).abs() < 1e-12, "{k} {l}: {dot}");
        }
    }
    let rows = model.transform(&features).unwrap();
    let found: Vec<f64> = (0..5).map(|i| covariance(&rows, i, i)).collect();
    assert_close("variances of the transformed", &found, variances, 1e-9);
    assert!(covariance(&rows, 0, 1).abs() < 1e-9);
    let singular: Vec<f64> = variances.iter().map(|variance| (variance * 8_999.0).sqrt()).collect();
    assert_close("singular values", model.singular_values(), &singular, 1e-12);
    let few = Pca::params().scaled(false).components(2).fit(&features).unwrap();
    assert_close("shares", &few.explained_share(), &[variances[0] / trace, variances[1] / trace], 1e-12);
    assert_eq!(few.frame().unwrap().shape(), (2, 8));
    assert!(format!("{few:?}").starts_with("PCA, 2 components with "), "{few:?}");
    assert_eq!(few.transform(&features).unwrap().names(), ["component_1", "component_2"]);
}

#[test]
fn small_variances_keep_their_digits() {
    // Two columns that differ in the eighth digit: squares of them would not tell.
    let mut random = Random::new(5);
    let x = even(&mut random, 500);
    let tiny = even(&mut random, 500);
    let y: Vec<f64> = x.iter().zip(&tiny).map(|(x, tiny)| x + 1e-8 * tiny).collect();
    let model = Pca::params().scaled(false).fit(&numbers([("x", x.clone()), ("y", y)])).unwrap();
    let apart = numbers([("x", x), ("tiny", tiny)]);
    // Of the smaller direction: the variance of (x - y) / sqrt 2 that x does not explain.
    let (xx, xt, tt) = (covariance(&apart, 0, 0), covariance(&apart, 0, 1), covariance(&apart, 1, 1));
    let expected = 1e-16 / 2.0 * (tt - xt * xt / xx);
    assert!((model.explained_variance()[1] / expected - 1.0).abs() < 1e-5, "{:e}", model.explained_variance()[1]);
}

#[test]
fn scaled_components_are_those_of_the_correlations() {
    let features = blobs(7, 600, 3, 8, 5.0);
    let other: Vec<Vec<f64>> =
        (0..3).map(|i| features.column(i).iter().map(|x| x * 10.0_f64.powi(3 * i as i32)).collect()).collect();
    let names = features.names().to_vec();
    let other = FeatureMatrix::new(names, other, vec![false; 3]).unwrap();
    let (a, b) = (Pca::params().fit(&features).unwrap(), Pca::params().fit(&other).unwrap());
    assert_close("shares", &a.explained_share(), &b.explained_share(), 1e-10);
    assert_close("sum", &[a.explained_variance().iter().sum()], &[3.0 * 600.0 / 599.0], 1e-12);
}

#[test]
fn more_features_than_rows_have_as_many_components_as_rows() {
    let mut random = Random::new(9);
    let columns: Vec<Vec<f64>> = (0..6).map(|_| even(&mut random, 3)).collect();
    let features = FeatureMatrix::new((0..6).map(|i| i.to_string()).collect(), columns, vec![false; 6]).unwrap();
    let model = Pca::params().scaled(false).fit(&features).unwrap();
    assert_eq!(model.directions().len(), 3);
    // Three centred rows lie in a plane.
    assert!(model.explained_variance()[2] < 1e-25, "{:?}", model.explained_variance());
    let error = Pca::params().components(4).fit(&features).unwrap_err();
    assert!(matches!(error, Error::TooFewRows { expected: 4, found: 3, .. }), "{error}");
}

#[test]
fn rows_without_numbers_are_refused() {
    type Fit = fn(&FeatureMatrix) -> haetae_models::Result<()>;
    let fits: [(&str, Fit); 2] = [
        ("isolation forest", |features| IsolationForest::params().fit(features).map(|_| ())),
        ("PCA", |features| Pca::params().fit(features).map(|_| ())),
    ];
    for (name, fit) in fits {
        let refusal = |features: &FeatureMatrix| fit(features).unwrap_err();
        assert!(matches!(refusal(&numbers([("x", vec![1.0, NAN])])), Error::Missing { row: 1, .. }), "{name}");
        let infinite = numbers([("x", vec![1.0, f64::INFINITY])]);
        assert!(matches!(refusal(&infinite), Error::Infinite { .. }), "{name}");
        assert!(matches!(refusal(&codes(vec![1.0, 2.0])), Error::NoDistance { .. }), "{name}");
        assert!(matches!(refusal(&numbers([("x", vec![])])), Error::Empty { .. }), "{name}");
        let one = refusal(&numbers([("x", vec![1.0])]));
        assert!(matches!(one, Error::TooFewRows { expected: 2, found: 1, .. }), "{name}: {one}");
    }
    let constant = Pca::params().fit(&numbers([("x", vec![1.0; 3])])).unwrap_err();
    assert!(matches!(constant, Error::NothingVaries { .. }), "{constant}");
    assert!(matches!(Pca::params().components(0).check(), Err(Error::Parameter { name: "components", .. })));
    let params = IsolationForest::params;
    for (name, wrong) in [("trees", params().trees(0)), ("rows", params().rows(1)), ("threads", params().threads(0))] {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name));
    }
    let model = params().fit(&numbers([("x", vec![1.0, 2.0])])).unwrap();
    assert!(matches!(model.predict(&numbers([("y", vec![1.0])])), Err(Error::FeatureMismatch { .. })));
}
