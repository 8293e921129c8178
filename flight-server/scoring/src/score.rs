//! What goes in: a definition, a model and a day. What comes out: scores, lanes and records of the log, in one commit; for
//! a day that the same version has scored before, nothing.

use std::collections::BTreeSet;

use arrow::array::{ArrayRef, RecordBatch};
use chrono::NaiveDate;
use haetae_models::Contributions;
use haetae_risk::{DecisionLog, Decisions, Head, Lane, Origin};
use haetae_warehouse::query::Snapshot;
use haetae_warehouse::store::{Committed, Transaction};

use crate::clearance::{Clearance, Scored};
use crate::definition::Kind;
use crate::registry::{base, data_version, find, version};
use crate::rows::{Rows, count, days, maybe_number, maybe_text, number, same, small, text, whole};
use crate::{By, Definition, Error, Registered, Result, Warehouse, lanes, log, read, rules, sql, taxpayer};

/// The verdict of the drift on a feature that is to be told of.
const MOVED: &str = "another population";

/// What became of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// The day.
    pub day: NaiveDate,
    /// Model and definition.
    pub version: String,
    /// What was done.
    pub outcome: Outcome,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Scores were written.
    Scored {
        /// Items, or companies.
        items: usize,
        /// Items in yellow, red and blue.
        lanes: [usize; 3],
        /// Features (or `score`) that are another population by now.
        moved: Vec<String>,
        /// How far the log goes now: to be kept elsewhere.
        head: Option<Head>,
        /// The version of the warehouse that has them.
        version: u64,
    },
    /// The same version had scored the day before; nothing was written.
    Before {
        /// The run that did.
        run_id: i64,
        /// Items of the day that have come since; the version gives them no lane.
        late: i64,
    },
    /// There is nothing to score on that day.
    Nothing,
}

/// A day that is being scored.
pub(crate) struct Work<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) definition: &'a Definition,
    pub(crate) registered: &'a Registered,
    pub(crate) version: String,
    pub(crate) day: NaiveDate,
}

/// Scores a day by the named model, or by the champion of the definition, decides, and commits it all.
/// `at` is when, by the caller's clock; it stands in the log of decisions alone.
///
/// # Errors
/// When there is no such model, its file is gone or fits another definition, the SQL or a rule fails, rules contradict one
/// another or quotas cannot be met, or another process writes the same tables at the same time. Nothing is written then.
pub async fn score(
    warehouse: Warehouse<'_>,
    definition: &Definition,
    model: Option<&str>,
    day: NaiveDate,
    by: &By,
    at: &str,
) -> Result<Day> {
    let mut transaction = warehouse.store.begin()?;
    let snapshot = base(warehouse, &transaction)?;
    let registered = find(&snapshot, definition, model).await?;
    let version = definition.version(&registered.model);
    let done = |outcome| Day { day, version: version.clone(), outcome };
    if let Some(run_id) = run_before(&snapshot, day, &version).await? {
        let late = match definition.kind {
            Kind::Clearance => {
                let found = read::rows(&snapshot, &sql::without_lane(definition, day, &version)).await?;
                read::whole(&found, "items")?.first().copied().unwrap_or(0)
            }
            Kind::Taxpayer => 0,
        };
        return Ok(done(Outcome::Before { run_id, late }));
    }
    let work = Work { snapshot: &snapshot, definition, registered: &registered, version: version.clone(), day };
    let outcome = match definition.kind {
        Kind::Clearance => items(warehouse, &work, &mut transaction, (by, at)).await?,
        Kind::Taxpayer => taxpayer::score(warehouse, &work, &mut transaction).await?,
    };
    let Some(outcome) = outcome else { return Ok(done(Outcome::Nothing)) };
    let committed = transaction.commit()?;
    Ok(done(outcome.at(&committed)))
}

impl Outcome {
    fn at(self, committed: &Committed) -> Self {
        match self {
            Self::Scored { items, lanes, moved, head, .. } => {
                Self::Scored { items, lanes, moved, head, version: version(committed) }
            }
            other => other,
        }
    }
}

