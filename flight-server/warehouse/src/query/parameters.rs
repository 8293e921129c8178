//! What goes in: SQL with `?` or `$1` in it, its plan, a batch of values. What comes out: SQL that the planner
//! reads, the types of the parameters, and the values of each row.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Cast, Expr, LogicalPlan, TryCast};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::faults::explain;
use super::plain::plain_type;
use super::policy::Access;
use crate::{Error, Result, SqlFault};

/// Numbers the `?` of a statement: `$1`, `$2` … The planner would take all of them for one
/// parameter. SQL without `?`, and text that is no SQL, comes back as it is.
pub(super) fn number_parameters(sql: &str) -> String {
    if !sql.contains('?') {
        return sql.to_owned();
    }
    // Without unescaping, a token prints as it was written.
    let dialect = GenericDialect {};
    let Ok(tokens) = Tokenizer::new(&dialect, sql).with_unescape(false).tokenize() else {
        return sql.to_owned();
    };
    let mut number = 0;
    let numbered = tokens.into_iter().map(|token| match token {
        Token::Placeholder(text) if text == "?" => {
            number += 1;
            format!("${number}")
        }
        other => other.to_string(),
    });
    numbered.collect()
}

/// The parameters of a plan, named `$1`, `$2` …, with the types that it gives them; `Null` where it leaves them open.
pub(super) fn parameters(plan: &LogicalPlan, access: Option<&Access>) -> Result<SchemaRef> {
    let wrong = |message: String| Error::Sql { fault: SqlFault::Parameters, message };
    let failed = |error| explain(&error, access);
    let found: BTreeMap<_, _> = plan.get_parameter_fields().map_err(failed)?.into_iter().collect();
    let open = found.values().any(Option::is_none);
    let given = if open { given(plan).map_err(failed)? } else { BTreeMap::new() };
    let mut fields: Vec<Option<Field>> = vec![None; found.len()];
    for (name, field) in found {
        let Some(number) = position(&name) else {
            return Err(wrong(format!("the parameter {name} has a name; write ? or $1, $2 and so on")));
        };
        let Some(slot) = fields.get_mut(number - 1) else {
            return Err(wrong(format!("the parameters must be numbered from $1 without gaps, but there is {name}")));
        };
        let data_type = match &field {
            Some(field) => Some(field.data_type()),
            None => given.get(&name).and_then(Option::as_ref),
        };
        let data_type = data_type.map_or(DataType::Null, |data_type| plain_type(data_type, false));
        *slot = Some(Field::new(name, data_type, true));
    }
    let fields: Option<Vec<Field>> = fields.into_iter().collect();
    let fields = fields.ok_or_else(|| wrong("the parameters must be numbered from $1 without gaps".to_owned()))?;
    Ok(Arc::new(Schema::new(fields)))
}

/// The types of parameters that stand in some place without one: what they have in another place, else what they are
/// cast to, if to nothing else. The library forgets the one, and does not look at the other.
fn given(plan: &LogicalPlan) -> std::result::Result<BTreeMap<String, Option<DataType>>, DataFusionError> {
    let (mut typed, mut given) = (BTreeMap::new(), BTreeMap::new());
    let mut note = |expr: &Expr| {
        match expr {
            Expr::Placeholder(Placeholder { id, field: Some(field) }) => {
                typed.entry(id.clone()).or_insert_with(|| Some(field.data_type().clone()));
            }
            Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
                if let Expr::Placeholder(parameter) = expr.as_ref() {
                    let data_type = Some(field.data_type().clone());
                    let known = given.entry(parameter.id.clone()).or_insert_with(|| data_type.clone());
                    if *known != data_type {
                        *known = None;
                    }
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    };
    plan.apply_with_subqueries(|node| node.apply_expressions(|expr| expr.apply(&mut note)))?;
    given.append(&mut typed);
    Ok(given)
}

/// The values of row `row`, by position.
pub(super) fn row_values(values: &RecordBatch, row: usize) -> Result<ParamValues> {
    let scalars = values.columns().iter().map(|column| ScalarValue::try_from_array(column, row));
    let scalars: Vec<ScalarValue> = scalars.collect::<Result<_, _>>().map_err(|error| Error::Sql {
        fault: SqlFault::Parameters,
        message: format!("cannot read a parameter: {error}"),
    })?;
    Ok(ParamValues::from(scalars))
}

/// The number in `$7`; `None` for a parameter with a name.
pub(super) fn position(placeholder: &str) -> Option<usize> {
    placeholder.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_are_numbered_outside_of_quotes() {
        let sql = "select '?', \"a?\" -- why?\n from t where x = ? and y like 'it''s%' and z in (?, $7)";
        let expected = "select '?', \"a?\" -- why?\n from t where x = $1 and y like 'it''s%' and z in ($2, $7)";
        assert_eq!(number_parameters(sql), expected);
        assert_eq!(number_parameters("select 1"), "select 1");
    }
}
