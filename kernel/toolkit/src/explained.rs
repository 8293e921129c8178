//! What features add to scores -> charts of one row and of all, and a table of all.

use crate::display::Bundle;
use crate::models::{Contributions, Result};
use crate::plots::Chart;
use crate::show::{Show, frame_or_text};
use polars::frame::DataFrame;
use polars::prelude::Column;
use std::collections::BTreeMap;

/// Charts of what features add to scores.
pub trait Explained {
    /// What moves the score of one row most, up to the right and down to the left: at most `count` features, the largest on
    /// top. Of a row that is not there the chart says that there is nothing.
    fn chart(&self, row: usize, count: usize) -> Chart;

    /// How far features move scores in the mean over all rows: at most `count`, the largest on top.
    fn chart_of_all(&self, count: usize) -> Chart;
}

impl Explained for Contributions {
    fn chart(&self, row: usize, count: usize) -> Chart {
        let expected = self.expected(row, 0);
        let score = expected + self.row(row, 0).iter().sum::<f64>();
        let title = format!("Row {row}: from {expected:.2} to {score:.2}");
        bars(self.strongest(row, 0, count)).title(&title).x_label("added to the score")
    }

    fn chart_of_all(&self, count: usize) -> Chart {
        let mut all = self.overall(0);
        all.truncate(count);
        bars(all).title("What moves scores").x_label("mean of what is added, up or down")
    }
}

/// How far each feature moves scores in the mean, up or down; of several classes, those of each. The features that move
/// those of the first class most come first.
fn frame(of: &Contributions) -> Result<DataFrame> {
    let order: Vec<String> = of.overall(0).into_iter().map(|(name, _)| name).collect();
    let mut columns = Vec::new();
    for class in 0..of.classes() {
        let known: BTreeMap<String, f64> = of.overall(class).into_iter().collect();
        let by = |name: &String| known.get(name).copied().unwrap_or(f64::NAN);
        let name = if of.classes() == 1 { "moves_scores_by".to_owned() } else { format!("moves_class_{class}_by") };
        columns.push(Column::new(name.into(), order.iter().map(by).collect::<Vec<f64>>()));
    }
    let rows = order.len();
    columns.insert(0, Column::new("feature".into(), order));
    Ok(DataFrame::new(rows, columns)?)
}

/// A row for each feature: how far it moves scores, the strongest first.
impl Show for Contributions {
    fn to_bundle(&self) -> Bundle {
        frame_or_text(frame(self), self)
    }
}

fn bars(pairs: Vec<(String, f64)>) -> Chart {
    let (names, values): (Vec<String>, Vec<f64>) = pairs.into_iter().unzip();
    Chart::barh(&names, &values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureMatrix;
    use crate::models::Logistic;

    #[test]
    fn a_row_and_all_rows_are_drawn() {
        let x: Vec<f64> = (0..60).map(f64::from).collect();
        let idle: Vec<f64> = (0..60).map(|row| f64::from(row % 7)).collect();
        let target: Vec<f64> = x.iter().map(|x| f64::from(*x >= 30.0)).collect();
        let names = ["x", "idle"].map(str::to_owned).to_vec();
        let features = FeatureMatrix::new(names, vec![x, idle], vec![false; 2]).unwrap();
        let told = Logistic::params().fit(&features, &target).unwrap().contributions(&features).unwrap();
        let text = |chart: Chart| chart.bundle()["text/plain"].as_str().unwrap().to_owned();
        let one = text(told.chart(59, 5));
        assert!(one.contains("Row 59: from "), "{one}");
        assert!(one.contains("2 labels"), "{one}");
        let all = text(told.chart_of_all(1));
        assert!(all.contains("What moves scores") && all.contains("1 label"), "{all}");
        assert!(text(told.chart(60, 5)).contains("cannot be drawn"));
        let table = frame(&told).unwrap();
        assert_eq!(table.shape(), (2, 2));
        assert_eq!(table.column("feature").unwrap().str().unwrap().get(0), Some("x"));
        assert!(crate::bundle_of(&told).unwrap().plain().contains("moves_scores_by"));
    }
}
