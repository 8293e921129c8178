//! What a fitted model cannot be asked of, for every model that answers for rows of later: a clear error, or a result that
//! is stated here.

use haetae_features::FeatureMatrix;
use haetae_models::{
    Cnn, DateNet, Fcnn, Gates, GaussianMixture, IsolationForest, KMeans, LeafLogistic, LightGbm, LinearSvm, Logistic,
    MarginLoss, MultinomialLogistic, Nystroem, Objective, Pca, RandomForest, Recurrent, Result, Svm, TruncatedSvd,
};

use crate::bad_input::lines;
use crate::data::{Random, bits, even};
use crate::nets::try_histories;

const NAN: f64 = f64::NAN;

/// What a fitted model says of rows.
type Answer = Box<dyn Fn(&FeatureMatrix) -> Result<Vec<f64>>>;

/// How a model takes a missing value, and rows that are not numbers of its features.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    /// Missing values are a value.
    Missing,
    /// Every value must be a number.
    Numbers,
    /// Rows of pictures, which have places and no names.
    Pictures,
}

struct Asked {
    name: &'static str,
    takes: Takes,
    /// Numbers that it says of a row.
    each: usize,
    answer: Answer,
}

fn matrix(columns: Vec<Vec<f64>>) -> FeatureMatrix {
    let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
    let categorical = vec![false; columns.len()];
    FeatureMatrix::new(names, columns, categorical).unwrap()
}

fn good() -> (FeatureMatrix, Vec<f64>, Vec<f64>) {
    let mut random = Random::new(1);
    let (x, y) = (even(&mut random, 60), even(&mut random, 60));
    let target = x.iter().map(|x| f64::from(*x > 0.4)).collect();
    let classes = y.iter().map(|y| (y * 3.0).floor()).collect();
    (matrix(vec![x, y]), target, classes)
}

/// DATE's own feature of categories behind the others.
pub fn with_entity(x: &FeatureMatrix) -> FeatureMatrix {
    let code = (0..x.rows()).map(|row| (row % 3) as f64).collect();
    let columns = (0..x.columns()).map(|i| x.column(i).to_vec()).chain([code]).collect();
    let names = x.names().iter().cloned().chain(["code".to_owned()]).collect();
    let categorical = (0..x.columns()).map(|i| x.is_categorical(i)).chain([true]).collect();
    FeatureMatrix::new(names, columns, categorical).unwrap()
}

fn whole(labels: Vec<i32>) -> Vec<f64> {
    labels.into_iter().map(f64::from).collect()
}

