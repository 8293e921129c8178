//! What goes in: a folder of Parquet files or a Delta Lake table elsewhere. What comes out: a table of the schema
//! `outside`, which is read where it lies.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::outside::{self, Wanted};
use haetae_warehouse::store::{OutsideEntry, OutsideKind, OutsideTable, Store};
use haetae_warehouse::{CLASSES, Error};

/// What `table` is told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a folder of Parquet files or a Delta Lake table known as `outside.NAME`
    ///
    /// The folder must lie in one of those that the file outside.toml in the warehouse directory allows, as
    /// `folders = ["/srv/lake"]`. Its files stay where they are and are only read; each is looked at now. The columns
    /// are those of now: a table that gets others is registered again (`table refresh`). Nobody but an admin sees the
    /// table until the policy names it, and then its columns as raw text is seen, unless the catalogue says otherwise.
    Register(Box<Register>),
    /// Look at a table again, and serve the columns that it has now
    Refresh(Named),
    /// List the tables that are registered
    List(List),
    /// Forget a table; its files stay as they are
    Unregister(Named),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server table register --warehouse wh --parquet /srv/lake/trade --owner \"Trade statistics\" \\\n    \
      --steward \"Data quality team\" --title \"Trade by month\" --description \"One month of one subheading\" trade\n  \
    haetae-server table register --warehouse wh --delta /srv/lake/rates --version 12 --owner \"Tariff division\" \\\n    \
      --steward \"Data quality team\" --title \"Rates\" --description \"One rate\" rates_of_march")]
struct Register {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Folder of Parquet files, also in folders like month=2026-03
    #[arg(long, value_name = "FOLDER", required_unless_present = "delta", conflicts_with = "delta")]
    parquet: Option<PathBuf>,
    /// Folder of a Delta Lake table
    #[arg(long, value_name = "FOLDER")]
    delta: Option<PathBuf>,
    /// Version of the Delta Lake table [default: the newest, each time]
    #[arg(long, value_name = "NUMBER", requires = "delta")]
    version: Option<u64>,
    /// Type of a column that stands in names of folders: text, whole, date or flag; may be given several times
    /// [default: text]
    #[arg(long = "partition", value_name = "NAME=TYPE", requires = "parquet")]
    partitions: Vec<String>,
    /// What the table is called in the catalogue
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// What one of its rows stands for
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// Who answers for the table
    #[arg(long, value_name = "TEXT")]
    owner: String,
    /// Who looks after its quality
    #[arg(long, value_name = "TEXT")]
    steward: String,
    /// Class of the table: public, internal, personal, secret
    #[arg(long, value_name = "CLASS", default_value = "secret")]
    class: String,
    /// Classification of its columns, as the policy names it: open, identifier, name, criminal_history, raw_text
    #[arg(long, value_name = "CLASSIFICATION", default_value = "raw_text")]
    classification: String,
    /// Name in the schema `outside`
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, Args)]
struct List {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
}

#[derive(Debug, Args)]
struct Named {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Name in the schema `outside`
    #[arg(value_name = "NAME")]
    name: String,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is a table of that name.
    #[error("outside.{0} is registered already; choose another name, or unregister it first")]
    There(String),
    /// There is no table of that name.
    #[error("there is no table outside.{name}; registered are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// An option has a value that it cannot have.
    #[error("{option}: expected {expected}, found \"{found}\"")]
    Value {
        /// The option.
        option: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] Error),
}

/// Does what was asked, and prints it.
pub fn run(options: &Options) -> Result<(), Failure> {
    match &options.action {
        Action::Register(options) => register(options),
        Action::Refresh(options) => refresh(options),
        Action::List(options) => list(options),
        Action::Unregister(options) => unregister(options),
    }
}

