//! What no forest can be grown on or applied to, and what is said then.

use haetae_features::FeatureMatrix;
use haetae_models::{ClassWeight, Error, RandomForest, RandomForestParams};

use crate::data::{codes, numbers};

const NAN: f64 = f64::NAN;

fn refusal(features: &FeatureMatrix, target: &[f64]) -> String {
    RandomForest::params().trees(3).fit(features, target).unwrap_err().to_string()
}

#[test]
fn rows_that_cannot_be_learnt_from_are_refused() {
    let x = || numbers([("x", vec![1.0, 2.0, 3.0])]);
    let message = "target: expected both 0 and 1, found only 1 in 3 rows; take a longer period";
    assert_eq!(refusal(&x(), &[1.0; 3]), message);
    assert_eq!(refusal(&x(), &[0.0, 1.0, 2.0]), "target, row 2: expected 0 or 1, found 2");
    assert_eq!(refusal(&x(), &[0.0, NAN, 1.0]), "target, row 1: expected 0 or 1, found NaN");
    assert_eq!(refusal(&x(), &[0.0, 1.0]), "target: expected 3 rows, as many as in what belongs to it, found 2");
    assert!(refusal(&numbers([("x", vec![])]), &[]).starts_with("training rows is empty"));
    assert!(refusal(&numbers([]), &[]).starts_with("training rows is empty"));
    assert!(refusal(&numbers([("x", vec![4.0])]), &[1.0]).contains("found only 1 in 1 rows"));
    let infinite = numbers([("x", vec![1.0, 2.0, 3.0]), ("y", vec![1.0, f64::NEG_INFINITY, 3.0])]);
    assert!(refusal(&infinite, &[0.0, 1.0, 1.0]).starts_with("feature `y`, row 1: expected a finite number or NaN"));
    assert!(refusal(&codes(vec![0.0, 1.5, 2.0]), &[0.0, 1.0, 1.0]).starts_with("feature `code`, row 1: a category"));
    let nothing = numbers([("constant", vec![2.0; 3]), ("missing", vec![NAN; 3])]);
    let message = "features: each of the 2 has one value only in all 3 rows (or none at all); expected one that varies";
    assert_eq!(refusal(&nothing, &[0.0, 1.0, 1.0]), message);
}

#[test]
fn weights_are_numbers_of_both_classes() {
    let fit = |weights: &[f64]| {
        let features = numbers([("x", vec![1.0, 2.0, 3.0])]);
        RandomForest::params().fit_weighted(&features, &[0.0, 1.0, 0.0], weights).unwrap_err()
    };
    assert!(matches!(fit(&[1.0]), Error::Rows { what: "weights", expected: 3, found: 1 }));
    for wrong in [-1.0, NAN, f64::INFINITY] {
        assert!(matches!(fit(&[1.0, 1.0, wrong]), Error::Weight { row: 2, .. }), "{wrong}");
    }
    assert!(matches!(fit(&[1.0, 0.0, 1.0]), Error::OneClass { found: 0.0, .. }));
}

#[test]
fn parameters_out_of_their_ranges_are_named() {
    let wrong: [(&str, RandomForestParams); 10] = [
        ("trees", RandomForest::params().trees(0)),
        ("depth", RandomForest::params().depth(257)),
        ("min_rows_in_leaf", RandomForest::params().min_rows_in_leaf(0)),
        ("features_per_split", RandomForest::params().features_per_split(0)),
        ("row_share", RandomForest::params().row_share(0.0)),
        ("row_share", RandomForest::params().row_share(NAN)),
        ("bins", RandomForest::params().bins(256)),
        ("class_weight", RandomForest::params().class_weight(ClassWeight::Of { zero: 1.0, one: 0.0 })),
        ("out_of_bag", RandomForest::params().bootstrap(false).out_of_bag(true)),
        ("threads", RandomForest::params().threads(0)),
    ];
    for (expected, params) in wrong {
        match params.check().unwrap_err() {
            Error::Parameter { model: "random forest", name, .. } => assert_eq!(name, expected),
            other => panic!("{expected}: {other}"),
        }
    }
}

#[test]
fn rows_of_another_kind_are_not_scored() {
    let features = numbers([("x", vec![1.0, 2.0, 3.0]), ("y", vec![0.0; 3])]);
    let model = RandomForest::params().trees(3).fit(&features, &[0.0, 1.0, 1.0]).unwrap();
    let other = model.predict(&numbers([("x", vec![1.0])])).unwrap_err();
    assert_eq!(other.to_string(), "feature 1: the model was fitted on `y`, found `nothing`");
    let infinite = model.predict(&numbers([("x", vec![f64::INFINITY]), ("y", vec![0.0])])).unwrap_err();
    assert!(matches!(infinite, Error::Infinite { row: 0, .. }));
    assert!(model.predict(&numbers([("x", vec![]), ("y", vec![])])).unwrap().is_empty());
    assert_eq!(format!("{model:?}"), "random forest, 3 trees on 2 features");
}
