//! What goes in: TOML files. What comes out: rules, or all that is wrong with the files.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use haetae_schema::Table;
use haetae_warehouse::ingest::hexadecimal;
use haetae_warehouse::names::{hint, near};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::check::{self, Check, Parameters};
use crate::{Error, Problem, Result};

/// What kind of mistake a rule is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Something is missing.
    Completeness,
    /// A value alone cannot be right.
    Validity,
    /// Values contradict one another.
    Consistency,
    /// The same thing is there twice.
    Uniqueness,
    /// Something came too late.
    Timeliness,
    /// A value is far from those of its like.
    Outliers,
    /// A text says nothing.
    Text,
    /// A partner country says something else.
    Mirror,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completeness => "completeness",
            Self::Validity => "validity",
            Self::Consistency => "consistency",
            Self::Uniqueness => "uniqueness",
            Self::Timeliness => "timeliness",
            Self::Outliers => "outliers",
            Self::Text => "text",
            Self::Mirror => "mirror",
        })
    }
}

/// One rule that rows of a table must obey.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, unique among all rules.
    pub id: String,
    /// Its family.
    pub family: Family,
    /// The table that it is about.
    pub table: &'static Table,
    /// The columns that it is about, the first of which a built-in check looks at.
    pub columns: Vec<String>,
    /// How much it counts in scores: more than 0, at most 100.
    pub weight: f64,
    /// What it demands, in words.
    pub says: String,
    /// SQL over the row `t`: to which rows it applies; all where there is none.
    pub when: Option<String>,
    /// What is checked.
    pub check: Check,
    /// The file that declares it.
    pub file: String,
    /// The line where it begins.
    pub line: usize,
}

impl Rule {
    /// A complaint about the rule.
    pub fn problem(&self, what: impl Into<String>) -> Problem {
        Problem { file: self.file.clone(), line: self.line, rule: self.id.clone(), what: what.into() }
    }
}

/// Rules and the digest of the files that declare them.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The rules, in the order of the files.
    pub list: Vec<Rule>,
    /// SHA-256 over the files, in lower-case hexadecimal.
    pub sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The table that the rules are about.
    dataset: Spanned<String>,
    #[serde(default)]
    rule: Vec<Spanned<Declared>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declared {
    id: String,
    family: Family,
    columns: Vec<String>,
    weight: Option<f64>,
    says: String,
    when: Option<String>,
    check: String,
    #[serde(default)]
    parameters: Parameters,
}

/// The rules for the star that come with the program: name and text of each file.
const SHIPPED: [(&str, &str); 5] = [
    ("fact_item.toml", include_str!("../rules/fact_item.toml")),
    ("fact_inspection.toml", include_str!("../rules/fact_inspection.toml")),
    ("fact_partner_export.toml", include_str!("../rules/fact_partner_export.toml")),
    ("dim_importer.toml", include_str!("../rules/dim_importer.toml")),
    ("dim_seller.toml", include_str!("../rules/dim_seller.toml")),
];

/// The rules for the star that come with the program.
pub fn shipped() -> Result<Rules> {
    parse(SHIPPED)
}

/// The rules of a file, or of all `.toml` files of a folder in the order of their names.
pub fn read(path: &Path) -> Result<Rules> {
    let unreadable = |path: &Path| {
        let file = path.display().to_string();
        move |source| Error::Unreadable { file, source }
    };
    let mut files = vec![path.to_path_buf()];
    if path.is_dir() {
        files.clear();
        for entry in std::fs::read_dir(path).map_err(unreadable(path))? {
            let path = entry.map_err(unreadable(path))?.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                files.push(path);
            }
        }
        files.sort();
    }
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(unreadable(&file))?;
        texts.push((file.display().to_string(), text));
    }
    parse(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// The rules of the files, given as (name, text). Fails with everything that is wrong with them.
pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Rules> {
    let (mut list, mut problems, mut digest) = (Vec::<Rule>::new(), Vec::new(), Sha256::new());
    let mut names = BTreeSet::new();
    for (file, text) in files {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
        for rule in read_file(file, text, &mut problems) {
            if !names.insert(rule.id.clone()) {
                problems.push(rule.problem("another rule has the same id; choose a new one"));
            }
            list.push(rule);
        }
    }
    if !problems.is_empty() {
        return Err(Error::Rules { problems });
    }
    let sha256 = hexadecimal(&digest.finalize());
    Ok(Rules { list, sha256 })
}

fn read_file(file: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let line = |byte: usize| 1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count();
    let mut add = |byte: usize, rule: &str, what: String| {
        problems.push(Problem { file: file.to_owned(), line: line(byte), rule: rule.to_owned(), what });
    };
    let parsed: File = match toml::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            add(error.span().map_or(0, |span| span.start), "", error.message().trim().to_owned());
            return Vec::new();
        }
    };
    let dataset = parsed.dataset.get_ref();
    let Some(table) = haetae_schema::table(dataset) else {
        let known: Vec<&str> = haetae_schema::tables().iter().map(|table| table.name).collect();
        let what = format!(
            "there is no table \"{dataset}\".{} The tables are {}",
            hint(&near(dataset, known.iter().copied())),
            known.join(", ")
        );
        add(parsed.dataset.span().start, "", what);
        return Vec::new();
    };
    let mut rules = Vec::new();
    for declared in parsed.rule {
        let byte = declared.span().start;
        let declared = declared.into_inner();
        let before = rules.len();
        match rule(table, declared, file, line(byte)) {
            Ok(rule) => rules.push(rule),
            Err((id, found)) => found.into_iter().for_each(|what| add(byte, &id, what)),
        }
        debug_assert!(rules.len() <= before + 1);
    }
    rules
}

/// The rule, or its name and all that is wrong with it.
fn rule(table: &'static Table, declared: Declared, file: &str, line: usize) -> Result<Rule, (String, Vec<String>)> {
    let Declared { id, family, columns, weight, says, when, check, parameters } = declared;
    let mut wrong = Vec::new();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
    if id.is_empty() || id.len() > 80 || !id.chars().all(plain) {
        wrong.push("an id has small letters, digits, _ and . alone, at most 80 of them".to_owned());
    }
    if columns.is_empty() {
        wrong.push("columns is empty; name the columns that the rule is about".to_owned());
    }
    for name in &columns {
        wrong.extend(unknown_column(table, name));
    }
    let weight = weight.unwrap_or(1.0);
    if !(weight > 0.0 && weight <= 100.0) {
        wrong.push(format!("weight is {weight}; expected more than 0 and at most 100"));
    }
    if says.trim().is_empty() {
        wrong.push("says is empty; say in words what the rule demands".to_owned());
    }
    if when.as_ref().is_some_and(|when| when.trim().is_empty()) {
        wrong.push("when is empty; give an SQL condition over the row t, or leave it out".to_owned());
    }
    let check = check::read(table, &columns, &check, parameters);
    match check {
        Ok(check) if wrong.is_empty() => {
            Ok(Rule { id, family, table, columns, weight, says, when, check, file: file.to_owned(), line })
        }
        Ok(_) => Err((id, wrong)),
        Err(what) => {
            wrong.extend(what);
            Err((id, wrong))
        }
    }
}

/// A complaint where the table has no such column.
pub(crate) fn unknown_column(table: &Table, name: &str) -> Option<String> {
    if table.column(name).is_some() {
        return None;
    }
    let known: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let meant = hint(&near(name, known.iter().copied()));
    let known = if meant.is_empty() { format!(" The columns are {}", known.join(", ")) } else { String::new() };
    Some(format!("there is no column \"{name}\" in {}.{meant}{known}", table.name))
}
