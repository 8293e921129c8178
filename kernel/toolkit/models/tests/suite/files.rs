//! Models <-> files: the same model to the last bit, and why a file does not fit.

use haetae_features::{FeatureBuilder, FeatureMatrix};
use haetae_models::{
    Cnn, DateNet, Dbscan, Error, Fcnn, Gates, GaussianMixture, Hdbscan, IsolationForest, Isotonic, KMeans, KMeansModel,
    Kernel, LeafLogistic, LightGbm, LinearSvm, Logistic, ModelCard, ModelFile, MultinomialLogistic, Nystroem, Pca,
    Platt, RandomForest, Recurrent, Result, SparseMatrix, Svm, Tfidf, TruncatedSvd,
};
use polars::prelude::*;
use sha2::{Digest, Sha256};

use crate::clearance_input::recipe;
use crate::clusters::blobs;
use crate::data::{Random, bits, even, items};
use crate::nets::{histories, series};

pub type Answer = dyn Fn(&[u8]) -> Result<(Vec<u64>, Vec<u8>)>;

/// A file, and what is answered by the model that is read from it: numbers, and its own file again.
pub struct Kind {
    pub name: &'static str,
    features: usize,
    pub bytes: Vec<u8>,
    expected: Vec<u64>,
    pub read: Box<Answer>,
}

fn kind<M: ModelFile + 'static>(model: M, features: usize, answer: impl Fn(&M) -> Result<Vec<f64>> + 'static) -> Kind {
    let bytes = model.to_bytes(&card());
    let expected = bits(&answer(&model).unwrap());
    let read = Box::new(move |bytes: &[u8]| {
        let model = M::from_bytes(bytes)?;
        Ok((bits(&answer(&model)?), model.to_bytes(&card())))
    });
    Kind { name: M::KIND, features, bytes, expected, read }
}

fn card() -> ModelCard {
    ModelCard::new().trained_on("declarations until 2024-03").metric("auc", 0.75).metric("nothing", f64::NAN)
}

fn labels(labels: &[i32]) -> Vec<f64> {
    labels.iter().map(|label| f64::from(*label)).collect()
}

/// Numbers and a feature of categories, some of both missing.
fn mixed() -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(2);
    let mut x = even(&mut random, 300);
    let mut code: Vec<f64> = (0..300).map(|_| random.below(7) as f64).collect();
    let target = (0..300).map(|i| f64::from(x[i] > 0.5 || code[i] == 3.0)).collect();
    (x[3], code[5]) = (f64::NAN, f64::NAN);
    let names = vec!["price per \"kg\"".to_owned(), "origin".to_owned()];
    (FeatureMatrix::new(names, vec![x, code], vec![false, true]).unwrap(), target)
}

fn renamed(features: &FeatureMatrix) -> FeatureMatrix {
    let columns = (0..features.columns()).map(|i| features.column(i).to_vec()).collect();
    let categorical = (0..features.columns()).map(|i| features.is_categorical(i)).collect();
    FeatureMatrix::new(vec!["price".to_owned(), "origin".to_owned()], columns, categorical).unwrap()
}

