//! Distances to neighbours -> weights: of each row a normal distribution that has so many neighbours, both ways joined.

use crate::clustering::Neighbours;
use crate::maps::graph::Graph;
use rayon::prelude::*;

/// Halvings at most; they end when the entropy is right to `TOLERANCE`.
const HALVINGS: usize = 200;
const TOLERANCE: f64 = 1e-8;

/// Weights that sum to 1 over all pairs.
pub(super) fn graph(neighbours: &Neighbours, perplexity: f64) -> Graph {
    let weights: Vec<f64> =
        neighbours.distances.par_chunks(neighbours.each).flat_map_iter(|own| weights(own, perplexity.ln())).collect();
    let mut graph = Graph::both_ways(neighbours, &weights, |a, b| a + b);
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let rows = (weights.len() / neighbours.each) as f64;
    graph.scale(0.5 / rows);
    graph
}

/// `exp(-precision * distance^2)`, divided by their sum, at the precision where they have this entropy. Where the nearest
/// are equally near and more than the perplexity, no precision has it, and they share alike.
fn weights(distances: &[f64], entropy: f64) -> Vec<f64> {
    let least = distances[0] * distances[0];
    // Only differences matter, and the nearest then has weight 1 at every precision.
    let squares: Vec<f64> = distances.iter().map(|distance| distance * distance - least).collect();
    let greatest = squares[squares.len() - 1];
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut precision = if greatest > 0.0 { 1.0 / greatest } else { 1.0 };
    for _ in 0..HALVINGS {
        let (mut sum, mut moment) = (0.0, 0.0);
        for square in &squares {
            let weight = (-precision * square).exp();
            sum += weight;
            moment += weight * square;
        }
        let found = f64::ln(sum) + precision * moment / sum;
        if (found - entropy).abs() < TOLERANCE {
            break;
        }
        if found > entropy {
            low = precision;
            precision = if high.is_finite() { f64::midpoint(low, high) } else { precision * 2.0 };
        } else {
            high = precision;
            precision = f64::midpoint(low, high);
        }
        if !precision.is_finite() {
            precision = low;
            break;
        }
    }
    let mut weights: Vec<f64> = squares.iter().map(|square| (-precision * square).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

#[cfg(test)]
mod tests {
    use super::weights;

    #[test]
    fn a_row_has_as_many_neighbours_as_asked_for() {
        let distances: Vec<f64> = (1..=90).map(|i| f64::from(i).sqrt() * 1e3).collect();
        for perplexity in [2.0, 5.0, 30.0, 80.0_f64] {
            let found = weights(&distances, perplexity.ln());
            let entropy: f64 = found.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            assert!((entropy.exp() / perplexity - 1.0).abs() < 1e-6, "{perplexity}: {}", entropy.exp());
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        // Ten equal rows, and others far away: no precision has an entropy below that of ten.
        let mut tied = vec![0.0; 10];
        tied.extend([5.0; 20]);
        let found = weights(&tied, 2.0_f64.ln());
        assert!(found[..10].iter().all(|p| (p - 0.1).abs() < 1e-12) && found[10] < 1e-12);
        assert_eq!(weights(&[0.0; 4], 3.0_f64.ln()), [0.25; 4]);
    }
}
