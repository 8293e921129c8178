//! What goes in: rows of the definition's SQL. What comes out: a feature matrix, with the codes of categories as they were
//! in training.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use haetae_features::FeatureMatrix;
use serde::{Deserialize, Serialize};

use crate::{Definition, Result, read};

/// Categories of a feature that are still watched for drift: rarer codes would move by chance.
const WATCHED: usize = 20;

/// One feature of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Feature {
    pub(crate) name: String,
    /// The texts of the codes 0, 1, 2 …, where it is one of categories.
    pub(crate) categories: Option<Vec<String>>,
}

impl Feature {
    /// Whether its distribution is compared with that of the training.
    pub(crate) fn is_watched(&self) -> bool {
        self.categories.as_ref().is_none_or(|texts| texts.len() <= WATCHED)
    }
}

/// The features of a definition, with the categories of the rows.
pub(crate) fn fit(definition: &Definition, batches: &[RecordBatch]) -> Result<Vec<Feature>> {
    let feature = |name: &String| {
        let mut seen = BTreeSet::new();
        if definition.categories.contains(name) {
            for batch in batches {
                seen.extend(read::texts(batch, name)?.into_iter().flatten());
            }
        }
        let categories = definition.categories.contains(name).then(|| seen.into_iter().collect());
        Ok(Feature { name: name.clone(), categories })
    };
    definition.features.keys().map(feature).collect()
}

/// The features of the rows; NaN for null, and for a category that training did not have.
pub(crate) fn matrix(features: &[Feature], batches: &[RecordBatch]) -> Result<FeatureMatrix> {
    let column = |feature: &Feature| {
        let mut values = Vec::new();
        for batch in batches {
            match &feature.categories {
                None => values.extend(read::numbers(batch, &feature.name)?),
                Some(known) => {
                    let code = |text: Option<String>| {
                        let place = text.and_then(|text| known.binary_search(&text).ok());
                        place.map_or(f64::NAN, |place| place as f64)
                    };
                    values.extend(read::texts(batch, &feature.name)?.into_iter().map(code));
                }
            }
        }
        Ok(values)
    };
    let columns = features.iter().map(column).collect::<Result<Vec<_>>>()?;
    let names = features.iter().map(|feature| feature.name.clone()).collect();
    let categorical = features.iter().map(|feature| feature.categories.is_some()).collect();
    Ok(FeatureMatrix::new(names, columns, categorical)?)
}
