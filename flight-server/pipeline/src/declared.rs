//! What goes in: a TOML file. What comes out: a pipeline, or all that is wrong with the file.

use std::collections::BTreeMap;
use std::path::Path;

use haetae_warehouse::ingest::{Change, Format, hexadecimal};
use haetae_warehouse::names::{hint, near};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::{Error, Problem, Result};

/// The pipelines that come with the program: name and text of each file.
const SHIPPED: [(&str, &str); 4] = [
    ("documents.toml", include_str!("../pipelines/documents.toml")),
    ("generated-items.toml", include_str!("../pipelines/generated-items.toml")),
    ("kcs.toml", include_str!("../pipelines/kcs.toml")),
    ("unipass-import.toml", include_str!("../pipelines/unipass-import.toml")),
];

/// The pipelines of all tables that come with the program.
const SHIPPED_OF_TABLES: [(&str, &str); 1] = [("generated.toml", include_str!("../pipelines/generated.toml"))];

/// How files become rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Its name: small letters, digits and `-`.
    pub name: String,
    /// What it is for, in words.
    pub says: String,
    /// What the files are.
    pub source: Source,
    /// SQL steps, in their order; each sees `source`, the steps before it and the tables of the warehouse.
    pub steps: Vec<Step>,
    /// What rows must obey to be loaded.
    pub checks: Vec<Check>,
    /// The schema that is loaded into.
    pub schema: String,
    /// The table; of KCS files the main one.
    pub table: &'static haetae_schema::Table,
    /// What is done with the rows.
    pub change: Change,
    /// SHA-256 of the declaration in lower-case hexadecimal.
    pub sha256: String,
}

/// What the files of a pipeline are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files that the warehouse reads as they are.
    Direct {
        /// How they are laid out.
        format: Format,
        /// How their names end.
        endings: Vec<String>,
    },
    /// XML messages.
    Messages {
        /// How their names end.
        endings: Vec<String>,
        /// Path of the element that becomes a row, from the root.
        record: Vec<String>,
        /// Column -> path from the root; the last part may be `@attribute`.
        columns: BTreeMap<String, Vec<String>>,
    },
    /// Documents of any kind, each of which is a row.
    Documents {
        /// How their names end.
        endings: Vec<String>,
    },
}

impl Source {
    /// How the names of its files end.
    pub fn endings(&self) -> &[String] {
        match self {
            Self::Direct { endings, .. } | Self::Messages { endings, .. } | Self::Documents { endings } => endings,
        }
    }
}

/// One SQL step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The name by which later steps read it.
    pub name: String,
    /// A query. It keeps the column `source_row`.
    pub sql: String,
}

/// One thing that rows must obey.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The column that is to blame.
    pub column: String,
    /// What is demanded, in words: the reason of the refused row.
    pub says: String,
    /// SQL over the row `t` that the last step made. A row for which it is null obeys.
    pub expect: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    says: String,
    source: Spanned<DeclaredSource>,
    #[serde(default)]
    step: Vec<Spanned<Step>>,
    #[serde(default)]
    check: Vec<Spanned<Check>>,
    target: Spanned<Target>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredSource {
    kind: String,
    endings: Vec<String>,
    record: Option<String>,
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    schema: String,
    table: String,
    change: String,
}

/// The pipelines that come with the program.
pub fn shipped() -> Result<Vec<Pipeline>> {
    SHIPPED.iter().map(|(file, text)| parse(file, text)).collect()
}

/// The pipelines of all tables that come with the program: each list is one declaration.
pub fn shipped_of_tables() -> Result<Vec<Vec<Pipeline>>> {
    SHIPPED_OF_TABLES.iter().map(|(file, text)| of_tables(file, text)).collect()
}

/// A declaration in which `*` stands for each table in turn: a pipeline for each. Endings with `*` are then whole names
/// of files. Fails with what is wrong with it for any of them.
pub fn of_tables(file: &str, text: &str) -> Result<Vec<Pipeline>> {
    // Comments may have a `*` of their own.
    let said: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let said = said.join("\n");
    haetae_schema::tables().iter().map(|table| parse(file, &said.replace('*', table.name))).collect()
}

/// The pipeline that a file declares.
pub fn read(path: &Path) -> Result<Pipeline> {
    let text = std::fs::read_to_string(path).map_err(haetae_warehouse::Error::io("read the pipeline", path))?;
    parse(&path.display().to_string(), &text)
}

