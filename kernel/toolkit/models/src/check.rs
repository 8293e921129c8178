//! Features and target -> refused, with the row and what was expected, or fit to be learnt from.

use crate::{Error, Objective, Result};
use haetae_features::FeatureMatrix;

pub(crate) fn check_rows(
    what: &'static str,
    features: &FeatureMatrix,
    target: &[f64],
    objective: Objective,
) -> Result<()> {
    if features.rows() == 0 || features.columns() == 0 {
        return Err(Error::Empty { what, rows: features.rows(), columns: features.columns() });
    }
    targets(features.rows(), target, objective)?;
    check_categories(features)
}

/// A target that fits the objective for each of so many rows.
pub(crate) fn targets(rows: usize, target: &[f64], objective: Objective) -> Result<()> {
    if target.len() != rows {
        return Err(Error::Rows { what: "target", expected: rows, found: target.len() });
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 10000 classes")]
    let wrong = |value: f64| match objective {
        Objective::Binary => value != 0.0 && value != 1.0,
        Objective::Classes(classes) => !(value.fract() == 0.0 && value >= 0.0 && value < classes as f64),
        Objective::Value => !value.is_finite(),
    };
    if let Some(row) = target.iter().position(|&value| wrong(value)) {
        let expected = match objective {
            Objective::Binary => "0 or 1".to_owned(),
            Objective::Classes(classes) => format!("a whole number from 0 to {}", classes - 1),
            Objective::Value => "a finite number".to_owned(),
        };
        return Err(Error::Target { row, expected, found: target[row] });
    }
    Ok(())
}

/// An amount of at least 0 for each of so many rows.
pub(crate) fn check_revenue(rows: usize, revenue: &[f64]) -> Result<()> {
    if revenue.len() != rows {
        return Err(Error::Rows { what: "revenue", expected: rows, found: revenue.len() });
    }
    match revenue.iter().position(|amount| !(*amount >= 0.0 && amount.is_finite())) {
        None => Ok(()),
        Some(row) => Err(Error::Revenue { row, found: revenue[row] }),
    }
}

/// Every value of a categorical feature must be a code or missing.
pub(crate) fn check_categories(features: &FeatureMatrix) -> Result<()> {
    for i in (0..features.columns()).filter(|&i| features.is_categorical(i)) {
        let column = features.column(i);
        // The library drops negative codes silently and cuts fractions off.
        let wrong =
            |value: f64| !value.is_nan() && (value.fract() != 0.0 || value < 0.0 || value > f64::from(i32::MAX));
        if let Some(row) = column.iter().position(|&value| wrong(value)) {
            return Err(Error::Category { name: features.names()[i].clone(), row, found: column[row] });
        }
    }
    Ok(())
}

/// Sums of infinite values say nothing.
pub(crate) fn finite(features: &FeatureMatrix) -> Result<()> {
    match features.values().iter().position(|value| value.is_infinite()) {
        None => Ok(()),
        Some(at) => {
            let (column, row) = (at / features.rows(), at % features.rows());
            Err(Error::Infinite { feature: features.names()[column].clone(), row })
        }
    }
}

/// Some feature must take two values, a missing one counted as one.
pub(crate) fn check_varies(features: &FeatureMatrix) -> Result<()> {
    let varies =
        |column: &[f64]| column.iter().any(|value| *value != column[0] && !(value.is_nan() && column[0].is_nan()));
    match (0..features.columns()).any(|i| varies(features.column(i))) {
        true => Ok(()),
        false => Err(Error::NothingVaries { rows: features.rows(), columns: features.columns() }),
    }
}

/// More than one class among the rows.
pub(crate) fn several_classes(target: &[f64]) -> Result<()> {
    match target.first() {
        Some(&found) if target.iter().all(|&class| class == found) => {
            Err(Error::OneValue { found, rows: target.len() })
        }
        _ => Ok(()),
    }
}

/// Every one of so many classes among the rows.
pub(crate) fn every_class(target: &[f64], classes: usize) -> Result<()> {
    several_classes(target)?;
    let mut known = vec![false; classes];
    for &class in target {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "classes are whole and not negative"
        )]
        let place = known.get_mut(class as usize);
        place.into_iter().for_each(|known| *known = true);
    }
    match known.iter().position(|known| !known) {
        None => Ok(()),
        Some(class) => Err(Error::NoClass { class, classes, rows: target.len() }),
    }
}

/// Weights that rows have of their own, where they have any: one a row, as [`check_weights`] wants them.
pub(crate) fn own_weights<'a>(
    weights: Option<&'a [f64]>,
    target: &[f64],
    objective: Objective,
) -> Result<Option<&'a [f64]>> {
    let Some(own) = weights else { return Ok(None) };
    if own.len() != target.len() {
        return Err(Error::Rows { what: "weights", expected: target.len(), found: own.len() });
    }
    check_weights(own, target, objective)?;
    Ok(weights)
}

/// Weights of rows: none, or one a row, and something of both classes, of two of several, or of any row with a value.
pub(crate) fn check_weights(weights: &[f64], target: &[f64], objective: Objective) -> Result<()> {
    if let Some(row) = weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
        return Err(Error::Weight { row, found: weights[row] });
    }
    if weights.is_empty() {
        return Ok(());
    }
    let weighed = target.iter().zip(weights).filter(|(_, weight)| **weight > 0.0).map(|(&target, _)| target);
    let weighed: Vec<f64> = weighed.collect();
    let (zero, one) = (weighed.contains(&0.0), weighed.contains(&1.0));
    match objective {
        Objective::Value | Objective::Classes(3..) if weighed.is_empty() => {
            Err(Error::NoLabels { what: "rows that weigh more than 0", rows: weights.len() })
        }
        Objective::Classes(3..) => several_classes(&weighed),
        Objective::Binary | Objective::Classes(_) if !(zero && one) => {
            Err(Error::OneClass { found: f64::from(one), rows: weights.len() })
        }
        _ => Ok(()),
    }
}

/// Fails at the first feature whose name or type differs.
pub(crate) fn same_types(
    names: &[String],
    categorical: &dyn Fn(usize) -> bool,
    features: &FeatureMatrix,
) -> Result<()> {
    same_features(names, features.names())?;
    match (0..names.len()).find(|&i| categorical(i) != features.is_categorical(i)) {
        None => Ok(()),
        Some(i) => {
            let word = |categorical| if categorical { "categories" } else { "numbers" };
            let (expected, found) = (word(categorical(i)), word(features.is_categorical(i)));
            Err(Error::FeatureType { feature: names[i].clone(), expected, found })
        }
    }
}

/// Fails at the first feature that differs.
pub(crate) fn same_features(expected: &[String], found: &[String]) -> Result<()> {
    let name = |names: &[String], position: usize| names.get(position).cloned().unwrap_or_else(|| "nothing".to_owned());
    let len = expected.len().max(found.len());
    match (0..len).find(|&i| expected.get(i) != found.get(i)) {
        None => Ok(()),
        Some(position) => {
            Err(Error::FeatureMismatch { position, expected: name(expected, position), found: name(found, position) })
        }
    }
}
