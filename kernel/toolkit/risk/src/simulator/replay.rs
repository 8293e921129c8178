//! Items of many days and a policy -> the days one after the other, each decided on what was known by then.

use super::Policy;
use super::choose::{Chosen, Knowledge, World, choose};
use super::learner::{Choice, Learner, Outcome};
use super::report::{Day, Replayed};
use crate::error::refuse;
use crate::frame::{all_days, all_numbers, all_texts, count, names, nearest, target};
use crate::{Error, Result};
use haetae_features::FeatureMatrix;
use haetae_models::{Logistic, LogisticModel, Random};
use polars::frame::DataFrame;
use std::collections::{BTreeMap, BTreeSet};

/// What columns are needed for.
const PURPOSE: &str = "the replay";

/// How a replay goes; each method changes one thing.
///
/// On each day the policy chooses items by a model (logistic regression on all columns but day, truth and revenue) that was
/// fitted on items that were inspected and whose result had come in by then, and on no others. On the first days all is
/// drawn at random, so that there is something to learn from; they do not count.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    date: String,
    truth: String,
    revenue: String,
    stake: String,
    rate: f64,
    warmup: usize,
    delay: usize,
    retrain: usize,
    window: usize,
    wrong_stop: f64,
    seed: u64,
}

impl Default for Replay {
    fn default() -> Self {
        Self::new()
    }
}

impl Replay {
    /// A tenth of the items inspected; results after 5 days; a new model every 5 days from those of the last 60; 20 days to
    /// begin with. The columns are those of [`super::DriftingItems`].
    pub fn new() -> Self {
        Self {
            date: "day".to_owned(),
            truth: "fraud".to_owned(),
            revenue: "revenue".to_owned(),
            stake: "stake".to_owned(),
            rate: 0.1,
            warmup: 20,
            delay: 5,
            retrain: 5,
            window: 60,
            wrong_stop: 0.0,
            seed: 7,
        }
    }

    /// Names of the columns with the day, the truth (booleans, or 0 and 1), the revenue of an inspection, and the amount at
    /// stake that is known before.
    #[must_use]
    pub fn columns(mut self, date: &str, truth: &str, revenue: &str, stake: &str) -> Self {
        (self.date, self.truth) = (date.to_owned(), truth.to_owned());
        (self.revenue, self.stake) = (revenue.to_owned(), stake.to_owned());
        self
    }

    /// Share of a day's items that is inspected, rounded to whole items; 0.1 unless said.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// Days at the beginning that are drawn at random and do not count; 20 unless said.
    #[must_use]
    pub fn warmup(mut self, days: usize) -> Self {
        self.warmup = days;
        self
    }

    /// Days until the result of an inspection is known; 5 unless said.
    #[must_use]
    pub fn delay(mut self, days: usize) -> Self {
        self.delay = days;
        self
    }

    /// Days from one model to the next; 5 unless said.
    #[must_use]
    pub fn retrain(mut self, days: usize) -> Self {
        self.retrain = days;
        self
    }

    /// How many days back a model learns from; 60 unless said.
    #[must_use]
    pub fn window(mut self, days: usize) -> Self {
        self.window = days;
        self
    }

    /// What an inspection costs that finds nothing, in the revenue's currency; 0 unless said.
    #[must_use]
    pub fn wrong_stop(mut self, cost: f64) -> Self {
        self.wrong_stop = cost;
        self
    }

