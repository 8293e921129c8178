//! Principal components: the directions in which rows differ most.

mod svd;
mod truncated;

pub use truncated::{CheckedTruncatedSvd, TruncatedSvd, TruncatedSvdModel, TruncatedSvdParams};

use crate::clustering::{Points, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::linear::dot;
use crate::range::Ranges;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// Principal component analysis by the singular values of the centred rows: exact, in double precision, from an
/// orthogonal triangle (Householder) and rotations (Jacobi), never from a covariance matrix, whose squares lose half of
/// the digits.
///
/// Sources: Pearson, *On lines and planes of closest fit*, 1901; Demmel and Veselić, *Jacobi's method is more accurate
/// than QR*, 1992.
#[derive(Debug, Clone, Copy)]
pub struct Pca;

impl Pca {
    /// The parameters to start from.
    pub fn params() -> PcaParams {
        PcaParams::default()
    }
}

/// Parameters of [`Pca`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct PcaParams {
    components: Option<usize>,
    scaled: bool,
}

impl Default for PcaParams {
    fn default() -> Self {
        Self { components: None, scaled: true }
    }
}

impl PcaParams {
    /// Components to keep; all unless said.
    #[must_use]
    pub fn components(mut self, components: usize) -> Self {
        self.components = Some(components);
        self
    }

    /// Whether features are brought to deviation 1 first; true unless said. The mean is always taken away.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedPca> {
        Ranges("PCA").whole("components", self.components.unwrap_or(1), 1..=usize::MAX)?;
        Ok(CheckedPca { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedPca::fit`].
    ///
    /// # Errors
    /// As [`PcaParams::check`] and [`CheckedPca::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<PcaModel> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPca {
    params: PcaParams,
}

impl CheckedPca {
    /// Finds the components of rows without missing values and categories.
    ///
    /// # Errors
    /// When there are fewer than 2 rows, more components are asked for than there are rows or features, a value is
    /// missing or infinite, a feature is categorical, no feature varies, or the stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<PcaModel> {
        let mut scaling = Scaling::fit("training rows", features, true)?;
        if !self.params.scaled {
            scaling.deviations.fill(1.0);
        }
        if features.rows() < 2 {
            return Err(Error::TooFewRows { model: "PCA", what: "rows", expected: 2, found: features.rows() });
        }
        crate::check::check_varies(features)?;
        let most = features.rows().min(features.columns());
        let kept = self.params.components.unwrap_or(most);
        if kept > most {
            let (model, what) = ("PCA", "rows and features, as many as components,");
            return Err(Error::TooFewRows { model, what, expected: kept, found: most });
        }
        let points = scaling.points(features)?;
        let (singular, mut directions) = svd::singular(&points)?;
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let freedom = (features.rows() - 1) as f64;
        let variances: Vec<f64> = singular.iter().map(|value| value * value / freedom).collect();
        let total = variances.iter().sum();
        directions.truncate(kept);
        directions.iter_mut().for_each(|direction| set_sign(direction));
        Ok(PcaModel {
            scaling,
            directions,
            variances: variances[..kept].to_vec(),
            total,
            singular: singular[..kept].to_vec(),
            origin: Origin::of(&self.params),
        })
    }
}

/// The greatest number of a direction is positive, so that a direction has one sign on every machine.
fn set_sign(direction: &mut [f64]) {
    let greatest =
        direction.iter().copied().fold(0.0, |most: f64, value| if value.abs() > most.abs() { value } else { most });
    if greatest < 0.0 {
        direction.iter_mut().for_each(|value| *value = -*value);
    }
}

/// Rows along directions, as features `component_1`, `component_2` …
fn components(columns: Vec<Vec<f64>>) -> Result<FeatureMatrix> {
    let names = (1..=columns.len()).map(|number| format!("component_{number}")).collect();
    let categorical = vec![false; columns.len()];
    Ok(FeatureMatrix::new(names, columns, categorical)?)
}

/// Components that have been found; see [`Pca`].
#[derive(Clone)]
pub struct PcaModel {
    scaling: Scaling,
    directions: Vec<Vec<f64>>,
    variances: Vec<f64>,
    total: f64,
    singular: Vec<f64>,
    origin: Origin,
}

impl std::fmt::Debug for PcaModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share: f64 = self.explained_share().iter().sum();
        write!(f, "PCA, {} components with {:.1} % of the variance", self.directions.len(), 100.0 * share)
    }
}

impl PcaModel {
    /// The directions, unit vectors in the units of the fit, greatest variance first.
    pub fn directions(&self) -> &[Vec<f64>] {
        &self.directions
    }

    /// Variance along each direction, divided by `rows - 1`.
    pub fn explained_variance(&self) -> &[f64] {
        &self.variances
    }

    /// The same as shares of the variance of all features: of those left out too.
    pub fn explained_share(&self) -> Vec<f64> {
        self.variances.iter().map(|variance| variance / self.total).collect()
    }

    /// Singular values of the centred rows.
    pub fn singular_values(&self) -> &[f64] {
        &self.singular
    }

    /// The rows along the directions, as features `component_1`, `component_2` …
    ///
    /// # Errors
    /// When the features are not those of the fit, or a value is missing or infinite.
    pub fn transform(&self, features: &FeatureMatrix) -> Result<FeatureMatrix> {
        let points: Points = self.scaling.points(features)?;
        let rows = || points.values.chunks_exact(points.columns);
        components(self.directions.iter().map(|direction| rows().map(|row| dot(row, direction)).collect()).collect())
    }

    /// A row for each component: `component`, `variance`, `share`, and the part of each feature under its name.
    ///
    /// # Errors
    /// [`Error::Frame`] when a feature has the name of one of these columns.
    pub fn frame(&self) -> Result<DataFrame> {
        let mut columns = vec![
            Column::new("component".into(), (1..=self.directions.len() as u64).collect::<Vec<_>>()),
            Column::new("variance".into(), self.variances.clone()),
            Column::new("share".into(), self.explained_share()),
        ];
        for (i, name) in self.scaling.names.iter().enumerate() {
            let parts: Vec<f64> = self.directions.iter().map(|direction| direction[i]).collect();
            columns.push(Column::new(name.as_str().into(), parts));
        }
        Ok(DataFrame::new(self.directions.len(), columns)?)
    }
}

stored!(PcaModel { scaling, directions, variances, total, singular, origin });

impl Described for PcaModel {
    fn about(&self) -> About {
        About::of_numbers(&self.scaling.names, &self.origin)
    }

    fn is_sound(&self) -> bool {
        let columns = self.scaling.names.len();
        let count = self.directions.len();
        let lists = count > 0 && self.variances.len() == count && self.singular.len() == count;
        self.scaling.is_sound() && lists && self.directions.iter().all(|direction| direction.len() == columns)
    }
}
