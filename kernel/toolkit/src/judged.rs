//! Evaluations, reliability and clusters -> charts.

use crate::features::FeatureMatrix;
use crate::models::{self, Evaluation, Pca, Protocol, Reliability};
use crate::plots::Chart;

/// A chart of what was judged.
pub trait Judged {
    /// An evaluation: the AUC of each model, a bar for each protocol. A reliability: what was said beside what came true, and
    /// the line on which both are equal.
    fn chart(&self) -> Chart;
}

impl Judged for Evaluation {
    fn chart(&self) -> Chart {
        let mut names: Vec<String> = Vec::new();
        for score in self.scores() {
            if !names.contains(&score.model) {
                names.push(score.model.clone());
            }
        }
        let auc = |protocol: Protocol| -> Vec<f64> {
            names.iter().map(|name| self.get(protocol, name).map_or(f64::NAN, |score| score.auc)).collect()
        };
        let judged = |protocol: &Protocol| self.scores().iter().any(|score| score.protocol == *protocol);
        let mut protocols = [Protocol::Full, Protocol::Clean, Protocol::Grouped].into_iter().filter(judged);
        let first = protocols.next().unwrap_or(Protocol::Full);
        let chart = Chart::bar(&names, &auc(first)).name(first.name());
        let chart = protocols.fold(chart, |chart, next| chart.add_bar(next.name(), &names, &auc(next)));
        chart.title("How well each model tells 1 from 0").y_label("AUC (0.5 is chance)")
    }
}

impl Judged for Reliability {
    fn chart(&self) -> Chart {
        let (said, true_): (Vec<f64>, Vec<f64>) = self.bins().iter().map(|bin| (bin.said, bin.came_true)).unzip();
        let ends = [0.0, 1.0];
        let chart = Chart::line(&said, &true_).name("found").add_line("both equal", &ends, &ends);
        chart.title("What was said and what came true").x_label("mean probability").y_label("share of target 1")
    }
}

/// Rows with cluster labels, along the two directions in which they differ most (see [`Pca`]), a colour for each cluster.
///
/// # Errors
/// When there are not as many labels as rows, or as [`Pca`]: fewer than two features or rows, missing values, categories.
pub fn chart_of_clusters(features: &FeatureMatrix, labels: &[i32]) -> models::Result<Chart> {
    if labels.len() != features.rows() {
        return Err(models::Error::Rows { what: "labels", expected: features.rows(), found: labels.len() });
    }
    let places = Pca::params().components(2).fit(features)?.transform(features)?;
    // As many digits for each, so that the order of the names is that of the numbers.
    let digits = labels.iter().max().map_or(1, |most| most.to_string().len());
    let name = |label: &i32| if *label < 0 { "noise".to_owned() } else { format!("cluster {label:0digits$}") };
    let groups: Vec<String> = labels.iter().map(name).collect();
    let chart = Chart::scatter_by(places.column(0), places.column(1), &groups).title("Clusters");
    Ok(chart.x_label("first component").y_label("second component"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Audit, KMeans, reliability};
    use polars::prelude::*;

    fn text(chart: &Chart) -> String {
        chart.check().unwrap();
        chart.bundle()["text/plain"].as_str().unwrap().to_owned()
    }

    #[test]
    fn an_evaluation_has_a_bar_for_each_model_and_protocol() {
        let frame = df!("key" => ["a", "b", "c", "d"], "fraud" => [true, false, true, false]).unwrap();
        let mut compared = Evaluation::new(Audit::of(&frame, &frame, &["key"], "fraud").unwrap());
        assert!(compared.chart().check().is_err());
        let target = [1.0, 0.0, 1.0, 0.0];
        compared.add(Protocol::Full, "trees", &target, &[0.9, 0.1, 0.8, 0.2], None).unwrap();
        compared.add(Protocol::Full, "price", &target, &[0.1, 0.1, 0.8, 0.2], None).unwrap();
        compared.add(Protocol::Clean, "trees", &target, &[0.9, 0.9, 0.8, 0.2], None).unwrap();
        let figure = compared.chart().json();
        let figure: serde_json::Value = serde_json::from_str(&figure).unwrap();
        let bars = figure["data"].as_array().unwrap();
        assert_eq!(bars.iter().map(|bar| bar["name"].as_str().unwrap()).collect::<Vec<_>>(), ["full", "clean"]);
        assert_eq!(bars[0]["x"], serde_json::json!(["trees", "price"]));
        assert_eq!(bars[0]["y"], serde_json::json!([1.0, 0.625]));
        assert_eq!(bars[1]["y"], serde_json::json!([0.625, null]));
    }

    #[test]
    fn reliability_and_clusters_are_drawn() {
        let drawn = text(&reliability(&[0.0, 0.0, 1.0, 1.0], &[0.1, 0.2, 0.7, 0.9], 2).unwrap().chart());
        assert!(drawn.contains("What was said and what came true"), "{drawn}");
        let x: Vec<f64> = (0..40).map(|row| f64::from(row / 20 * 100 + row % 7)).collect();
        let y: Vec<f64> = (0..40).map(|row| f64::from(row % 3)).collect();
        let names = ["x", "y"].map(str::to_owned).to_vec();
        let features = FeatureMatrix::new(names, vec![x, y], vec![false; 2]).unwrap();
        let means = KMeans::params().clusters(2).fit(&features).unwrap();
        let chart = chart_of_clusters(&features, means.labels()).unwrap();
        chart.check().unwrap();
        let figure: serde_json::Value = serde_json::from_str(&chart.json()).unwrap();
        let groups = figure["data"].as_array().unwrap();
        assert_eq!(
            groups.iter().map(|group| group["name"].as_str().unwrap()).collect::<Vec<_>>(),
            ["cluster 0", "cluster 1"]
        );
        let error = chart_of_clusters(&features, &[0]).unwrap_err().to_string();
        assert!(error.starts_with("labels: expected 40 rows"), "{error}");
    }
}
