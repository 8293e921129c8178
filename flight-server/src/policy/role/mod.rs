//! What goes in: the section of a role. What comes out: what the role shows of each table.

mod warnings;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use haetae_schema::Classification;
use haetae_warehouse::query::policy::{
    Access, Clearance, Column, Mask, MaskKey, PolicyFault, Rights, TableAccess, classification,
};
use haetae_warehouse::query::tables as all_tables;
use haetae_warehouse::{COURSE, META, OUTSIDE, QUALITY, REJECTS, RISK, SCHEMAS, outside};

use super::Problem;
use super::sections::{Complaints, Entry, Section};
use crate::bounds::{Class, RoleBounds};

const SETTINGS: [&str; 12] = [
    "admin",
    "auditor",
    "tables",
    "clear",
    "attributes",
    "rows",
    "masks",
    "write",
    "max_rows",
    "max_mib",
    "query_class",
    "description",
];

/// The largest size of a result that can be said, in MiB.
const MOST_MIB: u64 = 1 << 20;

/// Who the people behind companies are, where they live, and who is kin to whom: nobody sees it by a `*`.
const PERSONS: [&str; 4] = ["dim_person", "bridge_company_person", "bridge_person_person", "bridge_person_offence"];

/// What a role may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Role {
    /// Sees everything as it is.
    pub(crate) admin: bool,
    /// May read the audit.
    pub(crate) auditor: bool,
    /// What `$name` in expressions may stand for; each user of the role has them.
    pub(crate) attributes: BTreeSet<String>,
    pub(crate) tables: BTreeMap<(String, String), TableAccess>,
    /// Those of `tables` whose rows the role may change; an admin may change all.
    pub(crate) writes: BTreeSet<(String, String)>,
    /// What decides on columns that this release knows nothing of.
    pub(crate) clearance: Clearance,
    /// What holds for its queries.
    pub(crate) bounds: RoleBounds,
    /// Whether the role may make tables in `work`, as `write` says.
    makes: bool,
    /// What the role shows that may not be meant, each with its line.
    warnings: Vec<Problem>,
}

/// Where the parts of a role stand in the file.
#[derive(Debug, Default)]
pub(super) struct Lines {
    role: usize,
    /// Of the filter or the mask that holds for a table's rows or column.
    parts: BTreeMap<(String, String, Option<String>), usize>,
}

impl Lines {
    pub(super) fn of(&self, schema: &str, table: &str, column: Option<&str>) -> usize {
        let key = (schema.to_owned(), table.to_owned(), column.map(str::to_owned));
        self.parts.get(&key).copied().unwrap_or(self.role)
    }
}

impl Role {
    /// Whether each user of the role has a schema `work`.
    pub(crate) fn work(&self) -> bool {
        self.admin || self.makes
    }

    /// What is wrong with the expressions.
    pub(super) fn check(&self) -> Vec<PolicyFault> {
        let attributes = self.attributes.iter().map(|name| (name.clone(), String::new())).collect();
        let rights = Rights::Limited { tables: self.tables.clone(), attributes, key: MaskKey::new([0; 32]) };
        let (work, writes) = (None, BTreeSet::new());
        Access { id: String::new(), rights, system: Vec::new(), work, writes, clearance: Clearance::default() }.check()
    }
}

