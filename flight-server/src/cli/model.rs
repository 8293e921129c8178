//! What goes in: a warehouse and what to do with its models. What comes out: the models, or what was done.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use haetae_scoring::{By, Definition, Registered, Trained};
use haetae_warehouse::DEFAULT_SCHEMA;

use super::retrain::{self, Retrain};
use super::score::{Failure, Place};

/// What `model` is told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Train a model by a definition on what was known before a day, and register it
    Train(Train),
    /// Train a challenger if the period of the definition says that one is due
    ///
    /// Made for a timer: a second call in the same period does nothing, and nothing is promoted.
    Retrain(Retrain),
    /// List the models
    List(Named),
    /// Show one model and what was done with it
    Show(One),
    /// Make a model the champion of its definition; the act is recorded
    Promote(Promote),
    /// Compare versions on the same days, by what inspections found
    Compare(Compare),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  haetae-server model train --warehouse wh --definition import.toml --as-of 2021-01-01"
)]
struct Train {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The definition, a TOML file
    #[arg(long, value_name = "FILE")]
    definition: PathBuf,
    /// The day before which all that it learns was known
    #[arg(long, value_name = "DATE")]
    as_of: NaiveDate,
    /// Who trains it
    #[arg(long, value_name = "NAME", default_value = "haetae-server model")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    /// Memory for sorts, joins and aggregates, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory_mib: usize,
}

#[derive(Debug, Args)]
struct Named {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Only those of this definition
    #[arg(long, value_name = "NAME")]
    definition: Option<String>,
}

#[derive(Debug, Args)]
struct One {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The model
    model: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  haetae-server model promote --warehouse wh --by kim --why \"found more in March\" import-2"
)]
struct Promote {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The model
    model: String,
    /// Who promotes it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  haetae-server model compare --warehouse wh --from 2021-03-01 --to 2021-03-31 --known-on 2021-04-30 \
    import-1/3fa9c1d2 import-2/3fa9c1d2"
)]
struct Compare {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Schema with the results of inspections
    #[arg(long, value_name = "SCHEMA", default_value = DEFAULT_SCHEMA)]
    schema: String,
    /// First day
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// Last day
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
    /// Results that were known by this day count
    #[arg(long, value_name = "DATE")]
    known_on: NaiveDate,
    /// The versions, as `score` prints them
    #[arg(required = true, num_args = 1..)]
    versions: Vec<String>,
}

/// Does what was asked, and prints it.
pub fn run(options: &Options) -> Result<(), Failure> {
    match &options.action {
        Action::Train(options) => train(options),
        Action::Retrain(options) => retrain::run(options),
        Action::List(options) => list(options),
        Action::Show(options) => show(options),
        Action::Promote(options) => promote(options),
        Action::Compare(options) => compare(options),
    }
}

fn train(options: &Train) -> Result<(), Failure> {
    let definition = Definition::read(&options.definition)?;
    let place = Place::open(&options.warehouse, options.memory_mib)?;
    let by = By { who: options.by.clone(), why: options.why.clone() };
    let training = haetae_scoring::train(place.warehouse(), &definition, options.as_of, &by);
    told(&place.runtime.block_on(training)?);
    Ok(())
}

/// Prints what became of a training.
pub(super) fn told(done: &Trained) {
    if done.repeated {
        println!("nothing to do: {} is the same model", done.model);
        return;
    }
    let judged = match done.judged {
        Some((auc, ks)) => format!("AUC {auc:.3} and KS {ks:.3} on rows that were held back"),
        None => "not judged: too few rows to hold some back".to_owned(),
    };
    println!("{}: {} rows, {} of them fraud; {judged}", done.model, done.rows, done.positives);
    println!("`haetae-server model promote` makes it the champion; the warehouse is at version {}", done.version);
}

fn all(place: &Place, definition: Option<&str>) -> Result<Vec<Registered>, Failure> {
    let snapshot = place.engine.current()?;
    Ok(place.runtime.block_on(haetae_scoring::models(&snapshot, definition))?)
}

fn figure(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.3}") }
}

fn list(options: &Named) -> Result<(), Failure> {
    let place = Place::open(&options.warehouse, 2048)?;
    for one in all(&place, options.definition.as_deref())? {
        println!(
            "{:<24} {:<10} {:<10} as of {}  {:>9} rows  AUC {:<6} {}",
            one.model,
            one.kind,
            one.schema,
            one.as_of,
            one.rows,
            figure(one.auc),
            if one.champion { "champion" } else { "" }
        );
    }
    Ok(())
}

fn show(options: &One) -> Result<(), Failure> {
    let place = Place::open(&options.warehouse, 2048)?;
    if !all(&place, None)?.iter().any(|one| one.model == options.model) {
        return Err(Failure::Words(format!(
            "there is no model {}; `haetae-server model list` lists them",
            options.model
        )));
    }
    let name = options.model.replace('\'', "''");
    for sql in [
        format!("select * from risk.models where model = '{name}'"),
        format!(
            "select m.committed_at, a.act, a.done_by, a.reason from risk.acts a join meta.versions m on m.operation_id = a.run_id \
             where a.model = '{name}' order by a.run_id"
        ),
    ] {
        print!("{}", place.answer(&sql)?);
    }
    Ok(())
}

fn promote(options: &Promote) -> Result<(), Failure> {
    let place = Place::open(&options.warehouse, 2048)?;
    let by = By { who: options.by.clone(), why: options.why.clone() };
    let done = place.runtime.block_on(haetae_scoring::promote(place.warehouse(), &options.model, &by))?;
    match done {
        true => println!("{} is the champion from now on", options.model),
        false => println!("nothing to do: {} is the champion already", options.model),
    }
    Ok(())
}

fn compare(options: &Compare) -> Result<(), Failure> {
    let place = Place::open(&options.warehouse, 2048)?;
    let days = (options.from, options.to);
    let comparing =
        haetae_scoring::compare(place.warehouse(), &options.schema, &options.versions, days, options.known_on);
    let (rows, version) = place.runtime.block_on(comparing)?;
    println!(
        "{:<28} {:>6} {:>7} {:>6} {:>24} {:>7} {:>8} {:>6}",
        "version", "rate", "chosen", "found", "precision", "recall", "revenue", "AUC"
    );
    for one in rows {
        let [precision, low, high] = one.precision;
        println!(
            "{:<28} {:>5}% {:>7} {:>6} {:>24} {:>7} {:>8} {:>6}",
            one.version,
            one.rate * 100.0,
            one.chosen,
            one.found,
            format!("{precision:.3} ({low:.3} to {high:.3})"),
            figure(one.recall),
            one.revenue.map_or("-".to_owned(), figure),
            figure(one.auc)
        );
    }
    println!("kept in risk.comparisons; the warehouse is at version {version}");
    Ok(())
}
