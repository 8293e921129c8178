//! The weights of a net <-> lists of them; cases -> their scores, block by block.

use super::layer::Weights;
use super::matrix::Matrix;
use super::real::Real;
use crate::linear::finite_sums;
use crate::{Error, Result};
use haetae_display::stop;
use rayon::prelude::*;

/// A net whose weights can be shown.
pub(crate) trait Net<T: Real> {
    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>));
}

/// The net with the weights of one of the same form.
pub(crate) fn with_weights<T: Real, N: Net<T>>(mut net: N, from: &[Vec<T>]) -> N {
    let mut from = from.iter();
    net.weights(&mut |weights| {
        if let Some(values) = from.next().filter(|values| values.len() == weights.values.len()) {
            weights.values.clone_from(values);
        }
    });
    net
}

/// Whether lists of weights have the lengths that a form asks for, and hold numbers only.
pub(crate) fn fits(lengths: &[usize], weights: &[Vec<f32>]) -> bool {
    let same = lengths.len() == weights.len() && lengths.iter().zip(weights).all(|(&length, one)| one.len() == length);
    same && weights.iter().flatten().all(|value| value.is_finite())
}

/// Lengths of the weights and the bias of layers of sums, one after the other.
pub(crate) fn lengths_of_dense(widths: &[usize]) -> impl Iterator<Item = usize> + '_ {
    widths.windows(2).flat_map(|pair| [pair[0].saturating_mul(pair[1]), pair[1]])
}

/// What `score` says of each block of cases, one behind the other: each thread has a copy of the net.
pub(crate) fn in_blocks<N: Clone + Send + Sync>(
    net: &N,
    cases: &[usize],
    block: usize,
    score: &(dyn Fn(&mut N, &[usize]) -> Vec<f64> + Sync),
) -> Result<Vec<Vec<f64>>> {
    let blocks: Vec<&[usize]> = cases.chunks(block).collect();
    let scored = blocks
        .into_par_iter()
        .map_init(|| net.clone(), |net, block| if stop::requested() { None } else { Some(score(net, block)) });
    scored.collect::<Option<_>>().ok_or(Error::Cancelled { what: "scores", done: 0, of: cases.len() })
}

/// Scores of rows, unless one of them is no finite number.
pub(crate) fn finite_scores(scores: Vec<f64>) -> Result<Vec<f64>> {
    finite_sums(&scores, 1)?;
    Ok(scores)
}

/// Sums of the last layer as probabilities.
pub(crate) fn probabilities(mut sums: Matrix<f32>) -> Vec<f64> {
    f32::sigmoid(&mut sums.values);
    sums.values.into_iter().map(f64::from).collect()
}