pub fn kinds() -> Vec<Kind> {
    let goods = df!("goods" => [Some("red wine"), Some("wine"), None, Some("steel pipe of red steel")]).unwrap();
    let (mixed, target) = mixed();
    let plain = renamed(&mixed);
    let points = blobs(3, 300, 3, 6, 2.0);
    let sides: Vec<f64> = (0..300).map(|i| f64::from(points.value(i, 0) > 5.0)).collect();
    let scores = points.column(0).to_vec();
    let sparse = || SparseMatrix::new(3, vec![0, 1, 2], vec![0, 2], vec![1.0, 2.0]).unwrap();
    let (m, p) = (mixed.clone(), points.clone());
    let forest = RandomForest::params().trees(4).out_of_bag(true).fit(&m, &target).unwrap();
    let forest = kind(forest, 2, move |model| {
        let mut all = model.predict(&m)?;
        all.extend(model.contributions(&m.select_rows(&[0, 3, 5]))?.row(1, 0));
        all.extend(model.importance().iter().map(|one| one.1));
        all.extend(model.out_of_bag().unwrap().scores());
        Ok(all)
    });
    let codes: Vec<f64> = (0..300).map(|i| f64::from(i % 3)).collect();
    let several = RandomForest::params().classes(3).trees(3).fit(&mixed, &codes).unwrap();
    let lightgbm = LightGbm::params().trees(4).leaves(4).fit(&plain, &target).unwrap();
    let logistic = Logistic::params().fit(&mixed, &target).unwrap();
    let linear = LinearSvm::params().fit(&mixed, &target).unwrap().calibrated(&mixed, &target).unwrap();
    let on_sparse = LinearSvm::params().fit_sparse(&sparse(), &[0.0, 1.0]).unwrap();
    let polynomial = Kernel::Polynomial { degree: 2, constant: 0.5 };
    let svm = Svm::params().kernel(polynomial).fit(&points, &sides).unwrap();
    let with = |points: &FeatureMatrix| points.clone();
    let (a, b, c, d, e, f, g) = (with(&p), with(&p), with(&p), with(&p), with(&p), mixed.clone(), mixed.clone());
    let (h, all) = (mixed.clone(), points.clone());
    let fcnn = Fcnn::params().epochs(2).layer_norm(true).hidden(&[6, 4]).fit(&mixed, &target).unwrap();
    let told = histories(&mixed, 9);
    let gru = Recurrent::params().gates(Gates::Gru).layers(2).width(4).epochs(1).fit(&told, &target).unwrap();
    let lstm = Recurrent::params().width(4).epochs(1).fit(&told, &target).unwrap();
    let lines = series(&points);
    let cnn = Cnn::params().channels(&[2, 3]).hidden(4).epochs(1).fit(&lines, &sides).unwrap();
    let (i, same) = (mixed.clone(), told.clone());
    let small = LightGbm::params().trees(3).leaves(4);
    let leaves = LeafLogistic::params().trees(small.clone()).fit(&plain, &target).unwrap();
    let date = DateNet::params().entities(&["origin"]).trees(small).revenue_trees(2).width(4).hidden(3).epochs(1);
    let amounts: Vec<f64> = target.iter().map(|target| 7.0 * target).collect();
    let date = date.fit(&plain, &target, &amounts).unwrap();
    let on_columns = Logistic::params().tolerance(1e-6).fit_sparse(&sparse(), &[0.0, 1.0]).unwrap();
    let (j, k, l) = (plain.clone(), plain.clone(), mixed.clone());
    let multinomial = MultinomialLogistic::params().fit(&mixed, &codes).unwrap();
    let several_columns = MultinomialLogistic::params().classes(2).tolerance(1e-6);
    let several_columns = several_columns.fit_sparse(&sparse(), &[0.0, 1.0]).unwrap();
    let declared = items(5, 400, 0, 150, 40);
    let clearance = recipe().fit(&declared).unwrap();
    let past = FeatureBuilder::new()
        .prefix("line", "importer_id", 2)
        .categorical("line")
        .categorical("goods")
        .log("net_mass_kg")
        .ratio("additional_duty_krw", "net_mass_kg")
        .same("goods", "net_mass_kg")
        .count(&["importer_id", "goods"])
        .history(&["goods"], 2.0)
        .deviation("additional_duty_krw", "net_mass_kg", &["line"]);
    let fitted = past.fit(&declared, "fraud", "declaration_date").unwrap();
    // Days before, within and behind those of the fit.
    let later = items(6, 200, 100, 100, 60);
    let same_later = later.clone();
    vec![
        kind(clearance, 3, move |model| {
            let reasons = model.reasons(&later, 2)?.concat().into_iter().map(|reason| reason.1);
            Ok(model.score(&later)?.into_iter().chain(reasons).collect())
        }),
        kind(fitted, 8, move |fitted| Ok(fitted.transform(&same_later)?.values().to_vec())),
        forest,
        kind(several, 2, move |model| model.predict(&h)),
        kind(lightgbm, 2, move |model| model.predict(&plain)),
        kind(logistic, 2, move |model| model.predict(&f)),
        kind(leaves, 2, move |model| model.predict(&j)),
        kind(on_columns, 0, move |model| model.predict_sparse(&sparse())),
        kind(multinomial, 2, move |model| model.predict(&l)),
        kind(several_columns, 0, move |model| model.predict_sparse(&sparse())),
        kind(date, 2, move |model| {
            let (chances, amounts) = model.predict_both(&k)?;
            Ok([chances, amounts].concat())
        }),
        kind(linear, 2, move |model| model.predict_proba(&g)),
        kind(on_sparse, 0, move |model| model.decision_sparse(&sparse())),
        kind(svm, 3, move |model| model.decision(&a)),
        kind(Nystroem::params().landmarks(9).fit(&p).unwrap(), 3, move |model| {
            Ok(model.transform(&b)?.values().to_vec())
        }),
        kind(KMeans::params().clusters(3).fit(&p).unwrap(), 3, move |model| {
            Ok([labels(&model.predict(&c)?), labels(model.labels()), vec![model.inertia()]].concat())
        }),
        kind(Dbscan::params().fit(&p).unwrap(), 0, |model| Ok(labels(model.labels()))),
        kind(Hdbscan::params().fit(&p).unwrap(), 0, |model| {
            Ok([labels(model.labels()), model.probabilities().to_vec(), model.stability().to_vec()].concat())
        }),
        kind(GaussianMixture::params().fit(&p).unwrap(), 3, move |model| model.log_densities(&d)),
        kind(Pca::params().components(2).fit(&p).unwrap(), 3, move |model| Ok(model.transform(&e)?.values().to_vec())),
        kind(fcnn, 2, move |model| {
            Ok([model.predict(&i)?, model.epochs().iter().map(|epoch| epoch.loss).collect()].concat())
        }),
        kind(gru, 2, move |model| model.predict(&told)),
        kind(lstm, 2, move |model| model.predict(&same)),
        kind(cnn, 1, move |model| model.predict(&lines)),
        kind(IsolationForest::params().trees(5).fit(&p).unwrap(), 3, move |model| model.predict(&p)),
        kind(Platt::fit(&scores, &sides).unwrap(), 0, |model| Ok(model.predict(&[0.0, 5.0]))),
        kind(Isotonic::fit(&scores, &sides).unwrap(), 0, |model| Ok(model.predict(&[0.0, 5.0]))),
        kind(TruncatedSvd::params().fit(&all).unwrap(), 3, move |model| Ok(model.transform(&all)?.values().to_vec())),
        kind(Tfidf::params().fit(&goods, "goods").unwrap(), 1, move |model| {
            let rows = model.transform(&goods)?;
            Ok((0..rows.rows()).flat_map(|row| rows.row(row).1.to_vec()).collect())
        }),
    ]
}

