//! What goes in: the lines of one day. What comes out: record batches of `fact_item` and `fact_inspection`, and those of
//! the ground truth beside them.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, Float64Array, Int8Array, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::Float64Type;
use haetae_schema::{CodeList, codes};

use crate::calendar::{day_of_year, ymd};
use crate::columns::{batch, days, flags, maybe, numbers, served_schema, text, whole};
use crate::error::SynthError;
use crate::items::Item;
use crate::mirror::Trade;
use crate::names;
use crate::truth::{self, Planted};
use crate::world::World;

/// The batches of one day.
pub struct Day {
    /// Number of lines.
    pub items: u64,
    /// Number of inspected lines.
    pub inspected: u64,
    /// Lines on which an inspection found fraud.
    pub found: u64,
    /// Lines that are fraud.
    pub frauds: u64,
    /// One batch for each file of `FILES`, in that order.
    pub batches: [RecordBatch; 4],
    /// The planted defects; no rows where none are planted.
    pub defects: RecordBatch,
    /// What left the partner countries, and what was declared of it.
    pub trade: Trade,
    /// The importer of each line of those who make up their prices.
    pub invented: Vec<u32>,
}

/// The files that days are written to: folder and table.
pub const FILES: [(&str, &str); 4] =
    [("tables", "fact_item"), ("tables", "fact_inspection"), ("truth", "fraud"), ("truth", "errors")];

/// Ids of all companies, made once: they are written far more often than they are made.
pub struct Ids {
    importers: Vec<String>,
    declarants: Vec<String>,
    sellers: Vec<String>,
    couriers: Vec<String>,
}

impl Ids {
    /// The ids of the companies of a world.
    pub fn new(world: &World) -> Self {
        let c = &world.companies;
        let ids = |letter, n| (0..n).map(|i| names::id(world.seed, letter, i)).collect();
        Self {
            importers: ids('I', c.importers.len()),
            declarants: ids('D', c.declarants),
            sellers: ids('S', c.sellers.len()),
            couriers: ids('C', c.couriers),
        }
    }

    /// Id of importer number `i`.
    pub fn importer(&self, i: usize) -> &str {
        &self.importers[i]
    }

    /// Id of declarant number `i`.
    pub fn declarant(&self, i: usize) -> &str {
        &self.declarants[i]
    }

    /// Id of seller number `i`.
    pub fn seller(&self, i: usize) -> &str {
        &self.sellers[i]
    }

    /// Id of courier number `i`.
    pub fn courier(&self, i: usize) -> &str {
        &self.couriers[i]
    }
}

/// Turns the lines of a day into batches.
///
/// # Errors
/// Columns that do not fit their schema (a fault of this program).
pub fn day(world: &World, ids: &Ids, items: &[Item]) -> Result<Day, SynthError> {
    // Offices and subheadings are listed in the order of their codes; the other files stay in the
    // order of the declarations.
    let mut sorted: Vec<&Item> = items.iter().collect();
    sorted.sort_by_key(|i| (i.office, i.declared.good, i.serial, i.item_no));
    let item_batch = batch("fact_item", served_schema("fact_item"), item_columns(world, ids, &sorted))?;
    let inspected: Vec<&Item> = items.iter().filter(|i| i.finding.is_some()).collect();
    let frauds: Vec<&Item> = items.iter().filter(|i| i.truth.is_some()).collect();
    let slips: Vec<&Item> = items.iter().filter(|i| i.slip.is_some()).collect();
    let spoilt = items.iter().filter_map(|i| i.defect.as_deref().map(|d| (i, d)));
    let planted: Vec<Planted<'_>> = spoilt
        .map(|(i, defect)| Planted {
            row_key: format!("{}/{}", declaration_id(i), i.item_no),
            defect: std::borrow::Cow::Borrowed(defect),
        })
        .collect();
    let found = |i: &&&Item| i.finding.as_ref().is_some_and(|f| f.class > 0);
    Ok(Day {
        items: items.len() as u64,
        inspected: inspected.len() as u64,
        found: inspected.iter().filter(found).count() as u64,
        frauds: frauds.len() as u64,
        batches: [
            item_batch,
            batch("fact_inspection", served_schema("fact_inspection"), inspection_columns(&inspected))?,
            truth::frauds(world, ids, &frauds)?,
            truth::errors(&slips)?,
        ],
        defects: truth::defects(&planted)?,
        trade: Trade::default(),
        invented: items.iter().map(|i| i.importer).filter(|i| world.invents(*i)).map(|i| i as u32).collect(),
    })
}

