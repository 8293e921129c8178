//! What goes in: axes and data. What comes out: bars, lines and dots between the axes.

use std::collections::BTreeSet;

use super::axes::{Axes, Keys};
use super::canvas::Canvas;
use crate::color;
use crate::data::{Data, FiveNumbers, Labelled, Mark, Points};
use crate::figure::DOTS_UP_TO;

/// The share of its place that a group of bars takes.
const GROUP: f64 = 0.8;
/// Lines of more points than this are thinned out.
const POINTS_KEPT: usize = 4000;

pub(super) fn draw(canvas: &mut Canvas, axes: &Axes, data: &Data) {
    match data {
        Data::Labels { series, .. } => labelled(canvas, axes, series),
        Data::Numbers { series } => {
            for (index, series) in series.iter().enumerate() {
                numbers(canvas, axes, series, color::series(index));
            }
        }
        Data::Histogram { edges, counts, .. } => histogram(canvas, axes, edges, counts),
        Data::Boxes { boxes, .. } => draw_boxes(canvas, axes, boxes),
        Data::Heatmap { .. } => {}
    }
}

/// Bars first: lines must not vanish behind them.
fn labelled(canvas: &mut Canvas, axes: &Axes, series: &[Labelled]) {
    let bars: Vec<(usize, &Labelled)> =
        series.iter().enumerate().filter(|(_, series)| series.mark == Mark::Bar).collect();
    for (bar, (index, series)) in bars.iter().enumerate() {
        let slot = 1.0 / series.values.len() as f64;
        let width = slot * GROUP / bars.len() as f64;
        for (place, value) in series.values.iter().enumerate() {
            let start = place as f64 * slot + slot * (1.0 - GROUP) / 2.0 + bar as f64 * width;
            draw_bar(canvas, axes, (start, start + width), *value, color::series(*index));
        }
    }
    for (index, series) in series.iter().enumerate().filter(|(_, series)| series.mark != Mark::Bar) {
        let slot = 1.0 / series.values.len() as f64;
        let points = series.values.iter().enumerate().map(|(place, value)| {
            let value = axes.values.place(*value)?;
            Some(axes.point(axes.key((place as f64 + 0.5) * slot), axes.value(value)))
        });
        line(canvas, &runs(points), color::series(index));
    }
}

fn draw_bar(canvas: &mut Canvas, axes: &Axes, keys: (f64, f64), value: f64, color: &str) {
    let Some(share) = axes.values.place(value) else { return };
    let (base, end) = (axes.value(axes.values.base()), axes.value(share));
    let (from, to) = (axes.point(axes.key(keys.0), base), axes.point(axes.key(keys.1), end));
    let at = (from.0.min(to.0), from.1.min(to.1));
    canvas.rect(at, ((to.0 - from.0).abs(), (to.1 - from.1).abs()), color);
}

fn histogram(canvas: &mut Canvas, axes: &Axes, edges: &[f64], counts: &[u64]) {
    let Keys::Numbers(keys) = &axes.keys else { return };
    for (edge, count) in edges.windows(2).zip(counts) {
        let (Some(low), Some(high)) = (keys.place(edge[0]), keys.place(edge[1])) else { continue };
        // A gap of one pixel tells neighbours apart, where there is room for it.
        let gap = if (high - low) * axes.area.width() > 4.0 { 0.5 / axes.area.width() } else { 0.0 };
        draw_bar(canvas, axes, (low + gap, high - gap), *count as f64, color::series(0));
    }
}

/// The share of its place that a box takes.
const BOX: f64 = 0.5;

fn draw_boxes(canvas: &mut Canvas, axes: &Axes, boxes: &[FiveNumbers]) {
    let slot = 1.0 / boxes.len() as f64;
    let color = color::series(0);
    for (place, five) in boxes.iter().enumerate() {
        let heights: Vec<f64> =
            five.iter().filter_map(|value| axes.values.place(*value)).map(|share| axes.value(share)).collect();
        let &[low, lower, median, upper, high] = heights.as_slice() else { continue };
        let middle = (place as f64 + 0.5) * slot;
        let at = |share: f64, height: f64| (axes.key(middle + share * slot), height);
        let across = |half: f64, height: f64| vec![at(-half, height), at(half, height)];
        let (half, cap) = (BOX / 2.0, BOX / 4.0);
        let (from, to) = (at(-half, upper), at(half, lower));
        canvas.pale_rect(from, (to.0 - from.0, to.1 - from.1), color);
        let whiskers = [vec![at(0.0, low), at(0.0, lower)], vec![at(0.0, upper), at(0.0, high)]];
        let ends = [across(cap, low), across(cap, high), across(half, median)];
        canvas.polyline(&[whiskers.as_slice(), &ends].concat(), color);
    }
}

