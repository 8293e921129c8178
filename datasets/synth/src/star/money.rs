//! What goes in: a declaration. What comes out: what becomes of its duty and tax: payments, amendments, refunds.

use arrow::array::RecordBatch;

use super::header::{Declaration, Due};
use crate::columns::{days, maybe, numbers, rows, text, whole};
use crate::error::SynthError;
use crate::items::{Goods, Item, round_price};
use crate::rng::Rng;
use crate::tariff::Claim;

/// Share of the slips of clerks that are corrected.
const CORRECTED: f64 = 0.35;
/// Share of the honest lines whose price is settled later.
const SETTLED_LATER: f64 = 0.004;
/// Place of "11", raw material for export, in the list of uses.
const FOR_EXPORT: u8 = 1;

/// What became of the money of one declaration.
#[derive(Default)]
pub struct Settled {
    amendments: Vec<Amendment>,
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
}

struct Amendment {
    id: String,
    item_no: i32,
    day: i32,
    reason: &'static str,
    column: &'static str,
    before: f64,
    after: f64,
    change: f64,
}

struct Payment {
    kind: &'static str,
    amendment: Option<String>,
    due: i32,
    paid: i32,
    channel: &'static str,
    amount: f64,
}

struct Refund {
    reason: &'static str,
    amendment: Option<String>,
    asked: i32,
    paid: i32,
    amount: f64,
}

/// Draws the payments, amendments and refunds of a declaration.
pub fn settle(d: &Declaration<'_>, rng: &mut Rng) -> Settled {
    let mut settled = Settled::default();
    settled.payments.extend(payments(d, rng));
    let last_paid = settled.payments.iter().map(|p| p.paid).max().unwrap_or(d.released);
    for (line, due) in d.lines.iter().zip(&d.due) {
        let Some(amendment) = amend(d, line, *due, settled.amendments.len(), rng) else { continue };
        if amendment.change > 0.0 {
            settled.payments.push(Payment {
                kind: "amended",
                amendment: Some(amendment.id.clone()),
                due: amendment.day + 15,
                paid: amendment.day + rng.below(16) as i32,
                channel: channel(rng),
                amount: amendment.change,
            });
        } else if amendment.change < 0.0 {
            settled.refunds.push(Refund {
                reason: "amended",
                amendment: Some(amendment.id.clone()),
                asked: amendment.day,
                paid: (amendment.day + 5 + rng.below(36) as i32).max(last_paid + 1),
                amount: -amendment.change,
            });
        }
        settled.amendments.push(amendment);
    }
    if settled.refunds.is_empty() && !d.relieved {
        settled.refunds.extend(other_refund(d, last_paid, rng));
    }
    settled
}

/// What pays a declaration, by the way in which its duty is collected.
fn payments(d: &Declaration<'_>, rng: &mut Rng) -> Vec<Payment> {
    let payable = d.payable();
    if payable <= 0.0 {
        return Vec::new();
    }
    let one = |due: i32, paid: i32, amount: f64, rng: &mut Rng| Payment {
        kind: "declared",
        amendment: None,
        due,
        paid,
        channel: channel(rng),
        amount,
    };
    // Places in the list of payment types.
    match d.first.codes[3] {
        // Before release, or by the declarant: between acceptance and release.
        0 | 7 | 9 => {
            let paid = d.accepted + rng.below((d.released - d.accepted + 1) as usize) as i32;
            vec![one(d.released, paid, payable, rng)]
        }
        // By instalments: three, three months apart; the first has what does not divide.
        8 => {
            let third = (payable / 3.0).floor();
            let parts = [payable - 2.0 * third, third, third];
            let parts = parts.into_iter().enumerate().filter(|(_, part)| *part > 0.0);
            let later = |(place, part): (usize, f64)| {
                let due = d.released + 15 + 90 * place as i32;
                one(due, in_time_or_not(due, rng), part, rng)
            };
            parts.map(later).collect()
        }
        place => {
            let due = d.released + if place == 1 { 30 } else { 15 };
            vec![one(due, in_time_or_not(due, rng), payable, rng)]
        }
    }
}

/// One in thirty pays late.
fn in_time_or_not(due: i32, rng: &mut Rng) -> i32 {
    if rng.chance(0.033) { due + 1 + rng.below(20) as i32 } else { due - rng.below(6) as i32 }
}

fn channel(rng: &mut Rng) -> &'static str {
    match rng.unit() {
        x if x < 0.62 => "online",
        x if x < 0.85 => "bank",
        x if x < 0.94 => "card",
        _ => "broker",
    }
}

