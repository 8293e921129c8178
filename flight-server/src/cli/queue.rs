//! What goes in: what a steward decides about rows that break a rule. What comes out: a kept decision, and the queue.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use haetae_quality::queue::{self, Decision, Verdict};
use haetae_warehouse::names::quoted;
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;

use super::quality::{Failure, answer};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// List rows that break a rule, with what was decided about them
    ///
    /// The queue has what the last run over all rows found, and later runs over added rows.
    Queue(Queue),
    /// Say who is to see to rows that break a rule
    Assign(Assign),
    /// Accept rows that break a rule: they are right as they are, also in later runs
    Accept(Settle),
    /// Say that rows which break a rule have been corrected; a later run opens those that it finds again
    Correct(Settle),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Open,
    Assigned,
    Accepted,
    Corrected,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server quality queue --warehouse wh\n  \
    haetae-server quality queue --warehouse wh --state assigned --assignee kim")]
pub struct Queue {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Only this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only what is assigned to this person
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,
    /// Only this rule
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// How many rows
    #[arg(long, value_name = "ROWS", default_value_t = 50)]
    rows: u64,
}

#[derive(Debug, Args)]
struct Which {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The rule
    #[arg(long, value_name = "RULE")]
    rule: String,
    /// Key of a row, as the queue shows it; may be given several times
    #[arg(long = "row", value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    rows: Vec<String>,
    /// All rows of the rule that are open or assigned
    #[arg(long)]
    all: bool,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    by: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    haetae-server quality assign --warehouse wh --rule item.hs6_known --row 2603-0001/1 --to kim --by lee")]
pub struct Assign {
    #[command(flatten)]
    which: Which,
    /// Who is to see to it
    #[arg(long, value_name = "NAME")]
    to: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    haetae-server quality accept --warehouse wh --rule item.price_outlier --row 2603-0001/1 --by kim \\\n    \
    --reason \"the invoice shows this price\"")]
pub struct Settle {
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Does what was asked, and prints it.
pub fn run(action: &Action) -> Result<(), Failure> {
    match action {
        Action::Queue(options) => list(options),
        Action::Assign(options) => {
            decide(&options.which, Verdict::Assign { to: options.to.clone() }, options.reason.clone())
        }
        Action::Accept(options) => decide(&options.which, Verdict::Accept, Some(options.reason.clone())),
        Action::Correct(options) => decide(&options.which, Verdict::Correct, Some(options.reason.clone())),
    }
}

fn list(options: &Queue) -> Result<(), Failure> {
    let engine = Engine::new(Store::open(&options.warehouse)?, &EngineOptions::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let state = options.state.and_then(|state| Some(state.to_possible_value()?.get_name().to_owned()));
    let wanted = [("state", &state), ("assignee", &options.assignee), ("rule", &options.rule)];
    let wanted = wanted.iter().filter_map(|(column, value)| Some(format!("{column} = {}", quoted(value.as_ref()?))));
    let wanted: Vec<String> = std::iter::once("true".to_owned()).chain(wanted).collect();
    let (queue, wanted) = (queue::sql(), wanted.join(" and "));
    let counts = format!("select state, count(*) as rows from ({queue}) where {wanted} group by state order by state");
    let rows = format!(
        "select rule, dataset, row_key, state, assignee, why, what, found from ({queue}) where {wanted} \
         order by rule, dataset, row_key limit {}",
        options.rows
    );
    print!("{}", answer(&engine, &runtime, &rows)?);
    print!("{}", answer(&engine, &runtime, &counts)?);
    Ok(())
}

fn decide(which: &Which, verdict: Verdict, reason: Option<String>) -> Result<(), Failure> {
    let store = Store::open(&which.warehouse)?;
    let engine = Engine::new(store.clone(), &EngineOptions::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let state = verdict.state();
    let rows = (!which.all).then(|| which.rows.clone());
    let decision = Decision { rule: which.rule.clone(), rows, verdict, reason, by: which.by.clone() };
    let done = runtime.block_on(queue::decide(&store, &engine, &decision))?;
    match done.change_id {
        Some(change) => println!(
            "{} rows of {} are {state}; change {change} is safe on the disk, the warehouse is at version {}",
            done.rows, which.rule, done.version
        ),
        None => println!("nothing to do: that was decided before; the warehouse stays at version {}", done.version),
    }
    Ok(())
}
