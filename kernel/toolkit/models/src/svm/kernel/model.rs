//! Rows that hold the margin: on which side of it other rows lie.

use super::function::{Function, Kernel};
use super::params::SvmParams;
use super::smo::Found;
use crate::clustering::{Points, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::lanes::{Lanes, blocks};
use crate::linear::finite_sums;
use crate::threads::with_threads;
use crate::{Error, Platt, Result};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use rayon::prelude::*;

/// A margin that has been fitted; see [`super::Svm`].
#[derive(Clone)]
pub struct SvmModel {
    scaling: Scaling,
    function: Function,
    /// Rows of the fit that hold the margin, their numbers and their forces.
    support: Vec<u64>,
    points: Vec<f64>,
    forces: Vec<f64>,
    intercept: f64,
    steps: u64,
    calibration: Option<Platt>,
    origin: Origin,
    threads: Option<usize>,
}

impl std::fmt::Debug for SvmModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SVM, {} support vectors on {} features", self.support.len(), self.names().len())
    }
}

impl SvmModel {
    pub(super) fn new(
        scaling: Scaling,
        function: Function,
        points: &Points,
        found: &Found,
        params: &SvmParams,
    ) -> Self {
        let strong: Vec<usize> = (0..points.rows).filter(|&row| found.forces[row] != 0.0).collect();
        Self {
            scaling,
            function,
            support: strong.iter().map(|&row| row as u64).collect(),
            points: strong.iter().flat_map(|&row| points.row(row).iter().copied()).collect(),
            forces: strong.iter().map(|&row| found.forces[row]).collect(),
            intercept: found.intercept,
            steps: found.steps as u64,
            calibration: None,
            origin: Origin::of(params),
            threads: params.threads,
        }
    }

    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.scaling.names
    }

    /// Rows of the fit that hold the margin, rising from 0.
    pub fn support(&self) -> Vec<usize> {
        self.support.iter().filter_map(|&row| usize::try_from(row).ok()).collect()
    }

    /// The force of each of [`SvmModel::support`], above 0 for target 1.
    pub fn forces(&self) -> &[f64] {
        &self.forces
    }

    /// What is added to the sum over the support vectors.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The kernel and the scale that was used.
    pub fn kernel(&self) -> (Kernel, f64) {
        (self.function.kernel, self.function.gamma)
    }

    /// Steps that the fit took.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// On which side of the margin each row lies: above 0 on that of target 1, and beyond 1 or -1 outside of it. Any
    /// list of scores: the metrics take it as it is.
    ///
    /// # Errors
    /// When the features are not those of the fit, a value is missing or infinite, [`Error::TooLarge`] and
    /// [`Error::TooFar`] for a row beyond all numbers, or the notebook's stop button was pressed.
    pub fn decision(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        let points = self.scaling.points(features)?;
        let inside: Vec<Lanes> = blocks(&self.points, points.columns);
        let one = |row: usize| {
            if row.is_multiple_of(64) && stop::requested() {
                return None;
            }
            Some(self.function.sum(points.row(row), &inside, &self.forces) + self.intercept)
        };
        let sums: Option<Vec<f64>> =
            with_threads(self.threads, || (0..points.rows).into_par_iter().with_min_len(16).map(one).collect())?;
        let sums = sums.ok_or(Error::Cancelled { what: "scored rows", done: 0, of: points.rows })?;
        finite_sums(&sums, 1)?;
        Ok(sums)
    }

    /// The side on which each row lies: 1 where the decision is above 0, else 0.
    ///
    /// # Errors
    /// As [`SvmModel::decision`].
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.decision(features)?.iter().map(|&sum| f64::from(sum > 0.0)).collect())
    }

    /// The model with a curve from decisions to probabilities ([`Platt`]), fitted on rows that it has not seen.
    ///
    /// # Errors
    /// As [`SvmModel::decision`] and [`Platt::fit`].
    pub fn calibrated(&self, features: &FeatureMatrix, target: &[f64]) -> Result<Self> {
        let calibration = Some(Platt::fit(&self.decision(features)?, target)?);
        Ok(Self { calibration, origin: self.origin.renewed(), ..self.clone() })
    }

    /// Probability of 1 for each row.
    ///
    /// # Errors
    /// [`Error::NotCalibrated`] unless [`SvmModel::calibrated`] made the model, and as [`SvmModel::decision`].
    pub fn predict_proba(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        let calibration = self.calibration.ok_or(Error::NotCalibrated { model: "SVM" })?;
        Ok(calibration.predict(&self.decision(features)?))
    }
}

stored!(SvmModel {
    scaling, function, support, points, forces, intercept, steps, calibration, origin
} anew { threads: None });

impl Described for SvmModel {
    fn about(&self) -> About {
        About::of_numbers(self.names(), &self.origin)
    }

    fn is_sound(&self) -> bool {
        let count = self.support.len();
        let sizes = self.points.len() == count * self.scaling.names.len() && self.forces.len() == count;
        self.scaling.is_sound() && sizes
    }
}
