//! What features add to scores -> charts of one row and of all.

use crate::models::Contributions;
use crate::plots::Chart;

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
    }
}
