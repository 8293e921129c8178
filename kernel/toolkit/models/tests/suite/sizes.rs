//! Numbers of any size, thousands of equal rows, columns that are constant and rows that weigh nothing: what models make of
//! them.

use haetae_features::FeatureMatrix;
use haetae_models::{
    ClassWeight, Cnn, Dbscan, Error, Fcnn, GaussianMixture, Hdbscan, KMeans, Kernel, LinearSvm, Logistic, MarginLoss,
    MultinomialLogistic, Nystroem, Pca, Penalty, RandomForest, Recurrent, Result, SparseMatrix, Svm, TruncatedSvd,
    Tsne, Umap, silhouette,
};

use crate::clusters::blobs;
use crate::data::{Random, assert_close, bits, even, numbers};
use crate::nets::{histories, series};

type Model = fn(&FeatureMatrix, &[f64]) -> Result<Vec<f64>>;
/// A fit, and scores of other rows.
type Later = fn(&FeatureMatrix, &[f64], &FeatureMatrix) -> Result<Vec<f64>>;

fn as_numbers(labels: &[i32]) -> Vec<f64> {
    labels.iter().map(|label| f64::from(*label)).collect()
}

fn times(features: &FeatureMatrix, factor: f64) -> FeatureMatrix {
    let columns = (0..features.columns()).map(|i| features.column(i).iter().map(|x| x * factor).collect()).collect();
    FeatureMatrix::new(features.names().to_vec(), columns, vec![false; features.columns()]).unwrap()
}

#[test]
fn the_unit_of_a_scaled_feature_does_not_matter_however_large_or_small() {
    let models: [(&str, Model); 9] = [
        ("k-means", |x, _| Ok(as_numbers(KMeans::params().clusters(4).fit(x)?.labels()))),
        ("DBSCAN", |x, _| Ok(as_numbers(Dbscan::params().fit(x)?.labels()))),
        ("HDBSCAN", |x, _| Ok(Hdbscan::params().fit(x)?.probabilities().to_vec())),
        ("mixture", |x, _| GaussianMixture::params().fit(x)?.log_densities(x)),
        ("PCA", |x, _| Ok(Pca::params().fit(x)?.explained_variance().to_vec())),
        ("SVM", |x, y| Svm::params().fit(x, y)?.decision(x)),
        ("logistic", |x, y| Logistic::params().fit(x, y)?.predict(x)),
        ("linear SVM", |x, y| LinearSvm::params().fit(x, y)?.decision(x)),
        ("hinge", |x, y| {
            LinearSvm::params().loss(MarginLoss::Hinge).c(0.01).iterations(100_000).fit(x, y)?.decision(x)
        }),
    ];
    let features = blobs(31, 300, 2, 4, 5.0);
    let target: Vec<f64> = (0..300).map(|i| f64::from(features.value(i, 0) + features.value(i, 1) > 9.0)).collect();
    for (name, model) in models {
        let expected = model(&features, &target).unwrap();
        // Squares of the one are infinite, those of the other 0.
        for power in [1000, -1000] {
            let other = times(&features, 2.0_f64.powi(power));
            let found = model(&other, &target).unwrap_or_else(|error| panic!("{name}, 2^{power}: {error}"));
            assert_close(&format!("{name}, 2^{power}"), &found, &expected, 1e-9);
        }
    }
    // The sum of these alone is infinite.
    let edge = numbers([("x", [1.7e308, 1.6e308, -1.7e308, -1.6e308].repeat(20))]);
    let labels = KMeans::params().clusters(2).fit(&edge).unwrap().labels().to_vec();
    assert_eq!(labels, [labels[0], labels[0], 1 - labels[0], 1 - labels[0]].repeat(20));
}

/// 40 rows of two features, of which one number is far from all others.
fn far(value: f64) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(3);
    let (mut x, y) = (even(&mut random, 40), even(&mut random, 40));
    let target = x.iter().map(|x| f64::from(*x > 0.5)).collect();
    x[3] = value;
    (numbers([("x", x), ("y", y)]), target)
}

