//! What goes in: a seed and a number of items. What comes out: everything that lasts in a customs
//! administration: goods, tariff, companies, risks, and two constants set by trial runs.

use crate::calendar::DAYS;
use crate::companies::Companies;
use crate::error::SynthError;
use crate::fraud;
use crate::goods::{Goods, measured};
use crate::importers::Importer;
use crate::inspections;
use crate::inventors;
use crate::items::{Draft, drafts};
use crate::reference::Reference;
use crate::rng::{Alias, Rng, mix_normal, mix_unit, place};
use crate::tariff::{Claim, Tariff};

/// Aim: share of fraudulent lines.
const FRAUD_RATE: f64 = 0.080;
/// Aim: share of inspected lines.
const INSPECTION_RATE: f64 = 0.25;
/// Lines of a trial run.
const TRIAL: usize = 30_000;
/// Streams 0..DAYS are the days; these are others.
const STREAM_WORLD: u64 = 1 << 32;
const STREAM_TRIAL: u64 = STREAM_WORLD + 1;

/// What lasts.
#[derive(Debug)]
pub struct World {
    /// The seed that all of it comes from.
    pub seed: u64,
    /// Reference lists.
    pub reference: Reference,
    /// Goods.
    pub goods: Goods,
    /// Agreements.
    pub tariff: Tariff,
    /// Companies.
    pub companies: Companies,
    /// For each country, what it adds to the log odds of fraud.
    pub origin_risk: Vec<f64>,
    /// For each country, how that changes over the 18 months.
    pub origin_drift: Vec<f64>,
    /// Constant of the log odds of fraud.
    pub fraud_constant: f64,
    /// Suspicion above which a line is inspected.
    pub inspection_threshold: f64,
    /// Share of lines and names in which a slip of data entry is planted.
    pub defects: f64,
    hubs: Vec<usize>,
    preferred: Alias,
    /// For each importer, whether it makes up its prices; empty where no defects are planted.
    invents: Vec<bool>,
}

impl World {
    /// Draws the world of `seed` that trades `items` lines.
    ///
    /// # Errors
    /// A built-in reference file that cannot be read.
    pub fn new(seed: u64, items: u64) -> Result<Self, SynthError> {
        let reference = Reference::load()?;
        let mut rng = Rng::new(seed, STREAM_WORLD);
        let goods = Goods::new(seed, &reference, &mut rng);
        let tariff = Tariff::new(seed, &reference)?;
        let companies = Companies::new(items, &reference, &goods, &mut rng);
        let countries = &reference.countries;
        let per_country =
            |facet, sd: f64| (0..countries.len() as u64).map(|c| sd * mix_normal(seed, 6, facet, c)).collect();
        let hubs = ["HK", "SG", "NL", "AE"].map(|h| countries.iter().position(|c| c.code == h));
        let preferred = countries.iter().map(|c| if c.agreements.is_empty() { 0.0 } else { c.weight.sqrt() });
        let mut world = Self {
            seed,
            origin_risk: per_country(1, 0.45),
            origin_drift: per_country(2, 0.7),
            preferred: Alias::new(&preferred.collect::<Vec<_>>()),
            hubs: hubs.into_iter().flatten().collect(),
            fraud_constant: 0.0,
            inspection_threshold: 0.0,
            defects: 0.0,
            invents: Vec::new(),
            reference,
            goods,
            tariff,
            companies,
        };
        world.calibrate();
        Ok(world)
    }

    /// Says in what share of the lines slips of data entry are to be planted, of `items` lines in all.
    pub fn plant(&mut self, defects: f64, items: u64) {
        self.defects = defects;
        self.invents = inventors::invent(self, items);
    }

    /// Whether an importer makes up its prices.
    pub fn invents(&self, importer: usize) -> bool {
        self.invents.get(importer).copied().unwrap_or(false)
    }

    /// The stream of draws of a day.
    pub fn stream(&self, day: u64) -> Rng {
        Rng::new(self.seed, day)
    }

