//! Combinations of values: which are one, which are not, and which were seen before.

use std::collections::HashMap;

use haetae_features::{Error, KeySet};
use polars::prelude::*;

use crate::data::{NEW_YEAR, frame, rows};

#[test]
fn combinations_are_those_of_a_plain_table() {
    let (known, other) = (rows(71, 300, NEW_YEAR, 0), rows(72, 300, NEW_YEAR, 3));
    let set = KeySet::fit(&frame(&known), &["importer_id", "office_id", "net_mass_kg"]).unwrap();
    let mut table: HashMap<_, usize> = HashMap::new();
    let mut key = |row: &crate::data::Row, learn: bool| {
        let key = (row.importer.clone(), row.office, row.mass.map(f64::to_bits));
        let next = table.len();
        if learn { Some(*table.entry(key).or_insert(next)) } else { table.get(&key).copied() }
    };
    let expected: Vec<Option<usize>> = known.iter().map(|row| key(row, true)).collect();
    assert_eq!(set.positions(&frame(&known)).unwrap(), expected);
    let expected: Vec<Option<usize>> = other.iter().map(|row| key(row, false)).collect();
    assert_eq!(set.positions(&frame(&other)).unwrap(), expected);
    let seen: Vec<bool> = expected.iter().map(Option::is_some).collect();
    assert_eq!(set.contains(&frame(&other)).unwrap(), seen);
    assert!(seen.contains(&true) && seen.contains(&false));
    assert_eq!((set.len(), set.is_empty()), (table.len(), false));
}

#[test]
fn null_is_a_value_of_its_own_and_seen_only_where_it_was() {
    let known = df!("seller" => [Some("a"), None, Some("")], "courier" => [None, Some("x"), Some("x")]).unwrap();
    let set = KeySet::fit(&known, &["seller", "courier"]).unwrap();
    assert_eq!(set.len(), 3);
    let asked = df!(
        "seller" => [None, None, Some(""), Some("a"), Some("b")],
        "courier" => [Some("x"), None, Some("x"), Some("x"), None],
    )
    .unwrap();
    // Every single value was seen; what counts is the combination.
    assert_eq!(set.positions(&asked).unwrap(), [Some(1), None, Some(2), None, None]);
    let sellers = KeySet::fit(&known.head(Some(1)), &["seller"]).unwrap();
    assert_eq!(sellers.contains(&known).unwrap(), [true, false, false]);
}

#[test]
fn neighbouring_texts_do_not_run_into_each_other() {
    let known = df!("a" => ["ab", "a"], "b" => ["c", "bc"]).unwrap();
    let set = KeySet::fit(&known, &["a", "b"]).unwrap();
    assert_eq!(set.positions(&known).unwrap(), [Some(0), Some(1)]);
    let swapped = df!("a" => ["ab", "abc"], "b" => ["bc", ""]).unwrap();
    assert_eq!(set.contains(&swapped).unwrap(), [false, false]);
}

#[test]
fn numbers_are_one_where_they_are_equal() {
    let known = df!("rate" => [0.0, 0.1, 0.3, 8.0]).unwrap();
    let set = KeySet::fit(&known, &["rate"]).unwrap();
    let asked = df!("rate" => [Some(-0.0), Some(0.1 + 0.2), Some(0.1), None, Some(f64::NAN)]).unwrap();
    assert_eq!(set.positions(&asked).unwrap(), [Some(0), None, Some(1), None, None]);
    // A whole number is the same in a column of whole numbers.
    assert_eq!(set.contains(&df!("rate" => [8_i64, 3]).unwrap()).unwrap(), [true, false]);
}

#[test]
fn whole_numbers_too_great_to_tell_apart_are_refused() {
    // 2^53 and 2^53 + 1 are one as f64; two importers must not become one in silence.
    let most = (1_i64 << 53) - 1;
    let fits = df!("importer" => [most, -most, most - 1]).unwrap();
    assert_eq!(KeySet::fit(&fits, &["importer"]).unwrap().len(), 3);
    let wide = df!("importer" => [1, most + 1, most + 2]).unwrap();
    let error = KeySet::fit(&wide, &["importer"]).unwrap_err();
    assert!(matches!(&error, Error::Value { column, row: 1, .. } if column == "importer"), "{error}");
    assert!(error.to_string().contains("make text of the column"), "{error}");
    let set = KeySet::fit(&fits, &["importer"]).unwrap();
    assert!(matches!(set.contains(&wide), Err(Error::Value { row: 1, .. })));
}

#[test]
fn a_key_needs_columns_but_no_rows() {
    let none = df!("a" => Vec::<String>::new()).unwrap();
    let set = KeySet::fit(&none, &["a"]).unwrap();
    assert_eq!((set.len(), set.is_empty()), (0, true));
    assert_eq!(set.contains(&df!("a" => ["x"]).unwrap()).unwrap(), [false]);
    let error = KeySet::fit(&none, &[]).unwrap_err();
    assert_eq!(error.to_string(), "a key: expected at least one column, found none");
    assert!(matches!(KeySet::fit(&none, &["b"]), Err(Error::ColumnMissing { column, .. }) if column == "b"));
}
