//! Reports of a cohort, to its progress, what is found hard, and certificates.

use std::fs;
use std::path::Path;

use haetae_course::Course;
use haetae_course::grade::{Apart, Mark, Report};
use haetae_course::progress::{Ledger, record};

fn ours() -> Course {
    Course::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A report with the first questions of a module right.
fn report(course: &Course, module: &str, trainee: u32, right: usize) -> Report {
    let module = course.module(module).unwrap();
    let mark = |(at, question): (usize, &haetae_course::source::Question)| Mark {
        question: question.name.clone(),
        points: if at < right { question.points } else { 0 },
        of: question.points,
        says: if at < right { String::new() } else { format!("Exercise {}, not yet: look again", question.name) },
    };
    let marks: Vec<Mark> = module.questions.iter().enumerate().map(mark).collect();
    let points = marks.iter().map(|mark| mark.points).sum();
    Report {
        module: module.name.clone(),
        trainee: Some(trainee),
        points,
        of: module.points(),
        marks,
        notes: vec![],
        isolation: Apart::None,
    }
}

#[test]
fn the_best_of_all_submissions_counts_and_cohorts_add_up() {
    let course = ours();
    let folder = tempfile::tempdir().unwrap();
    let (ledger, roster) = (folder.path().join("ledger"), folder.path().join("roster"));
    for (trainee, right) in [(7, 1), (7, 4), (7, 2), (8, 0), (99, 4)] {
        record(&ledger, &report(&course, "01-tour", trainee, right)).unwrap();
    }
    fs::write(&roster, "7,spring\n8,spring\n9,autumn\n").unwrap();
    let read = Ledger::read(&ledger, Some(&roster)).unwrap();
    let table = read.table(&course);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1][..2], ["7", "7/7"]);
    assert_eq!(lines[2][..2], ["8", "0/7"]);
    assert_eq!(lines[3][..3], ["9", "-", "-"]);
    let modules = course.modules.len();
    assert!(table.contains("cohort autumn: 1 trainees, 0 of"), "{table}");
    assert!(table.contains(&format!("cohort spring: 2 trainees, 1 of {} modules passed", 2 * modules)), "{table}");
    assert!(!table.contains("99"), "{table}");
    let statistics = read.statistics(&course);
    let q2: Vec<&str> =
        statistics.lines().find(|line| line.starts_with("01-tour q2")).unwrap().split_whitespace().collect();
    assert_eq!(q2[2..8], ["2", "1", "4", "2", "x", "Exercise"], "{statistics}");
    assert_eq!(statistics.lines().count(), 5, "{statistics}");
}

#[test]
fn a_certificate_is_for_those_who_have_passed_all_modules() {
    let course = ours();
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let basic: Vec<&str> =
        course.modules.iter().filter(|module| module.level == "basic").map(|module| module.name.as_str()).collect();
    for module in &basic[1..] {
        record(&ledger, &report(&course, module, 7, 6)).unwrap();
    }
    record(&ledger, &report(&course, "01-tour", 7, 1)).unwrap();
    let certificate = |level: &str| Ledger::read(&ledger, None).unwrap().certificate(&course, 7, level);
    let error = certificate("basic").unwrap_err().to_string();
    assert!(error.ends_with("trainee 7 has not passed the basic level yet: 01-tour (1 of 7 points)"), "{error}");
    record(&ledger, &report(&course, "01-tour", 7, 3)).unwrap();
    let text = certificate("basic").unwrap();
    assert!(text.contains("Trainee 7 has passed the basic level"), "{text}");
    assert!(text.contains("| A tour of the workbench | 5 of 7 |"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), basic.len() + 2);
    let error = certificate("advanced").unwrap_err().to_string();
    assert!(
        error.contains("17-drift (nothing handed in)") && error.contains("20-fairness (nothing handed in)"),
        "{error}"
    );
    for module in ["17-drift", "18-scorecard", "19-nets", "20-fairness"] {
        record(&ledger, &report(&course, module, 7, 4)).unwrap();
    }
    let text = certificate("advanced").unwrap();
    assert!(text.contains("Trainee 7 has passed the advanced level"), "{text}");
    assert!(text.contains("| **All** | **44 of 44** |"), "{text}");
}

#[test]
fn a_file_that_is_of_another_form_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, roster) = (folder.path().join("ledger"), folder.path().join("roster"));
    fs::write(&ledger, "\n{\"module\": 1}\n").unwrap();
    let error = Ledger::read(&ledger, None).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("ledger:2: expected a report"), "{error}");
    fs::write(&ledger, "").unwrap();
    for (text, part) in [
        ("7", "roster:1: expected NUMBER,COHORT, found `7`"),
        ("7,a\nseven,a", "roster:2: expected a number first"),
        ("0,a", "expected a number from 1 to 999999"),
        ("7,a\n7,b", "roster:2: this trainee is enrolled twice"),
    ] {
        fs::write(&roster, text).unwrap();
        let error = Ledger::read(&ledger, Some(&roster)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(part), "expected `{part}` in: {error}");
    }
}
