//! What each feature adds to a model's score -> words, and numbers that sum to the score.

use crate::{Error, Result};
use haetae_models::Contributions;
use std::collections::BTreeMap;

/// How exactly contributions have to sum to the score.
const TOLERANCE: f64 = 1e-6;

/// The contributions of all rows, of which it is known that they sum to the scores.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    all: Contributions,
    /// What the sums are: `log-odds` or `probability`.
    pub(super) unit: &'static str,
    /// What words call a feature, where it is not its name.
    words: BTreeMap<String, String>,
}

/// One summand of a row's score.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    /// `start`, a feature, or `all others`.
    pub(super) name: String,
    pub(super) value: f64,
}

impl Terms {
    pub(super) fn new(
        all: &Contributions,
        probability: &[f64],
        rows: usize,
        words: &BTreeMap<String, String>,
    ) -> Result<Self> {
        if all.rows() != rows || all.classes() != 1 {
            return Err(Error::Length { what: "contributions", expected: rows, found: all.rows() * all.classes() });
        }
        let sum = |row: usize| all.row(row, 0).iter().sum::<f64>() + all.expected(row, 0);
        let is_log_odds = |row: usize| {
            // A probability says less of its log-odds the nearer it is to 0 or 1.
            let said = 1.0 / (1.0 + (-sum(row)).exp());
            (said - probability[row]).abs() <= TOLERANCE * (probability[row] * (1.0 - probability[row])).max(1e-9)
        };
        let is_probability = |row: usize| (sum(row) - probability[row]).abs() <= TOLERANCE;
        let unit = match (0..rows).find(|&row| !is_log_odds(row)) {
            None => "log-odds",
            Some(_) if (0..rows).all(is_probability) => "probability",
            Some(row) => {
                return Err(Error::Value {
                    column: "contributions".to_owned(),
                    row,
                    expected: format!("a sum that is the score of the probability {} to 1e-6", probability[row]),
                    found: sum(row).to_string(),
                    hint: "take probability and contributions from one model and the same rows",
                });
            }
        };
        Ok(Self { all: all.clone(), unit, words: words.clone() })
    }

    /// Where the score starts, the `count` features that move it most, and all others in one. They sum to the score.
    pub(super) fn of_row(&self, row: usize, count: usize) -> Vec<Term> {
        let values = self.all.row(row, 0);
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()));
        let mut terms = vec![Term { name: "start".to_owned(), value: self.all.expected(row, 0) }];
        let top = order.iter().take(count);
        terms.extend(top.map(|&i| Term { name: self.all.names()[i].clone(), value: values[i] }));
        if order.len() > count {
            let value = order[count..].iter().map(|&i| values[i]).sum();
            terms.push(Term { name: "all others".to_owned(), value });
        }
        terms
    }

    pub(super) fn words(&self, row: usize, count: usize) -> String {
        let terms = self.of_row(row, count);
        let sum: f64 = terms.iter().map(|term| term.value).sum();
        let words: Vec<String> = terms
            .iter()
            .enumerate()
            .map(|(place, term)| {
                // Where it starts, the features, all others: a feature may be called like one of the two.
                let name = match place {
                    0 => return format!("starts at {:.3}", term.value),
                    place if place <= count => self.words.get(&term.name).unwrap_or(&term.name),
                    _ => &term.name,
                };
                match term.value >= 0.0 {
                    true => format!("{name} raises it by {:.3}", term.value),
                    false => format!("{name} lowers it by {:.3}", -term.value),
                }
            })
            .collect();
        format!("{}: {sum:.3} in {}", words.join(", "), self.unit)
    }
}
