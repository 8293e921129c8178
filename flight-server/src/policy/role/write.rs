//! What goes in: what the section of a role lets it change. What comes out: the same in the role, or complaints.

use haetae_warehouse::query::policy::{Column, is_catalogue, is_comments};
use haetae_warehouse::{COURSE, META, OUTSIDE, REJECTS, RISK, SCHEMAS, WORK};

use super::{Role, tables};
use crate::policy::sections::{Complaints, Entry};

/// What the role may change: its own schema `work`, and tables that it sees as they are. Who changed a table that they
/// see in part would learn from the answers what they do not see.
pub(super) fn write(role: &mut Role, entry: Entry<'_>, complaints: &mut Complaints<'_>) {
    for pattern in complaints.list(entry) {
        if pattern == WORK {
            role.makes = true;
            continue;
        }
        if pattern.starts_with("meta.") {
            catalogue(role, pattern, entry.line, complaints);
            continue;
        }
        for (schema, table) in tables(pattern, entry.line, complaints) {
            if table == REJECTS && pattern.contains('*') {
                continue;
            }
            // What is added to comments tells nothing of the others, and no row of them can be changed.
            if is_comments(&schema, &table)
                && !pattern.contains('*')
                && role.tables.contains_key(&(RISK.to_owned(), table.clone()))
            {
                role.writes.insert((schema, table));
                continue;
            }
            let name = format!("{schema}.{table}");
            let whole = role.tables.get(&(schema.clone(), table.clone())).is_some_and(|access| {
                access.filter.is_none() && access.columns.values().all(|column| *column == Column::Show)
            });
            if schema == OUTSIDE {
                complaints.add(entry.line, format!("{name} lies outside of the warehouse and is only read"));
            } else if schema != COURSE && (!SCHEMAS.contains(&schema.as_str()) || table == REJECTS) {
                complaints.add(entry.line, format!("{name} is written by the server alone"));
            } else if !whole {
                complaints.add(
                    entry.line,
                    format!(
                        "{name} cannot be in `write`: the role does not see all of its rows and columns as they are"
                    ),
                );
            } else {
                role.writes.insert((schema, table));
            }
        }
    }
}

/// What the role may edit of the catalogue.
fn catalogue(role: &mut Role, pattern: &str, line: usize, complaints: &mut Complaints<'_>) {
    let known = ["datasets", "columns", "glossary"];
    let table = pattern.trim_start_matches("meta.");
    match known.contains(&table) && is_catalogue(META, table) {
        true => drop(role.writes.insert((META.to_owned(), table.to_owned()))),
        false => complaints
            .add(line, format!("{pattern} cannot be in `write`; of the catalogue meta.{} can", known.join(", meta."))),
    }
}
