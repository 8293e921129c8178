//! A fitted DATE: the probability of fraud and the revenue of each row.

use super::cases::{Cases, SCORED, SCORED_THERE, Scale, of_heads};
use super::found::Found;
use super::net::{Form, Leafy};
use crate::check::{check_categories, finite, same_types};
use crate::file::{About, Described, Origin, stored};
use crate::nets::device::{Device, applied};
use crate::nets::layer::Pass;
use crate::nets::matrix::Matrix;
use crate::nets::training::Epoch;
use crate::nets::weights::{finite_scores, fits, in_blocks, probabilities, with_weights};
use crate::threads::with_threads;
use crate::{LightGbmModel, Result};
use haetae_features::FeatureMatrix;

/// A net of two tasks that has been fitted; see [`super::DateNet`].
#[derive(Clone)]
pub struct DateNetModel {
    pub(super) found: Found,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) hidden: usize,
    pub(super) scale: Scale,
    /// With a hurdle: what amounts of frauds are multiplied with, so that their sum is right.
    pub(super) factor: Option<f64>,
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) epochs: Vec<Epoch>,
    pub(super) origin: Origin,
    pub(super) threads: Option<usize>,
    pub(super) device: Option<Device>,
}

impl std::fmt::Debug for DateNetModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (trees, features) = (self.found.count(), self.names().len());
        write!(f, "DATE, {} weights over the leaves of {trees} trees on {features} features", self.size())
    }
}

impl DateNetModel {
    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.found.names
    }

    /// Names of the features that have embeddings of their own, in the order of the features.
    pub fn entities(&self) -> &[String] {
        &self.found.entities.names
    }

    /// The trees that were grown for fraud.
    pub fn trees(&self) -> &LightGbmModel {
        &self.found.trees
    }

    /// The trees that were grown for revenue, where there are some.
    pub fn revenue_trees(&self) -> Option<&LightGbmModel> {
        self.found.of_revenue.as_ref()
    }

    /// Number of weights of the net.
    pub fn size(&self) -> usize {
        self.weights.iter().map(Vec::len).sum()
    }

    /// The losses of the epochs that were made, of both tasks together.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The same model, working on a device; see [`DateNetParams::device`](crate::DateNetParams::device). A model that was read from a
    /// file works on that of `HAETAE_DEVICE`.
    #[must_use]
    pub fn on_device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Probability of fraud for each row.
    ///
    /// # Errors
    /// As [`crate::FcnnModel::predict`]; a row is refused, too, where its revenue alone is no finite number.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.predict_both(features)?.0)
    }

    /// Revenue that each row is expected to bring, in the currency of the fit, at least 0: the probability of fraud times what
    /// a fraud like it brings. Without [`DateNetParams::hurdle`](crate::DateNetParams::hurdle) it only puts rows in order: it is
    /// less than the mean of what rows like it brought.
    ///
    /// # Errors
    /// As [`DateNetModel::predict`].
    pub fn predict_revenue(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.predict_both(features)?.1)
    }

    /// Probability of fraud and revenue of each row, in one go.
    ///
    /// # Errors
    /// As [`DateNetModel::predict`].
    pub fn predict_both(&self, features: &FeatureMatrix) -> Result<(Vec<f64>, Vec<f64>)> {
        same_types(self.names(), &|i| self.found.categorical[i], features)?;
        check_categories(features)?;
        finite(features)?;
        let all: Vec<usize> = (0..features.rows()).collect();
        let (chances, mut amounts) = self.said(&self.found.cases(features)?, &all)?;
        if let Some(factor) = self.factor {
            amounts.iter_mut().zip(&chances).for_each(|(amount, chance)| *amount *= chance * factor);
        }
        Ok((finite_scores(chances)?, finite_scores(amounts)?))
    }

    /// What both heads say of some rows: the probability, and the amount as it is learnt.
    pub(super) fn said(&self, cases: &Cases, rows: &[usize]) -> Result<(Vec<f64>, Vec<f64>)> {
        let form = self.form();
        let mut net = with_weights(Leafy::<f32>::new(&form, 0.0, 0), &self.weights);
        let said = |rows: &[usize], [fraud, revenue]: [Matrix<f32>; 2]| {
            let amount = |(&said, &row): (&f32, &usize)| self.scale.amount(f64::from(said) + cases.start(row));
            let amounts: Vec<f64> = revenue.values.iter().zip(rows).map(amount).collect();
            [probabilities(fraud), amounts].concat()
        };
        let scored = if let Some(mut there) = applied(self.device, &form.there(), &mut net)? {
            there.in_blocks(rows, SCORED_THERE, &|rows| cases.batch(rows), &|rows, sums| said(rows, of_heads(sums)))?
        } else {
            let score = |net: &mut Leafy<f32>, rows: &[usize]| {
                said(rows, net.forward(cases.of(rows), &cases.entities, rows, &mut Pass::scoring()))
            };
            with_threads(self.threads, || in_blocks(&net, rows, SCORED, &score))??
        };
        let (mut chances, mut amounts) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for block in scored {
            let (chance, amount) = block.split_at(block.len() / 2);
            chances.extend_from_slice(chance);
            amounts.extend_from_slice(amount);
        }
        Ok((chances, amounts))
    }

    fn form(&self) -> Form {
        Form {
            trees: self.found.count(),
            leaves: self.found.leaves(),
            entities: self.found.entities.embeddings().iter().map(|&(places, _)| places).collect(),
            width: self.width,
            heads: self.heads,
            hidden: self.hidden,
        }
    }
}

