//! What a net is like -> the JSON that the library reads (`kernel/device/src/form.rs`).

use crate::nets::goal::Goal;
use crate::nets::optimiser::Optimiser;
use crate::nets::training::Training;
use serde_json::{Value, json};

/// The layers of a net, and what it learns.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Form {
    layers: Value,
    pub(super) heads: Vec<&'static str>,
}

impl Goal {
    fn head(self) -> &'static str {
        match self {
            Self::Chance => "chance",
            Self::Value { .. } => "value",
        }
    }
}

impl Form {
    /// Of one head. `layers` is the case of the library's `Layers`.
    pub(in crate::nets) fn new(layers: Value, goal: Goal) -> Self {
        Self { layers, heads: vec![goal.head()] }
    }

    /// Of DATE.
    pub(in crate::nets) fn of_two(layers: Value) -> Self {
        Self { layers, heads: vec!["chance", "value"] }
    }

    /// `decays` says of each list of weights whether decay pulls it to 0; no training where the net is only applied.
    pub(super) fn json(&self, decays: &[bool], training: Option<&Training>) -> String {
        let learning = training.map(|training| {
            let optimiser = match training.optimiser {
                Optimiser::AdamW { decay } => json!({"adam_w": {"decay": decay}}),
                Optimiser::Sgd { momentum, decay } => json!({"sgd": {"momentum": momentum, "decay": decay}}),
            };
            json!({"optimiser": optimiser, "clip": training.clip})
        });
        json!({"layers": self.layers, "heads": self.heads, "decays": decays, "learning": learning}).to_string()
    }
}
