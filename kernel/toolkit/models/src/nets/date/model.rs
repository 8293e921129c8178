//! A fitted DATE: the probability of fraud and the revenue of each row.

use super::cases::{Cases, SCORED, Scale};
use super::net::{Form, Leafy};
use crate::check::{check_categories, finite, same_types};
use crate::file::{About, Described, Origin, stored};
use crate::nets::front::Encoder;
use crate::nets::layer::Pass;
use crate::nets::training::Epoch;
use crate::nets::weights::{fits, in_blocks, probabilities, with_weights};
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, LightGbmModel, LightGbmParams, Result};
use haetae_features::FeatureMatrix;

/// What was learnt before the net: trees, and the places of the entities.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) names: Vec<String>,
    pub(super) categorical: Vec<bool>,
    pub(super) trees: LightGbmModel,
    pub(super) entities: Encoder,
}

impl Found {
    /// Grows the trees, on one thread; and the training rows as the net sees them.
    pub(super) fn fit(
        features: &FeatureMatrix,
        target: &[f64],
        trees: &LightGbmParams,
        entities: &[String],
        min_rows: usize,
    ) -> Result<(Self, Cases)> {
        let known = |name: &String| features.position(name).filter(|&i| features.is_categorical(i));
        if let Some(name) = entities.iter().find(|name| known(name).is_none()) {
            let categorical = (0..features.columns()).filter(|&i| features.is_categorical(i));
            let found: Vec<&str> = categorical.map(|i| features.names()[i].as_str()).collect();
            return Err(Error::Entity { name: name.clone(), found: found.join(", ") });
        }
        if entities.len() == features.columns() {
            return Ranges("DATE").refuse("entities", "one feature at least that is none of them", entities.join(", "));
        }
        let of_entities = only(features, &|name| entities.contains(name))?;
        let of_trees = only(features, &|name| !entities.contains(name))?;
        let grown = trees.clone().threads(1).fit(&of_trees, target)?.on_threads(trees.threads);
        let all: Vec<usize> = (0..features.rows()).collect();
        let found = Self {
            names: features.names().to_vec(),
            categorical: (0..features.columns()).map(|i| features.is_categorical(i)).collect(),
            trees: grown,
            entities: Encoder::fit(&of_entities, &all, min_rows, 1),
        };
        let cases = found.cases_of(&of_trees, &of_entities)?;
        Ok((found, cases))
    }

    /// Rows of the same features as the net sees them.
    pub(super) fn cases(&self, features: &FeatureMatrix) -> Result<Cases> {
        let is_entity = |name: &String| self.entities.names.contains(name);
        self.cases_of(&only(features, &|name| !is_entity(name))?, &only(features, &is_entity)?)
    }

    fn cases_of(&self, of_trees: &FeatureMatrix, of_entities: &FeatureMatrix) -> Result<Cases> {
        let trees = self.trees.leaf_counts().len();
        Ok(Cases { trees, places: self.trees.leaf_places(of_trees)?, entities: self.entities.encode(of_entities) })
    }
}

/// The features of some names, in their order.
fn only(features: &FeatureMatrix, which: &dyn Fn(&String) -> bool) -> Result<FeatureMatrix> {
    let columns: Vec<usize> = (0..features.columns()).filter(|&i| which(&features.names()[i])).collect();
    let names = columns.iter().map(|&i| features.names()[i].clone()).collect();
    let values = columns.iter().map(|&i| features.column(i).to_vec()).collect();
    Ok(FeatureMatrix::new(names, values, columns.iter().map(|&i| features.is_categorical(i)).collect())?)
}

/// A net of two tasks that has been fitted; see [`super::Date`].
#[derive(Clone)]
pub struct DateModel {
    pub(super) found: Found,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) hidden: usize,
    pub(super) scale: Scale,
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) epochs: Vec<Epoch>,
    pub(super) origin: Origin,
    pub(super) threads: Option<usize>,
}

impl std::fmt::Debug for DateModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (trees, features) = (self.found.trees.leaf_counts().len(), self.names().len());
        write!(f, "DATE, {} weights over the leaves of {trees} trees on {features} features", self.size())
    }
}

