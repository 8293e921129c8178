//! What goes in: a chart. What comes out: its figure for plotly.

use plotly::common::{Anchor, ColorBar, ColorScale, ColorScaleElement, Marker, Mode, Orientation, Title};
use plotly::configuration::DisplayModeBar;
use plotly::layout::{Axis, AxisType, BarMode, Margin};
use plotly::{Bar, BoxPlot, Configuration, HeatMap, Layout, Scatter, Trace};
use serde_json::{Value, json};

use crate::data::{Data, FiveNumbers, Labelled, Mark, Points};
use crate::{Chart, color};

/// Up to so many points of a line are marked by dots.
pub(crate) const DOTS_UP_TO: usize = 30;

/// `None` where the chart cannot be drawn. NaN and infinite values are null: serde_json writes them
/// so.
pub(crate) fn figure(chart: &Chart) -> Option<Value> {
    let data = chart.data.as_ref().ok()?;
    let traces: Vec<Value> = traces(chart, data).iter().map(serde_json::to_value).collect::<Result<_, _>>().ok()?;
    let mut layout = serde_json::to_value(layout(chart, data)).ok()?;
    for axis in ["xaxis", "yaxis"] {
        // Without it, plotly writes the title across long labels; the crate has no word for it.
        if let Some(title) = layout.pointer_mut(&format!("/{axis}/title")).and_then(Value::as_object_mut) {
            title.insert("standoff".to_owned(), Value::from(10));
        }
    }
    let config = Configuration::new().responsive(true).display_logo(false).display_mode_bar(DisplayModeBar::Hover);
    let config = serde_json::to_value(config).ok()?;
    Some(json!({ "data": traces, "layout": layout, "config": config }))
}

fn traces(chart: &Chart, data: &Data) -> Vec<Box<dyn Trace>> {
    let names = data.names();
    match data {
        Data::Labels { labels, series, horizontal } => {
            let labels: Vec<String> = labels.iter().map(|label| plain(label)).collect();
            let named = series.iter().zip(&names);
            named.map(|(series, name)| by_label(&labels, series, name.as_deref(), *horizontal)).collect()
        }
        Data::Numbers { series } => {
            series.iter().zip(&names).map(|(series, name)| by_number(series, name.as_deref())).collect()
        }
        Data::Histogram { edges, counts, .. } => vec![histogram(edges, counts)],
        Data::Boxes { labels, boxes } => vec![five_numbers(labels, boxes)],
        Data::Heatmap { column_labels, row_labels, rows } => {
            let plain = |labels: &[String]| labels.iter().map(|label| plain(label)).collect::<Vec<_>>();
            let stops = color::stops().map(|(at, color)| ColorScaleElement(at, color)).collect();
            let mut bar = ColorBar::new();
            if chart.percent {
                bar = bar.tick_format(PERCENT);
            }
            let map = HeatMap::new(plain(column_labels), plain(row_labels), rows.clone());
            vec![map.color_scale(ColorScale::Vector(stops)).color_bar(bar).hover_on_gaps(false)]
        }
    }
}

fn by_label(labels: &[String], series: &Labelled, name: Option<&str>, horizontal: bool) -> Box<dyn Trace> {
    let (labels, values) = (labels.to_vec(), series.values.clone());
    match (series.mark, horizontal) {
        (Mark::Bar, false) => {
            let bar = Bar::new(labels, values);
            if let Some(name) = name { bar.name(plain(name)) } else { bar }
        }
        (Mark::Bar, true) => {
            let bar = Bar::new(values, labels).orientation(Orientation::Horizontal);
            if let Some(name) = name { bar.name(plain(name)) } else { bar }
        }
        (mark, false) => scatter(Scatter::new(labels, values), mark, name, series.values.len()),
        (mark, true) => scatter(Scatter::new(values, labels), mark, name, series.values.len()),
    }
}

fn by_number(series: &Points, name: Option<&str>) -> Box<dyn Trace> {
    scatter(Scatter::new(series.x.clone(), series.y.clone()), series.mark, name, series.x.len())
}

