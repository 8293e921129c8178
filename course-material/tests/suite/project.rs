//! Predictions beside findings that were kept apart, to figures that can be counted by hand.

use std::fs;
use std::path::PathBuf;

use haetae_course::project::{Scored, score};

const HEAD: &str = "declaration_id,item_no,score\n";
const FINDINGS: &str = "declaration_id,item_no,inspection_date,fraud,fraud_class,additional_duty_krw\n\
    1,1,2021-01-03,true,1,100.0\n1,2,2021-01-03,false,0,0.0\n2,1,2021-01-04,true,1,300.0\n3,1,2021-01-04,false,0,\n";

fn scored(predictions: &str, findings: &str, rate: f64) -> Result<Scored, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    score(&write("predictions.csv", predictions), &write("findings.csv", findings), rate)
        .map_err(|error| error.to_string())
}

#[test]
fn figures_are_those_that_one_counts() {
    // In the order of scores: fraud, clean, clean and fraud with the same score. 2.5 of 4 pairs are in order.
    let predictions = format!("{HEAD}1,1,0.9\n1,2,0.5\n2,1,0.1\n3,1,0.1\n9,9,0.7\n");
    let found = scored(&predictions, FINDINGS, 0.5).unwrap();
    let expected =
        Scored { lines: 4, base_rate: 0.5, auc: 0.625, rate: 0.5, precision: 0.5, recall: 0.5, revenue: 0.25 };
    assert_eq!(found, expected);
    // Of two lines with the same score, the one with the lower key.
    let found = scored(&predictions, FINDINGS, 0.75).unwrap();
    assert_eq!((found.precision, found.recall, found.revenue), (2.0 / 3.0, 1.0, 1.0));
    let text = found.to_string();
    assert!(text.contains("4 private lines, 50.0 % of them fraud") && text.contains("precision 66.7 %"), "{text}");
}

#[test]
fn a_file_that_cannot_be_scored_says_why() {
    let whole = format!("{HEAD}1,1,0.9\n1,2,0.5\n2,1,0.1\n3,1,0.1\n");
    for (predictions, findings, part) in [
        (
            "declaration_id,item_no\n1,1\n".to_owned(),
            FINDINGS.to_owned(),
            "predictions.csv:1: expected a column `score`",
        ),
        (format!("{HEAD}1,1,0.9\n"), FINDINGS.to_owned(), "3 lines have no score, the first is 1/2"),
        (format!("{whole}1,1,0.2\n"), FINDINGS.to_owned(), "predictions.csv:6: this line has a score already"),
        (whole.replace("0.5", "much"), FINDINGS.to_owned(), "predictions.csv:3: expected a number, found `much`"),
        (whole.replace("0.5", "inf"), FINDINGS.to_owned(), "predictions.csv:3: expected a finite number"),
        (whole.replace("1,2,0.5", "1,2,0,5"), FINDINGS.to_owned(), "predictions.csv:3: expected 3 fields, found 4"),
        (
            whole.clone(),
            FINDINGS.replace("true", "yes"),
            "findings.csv:2: expected true or false as fraud, found `yes`",
        ),
        (whole.clone(), FINDINGS.replace("true", "false"), "findings.csv: all findings are alike"),
    ] {
        let error = scored(&predictions, &findings, 0.5).unwrap_err();
        assert!(error.contains(part), "expected `{part}` in: {error}");
    }
    assert!(scored(&whole, FINDINGS, 0.0).unwrap_err().contains("expected a rate above 0"));
}
