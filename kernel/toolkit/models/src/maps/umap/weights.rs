//! Distances to neighbours -> how far rows belong together: 1 to the nearest, falling at a pace of the row's own.

use crate::clustering::Neighbours;
use crate::maps::graph::Graph;
use rayon::prelude::*;

const HALVINGS: usize = 64;
const TOLERANCE: f64 = 1e-5;
/// The pace is at least so much of a mean distance: of many equal rows the sum would be right at none.
const LEAST_PACE: f64 = 1e-3;

pub(super) fn graph(neighbours: &Neighbours) -> Graph {
    #[expect(clippy::cast_precision_loss, reason = "numbers of neighbours are far below 2^53")]
    let mean = neighbours.distances.iter().sum::<f64>() / neighbours.distances.len() as f64;
    let weights: Vec<f64> =
        neighbours.distances.par_chunks(neighbours.each).flat_map_iter(|own| weights(own, mean)).collect();
    // Together unless neither direction says so.
    Graph::both_ways(neighbours, &weights, |a, b| a + b - a * b)
}

/// The weights sum to the binary logarithm of their number, where a pace does that.
fn weights(distances: &[f64], mean_of_all: f64) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "numbers of neighbours are far below 2^53")]
    let count = distances.len() as f64;
    // The nearest that is another: equal rows belong together anyway.
    let nearest = distances.iter().copied().find(|&distance| distance > 0.0).unwrap_or(0.0);
    let beyond: Vec<f64> = distances.iter().map(|distance| (distance - nearest).max(0.0)).collect();
    let weight = |beyond: f64, pace: f64| if beyond > 0.0 { (-beyond / pace).exp() } else { 1.0 };
    let (mut low, mut high, mut pace) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..HALVINGS {
        let sum: f64 = beyond.iter().map(|&beyond| weight(beyond, pace)).sum();
        if (sum - count.log2()).abs() < TOLERANCE {
            break;
        }
        if sum > count.log2() {
            high = pace;
            pace = f64::midpoint(low, high);
        } else {
            low = pace;
            pace = if high.is_finite() { f64::midpoint(low, high) } else { pace * 2.0 };
        }
    }
    let mean = if nearest > 0.0 { distances.iter().sum::<f64>() / count } else { mean_of_all };
    let pace = pace.max(LEAST_PACE * mean).max(f64::MIN_POSITIVE);
    beyond.iter().map(|&beyond| weight(beyond, pace)).collect()
}

#[cfg(test)]
mod tests {
    use super::weights;

    #[test]
    fn weights_sum_to_the_logarithm_of_their_number() {
        let distances: Vec<f64> = (1..=16).map(|i| 100.0 + f64::from(i * i)).collect();
        let found = weights(&distances, 1.0);
        assert_eq!(found[0], 1.0);
        assert!((found.iter().sum::<f64>() - 4.0).abs() < 1e-4, "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(weights(&[0.0; 5], 0.0), [1.0; 5]);
    }
}
