//! Target and probabilities -> what was said beside what came true.

use crate::Result;
use crate::metrics::check_probabilities;
use crate::range::Ranges;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// Rows with probabilities of one range.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityBin {
    /// Rows.
    pub rows: usize,
    /// Mean of the probabilities.
    pub said: f64,
    /// Share of rows with target 1.
    pub came_true: f64,
}

/// What was said beside what came true, from the lowest probabilities to the highest.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    bins: Vec<ReliabilityBin>,
}

/// The reliability curve in at most `bins` bins of about as many rows each; equal probabilities stay together.
///
/// # Errors
/// When lengths differ, there are no rows, a target is neither 0 nor 1, a probability is none, or `bins` is not 1 to
/// 1000.
pub fn reliability(target: &[f64], probabilities: &[f64], bins: usize) -> Result<Reliability> {
    check_probabilities(target, probabilities)?;
    Ranges("reliability").whole("bins", bins, 1..=1000)?;
    let mut order: Vec<usize> = (0..target.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut found = Vec::new();
    let mut from = 0;
    for bin in 1..=bins {
        let mut to = bin * order.len() / bins;
        while to > from && to < order.len() && probabilities[order[to]] == probabilities[order[to - 1]] {
            to += 1;
        }
        if to > from {
            found.push(one_bin(&order[from..to], target, probabilities));
            from = to;
        }
    }
    Ok(Reliability { bins: found })
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn one_bin(rows: &[usize], target: &[f64], probabilities: &[f64]) -> ReliabilityBin {
    let mean = |values: &[f64]| rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64;
    ReliabilityBin { rows: rows.len(), said: mean(probabilities), came_true: mean(target) }
}

impl Reliability {
    /// The bins, from the lowest probabilities to the highest.
    pub fn bins(&self) -> &[ReliabilityBin] {
        &self.bins
    }

    /// Expected calibration error: the mean over rows of what separates the two sides of their bin.
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    pub fn error(&self) -> f64 {
        let rows: usize = self.bins.iter().map(|bin| bin.rows).sum();
        self.bins.iter().map(|bin| bin.rows as f64 * (bin.said - bin.came_true).abs()).sum::<f64>() / rows as f64
    }

    /// A row for each bin: `rows`, `said`, `came_true`.
    ///
    /// # Errors
    /// [`Error::Frame`] when the frame library refuses.
    pub fn frame(&self) -> Result<DataFrame> {
        let columns = vec![
            Column::new("rows".into(), self.bins.iter().map(|bin| bin.rows as u64).collect::<Vec<_>>()),
            Column::new("said".into(), self.bins.iter().map(|bin| bin.said).collect::<Vec<_>>()),
            Column::new("came_true".into(), self.bins.iter().map(|bin| bin.came_true).collect::<Vec<_>>()),
        ];
        Ok(DataFrame::new(self.bins.len(), columns)?)
    }
}
