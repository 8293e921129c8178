//! The server's answer to a plot's statement -> what is drawn, and what is not.

use super::statement::measure;
use super::{MOST_SERIES, PlotError, Types};
use crate::magics::{Kind, Plot};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use haetae_display::Drawing;
use haetae_display::drawing::{Places, Series};

/// A drawing, and a line about what it leaves out.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// For the toolkit.
    pub drawing: Drawing,
    /// Empty where everything is drawn.
    pub note: String,
}

/// Reads the answer to [`super::statement`].
///
/// # Errors
/// [`PlotError::Nothing`] where there are no rows; [`PlotError::Answer`] where columns are missing.
pub fn found(plot: &Plot, types: Types, batches: &[RecordBatch]) -> Result<Found, PlotError> {
    let rows = Rows { batches };
    if rows.number() == 0 {
        return Err(PlotError::Nothing { table: plot.table.clone(), column: plot.column.clone() });
    }
    let (series, note) = match plot.kind {
        Kind::Box => boxes(plot, &rows)?,
        Kind::Histogram => (vec![histogram(plot, &rows)?], String::new()),
        Kind::Scatter => scatter(plot, &rows)?,
        Kind::Bar | Kind::Line => grouped(plot, types, &rows)?,
    };
    let y_label = match plot.kind {
        Kind::Scatter => plot.y.clone().unwrap_or_default(),
        Kind::Box => plot.column.clone(),
        _ => match (measure(plot), &plot.y) {
            (_, None) => "rows".to_owned(),
            (measure, Some(_)) => measure,
        },
    };
    let x_label = match plot.kind {
        Kind::Box => plot.by.clone().unwrap_or_default(),
        _ => plot.column.clone(),
    };
    let (kind, title) = (plot.kind.name().to_owned(), plot.title.clone());
    Ok(Found { drawing: Drawing { kind, title, x_label, y_label, series }, note })
}

fn histogram(plot: &Plot, rows: &Rows<'_>) -> Result<Series, PlotError> {
    let (low, high) = (rows.numbers("low")?, rows.numbers("high")?);
    let (low, high, bins) = match (low.first(), high.first()) {
        (Some(low), Some(high)) if low < high => (*low, *high, plot.bins),
        // All values are the same: one interval of width 1 around it.
        (Some(low), _) => (low - 0.5, low + 0.5, 1),
        _ => return Err(PlotError::Answer { reason: "no smallest value".to_owned() }),
    };
    let mut counts = vec![0.0; bins];
    for (bin, items) in rows.numbers("bin")?.into_iter().zip(rows.numbers("items")?) {
        if let Some(count) = counts.get_mut(bin as usize) {
            *count += items;
        }
    }
    let width = (high / bins as f64) - (low / bins as f64);
    let edges = (0..=bins).map(|edge| low + width * edge as f64).collect();
    Ok(Series { name: String::new(), x: Places::Numbers(edges), y: counts })
}

fn boxes(plot: &Plot, rows: &Rows<'_>) -> Result<(Vec<Series>, String), PlotError> {
    let labels = rows.texts("label")?;
    let part = |name: &str| {
        let x = Places::Labels(labels.clone());
        Ok(Series { name: name.to_owned(), x, y: rows.numbers(name)? })
    };
    let series = ["low", "lower", "middle", "upper", "high"].into_iter().map(part).collect::<Result<Vec<_>, _>>()?;
    let mut note = String::new();
    let groups = rows.numbers("number")?.first().copied().unwrap_or(0.0);
    if groups > labels.len() as f64 {
        note = more(labels.len(), groups, plot.by.as_deref().unwrap_or(""), "; --limit draws more");
    }
    let outside: f64 = rows.numbers("outside")?.iter().sum();
    if outside > 0.0 {
        note.push_str(&format!("{outside} values beyond the whiskers are not drawn\n"));
    }
    Ok((series, note))
}

/// What is said of values that are left out.
fn more(drawn: usize, of: f64, column: &str, remedy: &str) -> String {
    format!("{drawn} of {of} values of {column} are drawn{remedy}\n")
}

fn scatter(plot: &Plot, rows: &Rows<'_>) -> Result<(Vec<Series>, String), PlotError> {
    let (x, y, names) = (rows.numbers("x")?, rows.numbers("value")?, rows.texts("series")?);
    let mut series: Vec<(String, Vec<f64>, Vec<f64>)> = Vec::new();
    let mut left_out = false;
    for ((x, y), name) in x.into_iter().zip(y).zip(names).take(plot.limit) {
        let at = series.iter().position(|(known, _, _)| *known == name).or_else(|| {
            (series.len() < MOST_SERIES).then(|| {
                series.push((name, Vec::new(), Vec::new()));
                series.len() - 1
            })
        });
        match at.and_then(|at| series.get_mut(at)) {
            Some((_, xs, ys)) => {
                xs.push(x);
                ys.push(y);
            }
            None => left_out = true,
        }
    }
    series.sort_by(|one, other| one.0.cmp(&other.0));
    let mut note = String::new();
    if rows.number() > plot.limit {
        note = format!("the first {} rows with both values are drawn; --limit draws more\n", plot.limit);
    }
    if left_out {
        note.push_str(&format!("{MOST_SERIES} values of {} are drawn\n", plot.by.as_deref().unwrap_or("")));
    }
    Ok((series.into_iter().map(|(name, x, y)| Series { name, x: Places::Numbers(x), y }).collect(), note))
}

