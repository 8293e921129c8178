//! What goes in: importers and what they can be expected to trade. What comes out: rows of `fact_company_finance`.

use super::FINANCE;
use super::companies::History;
use crate::columns::{by_id, numbers, table, text, whole};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::importers::Importer;
use crate::rng::{Rng, mix};
use crate::rows::Ids;
use crate::world::World;

/// Years with accounts.
const YEARS: [i32; 4] = [2017, 2018, 2019, 2020];
/// What a line is worth in sales, in KRW.
const LINE_KRW: f64 = 15_000_000.0;

/// One year of one company.
struct Accounts {
    importer: usize,
    year: i32,
    revenue: f64,
    cost: f64,
    operating: f64,
    net: f64,
    assets: f64,
    current: f64,
    inventory: f64,
    liabilities: f64,
    current_liabilities: f64,
    employees: i32,
}

/// Hands `fact_company_finance` to the sink, for a world that trades `items` lines. One importer in eight publishes no
/// accounts, and nobody those of the year in which it closed.
///
/// # Errors
/// What the sink reports.
pub fn write(world: &World, ids: &Ids, history: &History, items: u64, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let importers = &world.companies.importers;
    let lines = items as f64 / importers.iter().map(|im| f64::from(im.weight)).sum::<f64>();
    let order = by_id(importers.len(), |i| ids.importer(i));
    let published = |&i: &usize| !mix(world.seed, 207, i as u64, 0).is_multiple_of(8);
    let rows = order.into_iter().filter(published).flat_map(|i| years(i, &importers[i]));
    let rows: Vec<(usize, i32)> = rows.filter(|&(i, year)| history.lasts(i, last_day(year))).collect();
    table(sink, "fact_company_finance", &rows, |some| {
        let all: Vec<Accounts> =
            some.iter().map(|&(i, year)| accounts(world.seed, i, year, &importers[i], lines)).collect();
        let amount = |of: fn(&Accounts) -> f64| numbers(all.iter().map(of));
        vec![
            text(all.iter().map(|a| ids.importer(a.importer))),
            whole(all.iter().map(|a| a.year)),
            amount(|a| a.revenue),
            amount(|a| a.cost),
            amount(|a| a.operating),
            amount(|a| a.net),
            amount(|a| a.assets),
            amount(|a| a.current),
            amount(|a| a.inventory),
            amount(|a| a.liabilities),
            amount(|a| a.current_liabilities),
            amount(|a| a.assets - a.liabilities),
            whole(all.iter().map(|a| a.employees)),
        ]
    })
}

/// The last day of a year with accounts.
fn last_day(year: i32) -> i32 {
    365 - 365 * (2020 - year) - i32::from(year < 2020)
}

/// The full years since registration.
fn years(importer: usize, im: &Importer) -> impl Iterator<Item = (usize, i32)> {
    let first = 2020 + (f64::from(im.registered) / 365.25).ceil() as i32;
    YEARS.into_iter().filter(move |year| *year >= first).map(move |year| (importer, year))
}

/// Whole won: sums hold exactly. What lasts of a company is drawn once, what a year brings for each year.
fn accounts(seed: u64, importer: usize, year: i32, im: &Importer, lines: f64) -> Accounts {
    let mut lasting = Rng::new(seed, FINANCE + ((importer as u64 + 1) << 8));
    let mut rng = Rng::new(seed, FINANCE + ((importer as u64 + 1) << 8) + (year - 2000) as u64);
    let size = (lasting.normal() * 0.7 + f64::from(im.ln_scale) * 0.3).exp();
    let growth = lasting.between(-0.08, 0.14);
    let (turnover, debt) = (lasting.between(0.5, 1.6), lasting.between(0.25, 0.85));
    let trade = lines * f64::from(im.weight) * LINE_KRW * 12.0 / 18.0;
    let revenue = (trade.max(20_000_000.0) * (1.2 + size) * (1.0 + growth).powi(year - 2020)).round();
    let revenue = (revenue * rng.between(0.85, 1.15)).round();
    // Who cheats on prices shows thinner margins: profits are made elsewhere.
    let margin = 0.06 - 0.04 * f64::from(im.dishonesty) + 0.05 * rng.normal();
    let cost = (revenue * rng.between(0.62, 0.86)).round();
    let operating = (revenue * margin).round();
    let assets = (revenue / turnover).round().max(1_000_000.0);
    let liabilities = (assets * (debt + 0.08 * rng.normal() - margin).clamp(0.05, 1.3)).round();
    let current = (assets * rng.between(0.4, 0.85)).round();
    Accounts {
        importer,
        year,
        revenue,
        cost,
        operating,
        net: (operating * 0.78 - liabilities * 0.03).round(),
        assets,
        current,
        inventory: (current * rng.between(0.1, 0.6)).round(),
        liabilities,
        current_liabilities: (liabilities * rng.between(0.4, 0.9)).round(),
        employees: ((revenue / 250_000_000.0).powf(0.85) * rng.between(0.6, 1.5)).ceil().clamp(1.0, 90_000.0) as i32,
    }
}