stored!(DateNetModel { found, width, heads, hidden, scale, factor, weights, epochs, origin } anew { threads: None, device: None });

impl Described for DateNetModel {
    fn about(&self) -> About {
        About::new(self.names(), &|i| self.found.categorical[i], &self.origin)
    }

    fn is_sound(&self) -> bool {
        let numbers = [self.width, self.heads, self.hidden].iter().all(|&number| (1..=8192).contains(&number));
        let positive = |number: f64| number > 0.0 && number.is_finite();
        let scale = positive(self.scale.unit)
            && positive(self.scale.deviation)
            && self.factor.is_none_or(positive)
            && self.factor.is_some() == self.found.starting;
        let whole = numbers && self.width.is_multiple_of(self.heads);
        self.found.is_sound() && whole && scale && fits(&self.form().lengths(), &self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DateNet, Error, LightGbm};

    #[test]
    fn a_row_is_named_where_a_head_says_no_number_or_an_amount_beyond_all() {
        let columns = vec![(0..60).map(f64::from).collect(), (0..60).map(|row| f64::from(row % 3)).collect()];
        let features =
            FeatureMatrix::new(["x", "code"].map(str::to_owned).to_vec(), columns, vec![false, true]).unwrap();
        let target: Vec<f64> = (0..60).map(|row| f64::from(row % 4 == 0)).collect();
        let revenue: Vec<f64> = target.iter().zip(0..60).map(|(target, row)| target * f64::from(row)).collect();
        let trees = LightGbm::params().trees(2).leaves(3).min_rows_in_leaf(5);
        let params = DateNet::params().trees(trees).revenue_trees(2).entities(&["code"]).width(4).hidden(3).epochs(1);
        for hurdle in [true, false] {
            let model = params.clone().hurdle(hurdle).held_out(0.0).fit(&features, &target, &revenue).unwrap();
            // The biases of the heads of fraud and of revenue are the third list from the end and the last.
            let with = |from_end: usize, bias: f32| {
                let mut model = model.clone();
                let list = model.weights.len() - from_end;
                assert_eq!(model.weights[list].len(), 1);
                model.weights[list][0] = bias;
                model.predict_both(&features)
            };
            for (from_end, bias) in [(3, f32::NAN), (1, f32::NAN), (1, 1e30)] {
                let error = with(from_end, bias).unwrap_err();
                assert!(matches!(error, Error::TooFar { row: 0 }), "hurdle {hurdle}, {from_end}, {bias}: {error}");
            }
            let (_, amounts) = with(1, -1e30).unwrap();
            assert_eq!(amounts, [0.0; 60]);
        }
    }
}
