//! What DATE learns before its net: trees and the places of entities; and rows as the net sees them.

use super::cases::Cases;
use super::params::DateNetParams;
use crate::file::stored;
use crate::nets::front::Encoder;
use crate::range::Ranges;
use crate::{Error, LightGbmModel, LightGbmParams, Objective, Result};
use haetae_features::FeatureMatrix;

/// Trees, and the places of the entities.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) names: Vec<String>,
    pub(super) categorical: Vec<bool>,
    pub(super) trees: LightGbmModel,
    /// Grown for the revenue of the rows whose amounts are learnt; none where there are to be none.
    pub(super) of_revenue: Option<LightGbmModel>,
    pub(super) entities: Encoder,
    /// Whether the head of revenue starts from what its trees say.
    pub(super) starting: bool,
}

impl Found {
    /// Grows the trees, on one thread; and the training rows as the net sees them. `revenue` has those of the rows of `learnt`.
    pub(super) fn fit(
        features: &FeatureMatrix,
        target: &[f64],
        (learnt, revenue): (&[usize], &[f64]),
        params: &DateNetParams,
    ) -> Result<(Self, Cases)> {
        let DateNetParams { entities, trees, .. } = params;
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
        let grow = |params: &LightGbmParams, rows: &FeatureMatrix, target: &[f64]| -> Result<LightGbmModel> {
            Ok(params.clone().threads(1).fit(rows, target)?.on_threads(params.threads))
        };
        let mut for_revenue = trees.clone().objective(Objective::Value);
        // One that was said is for trees of fraud.
        for_revenue.metric = None;
        let of_revenue = match params.revenue_trees {
            0 => None,
            number => Some(grow(&for_revenue.trees(number), &of_trees.select_rows(learnt), revenue)?),
        };
        let all: Vec<usize> = (0..features.rows()).collect();
        let found = Self {
            names: features.names().to_vec(),
            categorical: (0..features.columns()).map(|i| features.is_categorical(i)).collect(),
            trees: grow(trees, &of_trees, target)?,
            of_revenue,
            entities: Encoder::fit(&of_entities, &all, params.min_rows, 1),
            starting: params.hurdle,
        };
        let cases = found.cases_of(&of_trees, &of_entities)?;
        Ok((found, cases))
    }

    fn all_trees(&self) -> impl Iterator<Item = &LightGbmModel> {
        [&self.trees].into_iter().chain(&self.of_revenue)
    }

    /// Number of all trees.
    pub(super) fn count(&self) -> usize {
        self.all_trees().map(|trees| trees.leaf_counts().len()).sum()
    }

    /// Number of the leaves of all trees.
    pub(super) fn leaves(&self) -> usize {
        self.all_trees().flat_map(LightGbmModel::leaf_counts).sum()
    }

    /// Rows of the same features as the net sees them.
    pub(super) fn cases(&self, features: &FeatureMatrix) -> Result<Cases> {
        let is_entity = |name: &String| self.entities.names.contains(name);
        self.cases_of(&only(features, &|name| !is_entity(name))?, &only(features, &is_entity)?)
    }

    fn cases_of(&self, of_trees: &FeatureMatrix, of_entities: &FeatureMatrix) -> Result<Cases> {
        let entities = self.entities.encode(of_entities)?;
        let own = self.trees.leaf_places(of_trees)?;
        let Some(of_revenue) = &self.of_revenue else {
            return Ok(Cases { trees: self.count(), places: own, entities, starts: Vec::new() });
        };
        let others = of_revenue.leaf_places(of_trees)?;
        let (own_trees, their_trees) = (self.trees.leaf_counts(), of_revenue.leaf_counts().len());
        let from = u32::try_from(own_trees.iter().sum::<usize>()).unwrap_or(u32::MAX);
        let mut places = Vec::with_capacity(own.len() + others.len());
        for (own, others) in own.chunks_exact(own_trees.len()).zip(others.chunks_exact(their_trees)) {
            places.extend_from_slice(own);
            places.extend(others.iter().map(|place| place + from));
        }
        let starts = if self.starting { of_revenue.predict(of_trees)? } else { Vec::new() };
        Ok(Cases { trees: own_trees.len() + their_trees, places, entities, starts })
    }

    pub(super) fn is_sound(&self) -> bool {
        let Self { names, categorical, entities, .. } = self;
        let is_entity = |name: &String| entities.names.contains(name);
        let in_order = |own: &[String], entity: bool| names.iter().filter(|name| is_entity(name) == entity).eq(own);
        let typed = (0..names.len()).all(|i| !is_entity(&names[i]) || categorical.get(i) == Some(&true));
        categorical.len() == names.len()
            && in_order(&entities.names, true)
            && self.all_trees().all(|trees| in_order(trees.names(), false) && !trees.leaf_counts().is_empty())
            && typed
            && (0..entities.names.len()).all(|i| entities.is_categorical(i))
            && entities.is_sound()
    }
}

stored!(Found { names, categorical, trees, of_revenue, entities, starting });

/// The features of some names, in their order.
fn only(features: &FeatureMatrix, which: &dyn Fn(&String) -> bool) -> Result<FeatureMatrix> {
    let columns: Vec<usize> = (0..features.columns()).filter(|&i| which(&features.names()[i])).collect();
    let names = columns.iter().map(|&i| features.names()[i].clone()).collect();
    let values = columns.iter().map(|&i| features.column(i).to_vec()).collect();
    Ok(FeatureMatrix::new(names, values, columns.iter().map(|&i| features.is_categorical(i)).collect())?)
}
