//! What goes in: the name of a format. What comes out: which column of a file becomes which column
//! of which table.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use haetae_schema::{Column, Table};

use crate::{Error, Result};

/// How to read one kind of file.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// `table` or `kcs`, as the manifest records it.
    pub(super) format: &'static str,
    /// The table whose key makes a row a duplicate.
    pub(super) table: &'static Table,
    /// The columns of the file in the order of this list, which is the order of the rules.
    pub(super) sources: Vec<Source>,
}

/// One column of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// Its name in the header.
    pub(super) header: &'static str,
    /// The column that it becomes.
    pub(super) column: &'static Column,
    /// What its numbers are divided by: 100 for percent, which the warehouse keeps as a fraction.
    pub(super) divisor: f64,
}

impl Source {
    /// A number of the file as the column keeps it.
    pub(super) fn scaled(&self, number: f64) -> f64 {
        if self.divisor == 1.0 { number } else { decimal(number / self.divisor) }
    }

    /// The number as it stood in the file.
    pub(super) fn unscaled(&self, number: f64) -> f64 {
        if self.divisor == 1.0 { number } else { decimal(number * self.divisor) }
    }
}

/// 10.4 percent is to be 0.104, not 0.10400000000000001: rates have few digits.
fn decimal(number: f64) -> f64 {
    (number * 1e12).round() / 1e12
}

/// Header of a KCS file -> (table, column). Date stands for the declaration and for the finding.
const KCS: [(&str, &str, &str); 22] = [
    ("Declaration ID", "fact_item", "declaration_id"),
    ("Date", "fact_item", "declaration_date"),
    ("Office ID", "fact_item", "office_id"),
    ("Process Type", "fact_item", "process_type"),
    ("Import Type", "fact_item", "import_type"),
    ("Import Use", "fact_item", "import_use"),
    ("Payment Type", "fact_item", "payment_type"),
    ("Mode of Transport", "fact_item", "transport_mode"),
    ("Declarant ID", "fact_item", "declarant_id"),
    ("Importer ID", "fact_item", "importer_id"),
    ("Seller ID", "fact_item", "seller_id"),
    ("Courier ID", "fact_item", "courier_id"),
    ("HS6 Code", "fact_item", "hs6"),
    ("Country of Departure", "fact_item", "departure_country"),
    ("Country of Origin", "fact_item", "origin_country"),
    ("Tax Rate", "fact_item", "duty_rate"),
    ("Tax Type", "fact_item", "tariff_type"),
    ("Country of Origin Indicator", "fact_item", "origin_mark"),
    ("Net Mass", "fact_item", "net_mass_kg"),
    ("Item Price", "fact_item", "item_price_krw"),
    ("Fraud", "fact_inspection", "fraud"),
    ("Critical Fraud", "fact_inspection", "fraud_class"),
];

/// (column of the file, table, column) of a format: what becomes of what.
pub fn headers(format: &super::Format) -> Result<Vec<(String, &'static str, &'static str)>> {
    let own = |(header, table, column): (&str, &'static str, &'static str)| (header.to_owned(), table, column);
    match format {
        super::Format::Table(name) => {
            let table = schema_table(name)?;
            Ok(table.columns.iter().map(|column| (column.name.to_owned(), table.name, column.name)).collect())
        }
        super::Format::Kcs => {
            let both = [("Declaration ID", "declaration_id"), ("Date", "inspection_date")];
            let both = both.map(|(header, column)| (header, "fact_inspection", column));
            Ok(KCS.into_iter().chain(both).map(own).collect())
        }
    }
}

impl Layout {
    /// The layout of a file that holds one table under the table's own column names.
    pub(super) fn table(name: &str) -> Result<Self> {
        Ok(Self::of(schema_table(name)?))
    }

    /// The same for a table of the course.
    pub(super) fn course(name: &str) -> Result<Self> {
        let tables = haetae_schema::course_tables();
        let found = tables.iter().find(|table| table.name == name).ok_or_else(|| Error::UnknownTable {
            table: name.to_owned(),
            known: tables.iter().map(|table| table.name).collect::<Vec<_>>().join(", "),
        })?;
        Ok(Self::of(found))
    }

