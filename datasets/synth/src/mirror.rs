//! What goes in: the lines of each day, before and after slips are planted. What comes out: what partner countries say
//! they have exported, month by month, and the truth where that differs from what was declared.
//!
//! A partner counts goods of its own that come straight from there, as they are. So a false value, origin or
//! subheading leaves a gap, and so do goods that were never declared, which are planted here.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::calendar::{FIRST_DATE, ymd};
use crate::columns::{batch, flags, numbers, served_schema, text};
use crate::error::SynthError;
use crate::items::Item;
use crate::rng::{mix, mix_normal, mix_unit};
use crate::world::World;

/// Share of the months of a partner and a subheading in which goods came that were never declared.
const UNDECLARED: f64 = 0.01;
/// A partner does not report less than this in a month, in KRW.
const LEAST_KRW: f64 = 1_000_000.0;
/// A gap can be told when so many times as much left as was declared, and so much more.
const CLEAR: (f64, f64) = (3.0, 3_000_000.0);
/// A line declared this far from what left is declared otherwise.
const SAME: f64 = 0.01;

/// Month (0 is January 2020, -1 the one before), origin and subheading, as indices: the order of the files.
type Cell = (i16, u16, u16);

/// The goods of one line as they left their country.
#[derive(Debug, Clone, Copy)]
struct Shipment {
    cell: Cell,
    value: f64,
    mass: f64,
    /// What of it was declared where it belongs.
    own: f64,
}

/// What the lines of one day add.
#[derive(Debug, Default)]
pub struct Trade {
    /// For each line, in its place: what left, if it came straight from its origin.
    left: Vec<Option<Shipment>>,
    /// What was declared as coming straight from its origin.
    declared: Vec<(Cell, f64)>,
}

impl Trade {
    /// What left, of lines that nobody has spoilt yet.
    pub fn left(world: &World, items: &[Item]) -> Self {
        let shipment = |item: &Item| {
            let goods = item.truth.as_ref().map_or(&item.declared, |truth| &truth.goods);
            let cell = (month(item.day - lag(world, item)), goods.origin as u16, goods.good as u16);
            (goods.origin == item.departure).then_some(Shipment {
                cell,
                value: goods.price,
                mass: goods.mass,
                own: 0.0,
            })
        };
        Self { left: items.iter().map(shipment).collect(), declared: Vec::new() }
    }

    /// The same with what is declared; `items` are the lines that [`Trade::left`] has seen, in the same order.
    pub fn declared(mut self, items: &[Item]) -> Self {
        for (item, left) in items.iter().zip(&mut self.left) {
            let unknown =
                ["hs6", "origin_country", "departure_country"].iter().any(|name| item.instead(name).is_some());
            if unknown || item.declared.origin != item.departure {
                continue;
            }
            let late = item.defect.as_ref().map_or(0, |defect| defect.late_days);
            let cell = (month(item.day + late), item.declared.origin as u16, item.declared.good as u16);
            self.declared.push((cell, item.declared.price));
            if let Some(shipment) = left.as_mut().filter(|left| (left.cell.1, left.cell.2) == (cell.1, cell.2)) {
                let in_time = cell.0 - shipment.cell.0 <= 1;
                shipment.own = if in_time { item.declared.price } else { 0.0 };
            }
        }
        self
    }
}

/// Days between departure and declaration.
pub fn lag(world: &World, item: &Item) -> i32 {
    let draw = mix(world.seed, 11, item.day as u64, (u64::from(item.serial) << 8) + item.item_no as u64);
    if item.slow() { 8 + (draw % 20) as i32 } else { 1 + (draw % 4) as i32 }
}

fn month(day: i32) -> i16 {
    match usize::try_from(day) {
        Ok(day) => {
            let (year, month, _) = ymd(day);
            (year - 2020) as i16 * 12 + month as i16 - 1
        }
        Err(_) => -1,
    }
}

/// The first day of a month, as Arrow has it.
fn date(of: i16) -> i32 {
    let first = (0..).find(|&day| month(day) >= of).unwrap_or(0);
    FIRST_DATE + if of < 0 { -31 } else { first }
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    left: f64,
    mass: f64,
    own: f64,
    declared: f64,
}

/// What has been added up, while it is not complete.
#[derive(Debug, Default)]
pub struct Months {
    open: BTreeMap<Cell, Sums>,
}

/// Rows of the two tables.
#[derive(Debug)]
pub struct Reported {
    /// Of `fact_partner_export`.
    pub exports: RecordBatch,
    /// Of `truth/mirror.parquet`.
    pub truth: RecordBatch,
}

impl Months {
    /// Adds a day; the days come in order.
    pub fn add(&mut self, trade: &Trade) {
        for shipment in trade.left.iter().flatten() {
            let sums = self.open.entry(shipment.cell).or_default();
            sums.left += shipment.value;
            sums.mass += shipment.mass;
            sums.own += shipment.own;
        }
        for (cell, value) in &trade.declared {
            self.open.entry(*cell).or_default().declared += value;
        }
    }

