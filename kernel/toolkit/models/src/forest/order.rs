//! The classes of a categorical feature's bins -> numbers by which the bins are put in an order.
//!
//! Sources: of two classes, Fisher 1958 and Breiman et al. 1984: the share of one of them. Of more, Coppersmith, Hong and
//! Hosking, *Partitioning nominal attributes in decision trees*, 1999: the shares along the direction in which they differ
//! most between bins.

/// Most rounds of finding the direction; it need not be exact.
const ROUNDS: usize = 30;

/// A number for each bin; `bins` are the weights of its rows of each class, `total` those of all. Shares are drawn a little
/// to the overall ones, so that a bin of few rows is no extreme.
pub(super) fn places_along(total: &[f64], bins: &[Vec<f64>]) -> Vec<f64> {
    let all: f64 = total.iter().sum();
    let overall: Vec<f64> = total.iter().map(|weight| weight / all).collect();
    let share = |bin: &Vec<f64>, class: usize| (bin[class] + overall[class]) / (bin.iter().sum::<f64>() + 1.0);
    if total.len() == 2 {
        return bins.iter().map(|bin| share(bin, 1)).collect();
    }
    let weights: Vec<f64> = bins.iter().map(|bin| bin.iter().sum()).collect();
    let apart: Vec<Vec<f64>> =
        bins.iter().map(|bin| (0..total.len()).map(|class| share(bin, class) - overall[class]).collect()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // From the bin that differs most on: a direction that is at no right angle to the one that is looked for.
    let size = |bin: usize| weights[bin] * dot(&apart[bin], &apart[bin]);
    let first = (0..bins.len()).max_by(|&a, &b| size(a).total_cmp(&size(b))).unwrap_or(0);
    let mut direction = apart[first].clone();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; total.len()];
        for (own, weight) in apart.iter().zip(&weights) {
            let factor = weight * dot(own, &direction);
            next.iter_mut().zip(own).for_each(|(next, own)| *next += factor * own);
        }
        let length = dot(&next, &next).sqrt();
        if length == 0.0 {
            break;
        }
        direction = next.into_iter().map(|value| value / length).collect();
    }
    apart.iter().map(|own| dot(own, &direction)).collect()
}
