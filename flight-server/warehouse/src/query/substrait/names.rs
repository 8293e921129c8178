//! What goes in: a plan, and places among its columns. What comes out: a plan with those columns, each under a name of its
//! own that is not long.
//!
//! Substrait has columns without names. The library names them by their expressions, so that `a + a` over `a + a` over
//! `a + a` has a name that doubles with each step, and a small plan would fill the memory.

use std::collections::BTreeSet;

use datafusion::common::{Column, DFSchema, substrait_err};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

/// The most columns that a relation may have.
const COLUMNS: usize = 1024;

/// A longer name is replaced by the number of its column.
const NAME_BYTES: usize = 256;

/// The columns at these places. Expressions are not repeated where a column is, so that their size cannot grow.
pub(super) fn chosen(plan: LogicalPlan, places: &[i32]) -> Result<LogicalPlan> {
    bounded(places.len())?;
    let schema = plan.schema();
    let mut names = Names::of(schema);
    let mut seen = BTreeSet::new();
    let mut columns = Vec::with_capacity(places.len());
    for place in places {
        let found = usize::try_from(*place).ok().filter(|place| *place < schema.fields().len());
        let Some(found) = found else {
            let known = schema.fields().len();
            return substrait_err!("a relation chooses the column {place} of {known}, counted from 0");
        };
        let column = Expr::Column(Column::from(schema.qualified_field(found)));
        columns.push(if seen.insert(found) { column } else { column.alias(names.fresh()) });
    }
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// The same plan with short names.
pub(super) fn shortened(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = plan.schema();
    bounded(schema.fields().len())?;
    if schema.fields().iter().all(|field| field.name().len() <= NAME_BYTES) {
        return Ok(plan);
    }
    let mut names = Names::of(schema);
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (qualifier, field) in schema.iter() {
        let column = Expr::Column(Column::from((qualifier, field)));
        columns.push(if field.name().len() <= NAME_BYTES { column } else { column.alias(names.fresh()) });
    }
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

pub(super) fn bounded(columns: usize) -> Result<()> {
    if columns > COLUMNS {
        return substrait_err!("a relation of the plan has {columns} columns; {COLUMNS} are the most");
    }
    Ok(())
}

/// Names that no column has.
struct Names {
    taken: BTreeSet<String>,
    number: usize,
}

impl Names {
    fn of(schema: &DFSchema) -> Self {
        let short = schema.fields().iter().map(|field| field.name()).filter(|name| name.len() <= NAME_BYTES);
        Self { taken: short.cloned().collect(), number: 0 }
    }

    fn fresh(&mut self) -> String {
        loop {
            self.number += 1;
            let name = format!("column {}", self.number);
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }
}