/// The role of a section; complaints say what is wrong with it.
pub(super) fn read(section: Section<'_>, complaints: &mut Complaints<'_>) -> (Role, Lines) {
    let mut role = Role::default();
    let mut lines = Lines { role: section.line, ..Lines::default() };
    let mut cleared = BTreeSet::new();
    let (mut rows, mut masks) = (Vec::new(), Vec::new());
    let mut writes = None;
    let mut limited = None;
    // The tables that a `*` shows.
    let mut starred = BTreeSet::new();
    for entry in complaints.entries(section, Some(&SETTINGS)) {
        if matches!(entry.key, "tables" | "clear" | "attributes" | "rows" | "masks" | "write") {
            limited = limited.or(Some(entry.line));
        }
        match entry.key {
            "admin" => role.admin = complaints.flag(entry),
            "auditor" => role.auditor = complaints.flag(entry),
            "tables" => {
                for pattern in complaints.list(entry) {
                    for name in tables(pattern, entry.line, complaints) {
                        if pattern.ends_with('*') {
                            starred.insert(name.clone());
                        }
                        role.tables.insert(name, TableAccess::default());
                    }
                }
            }
            "clear" => cleared = classes(entry, complaints),
            "attributes" => role.attributes = complaints.list(entry).into_iter().map(str::to_owned).collect(),
            "rows" => rows = parts(entry, complaints),
            "masks" => masks = parts(entry, complaints),
            "write" => writes = Some(entry),
            "max_rows" => role.bounds.rows = complaints.number(entry, 1, u64::from(u32::MAX)),
            "max_mib" => role.bounds.bytes = complaints.number(entry, 1, MOST_MIB).map(|mib| mib << 20),
            "query_class" => role.bounds.class = class(entry, complaints),
            _ => {
                complaints.text(entry);
            }
        }
    }
    match limited {
        Some(line) if role.admin => {
            complaints.add(line, "an admin sees everything as it is; remove `admin` or what limits the role");
        }
        None if !role.admin && !role.auditor => {
            complaints.add(section.line, "the role shows nothing; write tables = [\"customs.*\"] or admin = true");
        }
        _ => {}
    }
    defaults(&mut role, &cleared);
    role.clearance.cleared = cleared;
    // Those for every schema first, so that those for one schema replace them.
    for list in [&mut rows, &mut masks] {
        list.sort_by_key(|entry: &Entry<'_>| !entry.key.starts_with("*."));
    }
    for entry in rows {
        let Some(filter) = complaints.text(entry) else { continue };
        for (schema, table) in shown(&role, entry, complaints) {
            lines.parts.insert((schema.clone(), table.clone(), None), entry.line);
            role.tables.entry((schema, table)).or_default().filter = Some(filter.to_owned());
        }
    }
    for entry in masks {
        let Some(section) = complaints.section(entry) else { continue };
        let names = shown(&role, entry, complaints);
        for entry in complaints.entries(section, None) {
            let Some(mask) = mask(entry, complaints) else { continue };
            for (schema, table) in &names {
                lines.parts.insert((schema.clone(), table.clone(), Some(entry.key.to_owned())), entry.line);
                role.clearance.stated.insert((schema.clone(), table.clone(), entry.key.to_owned()));
                let access = role.tables.entry((schema.clone(), table.clone())).or_default();
                access.columns.insert(entry.key.to_owned(), mask.clone());
            }
        }
    }
    if let Some(entry) = writes {
        write::write(&mut role, entry, complaints);
    }
    role.warnings = warnings::besides(&role, &starred, &lines);
    (role, lines)
}

fn class(entry: Entry<'_>, complaints: &mut Complaints<'_>) -> Option<Class> {
    let name = complaints.text(entry)?;
    let found = Class::of(name);
    if found.is_none() {
        complaints.add(entry.line, format!("there is no class of queries \"{name}\"; there are {}", Class::NAMES));
    }
    found
}

fn parts<'a>(entry: Entry<'a>, complaints: &mut Complaints<'_>) -> Vec<Entry<'a>> {
    complaints.section(entry).map(|section| complaints.entries(section, None)).unwrap_or_default()
}

/// The masks of what a role is not cleared for.
fn defaults(role: &mut Role, cleared: &BTreeSet<Classification>) {
    let known = all_tables();
    for ((schema, table), access) in &mut role.tables {
        let columns = known.iter().find(|(s, t, _)| s == schema && t == table).map(|(_, _, columns)| columns);
        let columns: Vec<String> =
            columns.map(|c| c.fields().iter().map(|field| field.name().clone()).collect()).unwrap_or_default();
        for column in columns {
            let class = classification(table, &column);
            if let Some(mask) = Mask::of(class).filter(|_| !cleared.contains(&class)) {
                access.columns.insert(column, Column::Mask(mask));
            }
        }
    }
}

fn classes(entry: Entry<'_>, complaints: &mut Complaints<'_>) -> BTreeSet<Classification> {
    let mut found = BTreeSet::new();
    for name in complaints.list(entry) {
        match Classification::ALL.into_iter().find(|class| class.name() == name) {
            Some(class) => {
                found.insert(class);
            }
            None => {
                let known = Classification::ALL.map(Classification::name).join(", ");
                complaints.add(entry.line, format!("there is no classification \"{name}\"; there are {known}"));
            }
        }
    }
    found
}

/// The tables of `schema.table`, where each part may be `*`.
fn tables(pattern: &str, line: usize, complaints: &mut Complaints<'_>) -> Vec<(String, String)> {
    let (schema, table) = if pattern == "*" { ("*", "*") } else { pattern.split_once('.').unwrap_or(("", pattern)) };
    if schema == OUTSIDE {
        // It may be registered later, so that only its name is looked at.
        return match outside::check_name(table) {
            Ok(()) => vec![(schema.to_owned(), table.to_owned())],
            Err(_) => {
                complaints.add(line, format!("\"{pattern}\": name the tables of the schema outside one by one"));
                Vec::new()
            }
        };
    }
    let known = all_tables();
    // What the rules of data quality found, and scores, tell of rows that a filter hides, and trainees are nobody's
    // business: a role is given them by name.
    let any = |found: &str| schema == "*" && ![QUALITY, RISK, COURSE].contains(&found);
    let every = |found: &str| table == "*" && !PERSONS.contains(&found);
    // Everyone sees what `meta` says about the tables that they see.
    let fits = |s: &str, t: &str| s != META && (any(s) || schema == s) && (every(t) || table == t);
    let found: Vec<(String, String)> =
        known.iter().filter(|(s, t, _)| fits(s, t)).map(|(s, t, _)| (s.clone(), t.clone())).collect();
    if found.is_empty() {
        let names: Vec<&str> = haetae_schema::tables().iter().map(|table| table.name).chain([REJECTS]).collect();
        complaints.add(
            line,
            format!(
                "no table is called \"{pattern}\"; write schema.table, schema.* or *.table; the schemas are {}, the tables {}",
                [&SCHEMAS[..], &[QUALITY, RISK, COURSE]].concat().join(", "),
                names.join(", ")
            ),
        );
    }
    found
}

/// The tables that a filter or masks are for, after a complaint where the role does not show them.
fn shown(role: &Role, entry: Entry<'_>, complaints: &mut Complaints<'_>) -> Vec<(String, String)> {
    let mut found = tables(entry.key, entry.line, complaints);
    // What hides holds for all that the role shows, and so for what a `*` does not show by itself.
    if let Some(schema) = entry.key.strip_suffix('*') {
        let fits = |(s, t): &&(String, String)| {
            PERSONS.contains(&t.as_str()) && ["", "*.", &format!("{s}.")].contains(&schema)
        };
        found.extend(role.tables.keys().filter(fits).cloned());
    }
    let shown: Vec<_> = found.iter().filter(|name| role.tables.contains_key(*name)).cloned().collect();
    if shown.is_empty() && !found.is_empty() {
        complaints.add(entry.line, format!("the role does not show {}; add it to its `tables`", entry.key));
    }
    shown
}

fn mask(entry: Entry<'_>, complaints: &mut Complaints<'_>) -> Option<Column> {
    const KNOWN: &str =
        "\"show\", \"hide\", \"null\", \"hash\", \"partial_name\", \"year\", { constant = \"…\" } or { sql = \"…\" }";
    if entry.is_text() {
        return match complaints.text(entry)? {
            "show" => Some(Column::Show),
            "hide" => Some(Column::Hide),
            "null" => Some(Column::Mask(Mask::Null)),
            "hash" => Some(Column::Mask(Mask::Hash)),
            "partial_name" => Some(Column::Mask(Mask::PartialName)),
            "year" => Some(Column::Mask(Mask::Year)),
            other => {
                complaints.add(entry.line, format!("there is no mask \"{other}\"; write {KNOWN}"));
                None
            }
        };
    }
    let section = complaints.section(entry)?;
    let parts = complaints.entries(section, Some(&["constant", "sql"]));
    let [part] = parts.as_slice() else {
        complaints.add(entry.line, format!("expected one mask for {}: {KNOWN}", entry.key));
        return None;
    };
    let text = complaints.text(*part)?.to_owned();
    Some(Column::Mask(if part.key == "sql" { Mask::Sql(text) } else { Mask::Constant(text) }))
}
