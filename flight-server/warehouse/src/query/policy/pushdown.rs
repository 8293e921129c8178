//! What goes in: a predicate. What comes out: whether evaluating it can fail or tell anything on
//! rows that nobody may see.
//!
//! A list of what is known to be harmless, in the manner of PostgreSQL's LEAKPROOF: comparisons of
//! equal types, tests for null, lists of literals, and their combinations. No casts, no arithmetic,
//! no functions: their messages quote the values that they failed on.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Schema};
use datafusion::logical_expr::{Expr, Operator};

/// Whether the predicate is harmless and names only columns of `clear` (`None` = any).
pub(super) fn cannot_fail(predicate: &Expr, schema: &Schema, clear: Option<&BTreeSet<String>>) -> bool {
    let harmless = |expr: &Expr| cannot_fail(expr, schema, clear);
    let operand = |expr: &Expr| operand(expr, schema, clear);
    match predicate {
        Expr::Literal(value, _) => matches!(value.data_type(), DataType::Boolean | DataType::Null),
        Expr::Column(_) => operand(predicate) == Some(DataType::Boolean),
        Expr::Alias(alias) => harmless(&alias.expr),
        Expr::Not(inner) => harmless(inner),
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => operand(inner).is_some(),
        Expr::IsTrue(inner) | Expr::IsFalse(inner) | Expr::IsUnknown(inner) => harmless(inner),
        Expr::IsNotTrue(inner) | Expr::IsNotFalse(inner) | Expr::IsNotUnknown(inner) => harmless(inner),
        Expr::BinaryExpr(binary) => match binary.op {
            Operator::And | Operator::Or => harmless(&binary.left) && harmless(&binary.right),
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom => {
                matches!((operand(&binary.left), operand(&binary.right)), (Some(a), Some(b)) if a == b)
            }
            _ => false,
        },
        Expr::Between(between) => {
            let kind = operand(&between.expr);
            kind.is_some() && operand(&between.low) == kind && operand(&between.high) == kind
        }
        Expr::InList(list) => {
            let kind = operand(&list.expr);
            let same = |item: &Expr| matches!(item, Expr::Literal(..)) && operand(item) == kind;
            kind.is_some() && list.list.iter().all(same)
        }
        _ => false,
    }
}

/// The type of a column or literal of a plain type; `None` for anything else.
fn operand(expr: &Expr, schema: &Schema, clear: Option<&BTreeSet<String>>) -> Option<DataType> {
    let kind = match expr {
        Expr::Column(column) if clear.is_none_or(|clear| clear.contains(&column.name)) => {
            schema.field_with_name(&column.name).ok()?.data_type().clone()
        }
        Expr::Literal(value, _) => value.data_type(),
        _ => return None,
    };
    let plain = kind.is_primitive() || matches!(kind, DataType::Utf8 | DataType::Boolean);
    plain.then_some(kind)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::logical_expr::{cast, col, lit, try_cast};

    use super::*;

    #[test]
    fn only_what_cannot_fail_goes_down() {
        let schema = Schema::new(vec![
            Field::new("number", DataType::Int32, false),
            Field::new("text", DataType::Utf8, true),
            Field::new("secret", DataType::Utf8, true),
        ]);
        let clear = BTreeSet::from(["number".to_owned(), "text".to_owned()]);
        let fine = [
            col("number").gt(lit(3i32)),
            col("text").eq(lit("a")).and(col("number").is_not_null()),
            col("text").in_list(vec![lit("a"), lit("b")], true),
            col("number").between(lit(1i32), lit(2i32)).or(lit(true)),
        ];
        let held = [
            (lit(1i32) / col("number")).gt(lit(0i32)),
            cast(col("text"), DataType::Int32).eq(lit(1i32)),
            try_cast(col("text"), DataType::Int32).eq(lit(1i32)),
            col("secret").eq(lit("a")),
            col("secret").is_null(),
            col("text").eq(lit("a")).or(col("secret").eq(lit("a"))),
            col("number").gt(lit(3i64)),
            col("text").like(lit("a%")),
            col("nowhere").eq(lit("a")),
            lit("text"),
        ];
        for predicate in fine {
            assert!(cannot_fail(&predicate, &schema, Some(&clear)), "{predicate}");
        }
        for predicate in held {
            assert!(!cannot_fail(&predicate, &schema, Some(&clear)), "{predicate}");
        }
    }
}
