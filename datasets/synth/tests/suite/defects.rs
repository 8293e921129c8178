use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use haetae_synth::{Options, SynthError, generate};

use crate::dataset::{Frame, options};

#[test]
fn defects_are_listed_and_leave_the_rest_alone() {
    let home = tempfile::tempdir().unwrap();
    let make = |name: &str, defects: f64, threads: usize| {
        let out = home.path().join(name);
        let summary = generate(&Options { defects, threads, ..options(&out, 7, 20_000) }, &|_| {}).unwrap();
        (out, summary)
    };
    let (clean, none) = make("clean", 0.0, 1);
    let (spoilt, some) = make("spoilt", 0.05, 2);
    let (again, _) = make("again", 0.05, 1);
    assert!(!clean.join("truth/defects.parquet").exists());
    assert_eq!((none.defects, none.items), (0, some.items));
    let truth = Frame::read(&spoilt.join("truth/defects.parquet"));
    assert_eq!(truth.rows() as u64, some.defects);
    let planted: HashMap<(&str, &str), &str> =
        truth.word("table_name").into_iter().zip(truth.word("row_key")).zip(truth.word("column_name")).collect();
    assert_eq!(planted.len(), truth.rows(), "one row, one defect");
    let kinds: std::collections::BTreeSet<&str> = truth.word("kind").into_iter().collect();
    assert_eq!(kinds.len(), 24, "{kinds:?}");
    for table in ["fact_item", "fact_inspection", "dim_importer", "dim_seller"] {
        let file = format!("tables/{table}.parquet");
        let (before, after) = (Frame::read(&clean.join(&file)), Frame::read(&spoilt.join(&file)));
        let same = Frame::read(&again.join(&file));
        assert_eq!(after.0, same.0, "{table} depends on the number of threads");
        let key = |frame: &Frame, row: usize| {
            let first = frame.0.column(0).as_string::<i32>().value(row).to_owned();
            match frame.0.column_by_name("item_no") {
                Some(line) => format!("{first}/{}", line.as_primitive::<arrow::datatypes::Int32Type>().value(row)),
                None => first,
            }
        };
        let rows: HashMap<String, usize> = (0..after.rows()).map(|row| (key(&after, row), row)).collect();
        let mut changed = 0;
        for row in 0..before.rows() {
            let key = key(&before, row);
            let found = after.0.slice(rows[&key], 1);
            let differs = before.0.slice(row, 1) != found;
            assert_eq!(differs, planted.contains_key(&(table, key.as_str())), "{table} {key}");
            changed += usize::from(differs);
        }
        assert!(changed > 0, "{table}");
        assert_eq!(before.rows(), after.rows());
    }
    assert_eq!(
        truth.column("true_value").null_count(),
        truth.word("kind").iter().filter(|k| **k == "lodged_twice").count()
    );
}

#[test]
fn a_share_that_is_none_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for defects in [-0.1, 0.6, f64::NAN] {
        let error = generate(&Options { defects, ..options(&home.path().join("x"), 1, 10) }, &|_| {}).unwrap_err();
        assert!(matches!(error, SynthError::Defects { .. }), "{error}");
        assert!(error.to_string().contains("expected 0 to 0.5"), "{error}");
    }
}
