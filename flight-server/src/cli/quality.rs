//! What goes in: a warehouse and rules of data quality. What comes out: what the rules found.

use std::fmt::Write;
use std::path::PathBuf;

use arrow::util::pretty::pretty_format_batches_with_schema;
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use haetae_quality::rules::{self, Rules};
use haetae_warehouse::names::quoted;
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;
use haetae_warehouse::{DEFAULT_SCHEMA, QUALITY};

/// What `quality` is told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the tables by the rules, and keep what they find in the schema `quality`
    ///
    /// The same rules over the same rows are run once. All rows that break a rule are counted; the
    /// first ones by key are kept.
    Run(Run),
    /// List the rules
    List(List),
    /// Show the last run, or the rows that break a rule
    Show(Show),
    #[command(flatten)]
    Queue(super::queue::Action),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server quality run --warehouse wh\n  \
    haetae-server quality run --warehouse wh --dataset fact_item --since 12\n  \
    haetae-server quality run --warehouse wh --rules our-rules")]
struct Run {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// A rule file, or a folder of them [default: the rules that come with the program]
    #[arg(long, value_name = "PATH")]
    rules: Option<PathBuf>,
    /// Schema whose tables are checked
    #[arg(long, value_name = "SCHEMA", default_value = DEFAULT_SCHEMA)]
    schema: String,
    /// Only the rules about this table
    #[arg(long, value_name = "TABLE")]
    dataset: Option<String>,
    /// Only rows that were added after this version; compacted files count as added
    #[arg(long, value_name = "VERSION")]
    since: Option<u64>,
    /// How many rows that break a rule are kept, for each rule
    #[arg(long, value_name = "ROWS", default_value_t = 1000)]
    keep: usize,
    /// Memory for sorts, joins and aggregates, in MiB; beyond it they use temporary files
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory_mib: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  haetae-server quality list --rules our-rules")]
struct List {
    /// A rule file, or a folder of them [default: the rules that come with the program]
    #[arg(long, value_name = "PATH")]
    rules: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server quality show --warehouse wh\n  \
    haetae-server quality show --warehouse wh --rule item.hs6_known --rows 20")]
struct Show {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Number of the run [default: the last one]
    #[arg(long, value_name = "RUN")]
    run: Option<u64>,
    /// Show the rows that break this rule
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// How many of them
    #[arg(long, value_name = "ROWS", default_value_t = 50)]
    rows: u64,
}

/// Why nothing was checked or shown.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The rules or the run.
    #[error(transparent)]
    Quality(#[from] haetae_quality::Error),
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
    /// The system refused something that queries need.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// There is nothing to show.
    #[error("{0}")]
    Nothing(String),
    /// A value cannot be printed.
    #[error("cannot print a value: {0}")]
    Value(#[from] arrow::error::ArrowError),
}

/// Does what was asked, and prints it.
pub fn run(options: &Options) -> Result<(), Failure> {
    match &options.action {
        Action::Run(options) => run_rules(options),
        Action::List(options) => list(options),
        Action::Show(options) => show(options),
        Action::Queue(action) => super::queue::run(action),
    }
}

fn read(path: Option<&PathBuf>) -> Result<Rules, haetae_quality::Error> {
    path.map_or_else(rules::shipped, |path| rules::read(path))
}

fn list(options: &List) -> Result<(), Failure> {
    let mut text = String::new();
    for rule in &read(options.rules.as_ref())?.list {
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "{:<32} {:<13} {:<16} weight {:<4} {}",
            rule.id, rule.family, rule.table.name, rule.weight, rule.says
        );
    }
    print!("{text}");
    Ok(())
}

fn run_rules(options: &Run) -> Result<(), Failure> {
    let rules = read(options.rules.as_ref())?;
    let store = Store::open(&options.warehouse)?;
    let engine = EngineOptions { memory_bytes: options.memory_mib << 20, ..EngineOptions::default() };
    let engine = Engine::new(store.clone(), &engine)?;
    let wanted = haetae_quality::Options {
        schema: options.schema.clone(),
        dataset: options.dataset.clone(),
        since: options.since,
        keep: options.keep,
    };
    let bar = indicatif::ProgressBar::new_spinner();
    let mut progress = |rule: &str| {
        bar.set_message(rule.to_owned());
        bar.tick();
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(haetae_quality::run(&store, &engine, &rules, &wanted, &mut progress));
    bar.finish_and_clear();
    let done = done?;
    if done.repeated {
        println!("nothing to do: run {} has checked the same rows by the same rules; quality show has it", done.run_id);
        return Ok(());
    }
    let broken = done.outcomes.iter().filter(|outcome| outcome.violations > 0).count();
    let violations: u64 = done.outcomes.iter().map(|outcome| outcome.violations).sum();
    print!("{}", answer(&engine, &runtime, &results(done.run_id))?);
    print!("{}", answer(&engine, &runtime, &scores(done.run_id))?);
    println!(
        "run {}: {} rules, {broken} of them broken by {violations} rows; the warehouse is at version {}",
        done.run_id,
        done.outcomes.len(),
        done.version
    );
    Ok(())
}

fn results(run: u64) -> String {
    format!(
        "select rule, family, checked, violations, round(passed * 100, 3) as passed_percent from {QUALITY}.results \
         where run_id = {run} order by violations desc, rule"
    )
}

fn scores(run: u64) -> String {
    format!(
        "select dataset, family, round(score, 3) as score, round(change, 3) as change from {QUALITY}.scores \
         where run_id = {run} order by dataset, family"
    )
}

fn show(options: &Show) -> Result<(), Failure> {
    let store = Store::open(&options.warehouse)?;
    let engine = Engine::new(store.clone(), &EngineOptions::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let current = store.current()?;
    let runs: Vec<u64> = current.operations(QUALITY, "runs").map(|operation| operation.id).collect();
    let run = match options.run {
        Some(run) if runs.contains(&run) => run,
        Some(run) => {
            let known: Vec<String> = runs.iter().map(u64::to_string).collect();
            return Err(Failure::Nothing(format!("there is no run {run}; the runs are {}", known.join(", "))));
        }
        None => *runs.first().ok_or_else(|| {
            Failure::Nothing("the rules have not been run yet; `haetae-server quality run` does it".to_owned())
        })?,
    };
    match &options.rule {
        None => {
            print!("{}", answer(&engine, &runtime, &results(run))?);
            print!("{}", answer(&engine, &runtime, &scores(run))?);
        }
        Some(rule) => {
            let sql = format!(
                "select row_key, reason, found from {QUALITY}.violations where run_id = {run} and rule = {} \
                 order by row_key limit {}",
                quoted(rule),
                options.rows
            );
            print!("{}", answer(&engine, &runtime, &sql)?);
        }
    }
    Ok(())
}

/// The answer as a table of text.
pub fn answer(engine: &Engine, runtime: &tokio::runtime::Runtime, sql: &str) -> Result<String, Failure> {
    let (schema, batches) = runtime.block_on(async {
        let statement = engine.current()?.statement(sql).await?;
        let stream = statement.execute(None).await?;
        let schema = stream.schema();
        Ok::<_, haetae_warehouse::Error>((schema, stream.try_collect::<Vec<_>>().await?))
    })?;
    Ok(format!("{}\n", pretty_format_batches_with_schema(schema, &batches)?))
}