fn item_columns(world: &World, ids: &Ids, items: &[&Item]) -> Vec<ArrayRef> {
    let r = &world.reference;
    let goods = &world.goods.list;
    let code = |list: &'static CodeList, place: usize| text(items.iter().map(|i| i.code(list, place)));
    let unit = |i: &&Item| r.chapters[goods[i.declared.good].chapter].unit;
    let late = |i: &Item| i.defect.as_ref().map_or(0, |defect| defect.late_days);
    let columns: Vec<ArrayRef> = vec![
        declaration_ids(items.iter().copied()),
        whole(items.iter().map(|i| i.item_no)),
        days(items.iter().map(|i| i.day + late(i))),
        text(items.iter().map(|i| r.offices[i.office].id)),
        code(&codes::PROCESS_TYPE, 0),
        code(&codes::IMPORT_TYPE, 1),
        code(&codes::IMPORT_USE, 2),
        code(&codes::PAYMENT_TYPE, 3),
        code(&codes::TRANSPORT_MODE, 4),
        text(items.iter().map(|i| ids.declarant(i.declarant))),
        text(items.iter().map(|i| ids.importer(i.importer))),
        maybe(items.iter().map(|i| i.seller.map(|s| ids.seller(s)))),
        maybe(items.iter().map(|i| i.courier.map(|c| ids.courier(c)))),
        text(items.iter().map(|i| goods[i.declared.good].hs6)),
        text(items.iter().map(|i| i.hs10.as_str())),
        text(items.iter().map(|i| r.countries[i.departure].code)),
        text(items.iter().map(|i| r.countries[i.declared.origin].code)),
        numbers(items.iter().map(|i| i.declared.claim.rate)),
        text(items.iter().map(|i| i.declared.claim.tariff_type)),
        code(&codes::ORIGIN_MARK, 5),
        numbers(items.iter().map(|i| i.declared.quantity)),
        text(items.iter().map(unit)),
        numbers(items.iter().map(|i| i.declared.mass)),
        numbers(items.iter().map(|i| i.declared.price)),
    ];
    let names = haetae_schema::table("fact_item").map_or(&[][..], |table| table.columns).iter().map(|c| c.name);
    names.zip(columns).map(|(name, column)| spoilt(name, column, items)).collect()
}

/// The column with what planted defects have put in it.
fn spoilt(name: &str, column: ArrayRef, items: &[&Item]) -> ArrayRef {
    if !items.iter().any(|i| i.instead(name).is_some()) {
        return column;
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        let texts = items.iter().zip(texts).map(|(i, text)| i.instead(name).unwrap_or(text));
        return Arc::new(texts.collect::<StringArray>());
    }
    match column.as_primitive_opt::<Float64Type>() {
        // Of numbers only nulls are put in this way.
        Some(values) => {
            let values = items.iter().zip(values).map(|(i, value)| value.filter(|_| i.instead(name).is_none()));
            Arc::new(values.collect::<Float64Array>())
        }
        None => column,
    }
}

fn inspection_columns(items: &[&Item]) -> Vec<ArrayRef> {
    let findings = || items.iter().filter_map(|i| i.finding.as_ref().map(|f| (*i, f)));
    vec![
        declaration_ids(items.iter().copied()),
        whole(items.iter().map(|i| i.item_no)),
        days(findings().map(|(i, f)| i.day + f.delay)),
        flags(findings().map(|(_, f)| f.class > 0)),
        Arc::new(Int8Array::from_iter_values(findings().map(|(_, f)| f.class))),
        numbers(findings().map(|(_, f)| f.recovered)),
    ]
}

/// The number of the declaration of a line.
pub fn declaration_id(item: &Item) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write_declaration_id(&mut text, item);
    text
}

fn write_declaration_id(to: &mut impl std::fmt::Write, item: &Item) -> std::fmt::Result {
    let day = item.day as usize;
    write!(to, "{:02}{:03}{:06}", ymd(day).0 - 2000, day_of_year(day), item.serial + 1)
}

/// Two digits of the year, three of the day in it, six of the serial number: in the order of time.
pub fn declaration_ids<'a>(items: impl ExactSizeIterator<Item = &'a Item>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(items.len(), items.len() * 11);
    for i in items {
        // Writing into a builder's buffer cannot fail.
        let _ = write_declaration_id(&mut builder, i);
        builder.append_value("");
    }
    Arc::new(builder.finish())
}
