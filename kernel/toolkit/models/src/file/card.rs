//! What a model file says of its model, as text that can be read without the model.

use serde_json::{Value, json};
use std::fmt;

/// A model's kind, its features, and where it comes from. What a program cannot know is said before saving.
#[derive(Clone, PartialEq, Default)]
pub struct ModelCard {
    pub(super) kind: String,
    pub(super) summary: String,
    pub(super) features: Vec<(String, bool)>,
    pub(super) parameters: String,
    pub(super) program: String,
    pub(super) training_data: String,
    pub(super) metrics: Vec<(String, f64)>,
}

impl ModelCard {
    /// A card on which nothing is said yet; the file adds kind, features and parameters itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which rows the model has learnt from, and which version of them: a table's snapshot, a file's date, a query.
    #[must_use]
    pub fn trained_on(mut self, version: &str) -> Self {
        self.training_data = version.to_owned();
        self
    }

    /// A figure that the model has reached, by name; a second of the same name replaces the first.
    #[must_use]
    pub fn metric(mut self, name: &str, value: f64) -> Self {
        self.metrics.retain(|(known, _)| known != name);
        self.metrics.push((name.to_owned(), value));
        self
    }

    /// What kind of model it is: `random forest`, `k-means` …
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The model in a few words.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Names of the features, and whether each is one of categories; empty for a model that takes none.
    pub fn features(&self) -> &[(String, bool)] {
        &self.features
    }

    /// The parameters of the fit, as a program writes them.
    pub fn parameters(&self) -> &str {
        &self.parameters
    }

    /// What [`ModelCard::trained_on`] said; empty where nothing was said.
    pub fn training_data(&self) -> &str {
        &self.training_data
    }

    /// What [`ModelCard::metric`] said, in that order.
    pub fn metrics(&self) -> &[(String, f64)] {
        &self.metrics
    }

    /// Which version of Haetae wrote the file.
    pub fn program(&self) -> &str {
        &self.program
    }

    pub(super) fn to_json(&self) -> String {
        let features = self
            .features
            .iter()
            .map(|(name, categorical)| json!({"name": name, "type": if *categorical { "category" } else { "number" }}));
        let metrics = self.metrics.iter().map(|(name, value)| json!({"name": name, "value": value}));
        json!({
            "kind": self.kind,
            "summary": self.summary,
            "features": features.collect::<Vec<_>>(),
            "parameters": self.parameters,
            "training_data": self.training_data,
            "metrics": metrics.collect::<Vec<_>>(),
            "program": self.program,
        })
        .to_string()
    }

    /// None where the text is no card.
    pub(super) fn from_json(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let own = |name: &str| value[name].as_str().map(str::to_owned);
        let feature = |one: &Value| {
            let categorical = match one["type"].as_str()? {
                "category" => true,
                "number" => false,
                _ => return None,
            };
            Some((one["name"].as_str()?.to_owned(), categorical))
        };
        // A figure that is no number stands as null.
        let metric = |one: &Value| Some((one["name"].as_str()?.to_owned(), one["value"].as_f64().unwrap_or(f64::NAN)));
        Some(Self {
            kind: own("kind")?,
            summary: own("summary")?,
            features: value["features"].as_array()?.iter().map(feature).collect::<Option<_>>()?,
            parameters: own("parameters")?,
            program: own("program")?,
            training_data: own("training_data")?,
            metrics: value["metrics"].as_array()?.iter().map(metric).collect::<Option<_>>()?,
        })
    }
}

impl fmt::Display for ModelCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let features = self.features.iter().map(
            |(name, categorical)| {
                if *categorical { format!("{name} (category)") } else { name.clone() }
            },
        );
        let metrics = self.metrics.iter().map(|(name, value)| format!("{name} {value}"));
        for (name, said) in [
            ("kind", self.kind.clone()),
            ("model", self.summary.clone()),
            ("features", features.collect::<Vec<_>>().join(", ")),
            ("parameters", self.parameters.clone()),
            ("trained on", self.training_data.clone()),
            ("metrics", metrics.collect::<Vec<_>>().join(", ")),
        ] {
            if !said.is_empty() {
                writeln!(f, "{name}: {said}")?;
            }
        }
        write!(f, "written by: {}", self.program)
    }
}

// What is shown of a value in a cell.
impl fmt::Debug for ModelCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
