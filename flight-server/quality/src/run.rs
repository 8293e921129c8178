//! What goes in: rules and a warehouse. What comes out: what they found in one version, as one commit of
//! the tables of `quality`. The same rules over the same rows are run once.

use std::collections::{BTreeMap, BinaryHeap};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use haetae_warehouse::QUALITY;
use haetae_warehouse::ingest::hexadecimal;
use haetae_warehouse::query::{Engine, Snapshot, Statement};
use haetae_warehouse::store::{Committed, Key, Kind, NewOperation, Store, time_text};
use sha2::{Digest, Sha256};

use crate::results::{self, Outcome, Violation};
use crate::rules::Rules;
use crate::sql::{self, Statements};
use crate::{Error, Problem, Result, Rule};

/// What to run, and over what.
#[derive(Debug, Clone)]
pub struct Options {
    /// The schema whose tables are checked.
    pub schema: String,
    /// Only the rules about this table.
    pub dataset: Option<String>,
    /// Only rows that were added after this version.
    pub since: Option<u64>,
    /// How many violations of each rule are kept, the first ones by key. All are counted.
    pub keep: usize,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// Number of the run.
    pub run_id: u64,
    /// The version of the warehouse that has the results.
    pub version: u64,
    /// Whether the same run had been made before; nothing was done then.
    pub repeated: bool,
    /// What each rule found; empty for a repeated run.
    pub outcomes: Vec<Outcome>,
}

/// Runs rules over the newest version and commits what they find. All are planned before the first one
/// runs, so that a rule which does not fit the tables changes nothing.
///
/// Memory: what the engine may have, and of each rule the violations that are kept.
///
/// # Errors
/// Rules that cannot be planned (all of them are named), a version that is not kept, a schema that does not
/// exist, a rule that fails when it runs.
pub fn run<'a>(
    store: &'a Store,
    engine: &'a Engine,
    rules: &'a Rules,
    options: &'a Options,
    progress: &'a mut (dyn FnMut(&str) + Send),
) -> BoxFuture<'a, Result<Done>> {
    Box::pin(run_rules(store, engine, rules, options, progress))
}

async fn run_rules(
    store: &Store,
    engine: &Engine,
    rules: &Rules,
    options: &Options,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Done> {
    haetae_warehouse::known_schema(&options.schema)?;
    let chosen = choose(rules, options)?;
    let snapshot = match options.since {
        Some(since) => engine.added_since(since)?.ok_or(Error::NotKept { version: since })?,
        None => engine.current()?,
    };
    let key = key(&chosen, options, &snapshot);
    if let Some(commit) = snapshot.manifest().find_key(&key.name) {
        let run_id = commit.operations.first().map_or(0, |operation| operation.id);
        return Ok(Done { run_id, version: commit.version, repeated: true, outcomes: Vec::new() });
    }
    let planned = plan(&chosen, &snapshot, options).await?;
    let mut outcomes = Vec::with_capacity(chosen.len());
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (rule, planned) in chosen.into_iter().zip(planned) {
        progress(&rule.id);
        outcomes.push(judge(rule, planned, options, &mut counts).await?);
    }
    let previous = previous_scores(&snapshot, rules, options).await?;
    let done = commit(store, &snapshot, rules, options, key, &outcomes, &previous)?;
    Ok(Done { outcomes, ..done })
}

fn choose<'a>(rules: &'a Rules, options: &Options) -> Result<Vec<&'a Rule>> {
    let wanted = |rule: &&Rule| options.dataset.as_ref().is_none_or(|name| name == rule.table.name);
    let chosen: Vec<&Rule> = rules.list.iter().filter(wanted).collect();
    if chosen.is_empty() {
        let mut known: Vec<&str> = rules.list.iter().map(|rule| rule.table.name).collect();
        known.sort_unstable();
        known.dedup();
        let dataset = options.dataset.clone().unwrap_or_default();
        return Err(Error::NoRules { dataset, known: known.join(", ") });
    }
    Ok(chosen)
}

