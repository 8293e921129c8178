//! What no model can learn from, for every model: a clear error, or a result that is stated here.

use haetae_features::FeatureMatrix;
use haetae_models::{
    Cnn, DateNet, DateNetModel, Dbscan, Fcnn, Gates, GaussianMixture, Hdbscan, IsolationForest, Isotonic, KMeans,
    LeafLogistic, LightGbm, LinearSvm, Logistic, MarginLoss, MultinomialLogistic, Nystroem, Pca, Pictures, Platt,
    PointMap, RandomForest, Recurrent, Result, Svm, TruncatedSvd, Tsne, Umap,
};
use polars::prelude::*;

use crate::bad_scores::with_entity;
use crate::data::{Random, even};
use crate::nets::{histories, try_histories};

const NAN: f64 = f64::NAN;

/// A fit, and scores of the same rows by what was fitted.
type Model = fn(&FeatureMatrix, &[f64]) -> Result<Vec<f64>>;

fn as_numbers(labels: &[i32]) -> Vec<f64> {
    labels.iter().map(|label| f64::from(*label)).collect()
}

/// Refuses targets in words of its own.
const OF_CLASSES: (&str, Model) =
    ("logistic of classes", |x, y| MultinomialLogistic::params().classes(2).fit(x, y)?.predict(x));
/// Models that take missing values and categories; models of distances; models without a target.
const OPEN: [(&str, Model); 10] = [
    ("LightGBM", |x, y| LightGbm::params().trees(3).min_rows_in_leaf(1).fit(x, y)?.predict(x)),
    ("forest", |x, y| RandomForest::params().trees(3).fit(x, y)?.predict(x)),
    ("logistic", |x, y| Logistic::params().fit(x, y)?.predict(x)),
    ("linear SVM", |x, y| LinearSvm::params().fit(x, y)?.decision(x)),
    ("GBDT+LR", |x, y| {
        let trees = LightGbm::params().trees(3).min_rows_in_leaf(1);
        LeafLogistic::params().trees(trees).fit(x, y)?.predict(x)
    }),
    ("FCNN", |x, y| Fcnn::params().epochs(3).fit(x, y)?.predict(x)),
    ("recurrent net", |x, y| {
        let sequences = histories(x, 5);
        Recurrent::params().epochs(2).fit(&sequences, y)?.predict(&sequences)
    }),
    ("GRU", |x, y| {
        let sequences = histories(x, 5);
        Recurrent::params().gates(Gates::Gru).epochs(2).fit(&sequences, y)?.predict(&sequences)
    }),
    ("DATE", |x, y| date(&with_entity(x), y)?.predict(&with_entity(x))),
    OF_CLASSES,
];
const MARGINS: [(&str, Model); 2] = [
    ("hinge", |x, y| LinearSvm::params().loss(MarginLoss::Hinge).c(0.1).fit(x, y)?.decision(x)),
    ("SVM", |x, y| Svm::params().fit(x, y)?.decision(x)),
];
/// Each row as a picture of one line.
const PICTURED: [(&str, Model); 1] = [("CNN", |x, y| {
    let pictures = lines(x)?;
    Cnn::params().epochs(2).fit(&pictures, y)?.predict(&pictures)
})];
const BLIND: [(&str, Model); 11] = [
    ("k-means", |x, _| Ok(as_numbers(KMeans::params().clusters(2).fit(x)?.labels()))),
    ("batches", |x, _| Ok(as_numbers(KMeans::params().clusters(2).batch(8).fit(x)?.labels()))),
    ("DBSCAN", |x, _| Ok(as_numbers(Dbscan::params().fit(x)?.labels()))),
    ("HDBSCAN", |x, _| Ok(Hdbscan::params().fit(x)?.probabilities().to_vec())),
    ("mixture", |x, _| GaussianMixture::params().bells(1).fit(x)?.log_densities(x)),
    ("isolation forest", |x, _| IsolationForest::params().trees(3).fit(x)?.predict(x)),
    ("PCA", |x, _| Ok(Pca::params().fit(x)?.transform(x)?.values().to_vec())),
    ("Nystroem", |x, _| Ok(Nystroem::params().landmarks(3).fit(x)?.transform(x)?.values().to_vec())),
    ("truncated SVD", |x, _| Ok(TruncatedSvd::params().components(1).fit(x)?.transform(x)?.values().to_vec())),
    ("t-SNE", |x, _| Ok(coordinates(&Tsne::params().perplexity(5.0).iterations(20).fit(x)?))),
    ("UMAP", |x, _| Ok(coordinates(&Umap::params().epochs(5).fit(x)?))),
];