impl DateModel {
    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.found.names
    }

    /// Names of the features that have embeddings of their own, in the order of the features.
    pub fn entities(&self) -> &[String] {
        &self.found.entities.names
    }

    /// The trees whose leaves are embedded.
    pub fn trees(&self) -> &LightGbmModel {
        &self.found.trees
    }

    /// Number of weights of the net.
    pub fn size(&self) -> usize {
        self.weights.iter().map(Vec::len).sum()
    }

    /// The losses of the epochs that were made, of both tasks together.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Probability of fraud for each row.
    ///
    /// # Errors
    /// As [`crate::FcnnModel::predict`].
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.predict_both(features)?.0)
    }

    /// Revenue that each row brings, in the currency of the fit, at least 0. It puts rows in order; because its
    /// logarithm is learnt, it is less than the mean of what rows like it brought.
    ///
    /// # Errors
    /// As [`DateModel::predict`].
    pub fn predict_revenue(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.predict_both(features)?.1)
    }

    /// Probability of fraud and revenue of each row, in one go.
    ///
    /// # Errors
    /// As [`DateModel::predict`].
    pub fn predict_both(&self, features: &FeatureMatrix) -> Result<(Vec<f64>, Vec<f64>)> {
        same_types(self.names(), &|i| self.found.categorical[i], features)?;
        check_categories(features)?;
        finite(features)?;
        let net = with_weights(Leafy::<f32>::new(&self.form(), 0.0, 0), &self.weights);
        let all: Vec<usize> = (0..features.rows()).collect();
        let cases = self.found.cases(features)?;
        let score = |net: &mut Leafy<f32>, rows: &[usize]| {
            let [fraud, revenue] = net.forward(cases.of(rows), &cases.entities, rows, &mut Pass::scoring());
            let amount = |&said: &f32| self.scale.amount(f64::from(said));
            let amounts: Vec<f64> = revenue.values.iter().map(amount).collect();
            [probabilities(fraud), amounts].concat()
        };
        let scored = with_threads(self.threads, || in_blocks(&net, &all, SCORED, &score))??;
        let (mut chances, mut amounts) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
        for block in scored {
            let (chance, amount) = block.split_at(block.len() / 2);
            chances.extend_from_slice(chance);
            amounts.extend_from_slice(amount);
        }
        Ok((chances, amounts))
    }

    fn form(&self) -> Form {
        let counts = self.found.trees.leaf_counts();
        Form {
            trees: counts.len(),
            leaves: counts.iter().sum(),
            entities: self.found.entities.embeddings().iter().map(|&(places, _)| places).collect(),
            width: self.width,
            heads: self.heads,
            hidden: self.hidden,
        }
    }
}

stored!(Found { names, categorical, trees, entities });
stored!(DateModel { found, width, heads, hidden, scale, weights, epochs, origin } anew { threads: None });

impl Described for DateModel {
    fn about(&self) -> About {
        About::new(self.names(), &|i| self.found.categorical[i], &self.origin)
    }

    fn is_sound(&self) -> bool {
        let Found { names, categorical, trees, entities } = &self.found;
        let is_entity = |name: &String| entities.names.contains(name);
        let in_order = |own: &[String], entity: bool| names.iter().filter(|name| is_entity(name) == entity).eq(own);
        let typed = (0..names.len()).all(|i| !is_entity(&names[i]) || categorical[i]);
        let numbers = [self.width, self.heads, self.hidden].iter().all(|&number| (1..=8192).contains(&number));
        let scale = self.scale.unit > 0.0 && self.scale.deviation > 0.0;
        categorical.len() == names.len()
            && in_order(&entities.names, true)
            && in_order(trees.names(), false)
            && typed
            && (0..entities.names.len()).all(|i| entities.is_categorical(i))
            && entities.is_sound()
            && numbers
            && self.width.is_multiple_of(self.heads)
            && scale
            && fits(&self.form().lengths(), &self.weights)
    }
}
