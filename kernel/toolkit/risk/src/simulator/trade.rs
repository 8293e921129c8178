//! A seed -> items of many days with importers, goods, origins and prices, in which schemes of fraud come and go.

use super::schemes::{Scheme, Technique, plan, spans};
use crate::Result;
use crate::error::refuse;
use crate::frame::count;
use haetae_models::Random;
use polars::prelude::{Column, DataFrame, DataType};

/// 2026-01-01, in days since 1970-01-01.
const FIRST: usize = 20_454;
/// Countries of origin.
const ORIGINS: usize = 12;
/// Share of fraud outside of all schemes.
const ELSEWHERE: f64 = 0.01;
/// How much lower, as a logarithm, an undervalued price is.
const UNDERVALUED: f64 = 0.6;

/// How fraud changes over the days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Not at all: the schemes of the first day go on.
    None,
    /// Schemes wane and others grow, each over half the time that a scheme lasts. They lie in the same three ways.
    Gradual,
    /// A scheme ends from one day to the next, and another begins: among importers and goods that were clean until then, and
    /// in ways that leave no trace in the columns by which the old ones were told.
    NewSchemes,
}

impl Drift {
    /// `none`, `gradual` or `new schemes`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gradual => "gradual",
            Self::NewSchemes => "new schemes",
        }
    }
}

/// Generated items of a small administration. Importers differ in size, and trade a few kinds of goods each; amounts at
/// stake differ widely. A scheme of fraud is one kind of goods and every other importer of it: half of these items lie. One
/// item in a hundred lies elsewhere, for no reason that could be learnt. With drift, every `lasts / schemes` days a scheme
/// ends and another takes its place; its importers and goods were in none before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TradeItems {
    /// Days.
    pub days: usize,
    /// Items a day.
    pub items: usize,
    /// Importers.
    pub importers: usize,
    /// Kinds of goods.
    pub goods: usize,
    /// Schemes at work at a time.
    pub schemes: usize,
    /// Days that a scheme lasts.
    pub lasts: usize,
    /// How fraud changes.
    pub drift: Drift,
}

impl Default for TradeItems {
    fn default() -> Self {
        Self { days: 360, items: 200, importers: 400, goods: 40, schemes: 8, lasts: 160, drift: Drift::NewSchemes }
    }
}

/// What lasts: who trades what, and what goods are worth.
struct World {
    sells: Vec<Vec<usize>>,
    from: Vec<Vec<usize>>,
    /// Sums of the importers' sizes, to draw by.
    sizes: Vec<f64>,
    /// Logarithm of the usual value of goods, and their duty rate.
    goods: Vec<(f64, f64)>,
    schemes: Vec<Scheme>,
}

impl World {
    fn of(items: &TradeItems, random: &mut Random) -> Self {
        let goods: Vec<(f64, f64)> =
            (0..items.goods).map(|_| (13.0 + 0.8 * normal(random), 0.02 * count(random.below(20)))).collect();
        let several = |most: usize, of: usize, random: &mut Random| {
            let mut picked: Vec<usize> = (0..=random.below(most)).map(|_| random.below(of)).collect();
            picked.sort_unstable();
            picked.dedup();
            picked
        };
        let sells: Vec<Vec<usize>> = (0..items.importers).map(|_| several(4, items.goods, random)).collect();
        let from = (0..items.importers).map(|_| several(3, ORIGINS, random)).collect();
        let mut sum = 0.0;
        let sizes = (0..items.importers)
            .map(|_| {
                sum += (0.8 * normal(random)).exp();
                sum
            })
            .collect();
        let schemes = plan(items, &sells, ORIGINS, random);
        Self { sells, from, sizes, goods, schemes }
    }

    fn importer(&self, random: &mut Random) -> usize {
        let drawn = random.unit() * self.sizes.last().copied().unwrap_or(0.0);
        self.sizes.partition_point(|sum| *sum <= drawn).min(self.sizes.len() - 1)
    }
}

/// One of a list that is not empty.
fn pick(from: &[usize], random: &mut Random) -> usize {
    from.get(random.below(from.len())).copied().unwrap_or(0)
}

/// Mean 0 and deviation 1, from twelve draws, so that it is the same on every machine.
fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| random.unit()).sum::<f64>() - 6.0
}

impl TradeItems {
    fn check(&self) -> Result<()> {
        if self.days == 0 || self.items == 0 || self.importers == 0 {
            let found = format!("{}, {} and {}", self.days, self.items, self.importers);
            return refuse("trade items, days, items and importers", "at least 1 of each", found);
        }
        if self.schemes == 0 || self.lasts < self.schemes {
            let found = format!("{} and {}", self.schemes, self.lasts);
            return refuse("trade items, schemes and lasts", "at least 1 scheme, and a day for each", found);
        }
        let needed = spans(self).len();
        if self.goods < needed {
            let expected = format!("at least {needed} kinds, one for each scheme of the {} days", self.days);
            return refuse("trade items, goods", expected, self.goods);
        }
        Ok(())
    }