/// A small one with the entity `code`, and amounts where there is fraud.
fn date(x: &FeatureMatrix, y: &[f64]) -> Result<DateNetModel> {
    let amounts: Vec<f64> = y.iter().map(|target| if *target == 1.0 { 7.0 } else { 0.0 }).collect();
    let trees = LightGbm::params().trees(3).leaves(4).min_rows_in_leaf(1);
    let params = DateNet::params().trees(trees).entities(&["code"]).revenue_trees(2).width(4).hidden(3);
    params.held_out(0.0).epochs(1).fit(x, y, &amounts)
}

/// All that learn a target of 0 and 1 and nothing else.
fn of_two() -> Vec<(&'static str, Model)> {
    let open = OPEN.into_iter().filter(|(name, _)| *name != OF_CLASSES.0);
    open.chain(MARGINS).chain(PICTURED).collect()
}

fn coordinates(map: &PointMap) -> Vec<f64> {
    [map.x(), map.y()].concat()
}

pub fn lines(features: &FeatureMatrix) -> Result<Pictures> {
    let row = |row: usize| {
        let values: Vec<f64> = (0..features.columns()).map(|i| features.value(row, i)).collect();
        Some(Series::new("".into(), values))
    };
    let mut lists: ListChunked = (0..features.rows()).map(row).collect();
    lists.rename("line".into());
    let frame = DataFrame::new(lists.len(), vec![lists.into_series().into()])?;
    Pictures::from_frame(&frame, "line", 1, features.columns(), 1)
}

fn matrix(columns: Vec<Vec<f64>>) -> FeatureMatrix {
    let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
    let categorical = vec![false; columns.len()];
    FeatureMatrix::new(names, columns, categorical).unwrap()
}

fn good() -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut random = Random::new(1);
    let (x, y) = (even(&mut random, 60), even(&mut random, 60));
    let target = x.iter().map(|x| f64::from(*x > 0.4)).collect();
    (x, y, target)
}

/// Asks each model; `expected` is a part of the error, or none where scores are to come that are all numbers.
fn ask(case: &str, models: &[(&str, Model)], x: &FeatureMatrix, target: &[f64], expected: Option<&str>) {
    for (name, model) in models {
        match (model(x, target), expected) {
            (Ok(scores), None) => {
                let sound = !scores.is_empty() && scores.iter().all(|score| score.is_finite());
                assert!(sound, "{name}, {case}: {scores:?}");
            }
            (Err(error), Some(expected)) => {
                assert!(error.to_string().contains(expected), "{name}, {case}: {error}");
            }
            (Ok(_), Some(expected)) => panic!("{name}, {case}: expected `{expected}`"),
            (Err(error), None) => panic!("{name}, {case}: {error}"),
        }
    }
}

#[test]
fn columns_that_say_nothing() {
    let (x, y, target) = good();
    let supervised = [&OPEN[..], &MARGINS[..]].concat();
    let constant = matrix(vec![x.clone(), vec![7.0; 60], y.clone()]);
    ask("a constant column", &supervised, &constant, &target, None);
    ask("a constant column", &PICTURED, &constant, &target, None);
    ask("a constant column", &BLIND, &constant, &[], None);
    let empty = matrix(vec![x.clone(), vec![NAN; 60]]);
    ask("a column without values", &OPEN, &empty, &target, None);
    let missing = "feature `x1`, row 0: expected a number, found a missing value";
    ask("a column without values", &MARGINS[1..], &empty, &target, Some(missing));
    ask("a column without values", &BLIND, &empty, &[], Some(missing));
    let pixel = "pictures `line`, row 0: expected 1 x 2 x 1 = 2 finite numbers, found NaN at place 1";
    ask("a column without values", &PICTURED, &empty, &target, Some(pixel));
    let nothing = matrix(vec![vec![NAN; 60], vec![7.0; 60]]);
    ask("no column that varies", &OPEN[1..2], &nothing, &target, Some("expected one that varies"));
    // Without splits and weights what is left is the share of the target.
    ask("no column that varies", &OPEN[..1], &nothing, &target, None);
    ask("no column that varies", &OPEN[2..], &nothing, &target, None);
    let equal = matrix(vec![vec![7.0; 60]]);
    ask("no column that varies", &MARGINS, &equal, &target, None);
    ask("no column that varies", &PICTURED, &equal, &target, None);
    for (name, expected) in [
        ("k-means", Some("different")),
        ("batches", Some("different")),
        ("DBSCAN", None),
        ("HDBSCAN", None),
        ("mixture", None),
        ("isolation forest", None),
        ("PCA", Some("expected one that varies")),
        ("Nystroem", None),
        ("truncated SVD", None),
        ("t-SNE", Some("expected one that varies")),
        ("UMAP", Some("expected one that varies")),
    ] {
        let model = *BLIND.iter().find(|model| model.0 == name).unwrap();
        ask("rows that are all equal", &[model], &equal, &[], expected);
    }
}