#[test]
fn a_number_that_is_too_large_for_distances_is_named() {
    let models: [(&str, Model); 13] = [
        ("k-means", |x, _| Ok(as_numbers(KMeans::params().clusters(2).scaled(false).fit(x)?.labels()))),
        ("batches", |x, _| Ok(as_numbers(KMeans::params().clusters(2).batch(8).scaled(false).fit(x)?.labels()))),
        ("DBSCAN", |x, _| Ok(as_numbers(Dbscan::params().scaled(false).fit(x)?.labels()))),
        ("HDBSCAN", |x, _| Ok(as_numbers(Hdbscan::params().scaled(false).fit(x)?.labels()))),
        ("mixture", |x, _| GaussianMixture::params().scaled(false).fit(x)?.log_densities(x)),
        ("PCA", |x, _| Ok(Pca::params().scaled(false).fit(x)?.explained_variance().to_vec())),
        ("truncated SVD", |x, _| Ok(TruncatedSvd::params().components(1).fit(x)?.singular_values().to_vec())),
        ("Nystroem", |x, _| Ok(Nystroem::params().scaled(false).fit(x)?.transform(x)?.values().to_vec())),
        ("SVM", |x, y| Svm::params().scaled(false).fit(x, y)?.decision(x)),
        ("t-SNE", |x, _| Ok(Tsne::params().perplexity(5.0).iterations(5).scaled(false).fit(x)?.x().to_vec())),
        ("UMAP", |x, _| Ok(Umap::params().epochs(5).scaled(false).fit(x)?.x().to_vec())),
        ("silhouette", |x, y| {
            let labels: Vec<i32> = y.iter().map(|y| *y as i32).collect();
            silhouette(x, &labels, false).map(|value| vec![value])
        }),
        ("k-means, later", |x, _| {
            let model = KMeans::params().clusters(2).fit(&far(0.5).0)?;
            Ok(as_numbers(&model.predict(x)?))
        }),
    ];
    for value in [1e200, -1e200, 1e308] {
        let (features, target) = far(value);
        for (name, model) in models {
            let error = model(&features, &target).unwrap_err();
            let named =
                matches!(&error, Error::TooLarge { feature, row: 3, found } if feature == "x" && *found == value);
            assert!(named, "{name}, {value:e}: {error}");
        }
    }
    let error = KMeans::params().clusters(2).scaled(false).fit(&far(1e200).0).unwrap_err().to_string();
    assert!(error.starts_with("feature `x`, row 3: 1e200 is too large for distances"), "{error}");
}

#[test]
fn rows_whose_sums_are_no_numbers_are_refused() {
    let models: [(&str, Model); 7] = [
        ("linear SVM", |x, y| LinearSvm::params().scaled(false).fit(x, y)?.decision(x)),
        ("hinge", |x, y| LinearSvm::params().scaled(false).loss(MarginLoss::Hinge).fit(x, y)?.decision(x)),
        ("sparse logistic", |x, y| {
            let starts = (0..=x.rows()).collect();
            let rows = SparseMatrix::new(1, starts, vec![0; x.rows()], x.column(0).to_vec())?;
            Logistic::params().fit_sparse(&rows, y)?.predict_sparse(&rows)
        }),
        ("sparse logistic of classes", |x, y| {
            let starts = (0..=x.rows()).collect();
            let rows = SparseMatrix::new(1, starts, vec![0; x.rows()], x.column(0).to_vec())?;
            let params = MultinomialLogistic::params().classes(2).penalty(Penalty::L1);
            params.fit_sparse(&rows, y)?.predict_sparse(&rows)
        }),
        ("SVM of a plane", |x, y| {
            Svm::params().kernel(Kernel::Linear).scaled(false).fit(&times(x, 1e-150), y)?.decision(x)
        }),
        ("SVM, later", |x, y| {
            let kernel = Kernel::Polynomial { degree: 16, constant: 1.0 };
            Svm::params().kernel(kernel).scaled(false).gamma(0.1).fit(&far(0.5).0, y)?.decision(&times(x, 1e-100))
        }),
        ("Nystroem, later", |x, _| {
            let kernel = Kernel::Polynomial { degree: 16, constant: 1.0 };
            let model = Nystroem::params().kernel(kernel).scaled(false).gamma(0.1).fit(&far(0.5).0)?;
            Ok(model.transform(&times(x, 1e-100))?.values().to_vec())
        }),
    ];
    let (features, target) = far(1e200);
    for (name, model) in models {
        let error = model(&features, &target).unwrap_err();
        assert!(matches!(error, Error::TooFar { row: 3 }), "{name}: {error}");
    }
    // A bell has a density everywhere that its logarithm can be told.
    let (near, _) = far(0.5);
    let model = GaussianMixture::params().scaled(false).fit(&near).unwrap();
    assert!(model.log_densities(&far(1e100).0).unwrap()[3] < -1e100);
    assert!(matches!(model.predict_proba(&far(1e155).0), Err(Error::TooLarge { row: 3, .. })));
}

