//! Rows apart: before and after a day, and in groups that stay together.

use haetae_features::{Error, Fold, day_range, group_folds, rows, split_at, time_folds};
use polars::prelude::*;

use crate::data::{NEW_YEAR, frame, rows as random_rows};

fn numbers(frame: &DataFrame, name: &str) -> Vec<i32> {
    frame.column(name).unwrap().i32().unwrap().iter().map(Option::unwrap).collect()
}

#[test]
fn the_day_itself_belongs_to_what_comes_after() {
    let mut frame = df!("number" => [0, 1, 2, 3, 4, 5]).unwrap();
    frame.with_column(crate::data::days(&[18_264, 18_262, 18_263, 18_265, 18_263, 18_262])).unwrap();
    let split = split_at(&frame, "day", "2020-01-02").unwrap();
    assert_eq!(numbers(&split.before, "number"), [1, 5]);
    assert_eq!(numbers(&split.after, "number"), [0, 2, 3, 4]);
    assert_eq!(split.before.get_column_names(), frame.get_column_names());
    // A cut outside leaves one side without rows, and with its columns.
    let split = split_at(&frame, "day", "2019-12-31").unwrap();
    assert_eq!((split.before.shape(), split.after.shape()), ((0, 2), (6, 2)));
    assert_eq!(day_range(&frame, "day").unwrap(), Some((18_262, 18_265)));
    assert_eq!(day_range(&split.before, "day").unwrap(), None);
}

#[test]
fn a_cut_needs_a_day_and_every_row_a_date() {
    let frame = df!("day" => [Some("2021-03-01"), None]).unwrap();
    for day in ["2021-02-29", "01.03.2021", "2021-3-1", ""] {
        let error = split_at(&frame, "day", day).unwrap_err();
        assert_eq!(error.to_string(), format!("`{day}` is not a date; expected YYYY-MM-DD, such as 2021-01-01"));
    }
    assert!(matches!(split_at(&frame, "day", "2021-01-01"), Err(Error::Value { row: 1, .. })));
    assert!(matches!(split_at(&frame, "date", "2021-01-01"), Err(Error::ColumnMissing { .. })));
    assert!(matches!(day_range(&frame, "day"), Err(Error::Value { row: 1, .. })));
}

#[test]
fn rows_come_in_the_order_asked_for() {
    let frame = df!("number" => [10, 11, 12]).unwrap();
    assert_eq!(numbers(&rows(&frame, &[2, 0, 2]).unwrap(), "number"), [12, 10, 12]);
    assert_eq!(rows(&frame, &[]).unwrap().shape(), (0, 1));
    for outside in [3, usize::MAX] {
        assert!(matches!(rows(&frame, &[0, outside]), Err(Error::Frame(_))), "row {outside}");
    }
}

#[test]
fn groups_stay_together_and_every_row_is_in_one_part() {
    for seed in 81..85 {
        let items = random_rows(seed, 250, NEW_YEAR, 0);
        let folds = group_folds(&frame(&items), &["importer_id", "hs6"], 4).unwrap();
        assert_eq!(folds.len(), 4);
        let mut fold_of = vec![None; items.len()];
        for (number, fold) in folds.iter().enumerate() {
            assert!(fold.is_sorted(), "rows of a part are in their order");
            for &row in fold {
                assert_eq!(fold_of[row].replace(number), None, "row {row} is in two parts");
            }
        }
        assert!(fold_of.iter().all(Option::is_some), "every row is in a part");
        for (a, row) in items.iter().enumerate() {
            for (b, other) in items.iter().enumerate() {
                // Null is a group too: rows without an importer stay together.
                let together = (&row.importer, &row.hs6) == (&other.importer, &other.hs6);
                assert!(!together || fold_of[a] == fold_of[b], "rows {a} and {b} are apart");
            }
        }
        let sizes: Vec<usize> = folds.iter().map(Vec::len).collect();
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        assert!(most - least <= 12, "{sizes:?}");
        assert_eq!(group_folds(&frame(&items), &["importer_id", "hs6"], 4).unwrap(), folds);
    }
}

