//! What goes in: lines, and what was planted. What comes out: batches of the ground truth of lines: frauds, slips of clerks
//! and slips of data entry.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::columns::{batch, flags, maybe, numbers, text, whole};
use crate::defects::Defect;
use crate::error::SynthError;
use crate::importers::NOBODY;
use crate::items::Item;
use crate::rows::{Ids, declaration_ids};
use crate::world::World;

/// Schema of `truth/fraud.parquet`: one row a fraudulent line.
pub fn fraud_schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let number = |name| Field::new(name, DataType::Float64, false);
    Arc::new(Schema::new(vec![
        text("declaration_id"),
        Field::new("item_no", DataType::Int32, false),
        text("kind"),
        text("technique"),
        Field::new("phoenix_of", DataType::Utf8, true),
        text("true_hs6"),
        text("true_origin_country"),
        number("true_duty_rate"),
        number("true_quantity"),
        number("true_net_mass_kg"),
        number("true_item_price_krw"),
        number("additional_duty_krw"),
    ]))
}

/// A batch of fraudulent lines.
///
/// # Errors
/// Columns that do not fit their schema (a fault of this program).
pub fn frauds(world: &World, ids: &Ids, items: &[&Item]) -> Result<RecordBatch, SynthError> {
    let truths = || items.iter().filter_map(|i| i.truth.as_ref());
    let before = |i: &&Item| match world.companies.importers[i.importer].phoenix_of {
        NOBODY => None,
        old => Some(ids.importer(old as usize)),
    };
    let columns = vec![
        declaration_ids(items.iter().copied()),
        whole(items.iter().map(|i| i.item_no)),
        text(truths().map(|t| t.kind.name())),
        text(truths().map(|t| t.technique.name())),
        maybe(items.iter().map(before)),
        text(truths().map(|t| world.goods.list[t.goods.good].hs6)),
        text(truths().map(|t| world.reference.countries[t.goods.origin].code)),
        numbers(truths().map(|t| t.goods.claim.rate)),
        numbers(truths().map(|t| t.goods.quantity)),
        numbers(truths().map(|t| t.goods.mass)),
        numbers(truths().map(|t| t.goods.price)),
        numbers(truths().map(|t| t.evaded)),
    ];
    batch("fraud", fraud_schema(), columns)
}

/// Schema of `truth/errors.parquet`: one row a line on which a clerk slipped.
pub fn errors_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("declaration_id", DataType::Utf8, false),
        Field::new("item_no", DataType::Int32, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("true_duty_rate", DataType::Float64, false),
    ]))
}

/// A batch of lines on which clerks slipped.
///
/// # Errors
/// Columns that do not fit their schema (a fault of this program).
pub fn errors(items: &[&Item]) -> Result<RecordBatch, SynthError> {
    let columns = vec![
        declaration_ids(items.iter().copied()),
        whole(items.iter().map(|i| i.item_no)),
        text(items.iter().map(|_| "duty_rate")),
        numbers(items.iter().filter_map(|i| i.slip)),
    ];
    batch("errors", errors_schema(), columns)
}

/// Schema of `truth/defects.parquet`: one row a slip of data entry that was planted.
pub fn defects_schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![
        text("table_name"),
        text("row_key"),
        text("family"),
        text("kind"),
        text("column_name"),
        Field::new("decidable", DataType::Boolean, false),
        Field::new("true_value", DataType::Utf8, true),
    ]))
}

/// One row of `truth/defects.parquet`; the key columns of the row with `/` between them.
pub struct Planted<'a> {
    /// The row.
    pub row_key: String,
    /// What is wrong with it.
    pub defect: Cow<'a, Defect>,
}

/// A batch of planted defects.
///
/// # Errors
/// Columns that do not fit their schema (a fault of this program).
pub fn defects(rows: &[Planted<'_>]) -> Result<RecordBatch, SynthError> {
    let columns = vec![
        text(rows.iter().map(|row| row.defect.table)),
        text(rows.iter().map(|row| row.row_key.as_str())),
        text(rows.iter().map(|row| row.defect.family)),
        text(rows.iter().map(|row| row.defect.kind)),
        text(rows.iter().map(|row| row.defect.column)),
        flags(rows.iter().map(|row| row.defect.decidable)),
        maybe(rows.iter().map(|row| row.defect.true_value.as_deref())),
    ];
    batch("defects", defects_schema(), columns)
}
