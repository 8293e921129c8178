//! What goes in: goods, countries, offices, the number of items, a seed. What comes out: importers,
//! sellers, declarants and couriers whose habits last, and phoenix companies among the importers.

use crate::calendar::DAYS;
use crate::goods::Goods;
use crate::importers::{Importer, Market, importer, raise_phoenixes};
use crate::reference::Reference;
use crate::rng::{Alias, Rng};

/// One foreign seller.
#[derive(Debug, Clone, Copy)]
pub struct Seller {
    /// Index of the country.
    pub country: u8,
    /// Index of the industry.
    pub industry: u8,
}

/// Everybody who trades.
#[derive(Debug)]
pub struct Companies {
    /// Importers; phoenix companies at the end.
    pub importers: Vec<Importer>,
    /// Draws an importer by weight.
    pub importer_draw: Alias,
    /// Sellers.
    pub sellers: Vec<Seller>,
    /// Number of declarants.
    pub declarants: usize,
    /// Number of couriers.
    pub couriers: usize,
}

/// Numbers of companies for a number of items: they grow more slowly than trade does.
fn count(items: u64, at_37k: f64, power: f64, least: usize) -> usize {
    let n = at_37k * (items as f64 / 37_385.0).powf(power);
    (n.round() as usize).max(least)
}

impl Companies {
    /// Draws the companies of a world that trades `items` lines.
    pub fn new(items: u64, reference: &Reference, goods: &Goods, rng: &mut Rng) -> Self {
        let industry_weights = industry_weights(reference);
        let sellers = draw_sellers(count(items, 19_000.0, 0.65, 8), reference, &industry_weights, rng);
        let declarants = count(items, 1_250.0, if items < 37_385 { 0.6 } else { 0.1 }, 3).min(60_000);
        let couriers = 80;
        let lognormal =
            |n: usize, sd: f64, rng: &mut Rng| -> Vec<f64> { (0..n).map(|_| (sd * rng.normal()).exp()).collect() };
        let market = Market {
            goods,
            industry_draw: Alias::new(&industry_weights),
            industries: &reference.industries,
            sellers_of: sellers_by_industry(&sellers, reference.industries.len(), rng),
            declarant_draw: Alias::new(&lognormal(declarants, 1.45, rng)),
            courier_draw: Alias::new(&(1..=couriers).map(|r| (r as f64).powf(-1.4)).collect::<Vec<_>>()),
            air_offices: offices(reference, |kind| if kind == "airport" { 1.0 } else { 0.12 }),
            sea_offices: offices(reference, |kind| if kind == "airport" { 0.02 } else { 1.0 }),
            habit_draws: habit_draws(),
            air_share: reference.chapters.iter().map(|c| c.air).collect(),
        };
        let n = count(items, 16_000.0, 0.65, 6);
        let mut importers: Vec<Importer> = (0..n as u32).map(|i| importer(i, &market, rng)).collect();
        // Somebody must be in business on every day.
        importers[0].active = (0, DAYS as i32);
        importers[0].registered = importers[0].registered.min(-100);
        raise_phoenixes(&mut importers, rng);
        let weights: Vec<f64> = importers.iter().map(|i| f64::from(i.weight)).collect();
        Self { importer_draw: Alias::new(&weights), importers, sellers, declarants, couriers }
    }

    /// An importer in business on the day, drawn by weight.
    pub fn draw_importer(&self, day: i32, rng: &mut Rng) -> usize {
        for _ in 0..64 {
            let i = self.importer_draw.draw(rng);
            let (from, to) = self.importers[i].active;
            if (from..=to).contains(&day) {
                return i;
            }
        }
        0
    }
}

fn industry_weights(reference: &Reference) -> Vec<f64> {
    // A chapter's weight goes to its industries in proportion to how often each names it.
    let mut named = vec![0.0; reference.chapters.len()];
    reference.industries.iter().flat_map(|i| &i.chapters).for_each(|&c| named[c] += 1.0);
    let share = |&c: &usize| reference.chapters[c].weight / f64::max(named[c], 1.0);
    reference.industries.iter().map(|i| i.chapters.iter().map(share).sum()).collect()
}

fn draw_sellers(n: usize, reference: &Reference, industries: &[f64], rng: &mut Rng) -> Vec<Seller> {
    let by_industry = Alias::new(industries);
    let countries: Vec<Alias> = industries
        .iter()
        .map(|_| {
            let weights = reference.countries.iter().map(|c| c.weight * (0.7 * rng.normal()).exp());
            Alias::new(&weights.collect::<Vec<_>>())
        })
        .collect();
    (0..n)
        .map(|_| {
            let industry = by_industry.draw(rng);
            Seller { country: countries[industry].draw(rng) as u8, industry: industry as u8 }
        })
        .collect()
}

fn sellers_by_industry(sellers: &[Seller], industries: usize, rng: &mut Rng) -> Vec<(Vec<u32>, Alias)> {
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); industries];
    sellers.iter().enumerate().for_each(|(i, s)| lists[s.industry as usize].push(i as u32));
    let with_draw = |mut list: Vec<u32>| {
        if list.is_empty() {
            list.push(0);
        }
        let weights: Vec<f64> = list.iter().map(|_| (1.4 * rng.normal()).exp()).collect();
        (list, Alias::new(&weights))
    };
    lists.into_iter().map(with_draw).collect()
}

fn offices(reference: &Reference, fit: impl Fn(&str) -> f64) -> Alias {
    Alias::new(&reference.offices.iter().map(|o| o.weight * fit(o.kind)).collect::<Vec<_>>())
}

/// Shares of import types, uses and payment types, per mille, in the order of the schema's code lists.
fn habit_draws() -> [Alias; 3] {
    let types = [
        865.0, 40.9, 32.4, 17.4, 13.7, 6.5, 4.1, 3.3, 2.8, 2.1, 2.0, 1.5, 1.4, 1.3, 1.0, 0.7, 0.7, 0.6, 0.6, 0.5, 0.4,
        0.4, 0.3, 0.1, 0.1, 0.1, 0.1, 0.05,
    ];
    let uses = [913.4, 45.7, 21.0, 7.3, 5.4, 1.9, 1.8, 1.5, 0.7, 0.6, 0.5, 0.1, 0.1, 0.05];
    let payments = [674.6, 185.3, 67.2, 59.8, 5.8, 5.1, 1.4, 0.4, 0.4, 0.1];
    [Alias::new(&types), Alias::new(&uses), Alias::new(&payments)]
}