#[test]
fn a_day_is_never_cut_and_every_later_row_judges_once() {
    for (seed, slices) in [(91, 1), (92, 3), (93, 6), (94, 11)] {
        let items = random_rows(seed, 250, NEW_YEAR, 0);
        let folds = time_folds(&frame(&items), "declaration_date", slices).unwrap();
        assert_eq!(folds.len(), slices);
        let mut judged = vec![0; items.len()];
        for (number, fold) in folds.iter().enumerate() {
            assert!(
                fold.learn.is_sorted() && fold.judge.is_sorted() && !fold.learn.is_empty() && !fold.judge.is_empty()
            );
            let last = fold.learn.iter().map(|&row| items[row].day).max().unwrap();
            assert!(fold.judge.iter().all(|&row| items[row].day > last), "fold {number} of {slices}");
            fold.judge.iter().for_each(|&row| judged[row] += 1);
            if let Some(next) = folds.get(number + 1) {
                assert_eq!(next.learn.len(), fold.learn.len() + fold.judge.len());
            }
        }
        let first = &folds[0].learn;
        assert!((0..items.len()).all(|row| judged[row] == usize::from(!first.contains(&row))));
    }
    // Days of 1, 1, 6, 1 and 1 rows: the cuts nearest to a half, and to a third and two thirds.
    let days = [1, 2, 3, 3, 3, 3, 3, 3, 4, 5];
    let uneven = df!("day" => days).unwrap();
    let cuts = |slices: usize| {
        let folds = time_folds(&uneven, "day", slices).unwrap();
        folds.iter().map(|fold| fold.learn.len()).collect::<Vec<_>>()
    };
    assert_eq!((cuts(1), cuts(2), cuts(4)), (vec![2], vec![2, 8], vec![1, 2, 8, 9]));
    for (slices, days) in [(0, 5), (5, 5), (usize::MAX, 5)] {
        let error = time_folds(&uneven, "day", slices).unwrap_err().to_string();
        let expected = "slices in time: expected at least 1 and fewer than there are days";
        assert_eq!(error, format!("{expected}, found {slices} slices for {days} days"));
    }
    assert!(time_folds(&uneven.head(Some(0)), "day", 1).unwrap_err().to_string().ends_with("1 slices for 0 days"));
    assert!(time_folds(&df!("day" => [7, 7]).unwrap(), "day", 1).is_err());
    assert!(matches!(time_folds(&df!("day" => [Some(7), None]).unwrap(), "day", 1), Err(Error::Value { row: 1, .. })));
}

#[test]
fn each_part_is_left_out_once() {
    let folds = Fold::leaving_out(&[vec![0, 3], vec![2], vec![1, 4]]);
    let expected = [(vec![1, 2, 4], vec![0, 3]), (vec![0, 1, 3, 4], vec![2]), (vec![0, 2, 3], vec![1, 4])];
    assert_eq!(folds, expected.map(|(learn, judge)| Fold { learn, judge }));
    assert!(Fold::leaving_out(&[]).is_empty());
}

#[test]
fn the_largest_groups_are_dealt_first_to_the_emptiest_part() {
    // Groups of 1, 5, 2, 4, 3, 3 rows in the order of their first rows.
    let sizes = [("a", 1), ("b", 5), ("c", 2), ("d", 4), ("e", 3), ("f", 3)];
    let groups: Vec<&str> = sizes.iter().flat_map(|&(name, size)| vec![name; size]).collect();
    let folds = group_folds(&df!("group" => &groups).unwrap(), &["group"], 3).unwrap();
    let parts: Vec<Vec<&str>> = folds
        .iter()
        .map(|fold| {
            let mut names: Vec<&str> = fold.iter().map(|&row| groups[row]).collect();
            names.dedup();
            names
        })
        .collect();
    // 5, 4, 3 rows; then 3 to the third, 2 to the second, 1 to the first: 6 rows each.
    assert_eq!(parts, [["a", "b"], ["c", "d"], ["e", "f"]]);
    assert!(folds.iter().all(|fold| fold.len() == 6));
}

#[test]
fn folds_need_groups() {
    let frame = df!("group" => ["a", "b", "c", "a"]).unwrap();
    for folds in [0, 1, 4] {
        let expected = "number of folds: expected at least 2 and at most as many as there are groups";
        let error = group_folds(&frame, &["group"], folds).unwrap_err();
        assert_eq!(error.to_string(), format!("{expected}, found {folds} folds for 3 groups"));
    }
    assert_eq!(group_folds(&frame, &["group"], 3).unwrap(), [vec![0, 3], vec![1], vec![2]]);
    assert!(matches!(group_folds(&frame, &["key"], 2), Err(Error::ColumnMissing { column, .. }) if column == "key"));
    assert!(group_folds(&frame.head(Some(0)), &["group"], 2).is_err());
}
