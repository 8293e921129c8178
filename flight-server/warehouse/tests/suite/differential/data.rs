//! Small tables as text, with values planted in hidden rows and masked columns that nobody may see.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::util::display::array_value_to_string;

use crate::files::{ITEM_HEADER, Place};

/// No answer, message or plan of a restricted user may have one of these in it.
pub const CANARIES: [&str; 2] = ["CANARY", "987654321"];

/// One row as text; `None` = null.
pub type Row = Vec<Option<String>>;

pub struct Table {
    pub name: &'static str,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
}

impl Table {
    pub fn value<'a>(&self, row: &'a Row, column: &str) -> Option<&'a str> {
        row[self.columns.iter().position(|name| *name == column).unwrap()].as_deref()
    }

    fn csv(&self, rows: &[Row]) -> String {
        let line = |row: &Row| row.iter().map(|v| v.clone().unwrap_or_default()).collect::<Vec<_>>().join(",");
        let lines: Vec<String> = rows.iter().map(line).collect();
        format!("{}\n{}\n", self.columns.join(","), lines.join("\n"))
    }

    /// The rows with the types of the schema, whatever may be null.
    pub fn batch(&self, columns: &[&str], rows: &[Row]) -> RecordBatch {
        let schema = haetae_schema::table(self.name).unwrap();
        let arrays = columns.iter().enumerate().map(|(index, name)| {
            let texts: StringArray = rows.iter().map(|row| row[index].as_deref()).collect();
            let array: ArrayRef = cast(&texts, &schema.column(name).unwrap().data_type).unwrap();
            (*name, array, true)
        });
        RecordBatch::try_from_iter_with_nullable(arrays).unwrap()
    }
}

/// The answer's rows as text, in the order of the texts.
pub fn cells(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |column: &Arc<dyn arrow::array::Array>| {
                if column.is_null(row) { "null".to_owned() } else { array_value_to_string(column, row).unwrap() }
            };
            rows.push(batch.columns().iter().map(cell).collect());
        }
    }
    rows.sort();
    rows
}

fn some(text: impl ToString) -> Option<String> {
    Some(text.to_string())
}

pub fn items() -> Table {
    let columns: Vec<&'static str> = ITEM_HEADER.split(',').map(str::trim).collect();
    let rows = (0..72).map(|n: usize| {
        // Every ninth row is hidden from everyone: another office, a price and a number that nobody else has.
        let hidden = n % 9 == 8;
        let value = |column: &str| match column {
            "declaration_id" if hidden => some(format!("CANARY{n}")),
            "declaration_id" => some(1000 + n / 2),
            "item_no" => some(if hidden { 7 } else { 1 + n % 2 }),
            "declaration_date" => some(format!("2026-{:02}-{:02}", 1 + n % 12, 1 + n % 28)),
            "office_id" => some(if hidden { "99" } else { ["40", "40", "30", "10"][n % 4] }),
            "process_type" => some(["B", "D"][n % 2]),
            "import_type" => some("11"),
            "import_use" => some("21"),
            "payment_type" => some("11"),
            "transport_mode" => some(["10", "40", "50"][n % 3]),
            "declarant_id" => some(if hidden { "CANARYD".to_owned() } else { format!("D{}", n % 5) }),
            "importer_id" => some(if hidden { "CANARYI".to_owned() } else { format!("I{}", n % 7) }),
            // Masked for everyone, so that it may stand in rows that are seen.
            "seller_id" => {
                if n.is_multiple_of(3) {
                    None
                } else {
                    some(format!("CANARYS{}", n % 4))
                }
            }
            "courier_id" | "hs10" | "quantity" | "quantity_unit" => None,
            "hs6" => {
                some(if hidden { "010121".to_owned() } else { format!("{:06}", 10_120 + 2 * (n % 6) + 100 * (n % 3)) })
            }
            "departure_country" => some(["CN", "DE", "US"][n % 3]),
            "origin_country" => some(["CN", "DE", "US", "VN"][n % 4]),
            "duty_rate" => some(["0.08", "0", "0.104"][n % 3]),
            "tariff_type" => some(["A", "FCN1"][n % 2]),
            "origin_mark" => some("Y"),
            "net_mass_kg" => some(if hidden { 987_654_321 } else { (n * 37) % 500 }),
            "item_price_krw" => some(if hidden { 987_654_321 } else { (n * 911) % 9000 }),
            other => panic!("{other}"),
        };
        columns.iter().map(|column| value(column)).collect()
    });
    Table { name: "fact_item", rows: rows.collect(), columns: columns.clone() }
}

pub fn inspections() -> Table {
    let columns = vec!["declaration_id", "item_no", "inspection_date", "fraud", "fraud_class", "additional_duty_krw"];
    let items = items();
    let rows = items.rows.iter().enumerate().filter(|(n, _)| n % 2 == 0).map(|(n, item)| {
        let fraud = n % 4 == 0;
        let class = if fraud { 1 + n % 8 / 4 } else { 0 };
        let duty = if n % 6 == 0 { None } else { some(987_654_321) };
        vec![
            item[0].clone(),
            item[1].clone(),
            some(format!("2026-12-{:02}", 1 + n % 28)),
            some(fraud),
            some(class),
            duty,
        ]
    });
    let rows = rows.collect();
    Table { name: "fact_inspection", columns, rows }
}

pub fn importers() -> Table {
    let columns = vec!["importer_id", "name", "region", "industry", "registered_on"];
    let rows = (0..9).map(|n: usize| {
        let (id, region) =
            if n >= 7 { (format!("CANARYI{n}"), "Hidden") } else { (format!("I{n}"), ["Seoul", "Busan"][n % 2]) };
        // Masked for everyone.
        let name = if n == 3 { None } else { some(format!("{}CANARY Trading Co.", ["K", "H", "S"][n % 3])) };
        let date = format!("20{:02}-0{}-15", 10 + n, 1 + n);
        vec![some(id), name, some(region), some(["textile", "steel"][n % 2]), some(date)]
    });
    Table { name: "dim_importer", columns, rows: rows.collect() }
}

/// A warehouse with these tables, each loaded in two parts.
pub fn place() -> Place {
    let place = Place::new();
    for table in [items(), inspections(), importers()] {
        let (first, second) = table.rows.split_at(table.rows.len() / 2);
        for (part, rows) in [first, second].into_iter().enumerate() {
            let file = place.file(&format!("{}-{part}.csv", table.name), table.csv(rows));
            let done = place.load(table.name, &file).unwrap();
            assert_eq!(done.rejected, 0, "{}", table.name);
        }
    }
    place
}
