//! Parameters, rows and names that are refused before the library can do harm with them.

use haetae_features::FeatureMatrix;
use haetae_models::{Error, LightGbmParams, Metric, Objective};

use crate::data::{codes, numbers};
use crate::lightgbm::params;

pub fn half(rows: i32) -> (FeatureMatrix, Vec<f64>) {
    (numbers([("x", (0..rows).map(f64::from).collect())]), (0..rows).map(|i| f64::from(2 * i >= rows)).collect())
}

#[test]
fn parameters_out_of_range_are_named() {
    let whole: [(LightGbmParams, &str, &str); 11] = [
        (params().trees(0), "trees", "1 to 100000, found 0"),
        (params().trees(100_001), "trees", "1 to 100000, found 100001"),
        (params().leaves(1), "leaves", "2 to 131072, found 1"),
        (params().min_rows_in_leaf(0), "min_rows_in_leaf", "1 to 1000000000, found 0"),
        (params().bins(1), "bins", "2 to 65535, found 1"),
        (params().threads(0), "threads", "1 to 1024, found 0"),
        (params().depth(0), "depth", "1 to 1000, found 0"),
        (params().patience(0), "patience", "1 to 100000, found 0"),
        (params().seed(1 << 31), "seed", "0 to 2147483647, found 2147483648"),
        (params().objective(Objective::Classes(1)), "objective (classes)", "2 to 10000, found 1"),
        (params().objective(Objective::Classes(10_001)), "objective (classes)", "2 to 10000, found 10001"),
    ];
    for (params, name, range) in whole {
        let message = format!("LightGBM: parameter `{name}`: expected {range}");
        assert_eq!(params.check().unwrap_err().to_string(), message);
    }
    for wrong in [0.0, -0.1, 1.1, f64::NAN] {
        for (params, name) in [
            (params().learning_rate(wrong), "learning_rate"),
            (params().row_share(wrong), "row_share"),
            (params().feature_share(wrong), "feature_share"),
        ] {
            let message = format!("LightGBM: parameter `{name}`: expected above 0 and at most 1, found {wrong}");
            assert_eq!(params.check().unwrap_err().to_string(), message);
        }
    }
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        for (params, penalty) in [(params().l1(wrong), "l1"), (params().l2(wrong), "l2")] {
            assert!(matches!(params.check(), Err(Error::Parameter { name, .. }) if name == penalty), "{wrong}");
        }
    }
    // A wrong parameter stops a fit too, before rows are looked at.
    let (features, target) = half(40);
    assert!(matches!(params().trees(0).fit(&features, &target), Err(Error::Parameter { name: "trees", .. })));
}

#[test]
fn a_metric_must_fit_what_is_learnt() {
    let metrics = [Metric::Auc, Metric::AveragePrecision, Metric::LogLoss, Metric::SquaredError];
    let fitting = [
        (Objective::Binary, [true, true, true, false]),
        (Objective::Classes(3), [false, false, true, false]),
        (Objective::Value, [false, false, false, true]),
    ];
    for (objective, fits) in fitting {
        for (metric, fits) in metrics.into_iter().zip(fits) {
            let checked = params().objective(objective).metric(metric).check();
            assert_eq!(checked.is_ok(), fits, "{metric:?} for {objective:?}");
        }
        assert!(params().objective(objective).check().is_ok());
    }
}

#[test]
fn constraints_name_features_that_are_there() {
    let (features, target) = half(40);
    let x = ["x".to_owned()];
    let both = params().increasing(&x).decreasing(&x).check().unwrap_err();
    assert!(both.to_string().ends_with("expected no feature that is also decreasing, found x"), "{both}");
    for params in [params().increasing(&["y".to_owned()]), params().decreasing(&["y".to_owned()])] {
        let error = params.fit(&features, &target).unwrap_err();
        assert!(matches!(&error, Error::UnknownFeature { name, found } if name == "y" && found == "x"), "{error}");
    }
}