/// A correction that the importer asks for: of a clerk's slip, or of a price that is settled later. Nobody corrects a lie.
fn amend(d: &Declaration<'_>, line: &Item, due: Due, before: usize, rng: &mut Rng) -> Option<Amendment> {
    let drawn = rng.unit();
    let goods = &line.declared;
    let (reason, column, was, is, right) = match line.slip {
        Some(rate) if drawn < CORRECTED => {
            let claim = Claim { rate, ..goods.claim };
            ("clerical", "duty_rate", goods.claim.rate, rate, Goods { claim, ..goods.clone() })
        }
        None if line.truth.is_none() && drawn < SETTLED_LATER => {
            let price = round_price(goods.price * rng.between(0.85, 1.2));
            ("price", "item_price_krw", goods.price, price, Goods { price, ..goods.clone() })
        }
        _ => return None,
    };
    if was == is {
        return None;
    }
    let change = if d.relieved { 0.0 } else { Due::on(&right).sum() - due.sum() };
    let day = d.released + 5 + rng.below(116) as i32;
    let id = format!("{}A{:02}", d.id, before + 1);
    Some(Amendment { id, item_no: line.item_no, day, reason, column, before: was, after: is, change })
}

/// Drawback of the duty on what goes abroad again, or goods that are sent back.
fn other_refund(d: &Declaration<'_>, last_paid: i32, rng: &mut Rng) -> Option<Refund> {
    let duty: f64 = d.due.iter().map(|due| due.duty).sum();
    let (reason, amount, waits) = if d.first.codes[2] == FOR_EXPORT && rng.chance(0.12) {
        ("drawback", (duty * rng.between(0.4, 1.0)).floor(), 60 + rng.below(240) as i32)
    } else if rng.chance(0.002) {
        ("returned", d.payable(), 20 + rng.below(160) as i32)
    } else {
        return None;
    };
    let asked = (d.released + waits).max(last_paid + 1);
    let paid = asked + 5 + rng.below(26) as i32;
    (amount > 0.0).then_some(Refund { reason, amendment: None, asked, paid, amount })
}

/// Rows of `fact_payment`, `fact_refund` and `fact_amendment`.
pub fn batches(all: &[Declaration<'_>], settled: &[Settled]) -> Result<[RecordBatch; 3], SynthError> {
    let both = || all.iter().map(|d| d.id.as_str()).zip(settled);
    let number = |id: &str, letter: char, place: usize| format!("{id}{letter}{:02}", place + 1);
    let payments: Vec<(&str, usize, &Payment)> =
        both().flat_map(|(id, s)| s.payments.iter().enumerate().map(move |(place, p)| (id, place, p))).collect();
    let refunds: Vec<(&str, usize, &Refund)> =
        both().flat_map(|(id, s)| s.refunds.iter().enumerate().map(move |(place, r)| (id, place, r))).collect();
    let amendments: Vec<(&str, &Amendment)> =
        both().flat_map(|(id, s)| s.amendments.iter().map(move |a| (id, a))).collect();
    Ok([
        rows(
            "fact_payment",
            vec![
                text(payments.iter().map(|(id, place, _)| number(id, 'P', *place))),
                text(payments.iter().map(|(id, ..)| id)),
                text(payments.iter().map(|(.., p)| p.kind)),
                maybe(payments.iter().map(|(.., p)| p.amendment.as_deref())),
                days(payments.iter().map(|(.., p)| p.due)),
                days(payments.iter().map(|(.., p)| p.paid)),
                text(payments.iter().map(|(.., p)| p.channel)),
                numbers(payments.iter().map(|(.., p)| p.amount)),
            ],
        )?,
        rows(
            "fact_refund",
            vec![
                text(refunds.iter().map(|(id, place, _)| number(id, 'R', *place))),
                text(refunds.iter().map(|(id, ..)| id)),
                text(refunds.iter().map(|(.., r)| r.reason)),
                maybe(refunds.iter().map(|(.., r)| r.amendment.as_deref())),
                days(refunds.iter().map(|(.., r)| r.asked)),
                days(refunds.iter().map(|(.., r)| r.paid)),
                numbers(refunds.iter().map(|(.., r)| r.amount)),
            ],
        )?,
        rows(
            "fact_amendment",
            vec![
                text(amendments.iter().map(|(_, a)| &a.id)),
                text(amendments.iter().map(|(id, _)| id)),
                whole(amendments.iter().map(|(_, a)| a.item_no)),
                days(amendments.iter().map(|(_, a)| a.day)),
                text(amendments.iter().map(|(_, a)| a.reason)),
                text(amendments.iter().map(|(_, a)| a.column)),
                text(amendments.iter().map(|(_, a)| a.before.to_string())),
                text(amendments.iter().map(|(_, a)| a.after.to_string())),
                numbers(amendments.iter().map(|(_, a)| a.change)),
            ],
        )?,
    ])
}
