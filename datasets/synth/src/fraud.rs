//! What goes in: an honest line and its importer. What comes out: the line as declared, and the
//! truth beside it where the two differ.

use crate::calendar::DAYS;
use crate::importers::{Importer, NOBODY};
use crate::items::{Draft, Goods, Item, round_mass, round_price};
use crate::rng::{Rng, place};
use crate::world::World;

/// Import tax on top of duty, on price and duty: it makes undervaluation pay even at a duty rate of 0.
pub const IMPORT_TAX: f64 = 0.10;
/// Share of honest lines on which a clerk writes a wrong duty rate.
const SLIPS: f64 = 0.004;
/// A preference must save this much before anybody lies about the origin.
const WORTH: f64 = 0.02;

/// Kinds of planted fraud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A lower price than was paid.
    Undervaluation,
    /// A subheading with a lower duty rate.
    Misclassification,
    /// An origin that gives a preference.
    FalseOrigin,
    /// Less mass, or fewer units, than came in, with the price to match.
    QuantitySlip,
    /// Any of these by a company that has come back under a new number.
    Phoenix,
}

impl Kind {
    /// The word in the ground truth.
    pub fn name(self) -> &'static str {
        match self {
            Self::Undervaluation => "undervaluation",
            Self::Misclassification => "misclassification",
            Self::FalseOrigin => "false_origin",
            Self::QuantitySlip => "quantity_slip",
            Self::Phoenix => "phoenix",
        }
    }
}

/// What is true about a line that is declared otherwise.
#[derive(Debug, Clone)]
pub struct Truth {
    /// What kind of fraud it is counted as.
    pub kind: Kind,
    /// The lie itself; the same as `kind` except for phoenix companies.
    pub technique: Kind,
    /// The goods as they are.
    pub goods: Goods,
    /// Duty and import tax kept back, in KRW.
    pub evaded: f64,
}

/// Log odds of fraud on a line, short of the world's constant: who, what, from where, when.
pub fn log_odds(world: &World, im: &Importer, goods: &Goods, day: i32) -> f64 {
    let duty = (goods.claim.rate / 0.05).ln_1p().min(2.0);
    let young = if day - im.registered < 120 { 0.7 } else { 0.0 };
    let age = f64::from(day) / DAYS as f64;
    // Fraud moves: some origins and goods become worse with time, others better.
    let drift = world.origin_drift[goods.origin] * (age - 0.5);
    let season = 0.25 * (std::f64::consts::TAU * (age * 1.5 - 0.1)).sin();
    let returned = if im.phoenix_of == NOBODY { 0.0 } else { 0.8 };
    4.6 * f64::from(im.dishonesty)
        + duty
        + young
        + returned
        + season
        + drift
        + world.origin_risk[goods.origin]
        + world.goods.list[goods.good].risk
}

/// Probability from log odds.
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Decides whether the line is declared as it is, and if not, how.
pub fn settle(world: &World, draft: Draft, rng: &mut Rng) -> Item {
    let Draft { mut item, log_odds } = draft;
    if rng.chance(probability(log_odds + world.fraud_constant)) {
        lie(world, &mut item, rng);
    } else if rng.chance(SLIPS) {
        slip(&mut item, rng);
    }
    item
}

/// A slip of the pen: a rate that the tariff does not have.
fn slip(item: &mut Item, rng: &mut Rng) {
    let right = item.declared.claim.rate;
    let wrong = if rng.chance(0.5) { right / 10.0 } else { right + 0.01 };
    if wrong != right {
        item.declared.claim.rate = (wrong * 10_000.0).round() / 10_000.0;
        item.slip = Some(right);
    }
}

