//! What goes in: files with what is known of their values, conditions. What comes out: the files in which there may be
//! rows that fit.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, ScalarValue, Statistics};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr_rewriter::unnormalize_col;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::values::of_json;
use crate::outside::OutsideFile;

type Known<'a> = (&'a OutsideFile, Vec<ScalarValue>);

/// All files where the conditions say nothing of them.
pub(super) fn matching<'a>(
    session: &dyn Session,
    columns: &SchemaRef,
    in_files: &Schema,
    filters: &[Expr],
    files: Vec<Known<'a>>,
) -> Result<Vec<Known<'a>>> {
    let Some(all) = conjunction(filters.iter().cloned().map(unnormalize_col)) else { return Ok(files) };
    let schema = DFSchema::try_from(columns.as_ref().clone())?;
    // What cannot be used here is asked of the rows anyway.
    let Ok(predicate) = session.create_physical_expr(all, &schema) else { return Ok(files) };
    let predicate = PruningPredicateBuilder::new().with_file_schema(Arc::clone(columns)).build(predicate);
    let Some(predicate) = predicate else { return Ok(files) };
    let statistics = files.iter().map(|file| Arc::new(statistics(in_files, file))).collect();
    let Ok(keep) = predicate.prune(&PrunableStatistics::new(statistics, Arc::clone(columns))) else { return Ok(files) };
    Ok(files.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file).collect())
}

/// Bounds of a file: those of its log, and its partition values, which all of its rows have.
fn statistics(in_files: &Schema, (file, partitions): &Known<'_>) -> Statistics {
    let said = |kind: &str, name: &str| file.statistics.as_ref()?.get(kind)?.get(name);
    let rows = file.statistics.as_ref().and_then(|said| said.get("numRecords")?.as_u64());
    let rows = rows.and_then(|rows| usize::try_from(rows).ok());
    let count = |value: Option<usize>| value.map_or(Precision::Absent, Precision::Exact);
    // What is not known is a null of the type: where one file lacks a bound, those of the others would not be used.
    let bound = |value: Option<ScalarValue>, kind: &DataType| {
        let value = value.or_else(|| ScalarValue::try_new_null(kind).ok());
        value.map_or(Precision::Absent, Precision::Exact)
    };
    let of_files = in_files.fields().iter().map(|field| {
        let value = |kind| said(kind, field.name()).and_then(|value| of_json(value, field.data_type()));
        let nulls = said("nullCount", field.name()).and_then(serde_json::Value::as_u64);
        ColumnStatistics::new_unknown()
            .with_null_count(count(nulls.and_then(|nulls| usize::try_from(nulls).ok())))
            .with_min_value(bound(value("minValues"), field.data_type()))
            .with_max_value(bound(value("maxValues"), field.data_type()))
    });
    let of_place = partitions.iter().map(|value| {
        let nulls = if value.is_null() { rows } else { Some(0) };
        ColumnStatistics::new_unknown()
            .with_null_count(count(nulls))
            .with_min_value(Precision::Exact(value.clone()))
            .with_max_value(Precision::Exact(value.clone()))
    });
    let column_statistics = of_files.chain(of_place).collect();
    Statistics { num_rows: count(rows), total_byte_size: Precision::Absent, column_statistics }
}
