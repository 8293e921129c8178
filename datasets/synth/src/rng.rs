//! What goes in: a seed and the number of a stream. What comes out: random draws that depend on
//! these two alone, so that days may be made in any order and on any number of threads.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// One stream of random draws.
pub struct Rng {
    bits: ChaCha8Rng,
    spare: Option<f64>,
}

impl Rng {
    /// The stream `stream` of the family `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut bits = ChaCha8Rng::seed_from_u64(seed);
        bits.set_stream(stream);
        Self { bits, spare: None }
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        to_unit(self.bits.next_u64())
    }

    /// A number in [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number in 0..n; 0 where n is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A standard normal draw (Box-Muller; the second of each pair is kept for the next call).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let (sin, cos) = (TAU * self.unit()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// One of `items`, each as likely as the next; `None` where there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// A rank in 0..n, where rank r has weight 1 / (r + 1): the usual partner first.
    pub fn rank(&mut self, n: usize) -> usize {
        let weights = (1..=n).map(|r| 1.0 / r as f64);
        let total: f64 = weights.clone().sum();
        place(self.unit() * total, weights).unwrap_or(n.saturating_sub(1))
    }
}

/// The place on which a number falls where shares are laid end to end; `None` past the last of them.
pub fn place(number: f64, shares: impl IntoIterator<Item = f64>) -> Option<usize> {
    let mut left = number;
    shares.into_iter().position(|share| {
        left -= share;
        left < 0.0
    })
}

fn to_unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// Fixed properties without stored tables: a 64-bit mix (splitmix64) of the seed and up to three facts.
pub fn mix(seed: u64, a: u64, b: u64, c: u64) -> u64 {
    [a, b, c].into_iter().fold(splitmix(seed), |h, x| splitmix(h ^ x.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

fn splitmix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `mix` as a number in [0, 1).
pub fn mix_unit(seed: u64, a: u64, b: u64, c: u64) -> f64 {
    to_unit(mix(seed, a, b, c))
}

/// `mix` as a standard normal draw.
pub fn mix_normal(seed: u64, a: u64, b: u64, c: u64) -> f64 {
    let h = mix(seed, a, b, c);
    let radius = (-2.0 * (1.0 - to_unit(h)).ln()).sqrt();
    radius * (TAU * to_unit(splitmix(h))).cos()
}

/// Draws an index by weight in constant time (Vose's alias method).
#[derive(Debug, Clone)]
pub struct Alias {
    keep: Vec<f32>,
    other: Vec<u32>,
}

impl Alias {
    /// From weights that are not negative. Where all are 0, every index is as likely.
    pub fn new(weights: &[f64]) -> Self {
        let n = weights.len();
        let total: f64 = weights.iter().sum();
        let mut share: Vec<f64> =
            weights.iter().map(|w| if total > 0.0 { w * n as f64 / total } else { 1.0 }).collect();
        let mut other: Vec<u32> = (0..n as u32).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| share[i] < 1.0);
        while let (Some(&s), Some(&l)) = (small.last(), large.last()) {
            small.pop();
            other[s] = l as u32;
            share[l] -= 1.0 - share[s];
            if share[l] < 1.0 {
                large.pop();
                small.push(l);
            }
        }
        // Whatever is left over differs from 1 by rounding alone.
        for i in small.into_iter().chain(large) {
            share[i] = 1.0;
        }
        Self { keep: share.into_iter().map(|x| x as f32).collect(), other }
    }

    /// An index, drawn by weight; 0 where there are no weights.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let i = rng.below(self.keep.len());
        match (self.keep.get(i), self.other.get(i)) {
            (Some(&keep), Some(&other)) if rng.unit() >= f64::from(keep) => other as usize,
            _ => i,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_repeats_itself_and_differs_from_its_neighbour() {
        let draw = |stream| Rng::new(7, stream).unit();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn alias_follows_the_weights() {
        let alias = Alias::new(&[1.0, 0.0, 3.0]);
        let mut rng = Rng::new(1, 0);
        let mut seen = [0; 3];
        for _ in 0..40_000 {
            seen[alias.draw(&mut rng)] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((seen[2] as f64 / 40_000.0 - 0.75).abs() < 0.01, "{seen:?}");
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut rng = Rng::new(3, 0);
        let draws: Vec<f64> = (0..50_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }
}