fn register(options: &Register) -> Result<(), Failure> {
    outside::check_name(&options.name)?;
    let known = CLASSES;
    if !known.contains(&options.class.as_str()) {
        return Err(value("--class", known.join(", "), &options.class));
    }
    let known = haetae_schema::Classification::ALL.map(haetae_schema::Classification::name);
    if !known.contains(&options.classification.as_str()) {
        return Err(value("--classification", known.join(", "), &options.classification));
    }
    for (option, text) in [
        ("--title", &options.title),
        ("--description", &options.description),
        ("--owner", &options.owner),
        ("--steward", &options.steward),
    ] {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(value(option, "a text in one line".to_owned(), text));
        }
    }
    let (kind, folder) = match (&options.parquet, &options.delta) {
        (Some(folder), _) => (OutsideKind::Parquet, folder.clone()),
        (None, folder) => (OutsideKind::Delta, folder.clone().unwrap_or_default()),
    };
    let partitions = options.partitions.iter().map(|text| partition(text)).collect::<Result<_, _>>()?;
    let entry = OutsideEntry {
        title: options.title.clone(),
        description: options.description.clone(),
        owner: options.owner.clone(),
        steward: options.steward.clone(),
        class: options.class.clone(),
        classification: options.classification.clone(),
    };
    let store = Store::open(&options.warehouse)?;
    let mut changes = Changes::begin(&store)?;
    if changes.outside(&options.name).is_some() {
        return Err(Failure::There(options.name.clone()));
    }
    let wanted = Wanted { kind, folder, version: options.version, partitions, entry };
    let table = outside::look(store.root(), wanted)?;
    say(&options.name, &table);
    changes.register(&options.name, table);
    committed(changes)
}

fn refresh(options: &Named) -> Result<(), Failure> {
    let store = Store::open(&options.warehouse)?;
    let mut changes = Changes::begin(&store)?;
    let known = find(&changes, &options.name)?;
    let table = outside::again(store.root(), known)?;
    say(&options.name, &table);
    changes.register(&options.name, table);
    committed(changes)
}

fn unregister(options: &Named) -> Result<(), Failure> {
    let store = Store::open(&options.warehouse)?;
    let mut changes = Changes::begin(&store)?;
    find(&changes, &options.name)?;
    changes.unregister(&options.name);
    println!("outside.{} is forgotten; its files stay as they are", options.name);
    committed(changes)
}

fn list(options: &List) -> Result<(), Failure> {
    let store = Store::open(&options.warehouse)?;
    let current = store.current()?;
    for (name, table) in &current.outside {
        say(name, table);
    }
    if current.outside.is_empty() {
        println!("no table is registered; `haetae-server table register` makes one known");
    }
    Ok(())
}

fn find(changes: &Changes, name: &str) -> Result<OutsideTable, Failure> {
    changes.outside(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = changes.all_outside().collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::Unknown { name: name.to_owned(), known }
    })
}

fn say(name: &str, table: &OutsideTable) {
    let version = table.version.map(|version| format!(", version {version}")).unwrap_or_default();
    let OutsideTable { kind, folder, columns, partitions, entry, .. } = table;
    let columns: Vec<String> = columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    println!("outside.{name}: {kind} in {folder}{version}; {}, {}, {}", entry.title, entry.owner, entry.steward);
    println!("  {}", columns.join(", "));
    if !partitions.is_empty() {
        println!("  in folders by {}", partitions.join(", "));
    }
}

fn committed(changes: Changes) -> Result<(), Failure> {
    let done = changes.commit()?;
    println!("that is safe on the disk, the warehouse is at version {}", done.version);
    Ok(())
}

fn value(option: &'static str, expected: String, found: &str) -> Failure {
    Failure::Value { option, expected, found: found.to_owned() }
}

fn partition(text: &str) -> Result<(String, outside::PartitionType), Failure> {
    let wrong = || value("--partition", "NAME=text, NAME=whole, NAME=date or NAME=flag".to_owned(), text);
    let (name, kind) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.to_owned(), outside::PartitionType::of(kind).ok_or_else(wrong)?))
}