    /// Takes out the months that no line from `day` on can add to; all of them where there is no such line.
    ///
    /// # Errors
    /// Columns that do not fit their schema (a fault of this program).
    pub fn complete(&mut self, world: &World, day: Option<usize>) -> Result<Option<Reported>, SynthError> {
        // Goods leave in the month before, and are compared with what is declared in the month after.
        let until = day.map_or(i16::MAX, |day| month(day as i32) - 1);
        let open = self.open.split_off(&(until, 0, 0));
        let done = std::mem::replace(&mut self.open, open);
        if done.is_empty() {
            return Ok(None);
        }
        let next = |(month, origin, good): Cell| {
            let cell = (month + 1, origin, good);
            done.get(&cell).or_else(|| self.open.get(&cell)).map_or(0.0, |sums| sums.declared)
        };
        let rows: Vec<Row> = done
            .iter()
            .filter(|(_, sums)| sums.left > 0.0)
            .map(|(cell, sums)| Row::new(world, *cell, sums, sums.declared + next(*cell)))
            .filter(|row| row.fob >= LEAST_KRW)
            .collect();
        Ok(Some(Reported { exports: exports(world, &rows)?, truth: truth(world, &rows)? }))
    }
}

/// One month of one partner and one subheading.
struct Row {
    cell: Cell,
    fob: f64,
    mass: f64,
    /// What left, at the prices of this country, and what was declared in that month and the next.
    left: f64,
    declared: f64,
    kind: Option<&'static str>,
}

impl Row {
    fn new(world: &World, cell: Cell, sums: &Sums, declared: f64) -> Self {
        let (month, origin, good) = cell;
        let (when, what) = ((month + 1) as u64, (u64::from(origin) << 16) + u64::from(good));
        let hidden = mix_unit(world.seed, 12, when, what) < UNDECLARED;
        let more = if hidden { 4.0 + 6.0 * mix_unit(world.seed, 13, when, what) } else { 1.0 };
        let left = sums.left * more;
        let freight = 0.02 + 0.12 * mix_unit(world.seed, 14, u64::from(origin), 0);
        let noise = |facet, sd: f64| (sd * mix_normal(world.seed, facet, when, what)).exp();
        let otherwise = (sums.own - sums.left).abs() > SAME * sums.left;
        let kind = if hidden { Some("undeclared") } else { otherwise.then_some("declared_otherwise") };
        Self {
            cell,
            fob: (left / (1.0 + freight) * noise(15, 0.04)).round(),
            mass: (sums.mass * more * noise(16, 0.02) * 10.0).round() / 10.0,
            left,
            declared,
            kind,
        }
    }

    fn decidable(&self) -> bool {
        self.left >= CLEAR.0 * self.declared && self.left - self.declared >= CLEAR.1
    }
}

/// Partner, subheading and month of each row.
fn places(world: &World, rows: &[&Row]) -> Vec<ArrayRef> {
    let mut dates = BTreeMap::new();
    let mut day = |month: i16| *dates.entry(month).or_insert_with(|| date(month));
    vec![
        text(rows.iter().map(|row| world.reference.countries[row.cell.1 as usize].code)),
        text(rows.iter().map(|row| world.goods.list[row.cell.2 as usize].hs6)),
        Arc::new(rows.iter().map(|row| Some(day(row.cell.0))).collect::<Date32Array>()),
    ]
}

fn exports(world: &World, rows: &[Row]) -> Result<RecordBatch, SynthError> {
    let rows: Vec<&Row> = rows.iter().collect();
    let mut columns = places(world, &rows);
    columns.push(numbers(rows.iter().map(|row| row.fob)));
    columns.push(numbers(rows.iter().map(|row| row.mass)));
    batch("fact_partner_export", served_schema("fact_partner_export"), columns)
}

/// Schema of `truth/mirror.parquet`: one row a reported month that differs from what was declared.
pub fn truth_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("partner_country", DataType::Utf8, false),
        Field::new("hs6", DataType::Utf8, false),
        Field::new("export_month", DataType::Date32, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("true_value_krw", DataType::Float64, false),
        Field::new("declared_value_krw", DataType::Float64, false),
        Field::new("decidable", DataType::Boolean, false),
    ]))
}

fn truth(world: &World, rows: &[Row]) -> Result<RecordBatch, SynthError> {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.kind.is_some()).collect();
    let mut columns = places(world, &rows);
    columns.push(text(rows.iter().filter_map(|row| row.kind)));
    columns.push(numbers(rows.iter().map(|row| row.left)));
    columns.push(numbers(rows.iter().map(|row| row.declared)));
    columns.push(flags(rows.iter().map(|row| row.decidable())));
    batch("mirror", truth_schema(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_their_dates() {
        assert_eq!([-40, -1, 0, 30, 31, 366, 546].map(month), [-1, -1, 0, 0, 1, 12, 17]);
        assert_eq!([-1, 0, 1, 12, 17].map(date), [18_231, 18_262, 18_293, 18_628, 18_779]);
    }
}