#[test]
fn a_feature_that_training_did_not_vary_says_nothing_later() {
    // The mean of many tenths is not quite a tenth: what rounding leaves is no deviation.
    let mut random = Random::new(5);
    let x = even(&mut random, 1_000);
    let target: Vec<f64> = x.iter().map(|x| f64::from(*x + 0.2 * random.unit() > 0.4)).collect();
    let with = |constant: f64| numbers([("x", x.clone()), ("constant", vec![constant; 1_000])]);
    let models: [(&str, Later); 5] = [
        ("logistic", |x, y, later| Logistic::params().fit(x, y)?.predict(later)),
        ("absolute", |x, y, later| Logistic::params().penalty(Penalty::L1).fit(x, y)?.predict(later)),
        ("of classes", |x, y, later| MultinomialLogistic::params().classes(2).fit(x, y)?.predict(later)),
        ("linear SVM", |x, y, later| LinearSvm::params().fit(x, y)?.decision(later)),
        ("hinge", |x, y, later| {
            LinearSvm::params().loss(MarginLoss::Hinge).c(0.01).iterations(10_000).fit(x, y)?.decision(later)
        }),
    ];
    for (name, model) in models {
        let [same, other] = [0.1, 0.2].map(|later| model(&with(0.1), &target, &with(later)).unwrap());
        assert_close(name, &other, &same, 1e-9);
    }
}

#[test]
fn a_number_that_is_further_from_those_of_the_fit_than_any_number_is_far_says_nothing_odd_in_a_net() {
    let mut random = Random::new(6);
    let x = even(&mut random, 60);
    let target: Vec<f64> = x.iter().map(|x| f64::from(*x > 0.5)).collect();
    let with = |second: Vec<f64>| numbers([("x", x.clone()), ("y", second)]);
    let apart = |far: f64| (0..60).map(|i| if i % 10 == 0 { far } else { -far }).collect::<Vec<f64>>();
    let models: [(&str, Later); 2] = [
        ("FCNN", |x, y, later| Fcnn::params().epochs(3).fit(x, y)?.predict(later)),
        ("recurrent net", |x, y, later| {
            Recurrent::params().epochs(2).fit(&histories(x, 5), y)?.predict(&histories(later, 5))
        }),
    ];
    for (name, model) in models {
        // A constant of the fit says nothing later, however far it moves.
        let constant = |later: f64| model(&with(vec![-1e308; 60]), &target, &with(vec![later; 60])).unwrap();
        assert_eq!(bits(&constant(1e308)), bits(&constant(-1e308)), "{name}");
        // A way longer than any number is as many deviations as it is.
        let [large, small] = [1.7e308, 1.7].map(|far| model(&with(apart(far)), &target, &with(apart(far))).unwrap());
        assert_close(name, &large, &small, 1e-6);
    }
    // A picture is not held within so many deviations: one too far off is named.
    let dark = |value: f64| numbers([("x", x.clone()), ("y", (0..60).map(|i| value * f64::from(i % 2)).collect())]);
    let model = Cnn::params().epochs(1).fit(&series(&dark(1e-30)), &target).unwrap();
    assert!(model.predict(&series(&dark(2e-30))).is_ok());
    let error = model.predict(&series(&dark(3e38))).unwrap_err();
    assert!(matches!(error, Error::TooFar { row: 1 }), "{error}");
}

