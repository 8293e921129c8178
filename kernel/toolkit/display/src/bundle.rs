//! A MIME bundle: one value in several representations, of which the front end shows the richest
//! that it knows.

use serde_json::{Map, Value};

/// MIME type -> representation. Text types hold a JSON string, `…+json` types a JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle(Map<String, Value>);

impl Bundle {
    /// A bundle that holds plain text alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().with("text/plain", Value::String(text.into()))
    }

    /// The same bundle with one representation more; a second one of the same type replaces the
    /// first.
    #[must_use]
    pub fn with(mut self, mime: &str, value: Value) -> Self {
        self.0.insert(mime.to_owned(), value);
        self
    }

    /// A bundle made of representations that are there already.
    pub fn from_map(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// The plain text, which every bundle should have.
    pub fn plain(&self) -> &str {
        self.0.get("text/plain").and_then(Value::as_str).unwrap_or("")
    }

    /// The `data` of a Jupyter `display_data` or `execute_result` message.
    pub fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}