fn models() -> Vec<Asked> {
    use Takes::{Missing, Numbers};
    let (x, y, classes) = good();
    let asked = |name, takes, each, answer: Answer| Asked { name, takes, each, answer };
    let trees = || LightGbm::params().trees(3).leaves(4).min_rows_in_leaf(1);
    let boosted = trees().fit(&x, &y).unwrap();
    let of_three = trees().objective(Objective::Classes(3)).fit(&x, &classes).unwrap();
    let of_values = trees().objective(Objective::Value).fit(&x, x.column(1)).unwrap();
    let forest = RandomForest::params().trees(3).fit(&x, &y).unwrap();
    let forest_of_three = RandomForest::params().classes(3).trees(3).fit(&x, &classes).unwrap();
    let leaves = LeafLogistic::params().trees(trees()).fit(&x, &y).unwrap();
    let logistic = Logistic::params().fit(&x, &y).unwrap();
    let multinomial = MultinomialLogistic::params().fit(&x, &classes).unwrap();
    let linear = LinearSvm::params().fit(&x, &y).unwrap().calibrated(&x, &y).unwrap();
    let hinge = LinearSvm::params().loss(MarginLoss::Hinge).c(0.1).fit(&x, &y).unwrap();
    let svm = Svm::params().fit(&x, &y).unwrap().calibrated(&x, &y).unwrap();
    let same_svm = svm.clone();
    let fcnn = Fcnn::params().epochs(1).fit(&x, &y).unwrap();
    let fcnn_of_values = Fcnn::params().objective(Objective::Value).epochs(1).fit(&x, x.column(1)).unwrap();
    let recurrent = |gates| {
        let model = Recurrent::params().gates(gates).width(4).epochs(1).fit(&try_histories(&x, 60).unwrap(), &y);
        let model = model.unwrap();
        Box::new(move |x: &FeatureMatrix| model.predict(&try_histories(x, 60)?)) as Answer
    };
    let (lstm, gru) = (recurrent(Gates::Lstm), recurrent(Gates::Gru));
    let cnn = Cnn::params().epochs(1).fit(&lines(&x).unwrap(), &y).unwrap();
    let date = DateNet::params().trees(trees()).entities(&["code"]).revenue_trees(2).width(4).hidden(3).epochs(1);
    let amounts: Vec<f64> = y.iter().map(|target| 7.0 * target).collect();
    let date = date.fit(&with_entity(&x), &y, &amounts).unwrap();
    let means = KMeans::params().clusters(2).fit(&x).unwrap();
    let batches = KMeans::params().clusters(2).batch(8).fit(&x).unwrap();
    let bells = GaussianMixture::params().bells(2).fit(&x).unwrap();
    let shares = bells.clone();
    let strange = IsolationForest::params().trees(3).fit(&x).unwrap();
    let components = Pca::params().fit(&x).unwrap();
    let landmarks = Nystroem::params().landmarks(3).fit(&x).unwrap();
    let singular = TruncatedSvd::params().components(1).fit(&x).unwrap();
    vec![
        asked("LightGBM", Missing, 1, Box::new(move |x| boosted.predict(x))),
        asked("LightGBM of classes", Missing, 3, Box::new(move |x| of_three.predict(x))),
        asked("LightGBM of values", Missing, 1, Box::new(move |x| of_values.predict(x))),
        asked("forest", Missing, 1, Box::new(move |x| forest.predict(x))),
        asked("forest of classes", Missing, 3, Box::new(move |x| forest_of_three.predict(x))),
        asked("GBDT+LR", Missing, 1, Box::new(move |x| leaves.predict(x))),
        asked("logistic", Missing, 1, Box::new(move |x| logistic.predict(x))),
        asked("logistic of classes", Missing, 3, Box::new(move |x| multinomial.predict(x))),
        asked("linear SVM", Missing, 1, Box::new(move |x| linear.predict_proba(x))),
        asked("hinge", Missing, 1, Box::new(move |x| hinge.decision(x))),
        asked("SVM", Numbers, 1, Box::new(move |x| svm.decision(x))),
        asked("SVM, calibrated", Numbers, 1, Box::new(move |x| same_svm.predict_proba(x))),
        asked("FCNN", Missing, 1, Box::new(move |x| fcnn.predict(x))),
        asked("FCNN of values", Missing, 1, Box::new(move |x| fcnn_of_values.predict(x))),
        asked("LSTM", Missing, 1, lstm),
        asked("GRU", Missing, 1, gru),
        asked("CNN", Takes::Pictures, 1, Box::new(move |x| cnn.predict(&lines(x)?))),
        asked("DATE", Missing, 2, {
            Box::new(move |x| {
                let (chances, amounts) = date.predict_both(&with_entity(x))?;
                Ok(chances.into_iter().zip(amounts).flat_map(|(chance, amount)| [chance, amount]).collect())
            })
        }),
        asked("k-means", Numbers, 1, Box::new(move |x| means.predict(x).map(whole))),
        asked("batches", Numbers, 1, Box::new(move |x| batches.predict(x).map(whole))),
        asked("mixture", Numbers, 1, Box::new(move |x| bells.log_densities(x))),
        asked("shares of bells", Numbers, 2, Box::new(move |x| shares.predict_proba(x))),
        asked("isolation forest", Numbers, 1, Box::new(move |x| strange.predict(x))),
        asked("PCA", Numbers, 2, Box::new(move |x| by_rows(&components.transform(x)?))),
        asked("Nystroem", Numbers, 3, Box::new(move |x| by_rows(&landmarks.transform(x)?))),
        asked("truncated SVD", Numbers, 1, Box::new(move |x| by_rows(&singular.transform(x)?))),
    ]
}

fn by_rows(features: &FeatureMatrix) -> Result<Vec<f64>> {
    let row = |row: usize| (0..features.columns()).map(move |i| features.value(row, i));
    Ok((0..features.rows()).flat_map(row).collect())
}

#[test]
fn a_row_has_the_same_answer_alone_and_among_others_and_no_rows_have_none() {
    let (x, _, _) = good();
    for Asked { name, each, answer, .. } in models() {
        let all = answer(&x).unwrap();
        assert_eq!(all.len(), 60 * each, "{name}");
        assert!(all.iter().all(|value| value.is_finite()), "{name}: {all:?}");
        // DATE's category goes by the place of a row: that of these is the one of a first row.
        for row in [0, 3, 33] {
            let alone = answer(&x.select_rows(&[row])).unwrap();
            assert_eq!(bits(&alone), bits(&all[row * each..(row + 1) * each]), "{name}, row {row}");
        }
        let none = answer(&x.select_rows(&[])).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(none.is_empty(), "{name}: {none:?}");
    }
}

