//! A log that is whole, and decisions -> the lines to add to it.

use super::chain::{Head, line};
use super::verify::walk;
use crate::error::refuse;
use crate::{Decisions, Error, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Who or what decided, with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who started it: a user, or a scheduled command.
    pub by: String,
    /// When, as the caller's clock has it (this crate has none).
    pub at: String,
    /// Version of the model.
    pub model: String,
    /// Version of the data.
    pub data: String,
}

/// How far a log goes, and which days stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionLog {
    head: Head,
    /// Day, office and version of what was decided, with the first record that says so.
    days: BTreeMap<(String, String, String), u64>,
}

impl Default for DecisionLog {
    fn default() -> Self {
        Self::new()
    }
}

impl DecisionLog {
    /// An empty log.
    pub fn new() -> Self {
        Self { head: Head::start(), days: BTreeMap::new() }
    }

    /// A log that goes on behind a head that was kept, without its lines. Which days stand in it is then not known: whoever
    /// keeps the lines in a place that can be searched says himself that nothing is decided twice.
    pub fn after(head: Head) -> Self {
        Self { head, days: BTreeMap::new() }
    }

    /// A log from its lines, and the head that was kept of it, if any.
    ///
    /// # Errors
    /// [`Error::Log`] with the first line that is not as it was written: nothing is added to such a log.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>, head: Option<&Head>) -> Result<Self> {
        let mut log = Self::new();
        let days = &mut log.days;
        let found = walk(lines, &Head::start(), head, &mut |fields| {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let number = fields.get("seq").and_then(Value::as_u64).unwrap_or(0);
            days.entry((text("day"), text("office"), text("version"))).or_insert(number);
        });
        match found.faults.into_iter().next() {
            Some(fault) => Err(Error::Log { line: fault.line, reason: fault.reason }),
            None => Ok(Self { head: found.head, ..log }),
        }
    }

    /// How far it goes; to be kept apart from the lines.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The lines of decisions, one an item in the order of the rows, without line ends, to be added behind the others. Each is
    /// a JSON object: `seq`, `at`, `by`, `version`, `model`, `data`, `day`, `office`, `item`, `lane`, `why`, `probability`,
    /// `stake`, `expected_revenue`, `chance`, `rules`, `reason`, `prev` (hash of the line before) and `hash`.
    ///
    /// # Errors
    /// [`Error::DayTwice`] when a day of an office was decided under the same version before, [`Error::Setting`] when it is
    /// not said who decides. Nothing is added then.
    pub fn append(&mut self, decisions: &Decisions, origin: &Origin) -> Result<Vec<String>> {
        for (what, text) in [("by", &origin.by), ("at", &origin.at), ("model", &origin.model), ("data", &origin.data)] {
            if text.is_empty() {
                return refuse(format!("decision log, {what}"), "a text that is not empty", "nothing");
            }
        }
        let version = decisions.version();
        let day = |day: &str, office: &str| (day.to_owned(), office.to_owned(), version.to_owned());
        for one in decisions.all() {
            if let Some(&record) = self.days.get(&day(&one.day, &one.office)) {
                let (day, office, version) = day(&one.day, &one.office);
                return Err(Error::DayTwice { day, office, version, record });
            }
        }
        let mut lines = Vec::with_capacity(decisions.all().len());
        for (row, one) in decisions.all().iter().enumerate() {
            let number = self.head.records + 1;
            let fields = [
                ("seq", json!(number)),
                ("at", json!(origin.at)),
                ("by", json!(origin.by)),
                ("version", json!(version)),
                ("model", json!(origin.model)),
                ("data", json!(origin.data)),
                ("day", json!(one.day)),
                ("office", json!(one.office)),
                ("item", json!(one.key)),
                ("lane", json!(one.lane().name())),
                ("why", json!(one.why().name())),
                ("probability", json!(one.probability)),
                ("stake", json!(one.stake)),
                ("expected_revenue", json!(one.expected())),
                ("chance", json!(one.chance())),
                ("rules", json!(one.rules)),
                ("reason", json!(decisions.reason(row))),
                ("prev", json!(self.head.hash)),
            ];
            let fields: Map<String, Value> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let (text, hash) = line(fields);
            self.days.entry(day(&one.day, &one.office)).or_insert(number);
            self.head = Head { records: number, hash };
            lines.push(text);
        }
        Ok(lines)
    }
}
