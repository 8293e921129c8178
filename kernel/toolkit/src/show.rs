//! Values -> what the notebook shows: which types have a picture, and the method that the kernel
//! calls on a cell's last expression.

use crate::cell;
use crate::display::channel::Frame;
use crate::display::table::SHOWN_ROWS;
use crate::display::{Bundle, Pages, Table, TableColumn};
use crate::judged::Judged as _;
use crate::shortened::shortened;
use crate::tables;
use haetae_features::FeatureMatrix;
use haetae_models::{ClearanceRun, Contributions, Evaluation, PcaModel, PointMap, Profiles, Reliability};
use haetae_plots::Chart;
use polars::frame::DataFrame;
use polars::prelude::{AnyValue, Column, DataType, Series};
use std::any::TypeId;
use std::fmt::Debug;

/// Shows a value at once, wherever in the cell it stands.
pub trait Show {
    /// The value in every representation it has.
    fn to_bundle(&self) -> Bundle;

    /// Sends it to the notebook; outside of one, prints its text.
    fn show(&self) {
        cell::stop_if_asked();
        cell::display(Frame::Display { bundle: self.to_bundle(), id: None, update: false });
    }

    /// As [`Show::show`], under a name: a later call with the same name replaces the picture.
    fn show_as(&self, id: &str) {
        let id = Some(id.to_owned());
        cell::stop_if_asked();
        cell::display(Frame::Display { bundle: self.to_bundle(), id, update: false });
    }

    /// Replaces what was shown under `id`.
    fn update(&self, id: &str) {
        let id = Some(id.to_owned());
        cell::stop_if_asked();
        cell::display(Frame::Display { bundle: self.to_bundle(), id, update: true });
    }
}

/// Removes what the cell has shown so far; with `wait`, when its next output comes.
pub fn clear_output(wait: bool) {
    cell::display(Frame::Clear { wait });
}

impl Show for DataFrame {
    fn to_bundle(&self) -> Bundle {
        frame_table(self).bundle()
    }
}

impl Show for Chart {
    fn to_bundle(&self) -> Bundle {
        Bundle::from_map(self.bundle())
    }
}

impl Show for ClearanceRun {
    fn to_bundle(&self) -> Bundle {
        table_and_chart(self.to_string(), self.html(), &self.evaluation.chart())
    }
}

impl Show for Evaluation {
    fn to_bundle(&self) -> Bundle {
        table_and_chart(self.to_string(), self.html(), &self.chart())
    }
}

impl Show for Profiles {
    fn to_bundle(&self) -> Bundle {
        Bundle::text(self.to_string()).with("text/html", self.html().into())
    }
}

impl Show for Reliability {
    fn to_bundle(&self) -> Bundle {
        frame_or_text(self.frame(), self)
    }
}

impl Show for PcaModel {
    fn to_bundle(&self) -> Bundle {
        frame_or_text(self.frame(), self)
    }
}

impl Show for PointMap {
    fn to_bundle(&self) -> Bundle {
        Chart::scatter(self.x(), self.y()).title(&format!("{self:?}")).to_bundle()
    }
}

impl Show for Table {
    fn to_bundle(&self) -> Bundle {
        self.bundle()
    }
}

impl Show for Bundle {
    fn to_bundle(&self) -> Bundle {
        self.clone()
    }
}

/// The method that the evaluator calls on the last expression of a cell. It exists for every value
/// that can be printed for debugging, so that one compile is enough; which of them have a richer
/// picture is found at run time.
pub trait CellDisplay {
    /// Sends the value as the cell's result.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> CellDisplay for T {
    fn evcxr_display(&self) {
        // All that is compiled with each cell.
        show_result(typeid::of::<T>(), std::ptr::from_ref(self).cast(), &self);
    }
}

/// Sends a value of the type `id` at `address`, which `value` prints.
fn show_result(id: TypeId, address: *const (), value: &dyn Debug) {
    // A cell that ends in a statement-like call has nothing to show.
    if id == TypeId::of::<()>() {
        return;
    }
    // SAFETY: the only caller has both of one reference.
    let bundle = unsafe { bundle_at(id, address) };
    cell::display(Frame::Result(bundle.unwrap_or_else(|| Bundle::text(shortened(value)))));
}

/// The rich bundle of a value whose type has one.
pub fn bundle_of<T: ?Sized>(value: &T) -> Option<Bundle> {
    // SAFETY: type and address are of one reference.
    unsafe { bundle_at(typeid::of::<T>(), std::ptr::from_ref(value).cast()) }
}

