//! What goes in: a warehouse and scored items. What comes out: past cases that are like them, and what officers say.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use haetae_scoring::{Definition, Which};

use super::score::{Failure, Place};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server score similar --warehouse wh --definition import.toml --date 2021-01-04 --declaration 2101-0007 --item 1\n  \
    haetae-server score similar --warehouse wh --definition import.toml --date 2021-01-04")]
pub struct Similar {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The definition, a TOML file
    #[arg(long, value_name = "FILE")]
    definition: PathBuf,
    /// The day on which the items were declared
    #[arg(long, value_name = "DATE")]
    date: NaiveDate,
    /// Print the cases of this declaration [default: keep those of all items that are not green in risk.similar]
    #[arg(long, value_name = "DECLARATION")]
    declaration: Option<String>,
    /// The line of that declaration
    #[arg(long, value_name = "LINE", default_value_t = 1, requires = "declaration")]
    item: i64,
    /// Cases of an item
    #[arg(long, value_name = "CASES", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    most: u32,
    /// The model [default: the one of the definition that was promoted last]
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Memory for sorts, joins and aggregates, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory_mib: usize,
}

pub fn similar(options: &Similar) -> Result<(), Failure> {
    let definition = Definition::read(&options.definition)?;
    let place = Place::open(&options.warehouse, options.memory_mib)?;
    let (model, most) = (options.model.as_deref(), usize::try_from(options.most).unwrap_or(1));
    let Some(declaration) = &options.declaration else {
        let keeping = haetae_scoring::keep_similar(place.warehouse(), &definition, model, options.date, most);
        match place.runtime.block_on(keeping)? {
            None => println!("{}: nothing to do, the cases of this version are kept already", options.date),
            Some((0, _)) => println!("{}: no item in a lane that has past cases", options.date),
            Some((items, version)) => {
                println!("{}: past cases of {items} items; the warehouse is at version {version}", options.date);
            }
        }
        return Ok(());
    };
    let which = (options.date, Which::One(declaration, options.item));
    let found = haetae_scoring::similar(place.warehouse(), &definition, model, which, most);
    let found = place.runtime.block_on(found)?;
    if found.iter().all(|one| one.cases.is_empty()) {
        println!("no item of the same chapter was inspected before");
    }
    for case in found.iter().flat_map(|one| &one.cases) {
        let outcome = match (case.fraud, case.additional_duty_krw) {
            (false, _) => "nothing found".to_owned(),
            (true, None) => "fraud".to_owned(),
            (true, Some(duty)) => format!("fraud, {duty:.0} KRW recovered"),
        };
        println!(
            "{}/{} of {} (office {}), same {}, distance {:.3}: {outcome} on {}",
            case.declaration_id,
            case.item_no,
            case.day,
            case.office_id,
            case.shared,
            case.distance,
            case.inspection_date
        );
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    Right,
    Wrong,
    Unsure,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    haetae-server score comment --warehouse wh --declaration 2101-0007 --item 1 --version import-1/3fa9c1d2 \\\n    \
    --verdict wrong --comment \"the importer has a ruling for this code\" --by kim")]
pub struct Comment {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// The declaration
    #[arg(long, value_name = "DECLARATION")]
    declaration: String,
    /// The line of that declaration
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    item: i64,
    /// Whose score it is about, as risk.scores has it
    #[arg(long, value_name = "VERSION")]
    version: String,
    /// What you think of the score
    #[arg(long, value_enum)]
    verdict: Verdict,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Who says it
    #[arg(long, value_name = "NAME")]
    by: String,
}

pub fn comment(options: &Comment) -> Result<(), Failure> {
    let place = Place::open(&options.warehouse, 2048)?;
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    let verdict = match options.verdict {
        Verdict::Right => "right",
        Verdict::Wrong => "wrong",
        Verdict::Unsure => "unsure",
    };
    let item: ArrayRef = Arc::new(Int64Array::from(vec![options.item]));
    let given = RecordBatch::try_from_iter([
        ("declaration_id", text(&options.declaration)),
        ("item_no", item),
        ("version", text(&options.version)),
        ("verdict", text(verdict)),
        ("comment", text(&options.comment)),
    ]);
    let given = given.map_err(|error| Failure::Words(error.to_string()))?;
    let version = place.runtime.block_on(haetae_scoring::comment(place.warehouse(), &given, &options.by))?;
    println!("kept in risk.comments; the warehouse is at version {version}");
    Ok(())
}
