//! What goes in: the plan of a statement. What comes out: which table's rows it looks up, and by which values, if it does
//! no more than that.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

use super::file::Wanted;
use crate::query::parameters::position;
use crate::{CATALOG, DEFAULT_SCHEMA};

/// Columns of the rows of one table that have given values in some columns.
pub(super) struct Shape {
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) provider: Arc<dyn TableProvider>,
    /// Columns of the provider, in the order of the result.
    pub(super) shown: Vec<usize>,
    /// Columns of the provider, and what they must be equal to.
    pub(super) conditions: Vec<(usize, Value)>,
}

/// Where a value comes from.
pub(super) enum Value {
    /// From the parameter with this index.
    Parameter(usize),
    Literal(ScalarValue),
}

impl Shape {
    /// `None` for anything that computes, joins, sorts, or chooses by more than equality.
    pub(super) fn of(plan: &LogicalPlan) -> Option<Self> {
        let LogicalPlan::Projection(projection) = plan else { return None };
        let LogicalPlan::Filter(filter) = projection.input.as_ref() else { return None };
        let source = match filter.input.as_ref() {
            LogicalPlan::SubqueryAlias(alias) => alias.input.as_ref(),
            other => other,
        };
        let LogicalPlan::TableScan(scan) = source else { return None };
        if scan.projection.is_some() || !scan.filters.is_empty() || scan.fetch.is_some() {
            return None;
        }
        let provider = source_as_provider(&scan.source).ok()?;
        let columns = provider.schema();
        let index = |column: &Column| columns.index_of(&column.name).ok();
        let shown = projection.expr.iter().map(|expr| index(plain_column(expr)?)).collect::<Option<Vec<_>>>()?;
        let mut conditions = Vec::new();
        equalities(&filter.predicate, &index, &mut conditions)?;
        let name = scan.table_name.clone().resolve(CATALOG, DEFAULT_SCHEMA);
        Some(Self { schema: name.schema.to_string(), table: name.table.to_string(), provider, shown, conditions })
    }
}

fn plain_column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => plain_column(&alias.expr),
        _ => None,
    }
}

fn equalities(
    predicate: &Expr,
    index: &impl Fn(&Column) -> Option<usize>,
    found: &mut Vec<(usize, Value)>,
) -> Option<()> {
    let Expr::BinaryExpr(binary) = predicate else { return None };
    match binary.op {
        Operator::And => {
            equalities(&binary.left, index, found)?;
            equalities(&binary.right, index, found)
        }
        Operator::Eq => {
            let (column, value) = match (binary.left.as_ref(), binary.right.as_ref()) {
                (Expr::Column(column), value) | (value, Expr::Column(column)) => (index(column)?, value),
                _ => return None,
            };
            let value = match value {
                Expr::Placeholder(placeholder) => Value::Parameter(position(&placeholder.id)? - 1),
                Expr::Literal(literal, _) => Value::Literal(literal.clone()),
                _ => return None,
            };
            found.push((column, value));
            Some(())
        }
        _ => None,
    }
}

impl Value {
    /// What the column must be equal to, of its type. `None` where the query engine has to say what that is.
    pub(super) fn wanted(
        &self,
        column: usize,
        kind: &DataType,
        values: Option<&RecordBatch>,
        row: usize,
    ) -> Option<Wanted> {
        let given = match self {
            Self::Literal(value) => value.clone(),
            Self::Parameter(index) => ScalarValue::try_from_array(values?.columns().get(*index)?, row).ok()?,
        };
        let from = given.data_type();
        let text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let alike = from == *kind || text(&from) && text(kind) || from.is_integer() && kind.is_integer();
        if given.is_null() || !alike {
            return None;
        }
        // A number that is too large for the column fails here, and is compared as the engine does it.
        let value = if from == *kind { given } else { given.cast_to(kind).ok()? };
        Some(Wanted { column, value: value.to_scalar().ok()? })
    }
}

/// Whether values of the type are equal when they are the same, and in no other case.
pub(super) fn comparable(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Utf8 | DataType::Date32 | DataType::Boolean)
}
