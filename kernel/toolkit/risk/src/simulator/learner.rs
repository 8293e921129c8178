//! What a policy's days have found -> the share of the next day that is not chosen by the model.

use super::Policy;
use crate::frame::count;
use haetae_models::Random;

/// Shares that the bandit chooses from.
const ARMS: [f64; 4] = [0.0, 0.1, 0.2, 0.4];
/// How often it tries an arm whatever it has learnt.
const CURIOSITY: f64 = 0.2;
/// Shares that the adaptive policy chooses from.
const SHARES: [f64; 5] = [0.0, 0.05, 0.1, 0.2, 0.4];
/// What a day counts a day later.
const MEMORY: f64 = 0.98;
/// How much is added to an arm that has been tried seldom.
const BONUS: f64 = 0.1;
/// Least share where all that the model promises is missed.
const ALARM: f64 = 0.25;

/// What a policy has learnt so far.
pub(super) struct Learner {
    policy: Policy,
    /// Logarithms of Exp3's weights, so that no number of days makes them overflow.
    weights: [f64; ARMS.len()],
    /// Days and rewards of each share, forgotten by and by.
    tried: [(f64, f64); SHARES.len()],
    /// Hits that the model promised and those that came, forgotten by and by.
    promised: f64,
    kept: f64,
}

/// The share of one day, and what is needed to learn from its outcome.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) share: f64,
    arm: Option<(usize, f64)>,
}

impl Choice {
    /// A share that nothing is learnt from.
    pub(super) fn fixed(share: f64) -> Self {
        Self { share, arm: None }
    }
}

/// What came of a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    /// Share of its inspections that found something.
    pub(super) hits: f64,
    /// Share of the stake of its inspections that was recovered, 0 to 1.
    pub(super) recovered: f64,
    /// Hits that the model promised among the items that it chose.
    pub(super) promised: f64,
    /// Hits among these.
    pub(super) kept: f64,
}

impl Learner {
    pub(super) fn new(policy: Policy) -> Self {
        let (weights, tried) = ([0.0; ARMS.len()], [(0.0, 0.0); SHARES.len()]);
        Self { policy, weights, tried, promised: 0.0, kept: 0.0 }
    }

    pub(super) fn choose(&self, random: &mut Random) -> Choice {
        match self.policy {
            Policy::Exploit | Policy::Ranked { .. } | Policy::History { .. } => Choice::fixed(0.0),
            Policy::Explore => Choice::fixed(1.0),
            Policy::Hybrid { share } | Policy::Gate { share } => Choice::fixed(share),
            Policy::Bandit => self.exp3(random),
            Policy::Adaptive => self.ucb(),
        }
    }

    fn exp3(&self, random: &mut Random) -> Choice {
        let most = self.weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sizes = self.weights.map(|weight| (weight - most).exp());
        let all: f64 = sizes.iter().sum();
        let chances = sizes.map(|size| (1.0 - CURIOSITY) * size / all + CURIOSITY / count(ARMS.len()));
        let mut left = random.unit();
        let mut arm = ARMS.len() - 1;
        for (place, chance) in chances.iter().enumerate() {
            if left < *chance {
                arm = place;
                break;
            }
            left -= chance;
        }
        Choice { share: ARMS[arm], arm: Some((arm, chances[arm])) }
    }

    fn ucb(&self) -> Choice {
        let days: f64 = self.tried.iter().map(|(days, _)| days).sum();
        let value = |(tried, reward): (f64, f64)| match tried > 1e-3 {
            true => reward / tried + BONUS * (days.max(1.0).ln() / tried).sqrt(),
            false => f64::INFINITY,
        };
        let values = self.tried.map(value);
        let arm = (0..SHARES.len()).rev().max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0);
        let lacks = if self.promised > 0.0 { (1.0 - self.kept / self.promised).clamp(0.0, 1.0) } else { 0.0 };
        Choice { share: SHARES[arm].max(ALARM * lacks), arm: Some((arm, 1.0)) }
    }

    pub(super) fn learn(&mut self, choice: Choice, outcome: Outcome) {
        let Some((arm, chance)) = choice.arm else { return };
        if self.policy == Policy::Adaptive {
            self.tried.iter_mut().for_each(|(days, reward)| (*days, *reward) = (*days * MEMORY, *reward * MEMORY));
            self.tried[arm].0 += 1.0;
            self.tried[arm].1 += outcome.recovered;
            // A tenth is forgotten each day: what was promised two months ago says nothing of a scheme that is new.
            self.promised = 0.9 * self.promised + outcome.promised;
            self.kept = 0.9 * self.kept + outcome.kept;
        } else {
            self.weights[arm] += CURIOSITY * outcome.hits / (chance * count(ARMS.len()));
        }
    }
}
