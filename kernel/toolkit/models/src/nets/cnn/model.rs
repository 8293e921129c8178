//! A fitted net over pictures: the probability of each, or its value.

use super::stages::{Form, Stages, batch, scaled, scored_at_once};
use crate::file::{About, Described, Origin, stored};
use crate::nets::Pictures;
use crate::nets::device::{Device, applied};
use crate::nets::goal::Goal;
use crate::nets::layer::Pass;
use crate::nets::matrix::Matrix;
use crate::nets::picture::Size;
use crate::nets::training::Epoch;
use crate::nets::weights::{finite_scores, fits, in_blocks, lengths_of_dense, with_weights};
use crate::threads::with_threads;
use crate::{Error, Result};

pub(super) fn same_size(expected: Size, found: Size) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let text = |size: Size| format!("{} x {} x {}", size.height, size.width, size.channels);
    Err(Error::PictureSize { expected: text(expected), found: text(found) })
}

/// A net that has been fitted; see [`super::Cnn`].
#[derive(Clone)]
pub struct CnnModel {
    pub(super) goal: Goal,
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) means: Vec<f64>,
    pub(super) deviations: Vec<f64>,
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) epochs: Vec<Epoch>,
    pub(super) origin: Origin,
    pub(super) threads: Option<usize>,
    pub(super) device: Option<Device>,
}

impl std::fmt::Debug for CnnModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Size { height, width, channels } = self.form.size;
        write!(f, "CNN, {} weights on pictures of {height} x {width} x {channels}", self.size())
    }
}

impl CnnModel {
    /// Number of weights.
    pub fn size(&self) -> usize {
        self.weights.iter().map(Vec::len).sum()
    }

    /// The losses of the epochs that were made.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The same model, working on a device; see [`CnnParams::device`](crate::CnnParams::device). A model that was read from a
    /// file works on that of `HAETAE_DEVICE`.
    #[must_use]
    pub fn on_device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Probability of 1 for each picture; the value where values were learnt.
    ///
    /// # Errors
    /// [`Error::PictureSize`] for pictures of another size than those of the fit, [`Error::TooFar`] with the number of a
    /// picture whose score is no finite number, because its pixels lie too far from those of the fit, [`Error::Cancelled`]
    /// when the notebook's stop button was pressed.
    pub fn predict(&self, pictures: &Pictures) -> Result<Vec<f64>> {
        same_size(self.form.size, pictures.size)?;
        let mut net = with_weights(Stages::<f32>::new(&self.form, 0.0, 0), &self.weights);
        let scale = (self.means.clone(), self.deviations.clone());
        let all: Vec<usize> = (0..pictures.len()).collect();
        let at_once = scored_at_once(self.form.size);
        if let Some(mut there) = applied(self.device, &self.form.there(self.goal), &mut net)? {
            let said = |cases: &[usize], sums: Vec<f32>| self.goal.said(Matrix::new(cases.len(), 1, sums));
            return finite_scores(
                there.in_blocks(&all, at_once, &|cases| batch(pictures, cases, &scale), &said)?.concat(),
            );
        }
        let score = |net: &mut Stages<f32>, cases: &[usize]| {
            self.goal.said(net.forward(scaled(pictures, cases, &scale), &mut Pass::scoring()))
        };
        finite_scores(with_threads(self.threads, || in_blocks(&net, &all, at_once, &score))??.concat())
    }
}

stored!(Size { height, width, channels });
stored!(Form { size, channels, window, hidden, mean });
stored!(CnnModel { goal, name, form, means, deviations, weights, epochs, origin } anew { threads: None, device: None });

impl Described for CnnModel {
    fn about(&self) -> About {
        About::of_numbers(std::slice::from_ref(&self.name), &self.origin)
    }

    fn is_sound(&self) -> bool {
        let Form { size, channels, .. } = &self.form;
        let known = |number: usize| (1..=1 << 24).contains(&number);
        let sizes = [size.height, size.width, size.channels, self.form.hidden];
        if !sizes.iter().chain(channels).all(|&number| known(number)) || self.form.window.is_multiple_of(2) {
            return false;
        }
        let (mut height, mut width, mut from) = (size.height, size.width, size.channels);
        let area = self.form.windows().0.saturating_mul(self.form.windows().1);
        let mut lengths = Vec::new();
        for &channels in channels {
            lengths.extend([area.saturating_mul(from).saturating_mul(channels), channels]);
            (height, width, from) = (height.div_ceil(2), width.div_ceil(2), channels);
        }
        if self.form.mean {
            (height, width) = (1, 1);
        }
        let flat = height.saturating_mul(width).saturating_mul(from);
        lengths.extend(lengths_of_dense(&[flat, self.form.hidden, 1]));
        let scales = self.means.len() == size.channels && self.deviations.len() == size.channels;
        let sound =
            self.deviations.iter().all(|deviation| *deviation > 0.0) && self.means.iter().all(|m| m.is_finite());
        scales && sound && self.goal.is_sound() && fits(&lengths, &self.weights)
    }
}
