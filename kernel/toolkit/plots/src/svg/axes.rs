//! What goes in: a chart and the space for it. What comes out: two axes with ticks, and where the
//! data may be drawn between them.

use super::Area;
use super::canvas::{Anchor, Canvas, Look, TEXT, shortened, text_width};
use crate::Chart;
use crate::data::{Data, Mark, span};
use crate::scale::Scale;

/// The axis that the labels or the x values stand on.
pub(super) enum Keys {
    /// So many places of equal width.
    Places(Vec<String>),
    Numbers(Scale),
}

pub(super) struct Axes {
    pub(super) area: Area,
    pub(super) keys: Keys,
    pub(super) values: Scale,
    /// The keys run downwards and the values to the right.
    pub(super) horizontal: bool,
    key_texts: KeyTexts,
}

/// How labels are written below the axis.
#[derive(Clone, Copy, PartialEq)]
struct KeyTexts {
    /// Every how many labels one is written.
    every: usize,
    turned: bool,
}

const STRAIGHT: KeyTexts = KeyTexts { every: 1, turned: false };
const TURN: f64 = -40.0;
/// The longest label, in pixels: below an upright chart, and beside a lying one.
const LONGEST_BELOW: f64 = 110.0;
const LONGEST_BESIDE: f64 = 220.0;
const TITLE: f64 = 20.0;
const GAP: f64 = 8.0;

impl Axes {
    /// The pixel of a share of the key axis.
    pub(super) fn key(&self, share: f64) -> f64 {
        match self.horizontal {
            true => self.area.top + share * self.area.height(),
            false => self.area.left + share * self.area.width(),
        }
    }

    /// The pixel of a share of the value axis.
    pub(super) fn value(&self, share: f64) -> f64 {
        match self.horizontal {
            true => self.area.left + share * self.area.width(),
            false => self.area.bottom - share * self.area.height(),
        }
    }

    /// A point from its pixels on both axes.
    pub(super) fn point(&self, key: f64, value: f64) -> (f64, f64) {
        if self.horizontal { (value, key) } else { (key, value) }
    }
}

/// Ticks about `distance` pixels apart.
fn tick_count(length: f64, distance: f64) -> usize {
    ((length / distance) as usize).clamp(2, 10)
}

pub(super) fn plan(chart: &Chart, data: &Data, space: Area) -> Axes {
    let horizontal = matches!(data, Data::Labels { horizontal: true, .. });
    let value_length = if horizontal { space.width() } else { space.height() };
    let values = value_scale(chart, data, tick_count(value_length, if horizontal { 90.0 } else { 55.0 }));
    let keys = key_axis(data, tick_count(space.width(), 90.0));

    let beside = match &keys {
        Keys::Places(labels) if horizontal => widest(labels.iter()).min(LONGEST_BESIDE).min(space.width() / 2.0),
        _ => widest(values.ticks.iter().map(|(_, text)| text)),
    };
    let title = |text: &str| if text.is_empty() { 0.0 } else { TITLE };
    let left = beside + GAP + title(&chart.y_label);
    // Half of the last tick's text stands out to the right.
    let right = if horizontal || matches!(keys, Keys::Numbers(_)) { 14.0 } else { 0.0 };
    let (key_texts, below, hanging) = match &keys {
        Keys::Places(labels) if !horizontal => {
            let only_lines = matches!(data, Data::Labels { series, .. } if series.iter().all(|s| s.mark == Mark::Line));
            below_axis(labels, space.width() - left - right, only_lines)
        }
        _ => (STRAIGHT, TEXT, 0.0),
    };
    let area = space.within(left.max(hanging), 6.0, right, below + GAP + title(&chart.x_label));
    Axes { area, keys, values, horizontal, key_texts }
}

fn widest<'a>(texts: impl Iterator<Item = &'a String>) -> f64 {
    texts.map(|text| text_width(text, TEXT)).fold(0.0, f64::max)
}

/// How the labels fit below `width` pixels, how high they are then, and how far the first one hangs
/// out to the left.
fn below_axis(labels: &[String], width: f64, may_skip: bool) -> (KeyTexts, f64, f64) {
    let slot = width / labels.len().max(1) as f64;
    let widest = widest(labels.iter()).min(LONGEST_BELOW);
    if widest + 8.0 <= slot {
        return (STRAIGHT, TEXT, 0.0);
    }
    if may_skip && widest <= 80.0 {
        let every = ((widest + 16.0) / slot).ceil() as usize;
        return (KeyTexts { every, turned: false }, TEXT, widest / 2.0);
    }
    let every = (18.0 / slot).ceil().max(1.0) as usize;
    let angle = TURN.to_radians();
    let (across, down) = (widest * angle.cos(), widest * -angle.sin());
    (KeyTexts { every, turned: true }, down + TEXT, (across - slot / 2.0).max(0.0))
}

fn value_scale(chart: &Chart, data: &Data, count: usize) -> Scale {
    let counts: Vec<f64>;
    let values: Vec<&f64> = match data {
        Data::Labels { series, .. } => series.iter().flat_map(|series| &series.values).collect(),
        Data::Numbers { series } => series.iter().flat_map(|series| &series.y).collect(),
        Data::Histogram { counts: found, .. } => {
            counts = found.iter().map(|count| *count as f64).collect();
            counts.iter().collect()
        }
        Data::Boxes { boxes, .. } => boxes.as_flattened().iter().collect(),
        Data::Heatmap { .. } => Vec::new(),
    };
    if chart.log {
        let above_zero = values.iter().copied().filter(|value| **value > 0.0);
        let (low, high) = span(above_zero).unwrap_or((1.0, 10.0));
        return Scale::log(low, high, count, chart.percent);
    }
    let (low, high) = span(values.into_iter()).unwrap_or((0.0, 1.0));
    let bars = match data {
        Data::Labels { series, .. } => series.iter().any(|series| series.mark == Mark::Bar),
        Data::Numbers { .. } | Data::Boxes { .. } | Data::Heatmap { .. } => false,
        Data::Histogram { .. } => true,
    };
    // A bar lies by its length unless it begins at zero.
    let (low, high) = if bars { (low.min(0.0), high.max(0.0)) } else { (low, high) };
    Scale::linear(low, high, count, chart.percent)
}

