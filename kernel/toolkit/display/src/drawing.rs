//! A chart as data: what the kernel has asked the warehouse for, and the toolkit draws.

use serde_json::{Value, json};

/// A chart that is to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// `bar`, `box`, `histogram`, `line` or `scatter`.
    pub kind: String,
    /// Line above it; empty for none.
    pub title: String,
    /// Title of the horizontal axis.
    pub x_label: String,
    /// Title of the vertical axis.
    pub y_label: String,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// Values that belong together. In a histogram, `x` has the edges and is one longer than `y`. Boxes are five series: lower
/// ends, lower quartiles, medians, upper quartiles, upper ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// For the legend; empty for none.
    pub name: String,
    /// Where on the horizontal axis.
    pub x: Places,
    /// Values; NaN where there is none.
    pub y: Vec<f64>,
}

/// Places on the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Places {
    /// Texts, each a place of its own.
    Labels(Vec<String>),
    /// Numbers.
    Numbers(Vec<f64>),
}

impl Drawing {
    /// The drawing as a text, which [`Drawing::decode`] reads.
    pub fn encode(&self) -> String {
        let series = self.series.iter().map(|series| {
            let (labels, numbers) = match &series.x {
                Places::Labels(labels) => (Some(labels), None),
                Places::Numbers(numbers) => (None, Some(numbers)),
            };
            json!({"name": series.name, "labels": labels, "numbers": numbers, "y": series.y})
        });
        let series: Vec<Value> = series.collect();
        let (title, x_label, y_label) = (&self.title, &self.x_label, &self.y_label);
        json!({"kind": self.kind, "title": title, "x_label": x_label, "y_label": y_label, "series": series}).to_string()
    }

    /// Reads such a text; `None` where it is none.
    pub fn decode(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        let series = value["series"].as_array()?.iter().map(|series| {
            let x = match &series["labels"] {
                Value::Null => Places::Numbers(numbers(&series["numbers"])?),
                labels => Places::Labels(
                    labels.as_array()?.iter().map(|label| label.as_str().map(str::to_owned)).collect::<Option<_>>()?,
                ),
            };
            Some(Series { name: text(series, "name")?, x, y: numbers(&series["y"])? })
        });
        Some(Self {
            kind: text(&value, "kind")?,
            title: text(&value, "title")?,
            x_label: text(&value, "x_label")?,
            y_label: text(&value, "y_label")?,
            series: series.collect::<Option<_>>()?,
        })
    }
}

/// Numbers; NaN is null in JSON.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    Some(value.as_array()?.iter().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_read_as_it_was_written() {
        let labels = Places::Labels(vec!["a\"b".to_owned(), String::new()]);
        let numbers = Places::Numbers(vec![0.1, -2e300]);
        let drawing = Drawing {
            kind: "line".to_owned(),
            title: "세관".to_owned(),
            series: vec![
                Series { name: "first".to_owned(), x: labels, y: vec![1.5, 2.0] },
                Series { name: String::new(), x: numbers, y: vec![0.0, 1.0] },
            ],
            ..Drawing::default()
        };
        assert_eq!(Drawing::decode(&drawing.encode()), Some(drawing.clone()));
        let holes = Drawing {
            series: vec![Series { name: String::new(), x: Places::Numbers(vec![1.0]), y: vec![f64::NAN] }],
            ..drawing
        };
        assert!(Drawing::decode(&holes.encode()).unwrap().series[0].y[0].is_nan());
        assert_eq!(Drawing::decode("{}"), None);
    }
}
