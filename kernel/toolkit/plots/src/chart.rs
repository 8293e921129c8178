//! What goes in: data and wishes, one after another. What comes out: a chart in three
//! representations.

use serde_json::{Map, Value};

use crate::data::{Data, Mark};
use crate::{Error, Result, describe, figure, svg};

/// A chart under construction; every method returns it, changed.
///
/// Data that cannot be drawn (lists of different length, nothing at all) do not stop the chain: the
/// chart then shows the reason instead of a picture, and [`check`](Chart::check) returns it. NaN and
/// infinite values are left out of the picture.
#[derive(Debug, Clone)]
pub struct Chart {
    pub(crate) data: Result<Data>,
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) percent: bool,
    pub(crate) log: bool,
    pub(crate) size: Option<(usize, usize)>,
}

impl Chart {
    fn new(data: Result<Data>) -> Self {
        let none = String::new;
        Self { data, title: none(), x_label: none(), y_label: none(), percent: false, log: false, size: None }
    }

    /// Upright bars, one for each label, in the order given.
    pub fn bar(labels: &[String], values: &[f64]) -> Self {
        Self::new(Data::labels(labels, values, Mark::Bar, false))
    }

    /// Lying bars, the first on top: for long labels.
    pub fn barh(labels: &[String], values: &[f64]) -> Self {
        Self::new(Data::labels(labels, values, Mark::Bar, true))
    }

    /// A line through points, in the order given.
    pub fn line(x: &[f64], y: &[f64]) -> Self {
        Self::new(Data::numbers(x, y, Mark::Line))
    }

    /// A line over labels that have an order, such as months.
    pub fn line_by(labels: &[String], values: &[f64]) -> Self {
        Self::new(Data::labels(labels, values, Mark::Line, false))
    }

    /// One dot for each pair of numbers.
    pub fn scatter(x: &[f64], y: &[f64]) -> Self {
        Self::new(Data::numbers(x, y, Mark::Points))
    }

    /// One dot for each pair of numbers, `x[i]` and `y[i]` in the colour of `groups[i]`; groups are in the order of their
    /// names.
    pub fn scatter_by(x: &[f64], y: &[f64], groups: &[String]) -> Self {
        Self::new(Data::grouped(x, y, groups))
    }

    /// How many values fall into each of `bins` (1 to 10000) intervals of equal width between the
    /// smallest and the largest; an interval holds its lower edge, the last one both.
    pub fn histogram(values: &[f64], bins: usize) -> Self {
        Self::new(Data::histogram(values, bins))
    }

    /// A histogram that was counted elsewhere, for instance in the warehouse: `counts[i]` values lie between
    /// `edges[i]` and `edges[i + 1]`, and all intervals are of the same width.
    pub fn histogram_of(edges: &[f64], counts: &[u64]) -> Self {
        Self::new(Data::counted(edges, counts))
    }

    /// A box for each group of values, `groups[i]` at `labels[i]`: from the lower to the upper quartile with a line at the
    /// median, and whiskers to the outermost values that lie within 1.5 times the quartiles' distance of them (Tukey's
    /// box plot). Values beyond are not drawn.
    pub fn boxes(labels: &[String], groups: &[Vec<f64>]) -> Self {
        Self::new(Data::boxes(labels, groups))
    }

    /// Boxes whose numbers were found elsewhere, for instance in the warehouse: lower end of the whisker, lower quartile,
    /// median, upper quartile, upper end.
    pub fn boxes_of(labels: &[String], boxes: &[[f64; 5]]) -> Self {
        Self::new(Data::summed_up(labels, boxes))
    }

    /// A table in colours; `rows[r][c]` belongs to `row_labels[r]` and `column_labels[c]`, the first
    /// row is on top.
    pub fn heatmap(column_labels: &[String], row_labels: &[String], rows: &[Vec<f64>]) -> Self {
        Self::new(Data::heatmap(column_labels, row_labels, rows))
    }

    /// More bars, beside those of the same label. Only for charts by label.
    #[must_use]
    pub fn add_bar(self, name: &str, labels: &[String], values: &[f64]) -> Self {
        self.changed(|data| data.add_labels(name, labels, values, Mark::Bar))
    }

    /// Another line over labels. Only for charts by label.
    #[must_use]
    pub fn add_line_by(self, name: &str, labels: &[String], values: &[f64]) -> Self {
        self.changed(|data| data.add_labels(name, labels, values, Mark::Line))
    }

    /// Another line. Only for charts of numbers ([`line`](Chart::line), [`scatter`](Chart::scatter)).
    #[must_use]
    pub fn add_line(self, name: &str, x: &[f64], y: &[f64]) -> Self {
        self.changed(|data| data.add_numbers(name, x, y, Mark::Line))
    }

    /// More dots. Only for charts of numbers.
    #[must_use]
    pub fn add_scatter(self, name: &str, x: &[f64], y: &[f64]) -> Self {
        self.changed(|data| data.add_numbers(name, x, y, Mark::Points))
    }

    /// Names the series that was given last, for the legend.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.changed(|data| {
            data.rename(name);
            Ok(())
        })
    }

    /// The line above the chart.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// The title of the horizontal axis, with its unit.
    #[must_use]
    pub fn x_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.x_label);
        self
    }

    /// The title of the vertical axis, with its unit.
    #[must_use]
    pub fn y_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.y_label);
        self
    }

    /// Writes the values, which are fractions (0.05), as percent (5%).
    #[must_use]
    pub fn percent_y(mut self) -> Self {
        self.percent = true;
        self
    }

    /// A logarithmic axis for the values; those that are not above zero are left out. A heatmap has
    /// no such axis and stays as it is.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.log = true;
        self
    }

    /// Width and height in pixels, 160 to 4000; without it 720 x 432, and as wide as the notebook
    /// where the chart is drawn by plotly.
    #[must_use]
    pub fn size(mut self, width: usize, height: usize) -> Self {
        self.size = Some((width.clamp(160, 4000), height.clamp(160, 4000)));
        self
    }

    /// Whether the chart can be drawn.
    ///
    /// # Errors
    /// With the first thing that was wrong with the data.
    pub fn check(&self) -> Result<(), Error> {
        self.data.as_ref().map(drop).map_err(Clone::clone)
    }

    /// By MIME type: the figure for plotly (`application/vnd.plotly.v1+json`), an SVG, a line of
    /// text. A chart that cannot be drawn has no figure, and says why in the others.
    pub fn bundle(&self) -> Map<String, Value> {
        let mut bundle = Map::new();
        if let Some(figure) = figure::figure(self) {
            bundle.insert("application/vnd.plotly.v1+json".to_owned(), figure);
        }
        bundle.insert("image/svg+xml".to_owned(), Value::from(self.svg()));
        bundle.insert("text/plain".to_owned(), Value::from(describe::describe(self)));
        bundle
    }

    /// The chart as an SVG document that needs no scripts, fonts or style sheets.
    pub fn svg(&self) -> String {
        svg::render(self)
    }

    /// The chart as a plotly figure: a JSON object with `data`, `layout` and `config`; `null` where
    /// it cannot be drawn.
    pub fn json(&self) -> String {
        figure::figure(self).unwrap_or(Value::Null).to_string()
    }

    pub(crate) fn width_and_height(&self) -> (usize, usize) {
        self.size.unwrap_or((720, 432))
    }

    /// The first error stays: what follows from it would only confuse.
    fn changed(mut self, change: impl FnOnce(&mut Data) -> Result<()>) -> Self {
        if let Ok(data) = &mut self.data
            && let Err(error) = change(data)
        {
            self.data = Err(error);
        }
        self
    }
}
