//! What goes in: a sqllogictest script and a database. What comes out: the same script with the answers that the
//! database gives, so that a script is passed when nothing in it changes.
//!
//! Of the format it knows `statement ok`, `statement error PART`, `query TYPES [rowsort]` with its `----`, comments
//! and blank lines; types are I (whole number), R (number), T (anything else). Three records are this project's:
//! `load CHANGE TABLE` with lines of CSV, `edit ROWS` or `edit error PART` with a statement that changes the catalogue, and
//! `at VERSION` or `at newest` for what is asked after it.

use std::fmt::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::array_value_to_string;
use haetae_warehouse::ingest::{Change, Changes, Format};
use haetae_warehouse::store::Store;

/// What scripts are run against. Errors are what a user reads.
pub trait Database {
    /// The warehouse that is asked.
    fn store(&self) -> Store;
    /// Answers a query.
    fn ask(&mut self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), String>;
    /// Changes the catalogue; returns how many of its rows.
    fn edit(&mut self, sql: &str) -> Result<u64, String>;
    /// Which version is asked from now on; `None` is the newest.
    fn at(&mut self, version: Option<u64>) -> Result<(), String>;
}

/// The scripts: name and text. `time_travel` needs a database that knows versions.
pub const SCRIPTS: [(&str, &str); 9] = [
    ("types", include_str!("../sql/types.slt")),
    ("nulls", include_str!("../sql/nulls.slt")),
    ("dates", include_str!("../sql/dates.slt")),
    ("joins", include_str!("../sql/joins.slt")),
    ("windows", include_str!("../sql/windows.slt")),
    ("errors", include_str!("../sql/errors.slt")),
    ("changes", include_str!("../sql/changes.slt")),
    ("edits", include_str!("../sql/edits.slt")),
    ("time_travel", include_str!("../sql/time_travel.slt")),
];

/// Runs a script and returns it with the answers that came.
pub fn run(script: &str, database: &mut dyn Database) -> String {
    let mut told = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut body = Vec::new();
        if matches!(words.first(), Some(&("statement" | "edit" | "query" | "load"))) {
            while let Some(more) = lines.next_if(|line| !line.is_empty() && *line != "----") {
                body.push(more);
            }
            if lines.next_if_eq(&"----").is_some() {
                while lines.next_if(|line| !line.is_empty()).is_some() {}
            }
        }
        let body = body.join("\n");
        match words.as_slice() {
            [] => told.push('\n'),
            [first, ..] if first.starts_with('#') => writeln!(told, "{line}").unwrap(),
            ["at", version] => {
                database.at(version.parse().ok()).unwrap_or_else(|error| panic!("{line}: {error}"));
                writeln!(told, "{line}").unwrap();
            }
            ["load", change, table] => {
                let done = load(&database.store(), change, table, &format!("{body}\n")).unwrap_or_else(|error| error);
                writeln!(told, "{line}\n{body}\n----\n{done}").unwrap();
            }
            ["statement", ..] => {
                let done = database.ask(&body).map(|_| "ok".to_owned());
                writeln!(told, "{}\n{body}", head("statement", line, done)).unwrap();
            }
            ["edit", ..] => {
                let done = database.edit(&body).map(|rows| rows.to_string());
                writeln!(told, "{}\n{body}", head("edit", line, done)).unwrap();
            }
            ["query", rest @ ..] => {
                let (head, rows) = query(&body, rest.contains(&"rowsort"), database);
                writeln!(told, "{head}\n{body}\n----").unwrap();
                rows.iter().for_each(|row| writeln!(told, "{row}").unwrap());
            }
            other => panic!("a script has no record {other:?}"),
        }
    }
    told
}

/// Changes a table by a CSV file; says what was done.
fn load(store: &Store, change: &str, table: &str, csv: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, csv).unwrap();
    let change = match change {
        "append" => Change::Append,
        "replace" => Change::Replace,
        "upsert" => Change::Upsert,
        "delete" => Change::Delete,
        other => panic!("no change {other}"),
    };
    let load = || {
        let mut changes = Changes::begin(store)?;
        let format = Format::Table(table.to_owned());
        changes.apply(change, "customs", &format, vec![file.clone().into()], &mut |_| {})?;
        changes.commit()
    };
    let done = load().map_err(|error| error.to_string().replace(file.to_str().unwrap(), "FILE"))?;
    Ok(format!(
        "version {}: {} accepted, {} refused, {} removed",
        done.version, done.accepted, done.rejected, done.removed
    ))
}

/// What came of a record that begins with `line`.
fn head(kind: &str, line: &str, done: Result<String, String>) -> String {
    let wanted = line.strip_prefix(&format!("{kind} error "));
    match (done, wanted) {
        (Ok(said), _) => format!("{kind} {said}"),
        (Err(found), Some(part)) if found.contains(part) => line.to_owned(),
        (Err(found), _) => format!("{kind} error {}", found.replace('\n', " ")),
    }
}

fn query(sql: &str, sorted: bool, database: &mut dyn Database) -> (String, Vec<String>) {
    let order = if sorted { " rowsort" } else { "" };
    let (schema, batches) = match database.ask(sql) {
        Ok(answer) => answer,
        Err(error) => return (format!("query error {error}"), Vec::new()),
    };
    let (types, rows) = answer(&schema, &batches, sorted);
    (format!("query {types}{order}"), rows)
}

/// A letter for the type of each column, and a line for each row.
pub fn answer(schema: &SchemaRef, batches: &[RecordBatch], sorted: bool) -> (String, Vec<String>) {
    let types: String = schema.fields().iter().map(|field| letter(field.data_type())).collect();
    let mut rows: Vec<String> = Vec::new();
    for batch in batches {
        let cell = |row: usize, column: &arrow::array::ArrayRef| match column.is_null(row) {
            true => "NULL".to_owned(),
            false => match array_value_to_string(column, row).unwrap() {
                empty if empty.is_empty() => "(empty)".to_owned(),
                text => text,
            },
        };
        let row = |row: usize| batch.columns().iter().map(|column| cell(row, column)).collect::<Vec<_>>().join(" ");
        rows.extend((0..batch.num_rows()).map(row));
    }
    if sorted {
        rows.sort();
    }
    (types, rows)
}

fn letter(data_type: &DataType) -> char {
    match data_type {
        found if found.is_integer() => 'I',
        found if found.is_numeric() => 'R',
        _ => 'T',
    }
}

/// Runs a script that lies in a folder, and fails where an answer is not the one that it has. With `bless` the
/// answers that came are written into it.
pub fn pass(name: &str, script: &str, bless: Option<&std::path::Path>, database: &mut dyn Database) {
    let told = run(script, database);
    if let Some(folder) = bless {
        std::fs::write(folder.join(format!("{name}.slt")), &told).unwrap();
        return;
    }
    for (number, (told, expected)) in told.lines().zip(script.lines()).enumerate() {
        assert_eq!(told, expected, "{name}.slt, line {}", number + 1);
    }
    assert_eq!(told.lines().count(), script.lines().count(), "{name}.slt");
}
