//! Bins and a target -> one weight for each attribute.

use super::ScorecardParams;
use crate::frame::{count, target};
use crate::{Bins, Error, Result, Unseen};
use haetae_features::FeatureMatrix;
use haetae_models::Logistic;
use polars::frame::DataFrame;

/// Log-odds of being bad: `intercept + sum of weight * weight of evidence`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    pub(crate) bins: Bins,
    pub(crate) weights: Vec<f64>,
    pub(crate) intercept: f64,
    /// Attributes that were left out, and why.
    pub(crate) left_out: Vec<(String, String)>,
}

/// One attribute while weights are sought.
struct Candidate {
    name: String,
    woe: Vec<f64>,
    mean: f64,
    deviation: f64,
}

impl Weights {
    pub(crate) fn fit(params: &ScorecardParams, frame: &DataFrame, target_column: &str) -> Result<Self> {
        params.check()?;
        let bins = params.binning.fit(frame, target_column)?;
        let target = target(frame, target_column)?;
        let mut left_out = Vec::new();
        let mut candidates = Vec::new();
        for attribute in bins.attributes() {
            let (name, value) = (attribute.name().to_owned(), attribute.information_value());
            if value < params.min_iv || attribute.bins().len() < 2 {
                left_out.push((name, format!("its information value is {value:.4}")));
                continue;
            }
            let woe = attribute.woe(frame, Unseen::Refuse)?;
            let mean = woe.iter().sum::<f64>() / count(woe.len());
            let deviation = (woe.iter().map(|woe| (woe - mean).powi(2)).sum::<f64>() / count(woe.len())).sqrt();
            candidates.push(Candidate { name, woe, mean, deviation });
        }
        loop {
            if candidates.is_empty() {
                let reasons: Vec<String> = left_out.iter().map(|(name, why)| format!("`{name}`: {why}")).collect();
                return Err(Error::NoAttribute { why: reasons.join("; ") });
            }
            let (weights, intercept) = solve(params.c, &candidates, &target)?;
            let lowest = (0..weights.len()).min_by(|&a, &b| weights[a].total_cmp(&weights[b])).unwrap_or(0);
            if weights[lowest] > 0.0 {
                let names: Vec<String> = candidates.into_iter().map(|one| one.name).collect();
                return Ok(Self { bins: bins.keep(&names), weights, intercept, left_out });
            }
            let gone = candidates.remove(lowest);
            left_out.push((gone.name, format!("its weight beside the others is {:.4}", weights[lowest])));
        }
    }

    /// Log-odds of every row.
    pub(crate) fn log_odds(&self, frame: &DataFrame, unseen: Unseen) -> Result<Vec<f64>> {
        let mut sums = vec![self.intercept; frame.height()];
        for (attribute, weight) in self.bins.attributes().iter().zip(&self.weights) {
            let woe = attribute.woe(frame, unseen)?;
            sums.iter_mut().zip(woe).for_each(|(sum, woe)| *sum += weight * woe);
        }
        Ok(sums)
    }
}

/// Weights for weights of evidence as they are, and the intercept.
fn solve(c: f64, candidates: &[Candidate], target: &[f64]) -> Result<(Vec<f64>, f64)> {
    // Brought to mean 0 and deviation 1 here, so that the solver's own scaling changes nothing.
    let columns = candidates.iter().map(|one| one.woe.iter().map(|woe| (woe - one.mean) / one.deviation).collect());
    let names = candidates.iter().map(|one| one.name.clone()).collect();
    let matrix = FeatureMatrix::new(names, columns.collect(), vec![false; candidates.len()])?;
    let model = Logistic::params().c(c).fit(&matrix, target)?;
    let weights: Vec<f64> =
        model.coefficients().iter().zip(candidates).map(|((_, weight), one)| weight / one.deviation).collect();
    let shift: f64 = weights.iter().zip(candidates).map(|(weight, one)| weight * one.mean).sum();
    Ok((weights, model.intercept() - shift))
}