async fn run_before(snapshot: &Snapshot, day: NaiveDate, version: &str) -> Result<Option<i64>> {
    let sql = format!("select run_id from risk.runs where day = date '{day}' and version = '{version}'");
    let batch = read::rows(snapshot, &sql).await?;
    Ok(read::whole(&batch, "run_id")?.first().copied())
}

async fn items(
    warehouse: Warehouse<'_>,
    work: &Work<'_>,
    transaction: &mut Transaction,
    (by, at): (&By, &str),
) -> Result<Option<Outcome>> {
    let model = Clearance::load(warehouse.store, work.registered, work.definition)?;
    let batch = rules::items(work.snapshot, work.definition, work.day).await?;
    all_of_the_day(work, &batch).await?;
    if batch.num_rows() == 0 {
        return Ok(None);
    }
    let scored = model.score(&batch)?;
    let decisions = lanes::decide(work.definition, &work.version, work.day, &batch, &scored)?;
    let head = log::head(work.snapshot).await?;
    let first = head.records + 1;
    let mut log = DecisionLog::after(head);
    let data = data_version(work.snapshot, &work.definition.schema);
    let origin = Origin {
        by: by.who.clone(),
        at: at.to_owned(),
        model: work.registered.model.clone(),
        data: format!("version {data}"),
    };
    let lines = log.append(&decisions, &origin)?;
    let counts = write(work, transaction, &batch, &scored, &decisions, (first, &lines, log.head()))?;
    let moved =
        scored.drift.iter().filter(|(_, _, verdict)| verdict == MOVED).map(|(name, _, _)| name.clone()).collect();
    Ok(Some(Outcome::Scored {
        items: batch.num_rows(),
        lanes: counts,
        moved,
        head: Some(log.head().clone()),
        version: 0,
    }))
}

/// The definition's SQL has to give the items of the day: an item that a join drops would have no lane, and nobody would
/// be told.
async fn all_of_the_day(work: &Work<'_>, batch: &RecordBatch) -> Result<()> {
    type Keys = BTreeSet<(String, i64)>;
    let keys = |batch: &RecordBatch| -> Result<Keys> {
        let (ids, lines) = (read::all_texts(batch, "declaration_id")?, read::whole(batch, "item_no")?);
        Ok(ids.into_iter().zip(lines).collect())
    };
    let declared = keys(&read::rows(work.snapshot, &sql::keys(work.definition, work.day)).await?)?;
    let given = keys(batch)?;
    let (left_out, foreign) = (declared.difference(&given).count(), given.difference(&declared).count());
    match left_out + foreign {
        0 => Ok(()),
        _ => Err(Error::OtherItems { day: work.day, declared: declared.len(), left_out, foreign }),
    }
}

