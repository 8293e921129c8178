//! A seed -> items of many days whose fraud moves from goods to goods.

use crate::Result;
use crate::error::refuse;
use haetae_models::Random;
use polars::prelude::{Column, DataFrame, DataType};

/// 2026-01-01, in days since 1970-01-01.
const FIRST: usize = 20_454;

/// Generated items with drift. Some goods are always suspect, so that there is always something to find; beside them one
/// other kind of goods at a time is hot (seven tenths of its items are fraud), and the fraud leaves it for another after some
/// days. All other goods are nearly clean (one in a hundred). Who looks only where fraud was found before does not see where
/// it has gone; how much that costs depends on what the suspect goods still give, and on how fast the fraud moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftingItems {
    /// Days.
    pub days: usize,
    /// Items a day.
    pub items: usize,
    /// Kinds of goods.
    pub goods: usize,
    /// How many of them are always suspect; at least two others are needed for the fraud to move.
    pub suspects: usize,
    /// Share of fraud among the items of suspect goods, 0 to 1.
    pub suspect_rate: f64,
    /// Days after which the fraud moves on; 0 is never.
    pub moves_after: usize,
}

impl Default for DriftingItems {
    fn default() -> Self {
        Self { days: 320, items: 150, goods: 12, suspects: 1, suspect_rate: 0.15, moves_after: 60 }
    }
}

impl DriftingItems {
    /// Columns `day` (a date), `goods`, `origin`, `stake`, `fraud` and `revenue` (the stake where there is fraud, else 0).
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for a number that is out of its range.
    pub fn frame(&self, seed: u64) -> Result<DataFrame> {
        if self.days == 0 || self.items == 0 || self.goods < self.suspects.saturating_add(2) {
            let found = format!("{}, {} and {} (suspect {})", self.days, self.items, self.goods, self.suspects);
            let expected = "at least 1 day, 1 item a day, and 2 kinds of goods that are not suspect";
            return refuse("drifting items, days, items and goods", expected, found);
        }
        if !(0.0..=1.0).contains(&self.suspect_rate) {
            return refuse("drifting items, suspect_rate", "0 to 1", self.suspect_rate);
        }
        let mut random = Random::new(seed);
        let mut order: Vec<usize> = (0..self.goods).collect();
        random.shuffle(&mut order);
        let (suspect, others) = order.split_at(self.suspects);
        let rows = self.days * self.items;
        let (mut day, mut goods, mut origin) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        let (mut stake, mut fraud, mut revenue) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        for today in 0..self.days {
            let hot = others[today.checked_div(self.moves_after).unwrap_or(0) % others.len()];
            for _ in 0..self.items {
                let kind = random.below(self.goods);
                let chance = match kind {
                    kind if kind == hot => 0.7,
                    kind if suspect.contains(&kind) => self.suspect_rate,
                    _ => 0.01,
                };
                let (value, caught) = ((50_000.0 + 100_000.0 * random.unit()).round(), random.unit() < chance);
                day.push(i32::try_from(FIRST + today).unwrap_or(i32::MAX));
                goods.push(format!("G{kind:02}"));
                origin.push(format!("C{}", random.below(8)));
                stake.push(value);
                fraud.push(caught);
                revenue.push(if caught { value } else { 0.0 });
            }
        }
        let columns = vec![
            Column::new("day".into(), day).cast(&DataType::Date)?,
            Column::new("goods".into(), goods),
            Column::new("origin".into(), origin),
            Column::new("stake".into(), stake),
            Column::new("fraud".into(), fraud),
            Column::new("revenue".into(), revenue),
        ];
        Ok(DataFrame::new(rows, columns)?)
    }
}
