//! What goes in: the chapters and subheadings of the reference, and a seed. What comes out: goods
//! with duty rates, prices, unit masses, usual origins, and cheaper-duty neighbours.

use crate::reference::{Country, Reference};
use crate::rng::{Alias, Rng, mix, mix_normal};

use crate::tariff::Duties;

/// Share of the subheadings that are traded at all (the declaration set shows about 2,400 of 5,600).
const TRADED: f64 = 0.56;
/// How far popularity spreads among the subheadings of a chapter (sd of its logarithm).
const POPULARITY: f64 = 1.45;
/// A neighbour counts as cheaper when its duty rate is lower by this much.
const CHEAPER: f64 = 0.02;

/// One subheading.
#[derive(Debug)]
pub struct Good {
    /// Six digits.
    pub hs6: &'static str,
    /// Index of the chapter.
    pub chapter: usize,
    /// Short text.
    pub description: &'static str,
    /// Duty rates.
    pub duties: Duties,
    /// Natural logarithm of the middle price, in KRW a kilogram.
    pub ln_price: f64,
    /// Natural logarithm of the middle mass of one unit, in kg.
    pub ln_unit_kg: f64,
    /// Added to the log odds of fraud.
    pub risk: f64,
    /// Share of all lines; 0: not traded.
    pub weight: f64,
    /// Traded goods of the same chapter with a clearly lower ordinary rate.
    pub cheaper: Vec<u16>,
    /// Usual origins, over the list of countries; `None` where not traded.
    pub origins: Option<Alias>,
}

/// All subheadings, in the order of their codes.
#[derive(Debug)]
pub struct Goods {
    /// The subheadings.
    pub list: Vec<Good>,
    /// For each chapter: its traded goods, and how to draw one by weight.
    pub by_chapter: Vec<(Vec<u16>, Alias)>,
    seed: u64,
    /// Logarithm of each country's price level.
    levels: Vec<f64>,
}

impl Goods {
    /// Draws the goods of a world.
    pub fn new(seed: u64, reference: &Reference, rng: &mut Rng) -> Self {
        let mut list: Vec<Good> = reference
            .subheadings
            .iter()
            .map(|&(hs6, chapter, description)| {
                let c = &reference.chapters[chapter];
                let weight = (POPULARITY * rng.normal()).exp();
                Good {
                    hs6,
                    chapter,
                    description,
                    duties: Duties::draw(c.hs2, &c.rates, rng),
                    ln_price: c.krw_per_kg.ln() + 0.55 * rng.normal(),
                    ln_unit_kg: c.kg_per_unit.ln() + if measured(c.unit) { 0.6 * rng.normal() } else { 0.0 },
                    risk: 0.45 * rng.normal(),
                    weight: if rng.chance(TRADED) { weight } else { 0.0 },
                    cheaper: Vec::new(),
                    origins: None,
                }
            })
            .collect();
        let by_chapter = scale_chapters(&mut list, reference);
        for i in 0..list.len() {
            if list[i].weight > 0.0 {
                list[i].cheaper = cheaper(&list, &by_chapter[list[i].chapter].0, i);
                list[i].origins = Some(origins(seed, i, &reference.countries));
            }
        }
        let levels = reference.countries.iter().map(|c| c.price_level.ln()).collect();
        Self { list, by_chapter, seed, levels }
    }

    /// Logarithm of the usual price of a good of an origin, in KRW a kilogram.
    pub fn ln_price(&self, good: usize, origin: usize) -> f64 {
        self.list[good].ln_price + self.levels[origin] + 0.2 * mix_normal(self.seed, 1, good as u64, origin as u64)
    }

    /// Last four digits of the national tariff line of what a trader calls its product; each
    /// subheading has one to four of them.
    pub fn hs10(&self, good: usize, trader: u64) -> (String, f64) {
        let lines = 1 + mix(self.seed, 2, good as u64, 0) % 4;
        let line = mix(self.seed, 3, good as u64, trader) % lines;
        let last = if lines == 1 { 0 } else { [1000, 2000, 3000, 9000][line as usize % 4] };
        (format!("{}{last:04}", self.list[good].hs6), 0.15 * mix_normal(self.seed, 4, good as u64, line))
    }
}

/// Whether quantity is counted in something other than kilograms.
pub fn measured(unit: &str) -> bool {
    !matches!(unit, "KG" | "G" | "L")
}

/// Makes the weights of each chapter add up to the chapter's own weight.
fn scale_chapters(list: &mut [Good], reference: &Reference) -> Vec<(Vec<u16>, Alias)> {
    let chapters = &reference.chapters;
    let mut members: Vec<Vec<u16>> = vec![Vec::new(); chapters.len()];
    for (i, good) in list.iter_mut().enumerate() {
        // Each chapter must trade in something: take its first subheading where the draw left none.
        if good.weight > 0.0 || members[good.chapter].is_empty() {
            good.weight = good.weight.max(1e-3);
            members[good.chapter].push(i as u16);
        }
    }
    let scaled = members.into_iter().zip(chapters).map(|(members, chapter)| {
        let total: f64 = members.iter().map(|&i| list[i as usize].weight).sum();
        members.iter().for_each(|&i| list[i as usize].weight *= chapter.weight / total);
        let weights: Vec<f64> = members.iter().map(|&i| list[i as usize].weight).collect();
        (members, Alias::new(&weights))
    });
    scaled.collect()
}

fn cheaper(list: &[Good], chapter: &[u16], good: usize) -> Vec<u16> {
    let rate = |i: usize| list[i].duties.ordinary().rate;
    let lower: Vec<u16> = chapter.iter().copied().filter(|&i| rate(i as usize) + CHEAPER <= rate(good)).collect();
    // A code near by is the easier lie: keep the six nearest.
    let mut nearest = lower;
    nearest.sort_by_key(|&i| (i as usize).abs_diff(good));
    nearest.truncate(6);
    nearest
}

fn origins(seed: u64, good: usize, countries: &[Country]) -> Alias {
    let weight = |(i, c): (usize, &Country)| c.weight * (1.1 * mix_normal(seed, 5, good as u64, i as u64)).exp();
    Alias::new(&countries.iter().enumerate().map(weight).collect::<Vec<_>>())
}
