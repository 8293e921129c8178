//! Columns of numbers by name, and frames as such columns.

use haetae_features::{Error, FeatureMatrix};
use polars::prelude::*;

use crate::data::{assert_close, days};

const NAN: f64 = f64::NAN;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn small() -> FeatureMatrix {
    FeatureMatrix::new(names(&["x", "y"]), vec![vec![1.0, NAN, 3.0], vec![4.0, 5.0, 6.0]], vec![false, true]).unwrap()
}

#[test]
fn values_are_found_by_row_and_column() {
    let matrix = small();
    assert_eq!((matrix.rows(), matrix.columns()), (3, 2));
    assert_eq!((matrix.position("y"), matrix.position("z")), (Some(1), None));
    assert_eq!(matrix.column(1), [4.0, 5.0, 6.0]);
    assert_close("values", matrix.values(), &[1.0, NAN, 3.0, 4.0, 5.0, 6.0], 0.0);
    assert_eq!((matrix.value(2, 0), matrix.value(0, 1)), (3.0, 4.0));
    assert_eq!((matrix.is_categorical(0), matrix.is_categorical(1)), (false, true));
}

#[test]
fn outside_there_is_nothing() {
    let matrix = small();
    // Row 3 of column 0 would be the first value of column 1 where columns lie one after another.
    assert!(matrix.value(3, 0).is_nan() && matrix.value(0, 2).is_nan());
    for column in [2, usize::MAX] {
        assert_eq!(matrix.column(column), [0.0; 0]);
        assert!(!matrix.is_categorical(column));
    }
}

#[test]
fn rows_are_taken_in_the_order_asked_for() {
    let taken = small().select_rows(&[2, 0, 2, 9, 1]);
    assert_eq!((taken.rows(), taken.columns(), taken.names()), (5, 2, small().names()));
    assert_close("x", taken.column(0), &[3.0, 1.0, 3.0, NAN, NAN], 0.0);
    assert_close("y", taken.column(1), &[6.0, 4.0, 6.0, NAN, 5.0], 0.0);
    assert!(!taken.is_categorical(0) && taken.is_categorical(1));
    assert_eq!(small().select_rows(&[]).rows(), 0);
}

#[test]
fn columns_that_do_not_fit_each_other_are_refused() {
    let error = FeatureMatrix::new(names(&["x", "y"]), vec![vec![1.0, 2.0], vec![3.0]], vec![false; 2]).unwrap_err();
    assert_eq!(error.to_string(), "matrix: column `y` has 1 rows; expected 2");
    assert!(matches!(error, Error::Shape { expected: 2, found: 1, .. }));
    for (columns, marks) in [(1, 2), (3, 2), (2, 1), (2, 3)] {
        let error = FeatureMatrix::new(names(&["x", "y"]), vec![vec![1.0]; columns], vec![false; marks]).unwrap_err();
        assert!(matches!(&error, Error::Setting { found, .. } if found.starts_with("2 names, ")), "{error}");
    }
    let none = FeatureMatrix::new(Vec::new(), Vec::new(), Vec::new()).unwrap();
    assert_eq!((none.rows(), none.columns()), (0, 0));
}

#[test]
fn a_frame_becomes_numbers_and_codes() {
    let mut frame = df!(
        "mode" => [Some("sea"), None, Some("air"), Some("sea")],
        "express" => [Some(true), Some(false), None, Some(true)],
        "items" => [7_i64, 8, 9, 10],
        "mass" => [Some(0.5), None, Some(-1.0), Some(f64::NAN)],
    )
    .unwrap();
    frame.with_column(days(&[0, 1, -1, 18_262])).unwrap();
    let matrix = FeatureMatrix::from_frame(&frame).unwrap();
    assert_eq!(matrix.names(), ["mode", "express", "items", "mass", "day"]);
    assert_close("mode", matrix.column(0), &[1.0, NAN, 0.0, 1.0], 0.0);
    assert_close("express", matrix.column(1), &[1.0, 0.0, NAN, 1.0], 0.0);
    assert_close("items", matrix.column(2), &[7.0, 8.0, 9.0, 10.0], 0.0);
    assert_close("mass", matrix.column(3), &[0.5, NAN, -1.0, NAN], 0.0);
    assert_close("day", matrix.column(4), &[0.0, 1.0, -1.0, 18_262.0], 0.0);
    let categorical: Vec<bool> = (0..5).map(|column| matrix.is_categorical(column)).collect();
    assert_eq!(categorical, [true, false, false, false, false]);
}

#[test]
fn a_frame_with_a_column_that_is_no_number_is_refused() {
    let infinite = df!("mass" => [1.0, f64::INFINITY]).unwrap();
    assert!(matches!(FeatureMatrix::from_frame(&infinite), Err(Error::Value { row: 1, .. })));
    let column = Column::new("took".into(), [1_i64]).cast(&DataType::Duration(TimeUnit::Milliseconds)).unwrap();
    let error = FeatureMatrix::from_frame(&DataFrame::new(1, vec![column]).unwrap()).unwrap_err();
    assert!(matches!(&error, Error::ColumnType { column, .. } if column == "took"), "{error}");
}

#[test]
fn a_matrix_becomes_a_frame_again() {
    let frame = small().to_frame().unwrap();
    assert_eq!(frame.shape(), (3, 2));
    let x: Vec<Option<f64>> = frame.column("x").unwrap().f64().unwrap().iter().collect();
    assert_eq!(x, [Some(1.0), None, Some(3.0)]);
    let again = FeatureMatrix::from_frame(&frame).unwrap();
    assert_close("values", again.values(), small().values(), 0.0);
    let twice = FeatureMatrix::new(names(&["x", "x"]), vec![vec![1.0], vec![2.0]], vec![false; 2]).unwrap();
    assert!(matches!(twice.to_frame(), Err(Error::Frame(_))));
}
