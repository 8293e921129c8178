//! Predictions and the findings that were kept apart, to AUC, and precision, recall and revenue at a rate.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::frame::Lines;
use crate::error::{Error, Result};

/// How good predictions are on the private part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// Lines with a finding that was kept apart.
    pub lines: usize,
    /// Share of fraud among them: what opening at random finds.
    pub base_rate: f64,
    /// How often a fraudulent line has the higher score than a clean one; a tie is a half.
    pub auc: f64,
    /// Share of lines that is opened, rounded down.
    pub rate: f64,
    /// Share of fraud among the opened lines.
    pub precision: f64,
    /// Share of all fraud that was opened.
    pub recall: f64,
    /// Share of the additional duty of all lines that was opened.
    pub revenue: f64,
}

impl fmt::Display for Scored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} private lines, {:.1} % of them fraud", self.lines, 100.0 * self.base_rate)?;
        writeln!(f, "AUC {:.4}", self.auc)?;
        write!(f, "opening {:.0} %: precision {:.1} %, ", 100.0 * self.rate, 100.0 * self.precision)?;
        writeln!(f, "recall {:.1} %, revenue {:.1} %", 100.0 * self.recall, 100.0 * self.revenue)
    }
}

struct Line {
    score: f64,
    fraud: bool,
    duty: f64,
}

/// Scores a file `declaration_id,item_no,score` against the findings of [`super::make`]. It may have lines more; of two
/// lines with the same score, the one with the lower key is opened first.
///
/// # Errors
/// A file of another form; a private line without a score, or with two; private findings of one class only.
pub fn score(predictions: &Path, private: &Path, rate: f64) -> Result<Scored> {
    if !(rate > 0.0 && rate <= 1.0) {
        return Err(Error::Project { reason: format!("expected a rate above 0 and at most 1, found {rate}") });
    }
    let scores = read_scores(predictions)?;
    let mut lines = Vec::new();
    let mut missing = Vec::new();
    for (at, fields) in Lines::read(private, &["declaration_id", "item_no", "fraud", "additional_duty_krw"])?.0 {
        let wrong = |what: String| Error::Project { reason: format!("{}:{at}: {what}", private.display()) };
        let key = key(&fields).map_err(wrong)?;
        let fraud = match fields[2].as_str() {
            "true" => true,
            "false" => false,
            other => return Err(wrong(format!("expected true or false as fraud, found `{other}`"))),
        };
        let duty = if fields[3].is_empty() { 0.0 } else { number(&fields[3]).map_err(wrong)? };
        match scores.get(&key) {
            Some(&score) => lines.push((key, Line { score, fraud, duty })),
            None => missing.push(key),
        }
    }
    if let Some((declaration, item)) = missing.first() {
        return Err(Error::Project {
            reason: format!(
                "{}: {} lines have no score, the first is {declaration}/{item}; score every line that is declared from the day on that the project names",
                predictions.display(),
                missing.len()
            ),
        });
    }
    lines.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then_with(|| a.0.cmp(&b.0)));
    let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
    figures(&lines, rate).ok_or_else(|| Error::Project {
        reason: format!("{}: all findings are alike; both fraud and clean lines are needed", private.display()),
    })
}

type Key = (String, u64);

fn read_scores(path: &Path) -> Result<BTreeMap<Key, f64>> {
    let mut scores = BTreeMap::new();
    for (at, fields) in Lines::read(path, &["declaration_id", "item_no", "score"])?.0 {
        let wrong = |what: String| Error::Project { reason: format!("{}:{at}: {what}", path.display()) };
        let key = key(&fields).map_err(wrong)?;
        let score = number(&fields[2]).map_err(wrong)?;
        if scores.insert(key, score).is_some() {
            return Err(wrong("this line has a score already; write one for each".to_owned()));
        }
    }
    Ok(scores)
}

fn key(fields: &[String]) -> std::result::Result<Key, String> {
    let item = fields[1].parse().map_err(|_| format!("expected a whole number as item_no, found `{}`", fields[1]))?;
    Ok((fields[0].clone(), item))
}

fn number(text: &str) -> std::result::Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("expected a number, found `{text}`"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("expected a finite number, found `{text}`")) }
}

/// Of lines in their order; nothing where all findings are alike.
#[expect(clippy::cast_precision_loss, reason = "numbers of lines are far below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the lines")]
fn figures(lines: &[Line], rate: f64) -> Option<Scored> {
    let all = lines.len() as f64;
    let frauds = lines.iter().filter(|line| line.fraud).count() as f64;
    if frauds == 0.0 || frauds == all {
        return None;
    }
    let opened = &lines[..((all * rate).floor() as usize).max(1)];
    let hits = opened.iter().filter(|line| line.fraud).count() as f64;
    let duty = |lines: &[Line]| lines.iter().map(|line| line.duty).sum::<f64>();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    Some(Scored {
        lines: lines.len(),
        base_rate: frauds / all,
        auc: auc(lines, frauds, all - frauds),
        rate,
        precision: hits / opened.len() as f64,
        recall: hits / frauds,
        revenue: share(duty(opened), duty(lines)),
    })
}

/// Share of pairs that are in order, of lines by falling score.
fn auc(lines: &[Line], frauds: f64, clean: f64) -> f64 {
    let (mut pairs, mut clean_before) = (0.0, 0.0);
    for same in lines.chunk_by(|a, b| a.score == b.score) {
        let fraud_here = same.iter().filter(|line| line.fraud).map(|_| 1.0).sum::<f64>();
        let clean_here = same.iter().filter(|line| !line.fraud).map(|_| 1.0).sum::<f64>();
        pairs += fraud_here * (clean - clean_before - clean_here / 2.0);
        clean_before += clean_here;
    }
    pairs / (frauds * clean)
}