/// What was looked at, in one word.
pub(crate) fn scope(options: &Options) -> &'static str {
    if options.since.is_some() { "added" } else { "all" }
}

/// Names the rules and the rows: the version that last changed a table of the schema, not the newest one,
/// which the results themselves move on. Of the rules it takes what they ask, not how their file is written: a
/// check that this program has learned to ask better is run again.
fn key(rules: &[&Rule], options: &Options, snapshot: &Snapshot) -> Key {
    let mut asked = Sha256::new();
    for rule in rules {
        let sql = sql::statements(rule, &options.schema, options.since.is_some());
        asked.update(format!("{:?}", (&rule.id, rule.family, rule.weight, &rule.says, &sql.checked, &sql.violations)));
    }
    let asked = hexadecimal(&asked.finalize());
    let tables = snapshot.manifest().tables.get(&options.schema);
    let changed = tables.and_then(|tables| tables.values().map(|table| table.changed).max()).unwrap_or(0);
    let since = options.since.map_or("the beginning".to_owned(), |version| version.to_string());
    let name = format!(
        "quality of {}.{} at {changed} since {since}, rules {}, {} kept",
        options.schema,
        options.dataset.as_deref().unwrap_or("*"),
        asked.get(..16).unwrap_or_default(),
        options.keep
    );
    let sha256 = hexadecimal(&Sha256::digest(format!("{name} {asked}")));
    Key { name, sha256 }
}

/// A rule's statements that fit the tables.
struct Planned {
    sql: Statements,
    checked: Statement,
    violations: Statement,
}

async fn plan(rules: &[&Rule], snapshot: &Snapshot, options: &Options) -> Result<Vec<Planned>> {
    let (mut planned, mut problems) = (Vec::with_capacity(rules.len()), Vec::<Problem>::new());
    for rule in rules {
        let sql = sql::statements(rule, &options.schema, options.since.is_some());
        let checked = snapshot.statement(&sql.checked).await;
        let violations = snapshot.statement(&sql.violations).await;
        match (checked, violations) {
            (Ok(checked), Ok(violations)) => planned.push(Planned { sql, checked, violations }),
            (Err(error), _) | (_, Err(error)) => {
                problems.push(rule.problem(format!("its SQL does not fit the tables: {error}")));
            }
        }
    }
    if problems.is_empty() { Ok(planned) } else { Err(Error::Rules { problems }) }
}

/// Counts all violations of a rule and keeps the first ones by key, whatever order they come in.
async fn judge(
    rule: &Rule,
    planned: Planned,
    options: &Options,
    counts: &mut BTreeMap<String, u64>,
) -> Result<Outcome> {
    let failed = |source| Error::Failed { rule: rule.id.clone(), source };
    let checked = match counts.get(&planned.sql.checked) {
        Some(known) => *known,
        None => {
            let batches = rows(&planned.checked).await.map_err(failed)?;
            let counted = batches.first().map_or(0, |b| b.column(0).as_primitive::<Int64Type>().value(0)) as u64;
            counts.insert(planned.sql.checked.clone(), counted);
            counted
        }
    };
    let mut violations = 0;
    let mut kept: BinaryHeap<Violation> = BinaryHeap::new();
    if checked > 0 {
        let mut stream = planned.violations.execute(None).await.map_err(failed)?;
        while let Some(batch) = stream.try_next().await.map_err(failed)? {
            violations += batch.num_rows() as u64;
            keep(&batch, options.keep, &mut kept);
        }
    }
    Ok(Outcome {
        rule: rule.id.clone(),
        family: rule.family,
        dataset: format!("{}.{}", options.schema, rule.table.name),
        columns: rule.columns.join(", "),
        says: rule.says.clone(),
        weight: rule.weight,
        reason: planned.sql.reason,
        checked,
        violations,
        kept: kept.into_sorted_vec(),
    })
}

