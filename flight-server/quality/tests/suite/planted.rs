//! The shipped rules against defects that the generator has planted, whose truth is kept apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int32Type};
use arrow::util::display::array_value_to_string;
use haetae_quality::{Options, shipped};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::place::{Place, options};

type Rows = BTreeSet<(String, String)>;

fn read(path: &Path) -> Vec<RecordBatch> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap())
        .unwrap()
        .build()
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Family -> (decidable, undecidable) rows.
fn truth(folder: &Path) -> BTreeMap<String, (Rows, Rows)> {
    let mut found: BTreeMap<String, (Rows, Rows)> = BTreeMap::new();
    for batch in read(&folder.join("truth/defects.parquet")) {
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (tables, keys, families) = (text("table_name"), text("row_key"), text("family"));
        let decidable = batch.column_by_name("decidable").unwrap().as_boolean().clone();
        for row in 0..batch.num_rows() {
            let (clear, unclear) = found.entry(families.value(row).to_owned()).or_default();
            let rows = if decidable.value(row) { clear } else { unclear };
            rows.insert((tables.value(row).to_owned(), keys.value(row).to_owned()));
        }
    }
    // The slips of clerks that every data set has: a rate that the tariff does not know.
    for batch in read(&folder.join("truth/errors.parquet")) {
        let ids = batch.column_by_name("declaration_id").unwrap().as_string::<i32>();
        let lines = batch.column_by_name("item_no").unwrap().as_primitive::<Int32Type>();
        let (clear, _) = found.entry("consistency".to_owned()).or_default();
        for row in 0..batch.num_rows() {
            clear.insert(("fact_item".to_owned(), format!("{}/{}", ids.value(row), lines.value(row))));
        }
    }
    // What partners say they have sent, where much less of it was declared. The last month is not judged: what is
    // declared in the one after it has not been made.
    let exports = read(&folder.join("tables/fact_partner_export.parquet"));
    let months = exports.iter().map(|batch| batch.column_by_name("export_month").unwrap().as_primitive::<Date32Type>());
    let last = months.filter_map(arrow::compute::max).max();
    for batch in read(&folder.join("truth/mirror.parquet")) {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let decidable = column("decidable").as_boolean();
        let (clear, unclear) = found.entry("mirror".to_owned()).or_default();
        for row in 0..batch.num_rows() {
            let key = ["partner_country", "hs6", "export_month"]
                .map(|name| array_value_to_string(column(name), row).unwrap())
                .join("/");
            let judged = Some(column("export_month").as_primitive::<Date32Type>().value(row)) < last;
            let rows = if decidable.value(row) && judged { &mut *clear } else { &mut *unclear };
            rows.insert(("fact_partner_export".to_owned(), key));
        }
    }
    found
}

#[test]
fn each_family_finds_what_was_planted_and_little_else() {
    let place = Place::new();
    let out = place.folder.path().join("demo");
    let made = haetae_synth::Options {
        seed: 11,
        items: 30_000,
        out: out.clone(),
        defects: 0.03,
        core: true,
        ..haetae_synth::Options::default()
    };
    haetae_synth::generate(&made, &|_| {}).unwrap();
    let file = |table: &haetae_schema::Table| out.join(format!("tables/{}.parquet", table.name));
    for table in haetae_schema::tables().iter().filter(|table| file(table).exists()) {
        place.load_file(table.name, &file(table));
    }
    let done = place.run(&shipped().unwrap(), &Options { keep: usize::MAX, ..options() }).unwrap();
    let mut flagged: BTreeMap<String, Rows> = BTreeMap::new();
    for outcome in &done.outcomes {
        let rows = flagged.entry(outcome.family.to_string()).or_default();
        let table = outcome.dataset.trim_start_matches("customs.");
        rows.extend(outcome.kept.iter().map(|row| (table.to_owned(), row.row_key.clone())));
    }
    let truth = truth(&out);
    assert_eq!(truth.keys().collect::<Vec<_>>(), flagged.keys().collect::<Vec<_>>());
    for (family, (clear, unclear)) in &truth {
        let flagged = &flagged[family];
        let hits = flagged.intersection(clear).count() as f64;
        let judged = flagged.difference(unclear).count() as f64;
        let (precision, recall) = (hits / judged, hits / clear.len() as f64);
        println!("{family}: {} planted, precision {precision:.4}, recall {recall:.4}", clear.len());
        let wrong: Vec<_> = flagged.difference(clear).filter(|row| !unclear.contains(*row)).take(5).collect();
        let missed: Vec<_> = clear.difference(flagged).take(5).collect();
        assert!(clear.len() >= 10, "{family}: too few to judge");
        assert!(
            precision >= 0.95 && recall >= 0.95,
            "{family}: {precision} {recall}; wrong {wrong:?}, missed {missed:?}"
        );
    }
}
