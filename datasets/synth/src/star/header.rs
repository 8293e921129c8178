//! What goes in: the lines of one declaration. What comes out: its header, dates and taxes, and batches of them.

use arrow::array::RecordBatch;
use haetae_schema::codes;

use super::cargo::{self, Cargo};
use super::rates::{self, CURRENCIES, DOLLAR, Rates};
use crate::columns::{days, maybe, numbers, rows, text, whole};
use crate::error::SynthError;
use crate::fraud::IMPORT_TAX;
use crate::items::{Goods, Item};
use crate::rng::{Rng, place};
use crate::rows::{Ids, declaration_id};
use crate::world::World;

/// Place of "0", nothing to pay, in the list of payment types.
const NOTHING_TO_PAY: u8 = 4;

/// Duty and value added tax of one line, in whole won.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// Duty.
    pub duty: f64,
    /// Value added tax.
    pub vat: f64,
}

impl Due {
    /// On goods as they are declared.
    pub fn on(goods: &Goods) -> Self {
        let duty = (goods.price * goods.claim.rate).round();
        Self { duty, vat: (IMPORT_TAX * (goods.price + duty)).round() }
    }

    /// Both.
    pub fn sum(self) -> f64 {
        self.duty + self.vat
    }
}

/// What the lines of a declaration share.
pub struct Declaration<'a> {
    /// Its number.
    pub id: String,
    /// Its lines, at least one.
    pub lines: &'a [Item],
    /// The first of them.
    pub first: &'a Item,
    /// What is due on each line.
    pub due: Vec<Due>,
    /// Whether nothing of it is collected.
    pub relieved: bool,
    /// Day index of acceptance.
    pub accepted: i32,
    /// Day index of release.
    pub released: i32,
    /// How the goods came.
    pub cargo: Cargo,
    /// Whether goods are inspected, documents checked, or neither.
    pub lane: &'static str,
    /// Sum of the lines.
    pub value: f64,
    /// Sum of the lines.
    pub net: f64,
    /// As declared.
    pub gross: f64,
    /// Terms of delivery.
    pub incoterm: &'static str,
    /// Index of the currency.
    pub currency: usize,
    /// Won for one unit.
    pub krw_per_unit: f64,
    /// Amount of the invoice in its currency.
    pub invoice: f64,
    freight: f64,
    insurance: f64,
    method: &'static str,
}

impl Declaration<'_> {
    /// Duty and tax that are to be paid.
    pub fn payable(&self) -> f64 {
        if self.relieved { 0.0 } else { self.due.iter().map(|due| due.sum()).sum() }
    }
}

/// Draws the header of lines; `None` where there are none.
pub fn declare<'a>(world: &World, rates: &Rates, lines: &'a [Item], rng: &mut Rng) -> Option<Declaration<'a>> {
    let first = lines.first()?;
    let day = first.day;
    let found = lines.iter().filter_map(|line| line.finding.as_ref().map(|finding| finding.delay)).max();
    let lane = match found {
        Some(_) => "red",
        None if rng.chance(0.10) => "yellow",
        None => "green",
    };
    let net = tenth(lines.iter().map(|line| line.declared.mass).sum());
    let gross = tenth(net * rng.between(1.02, 1.15) + 0.1);
    let cargo = cargo::bring(world, first, lines, gross, rng);
    let accepted = day + i32::from(rng.chance(0.2));
    let checks = match (found, lane) {
        (Some(delay), _) => day + delay,
        (None, "yellow") => accepted + rng.below(3) as i32,
        _ => accepted,
    };
    let value: f64 = lines.iter().map(|line| line.declared.price).sum();
    let slow = first.slow();
    let freight = (value * if slow { rng.between(0.015, 0.07) } else { rng.between(0.03, 0.12) }).round();
    let insurance = (value * rng.between(0.001, 0.006)).round();
    let incoterm = incoterm(slow, rng);
    let own = match incoterm {
        "CIF" | "CIP" | "DAP" | "DPU" | "DDP" => value,
        "CFR" | "CPT" => value - insurance,
        _ => value - freight - insurance,
    };
    let (usual, often) = rates::usual(world.reference.countries[first.departure].code);
    let currency = if rng.chance(often) { usual } else { DOLLAR };
    let krw_per_unit = rates.on(currency, day);
    Some(Declaration {
        id: declaration_id(first),
        lines,
        first,
        due: lines.iter().map(|line| Due::on(&line.declared)).collect(),
        relieved: first.codes[3] == NOTHING_TO_PAY,
        accepted,
        released: accepted.max(checks).max(cargo.arrival),
        cargo,
        lane,
        value,
        net,
        gross,
        incoterm,
        currency,
        krw_per_unit,
        invoice: (own / krw_per_unit * 100.0).round() / 100.0,
        freight,
        insurance,
        method: method(rng),
    })
}

/// To 0.1, with sums that have run away from it by rounding.
fn tenth(mass: f64) -> f64 {
    (mass * 10.0).round() / 10.0
}

