//! What a net is like -> the JSON that the library reads (`kernel/device/src/form.rs`).

use crate::nets::goal::Goal;
use crate::nets::layer::Weights;
use crate::nets::optimiser::Optimiser;
use crate::nets::training::Training;
use serde_json::{Value, json};

/// A net, and how it learns where it does.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Form {
    layers: Value,
    pub(super) heads: Vec<&'static str>,
    decays: Vec<bool>,
    learning: Value,
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
        Self { layers, heads: vec![goal.head()], decays: Vec::new(), learning: Value::Null }
    }

    /// Of DATE.
    pub(in crate::nets) fn of_two(layers: Value) -> Self {
        Self { layers, heads: vec!["chance", "value"], decays: Vec::new(), learning: Value::Null }
    }

    /// Of a net that learns.
    pub(super) fn learning(mut self, training: &Training) -> Self {
        let optimiser = match training.optimiser {
            Optimiser::AdamW { decay } => json!({"adam_w": {"decay": decay}}),
            Optimiser::Sgd { momentum, decay } => json!({"sgd": {"momentum": momentum, "decay": decay}}),
        };
        self.learning = json!({"optimiser": optimiser, "clip": training.clip});
        self
    }

    /// Takes down each list of weights, and gives all of them one behind the other.
    pub(super) fn weights(&mut self, all: &mut dyn FnMut(&mut dyn FnMut(&mut Weights<f32>))) -> Vec<f32> {
        let mut values = Vec::new();
        self.decays.clear();
        all(&mut |weights| {
            values.extend_from_slice(&weights.values);
            self.decays.push(weights.decays);
        });
        values
    }

    pub(super) fn json(&self) -> String {
        let Self { layers, heads, decays, learning } = self;
        json!({"layers": layers, "heads": heads, "decays": decays, "learning": learning}).to_string()
    }
}