#[test]
fn numbers_that_are_none() {
    let (x, y, target) = good();
    let supervised = [&OPEN[..], &MARGINS[..]].concat();
    for wrong in [f64::INFINITY, f64::NEG_INFINITY] {
        let mut infinite = y.clone();
        infinite[4] = wrong;
        let infinite = matrix(vec![x.clone(), infinite]);
        let message = "feature `x1`, row 4: expected a finite number";
        ask("an infinite number", &supervised[1..], &infinite, &target, Some(message));
        ask("an infinite number", &BLIND, &infinite, &[], Some(message));
        ask("an infinite number", &PICTURED, &infinite, &target, Some("pictures `line`, row 4: expected"));
        // LightGBM puts it into the last bin.
        ask("an infinite number", &OPEN[..1], &infinite, &target, None);
    }
    let mut missing = y;
    missing[4] = NAN;
    let missing = matrix(vec![x, missing]);
    ask("a missing number", &OPEN, &missing, &target, None);
    ask("a missing number", &BLIND, &missing, &[], Some("feature `x1`, row 4: expected a number"));
    ask("a missing number", &PICTURED, &missing, &target, Some("pictures `line`, row 4: expected"));
}

#[test]
fn targets_that_are_none() {
    let (x, y, target) = good();
    let features = matrix(vec![x, y]);
    let of_two = of_two();
    let with = |value: f64| {
        let mut target = target.clone();
        target[9] = value;
        target
    };
    for (value, found) in [(2.0, "2"), (-1.0, "-1"), (0.5, "0.5"), (NAN, "NaN")] {
        let message = format!("target, row 9: expected 0 or 1, found {found}");
        ask("another label", &of_two, &features, &with(value), Some(&message));
        let message = format!("target, row 9: expected a whole number from 0 to 1, found {found}");
        ask("another label", &[OF_CLASSES], &features, &with(value), Some(&message));
    }
    ask("one class", &of_two, &features, &[1.0; 60], Some("expected both 0 and 1, found only 1 in 60 rows"));
    let message = "expected at least two classes, found only 1 in 60 rows";
    ask("one class", &[OF_CLASSES], &features, &[1.0; 60], Some(message));
    let supervised = [&of_two[..], &[OF_CLASSES]].concat();
    ask("a short target", &supervised, &features, &target[1..], Some("target: expected 60 rows"));
    for (scores, target, message) in [
        (vec![0.5; 2], vec![1.0, 1.0], "expected both 0 and 1"),
        (vec![0.5; 2], vec![1.0, 2.0], "expected 0 or 1"),
        (vec![0.5; 1], vec![1.0, 0.0], "rows"),
        (vec![0.5, NAN], vec![1.0, 0.0], "row 1: expected a number"),
        (vec![], vec![], "expected"),
    ] {
        for error in [Platt::fit(&scores, &target).unwrap_err(), Isotonic::fit(&scores, &target).unwrap_err()] {
            assert!(error.to_string().contains(message), "{message}: {error}");
        }
    }
}

