//! What goes in: a warehouse, a definition and days. What comes out: scores and decisions, or what is wrong with the log.

use std::fmt::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use haetae_scoring::{By, Definition, Head, Outcome, Warehouse};
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::{Clock, Store, SystemClock, time_text};

use super::cases::{self, Comment, Similar};

/// What `score` is told.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  \
    haetae-server score --warehouse wh --definition import.toml --date 2021-01-04\n  \
    haetae-server score --warehouse wh --definition import.toml --date 2021-01-01 --to 2021-01-31\n  \
    haetae-server score --warehouse wh --definition import.toml --date 2021-01-04 --model import-2\n  \
    haetae-server score verify --warehouse wh"
)]
pub struct Options {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    days: Option<Days>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check that the log of decisions is as it was written
    Verify(Verify),
    /// Look for past inspected items that are like those of a day, with what was found
    Similar(Similar),
    /// Say what an officer thinks of a score
    Comment(Comment),
}

#[derive(Debug, Args)]
struct Days {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The definition, a TOML file
    #[arg(long, value_name = "FILE")]
    definition: PathBuf,
    /// The day, or the first of them
    #[arg(long, value_name = "DATE")]
    date: NaiveDate,
    /// The last day [default: the first]
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// The model [default: the one of the definition that was promoted last]
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Who decides, for the log
    #[arg(long, value_name = "NAME", default_value = "haetae-server score")]
    by: String,
    /// When, for the log [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Memory for sorts, joins and aggregates, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory_mib: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  haetae-server score verify --warehouse wh --head 1800:5d1c…")]
struct Verify {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// A head that was kept elsewhere: the number of a record and its hash, as `score` has printed them
    #[arg(long, value_name = "RECORD:HASH")]
    head: Option<String>,
}

/// Why nothing was scored or checked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The definition, the model or the day.
    #[error(transparent)]
    Scoring(#[from] haetae_scoring::Error),
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
    /// The system refused something that queries need.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// The log is not as it was written.
    #[error("{0}")]
    Log(String),
    /// What was asked makes no sense.
    #[error("{0}")]
    Words(String),
}

/// A warehouse that is read in one order, and a runtime.
pub(super) struct Place {
    pub(super) store: Store,
    pub(super) engine: Engine,
    pub(super) runtime: tokio::runtime::Runtime,
}

impl Place {
    pub(super) fn open(root: &Path, memory_mib: usize) -> Result<Self, Failure> {
        let store = Store::open(root)?;
        // One partition: sums come in one order, so that the same data gives the same bytes.
        let options = EngineOptions {
            memory_bytes: memory_mib << 20,
            partitions: Some(NonZero::<usize>::MIN),
            ..EngineOptions::default()
        };
        let engine = Engine::new(store.clone(), &options)?;
        Ok(Self { store, engine, runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build()? })
    }

    /// An answer, each value behind the name of its column.
    pub(super) fn answer(&self, sql: &str) -> Result<String, Failure> {
        let batches: Vec<RecordBatch> = self.runtime.block_on(async {
            let stream = self.engine.current()?.statement(sql).await?.execute(None).await?;
            stream.try_collect().await
        })?;
        let mut text = String::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                    let value =
                        array_value_to_string(column, row).map_err(|error| Failure::Words(error.to_string()))?;
                    // Writing to a text does not fail.
                    let _ = writeln!(text, "{:<20} {value}", field.name());
                }
                text.push('\n');
            }
        }
        Ok(text)
    }

    pub(super) fn warehouse(&self) -> Warehouse<'_> {
        Warehouse { store: &self.store, engine: &self.engine }
    }
}

/// Now, as logs have it.
fn now() -> String {
    time_text(SystemClock.now_ms())
}

/// Does what was asked, and prints it.
pub fn run(options: &Options) -> Result<(), Failure> {
    match (&options.action, &options.days) {
        (Some(Action::Verify(options)), _) => verify(options),
        (Some(Action::Similar(options)), _) => cases::similar(options),
        (Some(Action::Comment(options)), _) => cases::comment(options),
        (None, Some(days)) => score(days),
        (None, None) => Err(Failure::Words("say which day: --warehouse, --definition and --date".to_owned())),
    }
}

fn score(options: &Days) -> Result<(), Failure> {
    let definition = Definition::read(&options.definition)?;
    let to = options.to.unwrap_or(options.date);
    if to < options.date {
        return Err(Failure::Words(format!("--to is {to}, before --date {}", options.date)));
    }
    let place = Place::open(&options.warehouse, options.memory_mib)?;
    let by = By { who: options.by.clone(), why: String::new() };
    let at = options.at.clone().unwrap_or_else(now);
    let mut head = None;
    for day in options.date.iter_days().take_while(|day| *day <= to) {
        let scoring = haetae_scoring::score(place.warehouse(), &definition, options.model.as_deref(), day, &by, &at);
        let done = place.runtime.block_on(scoring)?;
        match done.outcome {
            Outcome::Scored { items, lanes: [yellow, red, blue], moved, head: now, version } => {
                let lanes = match now.is_some() {
                    true => format!(" items, {yellow} yellow, {red} red, {blue} blue"),
                    false => " companies".to_owned(),
                };
                let moved = match moved.is_empty() {
                    true => String::new(),
                    false => format!("; another population: {}", moved.join(", ")),
                };
                println!("{day}: {items}{lanes} by {}; the warehouse is at version {version}{moved}", done.version);
                head = now.or(head);
            }
            Outcome::Before { run_id, late: 0 } => {
                println!("{day}: nothing to do, run {run_id} has scored it by {}", done.version);
            }
            Outcome::Before { run_id, late } => {
                println!(
                    "{day}: run {run_id} has scored it by {}; {late} items have come since; they have no lane by this version",
                    done.version
                );
            }
            Outcome::Nothing => println!("{day}: nothing was declared"),
        }
    }
    if let Some(head) = head {
        println!("the log goes to {}:{}; keep it elsewhere for `score verify --head`", head.records, head.hash);
    }
    Ok(())
}

fn verify(options: &Verify) -> Result<(), Failure> {
    let kept = options.head.as_deref().map(head).transpose()?;
    let place = Place::open(&options.warehouse, 2048)?;
    let snapshot = place.engine.current()?;
    let found = place.runtime.block_on(haetae_scoring::verify(&snapshot, kept.as_ref()))?;
    if found.faults.is_empty() {
        println!("the log is whole: {} records, to {}:{}", found.records, found.head.records, found.head.hash);
        return Ok(());
    }
    let faults: Vec<String> =
        found.faults.iter().take(20).map(|fault| format!("\n  record {} {}", fault.line, fault.reason)).collect();
    Err(Failure::Log(format!("the log is not as it was written, {} faults:{}", found.faults.len(), faults.concat())))
}

fn head(text: &str) -> Result<Head, Failure> {
    let wrong = || Failure::Words(format!("expected --head RECORD:HASH, found {text}"));
    let (records, hash) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Head { records: records.parse().map_err(|_| wrong())?, hash: hash.to_owned() })
}
