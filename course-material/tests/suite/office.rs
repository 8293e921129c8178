//! What a training office gives in, and the figures that it gets, without a server.

use std::fs;

use haetae_course::cohort::{Answer, PROGRESS, Person, STATISTICS, day, people};
use haetae_course::progress::pass_points;

#[test]
fn people_are_numbers_with_or_without_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roster");
    fs::write(&file, "7\n\n 8 , Kim, of the north\n").unwrap();
    let named = Person { trainee: 8, name: Some("Kim, of the north".to_owned()) };
    assert_eq!(people(&file).unwrap(), [Person { trainee: 7, name: None }, named]);
    for (text, part) in [
        ("seven", "roster:1: expected NUMBER or NUMBER,NAME, found `seven`"),
        ("7\n0,Kim", "roster:2: expected a number from 1 to 999999"),
        ("7\n7,Kim", "roster:2: this trainee stands here twice"),
    ] {
        fs::write(&file, text).unwrap();
        let error = people(&file).unwrap_err().to_string();
        assert!(error.contains(part), "expected `{part}` in: {error}");
    }
}

#[test]
fn days_are_days() {
    assert_eq!((day("1970-01-01").unwrap(), day("2024-10-04").unwrap()), (0, 20_000));
    for wrong in ["2026-02-30", "2026-3-2", "20260302", "2026-03-02T10:00", "soon", ""] {
        let error = day(wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("found `{wrong}`")), "{error}");
    }
}

#[test]
fn a_module_is_passed_with_sixty_percent_and_not_with_a_point_less() {
    for of in 1..=200 {
        let pass = pass_points(of);
        assert!(pass * 10 >= of * 6 && (pass - 1) * 10 < of * 6, "{pass} of {of}");
    }
}

#[test]
fn an_answer_is_a_table_of_text() {
    let text = |cells: &[Option<&str>]| cells.iter().map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>();
    let columns = vec!["module".to_owned(), "says".to_owned()];
    let rows = vec![text(&[Some("01-tour"), None]), text(&[Some("관세"), Some("two\nlines")])];
    let answer = Answer { columns, rows };
    assert_eq!(answer.table(), "module   says\n01-tour  -\n관세       two lines\n");
    assert_eq!(answer.texts(1).collect::<Vec<_>>(), ["two\nlines"]);
}

#[test]
fn every_figure_can_be_kept_to_one_cohort() {
    for (title, sql) in PROGRESS.iter().chain(&STATISTICS) {
        let facts = ["enrolments", "grades", "marks", "submissions s"];
        let reads = facts.iter().filter(|table| sql.contains(&format!("from course.{table}"))).count();
        assert!(sql.matches("cohort like $1").count() >= reads && reads > 0, "{title}");
    }
}