fn reason(kind: &Kind, bytes: &[u8]) -> String {
    match (kind.read)(bytes) {
        Err(Error::ModelFile { reason }) => reason,
        Err(other) => panic!("{}: {other}", kind.name),
        Ok(_) => panic!("{}: it was read", kind.name),
    }
}

#[test]
fn a_model_is_the_same_after_its_file() {
    for kind in kinds() {
        let (found, again) = (kind.read)(&kind.bytes).unwrap();
        assert_eq!(found, kind.expected, "{}", kind.name);
        assert!(again == kind.bytes, "{}", kind.name);
        let card = ModelCard::read(&kind.bytes).unwrap();
        assert_eq!((card.kind(), card.features().len()), (kind.name, kind.features));
        assert_eq!(card.training_data(), "declarations until 2024-03");
        assert_eq!(card.metrics()[0], ("auc".to_owned(), 0.75));
        assert!(card.metrics()[1].1.is_nan() && card.program().starts_with("haetae 0."));
        let curve = kind.name.ends_with("calibration");
        assert!(curve || card.parameters().len() > 10, "{}: {}", kind.name, card.parameters());
        if kind.name == "random forest" {
            assert_eq!(card.features()[0], ("price per \"kg\"".to_owned(), false));
            assert_eq!(card.features()[1], ("origin".to_owned(), true));
            let text = card.to_string();
            if text.contains("classes: 3") {
                continue;
            }
            assert!(text.contains("features: price per \"kg\", origin (category)\n"), "{text}");
            assert!(text.contains("parameters: RandomForestParams { classes: 2, trees: 4,"), "{text}");
        }
    }
}

