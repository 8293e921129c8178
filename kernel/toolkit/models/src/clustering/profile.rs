//! Features and labels -> what each cluster is like, in words and as a frame.

use super::points::moments;
use crate::{Error, Result};
use haetae_display::table::{escape, grouped};
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use polars::prelude::Column;
use std::collections::BTreeMap;
use std::fmt;

/// Deviations from the mean of all rows at which a feature is worth a word.
const WORTH: f64 = 0.5;
/// Features that are named at most.
const NAMED: usize = 4;

/// One cluster: its size, and how its rows differ from all.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterProfile {
    /// The label; -1 is noise.
    pub label: i32,
    /// Rows of the cluster.
    pub rows: usize,
    /// Its share of all rows.
    pub share: f64,
    /// Mean of each feature in the cluster; missing values left out, NaN where there is none.
    pub means: Vec<f64>,
    /// Difference of that mean from the mean of all rows, in standard deviations of all rows; 0 for a constant.
    pub differences: Vec<f64>,
}

/// What each cluster is like. Printed, a line a cluster.
#[derive(Clone, PartialEq)]
pub struct Profiles {
    names: Vec<String>,
    clusters: Vec<ClusterProfile>,
}

impl Profiles {
    /// Profiles of rows with labels, by any features: those of the fit, or others that were left out of it. Categorical
    /// features are passed over.
    ///
    /// # Errors
    /// When lengths differ or there are no rows.
    pub fn of(features: &FeatureMatrix, labels: &[i32]) -> Result<Self> {
        if labels.len() != features.rows() {
            return Err(Error::Rows { what: "labels", expected: features.rows(), found: labels.len() });
        }
        if labels.is_empty() {
            return Err(Error::NoLabels { what: "labels", rows: 0 });
        }
        let shown: Vec<usize> = (0..features.columns()).filter(|&i| !features.is_categorical(i)).collect();
        let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
        labels.iter().for_each(|&label| *counts.entry(label).or_default() += 1);
        let mut clusters: Vec<ClusterProfile> = counts
            .into_iter()
            .map(|(label, rows)| {
                #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
                let share = rows as f64 / labels.len() as f64;
                ClusterProfile { label, rows, share, means: Vec::new(), differences: Vec::new() }
            })
            .collect();
        for &i in &shown {
            let column = features.column(i);
            let there: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
            let (mean, deviation) = if there.is_empty() { (f64::NAN, 1.0) } else { moments(&there) };
            for cluster in &mut clusters {
                let own = mean_of(column, labels, cluster.label);
                cluster.means.push(own);
                cluster.differences.push((own - mean) / deviation);
            }
        }
        let names = shown.iter().map(|&i| features.names()[i].clone()).collect();
        Ok(Self { names, clusters })
    }

    /// The clusters by label, noise first.
    pub fn clusters(&self) -> &[ClusterProfile] {
        &self.clusters
    }

    /// What a cluster is like, in a sentence.
    pub fn words(&self, cluster: &ClusterProfile) -> String {
        let name = if cluster.label < 0 { "noise".to_owned() } else { format!("cluster {}", cluster.label) };
        let mut told: Vec<(&String, f64)> = self.names.iter().zip(cluster.differences.iter().copied()).collect();
        told.retain(|(_, difference)| difference.abs() >= WORTH);
        told.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        told.truncate(NAMED);
        let told: Vec<String> = told
            .iter()
            .map(|(feature, difference)| {
                let side = if *difference > 0.0 { "above" } else { "below" };
                format!("{feature} {:.1} deviations {side} the mean", difference.abs())
            })
            .collect();
        let told = if told.is_empty() { "like all rows".to_owned() } else { told.join(", ") };
        let rows = grouped(cluster.rows);
        format!("{name}: {rows} rows ({:.1} %); {told}", 100.0 * cluster.share)
    }

    /// The sentences as an HTML list. Names are escaped.
    pub fn html(&self) -> String {
        let items = self.clusters.iter().map(|one| format!("<li>{}</li>", escape(&self.words(one))));
        format!("<ul class=\"haetae-profiles\">{}</ul>", items.collect::<String>())
    }

    /// A row for each cluster: `cluster`, `rows`, `share`, the mean of each feature under its name, and `words`.
    ///
    /// # Errors
    /// [`Error::Frame`] when a feature has the name of one of these columns.
    pub fn frame(&self) -> Result<DataFrame> {
        let each = |value: &dyn Fn(&ClusterProfile) -> f64| self.clusters.iter().map(value).collect::<Vec<f64>>();
        let mut columns = vec![
            Column::new("cluster".into(), self.clusters.iter().map(|one| one.label).collect::<Vec<_>>()),
            Column::new("rows".into(), self.clusters.iter().map(|one| one.rows as u64).collect::<Vec<_>>()),
            Column::new("share".into(), each(&|one| one.share)),
        ];
        for (i, name) in self.names.iter().enumerate() {
            columns.push(Column::new(name.as_str().into(), each(&|one| one.means[i])));
        }
        let words: Vec<String> = self.clusters.iter().map(|one| self.words(one)).collect();
        columns.push(Column::new("words".into(), words));
        Ok(DataFrame::new(self.clusters.len(), columns)?)
    }
}

impl fmt::Display for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.clusters.iter().map(|cluster| self.words(cluster)).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn mean_of(column: &[f64], labels: &[i32], label: i32) -> f64 {
    let own = column.iter().zip(labels).filter(|(value, found)| **found == label && !value.is_nan());
    let (sum, count) = own.fold((0.0, 0.0), |(sum, count), (value, _)| (sum + value, count + 1.0));
    sum / count
}