fn key_axis(data: &Data, count: usize) -> Keys {
    match data {
        Data::Labels { labels, .. } | Data::Boxes { labels, .. } => Keys::Places(labels.clone()),
        Data::Heatmap { column_labels, .. } => Keys::Places(column_labels.clone()),
        Data::Numbers { series } => {
            let (low, high) = span(series.iter().flat_map(|series| &series.x)).unwrap_or((0.0, 1.0));
            Keys::Numbers(Scale::linear(low, high, count, false))
        }
        Data::Histogram { edges, .. } => {
            let (low, high) = span(edges.iter()).unwrap_or((0.0, 1.0));
            Keys::Numbers(Scale::linear(low, high, count, false))
        }
    }
}

pub(super) fn draw(canvas: &mut Canvas, axes: &Axes, chart: &Chart) {
    let area = axes.area;
    for (tick, text) in &axes.values.ticks {
        let Some(share) = axes.values.place(*tick) else { continue };
        let at = axes.value(share);
        if axes.horizontal {
            canvas.grid((at, area.top), (at, area.bottom));
            canvas.text((at, area.bottom + GAP + TEXT - 2.0), text, Look::of(Anchor::Middle));
        } else {
            canvas.grid((area.left, at), (area.right, at));
            canvas.text((area.left - GAP, at + 4.0), text, Look::of(Anchor::End));
        }
    }
    match &axes.keys {
        Keys::Numbers(scale) => {
            for (tick, text) in &scale.ticks {
                let Some(share) = scale.place(*tick) else { continue };
                let at = axes.key(share);
                canvas.axis((at, area.bottom), (at, area.bottom + 4.0));
                canvas.text((at, area.bottom + GAP + TEXT - 2.0), text, Look::of(Anchor::Middle));
            }
        }
        Keys::Places(labels) if axes.horizontal => beside(canvas, area, labels, LONGEST_BESIDE),
        Keys::Places(labels) => below(canvas, axes, labels),
    }
    let base = axes.value(axes.values.base());
    let (from, to) = (axes.point(axes.key(0.0), base), axes.point(axes.key(1.0), base));
    canvas.axis(from, to);
    titles(canvas, area, chart);
}

/// Row labels to the left of the area, from top to bottom.
pub(super) fn beside(canvas: &mut Canvas, area: Area, labels: &[String], longest: f64) {
    let slot = area.height() / labels.len().max(1) as f64;
    let every = (14.0 / slot).ceil().max(1.0) as usize;
    for (row, label) in labels.iter().enumerate().step_by(every) {
        let at = area.top + (row as f64 + 0.5) * slot;
        let most = longest.min(area.left - GAP);
        canvas.text((area.left - GAP, at + 4.0), &shortened(label, TEXT, most), Look::of(Anchor::End));
    }
}

/// How much room row labels of this length take.
pub(super) fn room_beside(labels: &[String], space: Area) -> f64 {
    widest(labels.iter()).min(LONGEST_BESIDE).min(space.width() / 2.0) + GAP
}

fn below(canvas: &mut Canvas, axes: &Axes, labels: &[String]) {
    column_labels(canvas, axes.area, labels, axes.key_texts);
}

fn column_labels(canvas: &mut Canvas, area: Area, labels: &[String], texts: KeyTexts) {
    let slot = area.width() / labels.len().max(1) as f64;
    for (column, label) in labels.iter().enumerate().step_by(texts.every) {
        let at = area.left + (column as f64 + 0.5) * slot;
        let label = shortened(label, TEXT, LONGEST_BELOW);
        if texts.turned {
            let look = Look { turn: TURN, ..Look::of(Anchor::End) };
            canvas.text((at + 4.0, area.bottom + GAP + 6.0), &label, look);
        } else {
            canvas.text((at, area.bottom + GAP + TEXT - 2.0), &label, Look::of(Anchor::Middle));
        }
    }
}

/// An area inside of `space` with room for column labels below it, and the function that writes them.
pub(super) fn with_columns(space: Area, labels: &[String]) -> (Area, impl Fn(&mut Canvas, Area)) {
    let (texts, down, hanging) = below_axis(labels, space.width(), false);
    let area = space.within(hanging, 0.0, 0.0, down + GAP);
    (area, move |canvas: &mut Canvas, area: Area| column_labels(canvas, area, labels, texts))
}

/// The titles of both axes, at the outer edges.
pub(super) fn titles(canvas: &mut Canvas, area: Area, chart: &Chart) {
    let (_, height) = chart.width_and_height();
    if !chart.x_label.is_empty() {
        let text = shortened(&chart.x_label, TEXT, area.width());
        canvas.text((area.left + area.width() / 2.0, height as f64 - 12.0), &text, Look::of(Anchor::Middle));
    }
    if !chart.y_label.is_empty() {
        let text = shortened(&chart.y_label, TEXT, area.height());
        let look = Look { turn: -90.0, ..Look::of(Anchor::Middle) };
        canvas.text((14.0 + TEXT, area.top + area.height() / 2.0), &text, look);
    }
}
