//! What DATE is like, checked before anything is fitted.

use super::fit::{Known, fit};
use super::model::DateNetModel;
use crate::nets::front::MOST_WIDTH;
use crate::nets::methods::training_methods;
use crate::nets::training::Training;
use crate::range::Ranges;
use crate::{LightGbm, LightGbmParams, Objective, Result};
use haetae_features::FeatureMatrix;

pub(super) const MODEL: &str = "DATE";

/// A net of two tasks, whether a row is fraud and what revenue it brings, over the leaves of boosted trees: embeddings
/// of the leaves attend to each other, and then those count that suit the row's importer and HS code.
///
/// Source: Kim et al., *DATE: Dual attentive tree-aware embedding for customs fraud detection*, KDD 2020.
#[derive(Debug, Clone, Copy)]
pub struct DateNet;

impl DateNet {
    /// The parameters to start from.
    pub fn params() -> DateNetParams {
        DateNetParams::default()
    }
}

/// Parameters of [`DateNet`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct DateNetParams {
    pub(super) trees: LightGbmParams,
    pub(super) revenue_trees: usize,
    pub(super) entities: Vec<String>,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) hidden: usize,
    pub(super) alpha: f64,
    pub(super) hurdle: bool,
    pub(super) revenue_unit: Option<f64>,
    pub(super) min_rows: usize,
    pub(super) held_out: f64,
    pub(super) training: Training,
}

impl Default for DateNetParams {
    fn default() -> Self {
        let training = Training { epochs: 8, learning_rate: 0.005, ..Training::new(128) };
        Self {
            trees: LightGbm::params().trees(30).leaves(16).depth(4),
            revenue_trees: 30,
            entities: ["importer_id", "hs6"].map(str::to_owned).to_vec(),
            width: 16,
            heads: 4,
            hidden: 32,
            alpha: 1.0,
            hurdle: true,
            revenue_unit: None,
            min_rows: 5,
            held_out: 0.2,
            training,
        }
    }
}

impl DateNetParams {
    /// The trees whose leaves are embedded; 30 of depth 4 with at most 16 leaves unless said. They are grown for fraud, on
    /// one thread, so that the model does not depend on the number of threads. Time and memory of the net grow with the
    /// square of the number of all trees.
    #[must_use]
    pub fn trees(mut self, trees: LightGbmParams) -> Self {
        self.trees = trees;
        self
    }

    /// Further trees of the same form, grown for what is learnt of the revenue; 30 unless said. With
    /// [`hurdle`](Self::hurdle) the head of revenue learns what they leave over. With 0 the leaves are those of the paper,
    /// which know of amounts only what tells fraud.
    #[must_use]
    pub fn revenue_trees(mut self, trees: usize) -> Self {
        self.revenue_trees = trees;
        self
    }

    /// Categorical features that have embeddings of their own and are kept from the trees; `importer_id` and `hs6`
    /// unless said, at least 1.
    #[must_use]
    pub fn entities(mut self, names: &[&str]) -> Self {
        self.entities = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Width of all embeddings, 1 to 256, a multiple of the heads; 16 unless said.
    #[must_use]
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Heads of the attention among leaves, at least 1; 4 unless said.
    #[must_use]
    pub fn heads(mut self, heads: usize) -> Self {
        self.heads = heads;
        self
    }

    /// Width of the layer before both heads, 1 to 8192; 32 unless said.
    #[must_use]
    pub fn hidden(mut self, width: usize) -> Self {
        self.hidden = width;
        self
    }

    /// What the loss of revenue (squared error in deviations of what is learnt, 0 for rows whose amount is not, as a mean over
    /// all rows) counts beside that of fraud (logarithmic loss), at least 0; 1 unless said.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Whether revenue is learnt in two parts, fraud first and then what a fraud brings; so unless said. Amounts are then learnt
    /// from frauds alone (what another row brought is ignored), trees of revenue are grown on them, and the revenue of a row is
    /// the probability of fraud times the amount, times a factor with which the amounts of training's frauds sum to what they
    /// brought. Without, as in the paper, all rows are learnt from at once, and what comes out is the head's alone.
    ///
    /// Sources: Duan et al., *A comparison of alternative models for the demand for medical care*, 1983 (two parts); Wang, Liu and
    /// Miao, *A deep probabilistic model for customer lifetime value prediction*, 2019 (both parts in one net).
    #[must_use]
    pub fn hurdle(mut self, hurdle: bool) -> Self {
        self.hurdle = hurdle;
        self
    }

    /// The amount below which revenue counts as it is, and above which its logarithm does, above 0: what is learnt is
    /// `ln(1 + revenue / unit)`. Unless said the mean of what is learnt and above 0; a thousandth of it where the head of revenue
    /// starts from trees (see [`hurdle`](Self::hurdle)).
    #[must_use]
    pub fn revenue_unit(mut self, unit: f64) -> Self {
        self.revenue_unit = Some(unit);
        self
    }

    /// Fewest training rows of an importer, an HS code … that gets an embedding of its own; rarer ones share one, and
    /// those that training did not have take it; 5 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.min_rows = rows;
        self
    }