/// As [`bundle_of`], not compiled anew for each type.
///
/// # Safety
/// `address` is that of a value of the type `id`.
unsafe fn bundle_at(id: TypeId, address: *const ()) -> Option<Bundle> {
    macro_rules! first_of {
        ($($shown:ty => $bundle:expr),+ $(,)?) => {
            $(if id == TypeId::of::<$shown>() {
                // SAFETY: the caller says so; the type is sized, so the address is all there is.
                return Some($bundle(unsafe { &*address.cast::<$shown>() }));
            })+
        };
    }
    first_of! {
        DataFrame => Show::to_bundle,
        Chart => Show::to_bundle,
        ClearanceRun => Show::to_bundle,
        Evaluation => Show::to_bundle,
        Profiles => Show::to_bundle,
        Reliability => Show::to_bundle,
        PcaModel => Show::to_bundle,
        PointMap => Show::to_bundle,
        Contributions => Show::to_bundle,
        FeatureMatrix => Show::to_bundle,
        Table => Show::to_bundle,
        Bundle => Show::to_bundle,
        Vec<(String, f64)> => |pairs: &Vec<(String, f64)>| tables::of_pairs(pairs),
        Series => |series: &Series| column_bundle(&series.clone().into()),
        Column => column_bundle,
    }
    None
}

/// A report whose chart stands under its table; without one where there is nothing to draw.
fn table_and_chart(text: String, mut html: String, chart: &Chart) -> Bundle {
    if chart.check().is_ok() {
        html.push_str(&chart.svg());
        html.push('\n');
    }
    Bundle::text(text).with("text/html", html.into())
}

pub(crate) fn frame_or_text(frame: haetae_models::Result<DataFrame>, value: &dyn Debug) -> Bundle {
    match frame {
        Ok(frame) => frame.to_bundle(),
        Err(_) => Bundle::text(shortened(value)),
    }
}

fn column_bundle(column: &Column) -> Bundle {
    match DataFrame::new(column.len(), vec![column.clone()]) {
        Ok(frame) => frame.to_bundle(),
        Err(_) => Bundle::text(format!("{column:?}")),
    }
}

/// A frame's first and last rows as a table.
pub fn frame_table(frame: &DataFrame) -> Table {
    let (head, tail) = Table::shown(frame.height(), SHOWN_ROWS);
    let rows = |range: std::ops::Range<usize>| -> Vec<Vec<Option<String>>> {
        range.map(|row| frame.columns().iter().map(|column| cell_text(column, row)).collect()).collect()
    };
    let head_rows = rows(0..head);
    let mut pages = Pages::behind(&head_rows);
    let mut next = head;
    while tail > 0 && next < frame.height() && !pages.is_full() {
        rows(next..next + 1).into_iter().for_each(|row| pages.take(row));
        next += 1;
    }
    Table {
        columns: frame
            .columns()
            .iter()
            .map(|column| TableColumn {
                name: column.name().to_string(),
                data_type: column.dtype().to_string(),
                numeric: column.dtype().is_primitive_numeric(),
            })
            .collect(),
        head: head_rows,
        tail: rows(frame.height() - tail..frame.height()),
        total_rows: frame.height(),
        more: pages.into_rows(),
    }
}

fn cell_text(column: &Column, row: usize) -> Option<String> {
    match column.get(row) {
        Ok(AnyValue::Null) | Err(_) => None,
        Ok(AnyValue::Float64(value)) => Some(number_text(value)),
        Ok(AnyValue::Float32(value)) => Some(number_text(f64::from(value))),
        Ok(value) if matches!(column.dtype(), DataType::List(_)) => Some(format!("{value}")),
        Ok(value) => Some(value.str_value().into_owned()),
    }
}

/// Up to six significant decimals, without a tail of zeros.
fn number_text(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{value:e}");
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haetae_models::{Audit, Protocol};
    use polars::prelude::df;

    #[test]
    fn a_frame_has_html_and_text() {
        let frame = df!("hs6" => ["010121", "<x>"], "price" => [Some(0.1 + 0.2), None]).unwrap();
        let json = bundle_of(&frame).unwrap().into_json();
        let html = json["text/html"].as_str().unwrap();
        assert!(html.contains("&lt;x&gt;") && html.contains("<td style=\"text-align: right\">0.3</td>"));
        assert!(json["text/plain"].as_str().unwrap().starts_with("shape: (2, 2)\n"));
    }

    #[test]
    fn an_evaluation_is_a_table_with_its_chart_below() {
        let frame = df!("key" => ["a", "b"], "fraud" => [true, false]).unwrap();
        let mut compared = Evaluation::new(Audit::of(&frame, &frame, &["key"], "fraud").unwrap());
        let html =
            |compared: &Evaluation| bundle_of(compared).unwrap().into_json()["text/html"].as_str().unwrap().to_owned();
        assert!(!html(&compared).contains("<svg"), "there is nothing to draw");
        compared.add(Protocol::Full, "trees", &[1.0, 0.0], &[0.9, 0.1], None).unwrap();
        let shown = html(&compared);
        let (table, chart) = (shown.find("<table").unwrap(), shown.find("<svg").unwrap());
        assert!(table < chart && shown.contains("How well each model tells 1 from 0"), "{shown}");
    }

    #[test]
    fn numbers_read_well() {
        let texts = [0.0, 1.0, 1234.5, 1e-9, 2e20, f64::NAN].map(number_text);
        assert_eq!(texts, ["0.0", "1.0", "1234.5", "1e-9", "2e20", "NaN"]);
    }

    #[test]
    fn a_value_with_a_short_life_has_a_text() {
        let owned = String::from("a");
        assert!(bundle_of(&owned.as_str()).is_none());
    }
}
