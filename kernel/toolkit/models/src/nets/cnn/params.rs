//! What a net over pictures is like, checked before anything is fitted; and its fit.

use super::model::{CnnModel, same_size};
use super::stages::{Cases, Form, Stages};
use crate::check::targets;
use crate::file::Origin;
use crate::metrics::both_classes;
use crate::nets::Pictures;
use crate::nets::device::fit;
use crate::nets::goal::Goal;
use crate::nets::methods::training_methods;
use crate::nets::training::{Training, row_weights};
use crate::range::Ranges;
use crate::{Error, Objective, Result};

const MODEL: &str = "CNN";

/// A convolutional net: stages of windows, rectifiers and the greatest number of each two by two pixels, then one layer
/// that is wholly connected. Series (pictures of one line) get windows along the line.
///
/// Source: LeCun et al., *Gradient-based learning applied to document recognition*, 1998.
#[derive(Debug, Clone, Copy)]
pub struct Cnn;

impl Cnn {
    /// The parameters to start from.
    pub fn params() -> CnnParams {
        CnnParams::default()
    }
}

/// Parameters of [`Cnn`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct CnnParams {
    objective: Objective,
    channels: Vec<usize>,
    window: usize,
    hidden: usize,
    mean: bool,
    training: Training,
}

impl Default for CnnParams {
    fn default() -> Self {
        let (objective, training) = (Objective::Binary, Training::new(32));
        Self { objective, channels: vec![8, 16], window: 3, hidden: 32, mean: false, training }
    }
}

impl CnnParams {
    /// What is learnt: [`Objective::Binary`], or [`Objective::Value`] by the squared error in deviations of the target
    /// (`predict` gives values then, and losses are squared deviations); binary unless said.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// Channels of each stage, 1 to 1024, 1 to 8 stages; 8 and 16 unless said.
    #[must_use]
    pub fn channels(mut self, channels: &[usize]) -> Self {
        self.channels = channels.to_vec();
        self
    }

    /// Height and width of the windows in pixels, odd, 1 to 15; 3 unless said.
    #[must_use]
    pub fn window(mut self, pixels: usize) -> Self {
        self.window = pixels;
        self
    }

    /// Width of the layer before the score, 1 to 8192; 32 unless said.
    #[must_use]
    pub fn hidden(mut self, width: usize) -> Self {
        self.hidden = width;
        self
    }

    /// Whether each channel of the last stage is averaged over the picture: then it does not matter where something
    /// stands, and there are fewer weights; false unless said.
    #[must_use]
    pub fn mean_over_picture(mut self, mean: bool) -> Self {
        self.mean = mean;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedCnn> {
        let ranges = Ranges(MODEL);
        ranges.whole("number of stages", self.channels.len(), 1..=8)?;
        self.channels.iter().try_for_each(|&channels| ranges.whole("channels", channels, 1..=1024))?;
        if self.window > 15 || self.window.is_multiple_of(2) {
            return ranges.refuse("window", "an odd number from 1 to 15", self.window);
        }
        ranges.whole("hidden", self.hidden, 1..=8192)?;
        self.training.check(MODEL)?;
        Goal::check(ranges, self.objective, self.training.class_weight)?;
        Ok(CheckedCnn { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedCnn::fit`].
    ///
    /// # Errors
    /// As [`CnnParams::check`] and [`CheckedCnn::fit`].
    pub fn fit(&self, pictures: &Pictures, target: &[f64]) -> Result<CnnModel> {
        self.check()?.fit(pictures, target)
    }

    /// Checks the parameters and fits; see [`CheckedCnn::fit_valid`].
    ///
    /// # Errors
    /// As [`CnnParams::check`] and [`CheckedCnn::fit_valid`].
    pub fn fit_valid(
        &self,
        pictures: &Pictures,
        target: &[f64],
        valid: &Pictures,
        valid_target: &[f64],
    ) -> Result<CnnModel> {
        self.check()?.fit_valid(pictures, target, valid, valid_target)
    }
}

training_methods!(CnnParams, "Pictures of a batch, 1 to 1048576; 32 unless said.");

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedCnn {
    params: CnnParams,
}

impl CheckedCnn {
    /// Fits a net to a `target` of 0 and 1, or of values (see [`CnnParams::objective`]); each channel is brought to mean 0 and deviation 1.
    ///
    /// # Errors
    /// When there are no pictures, lengths differ, a target is neither 0 nor 1, all are equal, the loss grows beyond all
    /// numbers ([`Error::Diverged`]), or the notebook's stop button was pressed.
    pub fn fit(&self, pictures: &Pictures, target: &[f64]) -> Result<CnnModel> {
        self.run(pictures, target, None)
    }

    /// As [`CheckedCnn::fit`], with the loss on `valid` pictures after each epoch; see [`CnnParams::patience`].
    ///
    /// # Errors
    /// As [`CheckedCnn::fit`], for both, of which the second may have one class only; [`Error::PictureSize`] when they
    /// are of another size.
    pub fn fit_valid(
        &self,
        pictures: &Pictures,
        target: &[f64],
        valid: &Pictures,
        valid_target: &[f64],
    ) -> Result<CnnModel> {
        self.run(pictures, target, Some((valid, valid_target)))
    }

    fn run(&self, pictures: &Pictures, target: &[f64], valid: Option<(&Pictures, &[f64])>) -> Result<CnnModel> {
        let p = &self.params;
        check("training pictures", pictures, target, p.objective)?;
        if p.objective == Objective::Binary {
            both_classes(target)?;
        }
        let form = Form {
            size: pictures.size,
            channels: p.channels.clone(),
            window: p.window,
            hidden: p.hidden,
            mean: p.mean,
        };
        let scale = pictures.moments();
        let weights = row_weights(p.training.class_weight, target, &[]);
        let goal = Goal::fit(p.objective, target, &weights);
        let valid = match valid {
            None => None,
            Some((valid, target)) => {
                check("validation pictures", valid, target, p.objective)?;
                same_size(form.size, valid.size)?;
                Some((valid, goal.scaled(target), row_weights(p.training.class_weight, target, &[])))
            }
        };
        let mut net = Stages::new(&form, p.training.dropout, p.training.seed);
        net.score.set_bias(goal.base(target, &weights));
        let target = goal.scaled(target);
        let mut learner = Cases { net, goal, pictures, target, weights, scale, valid };
        let (epochs, weights) = fit(MODEL, &p.training, pictures.len(), &form.there(goal), &mut learner)?;
        let ((means, deviations), threads, device) = (learner.scale, p.training.threads, p.training.device);
        let name = pictures.name.clone();
        Ok(CnnModel { goal, name, form, means, deviations, weights, epochs, origin: Origin::of(p), threads, device })
    }
}

fn check(what: &'static str, pictures: &Pictures, target: &[f64], objective: Objective) -> Result<()> {
    if pictures.is_empty() {
        return Err(Error::Empty { what, rows: 0, columns: pictures.size.values() });
    }
    targets(pictures.len(), target, objective)
}
