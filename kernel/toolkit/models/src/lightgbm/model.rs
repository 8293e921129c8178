//! Fitted trees: scores, contributions, and the model as text.

use super::ffi::{Booster, Predict};
use crate::check::{check_categories, same_types};
use crate::contributions::Contributions;
use crate::file::{About, Described, In, Stored, Taken};
use crate::threads::with_threads;
use crate::{Error, Result};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Values that a thread hands over at a time: 256 KiB, little enough to stay in cache while they are read.
const VALUES: usize = 1 << 15;
/// Rows of a block, however many features they have; so few are not worth a thread.
const LEAST: usize = 1 << 6;
/// However few: the stop button is looked at between blocks.
const MOST: usize = 1 << 12;

/// Trees that have learnt. Cheap to clone; may be used from several threads at once.
#[derive(Clone)]
pub struct LightGbmModel {
    booster: Arc<Booster>,
    text: Arc<str>,
    names: Arc<[String]>,
    /// Of each feature whether it is one of categories, where the text says so.
    categorical: Arc<[Option<bool>]>,
    classes: usize,
    threads: usize,
}

impl std::fmt::Debug for LightGbmModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LightGBM, {} trees on {} features", self.trees(), self.names.len())
    }
}

impl LightGbmModel {
    /// Reads a model that [`LightGbmModel::text`] (or LightGBM elsewhere) wrote.
    ///
    /// # Errors
    /// [`Error::ModelText`] where the text is not a whole model, or one with linear models in its leaves.
    pub fn from_text(text: &str) -> Result<Self> {
        let (names, _) = named(text)?;
        super::text::check(text, names.len()).map_err(|reason| Error::ModelText { reason })?;
        Self::from_text_with(text.to_owned(), super::LightGbm::params().threads)
    }

    /// A text that the library itself has just written, or that has been checked.
    pub(super) fn from_text_with(text: String, threads: usize) -> Result<Self> {
        let (names, categorical) = named(&text)?;
        let booster = Booster::from_text(&text, threads)?;
        if names.len() != booster.features()? {
            return fail("expected as many names as features");
        }
        let classes = booster.classes()?;
        let (text, names, categorical) = (text.into(), names.into(), categorical.into());
        Ok(Self { booster: Arc::new(booster), text, names, categorical, classes, threads })
    }

    /// The model as text: everything that [`LightGbmModel::from_text`] needs, feature names included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of trees.
    pub fn trees(&self) -> usize {
        self.leaf_counts().len()
    }

    /// Numbers that a prediction has for each row: 1, or the number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Probability of 1 (or value) for each row; with classes, the probability of each class, row
    /// after row.
    ///
    /// # Errors
    /// [`Error::FeatureMismatch`] when the features are not those of the fit, [`Error::FeatureType`] when one that was fitted
    /// as categories has numbers or the other way round, [`Error::Category`] for a category that is no whole number from 0
    /// to 2147483647 (NaN is a missing one; a category that training did not have is none of its sets),
    /// [`Error::Cancelled`] where the notebook's stop button was pressed.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        self.run(features, Predict::Normal)
    }

    /// As [`LightGbmModel::predict`], before the link function: log-odds for a probability.
    ///
    /// # Errors
    /// As [`LightGbmModel::predict`].
    pub fn predict_raw(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        self.run(features, Predict::Raw)
    }

    /// What each feature adds to the raw score of each row (SHAP values of the trees).
    ///
    /// Source: Lundberg et al., *Consistent individualized feature attribution for tree ensembles*, 2018.
    ///
    /// # Errors
    /// As [`LightGbmModel::predict`].
    pub fn contributions(&self, features: &FeatureMatrix) -> Result<Contributions> {
        Ok(Contributions {
            names: self.names.to_vec(),
            rows: features.rows(),
            classes: self.classes,
            values: self.run(features, Predict::Contributions)?,
        })
    }

    /// Leaves of each tree, in the order of the trees.
    pub fn leaf_counts(&self) -> Vec<usize> {
        // Behind the trees lines begin with the names of features.
        let trees = self.text.lines().skip_while(|line| !line.starts_with("Tree="));
        let trees = trees.take_while(|line| *line != "end of trees");
        trees.filter_map(|line| line.strip_prefix("num_leaves=")?.parse().ok()).collect()
    }

    /// The leaf into which each row falls, for each tree, row after row; leaves of a tree are counted from 0. With
    /// classes, a round has as many trees.
    ///
    /// # Errors
    /// As [`LightGbmModel::predict`], and [`Error::ModelText`] where the text says of fewer leaves than a tree has.
    pub fn leaves(&self, features: &FeatureMatrix) -> Result<Vec<u32>> {
        let counts = self.leaf_counts();
        let found = self.run(features, Predict::Leaves)?;
        if found.len() != features.rows() * counts.len() {
            let reason = format!("expected the leaves of {} trees, as its lines `num_leaves=` say", counts.len());
            return Err(Error::ModelText { reason });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of leaves are small")]
        let leaves: Vec<u32> = found.into_iter().map(|leaf| leaf as u32).collect();
        let known = |row: &[u32]| row.iter().zip(&counts).all(|(&leaf, &count)| (leaf as usize) < count);
        if counts.is_empty() || leaves.chunks(counts.len()).all(known) {
            return Ok(leaves);
        }
        Err(Error::ModelText {
            reason: "a row falls into a leaf that its line `num_leaves=` does not count".to_owned(),
        })
    }

    /// As [`LightGbmModel::leaves`], counted through all trees.
    pub(crate) fn leaf_places(&self, features: &FeatureMatrix) -> Result<Vec<u32>> {
        let mut places = self.leaves(features)?;
        let mut from = 0;
        let starts = self.leaf_counts().into_iter().map(|count| {
            let start = from;
            from += count;
            u32::try_from(start).unwrap_or(u32::MAX)
        });
        let starts: Vec<u32> = starts.collect();
        for row in places.chunks_exact_mut(starts.len().max(1)) {
            row.iter_mut().zip(&starts).for_each(|(place, start)| *place += start);
        }
        Ok(places)
    }

    /// The same model, working on so many threads.
    pub(crate) fn on_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Features by the total gain of their splits, greatest first; equal ones in their order.
    ///
    /// # Errors
    /// [`Error::Library`] where the library refuses.
    pub fn importance(&self) -> Result<Vec<(String, f64)>> {
        let gains = self.booster.gains()?;
        let mut pairs: Vec<(String, f64)> = self.names.iter().cloned().zip(gains).collect();
        pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(pairs)
    }

    fn run(&self, features: &FeatureMatrix, kind: Predict) -> Result<Vec<f64>> {
        // A feature that training did not vary is written without a type.
        same_types(&self.names, &|i| self.categorical[i].unwrap_or_else(|| features.is_categorical(i)), features)?;
        check_categories(features)?;
        let (rows, width) = (features.rows(), self.booster.width(kind)?);
        // A row takes a thousand times as long to explain.
        let explained = kind == Predict::Contributions;
        let few = if explained { 1 } else { LEAST };
        let most = if explained { LEAST } else { (VALUES / features.columns().max(1)).clamp(LEAST, MOST) };
        let done = AtomicUsize::new(0);
        let score = |block: &mut Vec<f64>, rows_of_block: Range<usize>, out: &mut [f64]| {
            if stop::requested() {
                return Err(Error::Cancelled { what: "scored rows", done: done.load(Ordering::Relaxed), of: rows });
            }
            by_rows(features, rows_of_block.clone(), block);
            self.booster.predict(block, kind, out)?;
            done.fetch_add(rows_of_block.len(), Ordering::Relaxed);
            Ok(())
        };
        let mut result = vec![0.0; rows * width];
        if rows <= few {
            score(&mut Vec::new(), 0..rows, &mut result)?;
            return Ok(result);
        }
        // All threads get as many blocks.
        let of_block = rows.div_ceil(rows.div_ceil(most).next_multiple_of(self.threads));
        with_threads(Some(self.threads), || {
            let blocks = result.par_chunks_mut((of_block * width).max(1)).enumerate();
            blocks.try_for_each_init(Vec::new, |block, (number, out)| {
                let from = number * of_block;
                score(block, from..rows.min(from + of_block), out)
            })
        })??;
        Ok(result)
    }
}