async fn rows(statement: &Statement) -> haetae_warehouse::Result<Vec<RecordBatch>> {
    statement.execute(None).await?.try_collect().await
}

fn keep(batch: &RecordBatch, most: usize, kept: &mut BinaryHeap<Violation>) {
    let (keys, declarations) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
    let (items, found) = (batch.column(2).as_primitive::<Int32Type>(), batch.column(3).as_string::<i32>());
    for row in 0..batch.num_rows() {
        let row_key = keys.value(row);
        if kept.len() >= most && kept.peek().is_none_or(|last| row_key >= last.row_key.as_str()) {
            continue;
        }
        kept.push(Violation {
            row_key: row_key.to_owned(),
            declaration_id: declarations.is_valid(row).then(|| declarations.value(row).to_owned()),
            item_no: items.is_valid(row).then(|| items.value(row)),
            found: found.is_valid(row).then(|| found.value(row).to_owned()),
        });
        if kept.len() > most {
            kept.pop();
        }
    }
}

/// (dataset, family) -> score in the last run with the same rules and scope that has it. Scores by other rules
/// would tell of the rules, not of the data.
async fn previous_scores(
    snapshot: &Snapshot,
    rules: &Rules,
    options: &Options,
) -> Result<BTreeMap<(String, String), f64>> {
    let sql = format!(
        "select s.dataset, s.family, s.score from {QUALITY}.scores s join {QUALITY}.runs r on r.run_id = s.run_id \
         where r.rules_sha256 = '{}' and s.scope = '{}' and s.dataset like '{}.%' order by s.run_id",
        rules.sha256,
        scope(options),
        options.schema
    );
    let statement = snapshot.statement(&sql).await?;
    let mut found = BTreeMap::new();
    for batch in rows(&statement).await? {
        let (datasets, families) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
        let scores = batch.column(2).as_primitive::<arrow::datatypes::Float64Type>();
        for row in 0..batch.num_rows() {
            let name = (datasets.value(row).to_owned(), families.value(row).to_owned());
            found.insert(name, scores.value(row));
        }
    }
    Ok(found)
}

fn commit(
    store: &Store,
    snapshot: &Snapshot,
    rules: &Rules,
    options: &Options,
    key: Key,
    outcomes: &[Outcome],
    previous: &BTreeMap<(String, String), f64>,
) -> Result<Done> {
    let manifest = snapshot.manifest();
    let run = results::Run {
        schema: options.schema.clone(),
        scope: scope(options),
        version: snapshot.version(),
        version_time: time_text(manifest.time_ms()),
        since: options.since,
        rules_sha256: rules.sha256.clone(),
    };
    let key_name = key.name.clone();
    let mut transaction = store.begin()?;
    transaction.set_key(key);
    let tables = results::tables(&run, outcomes, previous)?;
    // All of them before the first operation is recorded, so that all bear its number.
    for (table, batch) in &tables {
        let (table, batch) = (*table, batch.clone());
        if batch.num_rows() > 0 {
            transaction.add_numbered(QUALITY, table, move |run_id| results::numbered(table, &batch, run_id));
        }
    }
    for (table, batch) in tables.iter().filter(|(_, batch)| batch.num_rows() > 0) {
        transaction.record(NewOperation {
            kind: Kind::Append,
            schema: QUALITY.to_owned(),
            table: (*table).to_owned(),
            format: String::new(),
            inputs: Vec::new(),
            accepted: batch.num_rows() as u64,
            rejected: 0,
            removed: 0,
        });
    }
    Ok(match transaction.commit()? {
        Committed::Now { version, first_id } => {
            Done { run_id: first_id, version, repeated: false, outcomes: Vec::new() }
        }
        // Another process has run the same rules over the same rows meanwhile.
        Committed::Before { version } => {
            let current = store.current()?;
            let first = current.find_key(&key_name).and_then(|commit| commit.operations.first());
            Done { run_id: first.map_or(0, |operation| operation.id), version, repeated: true, outcomes: Vec::new() }
        }
    })
}