#[test]
fn rows_that_are_too_few() {
    let of_two = of_two();
    let supervised = [&of_two[..], &[OF_CLASSES]].concat();
    let none = matrix(vec![vec![], vec![]]);
    let empty = "is empty: expected at least 1 row and 1 feature, found 0 rows and ";
    ask("no rows", &supervised, &none, &[], Some(empty));
    ask("no rows", &BLIND, &none, &[], Some(empty));
    let one = matrix(vec![vec![1.0], vec![2.0]]);
    ask("one row", &of_two, &one, &[1.0], Some("expected both 0 and 1, found only 1 in 1 rows"));
    let message = "expected at least two classes, found only 1 in 1 rows";
    ask("one row", &[OF_CLASSES], &one, &[1.0], Some(message));
    for (name, expected) in [
        ("k-means", Some("found 1")),
        ("batches", Some("found 1")),
        ("DBSCAN", None),
        ("HDBSCAN", Some("HDBSCAN: expected at least 5 rows, found 1")),
        // Its one bell has the width that the regularisation gives it.
        ("mixture", None),
        ("isolation forest", Some("expected at least 2 rows, found 1")),
        ("PCA", Some("expected at least 2 rows, found 1")),
        ("Nystroem", None),
        ("truncated SVD", None),
        ("t-SNE", Some("t-SNE: expected at least 7 rows, two more than `perplexity`, found 1")),
        ("UMAP", Some("UMAP: expected at least 16 rows, one more than `neighbours`, found 1")),
    ] {
        let model = *BLIND.iter().find(|model| model.0 == name).unwrap();
        ask("one row", &[model], &one, &[], expected);
    }
}

/// A fit on rows with a category, and scores of other rows.
type Later = fn(&FeatureMatrix, &[f64], &FeatureMatrix) -> Result<Vec<f64>>;

const LATER: [(&str, Later); 10] = [
    ("LightGBM", |x, y, later| LightGbm::params().trees(5).min_rows_in_leaf(1).fit(x, y)?.predict(later)),
    ("forest", |x, y, later| RandomForest::params().trees(5).fit(x, y)?.predict(later)),
    ("logistic", |x, y, later| Logistic::params().fit(x, y)?.predict(later)),
    ("logistic of classes", |x, y, later| MultinomialLogistic::params().classes(2).fit(x, y)?.predict(later)),
    ("linear SVM", |x, y, later| LinearSvm::params().fit(x, y)?.decision(later)),
    ("FCNN", |x, y, later| Fcnn::params().epochs(2).fit(x, y)?.predict(later)),
    ("recurrent net", |x, y, later| {
        Recurrent::params().epochs(2).fit(&histories(x, 5), y)?.predict(&try_histories(later, 60)?)
    }),
    ("GRU", |x, y, later| {
        let params = Recurrent::params().gates(Gates::Gru).epochs(2);
        params.fit(&histories(x, 5), y)?.predict(&try_histories(later, 60)?)
    }),
    ("GBDT+LR", |x, y, later| {
        LeafLogistic::params().trees(LightGbm::params().trees(5).min_rows_in_leaf(1)).fit(x, y)?.predict(later)
    }),
    ("DATE", |x, y, later| date(x, y)?.predict(later)),
];

#[test]
fn categories_that_training_did_not_have() {
    let (x, _, target) = good();
    let code: Vec<f64> = (0..60).map(|i| f64::from(i % 3)).collect();
    let with = |code: Vec<f64>| {
        let names = ["x", "code"].map(str::to_owned).to_vec();
        FeatureMatrix::new(names, vec![x.clone(), code], vec![false, true]).unwrap()
    };
    let train = with(code);
    for (name, model) in LATER {
        let scores = |code: f64| model(&train, &target, &with(vec![code; 60])).unwrap();
        let unseen = scores(9.0);
        assert!(unseen.iter().all(|score| score.is_finite()), "{name}: {unseen:?}");
        // All of them are one and the same: another category.
        assert_eq!(unseen, scores(2_000_000_000.0), "{name}");
        for wrong in [-1.0, 0.5, f64::INFINITY] {
            let error = model(&train, &target, &with(vec![wrong; 60])).unwrap_err().to_string();
            let said = ["row 0: a category must be a whole number from 0", "row 0: expected a finite number or NaN"];
            assert!(said.iter().any(|said| error.contains(said)), "{name}, {wrong}: {error}");
        }
    }
}
