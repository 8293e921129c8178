//! What goes in: the plan of a DELETE or an UPDATE. What comes out: the table that it changes, which of its rows, and what it
//! sets; an error where the plan leaves that open.

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::statement::has_subquery;
use super::update::invalid;
use crate::{Error, Result};

/// The table that is changed, and which of its rows. Fails for a join, a limit and whatever else leaves open which
/// rows stay.
pub(super) fn parts(plan: &LogicalPlan) -> Result<(LogicalPlan, Option<Expr>)> {
    let (source, predicate) = match plan {
        LogicalPlan::Filter(filter) => (filter.input.as_ref(), Some(filter.predicate.clone())),
        other => (other, None),
    };
    let table = match source {
        LogicalPlan::SubqueryAlias(alias) => alias.input.as_ref(),
        other => other,
    };
    match table {
        LogicalPlan::TableScan(_) => Ok((source.clone(), predicate)),
        _ => Err(unsafe_shape()),
    }
}

/// What an UPDATE reads, and the names of the columns that it sets.
pub(super) fn assignments(plan: &LogicalPlan) -> Result<(LogicalPlan, Vec<String>)> {
    let LogicalPlan::Projection(projection) = plan else { return Err(unsafe_shape()) };
    let set = projection.expr.iter().filter(|expr| {
        let name = name_of(expr);
        !matches!((*expr).clone().unalias(), Expr::Column(column) if column.name == name)
    });
    Ok((projection.input.as_ref().clone(), set.map(name_of).collect()))
}

pub(super) fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Alias(alias) => alias.name.clone(),
        Expr::Column(column) => column.name.clone(),
        other => other.schema_name().to_string(),
    }
}

pub(super) fn source_column(source: &LogicalPlan, name: &str) -> Option<Column> {
    let found = source.schema().iter().find(|(_, field)| field.name() == name);
    found.map(|(qualifier, field)| Column::from((qualifier, field)))
}

/// A condition that can be turned round.
pub(super) fn simple(predicate: Expr) -> Result<Expr> {
    if has_subquery(&predicate) {
        return Err(invalid(
            "the condition of a change in work can have no subquery; insert what shall stay into another table"
                .to_owned(),
        ));
    }
    Ok(predicate)
}

pub(super) fn unsafe_shape() -> Error {
    invalid("DELETE and UPDATE are for one table with a condition: no FROM, no joins, no LIMIT".to_owned())
}
