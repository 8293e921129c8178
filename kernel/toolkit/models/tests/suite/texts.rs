//! Texts as sparse rows: by the formula, whatever stands beside them, and through a file.

use haetae_models::{Error, Logistic, ModelCard, ModelFile, SparseMatrix, Tfidf, TfidfModel, TfidfParams, metrics};
use polars::prelude::*;

use crate::data::{Random, assert_close, bits};

fn frame(texts: &[Option<&str>]) -> DataFrame {
    df!("goods" => texts).unwrap()
}

fn goods() -> DataFrame {
    frame(&[Some("Steel pipe, steel"), Some("red wine"), None, Some("wine; RED wine glass"), Some("?"), Some("pipe")])
}

fn row(rows: &SparseMatrix, row: usize) -> (Vec<u32>, Vec<u64>) {
    let (positions, values) = rows.row(row);
    (positions.to_vec(), bits(values))
}

#[test]
fn a_text_has_the_numbers_of_the_formula() {
    let model = Tfidf::params().min_rows(1).fit(&goods(), "goods").unwrap();
    assert_eq!((model.terms().join(" ").as_str(), model.column()), ("glass pipe red steel wine", "goods"));
    // Of six rows.
    let rarity = |rows: f64| (7.0 / (1.0 + rows)).ln() + 1.0;
    assert_close("rarities", model.rarities(), &[1.0, 2.0, 2.0, 1.0, 2.0].map(rarity), 1e-15);
    let rows = model.transform(&goods()).unwrap();
    assert_eq!((rows.rows(), rows.columns(), rows.stored()), (6, 5, 8));
    let (pipe, steel) = (rarity(2.0), 2.0 * rarity(1.0));
    let length = pipe.hypot(steel);
    assert_eq!(rows.row(0).0, [1, 3]);
    assert_close("first row", rows.row(0).1, &[pipe / length, steel / length], 1e-15);
    let half = 0.5_f64.sqrt();
    assert_close("second row", rows.row(1).1, &[half, half], 1e-15);
    assert!(rows.row(2).0.is_empty() && rows.row(4).0.is_empty());
    // A term that is there twice counts less than two.
    let logarithmic = Tfidf::params().min_rows(1).logarithmic(true).fit(&goods(), "goods").unwrap();
    let steel = (1.0 + 2.0_f64.ln()) * rarity(1.0);
    let found = logarithmic.transform(&goods()).unwrap();
    assert_close("logarithmic", found.row(0).1, &[pipe / pipe.hypot(steel), steel / pipe.hypot(steel)], 1e-15);
}

#[test]
fn a_text_is_the_same_whatever_stands_beside_it() {
    let model = Tfidf::params().words(2).fit(&goods(), "goods").unwrap();
    let together = model.transform(&goods()).unwrap();
    for number in 0..6 {
        let alone = model.transform(&goods().slice(number as i64, 1)).unwrap();
        assert_eq!(row(&alone, 0), row(&together, number), "text {number}");
    }
    // Nor do later texts change how rare a term was.
    let later = frame(&[Some("red wine"), Some("wine"), Some("wine and other drinks"), Some("wine")]);
    let later = model.transform(&later).unwrap();
    assert_eq!(row(&later, 0), row(&together, 1));
    assert_eq!(row(&later, 1), row(&later, 2));
    let again = TfidfModel::from_bytes(&model.to_bytes(&ModelCard::new())).unwrap();
    assert_eq!(again.transform(&goods()).unwrap(), together);
    assert_eq!(format!("{again:?}"), "TF-IDF, 4 terms of the column `goods`");
}

#[test]
fn the_terms_are_those_of_enough_rows() {
    let terms = |params: TfidfParams| params.fit(&goods(), "goods").unwrap().terms().join(", ");
    assert_eq!(terms(Tfidf::params()), "pipe, red, wine");
    assert_eq!(terms(Tfidf::params().words(2)), "pipe, red, red wine, wine");
    assert_eq!(terms(Tfidf::params().min_rows(1).terms(4)), "glass, pipe, red, wine");
    assert_eq!(terms(Tfidf::params().min_rows(1).terms(1)), "pipe");
}

#[test]
fn words_tell_goods_apart_on_any_number_of_threads() {
    let mut random = Random::new(3);
    let (drinks, metals) = (["wine", "beer", "juice", "water"], ["steel", "copper", "pipe", "bolt"]);
    let mut draw = |rows: usize| {
        let (mut texts, mut target) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            let drink = random.percent(50);
            let own = if drink { drinks } else { metals };
            let words: Vec<&str> = (0..3).map(|_| own[random.below(4) as usize]).chain(["new", "box"]).collect();
            texts.push(words.join(" "));
            target.push(f64::from(drink));
        }
        (df!("text" => texts).unwrap(), target)
    };
    let ((train, target), (later, truth)) = (draw(3_000), draw(500));
    let fit = || Tfidf::params().words(2).fit(&train, "text").unwrap();
    let model = fit();
    let rows = model.transform(&train).unwrap();
    let learnt = Logistic::params().fit_sparse(&rows, &target).unwrap();
    let scores = learnt.predict_sparse(&model.transform(&later).unwrap()).unwrap();
    assert!(metrics::auc(&truth, &scores).unwrap() > 0.999);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let again = fit();
            assert_eq!((again.terms(), bits(again.rarities())), (model.terms(), bits(model.rarities())));
            assert_eq!(again.transform(&train).unwrap(), rows);
        });
    }
}

#[test]
fn columns_that_are_no_texts_are_refused() {
    let fit = |frame: &DataFrame| Tfidf::params().fit(frame, "goods").unwrap_err().to_string();
    let numbers = fit(&df!("goods" => [1, 2]).unwrap());
    assert!(numbers.contains("column `goods`, needed for TF-IDF: expected text, found i32"), "{numbers}");
    let missing = fit(&df!("other" => ["a"]).unwrap());
    assert!(missing.contains("goods") && missing.contains("other"), "{missing}");
    for texts in [vec![None, None], vec![Some("!"), Some("")], vec![Some("one"), Some("two")]] {
        let error = fit(&frame(&texts));
        assert!(error.contains("terms that as many rows as `min_rows` have, found 0"), "{error}");
    }
    let empty = Tfidf::params().fit(&frame(&[]), "goods");
    assert!(matches!(empty, Err(Error::Empty { rows: 0, .. })), "{empty:?}");
    let model = Tfidf::params().fit(&goods(), "goods").unwrap();
    assert!(model.transform(&df!("other" => ["a"]).unwrap()).is_err());
    assert_eq!(model.transform(&frame(&[])).unwrap().rows(), 0);
    let params = Tfidf::params;
    for (name, wrong) in
        [("words", params().words(0)), ("min_rows", params().min_rows(0)), ("terms", params().terms(0))]
    {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
}
