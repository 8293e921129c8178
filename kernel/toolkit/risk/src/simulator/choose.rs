//! A day's items, a policy's share and a model -> the items that are inspected.

use super::Policy;
use super::explore::{Candidate, Known, draw};
use crate::Result;
use crate::frame::count;
use haetae_features::FeatureMatrix;
use haetae_models::{LogisticModel, Random};

/// Results of the overall share that a history is drawn towards.
const HISTORY: f64 = 10.0;

/// What is true, whoever knows it.
pub(super) struct World {
    pub(super) truth: Vec<f64>,
    pub(super) revenue: Vec<f64>,
    pub(super) stake: Vec<f64>,
    pub(super) features: FeatureMatrix,
    /// Values of the column that a policy ranks by, or a number for each value whose history it looks at.
    pub(super) by: Vec<f64>,
}

impl World {
    pub(super) fn hits(&self, rows: &[usize]) -> f64 {
        rows.iter().map(|&row| self.truth[row]).sum()
    }
}

/// What is known on a day.
pub(super) struct Knowledge<'a> {
    pub(super) model: Option<&'a LogisticModel>,
    /// Rows whose results are known.
    pub(super) results: &'a [usize],
    /// Rows that were inspected, whether the result is known or not.
    pub(super) inspected: &'a [usize],
}

/// The items of one day.
pub(super) struct Chosen {
    /// Those that the policy explores by first.
    pub(super) rows: Vec<usize>,
    /// How many these are.
    pub(super) explored: usize,
    /// Hits that the model promises among the others.
    pub(super) promised: f64,
}

/// `explored` of the `wanted` by what the policy explores by, the others by what it believes in.
pub(super) fn choose(
    world: &World,
    policy: Policy,
    rows: &[usize],
    (wanted, explored): (usize, usize),
    knowledge: &Knowledge<'_>,
    random: &mut Random,
) -> Result<Chosen> {
    let mut order = rows.to_vec();
    // Ties stay in the order of this draw.
    random.shuffle(&mut order);
    let gate = knowledge.model.filter(|_| policy.seeks() && explored > 0);
    let mut chosen = match gate {
        Some(model) => {
            // What is explored is what exploitation leaves, and what it takes is about to be known.
            let ranked = ranked(world, policy, &order, knowledge)?;
            let (taken, left) = ranked.split_at(wanted - explored);
            let mut known = Known::of(&world.features, knowledge.inspected.iter().copied());
            taken.iter().for_each(|one| known.add(&world.features, one.0));
            let overall = share(world, knowledge.results);
            let left: Vec<usize> = left.iter().map(|one| one.0).collect();
            let chances = model.predict(&world.features.select_rows(&left))?;
            // A model that has seen no fraud of a kind is sure of it; the share of all is the least that is believed.
            let candidate = |(&row, chance): (&usize, f64)| Candidate {
                row,
                probability: chance.max(overall),
                stake: world.stake[row],
            };
            let mut candidates: Vec<Candidate> = left.iter().zip(chances).map(candidate).collect();
            let drawn = draw(&mut candidates, explored, &mut known, &world.features, random);
            order.retain(|row| !drawn.contains(row));
            drawn
        }
        None => order.drain(..explored).collect(),
    };
    let ranked = ranked(world, policy, &order, knowledge)?;
    let led = &ranked[..(wanted - explored).min(ranked.len())];
    let promised = led.iter().map(|(_, _, chance)| chance).sum();
    chosen.extend(led.iter().map(|(row, ..)| *row));
    Ok(Chosen { rows: chosen, explored, promised })
}

/// Rows, their worth and the model's chance of them, the greatest worth first.
fn ranked(world: &World, policy: Policy, rows: &[usize], knowledge: &Knowledge<'_>) -> Result<Vec<(usize, f64, f64)>> {
    let mut worth: Vec<(usize, f64, f64)> = match (policy, knowledge.model) {
        (Policy::Ranked { .. }, _) => rows.iter().map(|&row| (row, world.by[row], 0.0)).collect(),
        (Policy::History { .. }, _) => {
            let places = world.by.iter().copied().fold(0.0, f64::max);
            let mut seen = vec![(0.0, 0.0); place(places) + 1];
            for &row in knowledge.results {
                let (frauds, results) = &mut seen[place(world.by[row])];
                (*frauds, *results) = (*frauds + world.truth[row], *results + 1.0);
            }
            let overall = share(world, knowledge.results);
            let rate = |row: usize| {
                let (frauds, results) = seen[place(world.by[row])];
                (frauds + HISTORY * overall) / (results + HISTORY)
            };
            rows.iter().map(|&row| (row, rate(row), 0.0)).collect()
        }
        (_, Some(model)) => {
            let chances = model.predict(&world.features.select_rows(rows))?;
            rows.iter().zip(chances).map(|(&row, chance)| (row, chance * world.stake[row], chance)).collect()
        }
        (_, None) => rows.iter().map(|&row| (row, world.stake[row], 0.0)).collect(),
    };
    worth.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(worth)
}

/// Share of fraud among known results; 0 where there are none.
fn share(world: &World, results: &[usize]) -> f64 {
    world.hits(results) / count(results.len().max(1))
}

/// Numbers of values are whole, from 0 on.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers from 0 on")]
fn place(number: f64) -> usize {
    number as usize
}