    /// Share of the training rows, the last ones, by which the number of epochs is chosen, 0 to 0.5; 0.2 unless said. Trees
    /// are grown on the earlier rows first, and nets are fitted over them for 1, 2, 3 … epochs, up to `epochs`, until the
    /// loss of both tasks on the later rows has not fallen for `patience` numbers (1 unless said). The best number is made
    /// then on all rows, with trees of all rows. So give rows in the order of their days. With 0 all epochs are made.
    #[must_use]
    pub fn held_out(mut self, share: f64) -> Self {
        self.held_out = share;
        self
    }

    /// Checks every parameter, those of the trees too.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedDateNet> {
        let ranges = Ranges(MODEL);
        self.trees.check()?;
        if self.trees.objective != Objective::Binary {
            return ranges.refuse("trees (objective)", "Binary", format_args!("{:?}", self.trees.objective));
        }
        ranges.whole("revenue_trees", self.revenue_trees, 0..=100_000)?;
        ranges.whole("number of entities", self.entities.len(), 1..=16)?;
        if let Some(twice) = (1..self.entities.len()).find(|&i| self.entities[..i].contains(&self.entities[i])) {
            return ranges.refuse("entities", "each name once", &self.entities[twice]);
        }
        ranges.whole("width", self.width, 1..=MOST_WIDTH)?;
        ranges.whole("heads", self.heads, 1..=self.width)?;
        if !self.width.is_multiple_of(self.heads) {
            return ranges.refuse("width", format!("a multiple of the {} heads", self.heads), self.width);
        }
        ranges.whole("hidden", self.hidden, 1..=8192)?;
        ranges.not_below_zero("alpha", self.alpha)?;
        ranges.above_zero("revenue_unit", self.revenue_unit.unwrap_or(1.0))?;
        ranges.whole("min_rows", self.min_rows, 1..=usize::MAX)?;
        if !(0.0..=0.5).contains(&self.held_out) {
            return ranges.refuse("held_out", "0 to 0.5", self.held_out);
        }
        self.training.check(MODEL)?;
        Ok(CheckedDateNet { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedDateNet::fit`].
    ///
    /// # Errors
    /// As [`DateNetParams::check`] and [`CheckedDateNet::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64], revenue: &[f64]) -> Result<DateNetModel> {
        self.check()?.fit(features, target, revenue)
    }

    /// Checks the parameters and fits; see [`CheckedDateNet::fit_valid`].
    ///
    /// # Errors
    /// As [`DateNetParams::check`] and [`CheckedDateNet::fit_valid`].
    pub fn fit_valid(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        revenue: &[f64],
        valid: (&FeatureMatrix, &[f64], &[f64]),
    ) -> Result<DateNetModel> {
        self.check()?.fit_valid(features, target, revenue, valid)
    }
}

training_methods!(DateNetParams, "Rows of a batch, 1 to 1048576; 128 unless said.");

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedDateNet {
    params: DateNetParams,
}

impl CheckedDateNet {
    /// Fits trees, then a net over their leaves, to a `target` of 0 and 1 and the `revenue` that each row brought, in
    /// any currency, 0 where it brought none. Unless said, there are 8 epochs of steps of 0.005 at most, as many as the last
    /// rows speak for (see [`DateNetParams::held_out`]). What the rows of either target weigh concerns the head of fraud alone.
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, a target is neither 0 nor 1, all are equal, a revenue is
    /// below 0 or no number, none of a fraud is above 0 ([`crate::Error::NoRevenue`]), an entity is no categorical feature
    /// ([`crate::Error::Entity`]) or there is no other feature, a number is infinite, the loss or what is said of a
    /// training row that is learnt grows beyond all numbers ([`crate::Error::Diverged`]), or the notebook's stop button was
    /// pressed.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64], revenue: &[f64]) -> Result<DateNetModel> {
        fit(&self.params, Known { features, target, revenue }, None)
    }

    /// As [`CheckedDateNet::fit`], with the loss of both tasks on `valid` rows (features, target, revenue) after each
    /// epoch; see [`DateNetParams::patience`]. They choose no number of epochs: all are made, or as many as patience lets.
    ///
    /// # Errors
    /// As [`CheckedDateNet::fit`], for both sets of rows, of which the second may have one class only and no revenue.
    pub fn fit_valid(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        revenue: &[f64],
        valid: (&FeatureMatrix, &[f64], &[f64]),
    ) -> Result<DateNetModel> {
        let (of_valid, its_target, its_revenue) = valid;
        let valid = Known { features: of_valid, target: its_target, revenue: its_revenue };
        fit(&self.params, Known { features, target, revenue }, Some(valid))
    }
}
