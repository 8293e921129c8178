//! What was learnt from training rows, applied to any rows.

use crate::deviation::{Deviations, log_ratio};
use crate::feature::Feature;
use crate::history::{Overall, Timeline};
use crate::key::{Dictionary, NULL, code_value};
use crate::{Error, FeatureMatrix, Result, column};
use polars::frame::DataFrame;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Features fitted on training rows; [`FittedFeatures::transform`] gives their values for any rows.
#[derive(Clone)]
pub struct FittedFeatures {
    pub(crate) features: Vec<Feature>,
    pub(crate) date: String,
    pub(crate) overall: Overall,
    pub(crate) timelines: Vec<(Vec<String>, Timeline)>,
    pub(crate) dictionaries: Vec<(String, Dictionary)>,
    pub(crate) deviations: Vec<(String, Deviations)>,
}

// What is learnt may be millions of keys, and the parties of declarations among them: nobody wants them in a cell.
impl std::fmt::Debug for FittedFeatures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} features of {} columns, by {}", self.features.len(), self.columns().len(), self.date)
    }
}

impl FittedFeatures {
    /// Names of the features, in the order of the matrix.
    pub fn names(&self) -> Vec<String> {
        self.features.iter().map(Feature::name).collect()
    }

    /// The columns of a frame that [`FittedFeatures::transform`] reads, each once, by their names: what a query has to
    /// ask for.
    pub fn columns(&self) -> Vec<String> {
        let keys = self.timelines.iter().flat_map(|(_, timeline)| timeline.columns());
        let codes = self.dictionaries.iter().map(|(_, dictionary)| dictionary.column());
        let usual = self.deviations.iter().flat_map(|(_, deviations)| deviations.columns());
        let amounts = self.features.iter().flat_map(Feature::amounts);
        let all: BTreeSet<&str> = keys.chain(codes).chain(usual).chain(amounts).chain([self.date.as_str()]).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// Features of `frame`, training rows or later ones, in any order of rows.
    ///
    /// A history of a row uses training rows with a strictly earlier date only; so a training row
    /// gets the value that it would have had on its day, and a later row uses all of them. The
    /// target column need not be there, and is not read.
    ///
    /// # Errors
    /// When a column is missing or has changed its type, a date is null, or a number is infinite.
    pub fn transform(&self, frame: &DataFrame) -> Result<FeatureMatrix> {
        let days = column::days(frame, &self.date)?;
        // Collected as results first: which of several errors is returned must not depend on timing.
        let columns = self
            .features
            .par_iter()
            .map(|feature| self.values(feature, frame, &days))
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        let categorical = self.features.iter().map(|feature| matches!(feature, Feature::Categorical(_)));
        FeatureMatrix::new(self.names(), columns, categorical.collect())
    }

    fn values(&self, feature: &Feature, frame: &DataFrame, days: &[i32]) -> Result<Vec<f64>> {
        match feature {
            Feature::Numeric(column) => column::numbers(frame, column, "a feature"),
            Feature::Log(column) => {
                let log = |value: f64| if value < 0.0 { f64::NAN } else { value.ln_1p() };
                Ok(column::numbers(frame, column, "a logarithm")?.into_iter().map(log).collect())
            }
            Feature::Ratio(over, under) => {
                let over = column::numbers(frame, over, "a ratio")?;
                let under = column::numbers(frame, under, "a ratio")?;
                Ok(over.iter().zip(under).map(|(a, b)| if b == 0.0 { f64::NAN } else { a / b }).collect())
            }
            Feature::Same(a, b) => same(frame, a, b),
            Feature::Categorical(name) => {
                let codes = self.dictionary(name)?.codes(frame)?;
                Ok(codes.into_iter().map(code_value).collect())
            }
            Feature::History(key, prior) => self.timeline(key)?.rate(frame, days, &self.overall, *prior),
            Feature::Count(key) => self.timeline(key)?.rows(frame, days),
            Feature::Deviation(over, under, _) => {
                let values = log_ratio(frame, over, under)?;
                self.deviation(&feature.name())?.of(frame, days, &values)
            }
        }
    }

    fn dictionary(&self, name: &str) -> Result<&Dictionary> {
        let found = self.dictionaries.iter().find(|(known, _)| known == name);
        found.map(|(_, dictionary)| dictionary).ok_or_else(|| not_fitted(name))
    }

    fn deviation(&self, name: &str) -> Result<&Deviations> {
        let found = self.deviations.iter().find(|(known, _)| known == name);
        found.map(|(_, deviations)| deviations).ok_or_else(|| not_fitted(name))
    }

    fn timeline(&self, key: &[String]) -> Result<&Timeline> {
        let found = self.timelines.iter().find(|(known, _)| known == key);
        found.map(|(_, timeline)| timeline).ok_or_else(|| not_fitted(&key.join(", ")))
    }
}

fn not_fitted(name: &str) -> Error {
    Error::Setting { name: format!("feature of {name}"), expected: "fitted", found: "not fitted".to_owned() }
}

/// 1 where both columns hold the same value; a value of `b` that `a` never holds cannot be the same.
fn same(frame: &DataFrame, a: &str, b: &str) -> Result<Vec<f64>> {
    const PURPOSE: &str = "a comparison";
    let first = column::find(frame, a, PURPOSE)?;
    if first.null_count() == first.len() {
        column::find(frame, b, PURPOSE)?;
        // A column that holds nothing but nulls has whatever type it came with.
        return Ok(vec![f64::NAN; first.len()]);
    }
    let dictionary = Dictionary::fit(frame, a, PURPOSE)?;
    let left = dictionary.codes(frame)?;
    let right = dictionary.of(b).codes(frame)?;
    Ok(left
        .into_iter()
        .zip(right)
        .map(|(a, b)| if a == NULL || b == NULL { f64::NAN } else { f64::from(a == b) })
        .collect())
}