fn scatter<X, Y>(scatter: Box<Scatter<X, Y>>, mark: Mark, name: Option<&str>, points: usize) -> Box<dyn Trace>
where
    X: serde::Serialize + Clone + 'static,
    Y: serde::Serialize + Clone + 'static,
{
    let scatter = match mark {
        Mark::Points => scatter.mode(Mode::Markers).marker(Marker::new().opacity(0.7)),
        _ if points <= DOTS_UP_TO => scatter.mode(Mode::LinesMarkers),
        _ => scatter.mode(Mode::Lines),
    };
    if let Some(name) = name { scatter.name(plain(name)) } else { scatter }
}

fn histogram(edges: &[f64], counts: &[u64]) -> Box<dyn Trace> {
    let bins = edges.windows(2).map(|edge| (edge[0], edge[1]));
    let middles = bins.clone().map(|(low, high)| low / 2.0 + high / 2.0).collect();
    let texts = bins.zip(counts).map(|((low, high), count)| {
        format!("{} to {}: {count}", crate::scale::number(low, false), crate::scale::number(high, false))
    });
    let width = edges.get(1).zip(edges.first()).map_or(1.0, |(second, first)| second - first);
    let bars = Bar::new(middles, counts.to_vec()).width(width).hover_text_array(texts.collect());
    bars.hover_info(plotly::common::HoverInfo::Text)
}

fn five_numbers(labels: &[String], boxes: &[FiveNumbers]) -> Box<dyn Trace> {
    let part = |at: usize| boxes.iter().map(|five| five[at]).collect::<Vec<f64>>();
    let labels = labels.iter().map(|label| plain(label)).collect();
    // Without values of its own: plotly then takes the five numbers as they are.
    let trace = Box::new(BoxPlot::<String, f64>::default()).x(labels);
    trace.lower_fence(part(0)).q1(part(1)).median(part(2)).q3(part(3)).upper_fence(part(4))
}

/// Significant digits as needed: 5%, 12.5%.
const PERCENT: &str = "~%";

fn layout(chart: &Chart, data: &Data) -> Layout {
    let (keys, values) = (key_axis(data), value_axis(chart, data));
    let (x, y) = match data {
        Data::Labels { horizontal: true, .. } => (values, keys),
        _ => (keys, values),
    };
    let label = |axis: Axis, text: &str| if text.is_empty() { axis } else { axis.title(Title::with_text(plain(text))) };
    let mut layout = Layout::new()
        .x_axis(label(x.auto_margin(true), &chart.x_label))
        .y_axis(label(y.auto_margin(true), &chart.y_label))
        .colorway(color::SERIES.to_vec())
        .margin(Margin::new().top(if chart.title.is_empty() { 24 } else { 56 }).right(24).bottom(56).left(64))
        .show_legend(data.names().iter().any(Option::is_some));
    if !chart.title.is_empty() {
        // To the left, out of the way of plotly's buttons.
        layout = layout.title(Title::with_text(plain(&chart.title)).x(0.02).x_anchor(Anchor::Left));
    }
    layout = match data {
        Data::Labels { .. } => layout.bar_mode(BarMode::Group),
        Data::Histogram { .. } => layout.bar_gap(0.03),
        Data::Numbers { .. } | Data::Boxes { .. } | Data::Heatmap { .. } => layout,
    };
    let (width, height) = chart.width_and_height();
    let layout = layout.height(height);
    if chart.size.is_some() { layout.width(width) } else { layout.auto_size(true) }
}

/// Labels are a kind of their own: "010121" and "2024-01" are neither numbers nor dates here.
fn key_axis(data: &Data) -> Axis {
    match data {
        Data::Labels { labels, horizontal: true, .. } => {
            Axis::new().type_(AxisType::Category).range(vec![labels.len() as f64 - 0.5, -0.5])
        }
        Data::Labels { .. } | Data::Boxes { .. } | Data::Heatmap { .. } => Axis::new().type_(AxisType::Category),
        Data::Numbers { .. } | Data::Histogram { .. } => Axis::new(),
    }
}

fn value_axis(chart: &Chart, data: &Data) -> Axis {
    if let Data::Heatmap { row_labels, .. } = data {
        let range = vec![row_labels.len() as f64 - 0.5, -0.5];
        return Axis::new().type_(AxisType::Category).range(range);
    }
    let axis = if chart.log { Axis::new().type_(AxisType::Log) } else { Axis::new() };
    if chart.percent { axis.tick_format(PERCENT) } else { axis }
}

/// Plotly reads tags and entities in every text; here a text is only a text.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
