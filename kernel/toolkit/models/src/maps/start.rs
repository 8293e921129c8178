//! Features -> points to begin with: along the two directions in which rows differ most, brought to a size.
//!
//! Source: Kobak and Linderman, *Initialization is critical for preserving global data structure in both t-SNE and UMAP*,
//! Nature Biotechnology 39, 2021.

use super::Point;
use crate::clustering::{Points, Scaling};
use crate::random::Random;
use crate::{Error, Pca, Result};
use haetae_features::FeatureMatrix;

/// How far rows that are equal are set apart, as a share of the size.
const APART: f64 = 1e-4;

/// Refuses rows of which no picture can be made, and brings the others to points.
pub(super) fn points(model: &'static str, features: &FeatureMatrix, scaled: bool) -> Result<Points> {
    let scaling = Scaling::fit("rows of the picture", features, scaled)?;
    let most = u32::MAX as usize / 2;
    if features.rows() > most {
        return Err(Error::TooManyRows { model, rows: features.rows(), most });
    }
    crate::check::check_varies(features)?;
    scaling.points(features)
}

/// The greatest coordinate, or with `deviation` the standard deviation of the first, is `size`.
pub(super) fn start(
    features: &FeatureMatrix,
    scaled: bool,
    size: f64,
    deviation: bool,
    seed: u64,
) -> Result<Vec<Point>> {
    let count = 2.min(features.columns()).min(features.rows());
    let along = Pca::params().scaled(scaled).components(count).fit(features)?.transform(features)?;
    let (first, second) = (along.column(0), (count > 1).then(|| along.column(1)));
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let greatest = match deviation {
        true => (first.iter().map(|x| x * x).sum::<f64>() / first.len() as f64).sqrt(),
        false => along.values().iter().fold(0.0, |most: f64, value| most.max(value.abs())),
    };
    let scale = if greatest > 0.0 { size / greatest } else { 0.0 };
    let mut random = Random::new(seed);
    let mut apart = || size * APART * (2.0 * random.unit() - 1.0);
    let point = |row: usize| [scale * first[row] + apart(), scale * second.map_or(0.0, |second| second[row]) + apart()];
    Ok((0..first.len()).map(point).collect())
}
