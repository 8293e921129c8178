//! What goes in: a warehouse and a definition with a period. What comes out: a challenger where one is due.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use haetae_scoring::{By, Definition, Retrained};
use haetae_warehouse::store::{Clock, SystemClock, time_text};

use super::model::told;
use super::score::{Failure, Place};

#[derive(Debug, Args)]
#[command(after_help = "Example, once a night by a timer:\n  \
    haetae-server model retrain --warehouse wh --definition import.toml")]
pub struct Retrain {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The definition, a TOML file with [retrain]
    #[arg(long, value_name = "FILE")]
    definition: PathBuf,
    /// The day [default: today, in UTC]
    #[arg(long, value_name = "DATE")]
    date: Option<NaiveDate>,
    /// Who trains it
    #[arg(long, value_name = "NAME", default_value = "haetae-server model")]
    by: String,
    /// Memory for sorts, joins and aggregates, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory_mib: usize,
}

pub fn run(options: &Retrain) -> Result<(), Failure> {
    let definition = Definition::read(&options.definition)?;
    let day = options.date.map_or_else(today, Ok)?;
    let place = Place::open(&options.warehouse, options.memory_mib)?;
    let by = By { who: options.by.clone(), why: "its period".to_owned() };
    match place.runtime.block_on(haetae_scoring::retrain(place.warehouse(), &definition, day, &by))? {
        Retrained::NotDue { model, due } => {
            println!("nothing to do: {model} is the newest model of {}, the next one is due on {due}", definition.name);
        }
        Retrained::TooFew { model, results, wanted } => {
            println!("nothing to do: {results} results have become known since {model}, the definition wants {wanted}")
        }
        Retrained::Trained { as_of, trained } => {
            println!("due, as of {as_of}");
            told(&trained);
        }
    }
    Ok(())
}

fn today() -> Result<NaiveDate, Failure> {
    let now = time_text(SystemClock.now_ms());
    let day = now.get(..10).and_then(|day| day.parse().ok());
    day.ok_or_else(|| Failure::Words(format!("the clock says {now}; give the day with --date")))
}
