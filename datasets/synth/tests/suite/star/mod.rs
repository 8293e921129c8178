//! The tables around the lines agree with them and with one another.

mod companies;
mod days;
mod money;
mod papers;
mod persons;

use std::collections::HashMap;

use haetae_synth::{Options, generate};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::dataset::{Frame, demo, options};

/// Sums of a column by a text column.
fn sums<'a>(frame: &'a Frame, by: &str, column: &str) -> HashMap<&'a str, f64> {
    let mut sums = HashMap::new();
    frame
        .word(by)
        .into_iter()
        .zip(frame.number(column))
        .for_each(|(key, value)| *sums.entry(key).or_insert(0.0) += value);
    sums
}

/// Rows by a text column without nulls.
fn index<'a>(frame: &'a Frame, key: &str) -> HashMap<&'a str, usize> {
    frame.word(key).into_iter().enumerate().map(|(row, key)| (key, row)).collect()
}

#[test]
fn the_lines_are_the_same_without_the_tables_around_them() {
    let home = tempfile::tempdir().unwrap();
    let make = |name: &str, core| {
        let out = home.path().join(name);
        let made = generate(&Options { core, ..options(&out, 5, 3_000) }, &|_| {}).unwrap();
        (out, made)
    };
    let ((whole, all), (core, few)) = (make("whole", false), make("core", true));
    assert!(few.rows < all.rows && few.items == all.items);
    let mut files = 0;
    for folder in ["tables", "truth"] {
        for entry in std::fs::read_dir(core.join(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            let read = |root: &std::path::Path| std::fs::read(root.join(folder).join(&name)).unwrap();
            assert!(read(&core) == read(&whole), "{name:?}");
            files += 1;
        }
    }
    assert_eq!(files, 11 + 4);
}

#[test]
fn the_summary_counts_the_rows_that_are_served() {
    let (_, out, made) = demo();
    let rows: usize = std::fs::read_dir(out.join("tables"))
        .unwrap()
        .map(|entry| {
            let file = std::fs::File::open(entry.unwrap().path()).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            reader.metadata().file_metadata().num_rows() as usize
        })
        .sum();
    assert_eq!(rows as u64, made.rows);
}
