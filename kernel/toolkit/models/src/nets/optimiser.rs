//! Gradients -> steps of the weights, and how long the steps are.

use super::layer::Weights;
use super::real::Real;
use crate::Result;
use crate::file::stored;
use crate::range::Ranges;

/// How weights follow their gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// Adam with decoupled weight decay: by the mean of the gradients over the root of that of their squares. Source:
    /// Loshchilov and Hutter, *Decoupled weight decay regularization*, 2019.
    AdamW {
        /// Share of a weight that is taken off at each step of length 1, 0 and above; not of biases and gains.
        decay: f64,
    },
    /// Stochastic gradient descent with momentum, as in PyTorch: what was gained is multiplied with `momentum` before
    /// the gradient is added. Source: Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964.
    Sgd {
        /// 0 and above, below 1.
        momentum: f64,
        /// As that of [`Optimiser::AdamW`].
        decay: f64,
    },
}

/// How the length of the steps goes from the first to the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Stays.
    Constant,
    /// Falls to 0 along half a cosine (Loshchilov and Hutter, *SGDR*, 2017).
    Cosine,
    /// Rises evenly over the first three tenths of the steps, then falls as [`Schedule::Cosine`] does (after Smith and
    /// Topin, *Super-convergence*, 2018).
    OneCycle,
}

impl Optimiser {
    pub(super) fn check(self, ranges: Ranges) -> Result<()> {
        let (decay, momentum) = match self {
            Self::AdamW { decay } => (decay, 0.0),
            Self::Sgd { momentum, decay } => (decay, momentum),
        };
        ranges.not_below_zero("decay", decay)?;
        if (0.0..1.0).contains(&momentum) {
            return Ok(());
        }
        ranges.refuse("momentum", "at least 0 and below 1", momentum)
    }
}

impl Schedule {
    /// The factor of step `step` of so many.
    #[expect(clippy::cast_precision_loss, reason = "numbers of steps are far below 2^53")]
    pub(super) fn factor(self, step: usize, of: usize) -> f64 {
        let falling = |from: f64| {
            let part = (step as f64 - from) / (of as f64 - from).max(1.0);
            0.5 * (1.0 + (std::f64::consts::PI * part).cos())
        };
        let warm = 0.3 * of as f64;
        match self {
            Self::Constant => 1.0,
            Self::Cosine => falling(0.0),
            Self::OneCycle if (step as f64) < warm => (step as f64 + 1.0) / (warm + 1.0),
            Self::OneCycle => falling(warm),
        }
    }
}

/// What an optimiser remembers: it can be stored, and goes on as if there had been no pause.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Memory<T> {
    steps: usize,
    first: Vec<Vec<T>>,
    second: Vec<Vec<T>>,
}

/// Shows all weights of a net, always in the same order.
pub(crate) type AllWeights<'a, T> = dyn FnMut(&mut dyn FnMut(&mut Weights<T>)) + 'a;

const FIRST: f64 = 0.9;
const SECOND: f64 = 0.999;
const SMALL: f64 = 1e-8;

impl<T: Real> Memory<T> {
    /// Moves all weights by their gradients with steps of length `rate`, and sets the gradients to 0.
    pub(crate) fn step(&mut self, optimiser: Optimiser, rate: f64, all: &mut AllWeights<'_, T>) {
        self.steps += 1;
        let mut number = 0;
        all(&mut |weights| {
            if self.first.len() == number {
                self.first.push(vec![T::ZERO; weights.values.len()]);
                let second = if matches!(optimiser, Optimiser::AdamW { .. }) { weights.values.len() } else { 0 };
                self.second.push(vec![T::ZERO; second]);
            }
            weights.gradient();
            let (first, second) = (&mut self.first[number], &mut self.second[number]);
            match optimiser {
                Optimiser::AdamW { decay } => adam(weights, first, second, self.steps, rate, decay),
                Optimiser::Sgd { momentum, decay } => descend(weights, first, momentum, rate, decay),
            }
            weights.gradient.fill(T::ZERO);
            number += 1;
        });
    }
}

fn adam<T: Real>(weights: &mut Weights<T>, first: &mut [T], second: &mut [T], steps: usize, rate: f64, decay: f64) {
    let power = i32::try_from(steps).unwrap_or(i32::MAX);
    let (grown, grown_squares) = (1.0 - FIRST.powi(power), 1.0 - SECOND.powi(power));
    let kept = T::of(if weights.decays { 1.0 - rate * decay } else { 1.0 });
    let (rate, scale, small) = (T::of(rate / grown), T::of(1.0 / grown_squares), T::of(SMALL));
    let (of_first, of_second) = ((T::of(FIRST), T::of(1.0 - FIRST)), (T::of(SECOND), T::of(1.0 - SECOND)));
    let moments = first.iter_mut().zip(second);
    for ((value, &gradient), (first, second)) in weights.values.iter_mut().zip(&weights.gradient).zip(moments) {
        *first = of_first.0 * *first + of_first.1 * gradient;
        *second = of_second.0 * *second + of_second.1 * gradient * gradient;
        *value = *value * kept - rate * *first / ((*second * scale).root() + small);
    }
}

