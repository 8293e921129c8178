//! What goes in: a declared line. What comes out: whether it is inspected, and what is found.
//!
//! The selection knows rules of thumb on what is declared, a watch list, tips, and chance. It does
//! not know the truth, except through tips.

use crate::fraud::{Kind, Truth};
use crate::items::Item;
use crate::rng::Rng;
use crate::world::World;

/// Share of frauds that an inspection of the line finds.
const DETECTION: f64 = 0.95;

/// What an inspection found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Days from the declaration to the finding.
    pub delay: i32,
    /// 0 nothing, 1 fraud, 2 critical fraud.
    pub class: i8,
    /// Duty and import tax recovered, in KRW; 0 where nothing was found.
    pub recovered: f64,
}

/// Selects the line or not, and if so writes the finding into it.
pub fn consider(world: &World, item: &mut Item, rng: &mut Rng) {
    if suspicion(world, item, rng) > world.inspection_threshold {
        item.finding = Some(inspect(item.truth.as_ref(), rng));
    }
}

/// How suspicious the line looks, noise included; the world's threshold is set so that a quarter of
/// the lines lie above it.
pub fn suspicion(world: &World, item: &Item, rng: &mut Rng) -> f64 {
    let im = &world.companies.importers[item.importer];
    let d = &item.declared;
    let ln_price = (d.price / d.mass).ln() - world.goods.ln_price(d.good, d.origin);
    let ln_unit_kg = (d.mass / d.quantity.max(1e-9)).ln() - world.goods.list[d.good].ln_unit_kg;
    let seller_elsewhere = item.seller.is_some_and(|s| world.companies.sellers[s].country as usize != d.origin);
    let rules = [
        (ln_price < -0.6, 0.7),
        (ln_price > 0.9, 0.3),
        (world.counted(d.good) && d.quantity >= 3.0 && ln_unit_kg.abs() > 0.5, 0.6),
        (world.is_preference(&d.claim) && seller_elsewhere && item.departure != d.origin, 0.8),
        (d.claim.rate >= 0.2, 0.3),
        (item.day - im.registered < 120, 0.4),
        (im.watched, 0.9),
    ];
    let score: f64 = rules.iter().filter(|(hit, _)| *hit).map(|(_, weight)| weight).sum();
    let tip = if rng.chance(if item.truth.is_some() { 0.53 } else { 0.035 }) { 2.6 } else { 0.0 };
    score + tip + rng.normal()
}

fn inspect(truth: Option<&Truth>, rng: &mut Rng) -> Finding {
    let delay = rng.below(4) as i32;
    match truth {
        Some(truth) if rng.chance(DETECTION) => {
            let critical = match truth.technique {
                _ if truth.kind == Kind::Phoenix => 0.10,
                Kind::FalseOrigin => 0.07,
                _ => 0.04,
            };
            let class = if rng.chance(critical) { 2 } else { 1 };
            Finding { delay, class, recovered: (truth.evaded * rng.between(0.8, 1.0)).round().max(1.0) }
        }
        _ => Finding { delay, class: 0, recovered: 0.0 },
    }
}