fn numbers(canvas: &mut Canvas, axes: &Axes, series: &Points, color: &str) {
    let Keys::Numbers(keys) = &axes.keys else { return };
    let points = series.x.iter().zip(&series.y).map(|(x, y)| {
        let (key, value) = (keys.place(*x)?, axes.values.place(*y)?);
        Some(axes.point(axes.key(key), axes.value(value)))
    });
    match series.mark {
        Mark::Points => {
            let width = if series.x.len() > 1000 { 3.0 } else { 6.0 };
            canvas.dots(distinct(points.flatten(), width / 2.0), width, 0.65, color);
        }
        Mark::Line | Mark::Bar => line(canvas, &runs(points), color),
    }
}

fn line(canvas: &mut Canvas, runs: &[Vec<(f64, f64)>], color: &str) {
    canvas.polyline(runs, color);
    let points: usize = runs.iter().map(Vec::len).sum();
    if points <= DOTS_UP_TO {
        canvas.dots(runs.iter().flatten().copied(), 6.0, 1.0, color);
    } else {
        // A point between two gaps has no line.
        let lonely = runs.iter().filter(|run| run.len() == 1).flatten();
        canvas.dots(lonely.copied(), 4.0, 1.0, color);
    }
}

/// The stretches without a gap, thinned out where the line has far more points than pixels.
fn runs(points: impl Iterator<Item = Option<(f64, f64)>>) -> Vec<Vec<(f64, f64)>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        match (point, runs.last_mut()) {
            (Some(point), Some(run)) => run.push(point),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    let points: usize = runs.iter().map(Vec::len).sum();
    if points > POINTS_KEPT { runs.iter().map(|run| thinned(run)).collect() } else { runs }
}

/// Of the neighbours in one pixel column, the first, the lowest, the highest and the last.
fn thinned(run: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    for column in run.chunk_by(|one, other| one.0.floor() == other.0.floor()) {
        let by_height = |one: &usize, other: &usize| column[*one].1.total_cmp(&column[*other].1);
        let lowest = (0..column.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..column.len()).max_by(by_height).unwrap_or(0);
        let places = BTreeSet::from([0, lowest, highest, column.len() - 1]);
        kept.extend(places.into_iter().map(|place| column[place]));
    }
    kept
}

/// Points that would cover one another are drawn once.
fn distinct(points: impl Iterator<Item = (f64, f64)>, grid: f64) -> impl Iterator<Item = (f64, f64)> {
    let mut seen = BTreeSet::new();
    let points: Vec<_> = points.collect();
    let crowded = points.len() > POINTS_KEPT;
    points.into_iter().filter(move |point| {
        !crowded || seen.insert(((point.0 / grid).round() as i64, (point.1 / grid).round() as i64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_keeps_its_peaks() {
        let points =
            (0..100_000).map(|n| Some((f64::from(n) / 200.0, if n == 777 { 1000.0 } else { f64::from(n % 7) })));
        let runs = runs(points);
        assert!(runs[0].len() <= 4 * 501, "{}", runs[0].len());
        assert!(runs[0].iter().any(|point| point.1 == 1000.0));
        assert!(runs[0].is_sorted_by(|one, other| one.0 <= other.0));
    }

    #[test]
    fn gaps_cut_a_line() {
        let points = [None, Some((0.0, 0.0)), Some((1.0, 0.0)), None, None, Some((3.0, 0.0))];
        let lengths: Vec<usize> = runs(points.into_iter()).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1]);
    }

    #[test]
    fn a_crowd_is_drawn_once() {
        let crowd = (0..10_000).map(|n| (f64::from(n % 10), 0.0));
        assert_eq!(distinct(crowd, 1.0).count(), 10);
        assert_eq!(distinct([(0.0, 0.0); 3].into_iter(), 1.0).count(), 3);
    }
}