#[test]
fn a_target_must_be_one_that_can_be_learnt() {
    let (features, target) = half(40);
    for (class, one_class) in [(0.0, vec![0.0; 40]), (1.0, vec![1.0; 40])] {
        let error = params().fit(&features, &one_class).unwrap_err();
        assert!(matches!(error, Error::OneClass { found, rows: 40 } if found == class), "{error}");
    }
    let wrong = |value: f64| {
        let mut target = target.clone();
        target[17] = value;
        target
    };
    for (objective, values, expected) in [
        (Objective::Binary, vec![f64::NAN, 0.5, 2.0], "0 or 1"),
        (Objective::Classes(3), vec![f64::NAN, 0.5, 3.0, -1.0], "a whole number from 0 to 2"),
        (Objective::Value, vec![f64::NAN, f64::INFINITY], "a finite number"),
    ] {
        for value in values {
            let error = params().objective(objective).fit(&features, &wrong(value)).unwrap_err();
            assert_eq!(error.to_string(), format!("target, row 17: expected {expected}, found {value}"));
        }
    }
    let one_of_three = params().objective(Objective::Classes(3)).fit(&features, &[2.0; 40]).unwrap_err();
    assert!(matches!(one_of_three, Error::OneValue { found: 2.0, rows: 40 }), "{one_of_three}");
    // The library would take it for 1e38, and weights of this size for none.
    let value = params().objective(Objective::Value);
    for far in [1e38, -1e300] {
        let error = value.fit(&features, &wrong(far)).unwrap_err().to_string();
        assert!(error.starts_with("target, row 17: expected a number between -1e38 and 1e38"), "{error}");
    }
    assert!(value.fit(&features, &wrong(1e30)).is_ok());
    for far in [1e-46, 1e39] {
        let error = params().fit_weighted(&features, &target, &[far; 40]).unwrap_err().to_string();
        assert!(
            error.starts_with("LightGBM: parameter `weights`: expected 0, or numbers from 1e-30 to 1e30"),
            "{error}"
        );
    }
    let error = params().fit(&features, &target[1..]).unwrap_err();
    assert_eq!(error.to_string(), "target: expected 40 rows, as many as in what belongs to it, found 39");
}

#[test]
fn nothing_to_learn_from_is_refused() {
    let none = numbers([("x", Vec::new())]);
    let error = params().fit(&none, &[]).unwrap_err();
    let expected = "training rows is empty: expected at least 1 row and 1 feature, found 0 rows and 1 features";
    assert_eq!(error.to_string(), expected);
    let bare = FeatureMatrix::new(Vec::new(), Vec::new(), Vec::new()).unwrap();
    assert!(matches!(params().fit(&bare, &[]), Err(Error::Empty { rows: 0, columns: 0, .. })));
    let (features, target) = half(40);
    let error = params().fit_valid(&features, &target, &none, &[]).unwrap_err();
    assert!(matches!(error, Error::Empty { what: "validation rows", .. }), "{error}");
}

#[test]
fn validation_rows_must_be_able_to_judge() {
    let (features, target) = half(40);
    let (other, _) = half(10);
    let fit = |params: LightGbmParams, valid: &FeatureMatrix, valid_target: &[f64]| {
        params.patience(3).trees(5).fit_valid(&features, &target, valid, valid_target)
    };
    assert!(matches!(fit(params(), &other, &[1.0; 9]), Err(Error::Rows { expected: 10, found: 9, .. })));
    assert!(matches!(fit(params(), &other, &[f64::NAN; 10]), Err(Error::Target { row: 0, .. })));
    // A rank figure of one class is 1 whatever the trees do, and would stop the fit at the first.
    for metric in [Metric::Auc, Metric::AveragePrecision] {
        let error = fit(params().metric(metric), &other, &[0.0; 10]).unwrap_err();
        assert!(matches!(error, Error::OneClass { found: 0.0, rows: 10 }), "{metric:?}: {error}");
    }
    assert!(fit(params().metric(Metric::LogLoss), &other, &[0.0; 10]).is_ok());
    let named = numbers([("y", vec![1.0, 2.0])]);
    let error = fit(params(), &named, &[0.0, 1.0]).unwrap_err();
    assert_eq!(error.to_string(), "feature 0: the model was fitted on `x`, found `y`");
}

