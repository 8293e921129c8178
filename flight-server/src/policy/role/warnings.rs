//! What goes in: a role. What comes out: what it shows that may not be meant.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use haetae_warehouse::query::policy::{Column, TableAccess};
use haetae_warehouse::query::tables as all_tables;

use super::{Lines, Role};
use crate::policy::{Policy, Problem};

/// Whose rows belong to the rows of `fact_item` that a filter shows or hides.
const ITEM: &str = "fact_item";

/// By which other tables tell of the same declarations.
const BINDS: [&str; 2] = ["declaration_id", "office_id"];

impl Policy {
    /// What the roles show that may not be meant, in the order of lines. The policy can be used all the same.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut all: Vec<Problem> = self.roles.values().flat_map(|role| role.warnings.clone()).collect();
        all.sort_by_key(|problem| problem.line);
        all
    }
}

/// What a role shows by a `*` although it hides it in `fact_item`: rows of the same declarations, and columns of the same
/// name. A filter or a mask that the policy states is what is meant, `"true"` and `"show"` too.
pub(super) fn besides(role: &Role, starred: &BTreeSet<(String, String)>, lines: &Lines) -> Vec<Problem> {
    let known = all_tables();
    let mut warnings = Vec::new();
    for ((schema, item), access) in role.tables.iter().filter(|((_, table), _)| table == ITEM) {
        let beside = || {
            let here = known.iter().filter(|(s, t, _)| s == schema && t != item);
            let shown = here.filter(|(s, t, _)| starred.contains(&(s.clone(), t.clone())));
            shown.filter(|(_, t, _)| t.starts_with("fact_") || t.starts_with("bridge_"))
        };
        let has = |columns: &SchemaRef, name: &str| columns.field_with_name(name).is_ok();
        let of = |table: &str| role.tables.get(&(schema.clone(), table.to_owned()));
        let all = access.filter.as_ref().is_none_or(|filter| filter.trim() == "true");
        let open = beside().filter(|(_, t, columns)| {
            BINDS.iter().any(|name| has(columns, name)) && of(t).is_some_and(|access| access.filter.is_none())
        });
        let open: Vec<String> = open.map(|(s, t, _)| format!("{s}.{t}")).collect();
        if !all && !open.is_empty() {
            warnings.push(Problem {
                line: lines.of(schema, item, None),
                what: format!(
                    "the filter of {schema}.{item} does not hold for {}, which tell of the same declarations and are shown by \
                     a `*`: give each a filter of its own (\"false\" hides all of it, \"true\" shows it), or name the tables \
                     that the role needs",
                    open.join(", ")
                ),
            });
        }
        let stated = |table: &str, column: &str| {
            role.clearance.stated.contains(&(schema.clone(), table.to_owned(), column.to_owned()))
        };
        let hidden = access.columns.iter().filter(|(column, how)| stated(item, column) && **how != Column::Show);
        for (column, _) in hidden {
            let open = beside().filter(|(_, t, columns)| {
                let shown = |access: &TableAccess| access.columns.get(column).is_none_or(|how| *how == Column::Show);
                has(columns, column) && !stated(t, column) && of(t).is_some_and(shown)
            });
            let open: Vec<String> = open.map(|(s, t, _)| format!("{s}.{t}")).collect();
            if !open.is_empty() {
                warnings.push(Problem {
                    line: lines.of(schema, item, Some(column)),
                    what: format!(
                        "{column} is masked in {schema}.{item}, and shown by a `*` in {}: mask it there too, or write \"show\"",
                        open.join(", ")
                    ),
                });
            }
        }
    }
    warnings
}
