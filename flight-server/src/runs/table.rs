//! What goes in: the statements of a server. What comes out: the table `system.queries`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use haetae_warehouse::query::policy::SystemTable;

use super::{Facts, Runs, Stage};

impl Runs {
    /// The table of the statements of `user`, or of all, as they are when it is read.
    pub(crate) fn table(&self, user: Option<&str>) -> SystemTable {
        let (runs, user) = (self.clone(), user.map(str::to_owned));
        let rows = move || {
            let seen = runs.seen_by(user.as_deref());
            batch(&seen).map(|batch| vec![batch]).map_err(|error| error.to_string())
        };
        SystemTable { name: "queries".to_owned(), columns: columns(), rows: Arc::new(rows) }
    }
}

fn columns() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let number = |name| Field::new(name, DataType::UInt64, false);
    Arc::new(Schema::new(vec![
        text("id"),
        text("user_name"),
        text("role"),
        text("class"),
        text("statement"),
        text("state"),
        Field::new("outcome", DataType::Utf8, true),
        Field::new("started", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), false),
        Field::new("queued_ms", DataType::Float64, false),
        Field::new("duration_ms", DataType::Float64, false),
        number("rows"),
        number("bytes"),
        number("memory_bytes"),
    ]))
}

fn batch(seen: &[Arc<Facts>]) -> Result<RecordBatch, ArrowError> {
    let stages: Vec<Stage> = seen.iter().map(|facts| facts.stage().clone()).collect();
    let both = || seen.iter().zip(&stages);
    let text = |of: fn(&Facts) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(seen.iter().map(|facts| of(facts))))
    };
    let number = |values: Vec<u64>| -> ArrayRef { Arc::new(UInt64Array::from(values)) };
    let millis = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    let took = |facts: &Facts, stage: &Stage| stage.end.as_ref().map_or_else(|| facts.began.elapsed(), |end| end.took);
    let started = seen.iter().map(|facts| i64::try_from(facts.started_ms).unwrap_or(i64::MAX));
    let memory = |stage: &Stage| match (&stage.end, &stage.memory) {
        (Some(end), _) => end.memory,
        (None, memory) => memory.as_ref().map_or(0, |memory| memory.peak() as u64),
    };
    RecordBatch::try_new(
        columns(),
        vec![
            text(|facts| &facts.id),
            text(|facts| &facts.user),
            text(|facts| &facts.role),
            text(|facts| facts.class),
            text(|facts| &facts.statement),
            Arc::new(StringArray::from_iter_values(stages.iter().map(Stage::name))),
            Arc::new(StringArray::from_iter(stages.iter().map(|stage| Some(&stage.end.as_ref()?.outcome)))),
            Arc::new(TimestampMillisecondArray::from_iter_values(started).with_timezone("UTC")),
            millis(
                both()
                    .map(|(facts, stage)| stage.waited.unwrap_or_else(|| facts.began.elapsed()).as_secs_f64() * 1000.0)
                    .collect(),
            ),
            millis(both().map(|(facts, stage)| took(facts, stage).as_secs_f64() * 1000.0).collect()),
            number(seen.iter().map(|facts| facts.sent().0).collect()),
            number(seen.iter().map(|facts| facts.sent().1).collect()),
            number(stages.iter().map(memory).collect()),
        ],
    )
}