fn grouped(plot: &Plot, types: Types, rows: &Rows<'_>) -> Result<(Vec<Series>, String), PlotError> {
    let along_numbers = plot.kind == Kind::Line && types.numeric_x;
    let (values, names) = (rows.numbers("value")?, rows.texts("series")?);
    let (labels, numbers) =
        if along_numbers { (Vec::new(), rows.numbers("x")?) } else { (rows.texts("x")?, Vec::new()) };
    let mut series: Vec<Series> = Vec::new();
    for (row, (value, name)) in values.into_iter().zip(names).enumerate() {
        if series.last().is_none_or(|last| last.name != name) {
            let x = if along_numbers { Places::Numbers(Vec::new()) } else { Places::Labels(Vec::new()) };
            series.push(Series { name, x, y: Vec::new() });
        }
        let Some(last) = series.last_mut() else { continue };
        match &mut last.x {
            Places::Numbers(x) => x.extend(numbers.get(row)),
            Places::Labels(x) => x.extend(labels.get(row).cloned()),
        }
        last.y.push(value);
    }
    let first = |column: &str| rows.numbers(column).map(|all| all.first().copied().unwrap_or(0.0));
    let mut note = String::new();
    for (number, drawn, of, remedy) in [
        (first("xs")?, plot.limit, plot.column.as_str(), "; --limit draws more"),
        (first("names")?, MOST_SERIES, plot.by.as_deref().unwrap_or(""), ""),
    ] {
        if number > drawn as f64 {
            note.push_str(&more(drawn, number, of, remedy));
        }
    }
    Ok((series, note))
}

/// Columns of a result by name.
struct Rows<'a> {
    batches: &'a [RecordBatch],
}

impl Rows<'_> {
    fn number(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>, PlotError> {
        let mut all = Vec::with_capacity(self.number());
        for batch in self.batches {
            let column = column(batch, name, &DataType::Float64)?;
            all.extend(column.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)));
        }
        Ok(all)
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, PlotError> {
        let mut all = Vec::with_capacity(self.number());
        for batch in self.batches {
            let column = column(batch, name, &DataType::Utf8)?;
            all.extend(column.as_string::<i32>().iter().map(|value| value.unwrap_or("null").to_owned()));
        }
        Ok(all)
    }
}

fn column(batch: &RecordBatch, name: &str, of: &DataType) -> Result<std::sync::Arc<dyn Array>, PlotError> {
    let missing = || PlotError::Answer { reason: format!("there is no column {name}") };
    let column = batch.column_by_name(name).ok_or_else(missing)?;
    cast(column, of).map_err(|error| PlotError::Answer { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::asked as plot;
    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

    fn floats(values: &[f64]) -> ArrayRef {
        Arc::new(Float64Array::from(values.to_vec()))
    }

    #[test]
    fn a_histogram_has_empty_intervals_too() {
        let plot = plot("histogram --table t --column x --bins 4");
        let bins = [("low", floats(&[1.0; 2])), ("high", floats(&[5.0; 2])), ("bin", floats(&[0.0, 3.0]))];
        let items: ArrayRef = Arc::new(Int64Array::from(vec![7, 2]));
        let batch = RecordBatch::try_from_iter(bins.into_iter().chain([("items", items)])).unwrap();
        let types = Types { numeric_x: true, ordered_x: true };
        let series = found(&plot, types, &[batch]).unwrap().drawing.series.remove(0);
        assert_eq!(series.x, Places::Numbers(vec![1.0, 2.0, 3.0, 4.0, 5.0]));
        assert_eq!(series.y, [7.0, 0.0, 0.0, 2.0]);
        assert!(matches!(found(&plot, types, &[]), Err(PlotError::Nothing { .. })));
    }

    #[test]
    fn what_is_not_drawn_is_said() {
        let plot = plot("bar --table t --column office --limit 2 --by mode");
        let texts = |texts: &[&str]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
        let batch = RecordBatch::try_from_iter([
            ("x", texts(&["a", "b", "a"])),
            ("series", texts(&["sea", "sea", "air"])),
            ("value", floats(&[1.0, 2.0, 3.0])),
            ("xs", floats(&[5.0; 3])),
            ("names", floats(&[2.0; 3])),
        ])
        .unwrap();
        let found = found(&plot, Types { numeric_x: false, ordered_x: false }, &[batch]).unwrap();
        assert_eq!(found.note, "2 of 5 values of office are drawn; --limit draws more\n");
        let names: Vec<&str> = found.drawing.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["sea", "air"]);
        assert_eq!((found.drawing.x_label.as_str(), found.drawing.y_label.as_str()), ("office", "rows"));
    }
}
