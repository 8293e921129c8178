//! What goes in: a pipeline and the rows of one message. What comes out: rows for the table, after all steps and
//! checks, each with the place that it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use futures::TryStreamExt;
use haetae_warehouse::ingest::{Origin, Refused};
use haetae_warehouse::query::{Engine, STAGE, Snapshot};

use crate::message::Records;
use crate::{Error, Pipeline, Result};

/// The table of the stage that steps read as `source`.
const SOURCE: &str = "source";

/// What the steps have made of a message.
pub(crate) struct Made {
    pub(crate) rows: RecordBatch,
    pub(crate) origins: Vec<Origin>,
    pub(crate) refused: Vec<Refused>,
    /// Rows that a step left out.
    pub(crate) left_out: u64,
}

/// A query over the last step; `wanted` says what it selects, of the row `t`.
pub(crate) fn sql(pipeline: &Pipeline, wanted: &str) -> String {
    let source = format!("{SOURCE} as (select * from {STAGE}.{SOURCE})");
    let steps = pipeline.steps.iter().map(|step| format!("{} as ({})", step.name, step.sql));
    let all: Vec<String> = std::iter::once(source).chain(steps).collect();
    let last = pipeline.steps.last().map_or(SOURCE, |step| step.name.as_str());
    format!("with {} select {wanted} from {last} t", all.join(", "))
}

/// The newest version with the rows of a message on its stage.
pub(crate) fn stage<'a>(
    engine: &Engine,
    columns: impl Iterator<Item = &'a String>,
    rows: &[(usize, &Vec<Option<String>>)],
) -> Result<Snapshot> {
    let mut fields = vec![Field::new("source_row", DataType::Int64, false)];
    let numbers = Int64Array::from_iter_values(rows.iter().map(|(row, _)| *row as i64));
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(numbers)];
    for (position, name) in columns.enumerate() {
        fields.push(Field::new(name, DataType::Utf8, true));
        let texts: StringArray = rows.iter().map(|(_, cells)| cells[position].as_deref()).collect();
        arrays.push(Arc::new(texts));
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    Ok(engine.with_stage(vec![(SOURCE.to_owned(), batch)])?)
}

/// Does the steps and the checks. The texts of the records are moved and not copied: they may be large.
pub(crate) async fn make<'a>(
    engine: &Engine,
    pipeline: &Pipeline,
    columns: impl Iterator<Item = &'a String>,
    records: Records,
) -> Result<Made> {
    let Records { rows: cells, mut origins, twice } = records;
    let good: Vec<_> = cells.iter().enumerate().filter(|(row, _)| !twice.contains_key(row)).collect();
    let snapshot = stage(engine, columns, &good)?;
    let staged: BTreeSet<usize> = good.into_iter().map(|(row, _)| row).collect();
    drop(cells);
    let table = pipeline.table.columns.iter().map(|column| format!("t.\"{}\" as \"{}\"", column.name, column.name));
    let checks = pipeline.checks.iter().enumerate();
    let checks = checks.map(|(number, check)| format!("coalesce(({}), true) as check_{number}", check.expect));
    let wanted: Vec<String> = std::iter::once("t.source_row".to_owned()).chain(table).chain(checks).collect();
    let sql = format!("{} order by t.source_row", sql(pipeline, &wanted.join(", ")));
    let failed = |source| Error::Steps { pipeline: pipeline.name.clone(), source };
    let statement = snapshot.statement(&sql).await.map_err(failed)?;
    let stream = statement.execute(None).await.map_err(failed)?;
    let schema = stream.schema();
    let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(failed)?;
    let batch = concat_batches(&schema, &batches)?;
    let rows = source_rows(pipeline, &batch, &staged, &origins)?;
    let left_out = (staged.len() - rows.len()) as u64;
    let first_check = 1 + pipeline.table.columns.len();
    let broken = broken(pipeline, &batch, first_check)?;
    // Each row is refused once, or kept.
    let mut moved = |row: usize| {
        let origin = &mut origins[row];
        Origin { line: origin.line, text: std::mem::take(&mut origin.text) }
    };
    let mut refused = Vec::with_capacity(twice.len() + broken.len());
    for (row, column) in twice {
        let reason = "is there more than once; expected one value".to_owned();
        refused.push(Refused { origin: moved(row), column: Some(column), reason });
    }
    for (position, check) in &broken {
        let check = &pipeline.checks[*check];
        let origin = moved(rows[*position]);
        refused.push(Refused { origin, column: Some(check.column.clone()), reason: check.says.clone() });
    }
    refused.sort_by_key(|one| one.origin.line);
    let keep: BooleanArray = (0..rows.len()).map(|position| Some(!broken.contains_key(&position))).collect();
    let made: Vec<usize> = (1..first_check).collect();
    let kept = filter_record_batch(&batch.project(&made)?, &keep)?;
    let whole = rows.iter().enumerate().filter(|(position, _)| !broken.contains_key(position));
    let origins = whole.map(|(_, row)| moved(*row)).collect();
    Ok(Made { rows: kept, origins, refused, left_out })
}

/// The number of the record of each row. Steps may leave out rows of those that were staged, and not make two of one.
fn source_rows(
    pipeline: &Pipeline,
    batch: &RecordBatch,
    staged: &BTreeSet<usize>,
    origins: &[Origin],
) -> Result<Vec<usize>> {
    let unfit = |what: String| Error::Unfit { pipeline: pipeline.name.clone(), what };
    let numbers = batch.column(0).as_primitive_opt::<Int64Type>();
    let numbers = numbers.ok_or_else(|| unfit("source_row is to be kept as it is in source".to_owned()))?;
    let mut rows = Vec::with_capacity(numbers.len());
    for number in numbers {
        let row = number.and_then(|number| usize::try_from(number).ok()).filter(|row| staged.contains(row));
        let row = row.ok_or_else(|| unfit("a row has a source_row that is not in source".to_owned()))?;
        if rows.last() == Some(&row) {
            let line = origins[row].line;
            return Err(unfit(format!("they make several rows of the one in line {line}; choose one of them")));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Row -> the first check that it breaks.
fn broken(pipeline: &Pipeline, batch: &RecordBatch, first: usize) -> Result<BTreeMap<usize, usize>> {
    let mut broken = BTreeMap::new();
    for (number, check) in pipeline.checks.iter().enumerate() {
        let Some(holds) = batch.column(first + number).as_boolean_opt() else {
            let what = format!("the check \"{}\" is no condition", check.expect);
            return Err(Error::Unfit { pipeline: pipeline.name.clone(), what });
        };
        for row in (0..holds.len()).filter(|row| !holds.value(*row)) {
            broken.entry(row).or_insert(number);
        }
    }
    Ok(broken)
}