    /// Sets the two constants, so that the rates come out alike for every seed and size.
    fn calibrate(&mut self) {
        let mut rng = Rng::new(self.seed, STREAM_TRIAL);
        let odds = self.trial(&mut rng, |_, draft, _| draft.log_odds);
        let rate = |c: f64| odds.iter().map(|o| fraud::probability(o + c)).sum::<f64>() / odds.len() as f64;
        let (mut low, mut high) = (-30.0, 30.0);
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if rate(middle) > FRAUD_RATE { high = middle } else { low = middle }
        }
        self.fraud_constant = (low + high) / 2.0;
        let mut suspicion = self.trial(&mut rng, |world, draft, rng| {
            let item = fraud::settle(world, draft, rng);
            inspections::suspicion(world, &item, rng)
        });
        suspicion.sort_by(f64::total_cmp);
        let cut = (suspicion.len() as f64 * (1.0 - INSPECTION_RATE)) as usize;
        self.inspection_threshold = suspicion.get(cut).copied().unwrap_or(0.0);
    }

    fn trial(&self, rng: &mut Rng, mut value: impl FnMut(&World, Draft, &mut Rng) -> f64) -> Vec<f64> {
        let mut values = Vec::with_capacity(TRIAL + 20);
        let mut step = 0;
        while values.len() < TRIAL {
            let day = (step * 7 % DAYS) as i32;
            drafts(self, day, 0, 20, rng, |world, draft, rng| values.push(value(world, draft, rng)));
            step += 1;
        }
        values
    }

    /// A country that goods pass through.
    pub fn hub(&self, rng: &mut Rng) -> usize {
        self.hubs.get(rng.rank(self.hubs.len())).copied().unwrap_or(0)
    }

    /// A country with an agreement, drawn by the square root of its trade.
    pub fn preferred_origin(&self, rng: &mut Rng) -> usize {
        self.preferred.draw(rng)
    }

    /// Whether the claim is one that only some origins have.
    pub fn is_preference(&self, claim: &Claim) -> bool {
        claim.tariff_type == "E1"
            || claim.tariff_type == "R"
            || (claim.tariff_type.len() > 1 && claim.tariff_type.starts_with('F'))
    }

    /// Whether quantity is a count (pieces, pairs, square metres), not the mass in another word.
    pub fn counted(&self, good: usize) -> bool {
        measured(self.reference.chapters[self.goods.list[good].chapter].unit)
    }

    /// Quantity in the unit of the good, for a mass and a deviation of the mass of one unit.
    pub fn quantity(&self, good: usize, mass: f64, deviation: f64) -> f64 {
        let ln_unit_kg = self.goods.list[good].ln_unit_kg;
        if self.counted(good) {
            (mass / (ln_unit_kg + deviation).exp()).round().max(1.0)
        } else {
            (mass / ln_unit_kg.exp() * 100.0).round() / 100.0
        }
    }

    /// What an importer that tells the truth about good and origin claims.
    pub fn honest_claim(&self, good: usize, origin: usize, day: i32, im: &Importer, rng: &mut Rng) -> Claim {
        let duties = &self.goods.list[good].duties;
        let ordinary = duties.ordinary();
        let preference = self.tariff.preference(good, duties, origin, day);
        let quota = duties.quota().filter(|_| im.quota);
        match (preference, quota) {
            (Some(claim), _) if rng.chance(f64::from(im.claims_preference)) => claim,
            (_, Some(claim)) if rng.chance(0.6) => claim,
            _ => ordinary,
        }
    }

    /// Seasonal part of the logarithm of a price, with a slow rise over the 18 months.
    pub fn ln_season(&self, hs2: &str, day: i32) -> f64 {
        let phase = mix_unit(self.seed, 7, hs2.bytes().fold(0, |h, b| h * 256 + u64::from(b)), 0);
        let age = f64::from(day) / DAYS as f64;
        0.04 * age + 0.05 * (std::f64::consts::TAU * (age * 1.5 + phase)).sin()
    }

    /// How the origin is marked: a habit of the chapter, with exceptions.
    pub fn origin_mark(&self, good: usize, rng: &mut Rng) -> u8 {
        // E, G, Y, B, S, N in the order of the code list, per mille of the declaration set.
        const SHARES: [f64; 6] = [284.4, 227.2, 216.3, 146.0, 125.9, 0.2];
        let x = if rng.chance(0.6) { mix_unit(self.seed, 8, good as u64, 0) } else { rng.unit() };
        place(x * 1000.0, SHARES).unwrap_or_default() as u8
    }
}
