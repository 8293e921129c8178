//! What goes in: what the rules found. What comes out: rows of the tables of `quality`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use haetae_schema::{Table, quality_tables};

use crate::{Family, Result};

/// What one rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The rule.
    pub rule: String,
    /// Its family.
    pub family: Family,
    /// The table, with its schema.
    pub dataset: String,
    /// The columns, separated by commas.
    pub columns: String,
    /// What the rule demands.
    pub says: String,
    /// How much it counts.
    pub weight: f64,
    /// What is wrong with a row that breaks it.
    pub reason: String,
    /// Rows to which it applies.
    pub checked: u64,
    /// Rows that break it.
    pub violations: u64,
    /// The first of them by key.
    pub kept: Vec<Violation>,
}

/// One row that breaks a rule; violations are in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The key columns with `/` between them.
    pub row_key: String,
    /// The number of the declaration, where the table has one.
    pub declaration_id: Option<String>,
    /// The number of the line, where the table has one.
    pub item_no: Option<i32>,
    /// The values of the rule's columns.
    pub found: Option<String>,
}

impl Ord for Violation {
    fn cmp(&self, other: &Self) -> Ordering {
        self.row_key.cmp(&other.row_key).then_with(|| self.found.cmp(&other.found))
    }
}

impl PartialOrd for Violation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Outcome {
    /// Share of the checked rows that obey; `None` where none was checked.
    pub fn passed(&self) -> Option<f64> {
        (self.checked > 0).then(|| 1.0 - self.violations as f64 / self.checked as f64)
    }
}

/// What is said of a run as a whole.
pub(crate) struct Run {
    pub(crate) schema: String,
    pub(crate) scope: &'static str,
    pub(crate) version: u64,
    pub(crate) version_time: String,
    pub(crate) since: Option<u64>,
    pub(crate) rules_sha256: String,
}

/// The family under which the score over all rules stands.
const ALL: &str = "all";

/// (dataset, family) -> shares of rows that obey, averaged by weight, from 0 to 100. Rules that applied to no
/// row do not count.
pub(crate) fn scores(outcomes: &[Outcome]) -> BTreeMap<(String, String), f64> {
    let mut sums: BTreeMap<(String, String), (f64, f64)> = BTreeMap::new();
    for outcome in outcomes {
        let Some(passed) = outcome.passed() else { continue };
        for family in [ALL.to_owned(), outcome.family.to_string()] {
            let (sum, weights) = sums.entry((outcome.dataset.clone(), family)).or_default();
            *sum += outcome.weight * passed;
            *weights += outcome.weight;
        }
    }
    sums.into_iter().map(|(name, (sum, weights))| (name, 100.0 * sum / weights)).collect()
}

/// The rows of each table, without the number of the run.
pub(crate) fn tables(
    run: &Run,
    outcomes: &[Outcome],
    previous: &BTreeMap<(String, String), f64>,
) -> Result<Vec<(&'static str, RecordBatch)>> {
    let columns = vec![
        ("runs", runs(run, outcomes)),
        ("results", results(outcomes)),
        ("violations", violations(outcomes)),
        ("scores", score_rows(run, outcomes, previous)),
    ];
    let tables = columns.into_iter().map(|(name, columns)| {
        let fields: Vec<_> = table(name).columns.iter().skip(1).map(haetae_schema::Column::arrow_field).collect();
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        Ok((name, RecordBatch::try_new(schema, columns)?))
    });
    tables.collect()
}

/// The rows with the number of the run before them.
pub(crate) fn numbered(name: &str, batch: &RecordBatch, run_id: u64) -> haetae_warehouse::Result<RecordBatch> {
    let run: ArrayRef = Arc::new(Int64Array::from(vec![run_id as i64; batch.num_rows()]));
    let columns: Vec<ArrayRef> = std::iter::once(run).chain(batch.columns().iter().cloned()).collect();
    RecordBatch::try_new(table(name).arrow_schema(), columns)
        .map_err(|source| haetae_warehouse::Error::Data { action: format!("write {name}"), source: Box::new(source) })
}

fn table(name: &str) -> &'static Table {
    let found = quality_tables().iter().find(|table| table.name == name);
    found.unwrap_or(&quality_tables()[0])
}

fn text<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn whole(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.into_iter().map(|value| value as i64)))
}

fn runs(run: &Run, outcomes: &[Outcome]) -> Vec<ArrayRef> {
    vec![
        text([run.schema.as_str()]),
        text([run.scope]),
        whole([run.version]),
        text([run.version_time.as_str()]),
        Arc::new(Int64Array::from_iter([run.since.map(|version| version as i64)])),
        text([run.rules_sha256.as_str()]),
        Arc::new(Int32Array::from_iter_values([outcomes.len() as i32])),
        whole([outcomes.iter().map(|outcome| outcome.checked).sum()]),
        whole([outcomes.iter().map(|outcome| outcome.violations).sum()]),
    ]
}

fn results(outcomes: &[Outcome]) -> Vec<ArrayRef> {
    let families: Vec<String> = outcomes.iter().map(|outcome| outcome.family.to_string()).collect();
    vec![
        text(outcomes.iter().map(|outcome| outcome.rule.as_str())),
        text(families.iter().map(String::as_str)),
        text(outcomes.iter().map(|outcome| outcome.dataset.as_str())),
        text(outcomes.iter().map(|outcome| outcome.columns.as_str())),
        text(outcomes.iter().map(|outcome| outcome.says.as_str())),
        Arc::new(Float64Array::from_iter_values(outcomes.iter().map(|outcome| outcome.weight))),
        whole(outcomes.iter().map(|outcome| outcome.checked)),
        whole(outcomes.iter().map(|outcome| outcome.violations)),
        whole(outcomes.iter().map(|outcome| outcome.kept.len() as u64)),
        Arc::new(outcomes.iter().map(Outcome::passed).collect::<Float64Array>()),
    ]
}

fn violations(outcomes: &[Outcome]) -> Vec<ArrayRef> {
    let rows: Vec<(&Outcome, &Violation)> =
        outcomes.iter().flat_map(|outcome| outcome.kept.iter().map(move |row| (outcome, row))).collect();
    let families: Vec<String> = rows.iter().map(|(outcome, _)| outcome.family.to_string()).collect();
    vec![
        text(rows.iter().map(|(outcome, _)| outcome.rule.as_str())),
        text(families.iter().map(String::as_str)),
        text(rows.iter().map(|(outcome, _)| outcome.dataset.as_str())),
        text(rows.iter().map(|(_, row)| row.row_key.as_str())),
        Arc::new(rows.iter().map(|(_, row)| row.declaration_id.as_deref()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|(_, row)| row.item_no).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|(_, row)| row.found.as_deref()).collect::<StringArray>()),
        text(rows.iter().map(|(outcome, _)| outcome.reason.as_str())),
    ]
}

fn score_rows(run: &Run, outcomes: &[Outcome], previous: &BTreeMap<(String, String), f64>) -> Vec<ArrayRef> {
    let scores = scores(outcomes);
    let before = |name: &(String, String)| previous.get(name).copied();
    vec![
        text(scores.keys().map(|(dataset, _)| dataset.as_str())),
        text(scores.keys().map(|(_, family)| family.as_str())),
        text(scores.keys().map(|_| run.scope)),
        Arc::new(Float64Array::from_iter_values(scores.values().copied())),
        Arc::new(scores.keys().map(before).collect::<Float64Array>()),
        Arc::new(scores.iter().map(|(name, score)| before(name).map(|old| score - old)).collect::<Float64Array>()),
    ]
}
