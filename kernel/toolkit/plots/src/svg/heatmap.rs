//! What goes in: a table of numbers. What comes out: coloured cells, with their values where they
//! fit, and the colours' scale.

use super::Area;
use super::axes::{beside, room_beside, titles, with_columns};
use super::canvas::{Anchor, Canvas, Look, TEXT, text_width};
use crate::data::span;
use crate::scale::{Scale, number};
use crate::{Chart, color};

const SCALE_WIDTH: f64 = 14.0;
const SCALE_STEPS: usize = 32;

pub(super) fn draw(
    canvas: &mut Canvas,
    space: Area,
    chart: &Chart,
    (columns, labels): (&[String], &[String]),
    rows: &[Vec<f64>],
) {
    let (low, high) = span(rows.iter().flatten()).unwrap_or((0.0, 1.0));
    let scale = Scale::linear(low, high, 5, chart.percent);
    let scale_texts = scale.ticks.iter().map(|(_, text)| text_width(text, TEXT)).fold(0.0, f64::max);
    let title = |text: &str| if text.is_empty() { 0.0 } else { 20.0 };
    let space = space.within(title(&chart.y_label), 0.0, 0.0, title(&chart.x_label));
    let inner = space.within(room_beside(labels, space), 0.0, SCALE_WIDTH + scale_texts + 26.0, 0.0);
    let (area, write_columns) = with_columns(inner, columns);
    cells(canvas, area, rows, (low, high), chart.percent);
    beside(canvas, area, labels, 220.0);
    write_columns(canvas, area);
    color_scale(canvas, area, &scale, (low, high));
    titles(canvas, area, chart);
}

/// Where a value lies between the smallest and the largest; 0.5 where all are the same.
fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    if low < high { (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 }
}

fn cells(canvas: &mut Canvas, area: Area, rows: &[Vec<f64>], ends: (f64, f64), percent: bool) {
    let columns = rows.first().map_or(1, Vec::len).max(1);
    let (width, height) = (area.width() / columns as f64, area.height() / rows.len().max(1) as f64);
    let gap = if width.min(height) > 8.0 { 1.0 } else { 0.0 };
    let texts = |value: &f64| text_width(&number(*value, percent), 11.0);
    let widest = rows.iter().flatten().filter(|value| value.is_finite()).map(texts).fold(0.0, f64::max);
    let written = widest + 6.0 <= width && height >= 16.0;
    for (row, values) in rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            let at = (area.left + column as f64 * width, area.top + row as f64 * height);
            let ground = color::ramp(share(*value, ends));
            canvas.rect((at.0 + gap / 2.0, at.1 + gap / 2.0), (width - gap, height - gap), &color::hex(ground));
            if written {
                let look = Look { size: 11.0, color: Some(color::text_on(ground)), ..Look::of(Anchor::Middle) };
                canvas.text((at.0 + width / 2.0, at.1 + height / 2.0 + 4.0), &number(*value, percent), look);
            }
        }
    }
}

fn color_scale(canvas: &mut Canvas, area: Area, scale: &Scale, ends: (f64, f64)) {
    let left = area.right + 14.0;
    let step = area.height() / SCALE_STEPS as f64;
    for row in 0..SCALE_STEPS {
        let share = 1.0 - (row as f64 + 0.5) / SCALE_STEPS as f64;
        // A little taller than the step, so that no seam shows.
        let at = (left, area.top + row as f64 * step);
        canvas.rect(at, (SCALE_WIDTH, step + 0.3), &color::hex(color::ramp(share)));
    }
    for (tick, text) in scale.ticks.iter().filter(|(tick, _)| (ends.0..=ends.1).contains(tick)) {
        let at = area.bottom - share(*tick, ends) * area.height();
        canvas.text((left + SCALE_WIDTH + 6.0, at + 4.0), text, Look::of(Anchor::Start));
    }
}
