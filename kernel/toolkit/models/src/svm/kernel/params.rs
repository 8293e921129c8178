//! A kernel and what a narrow margin costs, checked before anything is fitted.

use super::function::{Function, Kernel};
use super::model::SvmModel;
use super::smo::Task;
use crate::check::check_rows;
use crate::clustering::{Points, Scaling};
use crate::metrics::both_classes;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{ClassWeight, Error, Objective, Result};
use haetae_features::FeatureMatrix;

const MODEL: &str = "SVM";
/// Greatest value of a kernel, without its sign: sums of a few stay within 32 bits.
const GREATEST: f64 = 2e37;

/// A support vector machine with a kernel: the problem that LIBSVM's C-SVC solves. The time grows at least with the
/// square of the rows; the memory is that of the rows and of the cache. For more than some 50,000 rows take
/// [`crate::Nystroem`] and [`crate::LinearSvm`].
///
/// Sources: Cortes and Vapnik, *Support-vector networks*, 1995; Fan, Chen and Lin, JMLR 6, 2005.
#[derive(Debug, Clone, Copy)]
pub struct Svm;

impl Svm {
    /// The parameters to start from.
    pub fn params() -> SvmParams {
        SvmParams::default()
    }
}

/// Parameters of [`Svm`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmParams {
    c: f64,
    kernel: Kernel,
    gamma: Option<f64>,
    class_weight: ClassWeight,
    scaled: bool,
    tolerance: f64,
    iterations: usize,
    cache_mb: usize,
    pub(super) threads: Option<usize>,
}

impl Default for SvmParams {
    fn default() -> Self {
        Self {
            c: 1.0,
            kernel: Kernel::Rbf,
            gamma: None,
            class_weight: ClassWeight::Equal,
            scaled: true,
            tolerance: 1e-3,
            iterations: 10_000_000,
            cache_mb: 200,
            threads: None,
        }
    }
}

impl SvmParams {
    /// Most force of a row, above 0: the greater, the fewer rows may lie within the margin; 1 unless said.
    #[must_use]
    pub fn c(mut self, c: f64) -> Self {
        self.c = c;
        self
    }

    /// What two rows have in common; [`Kernel::Rbf`] unless said.
    #[must_use]
    pub fn kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Scale of the kernel, above 0; unless said 1 / (features * variance of all their values), which is 1 / features
    /// where features are scaled.
    #[must_use]
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = Some(gamma);
        self
    }

    /// What the rows of either target weigh; the same unless said.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.class_weight = weight;
        self
    }

    /// Whether features are brought to mean 0 and deviation 1 first; true unless said.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// By how much rows may violate what holds for the best margin, where the margin is 1; 1e-3 unless said.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Most steps, each of two rows; ten million unless said.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// Megabytes for rows of the kernel that are kept, 1 to 1048576; 200 unless said. The model does not depend on it.
    #[must_use]
    pub fn cache_mb(mut self, megabytes: usize) -> Self {
        self.cache_mb = megabytes;
        self
    }

    /// Threads, 1 to 1024; all cores unless said. The model does not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedSvm> {
        let ranges = Ranges(MODEL);
        ranges.above_zero("c", self.c)?;
        check_gamma(ranges, self.kernel, self.gamma)?;
        if let Kernel::Polynomial { degree, constant } = self.kernel
            && constant.abs().powf(f64::from(degree)) > GREATEST
        {
            let expected = format!("one whose power {degree} is at most {GREATEST:e}");
            return ranges.refuse("constant", expected, format_args!("{constant:e}"));
        }
        ranges.between_zero_and_one("tolerance", self.tolerance)?;
        ranges.whole("iterations", self.iterations, 1..=usize::MAX)?;
        ranges.whole("cache_mb", self.cache_mb, 1..=1 << 20)?;
        ranges.threads(self.threads)?;
        self.class_weight.check(MODEL, 2)?;
        Ok(CheckedSvm { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedSvm::fit`].
    ///
    /// # Errors
    /// As [`SvmParams::check`] and [`CheckedSvm::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<SvmModel> {
        self.check()?.fit(features, target)
    }
}

/// Refuses a kernel that has no values.
pub(in crate::svm) fn check_gamma(ranges: Ranges, kernel: Kernel, gamma: Option<f64>) -> Result<()> {
    ranges.above_zero("gamma", gamma.unwrap_or(1.0))?;
    if let Kernel::Polynomial { degree, constant } = kernel {
        ranges.whole("degree", degree as usize, 1..=16)?;
        if !constant.is_finite() {
            return ranges.refuse("constant", "a finite number", constant);
        }
    }
    Ok(())
}

/// The scale that was asked for, or the one that suits the spread of the points.
pub(in crate::svm) fn gamma_of(asked: Option<f64>, points: &Points) -> f64 {
    asked.unwrap_or_else(|| {
        #[expect(clippy::cast_precision_loss, reason = "numbers of values are far below 2^53")]
        let (count, columns) = (points.values.len() as f64, points.columns as f64);
        let mean = points.values.iter().sum::<f64>() / count;
        let variance = points.values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        if variance > 0.0 { 1.0 / (columns * variance) } else { 1.0 }
    })
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedSvm {
    params: SvmParams,
}

impl CheckedSvm {
    /// Fits a margin between rows without missing values and categories, to a `target` of 0 and 1.
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, a target is neither 0 nor 1, all are equal, a value is
    /// missing or infinite, [`Error::TooLarge`] and [`Error::TooFar`] for a row that is too large for the kernel, a feature
    /// is categorical, the steps end short of the tolerance, or the notebook's stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<SvmModel> {
        let p = &self.params;
        check_rows("training rows", features, target, Objective::Binary)?;
        both_classes(target)?;
        let most = i32::MAX as usize;
        if features.rows() > most {
            return Err(Error::TooManyRows { model: MODEL, rows: features.rows(), most });
        }
        let scaling = Scaling::fit("training rows", features, p.scaled)?;
        let points = scaling.points(features)?;
        let function = Function { kernel: p.kernel, gamma: gamma_of(p.gamma, &points) };
        // Two rows have no more in common than the longer of them allows, and rows of the kernel are kept in 32 bits.
        let far = |&row: &usize| {
            let most = function.most(points.row(row));
            most.is_nan() || most > GREATEST
        };
        if let Some(row) = (0..points.rows).find(far) {
            return Err(Error::TooFar { row });
        }
        let classes = p.class_weight.of_rows(target, &[]);
        let task = Task {
            points: &points,
            function,
            target,
            costs: (p.c * classes.0, p.c * classes.1),
            tolerance: p.tolerance,
            iterations: p.iterations,
            cache_bytes: p.cache_mb << 20,
        };
        let found = with_threads(p.threads, || task.solve())??;
        Ok(SvmModel::new(scaling, function, &points, &found, p))
    }
}