/// Puts everything of a day into the transaction; the numbers of yellow, red and blue items.
fn write(
    work: &Work<'_>,
    transaction: &mut Transaction,
    batch: &RecordBatch,
    scored: &Scored,
    decisions: &Decisions,
    (first, lines, head): (u64, &[String], &Head),
) -> Result<[usize; 3]> {
    let rows = batch.num_rows();
    let offices = read::all_texts(batch, "office_id")?;
    let key = || -> Result<Vec<ArrayRef>> {
        Ok(vec![
            days(work.day, rows),
            same(&work.version, rows),
            text(read::all_texts(batch, "declaration_id")?),
            small(read::whole(batch, "item_no")?),
            text(&offices),
            text(read::all_texts(batch, "importer_id")?),
        ])
    };
    let mut written = Rows::default();
    let mut columns = key()?;
    let stakes = read::all_numbers(batch, "stake_krw")?;
    columns.push(number(scored.probability.iter().copied()));
    columns.push(number(stakes.iter().copied()));
    columns.push(number(scored.probability.iter().zip(&stakes).map(|(probability, stake)| probability * stake)));
    columns.extend(summands(&scored.contributions));
    written.add("scores", columns)?;

    let frame = decisions.frame()?;
    let column = |name: &str| -> Result<ArrayRef> { Ok(maybe_text(frame.column(name)?.str()?.iter())) };
    let mut columns = key()?;
    columns.extend([column("lane")?, column("why")?]);
    columns.push(maybe_number(frame.column("chance")?.f64()?.iter()));
    columns.extend([column("rules")?, column("reason")?]);
    written.add("lanes", columns)?;

    let first = i64::try_from(first).unwrap_or(i64::MAX);
    written.add(
        "decisions",
        vec![
            whole(first..first + count(rows)),
            days(work.day, rows),
            same(&work.version, rows),
            text(&offices),
            text(lines),
        ],
    )?;
    let drift = &scored.drift;
    written.add(
        "drift",
        vec![
            days(work.day, drift.len()),
            same(&work.version, drift.len()),
            text(drift.iter().map(|(feature, _, _)| feature)),
            number(drift.iter().map(|(_, psi, _)| *psi)),
            text(drift.iter().map(|(_, _, verdict)| verdict)),
        ],
    )?;
    let all = decisions.lanes();
    let of = |lane: Lane| all.iter().filter(|one| **one == lane).count();
    let counts = [of(Lane::Yellow), of(Lane::Red), of(Lane::Blue)];
    let whys = frame.column("why")?.str()?;
    let why = |name: &str| whys.iter().filter(|why| *why == Some(name)).count();
    run_row(&mut written, work, rows, counts, [why("drawn"), why("rule")], head);
    written.put(transaction)?;
    Ok(counts)
}

/// The row of a run.
pub(crate) fn run_row(
    written: &mut Rows,
    work: &Work<'_>,
    items: usize,
    lanes: [usize; 3],
    [drawn, by_rule]: [usize; 2],
    head: &Head,
) {
    let one = |value: usize| whole([count(value)]);
    let number = |value: u64| whole([i64::try_from(value).unwrap_or(i64::MAX)]);
    written.add_numbered(
        "runs",
        vec![
            days(work.day, 1),
            text([&work.version]),
            text([&work.definition.name]),
            text([&work.registered.model]),
            text([if work.registered.champion { "champion" } else { "challenger" }]),
            number(data_version(work.snapshot, &work.definition.schema)),
            text([work.definition.sha256()]),
            one(items),
            one(lanes[0]),
            one(lanes[1]),
            one(lanes[2]),
            one(drawn),
            one(by_rule),
            number(head.records),
            text([&head.hash]),
        ],
    );
}

/// `log_odds`, `start`, the features that move each score most with what they add, and what all others add.
fn summands(all: &Contributions) -> Vec<ArrayRef> {
    let mut names: [Vec<Option<&str>>; lanes::REASONS] = std::array::from_fn(|_| Vec::with_capacity(all.rows()));
    let mut values: [Vec<f64>; lanes::REASONS] = std::array::from_fn(|_| Vec::with_capacity(all.rows()));
    let (mut sums, mut starts, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..all.rows() {
        let summands = all.row(row, 0);
        let mut order: Vec<usize> = (0..summands.len()).collect();
        order.sort_by(|&a, &b| summands[b].abs().total_cmp(&summands[a].abs()));
        for place in 0..lanes::REASONS {
            let found = order.get(place);
            names[place].push(found.map(|&feature| all.names()[feature].as_str()));
            values[place].push(found.map_or(0.0, |&feature| summands[feature]));
        }
        let start = all.expected(row, 0);
        others.push(order.iter().skip(lanes::REASONS).map(|&feature| summands[feature]).sum::<f64>());
        sums.push(start + summands.iter().sum::<f64>());
        starts.push(start);
    }
    let mut columns = vec![number(sums), number(starts)];
    for (names, values) in names.into_iter().zip(values) {
        columns.push(maybe_text(names));
        columns.push(number(values));
    }
    columns.push(number(others));
    columns
}
