//! The log, and who changes it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use haetae_risk::Head;
use haetae_schema::risk_tables;
use haetae_warehouse::store::{Kind, NewOperation};

use crate::place::{Place, definition};

fn place() -> Place {
    let place = Place::trained();
    for day in 38..41 {
        place.score(&definition(), None, day).unwrap();
    }
    place
}

fn faults(place: &Place, head: Option<&Head>) -> Vec<String> {
    let snapshot = place.engine.current().unwrap();
    let found = place.runtime.block_on(haetae_scoring::verify(&snapshot, head)).unwrap();
    found.faults.iter().map(ToString::to_string).collect()
}

/// Writes a table anew, as somebody could who may write the warehouse's files.
fn rewrite(place: &Place, name: &str, change: impl Fn(RecordBatch) -> RecordBatch) {
    let table = risk_tables().iter().find(|table| table.name == name).unwrap();
    let snapshot = place.engine.current().unwrap();
    let sql = format!("select * from risk.{name} order by {}", table.key.join(", "));
    let rows = place.runtime.block_on(async {
        use futures::TryStreamExt;
        let stream = snapshot.statement(&sql).await.unwrap().execute(None).await.unwrap();
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        arrow::compute::concat_batches(&table.arrow_schema(), &batches).unwrap()
    });
    let mut transaction = place.store.begin().unwrap();
    let files = transaction.files("risk", name).to_vec();
    transaction.drop_files("risk", name, &files);
    let rows = change(rows);
    transaction.add("risk", name, &[rows], table.sort).unwrap();
    transaction.record(NewOperation {
        kind: Kind::Replace,
        schema: "risk".into(),
        table: name.into(),
        format: String::new(),
        inputs: Vec::new(),
        accepted: 1,
        rejected: 0,
        removed: 0,
    });
    transaction.commit().unwrap();
}

fn with_line(batch: &RecordBatch, row: usize, change: impl Fn(&str) -> String) -> RecordBatch {
    let place = batch.schema().index_of("line").unwrap();
    let lines = batch.column(place).as_string::<i32>();
    let lines =
        (0..batch.num_rows()).map(|n| if n == row { change(lines.value(n)) } else { lines.value(n).to_owned() });
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns[place] = Arc::new(StringArray::from_iter_values(lines));
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

#[test]
fn a_whole_log_verifies_and_goes_on() {
    let place = place();
    assert_eq!(faults(&place, None), Vec::<String>::new());
    let snapshot = place.engine.current().unwrap();
    let found = place.runtime.block_on(haetae_scoring::verify(&snapshot, None)).unwrap();
    assert_eq!((found.records, found.head.records), (180, 180));
    place.score(&definition(), None, 41).unwrap();
    assert_eq!(faults(&place, Some(&found.head)), Vec::<String>::new(), "an earlier head stands among the runs");
    let other = Head { hash: "0".repeat(64), ..found.head };
    let said = faults(&place, Some(&other));
    assert!(said.len() == 1 && said[0].contains("is not what was kept"), "{said:?}");
}

#[test]
fn a_changed_line_is_found() {
    let place = place();
    rewrite(&place, "decisions", |rows| with_line(&rows, 72, |line| line.replace("\"lane\":\"", "\"lane\":\"not ")));
    assert_eq!(faults(&place, None), ["line 73 was changed: its hash is another"]);
}

#[test]
fn a_record_in_another_row_or_below_the_first_is_found() {
    let place = place();
    let with = |rows: &RecordBatch, name: &str, column: ArrayRef| {
        let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
        columns[rows.schema().index_of(name).unwrap()] = column;
        RecordBatch::try_new(rows.schema(), columns).unwrap()
    };
    let offices = "select office_id from risk.decisions order by record";
    let offices: Vec<String> = place.ask(offices).into_iter().flatten().collect();
    rewrite(&place, "decisions", |rows| {
        let moved = offices.iter().enumerate().map(|(row, office)| if row == 4 { "99" } else { office.as_str() });
        with(&rows, "office_id", Arc::new(StringArray::from_iter_values(moved)))
    });
    let expected =
        format!("line 5 has another office_id in its row than in its line: expected {}, found 99", offices[4]);
    assert_eq!(faults(&place, None), [expected]);
    rewrite(&place, "decisions", |rows| {
        let rows = with(&rows, "office_id", Arc::new(StringArray::from_iter_values(&offices)));
        let below = with(&rows.slice(0, 1), "record", Arc::new(Int64Array::from(vec![-3])));
        arrow::compute::concat_batches(&rows.schema(), &[below, rows]).unwrap()
    });
    assert_eq!(faults(&place, None), ["line 0 and before: 1 records that no run has written"]);
}

#[test]
fn a_line_that_is_gone_and_one_that_is_added_are_found() {
    let place = place();
    rewrite(&place, "decisions", |rows| {
        let kept: Vec<u32> = (0..180).filter(|row| *row != 99).collect();
        let kept = arrow::array::UInt32Array::from(kept);
        arrow::compute::take_record_batch(&rows, &kept).unwrap()
    });
    let said = faults(&place, None);
    assert!(said.len() == 1 && said[0].contains("lines are missing before it"), "{said:?}");
    rewrite(&place, "decisions", |rows| rows.slice(0, 170));
    assert!(faults(&place, None).iter().any(|fault| fault.contains("is missing: the log goes to record")));
}