/// Row after row: one row's features side by side is how a tree reads them.
fn by_rows(features: &FeatureMatrix, rows: Range<usize>, block: &mut Vec<f64>) {
    let columns = features.columns();
    let sources: Vec<&[f64]> = (0..columns).map(|i| &features.column(i)[rows.clone()]).collect();
    block.resize(rows.len() * columns, 0.0);
    for (row, out) in block.chunks_exact_mut(columns.max(1)).enumerate() {
        out.iter_mut().zip(&sources).for_each(|(out, source)| *out = source[row]);
    }
}

fn fail<T>(reason: &str) -> Result<T> {
    Err(Error::ModelText { reason: reason.to_owned() })
}

/// Names of the features, and which of them are ones of categories.
fn named(text: &str) -> Result<(Vec<String>, Vec<Option<bool>>)> {
    if !text.starts_with("tree\nversion=v4\n") {
        return fail("expected it to begin with `tree` and `version=v4`");
    }
    if !text.contains("\nend of trees\n") {
        return fail("expected the line `end of trees`; the text was cut off");
    }
    let Some(names) = text.lines().find_map(|line| line.strip_prefix("feature_names=")) else {
        return fail("expected a line `feature_names=`");
    };
    let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
    let categorical = categories(text, names.len());
    Ok((names, categorical))
}

/// Which features are ones of categories: their values are written as a list, those of others as a range, and those of a
/// feature that did not vary as `none`.
fn categories(text: &str, features: usize) -> Vec<Option<bool>> {
    let infos = text.lines().find_map(|line| line.strip_prefix("feature_infos=")).unwrap_or_default();
    let categorical = |info: &str| (info != "none").then(|| !info.starts_with('['));
    let mut found: Vec<Option<bool>> = infos.split(' ').map(categorical).collect();
    found.resize(features, None);
    found
}

impl Stored for LightGbmModel {
    fn put(&self, out: &mut Vec<u8>) {
        self.text().to_owned().put(out);
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        Self::from_text(&String::take(input)?).map_err(|error| error.to_string())
    }
}

impl Described for LightGbmModel {
    fn about(&self) -> About {
        let lines = self.text.lines().skip_while(|line| *line != "parameters:").skip(1);
        let parameters: Vec<&str> = lines.take_while(|line| *line != "end of parameters").collect();
        let features = self.names.iter().cloned().zip(self.categorical.iter().map(|own| *own == Some(true))).collect();
        About::of_bytes(features, parameters.join(" "))
    }

    fn is_sound(&self) -> bool {
        true
    }
}