/// The pipeline that a text declares. Fails with everything that is wrong with it.
pub fn parse(file: &str, text: &str) -> Result<Pipeline> {
    let line = |byte: usize| 1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count();
    let mut problems = Vec::new();
    let mut add = |byte: usize, what: String| problems.push(Problem { file: file.to_owned(), line: line(byte), what });
    let parsed: File = match toml::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            add(error.span().map_or(0, |span| span.start), error.message().trim().to_owned());
            return Err(Error::Declared { problems });
        }
    };
    let name = parsed.name.get_ref().clone();
    if name.is_empty()
        || name.len() > 60
        || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        add(parsed.name.span().start, "a name has small letters, digits and - alone, at most 60 of them".to_owned());
    }
    let (source_at, target_at) = (parsed.source.span().start, parsed.target.span().start);
    let target = parsed.target.into_inner();
    let table = target_table(&target).map_err(|what| add(target_at, what)).ok();
    let change = change(&target.change).map_err(|what| add(target_at, what)).ok();
    let source = source(parsed.source.into_inner(), &target.table).map_err(|what| add(source_at, what)).ok();
    let direct = matches!(source, Some(Source::Direct { .. }));
    let mut names = vec!["source".to_owned()];
    for step in &parsed.step {
        let (at, step) = (step.span().start, step.get_ref());
        if direct {
            add(at, "files that are loaded as they are have no steps; use quality rules, or XML messages".to_owned());
        }
        if names.contains(&step.name) || !plain(&step.name) {
            let what = "a step has a name of its own, of small letters, digits and _, and other than source";
            add(at, format!("{what}; found \"{}\"", step.name));
        }
        names.push(step.name.clone());
    }
    for check in &parsed.check {
        let (at, check) = (check.span().start, check.get_ref());
        if direct {
            add(at, "files that are loaded as they are have no checks; use quality rules".to_owned());
        }
        if let Some(what) = table.and_then(|table| unknown_column(table, &check.column)) {
            add(at, what);
        }
    }
    if !direct && source.is_some() && parsed.step.is_empty() {
        add(source_at, "messages and documents need a step that makes the columns of the table".to_owned());
    }
    let (Some(source), Some(table), Some(change), true) = (source, table, change, problems.is_empty()) else {
        return Err(Error::Declared { problems });
    };
    let steps = parsed.step.into_iter().map(Spanned::into_inner).collect();
    let checks = parsed.check.into_iter().map(Spanned::into_inner).collect();
    let sha256 = hexadecimal(&Sha256::digest(text));
    Ok(Pipeline { name, says: parsed.says, source, steps, checks, schema: target.schema, table, change, sha256 })
}

fn plain(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.bytes().next().is_some_and(|b| b.is_ascii_lowercase()) && name.bytes().all(inner)
}

fn target_table(target: &Target) -> Result<&'static haetae_schema::Table, String> {
    haetae_warehouse::known_schema(&target.schema).map_err(|error| error.to_string())?;
    haetae_schema::table(&target.table).ok_or_else(|| {
        let known: Vec<&str> = haetae_schema::tables().iter().map(|table| table.name).collect();
        let meant = hint(&near(&target.table, known.iter().copied()));
        format!("there is no table \"{}\".{meant} The tables are {}", target.table, known.join(", "))
    })
}

fn change(name: &str) -> Result<Change, String> {
    match name {
        "append" => Ok(Change::Append),
        "upsert" => Ok(Change::Upsert),
        other => Err(format!("change is \"{other}\"; a pipeline can append or upsert")),
    }
}

fn unknown_column(table: &haetae_schema::Table, name: &str) -> Option<String> {
    let known: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let meant = hint(&near(name, known.iter().copied()));
    (!known.contains(&name)).then(|| format!("there is no column \"{name}\" in {}.{meant}", table.name))
}

fn source(declared: DeclaredSource, table: &str) -> Result<Source, String> {
    let DeclaredSource { kind, endings, record, columns } = declared;
    if endings.is_empty() || endings.iter().any(|ending| ending.is_empty() || ending.contains('/')) {
        return Err("endings must say how names of files end, for example [\".xml\"]".to_owned());
    }
    let format = match kind.as_str() {
        "table" => Format::Table(table.to_owned()),
        "kcs" if table == "fact_item" => Format::Kcs,
        "kcs" => {
            return Err("KCS files go to fact_item and the tables beside it; name fact_item as the target".to_owned());
        }
        "xml" => return messages(endings, record, columns),
        "document" if record.is_none() && columns.is_empty() => return Ok(Source::Documents { endings }),
        "document" => return Err("documents have no record and no columns to be declared".to_owned()),
        other => return Err(format!("there is no kind \"{other}\"; the kinds are table, kcs, xml, document")),
    };
    if record.is_some() || !columns.is_empty() {
        return Err(format!("files of the kind {kind} have no record and no columns to be declared"));
    }
    Ok(Source::Direct { format, endings })
}

fn messages(endings: Vec<String>, record: Option<String>, columns: BTreeMap<String, String>) -> Result<Source, String> {
    let path = |text: &str| -> Vec<String> { text.split('/').map(str::to_owned).collect() };
    let record = path(&record.ok_or("record must name the element that becomes a row, from the root: A/B/C")?);
    if record.iter().any(|part| part.is_empty() || part.starts_with('@')) {
        return Err("record must be the names of elements from the root, with / between them".to_owned());
    }
    if columns.is_empty() {
        return Err("columns is empty; say where each column stands, from the root: id = \"A/ID\"".to_owned());
    }
    let mut found = BTreeMap::new();
    for (name, text) in columns {
        let parts = path(&text);
        let attribute = |part: &String| part.starts_with('@');
        let inner = &parts[..parts.len().saturating_sub(1)];
        if !plain(&name) || name == "source_row" {
            return Err(format!("\"{name}\" cannot be a column; names have small letters, digits and _"));
        }
        if parts.first() != record.first() || parts.iter().any(String::is_empty) || inner.iter().any(attribute) {
            return Err(format!(
                "the path \"{text}\" of {name} must lead from the root {}, with / between names",
                record[0]
            ));
        }
        found.insert(name, parts);
    }
    Ok(Source::Messages { endings, record, columns: found })
}