fn descend<T: Real>(weights: &mut Weights<T>, speed: &mut [T], momentum: f64, rate: f64, decay: f64) {
    let kept = T::of(if weights.decays { 1.0 - rate * decay } else { 1.0 });
    let (momentum, rate) = (T::of(momentum), T::of(rate));
    for ((value, &gradient), speed) in weights.values.iter_mut().zip(&weights.gradient).zip(speed) {
        *speed = momentum * *speed + gradient;
        *value = *value * kept - rate * *speed;
    }
}

/// Shortens the gradient of all weights together to `most`; its length before.
pub(crate) fn clip<T: Real>(most: Option<f64>, all: &mut AllWeights<'_, T>) -> f64 {
    let mut squares = 0.0;
    all(&mut |weights| {
        // In eight sums side by side, always the same ones.
        let mut sums = [0.0_f64; 8];
        for chunk in weights.gradient.chunks(8) {
            sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value.wide() * value.wide());
        }
        squares += sums.iter().sum::<f64>();
    });
    let length = squares.sqrt();
    if let Some(most) = most.filter(|&most| length > most) {
        let factor = T::of(most / length);
        all(&mut |weights| weights.gradient.iter_mut().for_each(|value| *value *= factor));
    }
    length
}

stored!(Memory<f32> { steps, first, second });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{In, Stored};

    #[test]
    fn optimisers_follow_their_formulas_and_go_on_after_a_pause() {
        let start = || [Weights { decays: true, ..Weights::constant(1, 2.0) }, Weights::constant(1, -1.0)];
        for optimiser in [Optimiser::AdamW { decay: 0.1 }, Optimiser::Sgd { momentum: 0.9, decay: 0.1 }] {
            let mut weights: [Weights<f32>; 2] = start();
            let mut memory = Memory::default();
            let mut right = [(2.0, 0.0, 0.0), (-1.0, 0.0, 0.0)];
            for step in 1..=6 {
                let gradients = [0.3 * f64::from(step) - 1.0, 0.5];
                for (weights, gradient) in weights.iter_mut().zip(gradients) {
                    weights.gradient()[0] = gradient as f32;
                }
                memory.step(optimiser, 0.01, &mut |each| weights.iter_mut().for_each(&mut *each));
                if step == 3 {
                    let mut bytes = Vec::new();
                    memory.put(&mut bytes);
                    memory = Memory::take(&mut In(&bytes)).unwrap();
                }
                for (number, (x, first, second)) in right.iter_mut().enumerate() {
                    let gradient = gradients[number];
                    let decayed = *x * (1.0 - if number == 0 { 0.01 * 0.1 } else { 0.0 });
                    *x = match optimiser {
                        Optimiser::AdamW { .. } => {
                            *first = 0.9 * *first + 0.1 * gradient;
                            *second = 0.999 * *second + 0.001 * gradient * gradient;
                            let (a, b) = (*first / (1.0 - 0.9_f64.powi(step)), *second / (1.0 - 0.999_f64.powi(step)));
                            decayed - 0.01 * a / (b.sqrt() + 1e-8)
                        }
                        Optimiser::Sgd { .. } => {
                            *first = 0.9 * *first + gradient;
                            decayed - 0.01 * *first
                        }
                    };
                    assert!((f64::from(weights[number].values[0]) - *x).abs() < 1e-6, "{optimiser:?}, step {step}");
                }
                assert!(weights.iter().all(|weights| weights.gradient == [0.0]));
            }
        }
        let mut weights: [Weights<f64>; 2] = [Weights::constant(1, 0.0), Weights::constant(1, 0.0)];
        (weights[0].gradient()[0], weights[1].gradient()[0]) = (3.0, 4.0);
        assert_eq!(clip(Some(6.0), &mut |each| weights.iter_mut().for_each(&mut *each)), 5.0);
        assert_eq!(clip(Some(1.0), &mut |each| weights.iter_mut().for_each(&mut *each)), 5.0);
        assert!((weights[0].gradient[0] - 0.6).abs() < 1e-15 && (weights[1].gradient[0] - 0.8).abs() < 1e-15);
        let factors = |schedule: Schedule| (0..10).map(|step| schedule.factor(step, 10)).collect::<Vec<f64>>();
        assert_eq!(factors(Schedule::Constant), [1.0; 10]);
        let cosine = factors(Schedule::Cosine);
        assert!(
            cosine[0] == 1.0 && (cosine[5] - 0.5).abs() < 1e-15 && cosine[9] > 0.0 && cosine.is_sorted_by(|a, b| a > b)
        );
        let cycle = factors(Schedule::OneCycle);
        assert!(cycle[..4].is_sorted() && cycle[0] == 0.25 && cycle[3] == 1.0 && cycle[3..].is_sorted_by(|a, b| a > b));
    }
}
