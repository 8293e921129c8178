//! JSON -> what a net is like. The names are those of `kernel/toolkit/models/src/nets/device/form.rs`, which writes it.

use candle_core::{Result, bail};
use serde::Deserialize;

/// A net, and how it learns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Form {
    pub(crate) layers: Layers,
    /// What each sum of the last layers stands for.
    pub(crate) heads: Vec<Head>,
    /// Of each list of weights, whether weight decay pulls it to 0.
    pub(crate) decays: Vec<bool>,
    /// None where the net is only applied.
    pub(crate) learning: Option<Learning>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Layers {
    Fcnn(Fcnn),
    Recurrent(Recurrent),
    Cnn(Cnn),
    Date(Date),
}

/// Numbers and embeddings (places and width of each) -> layers that are wholly connected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fcnn {
    pub(crate) numbers: usize,
    pub(crate) tables: Vec<(usize, usize)>,
    pub(crate) hidden: Vec<usize>,
    pub(crate) layer_norm: bool,
}

/// The same inputs -> layers along sequences.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recurrent {
    pub(crate) numbers: usize,
    pub(crate) tables: Vec<(usize, usize)>,
    pub(crate) gru: bool,
    pub(crate) width: usize,
    pub(crate) layers: usize,
    /// Steps through which a gradient goes back.
    pub(crate) window: usize,
}

/// Pictures -> stages of windows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cnn {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) stages: Vec<usize>,
    pub(crate) window: (usize, usize),
    pub(crate) hidden: usize,
    pub(crate) mean: bool,
}

/// Leaves of trees and entities -> two heads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Date {
    pub(crate) trees: usize,
    pub(crate) leaves: usize,
    pub(crate) entities: Vec<usize>,
    pub(crate) width: usize,
    pub(crate) heads: usize,
    pub(crate) hidden: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Head {
    /// Log-odds of 1: the logarithmic loss.
    Chance,
    /// A value: the squared difference.
    Value,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Learning {
    pub(crate) optimiser: Optimiser,
    /// Greatest length of the gradient of all weights together.
    pub(crate) clip: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Optimiser {
    AdamW { decay: f64 },
    Sgd { momentum: f64, decay: f64 },
}

impl Form {
    pub(crate) fn read(text: &str) -> Result<Self> {
        match serde_json::from_str(text) {
            Ok(form) => Ok(form),
            Err(error) => bail!("the description of the net cannot be read: {error}"),
        }
    }
}