#[test]
fn values_that_are_no_numbers_are_answered_or_named() {
    let (x, _, _) = good();
    let with = |value: f64| {
        let mut second = x.column(1).to_vec();
        second[4] = value;
        matrix(vec![x.column(0).to_vec(), second])
    };
    for Asked { name, takes, answer, .. } in models() {
        let told = |value: f64| answer(&with(value)).map_err(|error| error.to_string());
        let boosted = name.starts_with("LightGBM");
        for value in [f64::INFINITY, f64::NEG_INFINITY] {
            match (told(value), takes) {
                // LightGBM puts it into the last bin or the first.
                (Ok(found), _) if boosted => assert!(found.iter().all(|value| value.is_finite()), "{name}"),
                (Ok(found), _) => panic!("{name}, {value}: {found:?}"),
                (Err(error), Takes::Pictures) => {
                    assert!(error.starts_with("pictures `line`, row 4: expected"), "{error}")
                }
                (Err(error), _) => {
                    let said = "feature `x1`, row 4: expected a finite number";
                    assert!(error.starts_with(said) && !boosted, "{name}, {value}: {error}");
                }
            }
        }
        match (told(NAN), takes) {
            (Ok(found), Takes::Missing) => assert!(found.iter().all(|value| value.is_finite()), "{name}: {found:?}"),
            (Ok(found), _) => panic!("{name}: {found:?}"),
            (Err(error), Takes::Missing) => panic!("{name}: {error}"),
            (Err(error), Takes::Numbers) => {
                let said =
                    "feature `x1`, row 4: expected a number, found a missing value; fill it or leave the row out";
                assert_eq!(error, said, "{name}");
            }
            (Err(error), Takes::Pictures) => assert!(error.starts_with("pictures `line`, row 4: expected"), "{error}"),
        }
        // Far beyond what training had: an answer that is a number, or a row that is named.
        for far in [1e300, -1e300] {
            match told(far) {
                Ok(found) => assert!(found.iter().all(|value| value.is_finite()), "{name}, {far}: {found:?}"),
                Err(error) => assert!(error.contains("row 4: "), "{name}, {far}: {error}"),
            }
        }
    }
}

#[test]
fn rows_of_other_features_are_refused_by_the_name_of_the_first() {
    let (x, _, _) = good();
    let columns = || vec![x.column(0).to_vec(), x.column(1).to_vec()];
    let named = |names: [&str; 2], categorical: Vec<bool>| {
        FeatureMatrix::new(names.map(str::to_owned).to_vec(), columns(), categorical).unwrap()
    };
    let whole = vec![x.column(0).to_vec(), vec![1.0; 60]];
    let codes = FeatureMatrix::new(x.names().to_vec(), whole, vec![false, true]).unwrap();
    let cases = [
        ("a column less", matrix(columns()[..1].to_vec()), "feature 1: the model was fitted on `x1`, found `"),
        ("another name", named(["x0", "y"], vec![false; 2]), "feature 1: the model was fitted on `x1`, found `y`"),
        ("another order", named(["x1", "x0"], vec![false; 2]), "feature 0: the model was fitted on `x0`, found `x1`"),
        ("another type", codes, "feature `x1`"),
    ];
    for Asked { name, takes, answer, .. } in models() {
        for (case, rows, expected) in &cases {
            match (answer(rows), takes) {
                // Pictures have places, and a line of them is what the test makes of names.
                (Ok(_), Takes::Pictures) => assert_ne!(*case, "a column less"),
                (Err(error), Takes::Pictures) => {
                    let said =
                        "pictures: the model was fitted on 1 x 2 x 1 (height x width x channels), found 1 x 1 x 1";
                    assert_eq!(error.to_string(), said);
                }
                (Ok(_), _) => panic!("{name}, {case}"),
                (Err(error), _) => assert!(error.to_string().starts_with(expected), "{name}, {case}: {error}"),
            }
        }
        let more = matrix(vec![x.column(0).to_vec(), x.column(1).to_vec(), vec![0.0; 60]]);
        if takes != Takes::Pictures {
            let error = answer(&more).unwrap_err().to_string();
            assert!(error.starts_with("feature 2: the model was fitted on `"), "{name}, a column more: {error}");
        }
    }
}