fn lie(world: &World, item: &mut Item, rng: &mut Rng) {
    let im = &world.companies.importers[item.importer];
    let goods = item.declared.clone();
    let technique = choose(world, im, &goods, item.day, rng);
    let (technique, declared) = match technique {
        Kind::Misclassification => misclassify(world, item, &goods, im, rng),
        Kind::FalseOrigin => false_origin(world, item, &goods, rng),
        Kind::QuantitySlip => understate(world, &goods, rng),
        _ => None,
    }
    .unwrap_or_else(|| (Kind::Undervaluation, undervalue(&goods, rng)));
    let evaded = (tax(&goods) - tax(&declared)).round();
    // Rounding of tiny lines can leave nothing to gain; such a line is simply honest.
    if evaded < 1.0 {
        return;
    }
    if declared.good != goods.good {
        item.hs10 = world.goods.hs10(declared.good, u64::from(im.identity)).0;
    }
    let kind = if im.phoenix_of == NOBODY { technique } else { Kind::Phoenix };
    item.truth = Some(Truth { kind, technique, goods, evaded });
    item.declared = declared;
}

/// Duty and import tax due on goods as described, in KRW.
pub fn tax(goods: &Goods) -> f64 {
    let duty = goods.price * goods.claim.rate;
    duty + IMPORT_TAX * (goods.price + duty)
}

fn choose(world: &World, im: &Importer, goods: &Goods, day: i32, rng: &mut Rng) -> Kind {
    let kinds = [Kind::Undervaluation, Kind::Misclassification, Kind::FalseOrigin, Kind::QuantitySlip];
    let rate = goods.claim.rate;
    let preferential = world.is_preference(&goods.claim);
    // False origin grows with time, as agreements become known.
    let age = f64::from(day) / DAYS as f64;
    let misclassify = if preferential || world.goods.list[goods.good].cheaper.is_empty() { 0.0 } else { 2.6 };
    let origin = if preferential || rate < WORTH { 0.0 } else { 0.8 + 0.9 * age };
    let mut weights = [1.0, misclassify, origin, 0.6];
    weights[im.technique as usize % 4] *= 4.0;
    place(rng.unit() * weights.iter().sum::<f64>(), weights).map_or(Kind::Undervaluation, |place| kinds[place])
}

fn undervalue(goods: &Goods, rng: &mut Rng) -> Goods {
    Goods { price: round_price(goods.price * rng.between(0.35, 0.90)), ..goods.clone() }
}

/// Either the mass is wrong or the count is, never both: goods sold by mass have the mass alone.
fn understate(world: &World, goods: &Goods, rng: &mut Rng) -> Option<(Kind, Goods)> {
    let share = rng.between(0.40, 0.88);
    let price = round_price(goods.price * share);
    let declared = if world.counted(goods.good) && rng.chance(0.5) && goods.quantity >= 3.0 {
        Goods { quantity: (goods.quantity * share).ceil(), price, ..goods.clone() }
    } else {
        let mass = round_mass(goods.mass * share);
        let quantity = if world.counted(goods.good) { goods.quantity } else { world.quantity(goods.good, mass, 0.0) };
        Goods { mass, quantity, price, ..goods.clone() }
    };
    // Rounding can leave a small amount as it is.
    let less = declared.mass < goods.mass || declared.quantity < goods.quantity;
    less.then_some((Kind::QuantitySlip, declared))
}

fn misclassify(world: &World, item: &Item, goods: &Goods, im: &Importer, rng: &mut Rng) -> Option<(Kind, Goods)> {
    let neighbours = &world.goods.list[goods.good].cheaper;
    let good = *neighbours.get(rng.rank(neighbours.len()))? as usize;
    let claim = world.honest_claim(good, goods.origin, item.day, im, rng);
    let declared = Goods { good, claim, ..goods.clone() };
    (claim.rate < goods.claim.rate).then_some((Kind::Misclassification, declared))
}

fn false_origin(world: &World, item: &Item, goods: &Goods, rng: &mut Rng) -> Option<(Kind, Goods)> {
    let duties = &world.goods.list[goods.good].duties;
    for _ in 0..8 {
        let origin = world.preferred_origin(rng);
        let claim = world.tariff.preference(goods.good, duties, origin, item.day);
        if let Some(claim) = claim.filter(|c| origin != goods.origin && c.rate + WORTH <= goods.claim.rate) {
            return Some((Kind::FalseOrigin, Goods { origin, claim, ..goods.clone() }));
        }
    }
    None
}