#[test]
fn a_file_that_does_not_fit_says_why() {
    let kinds = kinds();
    for (number, kind) in kinds.iter().enumerate() {
        let bytes = &kind.bytes;
        // Cut off anywhere, also within the mark and within the sum.
        let step = (bytes.len() / 40).max(1);
        for end in (0..bytes.len()).step_by(step).chain([7, 8, 11, bytes.len() - 1]) {
            let reason = reason(kind, &bytes[..end]);
            assert!(reason.contains(&format!("cut off after {end} bytes")), "{} at {end}: {reason}", kind.name);
        }
        // One bit turned anywhere: the mark, the version and the lengths have words of their own for it.
        for at in (0..bytes.len()).step_by(step) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << (at % 8);
            assert!(!reason(kind, &wrong).is_empty());
            if at > 28 && at < bytes.len() - 32 && !around_length(bytes, at) {
                assert!(reason(kind, &wrong).contains("a byte has changed"), "{} at {at}", kind.name);
            }
        }
        let mut newer = bytes.clone();
        newer[8] = 4;
        assert!(reason(kind, &newer).contains("it has form 4, and this version of Haetae reads forms up to 3"));
        assert!(reason(kind, &[bytes.clone(), vec![0; 3]].concat()).contains("3 bytes more"));
        assert!(reason(kind, b"tree\nversion=v4\n").contains("does not begin as a model file"));
        let other = &kinds[(number + 6) % kinds.len()];
        let message = format!("it holds a model of the kind `{}`, expected `{}`", other.name, kind.name);
        assert_eq!(reason(kind, &other.bytes), message);
    }
}

#[test]
fn a_file_of_an_earlier_form_is_read_where_its_kind_is_the_same() {
    let changed = [&["CNN", "DATE", "FCNN", "logistic regression", "random forest", "recurrent net"][..], &["DATE"]];
    for kind in kinds() {
        for (form, changed) in (1..).zip(changed) {
            let mut earlier = kind.bytes.clone();
            earlier[8] = form;
            let end = earlier.len() - 32;
            let sum = Sha256::digest(&earlier[..end]);
            earlier[end..].copy_from_slice(&sum);
            assert_eq!(ModelCard::read(&earlier).unwrap().kind(), kind.name);
            if changed.contains(&kind.name) {
                let expected = format!(
                    "it is a {} model of form {form}, which this version no longer reads; fit and save it again",
                    kind.name
                );
                assert_eq!(reason(&kind, &earlier), expected);
            } else {
                assert_eq!((kind.read)(&earlier).unwrap().0, kind.expected, "{}, form {form}", kind.name);
            }
        }
    }
}

/// A file of an earlier form, its card and body written by hand.
fn by_hand(form: u32, kind: &str, body: &[u8]) -> Vec<u8> {
    let card = format!(
        r#"{{"features":[],"kind":"{kind}","metrics":[],"parameters":"","program":"haetae 0.1.0","summary":"","training_data":""}}"#
    );
    let mut bytes = b"HAETAE\r\n".to_vec();
    bytes.extend(form.to_le_bytes());
    for part in [card.as_bytes(), body] {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part);
    }
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

