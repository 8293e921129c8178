//! Cells, to the text of a notebook: the same bytes as nbformat writes, so that saving it changes nothing.

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// A cell of a notebook.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Its id: letters, digits and `-`.
    pub id: String,
    /// Whether a kernel runs it.
    pub code: bool,
    /// Its text.
    pub source: String,
    /// nbgrader's word on it.
    pub grader: Option<Grader>,
    /// Tags; papermill looks for `parameters`.
    pub tags: Vec<&'static str>,
}

/// What nbgrader knows of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grader {
    /// What trainees leave as it is.
    Locked,
    /// What they solve.
    Solution,
    /// A check, and the points that it gives.
    Test(u32),
}

impl Cell {
    /// A cell of text.
    pub fn text(id: String, source: impl Into<String>) -> Self {
        Self { id, code: false, source: source.into(), grader: None, tags: Vec::new() }
    }

    /// A cell to be run.
    pub fn code(id: String, source: impl Into<String>, grader: Option<Grader>) -> Self {
        Self { id, code: true, source: source.into(), grader, tags: Vec::new() }
    }

    /// The cell with a tag.
    #[must_use]
    pub fn tagged(mut self, tag: &'static str) -> Self {
        self.tags.push(tag);
        self
    }

    fn json(&self) -> Value {
        let lines: Vec<&str> = self.source.split_inclusive('\n').collect();
        let mut metadata = Map::new();
        if let Some(grader) = self.grader {
            let points = match grader {
                Grader::Test(points) => Some(points),
                Grader::Locked | Grader::Solution => None,
            };
            let mut about = json!({
                "grade": points.is_some(),
                "grade_id": self.id,
                "locked": grader != Grader::Solution,
                "schema_version": 3,
                "solution": grader == Grader::Solution,
                "task": false,
            });
            if let Some(points) = points {
                about["points"] = points.into();
            }
            metadata.insert("nbgrader".to_owned(), about);
        }
        if !self.tags.is_empty() {
            metadata.insert("tags".to_owned(), json!(self.tags));
        }
        let mut cell = json!({"id": self.id, "metadata": metadata, "source": lines});
        if self.code {
            cell["cell_type"] = "code".into();
            cell["execution_count"] = Value::Null;
            cell["outputs"] = json!([]);
        } else {
            cell["cell_type"] = "markdown".into();
        }
        cell
    }
}

/// The text of a notebook of the course.
///
/// # Errors
/// Never in practice: cells are plain data.
pub fn text(module: &str, part: &str, language: &str, cells: &[Cell]) -> Result<String> {
    let notebook = json!({
        "cells": cells.iter().map(Cell::json).collect::<Vec<_>>(),
        "metadata": {
            "haetae": {"course": {"language": language, "module": module, "part": part}},
            "kernelspec": {"display_name": "Rust (Haetae)", "language": "rust", "name": "haetae"},
            "language_info": {"name": "rust"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    let mut bytes = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b" "));
    let failed = |source| Error::Json { what: format!("the notebook {part} of {module}"), source };
    sorted(notebook).serialize(&mut writer).map_err(failed)?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Keys in alphabetical order at every depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}