    /// What draws and ties fall by; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    fn check(&self) -> Result<()> {
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return refuse("replay, rate", "above 0 and at most 1", self.rate);
        }
        if self.warmup == 0 || self.retrain == 0 || self.window == 0 {
            let found = format!("{}, {} and {}", self.warmup, self.retrain, self.window);
            return refuse("replay, warmup, retrain and window", "at least 1 day each", found);
        }
        if !(self.wrong_stop >= 0.0 && self.wrong_stop.is_finite()) {
            return refuse("replay, wrong_stop", "a finite number of at least 0", self.wrong_stop);
        }
        Ok(())
    }

    /// Replays all days of a frame under one policy.
    ///
    /// # Errors
    /// When a setting is out of its range; a column is missing, null or of the wrong type; the truth is the same in all rows;
    /// or there are no days after the first ones.
    pub fn run(&self, frame: &DataFrame, policy: Policy) -> Result<Replayed> {
        self.check()?;
        policy.check()?;
        let world = self.world(frame, policy)?;
        let mut days: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (row, day) in all_days(frame, &self.date, PURPOSE)?.into_iter().enumerate() {
            days.entry(day).or_default().push(row);
        }
        if days.len() <= self.warmup {
            let reason = format!("expected more than the {} days to begin with, found {}", self.warmup, days.len());
            return Err(Error::Simulation { reason });
        }
        let mut random = Random::new(self.seed);
        let mut learner = Learner::new(policy);
        let mut past: Vec<(Choice, Chosen)> = Vec::with_capacity(days.len());
        let mut counted = Vec::new();
        let mut model: Option<LogisticModel> = None;
        // Parts of draws that days have left over: a fifth of two inspections is a draw on two days of five.
        let mut due = 0.0;
        for (today, (name, rows)) in days.into_iter().enumerate() {
            if let Some((choice, chosen)) = today.checked_sub(self.delay + 1).and_then(|known| past.get(known)) {
                learner.learn(*choice, outcome(&world, chosen));
            }
            let warm = today >= self.warmup;
            let (results, inspected) = (self.recent(&past, today, self.delay), self.recent(&past, today, 0));
            if warm && (today - self.warmup).is_multiple_of(self.retrain) {
                model = fit(&world, &results)?;
            }
            // The first days are drawn, by nobody's choice: there is nothing to learn about one from them.
            let choice = if warm { learner.choose(&mut random) } else { Choice::fixed(1.0) };
            let wanted = usize::try_from(nearest(count(rows.len()) * self.rate)).unwrap_or(0).min(rows.len());
            due += count(wanted) * choice.share;
            let explored = whole(due + 1e-9).min(wanted);
            due = (due - count(explored)).max(0.0);
            let knowledge = Knowledge { model: model.as_ref(), results: &results, inspected: &inspected };
            let chosen = choose(&world, policy, &rows, (wanted, explored), &knowledge, &mut random)?;
            if warm {
                counted.push(self.day(&world, name, &rows, &chosen));
            }
            past.push((choice, chosen));
        }
        Ok(Replayed::new(policy, counted))
    }

    fn world(&self, frame: &DataFrame, policy: Policy) -> Result<World> {
        Ok(World {
            truth: target(frame, &self.truth)?,
            revenue: all_numbers(frame, &self.revenue, PURPOSE)?,
            stake: all_numbers(frame, &self.stake, PURPOSE)?,
            features: self.features(frame)?,
            by: match policy {
                Policy::Ranked { by } => all_numbers(frame, by, PURPOSE)?,
                Policy::History { of } => {
                    let texts = all_texts(frame, of, PURPOSE)?;
                    let known: BTreeSet<&String> = texts.iter().collect();
                    let number: BTreeMap<&String, usize> = known.into_iter().zip(0..).collect();
                    texts.iter().map(|text| count(number.get(text).copied().unwrap_or(0))).collect()
                }
                _ => Vec::new(),
            },
        })
    }

    fn features(&self, frame: &DataFrame) -> Result<FeatureMatrix> {
        let own = [&self.date, &self.truth, &self.revenue];
        let columns: Vec<String> = names(frame).into_iter().filter(|name| !own.contains(&name)).collect();
        Ok(FeatureMatrix::from_frame(&frame.select(&columns)?)?)
    }

    /// Rows that were inspected in the window that ends so many days ago.
    fn recent(&self, past: &[(Choice, Chosen)], today: usize, ago: usize) -> Vec<usize> {
        let end = today.saturating_sub(ago).min(past.len());
        let from = today.saturating_sub(self.delay).saturating_sub(self.window).min(end);
        past[from..end].iter().flat_map(|(_, chosen)| chosen.rows.iter().copied()).collect()
    }

    fn day(&self, world: &World, day: String, rows: &[usize], chosen: &Chosen) -> Day {
        let inspected = &chosen.rows;
        let hits = world.hits(inspected);
        let mut best: Vec<f64> = rows.iter().map(|&row| world.revenue[row]).collect();
        best.sort_by(|a, b| b.total_cmp(a));
        Day {
            day,
            items: rows.len(),
            inspected: inspected.len(),
            hits,
            frauds: world.hits(rows),
            revenue: inspected.iter().map(|&row| world.revenue[row]).sum(),
            oracle: best.iter().take(inspected.len()).sum(),
            cost: self.wrong_stop * (count(inspected.len()) - hits),
            share: count(chosen.explored) / count(inspected.len().max(1)),
        }
    }
}

/// A model of the results that are known; none where they are all alike.
fn fit(world: &World, results: &[usize]) -> Result<Option<LogisticModel>> {
    let target: Vec<f64> = results.iter().map(|&row| world.truth[row]).collect();
    let alike = target.first().is_none_or(|first| target.iter().all(|one| one == first));
    if alike {
        return Ok(None);
    }
    Ok(Some(Logistic::params().c(1.0).min_rows(2).fit(&world.features.select_rows(results), &target)?))
}

/// What came of a day whose results are known.
fn outcome(world: &World, chosen: &Chosen) -> Outcome {
    let sum = |values: &[f64]| chosen.rows.iter().map(|&row| values[row]).sum::<f64>();
    let stake = sum(&world.stake);
    Outcome {
        hits: world.hits(&chosen.rows) / count(chosen.rows.len().max(1)),
        recovered: if stake > 0.0 { (sum(&world.revenue) / stake).clamp(0.0, 1.0) } else { 0.0 },
        promised: chosen.promised,
        kept: world.hits(&chosen.rows[chosen.explored.min(chosen.rows.len())..]),
    }
}

/// Whole draws of what is due.
fn whole(due: f64) -> usize {
    usize::try_from(nearest(due.floor())).unwrap_or(0)
}