#[test]
fn a_net_takes_weights_of_any_size() {
    let mut random = Random::new(8);
    let x = even(&mut random, 200);
    let target: Vec<f64> = x.iter().map(|x| f64::from(*x + 0.3 * random.unit() > 0.6)).collect();
    let weights: Vec<f64> = (0..200).map(|_| random.below(4) as f64).collect();
    let features = numbers([("x", x)]);
    let params = Fcnn::params().epochs(3).batch(20);
    let with = |weight: ClassWeight, unit: f64| {
        let weights: Vec<f64> = weights.iter().map(|weight| weight * unit).collect();
        params
            .clone()
            .class_weight(weight)
            .fit_weighted(&features, &target, &weights)
            .unwrap()
            .predict(&features)
            .unwrap()
    };
    for weight in [ClassWeight::Equal, ClassWeight::Balanced] {
        for power in [1020, -1020] {
            assert_eq!(bits(&with(weight, 2.0_f64.powi(power))), bits(&with(weight, 1.0)), "{weight:?}, 2^{power}");
        }
    }
    // So are weights of classes.
    let of = |unit: f64| with(ClassWeight::Of { zero: unit, one: 3.0 * unit }, 1.0);
    assert_eq!(bits(&of(2.0_f64.powi(1020))), bits(&of(1.0)));
    // A class that weighs nothing beside the other is as good as not there.
    for light in [1e-20, 1e-300, 5e-324] {
        let weights: Vec<f64> = target.iter().map(|target| if *target == 1.0 { light } else { 1.0 }).collect();
        let scores = params.fit_weighted(&features, &target, &weights).unwrap().predict(&features).unwrap();
        assert!(scores.iter().all(|score| (0.0..1e-12).contains(score)), "{light:e}: {scores:?}");
        let turned: Vec<f64> = target.iter().map(|target| 1.0 - target).collect();
        let scores = params.fit_weighted(&features, &turned, &weights).unwrap().predict(&features).unwrap();
        assert!(scores.iter().all(|score| *score > 1.0 - 1e-12 && *score <= 1.0), "{light:e}: {scores:?}");
    }
}

#[test]
fn rows_of_weight_0_are_as_good_as_left_out_of_a_forest() {
    let mut random = Random::new(7);
    let column = |of: &dyn Fn(usize) -> usize| (0..400).map(|i| of(i) as f64).collect::<Vec<f64>>();
    let features = numbers([("x", column(&|i| i % 5)), ("y", column(&|i| i / 5 % 7))]);
    let target: Vec<f64> =
        (0..400).map(|i| f64::from(random.percent(if features.value(i, 0) > 2.0 { 80 } else { 20 }))).collect();
    let kept: Vec<usize> = (0..400).step_by(4).collect();
    let weights: Vec<f64> = (0..400).map(|i| f64::from(i % 4 == 0)).collect();
    let labels: Vec<f64> = kept.iter().map(|&row| target[row]).collect();
    let params = RandomForest::params().trees(30).features_per_split(1);
    let weighed = params.fit_weighted(&features, &target, &weights).unwrap();
    let alone = params.fit(&features.select_rows(&kept), &labels).unwrap();
    assert_eq!(bits(&weighed.predict(&features).unwrap()), bits(&alone.predict(&features).unwrap()));
    // Where hardly a row weighs anything, every tree has one of them all the same.
    let first = |class: f64| target.iter().position(|found| *found == class).unwrap();
    let few: Vec<f64> = (0..400).map(|i| f64::from(i == first(0.0) || i == first(1.0))).collect();
    let scores = params.fit_weighted(&features, &target, &few).unwrap().predict(&features).unwrap();
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    // Of the size of weights nothing depends.
    for power in [600, -600] {
        let unit: Vec<f64> = weights.iter().map(|weight| weight * 2.0_f64.powi(power)).collect();
        let other = params.fit_weighted(&features, &target, &unit).unwrap();
        assert_eq!(bits(&other.predict(&features).unwrap()), bits(&weighed.predict(&features).unwrap()), "2^{power}");
    }
}

#[test]
fn thousands_of_equal_rows_are_one_place() {
    let mut random = Random::new(9);
    let (mut x, mut y) = (even(&mut random, 60), even(&mut random, 60));
    (30..60).for_each(|i| x[i] += 10.0);
    x.extend(vec![50.0; 40_000]);
    y.extend(vec![0.5; 40_000]);
    let features = numbers([("x", x), ("y", y)]);
    let model = Hdbscan::params().min_cluster(10).scaled(false).fit(&features).unwrap();
    let labels = model.labels();
    let one = |range: std::ops::Range<usize>| {
        labels[range.start] >= 0 && labels[range.clone()].iter().all(|l| *l == labels[range.start])
    };
    assert!(one(60..40_060) && model.probabilities()[60..].iter().all(|firm| *firm == 1.0), "{model:?}");
    assert!(labels[60] != labels[0] && labels[60] != labels[59], "{model:?}");
    let dense = Dbscan::params().scaled(false).distance(2.0).fit(&features).unwrap();
    assert_eq!((dense.clusters(), dense.noise()), (3, 0));
    let centers = KMeans::params().clusters(40_000).fit(&features).unwrap_err();
    assert!(matches!(centers, Error::TooFewRows { expected: 40_000, found: 61, .. }), "{centers}");
}
