//! What `%sqlplot` has asked the warehouse for -> a chart. Called by the cell that the kernel writes
//! for it; an analyst has no need of it.

use crate::display::Drawing;
use crate::display::drawing::{Places, Series};
use crate::plots::Chart;
use crate::{Error, Result};

/// The chart whose data the kernel left in a file; the file is removed.
///
/// # Errors
/// When the file is gone or is no drawing.
pub fn drawn(path: &str) -> Result<Chart> {
    let handover = |source| Error::Handover { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(handover)?;
    std::fs::remove_file(path).map_err(handover)?;
    let drawing = Drawing::decode(&text).ok_or_else(|| handover(std::io::ErrorKind::InvalidData.into()))?;
    Ok(chart(&drawing))
}

/// Draws. A drawing without series, or of an unknown kind, is a chart that says why there is nothing.
pub fn chart(drawing: &Drawing) -> Chart {
    if drawing.kind == "box" {
        return labelled(boxes(&drawing.series), drawing);
    }
    let mut series = drawing.series.iter();
    let first =
        series.next().cloned().unwrap_or(Series { name: String::new(), x: Places::Labels(Vec::new()), y: Vec::new() });
    let mut chart = begun(&drawing.kind, &first);
    if !first.name.is_empty() {
        chart = chart.name(&first.name);
    }
    for more in series {
        chart = match (drawing.kind.as_str(), &more.x) {
            ("bar", Places::Labels(labels)) => chart.add_bar(&more.name, labels, &more.y),
            ("scatter", Places::Numbers(x)) => chart.add_scatter(&more.name, x, &more.y),
            (_, Places::Labels(labels)) => chart.add_line_by(&more.name, labels, &more.y),
            (_, Places::Numbers(x)) => chart.add_line(&more.name, x, &more.y),
        };
    }
    labelled(chart, drawing)
}

fn labelled(chart: Chart, drawing: &Drawing) -> Chart {
    chart.title(&drawing.title).x_label(&drawing.x_label).y_label(&drawing.y_label)
}

/// Five series, one for each number of the boxes.
fn boxes(series: &[Series]) -> Chart {
    let labels = match series.first().map(|series| &series.x) {
        Some(Places::Labels(labels)) => labels.as_slice(),
        _ => &[],
    };
    let number = |of: usize, at: usize| series.get(of).and_then(|series| series.y.get(at)).copied().unwrap_or(f64::NAN);
    let boxes: Vec<[f64; 5]> = (0..labels.len()).map(|at| std::array::from_fn(|of| number(of, at))).collect();
    Chart::boxes_of(labels, &boxes)
}

fn begun(kind: &str, series: &Series) -> Chart {
    match (kind, &series.x) {
        // A count is no larger than what a number of 64 bits holds exactly.
        ("histogram", Places::Numbers(edges)) => {
            Chart::histogram_of(edges, &series.y.iter().map(|count| *count as u64).collect::<Vec<_>>())
        }
        ("bar", Places::Labels(labels)) => Chart::bar(labels, &series.y),
        ("scatter", Places::Numbers(x)) => Chart::scatter(x, &series.y),
        (_, Places::Labels(labels)) => Chart::line_by(labels, &series.y),
        (_, Places::Numbers(x)) => Chart::line(x, &series.y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(kind: &str, series: Vec<Series>) -> Drawing {
        Drawing { kind: kind.to_owned(), title: "T".to_owned(), series, ..Drawing::default() }
    }

    fn text(drawing: &Drawing) -> String {
        chart(drawing).bundle()["text/plain"].as_str().unwrap().to_owned()
    }

    #[test]
    fn each_kind_becomes_its_chart() {
        let labels = |name: &str| Series {
            name: name.to_owned(),
            x: Places::Labels(vec!["a".to_owned(), "b".to_owned()]),
            y: vec![1.0, 2.0],
        };
        let numbers = Series { name: String::new(), x: Places::Numbers(vec![0.0, 1.0]), y: vec![1.0, 2.0] };
        let counted = Series { x: Places::Numbers(vec![0.0, 1.0, 2.0]), ..numbers.clone() };
        assert_eq!(
            text(&drawing("bar", vec![labels("one"), labels("two")])),
            "Bar chart \"T\": 2 labels; series one, two; values 1 to 2"
        );
        assert!(text(&drawing("line", vec![labels("")])).starts_with("Line chart \"T\": 2 labels"));
        assert!(text(&drawing("line", vec![numbers.clone()])).starts_with("Line chart \"T\": 2 points"));
        assert!(text(&drawing("scatter", vec![numbers])).starts_with("Scatter plot \"T\": 2 points"));
        assert!(text(&drawing("histogram", vec![counted])).starts_with("Histogram \"T\": 3 values in 2 bins"));
        let quartiles = vec![labels("low"), labels("lower"), labels("median"), labels("upper"), labels("high")];
        assert_eq!(text(&drawing("box", quartiles)), "Box plot \"T\": 2 labels; values 1 to 2");
        assert!(text(&drawing("box", Vec::new())).contains("cannot be drawn"));
        assert!(text(&drawing("bar", Vec::new())).contains("cannot be drawn"));
    }

    #[test]
    fn a_drawing_is_read_once_from_its_file() {
        let path = std::env::temp_dir().join(format!("haetae-drawing-{}.json", std::process::id()));
        let path = path.display().to_string();
        let numbers = Series { name: String::new(), x: Places::Numbers(vec![0.0, 1.0]), y: vec![1.0, 2.0] };
        std::fs::write(&path, drawing("line", vec![numbers]).encode()).unwrap();
        assert!(drawn(&path).unwrap().check().is_ok());
        assert!(drawn(&path).unwrap_err().to_string().contains(&path));
        std::fs::write(&path, "{").unwrap();
        assert!(drawn(&path).is_err());
    }
}
