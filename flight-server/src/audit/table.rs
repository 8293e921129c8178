//! What goes in: the audit. What comes out: the table `system.audit`.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use haetae_warehouse::query::policy::SystemTable;

use super::{Audit, Record, verify};

/// The table of an audit's records, as they are when it is read. Lists are texts with commas.
pub(crate) fn table(audit: &Arc<Audit>) -> SystemTable {
    let audit = Arc::clone(audit);
    let rows = move || {
        // What the reader has done before is in it.
        audit.flush();
        let records = verify::records(audit.root(), audit.key()).map_err(|error| error.to_string())?;
        batch(&records).map(|batch| vec![batch]).map_err(|error| error.to_string())
    };
    SystemTable { name: "audit".to_owned(), columns: columns(), rows: Arc::new(rows) }
}

fn columns() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let number = |name| Field::new(name, DataType::UInt64, false);
    Arc::new(Schema::new(vec![
        number("seq"),
        Field::new("time", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), true),
        text("event"),
        text("user_name"),
        text("role"),
        text("session"),
        text("peer"),
        text("policy"),
        number("version"),
        text("statement"),
        text("tables"),
        text("columns"),
        number("rows"),
        number("bytes"),
        text("outcome"),
    ]))
}

fn batch(records: &[Record]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let text =
        |of: fn(&Record) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(records.iter().map(of))) };
    let list = |of: fn(&Record) -> &BTreeSet<String>| -> ArrayRef {
        let joined = records.iter().map(|record| of(record).iter().map(String::as_str).collect::<Vec<_>>().join(","));
        Arc::new(StringArray::from_iter_values(joined))
    };
    let number =
        |of: fn(&Record) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(records.iter().map(of))) };
    let times = records.iter().map(|record| {
        let time = chrono::DateTime::parse_from_rfc3339(&record.time).ok();
        time.map(|time| time.timestamp_millis())
    });
    let times: TimestampMillisecondArray = times.collect();
    RecordBatch::try_new(
        columns(),
        vec![
            number(|r| r.seq),
            Arc::new(times.with_timezone("UTC")),
            text(|r| &r.event),
            text(|r| &r.user),
            text(|r| &r.role),
            text(|r| &r.session),
            text(|r| &r.peer),
            text(|r| &r.policy),
            number(|r| r.version),
            text(|r| &r.statement),
            list(|r| &r.tables),
            list(|r| &r.columns),
            number(|r| r.rows),
            number(|r| r.bytes),
            text(|r| &r.outcome),
        ],
    )
}
