//! What goes in: a chart. What comes out: an SVG picture of it, for readers that run no scripts.

mod axes;
mod canvas;
mod heatmap;
mod marks;

use canvas::{Anchor, Canvas, Look, TEXT, shortened, text_width};

use crate::data::Data;
use crate::{Chart, Error, color, describe};

/// The space that data may be drawn in, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn width(&self) -> f64 {
        self.right - self.left
    }

    fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// With room taken away on each side; never turned inside out.
    fn within(&self, left: f64, top: f64, right: f64, bottom: f64) -> Area {
        let (left, top) = (self.left + left, self.top + top);
        let (right, bottom) = ((self.right - right).max(left + 1.0), (self.bottom - bottom).max(top + 1.0));
        Area { left, top, right, bottom }
    }
}

const LEGEND_ROW: f64 = 20.0;

pub(crate) fn render(chart: &Chart) -> String {
    let data = match &chart.data {
        Ok(data) => data,
        Err(error) => return refusal(error),
    };
    let (width, height) = chart.width_and_height();
    let mut canvas = Canvas::new(width, height, &describe::describe(chart));
    let whole = Area { left: 0.0, top: 0.0, right: width as f64, bottom: height as f64 };
    let mut area = whole.within(14.0, 14.0, 18.0, 12.0);
    if !chart.title.is_empty() {
        let look = Look { size: 16.0, bold: true, ..Look::of(Anchor::Start) };
        let title = shortened(&chart.title, look.size, area.width());
        canvas.text((area.left, area.top + 14.0), &title, look);
        area = area.within(0.0, 28.0, 0.0, 0.0);
    }
    area = legend(&mut canvas, area, &data.names());
    match data {
        Data::Heatmap { column_labels, row_labels, rows } => {
            heatmap::draw(&mut canvas, area, chart, (column_labels, row_labels), rows);
        }
        _ => {
            let axes = axes::plan(chart, data, area);
            axes::draw(&mut canvas, &axes, chart);
            marks::draw(&mut canvas, &axes, data);
        }
    }
    canvas.finish()
}

/// The names of the series in rows above the picture; the area that is left.
fn legend(canvas: &mut Canvas, area: Area, names: &[Option<String>]) -> Area {
    let mut at = (area.left, area.top);
    let mut any = false;
    for (index, name) in names.iter().enumerate() {
        let Some(name) = name else { continue };
        let name = shortened(name, TEXT, 180.0_f64.min(area.width() - 30.0));
        let width = 18.0 + text_width(&name, TEXT) + 16.0;
        if any && at.0 + width > area.right {
            at = (area.left, at.1 + LEGEND_ROW);
        }
        canvas.rect((at.0, at.1 + 2.0), (12.0, 12.0), color::series(index));
        canvas.text((at.0 + 18.0, at.1 + 12.0), &name, Look::of(Anchor::Start));
        at.0 += width;
        any = true;
    }
    if any { area.within(0.0, at.1 - area.top + LEGEND_ROW + 4.0, 0.0, 0.0) } else { area }
}

/// In place of a chart: why there is none.
fn refusal(error: &Error) -> String {
    let text = error.to_string();
    let (size, width) = (14.0, 640.0);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && text_width(&format!("{} {word}", lines[last]), size) > width {
            lines.push(word.to_owned());
        } else {
            let space = if lines[last].is_empty() { "" } else { " " };
            lines[last] += &format!("{space}{word}");
        }
    }
    let mut canvas = Canvas::new(720, 60 + 20 * lines.len(), &text);
    let bold = Look { size, bold: true, color: Some("#d0433b"), ..Look::of(Anchor::Start) };
    canvas.text((20.0, 30.0), "The chart cannot be drawn", bold);
    for (row, line) in lines.iter().enumerate() {
        canvas.text((20.0, 54.0 + 20.0 * row as f64), line, Look { size, ..Look::of(Anchor::Start) });
    }
    canvas.finish()
}