#[test]
fn other_features_at_scoring_are_refused() {
    let (x, target) = half(40);
    let x = x.column(0).to_vec();
    let model = params().trees(2).fit(&numbers([("x", x.clone()), ("z", x.clone())]), &target).unwrap();
    let column = || x.clone();
    for (features, message) in [
        (numbers([("x", column()), ("y", column())]), "feature 1: the model was fitted on `z`, found `y`"),
        (numbers([("z", column()), ("x", column())]), "feature 0: the model was fitted on `x`, found `z`"),
        (numbers([("x", column())]), "feature 1: the model was fitted on `z`, found `nothing`"),
    ] {
        for error in [
            model.predict(&features).unwrap_err(),
            model.predict_raw(&features).unwrap_err(),
            model.contributions(&features).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }
    let more = numbers([("x", column()), ("z", column()), ("w", column())]);
    let error = model.predict(&more).unwrap_err();
    assert_eq!(error.to_string(), "feature 2: the model was fitted on `nothing`, found `w`");
}

#[test]
fn a_category_is_a_code() {
    let column: Vec<f64> = (0..1000).map(|i| f64::from(i % 7)).collect();
    let target: Vec<f64> = column.iter().map(|&code| f64::from(code == 2.0 || code == 5.0)).collect();
    let with = |value: f64| {
        let mut column = column.clone();
        column[11] = value;
        codes(column)
    };
    let sound = codes(column.clone());
    let model = params().trees(3).fit(&sound, &target).unwrap();
    for wrong in [-1.0, -0.5, 1.5, 2_147_483_648.0, 3e9, f64::INFINITY, f64::NEG_INFINITY] {
        let message = format!(
            "feature `code`, row 11: a category must be a whole number from 0 to 2147483647 or NaN, found {wrong}"
        );
        let rows = with(wrong);
        for error in [
            params().fit(&rows, &target).unwrap_err(),
            params().fit_valid(&sound, &target, &rows, &target).unwrap_err(),
            model.predict(&rows).unwrap_err(),
            model.predict_raw(&rows).unwrap_err(),
            model.leaves(&rows).unwrap_err(),
            model.contributions(&rows).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }
    let scores = |value: f64| model.predict(&with(value)).unwrap()[11];
    assert!(scores(2.0) > scores(3.0));
    // The last that is one, a missing one, and one that training did not have: none of them is of any set.
    assert_eq!(scores(2_147_483_647.0), scores(f64::NAN));
    assert_eq!(scores(77.0), scores(f64::NAN));
    assert!(params().fit(&with(f64::NAN), &target).is_ok() && params().fit(&with(2_147_483_647.0), &target).is_ok());
}

#[test]
fn validation_rows_have_the_types_of_training() {
    let target: Vec<f64> = (0..40).map(|i| f64::from(i > 20)).collect();
    let column: Vec<f64> = (0..40).map(|i| f64::from(i % 5)).collect();
    let (categories, values) = (codes(column.clone()), numbers([("code", column)]));
    for (train, valid, expected) in [
        (&categories, &values, "feature `code`: the model was fitted on categories, found numbers"),
        (&values, &categories, "feature `code`: the model was fitted on numbers, found categories"),
    ] {
        let error = params().fit_valid(train, &target, valid, &target).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_name_must_be_able_to_stand_in_the_text() {
    let target: Vec<f64> = (0..40).map(|i| f64::from(i > 20)).collect();
    let column: Vec<f64> = (0..40).map(f64::from).collect();
    for name in ["", "a b", "a\tb", "a,b", "a\"b", "a:b", "[a]", "{a}", "a\n", "a\0"] {
        let error = params().fit(&numbers([(name, column.clone())]), &target).unwrap_err();
        assert!(matches!(&error, Error::FeatureName { name: found } if found == name), "{error}");
    }
    let twice = params().fit(&numbers([("x", column.clone()), ("x", column)]), &target).unwrap_err();
    assert!(twice.to_string().contains("appears more than one time"), "{twice}");
}