fn incoterm(slow: bool, rng: &mut Rng) -> &'static str {
    let by_sea: &[(&str, f64)] = &[
        ("FOB", 0.46),
        ("CIF", 0.24),
        ("CFR", 0.10),
        ("EXW", 0.08),
        ("FCA", 0.06),
        ("DAP", 0.03),
        ("DDP", 0.015),
        ("FAS", 0.005),
        ("DPU", 0.01),
    ];
    let by_air: &[(&str, f64)] =
        &[("FCA", 0.34), ("EXW", 0.20), ("CIP", 0.16), ("CPT", 0.12), ("DAP", 0.12), ("DDP", 0.06)];
    let list = if slow { by_sea } else { by_air };
    list[place(rng.unit(), list.iter().map(|(_, share)| *share)).unwrap_or_default()].0
}

/// Nearly all goods are valued by what was paid for them.
fn method(rng: &mut Rng) -> &'static str {
    match rng.unit() {
        x if x < 0.945 => "1",
        x if x < 0.958 => "2",
        x if x < 0.968 => "3",
        x if x < 0.978 => "4",
        x if x < 0.982 => "5",
        _ => "6",
    }
}

/// Rows of `fact_declaration`.
pub fn declarations(world: &World, ids: &Ids, all: &[Declaration<'_>]) -> Result<RecordBatch, SynthError> {
    let first = || all.iter().map(|d| d.first);
    let sum = |of: fn(&Due) -> f64| numbers(all.iter().map(|d| d.due.iter().map(of).sum()));
    rows(
        "fact_declaration",
        vec![
            text(all.iter().map(|d| &d.id)),
            days(first().map(|f| f.day)),
            days(all.iter().map(|d| d.cargo.arrival)),
            days(all.iter().map(|d| d.accepted)),
            days(all.iter().map(|d| d.released)),
            text(first().map(|f| world.reference.offices[f.office].id)),
            text(first().map(|f| f.code(&codes::PROCESS_TYPE, 0))),
            text(first().map(|f| f.code(&codes::IMPORT_TYPE, 1))),
            text(first().map(|f| f.code(&codes::PAYMENT_TYPE, 3))),
            text(first().map(|f| f.code(&codes::TRANSPORT_MODE, 4))),
            text(first().map(|f| ids.declarant(f.declarant))),
            text(first().map(|f| ids.importer(f.importer))),
            maybe(first().map(|f| f.courier.map(|c| ids.courier(c)))),
            text(all.iter().map(|d| &d.cargo.bill)),
            text(all.iter().map(|d| d.lane)),
            whole(all.iter().map(|d| d.lines.len() as i32)),
            whole(all.iter().map(|d| d.cargo.packages)),
            numbers(all.iter().map(|d| d.net)),
            numbers(all.iter().map(|d| d.gross)),
            text(all.iter().map(|d| d.incoterm)),
            text(all.iter().map(|d| d.method)),
            text(all.iter().map(|d| CURRENCIES[d.currency].0)),
            numbers(all.iter().map(|d| d.krw_per_unit)),
            numbers(all.iter().map(|d| d.invoice)),
            numbers(all.iter().map(|d| d.freight)),
            numbers(all.iter().map(|d| d.insurance)),
            numbers(all.iter().map(|d| d.value)),
            sum(|due| due.duty),
            sum(|due| due.vat),
            numbers(all.iter().map(Declaration::payable)),
        ],
    )
}

/// One row of `fact_tax`.
struct Tax<'a> {
    id: &'a str,
    item_no: i32,
    kind: &'static str,
    base: f64,
    rate: f64,
    tax: f64,
    relieved: bool,
}

/// Rows of `fact_tax`: duty before value added tax, and none that comes to nothing.
pub fn taxes(all: &[Declaration<'_>]) -> Result<RecordBatch, SynthError> {
    let mut taxes = Vec::new();
    for d in all {
        for (line, due) in d.lines.iter().zip(&d.due) {
            let (price, rate) = (line.declared.price, line.declared.claim.rate);
            let both = [("duty", price, rate, due.duty), ("vat", price + due.duty, IMPORT_TAX, due.vat)];
            for (kind, base, rate, tax) in both.into_iter().filter(|(.., tax)| *tax > 0.0) {
                taxes.push(Tax { id: &d.id, item_no: line.item_no, kind, base, rate, tax, relieved: d.relieved });
            }
        }
    }
    rows(
        "fact_tax",
        vec![
            text(taxes.iter().map(|t| t.id)),
            whole(taxes.iter().map(|t| t.item_no)),
            text(taxes.iter().map(|t| t.kind)),
            numbers(taxes.iter().map(|t| t.base)),
            numbers(taxes.iter().map(|t| t.rate)),
            numbers(taxes.iter().map(|t| t.tax)),
            numbers(taxes.iter().map(|t| if t.relieved { t.tax } else { 0.0 })),
        ],
    )
}
