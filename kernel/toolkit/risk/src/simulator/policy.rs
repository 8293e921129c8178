//! Which part of a day's inspections is drawn at random.

use crate::Result;
use crate::error::refuse;
use haetae_models::Random;

/// How items are chosen for inspection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Policy {
    /// By the model alone: greatest expected revenue first.
    Exploit,
    /// At random alone.
    Explore,
    /// A share at random, the rest by the model.
    Hybrid {
        /// Share at random, 0 to 1.
        share: f64,
    },
    /// A share at random that is learnt from what inspections find, among 0, 10, 20 and 40 % (Exp3; Auer, Cesa-Bianchi,
    /// Freund and Schapire 2002).
    Bandit,
}

impl Policy {
    /// Its name in frames.
    pub fn name(&self) -> String {
        match self {
            Self::Exploit => "exploit".to_owned(),
            Self::Explore => "explore".to_owned(),
            Self::Hybrid { share } => format!("hybrid {share}"),
            Self::Bandit => "bandit".to_owned(),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Hybrid { share } if !(0.0..=1.0).contains(share) => refuse("hybrid, share", "0 to 1", share),
            _ => Ok(()),
        }
    }
}

/// Shares that a bandit chooses from.
const ARMS: [f64; 4] = [0.0, 0.1, 0.2, 0.4];
/// How often it tries an arm whatever it has learnt.
const CURIOSITY: f64 = 0.2;

/// What a policy has learnt so far.
pub(super) struct Learner {
    policy: Policy,
    /// Logarithms of Exp3's weights, so that no number of days makes them overflow.
    weights: [f64; ARMS.len()],
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

impl Learner {
    pub(super) fn new(policy: Policy) -> Self {
        Self { policy, weights: [0.0; ARMS.len()] }
    }

    pub(super) fn choose(&self, random: &mut Random) -> Choice {
        match self.policy {
            Policy::Exploit => Choice::fixed(0.0),
            Policy::Explore => Choice::fixed(1.0),
            Policy::Hybrid { share } => Choice::fixed(share),
            Policy::Bandit => {
                let most = self.weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sizes = self.weights.map(|weight| (weight - most).exp());
                let all: f64 = sizes.iter().sum();
                let chances =
                    sizes.map(|size| (1.0 - CURIOSITY) * size / all + CURIOSITY / crate::frame::count(ARMS.len()));
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
        }
    }

    /// `reward`, 0 to 1: share of a day's inspections that found something.
    pub(super) fn learn(&mut self, choice: Choice, reward: f64) {
        if let Some((arm, chance)) = choice.arm {
            self.weights[arm] += CURIOSITY * reward / (chance * crate::frame::count(ARMS.len()));
        }
    }
}
