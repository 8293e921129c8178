//! What goes in: a registered clearance model and rows. What comes out: probabilities, what makes them up, and how far the
//! rows have moved away from those of the training.

use arrow::array::RecordBatch;
use haetae_features::FeatureMatrix;
use haetae_models::{Contributions, LightGbmModel, ModelFile, drift};
use haetae_warehouse::store::Store;
use serde::{Deserialize, Serialize};

use crate::definition::Kind;
use crate::encode::{self, Feature};
use crate::{Definition, Error, Registered, Result, model_file};

/// Points of a distribution that a file keeps.
const POINTS: usize = 201;
/// Bins of the stability index.
const BINS: usize = 10;
/// The score's name among the features of drift.
const SCORE: &str = "score";

/// What the file says before the trees.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) schema: String,
    pub(crate) features: Vec<Feature>,
    /// Watched feature or `score`, and points of its distribution over all items of the last days of the training, from
    /// least to greatest; null where missing.
    pub(crate) reference: Vec<(String, Vec<Option<f64>>)>,
}

/// A clearance model that is ready to score.
#[derive(Debug)]
pub(crate) struct Clearance {
    pub(crate) about: About,
    pub(crate) trees: LightGbmModel,
}

/// Rows that have been scored.
pub(crate) struct Scored {
    pub(crate) probability: Vec<f64>,
    pub(crate) contributions: Contributions,
    /// Feature, index, verdict.
    pub(crate) drift: Vec<(String, f64, String)>,
}

/// Points of the distributions of some rows.
pub(crate) fn reference(
    features: &[Feature],
    matrix: &FeatureMatrix,
    score: &[f64],
) -> Vec<(String, Vec<Option<f64>>)> {
    let watched = features.iter().enumerate().filter(|(_, feature)| feature.is_watched());
    let columns = watched.map(|(place, feature)| (feature.name.clone(), points(matrix.column(place))));
    columns.chain([(SCORE.to_owned(), points(score))]).collect()
}

fn points(values: &[f64]) -> Vec<Option<f64>> {
    let mut sorted = values.to_vec();
    // NaN comes last.
    sorted.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
    let last = sorted.len().saturating_sub(1);
    let point = |place: usize| sorted.get(place * last / (POINTS - 1)).copied().filter(|value| !value.is_nan());
    (0..POINTS).map(point).collect()
}

impl Clearance {
    /// The model of a file, which has to fit the definition.
    pub(crate) fn load(store: &Store, registered: &Registered, definition: &Definition) -> Result<Self> {
        fits(registered, definition)?;
        let opened = Self::open(store, &registered.model, &registered.file_sha256)?;
        let about = &opened.about;
        let other =
            |expected: String, found: String| Error::OtherModel { model: registered.model.clone(), expected, found };
        if about.schema != definition.schema {
            return Err(other(format!("the schema {}", definition.schema), about.schema.clone()));
        }
        let expected: Vec<(&str, bool)> =
            definition.features.keys().map(|name| (name.as_str(), definition.categories.contains(name))).collect();
        let found: Vec<(&str, bool)> =
            about.features.iter().map(|one| (one.name.as_str(), one.categories.is_some())).collect();
        if expected != found {
            let list = |features: &[(&str, bool)]| {
                let name = |(name, category): &(&str, bool)| {
                    if *category { format!("{name} (category)") } else { (*name).to_owned() }
                };
                format!("the features {}", features.iter().map(name).collect::<Vec<_>>().join(", "))
            };
            return Err(other(list(&expected), list(&found)));
        }
        Ok(opened)
    }

    /// The model of a file, whatever definition it is used by.
    pub(crate) fn open(store: &Store, model: &str, sha256: &str) -> Result<Self> {
        let (about, body): (About, _) = model_file::read(store, model, Kind::Clearance.name(), sha256)?;
        Ok(Self { trees: LightGbmModel::from_bytes(&body)?, about })
    }

    pub(crate) fn score(&self, batch: &RecordBatch) -> Result<Scored> {
        let matrix = encode::matrix(&self.about.features, std::slice::from_ref(batch))?;
        let probability = self.trees.predict(&matrix)?;
        let contributions = self.trees.contributions(&matrix)?;
        let drift = self.drift(&matrix, &probability)?;
        Ok(Scored { probability, contributions, drift })
    }

    /// What each feature adds to the score of each row.
    pub(crate) fn contributions(&self, batch: &RecordBatch) -> Result<Contributions> {
        let matrix = encode::matrix(&self.about.features, std::slice::from_ref(batch))?;
        Ok(self.trees.contributions(&matrix)?)
    }

    fn drift(&self, matrix: &FeatureMatrix, score: &[f64]) -> Result<Vec<(String, f64, String)>> {
        let (mut names, mut then, mut now, mut categorical) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, points) in &self.about.reference {
            let place = matrix.position(name);
            now.push(place.map_or_else(|| score.to_vec(), |place| matrix.column(place).to_vec()));
            then.push(points.iter().map(|point| point.unwrap_or(f64::NAN)).collect());
            categorical.push(place.is_some_and(|place| matrix.is_categorical(place)));
            names.push(name.clone());
        }
        let then = FeatureMatrix::new(names.clone(), then, categorical.clone())?;
        let found = drift(&then, &FeatureMatrix::new(names, now, categorical)?, BINS)?;
        let (features, verdicts) = (found.column("feature")?.str()?, found.column("verdict")?.str()?);
        let psi = found.column("psi")?.f64()?;
        let rows = features.iter().zip(psi.iter()).zip(verdicts.iter());
        let mut rows: Vec<(String, f64, String)> = rows
            .map(|((feature, psi), verdict)| {
                (
                    feature.unwrap_or_default().to_owned(),
                    psi.unwrap_or(f64::NAN),
                    verdict.unwrap_or_default().to_owned(),
                )
            })
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(rows)
    }
}

/// A model scores by the kind and the schema that it was trained on.
pub(crate) fn fits(registered: &Registered, definition: &Definition) -> Result<()> {
    let other = |expected: &str, found: &str| Error::OtherModel {
        model: registered.model.clone(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    let kind = definition.kind.name();
    if registered.kind != kind {
        return Err(other(&format!("a {kind} model"), &format!("a {} model", registered.kind)));
    }
    if registered.schema != definition.schema {
        return Err(other(&format!("the schema {}", definition.schema), &format!("the schema {}", registered.schema)));
    }
    Ok(())
}
