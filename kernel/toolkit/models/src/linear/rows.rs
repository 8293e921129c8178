//! Features or sparse rows -> rows of a solver, where they are those of the fit; and what the weights stand for.

use super::{Design, Encoder, SparseMatrix};
use crate::check::{check_categories, finite, same_types, targets};
use crate::{Error, Objective, Result};
use haetae_features::FeatureMatrix;

/// Sparse rows that can be learnt from, with a target that fits the objective.
pub(crate) fn trainable(rows: &SparseMatrix, target: &[f64], objective: Objective) -> Result<()> {
    if rows.rows() == 0 || rows.columns() == 0 {
        return Err(Error::Empty { what: "training rows", rows: rows.rows(), columns: rows.columns() });
    }
    targets(rows.rows(), target, objective)
}

/// The rows of a model with so many weights besides the intercept, and how its features are read; there is no
/// `encoder` where it was fitted on sparse rows.
pub(crate) fn of_features<'a>(
    encoder: Option<&'a Encoder>,
    weights: usize,
    features: &FeatureMatrix,
) -> Result<(&'a Encoder, Design<'static>)> {
    let Some(encoder) = encoder else {
        return Err(Error::Columns { expected: weights, found: features.columns() });
    };
    same_types(&encoder.features, &|i| encoder.is_categorical(i), features)?;
    check_categories(features)?;
    finite(features)?;
    Ok((encoder, encoder.encode(features)))
}

/// As [`of_features`], of sparse rows.
pub(crate) fn of_sparse<'a>(encoder: Option<&Encoder>, weights: usize, rows: &'a SparseMatrix) -> Result<Design<'a>> {
    let expected = if encoder.is_some() { 0 } else { weights };
    if rows.columns() != expected {
        return Err(Error::Columns { expected, found: rows.columns() });
    }
    Ok(Design::of_sparse(rows))
}

/// Sums of rows that are scored, so many for each: a value that is finite may be too far off for its weight.
pub(crate) fn finite_sums(sums: &[f64], of_row: usize) -> Result<()> {
    match sums.iter().position(|sum| !sum.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::TooFar { row: at / of_row }),
    }
}

/// Each weight with what it stands for; the number of the column for sparse rows.
pub(crate) fn coefficients(encoder: Option<&Encoder>, weights: &[f64]) -> Vec<(String, f64)> {
    let name = |i: usize| encoder.map_or_else(|| i.to_string(), |encoder| encoder.names[i].clone());
    weights.iter().enumerate().map(|(i, &weight)| (name(i), weight)).collect()
}
