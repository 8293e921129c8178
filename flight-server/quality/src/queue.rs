//! What goes in: what a steward decides about rows that break a rule. What comes out: rows of the table
//! `decisions`, to which is only added, and the queue of what is still to be decided.
//!
//! A violation is open until somebody decides. *Assigned*: somebody is to see to it. *Accepted*: the row is right as
//! it is, and stays so in later runs. *Corrected*: the row was mended; when a later run finds it again, it is open.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use haetae_warehouse::QUALITY;
use haetae_warehouse::names::{hint, near, quoted};
use haetae_warehouse::query::{Engine, Snapshot};
use haetae_warehouse::store::{Committed, Kind, NewOperation, Store};

use crate::{Error, Result};

const TABLE: &str = "decisions";

/// What becomes of a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody is to see to it.
    Assign {
        /// Who.
        to: String,
    },
    /// The row is right as it is.
    Accept,
    /// The row has been mended.
    Correct,
}

impl Verdict {
    /// The state, as tables have it.
    pub const fn state(&self) -> &'static str {
        match self {
            Self::Assign { .. } => "assigned",
            Self::Accept => "accepted",
            Self::Correct => "corrected",
        }
    }
}

/// A decision about rows that break one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The rule.
    pub rule: String,
    /// The keys of the rows as `violations` has them; `None`: all that are open or assigned.
    pub rows: Option<Vec<String>>,
    /// What is decided.
    pub verdict: Verdict,
    /// Why. What is accepted or corrected has a reason.
    pub reason: Option<String>,
    /// Who decides.
    pub by: String,
}

/// What a decision came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Number of the change; `None` where all rows had this very decision already.
    pub change_id: Option<u64>,
    /// The version of the warehouse that has it.
    pub version: u64,
    /// Rows that were changed.
    pub rows: usize,
}

/// SQL for the queue: rule, dataset, row_key, state, assignee, why, decided_by, what, found, run_id. Of each rule and
/// table it has what the last run over all rows found, and the runs over added rows after it.
pub fn sql() -> String {
    format!(
        "with base as (select s.rule, s.dataset, coalesce(max(case when r.scope = 'all' then s.run_id end), 0) as since \
         from {QUALITY}.results s join {QUALITY}.runs r on r.run_id = s.run_id group by s.rule, s.dataset), \
         v as (select * from (select v.*, row_number() over (partition by v.rule, v.dataset, v.row_key order by v.run_id \
         desc) as place from {QUALITY}.violations v join base b on b.rule = v.rule and b.dataset = v.dataset where \
         v.run_id >= b.since) where place = 1), \
         d as (select * from (select d.*, row_number() over (partition by d.rule, d.dataset, d.row_key order by \
         d.change_id desc) as place from {QUALITY}.{TABLE} d) where place = 1), \
         q as (select v.rule, v.dataset, v.row_key, v.reason as what, v.found, v.run_id, d.assignee, d.decided_by, \
         d.reason as why, case when d.state is null or (d.state = 'corrected' and d.change_id < v.run_id) then 'open' \
         else d.state end as state from v left join d on d.rule = v.rule and d.dataset = v.dataset and d.row_key = \
         v.row_key) select rule, dataset, row_key, state, assignee, why, decided_by, what, found, run_id from q"
    )
}

/// Writes a decision about rows that are in the queue.
///
/// # Errors
/// A rule without violations, a row that is not among them, an acceptance or a correction without a reason, a
/// blank name.
pub fn decide<'a>(store: &'a Store, engine: &'a Engine, decision: &'a Decision) -> BoxFuture<'a, Result<Decided>> {
    Box::pin(write(store, engine, decision))
}

/// One row of the queue.
struct Queued {
    dataset: String,
    run_id: i64,
    state: String,
    same: bool,
}

async fn write(store: &Store, engine: &Engine, decision: &Decision) -> Result<Decided> {
    check(decision)?;
    let snapshot = engine.current()?;
    let queue = queued(&snapshot, decision).await?;
    if queue.is_empty() {
        return Err(nothing(&snapshot, &decision.rule).await?);
    }
    let mut chosen: Vec<(&str, &Queued)> = Vec::new();
    match &decision.rows {
        None => {
            let waits = |queued: &&Queued| matches!(queued.state.as_str(), "open" | "assigned");
            chosen.extend(queue.iter().flat_map(|(key, all)| all.iter().filter(waits).map(move |q| (key.as_str(), q))));
        }
        Some(rows) => {
            let mut rows: Vec<&String> = rows.iter().collect();
            rows.sort();
            rows.dedup();
            for row in rows {
                let Some(all) = queue.get(row) else {
                    return Err(Error::NotQueued { rule: decision.rule.clone(), row: row.clone() });
                };
                chosen.extend(all.iter().map(|queued| (row.as_str(), queued)));
            }
        }
    }
    chosen.retain(|(_, queued)| !queued.same);
    if chosen.is_empty() {
        return Ok(Decided { change_id: None, version: snapshot.version(), rows: 0 });
    }
    commit(store, decision, &chosen)
}

