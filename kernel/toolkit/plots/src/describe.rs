//! What goes in: a chart. What comes out: a line of text for those who see no picture.

use crate::Chart;
use crate::data::{Data, span};
use crate::scale::number;

pub(crate) fn describe(chart: &Chart) -> String {
    let data = match &chart.data {
        Ok(data) => data,
        Err(error) => return format!("The chart cannot be drawn: {error}"),
    };
    let mut text = capitalised(data.kind());
    if !chart.title.is_empty() {
        text += &format!(" \"{}\"", chart.title);
    }
    text += ": ";
    text += &contents(data);
    let names: Vec<String> = data.names().into_iter().flatten().collect();
    if !names.is_empty() {
        text += &format!("; series {}", names.join(", "));
    }
    if let Some((low, high)) = values(data) {
        text += &format!("; values {} to {}", number(low, chart.percent), number(high, chart.percent));
    }
    if let Data::Histogram { left_out: left_out @ 1.., .. } = data {
        text += &format!("; {left_out} values are no finite numbers and are left out");
    }
    text
}

fn contents(data: &Data) -> String {
    match data {
        Data::Labels { labels, .. } => counted(labels.len(), "label"),
        Data::Numbers { series } => counted(series.iter().map(|series| series.x.len()).sum(), "point"),
        Data::Histogram { counts, .. } => {
            format!("{} in {}", counted(counts.iter().sum::<u64>() as usize, "value"), counted(counts.len(), "bin"))
        }
        Data::Boxes { labels, .. } => counted(labels.len(), "label"),
        Data::Heatmap { column_labels, row_labels, .. } => {
            format!("{} by {}", counted(row_labels.len(), "row"), counted(column_labels.len(), "column"))
        }
    }
}

fn values(data: &Data) -> Option<(f64, f64)> {
    match data {
        Data::Labels { series, .. } => span(series.iter().flat_map(|series| &series.values)),
        Data::Numbers { series } => span(series.iter().flat_map(|series| &series.y)),
        Data::Histogram { edges, .. } => span(edges.iter()),
        Data::Boxes { boxes, .. } => span(boxes.as_flattened().iter()),
        Data::Heatmap { rows, .. } => span(rows.iter().flatten()),
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
