//! What goes in: a market (goods, sellers, declarants, offices) and draws. What comes out: importers
//! whose habits last, and phoenix companies: frauds that come back under another number.

use crate::calendar::DAYS;
use crate::goods::Goods;
use crate::reference::Industry;
use crate::rng::{Alias, Rng};

/// An importer that has no predecessor.
pub const NOBODY: u32 = u32::MAX;

/// One importer and its habits.
#[derive(Debug, Clone)]
pub struct Importer {
    /// Who it is behind the number: a phoenix company keeps the identity of its predecessor.
    pub identity: u32,
    /// The importer that this one continues, or `NOBODY`.
    pub phoenix_of: u32,
    /// Share of all declarations (not normalised).
    pub weight: f32,
    /// Index of the industry.
    pub industry: u8,
    /// Region, as an index into `names::REGIONS`.
    pub region: u8,
    /// What it imports, the most usual first.
    pub goods: [u16; 6],
    /// How many of `goods` are used.
    pub goods_len: u8,
    /// From whom, the most usual first.
    pub sellers: [u32; 4],
    /// How many of `sellers` are used.
    pub sellers_len: u8,
    /// Its declarants, the usual one first.
    pub declarants: [u16; 2],
    /// Office for goods by air, and for all others.
    pub offices: [u8; 2],
    /// Usual courier.
    pub courier: u8,
    /// Share of declarations with a courier.
    pub courier_share: f32,
    /// Share of lines without a declared seller.
    pub null_seller: f32,
    /// Logarithm of its price level.
    pub ln_level: f32,
    /// Logarithm of its scale.
    pub ln_scale: f32,
    /// Share of declarations by air.
    pub air: f32,
    /// Share of eligible lines on which it claims a preference.
    pub claims_preference: f32,
    /// Whether it has a share in quotas.
    pub quota: bool,
    /// Usual import type, use and payment type, as indices into the code lists.
    pub habits: [u8; 3],
    /// From 0 (honest) to 1.
    pub dishonesty: f32,
    /// The fraud that it knows best, as an index.
    pub technique: u8,
    /// Whether the administration has it on a watch list: right more often than not, no more.
    pub watched: bool,
    /// Day of registration; negative: before 2020.
    pub registered: i32,
    /// First and last day on which it trades.
    pub active: (i32, i32),
}

/// What the draws of importers need to know beside the seed.
pub struct Market<'a> {
    /// All goods.
    pub goods: &'a Goods,
    /// Draws an industry.
    pub industry_draw: Alias,
    /// The industries.
    pub industries: &'a [Industry],
    /// For each industry: its sellers, and how to draw one.
    pub sellers_of: Vec<(Vec<u32>, Alias)>,
    /// Draws a declarant.
    pub declarant_draw: Alias,
    /// Draws a courier.
    pub courier_draw: Alias,
    /// Draws the office for goods by air.
    pub air_offices: Alias,
    /// Draws the office for all other goods.
    pub sea_offices: Alias,
    /// Draw an import type, a use and a payment type.
    pub habit_draws: [Alias; 3],
    /// For each chapter, its share by air.
    pub air_share: Vec<f64>,
}

/// Draws one importer.
pub fn importer(identity: u32, market: &Market, rng: &mut Rng) -> Importer {
    let industry = market.industry_draw.draw(rng);
    let chapters = &market.industries[industry].chapters;
    let goods_len = 1 + rng.below(6);
    let mut goods = [0; 6];
    let mut air = 0.0;
    for slot in goods.iter_mut().take(goods_len) {
        let chapter = rng.pick(chapters).copied().unwrap_or(0);
        let (members, draw) = &market.goods.by_chapter[chapter];
        *slot = members[draw.draw(rng)];
        air += market.air_share[chapter] / goods_len as f64;
    }
    let sellers_len = 1 + rng.below(4);
    let (known, draw) = &market.sellers_of[industry];
    let mut sellers = [0; 4];
    sellers.iter_mut().take(sellers_len).for_each(|s| *s = known[draw.draw(rng)]);
    let declarant = market.declarant_draw.draw(rng) as u16;
    let second = if rng.chance(0.5) { declarant } else { market.declarant_draw.draw(rng) as u16 };
    let dishonesty = dishonesty(rng);
    let (registered, active) = life(rng);
    Importer {
        identity,
        phoenix_of: NOBODY,
        weight: (1.3 * rng.normal()).exp() as f32,
        industry: industry as u8,
        region: crate::names::region(rng),
        goods,
        goods_len: goods_len as u8,
        sellers,
        sellers_len: sellers_len as u8,
        declarants: [declarant, second],
        offices: [&market.air_offices, &market.sea_offices].map(|draw| draw.draw(rng) as u8),
        courier: market.courier_draw.draw(rng) as u8,
        courier_share: if rng.chance(0.21) { 0.78 } else { 0.02 },
        null_seller: if rng.chance(0.13) { 0.6 } else { 0.025 },
        ln_level: (0.26 * rng.normal()) as f32,
        ln_scale: (1.5 * rng.normal()) as f32,
        // Habits, not a coin: most importers use one way nearly always.
        air: if rng.chance(air) { 0.93 } else { 0.06 },
        claims_preference: if rng.chance(0.55) { 0.92 } else { 0.15 },
        quota: rng.chance(0.3),
        habits: [0, 1, 2].map(|i| market.habit_draws[i].draw(rng) as u8),
        dishonesty: dishonesty as f32,
        technique: rng.below(4) as u8,
        watched: rng.chance(0.04 + 0.5 * dishonesty),
        registered,
        active,
    }
}

/// Most are honest, some bend the rules, few live by it.
fn dishonesty(rng: &mut Rng) -> f64 {
    match rng.unit() {
        x if x < 0.66 => rng.between(0.0, 0.12),
        x if x < 0.92 => rng.between(0.12, 0.5),
        _ => rng.between(0.5, 1.0),
    }
}

/// Day of registration, first and last day of trade. One in seven is founded within the 18 months,
/// one in fifteen gives up for honest reasons.
fn life(rng: &mut Rng) -> (i32, (i32, i32)) {
    let last = DAYS as i32;
    let registered = if rng.chance(0.14) { rng.below(DAYS - 30) as i32 } else { -(rng.between(30.0, 7_300.0) as i32) };
    let from = if registered >= 0 { registered + 3 + rng.below(25) as i32 } else { 0 };
    let to = if rng.chance(0.066) { from + rng.below((last - from).max(1) as usize) as i32 } else { last };
    (registered, (from, to))
}

/// Companies that live by fraud and trade much close down and come back under another number, with
/// the same people, goods and offices.
pub fn raise_phoenixes(importers: &mut Vec<Importer>, rng: &mut Rng) {
    let mut reborn = Vec::new();
    for (i, old) in importers.iter_mut().enumerate().skip(1) {
        let bold = old.dishonesty > 0.5 && old.weight > 0.8 && old.active.0 <= 120;
        if !bold || !rng.chance(0.33) {
            continue;
        }
        let end = 130 + rng.below(260) as i32;
        old.active.1 = end;
        let registered = end + rng.below(20) as i32 - 5;
        let new = Importer {
            phoenix_of: i as u32,
            weight: old.weight * 1.1,
            region: if rng.chance(0.7) { old.region } else { crate::names::region(rng) },
            dishonesty: (old.dishonesty * 1.15).min(1.0),
            watched: rng.chance(0.06),
            registered,
            active: (registered.max(end) + 4 + rng.below(30) as i32, DAYS as i32),
            ..old.clone()
        };
        reborn.push(new);
    }
    importers.append(&mut reborn);
}