fn check(decision: &Decision) -> Result<()> {
    let blank = |text: &str| text.trim().is_empty();
    let undecided = |what: &str| Err(Error::Undecided { what: what.to_owned() });
    if blank(&decision.by) {
        return undecided("it is not said who decides; name them with --by");
    }
    match &decision.verdict {
        Verdict::Assign { to } if blank(to) => undecided("it is not said who is to see to it; name them with --to"),
        Verdict::Accept | Verdict::Correct if decision.reason.as_deref().is_none_or(blank) => {
            undecided("a violation is accepted or corrected for a reason; give it with --reason")
        }
        _ => Ok(()),
    }
}

/// The rows of a rule by their key: one, or one in each schema that was checked.
async fn queued(snapshot: &Snapshot, decision: &Decision) -> Result<BTreeMap<String, Vec<Queued>>> {
    let assignee = match &decision.verdict {
        Verdict::Assign { to } => quoted(to),
        _ => "assignee".to_owned(),
    };
    let why = decision.reason.as_deref().map_or_else(|| "cast(null as varchar)".to_owned(), quoted);
    let (state, by) = (decision.verdict.state(), quoted(&decision.by));
    let sql = format!(
        "select row_key, dataset, run_id, state, coalesce(state = '{state}' and decided_by = {by}, false) and \
         (assignee is not distinct from {assignee}) and (why is not distinct from {why}) from ({}) where rule = {} \
         order by row_key, dataset",
        sql(),
        quoted(&decision.rule)
    );
    let batches: Vec<RecordBatch> = snapshot.statement(&sql).await?.execute(None).await?.try_collect().await?;
    let mut found: BTreeMap<String, Vec<Queued>> = BTreeMap::new();
    for batch in &batches {
        let text = |column: usize| batch.column(column).as_string::<i32>();
        let (runs, same) = (batch.column(2).as_primitive::<Int64Type>(), batch.column(4).as_boolean());
        for row in 0..batch.num_rows() {
            let (dataset, state) = (text(1).value(row).to_owned(), text(3).value(row).to_owned());
            let queued = Queued { dataset, run_id: runs.value(row), state, same: same.value(row) };
            found.entry(text(0).value(row).to_owned()).or_default().push(queued);
        }
    }
    Ok(found)
}

async fn nothing(snapshot: &Snapshot, rule: &str) -> Result<Error> {
    let sql = format!("select distinct rule from ({}) order by rule", sql());
    let batches: Vec<RecordBatch> = snapshot.statement(&sql).await?.execute(None).await?.try_collect().await?;
    let known: Vec<&str> =
        batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten()).collect();
    let meant = hint(&near(rule, known.iter().copied()));
    let hint = match known.as_slice() {
        [] => " It is empty; `haetae-server quality run` fills it".to_owned(),
        some if meant.is_empty() => format!(" It has rows of {}", some.join(", ")),
        _ => meant,
    };
    Ok(Error::NothingOf { rule: rule.to_owned(), hint })
}

fn commit(store: &Store, decision: &Decision, chosen: &[(&str, &Queued)]) -> Result<Decided> {
    let rows = chosen.len();
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let maybe = |value: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let to = match &decision.verdict {
        Verdict::Assign { to } => Some(to.as_str()),
        _ => None,
    };
    let columns: Vec<ArrayRef> = vec![
        text(&decision.rule),
        Arc::new(StringArray::from_iter_values(chosen.iter().map(|(_, queued)| &queued.dataset))),
        Arc::new(StringArray::from_iter_values(chosen.iter().map(|(key, _)| key))),
        text(decision.verdict.state()),
        maybe(to),
        maybe(decision.reason.as_deref()),
        text(&decision.by),
        Arc::new(Int64Array::from_iter_values(chosen.iter().map(|(_, queued)| queued.run_id))),
    ];
    let mut transaction = store.begin()?;
    transaction.add_numbered(QUALITY, TABLE, move |change_id| numbered(change_id, columns));
    transaction.record(NewOperation {
        kind: Kind::Append,
        schema: QUALITY.to_owned(),
        table: TABLE.to_owned(),
        format: String::new(),
        inputs: Vec::new(),
        accepted: rows as u64,
        rejected: 0,
        removed: 0,
    });
    Ok(match transaction.commit()? {
        Committed::Now { version, first_id } => Decided { change_id: Some(first_id), version, rows },
        // A decision has no key that could have been used before.
        Committed::Before { version } => Decided { change_id: None, version, rows: 0 },
    })
}

fn numbered(change_id: u64, columns: Vec<ArrayRef>) -> haetae_warehouse::Result<RecordBatch> {
    let rows = columns.first().map_or(0, |column| column.len());
    let number: ArrayRef = Arc::new(Int64Array::from(vec![change_id as i64; rows]));
    let columns = std::iter::once(number).chain(columns).collect();
    let failed = |source| haetae_warehouse::Error::Data { action: format!("write {TABLE}"), source };
    let table = haetae_schema::quality_tables().iter().find(|table| table.name == TABLE);
    let table = table.ok_or_else(|| failed("there is no such table".into()))?;
    RecordBatch::try_new(table.arrow_schema(), columns).map_err(|source| failed(Box::new(source)))
}
