//! What a model has to beat, and the audit that says how much a table alone could answer.

use std::collections::HashMap;

use haetae_models::{Audit, Error, ImporterHistory, Lookup, metrics};
use polars::prelude::*;

use crate::data::{assert_close, items, labelled, labels};

fn small() -> DataFrame {
    df!("goods" => ["A", "A", "B", "C", "C"], "fraud" => [true, true, false, true, false]).unwrap()
}

fn texts(frame: &DataFrame, name: &str) -> Vec<String> {
    frame.column(name).unwrap().str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
}

fn wholes(frame: &DataFrame, name: &str) -> Vec<i64> {
    frame.column(name).unwrap().i64().unwrap().iter().map(Option::unwrap).collect()
}

#[test]
fn a_table_of_keys_answers_what_it_has_and_the_rate_for_the_rest() {
    let lookup = Lookup::fit(&small(), &["goods"], "fraud").unwrap();
    let asked = df!("goods" => [Some("A"), Some("B"), Some("C"), Some("D"), None]).unwrap();
    // The overall rate of 3 in 5 counts as one row more.
    let expected = [(2.0 + 0.6) / 3.0, 0.6 / 2.0, (1.0 + 0.6) / 3.0, 0.6, 0.6];
    assert_close("rate", &lookup.score(&asked).unwrap(), &expected, 1e-15);
    assert_eq!(lookup.knows(&asked).unwrap(), [true, true, true, false, false]);
}

#[test]
fn a_table_of_several_columns_is_one_of_combinations() {
    let (train, other) = (labelled(&items(1, 400, 0, 200, 30)), items(2, 200, 200, 50, 60));
    let lookup = Lookup::fit(&train, &["importer_id", "goods"], "fraud").unwrap();
    let keys =
        |frame: &DataFrame| texts(frame, "importer_id").into_iter().zip(wholes(frame, "goods")).collect::<Vec<_>>();
    let mut table: HashMap<(String, i64), (f64, f64)> = HashMap::new();
    let target = labels(&train);
    for (key, label) in keys(&train).into_iter().zip(&target) {
        let entry = table.entry(key).or_default();
        *entry = (entry.0 + label, entry.1 + 1.0);
    }
    let overall = target.iter().sum::<f64>() / target.len() as f64;
    let found = keys(&other).into_iter().map(|key| table.get(&key).copied()).collect::<Vec<_>>();
    let expected = found.iter().map(|entry| entry.map_or(overall, |(hits, rows)| (hits + overall) / (rows + 1.0)));
    assert_close("rate", &lookup.score(&other).unwrap(), &expected.collect::<Vec<_>>(), 1e-12);
    assert_eq!(lookup.knows(&other).unwrap(), found.iter().map(Option::is_some).collect::<Vec<_>>());
    assert!(found.iter().any(Option::is_some) && found.iter().any(Option::is_none));
}

#[test]
fn a_table_needs_labelled_rows() {
    let none = small().head(Some(0));
    assert!(matches!(Lookup::fit(&none, &["goods"], "fraud"), Err(Error::NoLabels { rows: 0, .. })));
    let error = Lookup::fit(&small(), &["hs6"], "fraud").unwrap_err().to_string();
    assert_eq!(error, "column `hs6`, needed for a key, is not in the frame; found: goods, fraud");
    let error = Lookup::fit(&items(1, 50, 0, 9, 5), &["goods"], "fraud").unwrap_err();
    assert!(error.to_string().contains("expected 0 or 1, found null"), "{error}");
    let lookup = Lookup::fit(&small(), &["goods"], "fraud").unwrap();
    assert!(lookup.score(&df!("goods" => [1, 2]).unwrap()).is_err());
}