#[test]
fn a_body_has_the_layout_that_it_had_in_earlier_forms() {
    let numbers = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let length = |length: u64| length.to_le_bytes().to_vec();
    let list = |values: &[f64]| [length(values.len() as u64), numbers(values)].concat();
    let text = |text: &str| [length(text.len() as u64), text.as_bytes().to_vec()].concat();
    // Scaling (names, means, deviations), centres, labels, inertia, rounds, parameters.
    let labels = [length(2), vec![0, 0, 0, 0, 1, 0, 0, 0]].concat();
    let scaling = [length(1), text("x"), list(&[2.0]), list(&[4.0])].concat();
    let rest = [list(&[-1.0, 1.0]), labels, numbers(&[0.5]), length(3), text("KMeansParams")].concat();
    let x = FeatureMatrix::new(vec!["x".to_owned()], vec![vec![7.0, -3.0]], vec![false]).unwrap();
    for form in [1, 2] {
        let platt = Platt::from_bytes(&by_hand(form, Platt::KIND, &numbers(&[-2.0, 1.0]))).unwrap();
        assert_eq!(platt.predict(&[0.5]), [0.5]);
        let steps = [list(&[1.0, 3.0]), list(&[0.25, 0.75])].concat();
        let isotonic = Isotonic::from_bytes(&by_hand(form, Isotonic::KIND, &steps)).unwrap();
        assert_eq!(isotonic.predict(&[0.0, 2.0, 4.0]), [0.25, 0.5, 0.75]);
        let body = [scaling.clone(), rest.clone()].concat();
        let means = KMeansModel::from_bytes(&by_hand(form, KMeansModel::KIND, &body)).unwrap();
        assert_eq!((means.predict(&x).unwrap(), means.labels()), (vec![1, 0], &[0, 1][..]));
        assert_eq!((means.inertia(), means.clusters()), (0.5, 2));
    }
}

/// Whether a byte belongs to the length of the body.
fn around_length(bytes: &[u8], at: usize) -> bool {
    let card = u64::from_le_bytes(bytes[12..20].try_into().unwrap()) as usize;
    (20 + card..28 + card).contains(&at)
}

#[test]
fn a_column_that_does_not_fit_is_named() {
    let (features, target) = mixed();
    let other = renamed(&features);
    let columns = (0..2).map(|i| features.column(i).to_vec()).collect();
    let untyped = FeatureMatrix::new(features.names().to_vec(), columns, vec![false; 2]).unwrap();
    let plain_columns = (0..2).map(|i| other.column(i).to_vec()).collect();
    let plain_untyped = FeatureMatrix::new(other.names().to_vec(), plain_columns, vec![false; 2]).unwrap();
    let few = FeatureMatrix::new(vec!["price per \"kg\"".to_owned()], vec![vec![1.0]], vec![false]).unwrap();
    let forest = RandomForest::params().trees(2).fit(&features, &target).unwrap();
    let forest = haetae_models::RandomForestModel::from_bytes(&forest.to_bytes(&card())).unwrap();
    let logistic = Logistic::params().fit(&features, &target).unwrap();
    let linear = LinearSvm::params().fit(&features, &target).unwrap();
    let lightgbm = LightGbm::params().trees(2).fit(&other, &target).unwrap();
    let fcnn = Fcnn::params().epochs(1).fit(&features, &target).unwrap();
    let recurrent = Recurrent::params().epochs(1).fit(&histories(&features, 9), &target).unwrap();
    type Predict<'a> = &'a dyn Fn(&FeatureMatrix) -> Result<Vec<f64>>;
    let predict: [(&str, Predict<'_>); 5] = [
        ("forest", &|x| forest.predict(x)),
        ("logistic", &|x| logistic.predict(x)),
        ("linear", &|x| linear.decision(x)),
        ("FCNN", &|x| fcnn.predict(x)),
        ("recurrent", &|x| recurrent.predict(&histories(x, 9))),
    ];
    for (name, predict) in predict {
        let message = |x| predict(x).unwrap_err().to_string();
        assert_eq!(message(&other), "feature 0: the model was fitted on `price per \"kg\"`, found `price`", "{name}");
        assert_eq!(message(&few), "feature 1: the model was fitted on `origin`, found `nothing`", "{name}");
        let expected = "feature `origin`: the model was fitted on categories, found numbers";
        assert!(message(&untyped).starts_with(expected), "{name}: {}", message(&untyped));
    }
    let error = lightgbm.predict(&plain_untyped).unwrap_err().to_string();
    assert!(error.starts_with("feature `origin`: the model was fitted on categories"), "{error}");
}