    fn of(table: &'static Table) -> Self {
        let sources = table.columns.iter().map(|column| Source { header: column.name, column, divisor: 1.0 }).collect();
        Self { format: "table", table, sources }
    }

    /// The layout of a file that holds the keys of rows and nothing else.
    pub(super) fn keys(name: &str) -> Result<Self> {
        Ok(Self::table(name)?.key_alone())
    }

    /// Of its columns those of the key.
    pub(super) fn key_alone(mut self) -> Self {
        let key = self.table.key;
        self.sources.retain(|source| key.contains(&source.column.name));
        self
    }

    /// The tables that rows of a file go to by their key.
    pub(super) fn tables(&self) -> Vec<&'static Table> {
        let other = if self.format == "kcs" { haetae_schema::table("fact_inspection") } else { None };
        std::iter::once(self.table).chain(other).collect()
    }

    /// The layout of the Korea Customs Service's declaration files.
    pub(super) fn kcs() -> Result<Self> {
        let mut sources = Vec::with_capacity(KCS.len());
        for (header, table, column) in KCS {
            let column = schema_table(table)?
                .column(column)
                .ok_or_else(|| Error::UnknownTable { table: format!("{table}.{column}"), known: table.to_owned() })?;
            let divisor = if header == "Tax Rate" { 100.0 } else { 1.0 };
            sources.push(Source { header, column, divisor });
        }
        Ok(Self { format: "kcs", table: schema_table("fact_item")?, sources })
    }

    /// The schema of a chunk while it is checked: every column may be null, because a value that
    /// cannot be read is null until its row has been refused.
    pub(super) fn wide_schema(&self) -> SchemaRef {
        let field = |source: &Source| Field::new(source.column.name, source.column.data_type.clone(), true);
        Arc::new(Schema::new(self.sources.iter().map(field).collect::<Vec<_>>()))
    }

    /// The rows of a checked chunk as rows of tables; the first is [`Layout::table`]. Each has as
    /// many rows as `wide`.
    pub(super) fn split(&self, wide: &RecordBatch) -> Result<Vec<(&'static Table, RecordBatch)>> {
        if self.format == "table" {
            return Ok(vec![(self.table, assemble(self.table, wide, &[])?)]);
        }
        let rows = wide.num_rows();
        let one: ArrayRef = Arc::new(Int32Array::from(vec![1; rows]));
        let mut known = vec![("item_no", one)];
        let items = assemble(self.table, wide, &known)?;
        if let Some(date) = wide.column_by_name("declaration_date") {
            known.push(("inspection_date", date.clone()));
        }
        let inspections = schema_table("fact_inspection")?;
        Ok(vec![(self.table, items), (inspections, assemble(inspections, wide, &known)?)])
    }
}

/// The table of that name, or an error that lists the names that exist.
pub(super) fn schema_table(name: &str) -> Result<&'static Table> {
    haetae_schema::table(name).ok_or_else(|| Error::UnknownTable {
        table: name.to_owned(),
        known: haetae_schema::tables().iter().map(|table| table.name).collect::<Vec<_>>().join(", "),
    })
}

/// A batch of `table` from the columns of `wide` and `known`; what neither has is null.
fn assemble(table: &Table, wide: &RecordBatch, known: &[(&str, ArrayRef)]) -> Result<RecordBatch> {
    let column = |column: &Column| -> ArrayRef {
        let given = known.iter().find(|(name, _)| *name == column.name).map(|(_, values)| values);
        given
            .or_else(|| wide.column_by_name(column.name))
            .cloned()
            .unwrap_or_else(|| new_null_array(&column.data_type, wide.num_rows()))
    };
    RecordBatch::try_new(table.arrow_schema(), table.columns.iter().map(column).collect())
        .map_err(Error::data(format!("build rows of {}", table.name)))
}

/// How many digits an HS code column has, or `None` for any other column.
pub(super) fn code_digits(column: &Column) -> Option<usize> {
    match (column.name, &column.data_type) {
        ("hs2", DataType::Utf8) => Some(2),
        ("hs4", DataType::Utf8) => Some(4),
        ("hs6", DataType::Utf8) => Some(6),
        ("hs10", DataType::Utf8) => Some(10),
        _ => None,
    }
}