#[test]
fn an_importer_is_judged_by_its_earlier_rows() {
    let (train, later) = (items(3, 300, 0, 60, 5), items(4, 100, 50, 30, 5));
    let history = ImporterHistory::fit(&train, "importer_id", "fraud", "declaration_date").unwrap();
    let day = |frame: &DataFrame| {
        let days = frame.column("declaration_date").unwrap().cast(&DataType::Int32).unwrap();
        days.i32().unwrap().iter().map(Option::unwrap).collect::<Vec<_>>()
    };
    let fraud: Vec<Option<bool>> = train.column("fraud").unwrap().bool().unwrap().iter().collect();
    let (known_days, known_importers) = (day(&train), texts(&train, "importer_id"));
    for frame in [&train, &later] {
        let expected: Vec<f64> = day(frame)
            .into_iter()
            .zip(texts(frame, "importer_id"))
            .map(|(day, importer)| {
                let earlier: Vec<(usize, f64)> = (0..fraud.len())
                    .filter(|&i| known_days[i] < day)
                    .filter_map(|i| Some((i, f64::from(fraud[i]?))))
                    .collect();
                let overall = earlier.iter().map(|(_, label)| label).sum::<f64>() / earlier.len() as f64;
                let own = earlier.iter().filter(|(i, _)| known_importers[*i] == importer);
                let (rows, hits) = own.fold((0.0, 0.0), |(rows, hits), (_, label)| (rows + 1.0, hits + label));
                if earlier.is_empty() { 0.0 } else { (hits + 10.0 * overall) / (rows + 10.0) }
            })
            .collect();
        assert_close("rate", &history.score(frame).unwrap(), &expected, 1e-12);
        assert!(expected.iter().any(|rate| *rate > 0.3) && expected.iter().all(|rate| *rate < 0.9));
    }
    assert!(ImporterHistory::fit(&train, "seller_id", "fraud", "declaration_date").is_err());
}

#[test]
fn the_audit_counts_what_a_table_could_answer() {
    let evaluated = df!("goods" => ["A", "B", "D", "C"], "fraud" => [true, false, false, true]).unwrap();
    let audit = Audit::of(&small(), &evaluated, &["goods"], "fraud").unwrap();
    assert_eq!((audit.rows, audit.seen, audit.keys, audit.repeated, audit.agreeing), (4, 3, 3, 2, 1));
    assert_eq!((audit.key.as_slice(), audit.seen_share(), audit.agreement()), (&["goods".to_owned()][..], 0.75, 0.5));
    // A 0.867, C 0.533 against B 0.3, D 0.6: three of four pairs are in order.
    assert_eq!(audit.lookup_auc, 0.75);
    let text = "Leakage audit by goods: 3 of 4 evaluated rows (75.0 %) have their key in training; 1 of 2 repeated \
                training keys (50.0 %) carry one label only; a table of keys alone reaches AUC 0.750.";
    assert_eq!(audit.to_string(), text);
}

#[test]
fn an_audit_of_unique_keys_and_one_class_says_so() {
    let train = df!("goods" => [1, 2, 3], "fraud" => [1, 0, 0]).unwrap();
    let evaluated = df!("goods" => [3, 4], "fraud" => [0, 0]).unwrap();
    let audit = Audit::of(&train, &evaluated, &["goods"], "fraud").unwrap();
    assert_eq!((audit.seen, audit.keys, audit.repeated, audit.agreeing), (1, 3, 0, 0));
    assert!(audit.agreement().is_nan() && audit.lookup_auc.is_nan());
    let text = "Leakage audit by goods: 1 of 2 evaluated rows (50.0 %) have their key in training; none of the 3 \
                training keys is repeated; the evaluated rows have one class only.";
    assert_eq!(audit.to_string(), text);
}

#[test]
fn the_audit_of_a_larger_set_agrees_with_the_table() {
    let (train, evaluated) = (labelled(&items(5, 500, 0, 90, 40)), labelled(&items(6, 300, 90, 30, 80)));
    let audit = Audit::of(&train, &evaluated, &["goods"], "fraud").unwrap();
    let mut table: HashMap<i64, Vec<f64>> = HashMap::new();
    for (key, label) in wholes(&train, "goods").into_iter().zip(labels(&train)) {
        table.entry(key).or_default().push(label);
    }
    let seen = wholes(&evaluated, "goods").into_iter().filter(|key| table.contains_key(key)).count();
    let repeated: Vec<&Vec<f64>> = table.values().filter(|labels| labels.len() > 1).collect();
    let agreeing = repeated.iter().filter(|labels| labels.iter().all(|label| *label == labels[0])).count();
    assert_eq!((audit.seen, audit.keys), (seen, table.len()));
    assert_eq!((audit.repeated, audit.agreeing), (repeated.len(), agreeing));
    let scores = Lookup::fit(&train, &["goods"], "fraud").unwrap().score(&evaluated).unwrap();
    assert_eq!(audit.lookup_auc, metrics::auc(&labels(&evaluated), &scores).unwrap());
}

#[test]
fn an_audit_needs_rows_on_both_sides() {
    let none = small().head(Some(0));
    assert!(matches!(Audit::of(&none, &small(), &["goods"], "fraud"), Err(Error::NoLabels { .. })));
    assert!(matches!(Audit::of(&small(), &none, &["goods"], "fraud"), Err(Error::NoLabels { .. })));
    assert!(matches!(Audit::of(&small(), &small(), &[], "fraud"), Err(Error::Features(_))));
}
