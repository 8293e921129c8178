//! Decisions on the rows of a frame: as a frame, as counts, as summands, as records for the log.

use super::office::Placed;
use super::reasons::Terms;
use super::{Lane, Quota};
use crate::Result;
use polars::frame::DataFrame;
use polars::prelude::Column;
use std::collections::BTreeMap;

/// What put an item where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A rule.
    Rule,
    /// Its expected revenue.
    Model,
    /// The draw.
    Drawn,
    /// Nothing: the lanes were full.
    Rest,
}

impl Why {
    /// Its name in frames and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Model => "model",
            Self::Drawn => "drawn",
            Self::Rest => "rest",
        }
    }
}

/// The decision on one item.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) key: String,
    pub(crate) office: String,
    pub(crate) day: String,
    pub(crate) probability: f64,
    pub(crate) stake: f64,
    pub(crate) rules: Vec<String>,
    pub(super) rule_words: Vec<String>,
    /// Items of the office on the day.
    pub(super) items: usize,
    pub(super) quota: Quota,
    pub(super) placed: Placed,
}

impl Decided {
    pub(crate) fn lane(&self) -> Lane {
        self.placed.lane
    }

    pub(crate) fn why(&self) -> Why {
        self.placed.why
    }

    pub(crate) fn chance(&self) -> Option<f64> {
        self.placed.chance
    }

    pub(crate) fn expected(&self) -> f64 {
        self.probability * self.stake
    }

    fn words(&self) -> String {
        let expected = format!(
            "expected revenue {:.0} (probability {:.1} % of {:.0})",
            self.expected(),
            100.0 * self.probability,
            self.stake
        );
        let place = self.placed.place.unwrap_or(0);
        let mut parts = self.rule_words.clone();
        match self.placed.why {
            Why::Rule => {}
            Why::Drawn => {
                let chance = 100.0 * self.placed.chance.unwrap_or(0.0);
                parts.insert(0, format!("drawn at random, with a chance of {chance:.2} %"));
            }
            Why::Model => parts.insert(0, format!("{expected} is number {place} of the items to choose from")),
            Why::Rest => {
                let taken = self.quota.red + self.quota.yellow + self.quota.blue;
                let items = self.items;
                parts.insert(
                    0,
                    format!("{expected} is number {place}; the lanes hold {taken} of the day's {items} items"),
                );
            }
        }
        parts.join("; ")
    }
}

/// Decisions on every row of a frame, in its order.
#[derive(Debug, Clone)]
pub struct Decisions {
    version: String,
    reasons: usize,
    all: Vec<Decided>,
    terms: Option<Terms>,
}

impl Decisions {
    pub(super) fn new(version: String, reasons: usize, all: Vec<Decided>, terms: Option<Terms>) -> Self {
        Self { version, reasons, all, terms }
    }

    /// The version of rules and model that decided.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn all(&self) -> &[Decided] {
        &self.all
    }

    /// Why the row is where it is, in words; empty for a row that is not there.
    pub fn reason(&self, row: usize) -> String {
        let Some(decided) = self.all.get(row) else { return String::new() };
        match &self.terms {
            Some(terms) => format!("{}; the score {}", decided.words(), terms.words(row, self.reasons)),
            None => decided.words(),
        }
    }

    /// The lane of every row.
    pub fn lanes(&self) -> Vec<Lane> {
        self.all.iter().map(Decided::lane).collect()
    }

    /// A row for each item: `item` (its key), `office`, `day`, `lane`, `why` (`rule`, `model`, `drawn`, `rest`), `probability`,
    /// `stake`, `expected_revenue`, `chance` (of being drawn for inspection; null where a rule decided), `rules` (names,
    /// null where none holds), `reason`.
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn frame(&self) -> Result<DataFrame> {
        let text = |of: &dyn Fn(&Decided) -> String| self.all.iter().map(of).collect::<Vec<String>>();
        let number = |of: &dyn Fn(&Decided) -> f64| self.all.iter().map(of).collect::<Vec<f64>>();
        let rules = |one: &Decided| (!one.rules.is_empty()).then(|| one.rules.join(", "));
        let columns = vec![
            Column::new("item".into(), text(&|one| one.key.clone())),
            Column::new("office".into(), text(&|one| one.office.clone())),
            Column::new("day".into(), text(&|one| one.day.clone())),
            Column::new("lane".into(), text(&|one| one.lane().name().to_owned())),
            Column::new("why".into(), text(&|one| one.why().name().to_owned())),
            Column::new("probability".into(), number(&|one| one.probability)),
            Column::new("stake".into(), number(&|one| one.stake)),
            Column::new("expected_revenue".into(), number(&Decided::expected)),
            Column::new("chance".into(), self.all.iter().map(Decided::chance).collect::<Vec<_>>()),
            Column::new("rules".into(), self.all.iter().map(rules).collect::<Vec<_>>()),
            Column::new("reason".into(), (0..self.all.len()).map(|row| self.reason(row)).collect::<Vec<_>>()),
        ];
        Ok(DataFrame::new(self.all.len(), columns)?)
    }

    /// A row for each day and office: `day`, `office`, `green`, `yellow`, `red`, `blue`, `drawn` (of the red ones) and
    /// `by_rule`.
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn summary(&self) -> Result<DataFrame> {
        let mut groups: BTreeMap<(&str, &str), [u64; 6]> = BTreeMap::new();
        for one in &self.all {
            let counts = groups.entry((&one.day, &one.office)).or_default();
            counts[one.lane() as usize] += 1;
            counts[4] += u64::from(one.why() == Why::Drawn);
            counts[5] += u64::from(one.why() == Why::Rule);
        }
        let mut columns = vec![
            Column::new("day".into(), groups.keys().map(|key| key.0).collect::<Vec<_>>()),
            Column::new("office".into(), groups.keys().map(|key| key.1).collect::<Vec<_>>()),
        ];
        for (place, name) in ["green", "yellow", "red", "blue", "drawn", "by_rule"].into_iter().enumerate() {
            columns.push(Column::new(name.into(), groups.values().map(|counts| counts[place]).collect::<Vec<_>>()));
        }
        Ok(DataFrame::new(groups.len(), columns)?)
    }

    /// What the model's score of one row is made of: `term` (`start`, features by what they move, `all others`) and `value`,
    /// in log-odds (trees) or probability (forests). The values sum to the score. Without rows where the decisions were
    /// made without contributions.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] when there is no such row.
    pub fn terms(&self, row: usize) -> Result<DataFrame> {
        if row >= self.all.len() {
            let expected = format!("one of the {} rows, counted from 0", self.all.len());
            return crate::error::refuse("row", expected, row);
        }
        let terms = self.terms.as_ref().map_or_else(Vec::new, |terms| terms.of_row(row, self.reasons));
        let columns = vec![
            Column::new("term".into(), terms.iter().map(|term| term.name.as_str()).collect::<Vec<_>>()),
            Column::new("value".into(), terms.iter().map(|term| term.value).collect::<Vec<_>>()),
        ];
        Ok(DataFrame::new(terms.len(), columns)?)
    }
}