    /// How many days a scheme takes to rise and to fall.
    fn over(&self) -> usize {
        if self.drift == Drift::Gradual { self.lasts / 2 } else { 0 }
    }

    /// Columns `day` (a date), `importer`, `goods`, `origin`, `price_off` (logarithm of the price beside the usual one),
    /// `rules` (how many of an officer's two rules hold: price far below the usual one; high duty), `stake`, `fraud` and
    /// `revenue` (the stake where there is fraud, else 0).
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for a number that is out of its range.
    pub fn frame(&self, seed: u64) -> Result<DataFrame> {
        self.check()?;
        let mut random = Random::new(seed);
        let world = World::of(self, &mut random);
        let rows = self.days * self.items;
        let mut day = Vec::with_capacity(rows);
        let (mut importer, mut goods, mut origin): (Vec<String>, Vec<String>, Vec<String>) = Default::default();
        let (mut price_off, mut rules, mut stake, mut revenue): (Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>) =
            Default::default();
        let mut fraud = Vec::with_capacity(rows);
        for today in 0..self.days {
            let at_work: Vec<(&Scheme, f64)> = world
                .schemes
                .iter()
                .map(|scheme| (scheme, scheme.strength(today, self.over())))
                .filter(|(_, strength)| *strength > 0.0)
                .collect();
            for _ in 0..self.items {
                let who = world.importer(&mut random);
                let good = pick(&world.sells[who], &mut random);
                let mut country = pick(&world.from[who], &mut random);
                let (usual, duty) = world.goods[good];
                let mut off = 0.3 * normal(&mut random);
                let value = (usual + 0.9 * normal(&mut random)).exp();
                let scheme = at_work.iter().find(|(one, _)| one.good == good && one.importers.contains(&who));
                let lies = random.unit() < scheme.map_or(ELSEWHERE, |(_, strength)| *strength);
                match scheme.filter(|_| lies).map(|(scheme, _)| (scheme.technique, scheme.origin)) {
                    Some((Technique::Undervalued, _)) => off -= UNDERVALUED,
                    Some((Technique::FalseOrigin, named)) => country = named,
                    Some((Technique::Quantity, _)) | None => {}
                }
                let at_stake = (value * (0.1 + duty)).round();
                day.push(i32::try_from(FIRST + today).unwrap_or(i32::MAX));
                importer.push(format!("I{who:04}"));
                goods.push(format!("G{good:02}"));
                origin.push(format!("C{country:02}"));
                price_off.push((off * 1000.0).round() / 1000.0);
                rules.push(f64::from(off < -0.6) + f64::from(duty >= 0.3));
                stake.push(at_stake);
                fraud.push(lies);
                revenue.push(if lies { at_stake } else { 0.0 });
            }
        }
        let columns = vec![
            Column::new("day".into(), day).cast(&DataType::Date)?,
            Column::new("importer".into(), importer),
            Column::new("goods".into(), goods),
            Column::new("origin".into(), origin),
            Column::new("price_off".into(), price_off),
            Column::new("rules".into(), rules),
            Column::new("stake".into(), stake),
            Column::new("fraud".into(), fraud),
            Column::new("revenue".into(), revenue),
        ];
        Ok(DataFrame::new(rows, columns)?)
    }

    /// The schemes that are planted in [`TradeItems::frame`] of the same seed: `scheme`, `technique`, `goods`, `importers`
    /// (their names, with blanks between), `first_day` and `last_day` (dates; null for one that was there before the first
    /// day, or has not ended by the last one). With gradual drift these are the days of half its strength.
    ///
    /// # Errors
    /// As [`TradeItems::frame`].
    pub fn schemes(&self, seed: u64) -> Result<DataFrame> {
        self.check()?;
        let schemes = World::of(self, &mut Random::new(seed)).schemes;
        let date =
            |day: Option<usize>| day.filter(|day| *day < self.days).and_then(|day| i32::try_from(FIRST + day).ok());
        let names = |scheme: &Scheme| {
            let names: Vec<String> = scheme.importers.iter().map(|who| format!("I{who:04}")).collect();
            names.join(" ")
        };
        let dates = |of: fn(&Scheme) -> Option<usize>| schemes.iter().map(|one| date(of(one))).collect::<Vec<_>>();
        let columns = vec![
            Column::new("scheme".into(), (1..=schemes.len() as u64).collect::<Vec<_>>()),
            Column::new("technique".into(), schemes.iter().map(|one| one.technique.name()).collect::<Vec<_>>()),
            Column::new("goods".into(), schemes.iter().map(|one| format!("G{:02}", one.good)).collect::<Vec<_>>()),
            Column::new("importers".into(), schemes.iter().map(names).collect::<Vec<_>>()),
            Column::new("first_day".into(), dates(|one| one.first)).cast(&DataType::Date)?,
            Column::new("last_day".into(), dates(|one| one.last)).cast(&DataType::Date)?,
        ];
        Ok(DataFrame::new(schemes.len(), columns)?)
    }
}
