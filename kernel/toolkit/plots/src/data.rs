//! What goes in: labels and numbers as the caller has them. What comes out: checked data of one of
//! the five kinds of charts.

use crate::{Error, Result};
use std::collections::BTreeMap;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Bar,
    Line,
    Points,
}

/// Values by label; `values[i]` belongs to `labels[i]` of the chart, NaN where there is none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labelled {
    pub(crate) name: Option<String>,
    pub(crate) mark: Mark,
    pub(crate) values: Vec<f64>,
}

/// Points with two numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Points {
    pub(crate) name: Option<String>,
    pub(crate) mark: Mark,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Labels {
        labels: Vec<String>,
        series: Vec<Labelled>,
        horizontal: bool,
    },
    Numbers {
        series: Vec<Points>,
    },
    /// `edges` has one more element than `counts`.
    Histogram {
        edges: Vec<f64>,
        counts: Vec<u64>,
        left_out: usize,
    },
    /// `boxes[i]` belongs to `labels[i]`.
    Boxes {
        labels: Vec<String>,
        boxes: Vec<FiveNumbers>,
    },
    /// `rows[r][c]` belongs to `row_labels[r]` and `column_labels[c]`.
    Heatmap {
        column_labels: Vec<String>,
        row_labels: Vec<String>,
        rows: Vec<Vec<f64>>,
    },
}

/// Lower end, lower quartile, median, upper quartile, upper end.
pub(crate) type FiveNumbers = [f64; 5];

const MOST_BINS: usize = 10_000;

impl Data {
    pub(crate) fn labels(labels: &[String], values: &[f64], mark: Mark, horizontal: bool) -> Result<Self> {
        let series = Labelled { name: None, mark, values: by_label(labels, values)? };
        Ok(Data::Labels { labels: labels.to_vec(), series: vec![series], horizontal })
    }

    pub(crate) fn numbers(x: &[f64], y: &[f64], mark: Mark) -> Result<Self> {
        Ok(Data::Numbers { series: vec![points(None, x, y, mark)?] })
    }

    /// A series of points for each group.
    pub(crate) fn grouped(x: &[f64], y: &[f64], groups: &[String]) -> Result<Self> {
        same_length(("x", x.len()), ("y", y.len()))?;
        same_length(("points", x.len()), ("groups", groups.len()))?;
        some_number(&[x, y].concat())?;
        let mut of_group: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for ((group, &x), &y) in groups.iter().zip(x).zip(y) {
            let (xs, ys) = of_group.entry(group.as_str()).or_default();
            xs.push(x);
            ys.push(y);
        }
        let series =
            of_group.into_iter().map(|(name, (x, y))| Points { name: Some(name.to_owned()), mark: Mark::Points, x, y });
        Ok(Data::Numbers { series: series.collect() })
    }

    pub(crate) fn histogram(values: &[f64], bins: usize) -> Result<Self> {
        some_number(values)?;
        if !(1..=MOST_BINS).contains(&bins) {
            return Err(Error::Bins { bins });
        }
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let (low, high) = match span(finite.iter()) {
            Some((low, high)) if low < high => (low, high),
            Some((only, _)) => (only - 0.5, only + 0.5),
            None => return Err(Error::Empty),
        };
        // Halves first: the difference of two huge numbers may not be finite.
        let width = 2.0 * (high / bins as f64 / 2.0 - low / bins as f64 / 2.0);
        let mut counts = vec![0; bins];
        for value in &finite {
            // The last bin holds its upper edge too.
            let bin = ((value - low) / width).floor().clamp(0.0, (bins - 1) as f64);
            counts[bin as usize] += 1;
        }
        let edges = (0..=bins).map(|edge| low + width * edge as f64).collect();
        Ok(Data::Histogram { edges, counts, left_out: values.len() - finite.len() })
    }

    /// `edges` of intervals and how many values lie in each.
    pub(crate) fn counted(edges: &[f64], counts: &[u64]) -> Result<Self> {
        if counts.is_empty() {
            return Err(Error::Empty);
        }
        some_number(edges)?;
        same_length(("edges behind the first", edges.len().saturating_sub(1)), ("counts", counts.len()))?;
        Ok(Data::Histogram { edges: edges.to_vec(), counts: counts.to_vec(), left_out: 0 })
    }

    /// The five numbers of each group of values, those that are not finite left out.
    pub(crate) fn boxes(labels: &[String], groups: &[Vec<f64>]) -> Result<Self> {
        same_length(("labels", labels.len()), ("groups of values", groups.len()))?;
        let boxes: Vec<FiveNumbers> = groups.iter().map(|group| five_numbers(group)).collect();
        Self::summed_up(labels, &boxes)
    }

    /// Boxes whose five numbers were found elsewhere.
    pub(crate) fn summed_up(labels: &[String], boxes: &[FiveNumbers]) -> Result<Self> {
        same_length(("labels", labels.len()), ("boxes", boxes.len()))?;
        some_number(boxes.as_flattened())?;
        unique(labels)?;
        if let Some(at) = boxes.iter().position(|five| !five.is_sorted() && five.iter().all(|value| !value.is_nan())) {
            return Err(Error::Unsorted { label: labels[at].clone() });
        }
        Ok(Data::Boxes { labels: labels.to_vec(), boxes: boxes.to_vec() })
    }

    pub(crate) fn heatmap(column_labels: &[String], row_labels: &[String], rows: &[Vec<f64>]) -> Result<Self> {
        same_length(("row labels", row_labels.len()), ("rows", rows.len()))?;
        for row in rows {
            same_length(("column labels", column_labels.len()), ("values in a row", row.len()))?;
        }
        some_number(&rows.concat())?;
        unique(column_labels)?;
        unique(row_labels)?;
        let (column_labels, row_labels) = (column_labels.to_vec(), row_labels.to_vec());
        Ok(Data::Heatmap { column_labels, row_labels, rows: rows.to_vec() })
    }

    /// Another series by label. Labels that the chart does not have are added to it.
    pub(crate) fn add_labels(&mut self, name: &str, new: &[String], values: &[f64], mark: Mark) -> Result<()> {
        let kind = self.kind();
        let Data::Labels { labels, series, .. } = self else {
            return Err(Error::Mixed { added: "a series by label", chart: kind });
        };
        let values = by_label(new, values)?;
        let sorted = labels.is_sorted() && new.is_sorted();
        let known: std::collections::BTreeSet<&String> = labels.iter().collect();
        let unknown = new.iter().filter(|label| !known.contains(label));
        let mut all: Vec<String> = labels.iter().chain(unknown).cloned().collect();
        if sorted {
            // Months stay in order where one series lacks some.
            all.sort();
        }
        for old in series.iter_mut() {
            old.values = spread(labels, &old.values, &all);
        }
        series.push(Labelled { name: Some(name.to_owned()), mark, values: spread(new, &values, &all) });
        *labels = all;
        Ok(())
    }

    /// Another series of points.
    pub(crate) fn add_numbers(&mut self, name: &str, x: &[f64], y: &[f64], mark: Mark) -> Result<()> {
        let kind = self.kind();
        let Data::Numbers { series } = self else {
            return Err(Error::Mixed { added: "a series of numbers", chart: kind });
        };
        series.push(points(Some(name.to_owned()), x, y, mark)?);
        Ok(())
    }

    /// Names the last series.
    pub(crate) fn rename(&mut self, name: &str) {
        let slot = match self {
            Data::Labels { series, .. } => series.last_mut().map(|series| &mut series.name),
            Data::Numbers { series } => series.last_mut().map(|series| &mut series.name),
            Data::Histogram { .. } | Data::Boxes { .. } | Data::Heatmap { .. } => None,
        };
        if let Some(slot) = slot {
            *slot = Some(name.to_owned());
        }
    }

    /// In words; of a mixed chart, that of the first series.
    pub(crate) fn kind(&self) -> &'static str {
        let first = match self {
            Data::Labels { series, .. } => series.first().map(|series| series.mark),
            Data::Numbers { series } => series.first().map(|series| series.mark),
            Data::Histogram { .. } => return "histogram",
            Data::Boxes { .. } => return "box plot",
            Data::Heatmap { .. } => return "heatmap",
        };
        match first {
            Some(Mark::Bar) => "bar chart",
            Some(Mark::Line) => "line chart",
            Some(Mark::Points) | None => "scatter plot",
        }
    }

    /// The names of the series, made up where there is none; a single nameless one stays so.
    pub(crate) fn names(&self) -> Vec<Option<String>> {
        let names: Vec<Option<String>> = match self {
            Data::Labels { series, .. } => series.iter().map(|series| series.name.clone()).collect(),
            Data::Numbers { series } => series.iter().map(|series| series.name.clone()).collect(),
            Data::Histogram { .. } | Data::Boxes { .. } | Data::Heatmap { .. } => vec![None],
        };
        if names.len() == 1 {
            return names;
        }
        names.into_iter().enumerate().map(|(at, name)| name.or_else(|| Some(format!("series {}", at + 1)))).collect()
    }
}

/// The smallest and the largest finite value.
pub(crate) fn span<'a>(values: impl Iterator<Item = &'a f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |span, &value| match span {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

/// Quartiles between two values lie on the straight line between them (Hyndman and Fan 1996, definition 7; SQL's
/// `percentile_cont`); the ends are the outermost values within 1.5 times their distance of them (Tukey 1977).
/// NaN for no values.
fn five_numbers(values: &[f64]) -> FiveNumbers {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return [f64::NAN; 5] };
    let quantile = |share: f64| {
        let place = share * last as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    let (lower, upper) = (quantile(0.25), quantile(0.75));
    let reach = 1.5 * (upper - lower);
    let within = |value: &&f64| (lower - reach..=upper + reach).contains(*value);
    let low = sorted.iter().find(within).copied().unwrap_or(lower);
    let high = sorted.iter().rev().find(within).copied().unwrap_or(upper);
    [low.min(lower), lower, quantile(0.5), upper, high.max(upper)]
}

fn by_label(labels: &[String], values: &[f64]) -> Result<Vec<f64>> {
    same_length(("labels", labels.len()), ("values", values.len()))?;
    some_number(values)?;
    unique(labels)?;
    Ok(values.to_vec())
}

fn points(name: Option<String>, x: &[f64], y: &[f64], mark: Mark) -> Result<Points> {
    same_length(("x values", x.len()), ("y values", y.len()))?;
    some_number(x)?;
    some_number(y)?;
    Ok(Points { name, mark, x: x.to_vec(), y: y.to_vec() })
}

fn spread(labels: &[String], values: &[f64], all: &[String]) -> Vec<f64> {
    let known: std::collections::BTreeMap<&String, f64> = labels.iter().zip(values.iter().copied()).collect();
    all.iter().map(|label| known.get(label).copied().unwrap_or(f64::NAN)).collect()
}

fn same_length(first: (&'static str, usize), second: (&'static str, usize)) -> Result<()> {
    if first.1 == second.1 {
        return Ok(());
    }
    Err(Error::Lengths { first: first.0, first_count: first.1, second: second.0, second_count: second.1 })
}

fn some_number(values: &[f64]) -> Result<()> {
    match values.iter().any(|value| value.is_finite()) {
        true => Ok(()),
        false if values.is_empty() => Err(Error::Empty),
        false => Err(Error::NoNumber { count: values.len() }),
    }
}

fn unique(labels: &[String]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    match labels.iter().find(|label| !seen.insert(*label)) {
        Some(label) => Err(Error::Repeated { label: label.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_histogram_counts_every_finite_value_once() {
        let values = [0.0, 1.0, 1.9, 2.0, 4.0, f64::NAN, f64::INFINITY];
        let Data::Histogram { edges, counts, left_out } = Data::histogram(&values, 2).unwrap() else { panic!() };
        assert_eq!((edges, counts, left_out), (vec![0.0, 2.0, 4.0], vec![3, 2], 2));
        let Data::Histogram { edges, counts, .. } = Data::histogram(&[7.0; 3], 1).unwrap() else { panic!() };
        assert_eq!((edges, counts), (vec![6.5, 7.5], vec![3]));
        let huge = Data::histogram(&[f64::MIN, f64::MAX], 4).unwrap();
        assert!(matches!(huge, Data::Histogram { edges, .. } if edges[0] == f64::MIN));
    }

    #[test]
    fn a_histogram_that_is_counted_already_has_one_edge_more_than_counts() {
        let counted = Data::counted(&[0.0, 1.0, 2.0], &[3, 4]).unwrap();
        assert_eq!(counted, Data::Histogram { edges: vec![0.0, 1.0, 2.0], counts: vec![3, 4], left_out: 0 });
        assert!(Data::counted(&[0.0, 1.0], &[3, 4]).unwrap_err().to_string().contains("counts"));
        assert!(Data::counted(&[0.0], &[]).is_err());
    }

    #[test]
    fn a_box_has_quartiles_and_ends_without_outliers() {
        let values = [5.0, 1.0, 2.0, 3.0, 4.0, f64::NAN, 100.0];
        // What numpy.percentile says of 1, 2, 3, 4, 5, 100.
        assert_eq!(five_numbers(&values), [1.0, 2.25, 3.5, 4.75, 5.0]);
        assert_eq!(five_numbers(&[7.0]), [7.0; 5]);
        assert!(five_numbers(&[]).iter().all(|value| value.is_nan()));
        // No value lies between the upper quartile and its fence: the end is the quartile.
        assert_eq!(five_numbers(&[0.0, 0.0, 0.0, 1e9]), [0.0, 0.0, 0.0, 2.5e8, 2.5e8]);
    }

    #[test]
    fn unfit_data_are_explained() {
        let ab = texts(&["a", "b"]);
        let message = |data: Result<Data>| data.unwrap_err().to_string();
        assert!(
            message(Data::labels(&ab, &[1.0], Mark::Bar, false))
                .contains("labels and values belong together one by one, but their numbers are 2 and 1")
        );
        assert!(message(Data::labels(&[], &[], Mark::Bar, false)).contains("found none"));
        assert!(message(Data::labels(&texts(&["a", "a"]), &[1.0, 2.0], Mark::Bar, false)).contains("\"a\""));
        assert!(message(Data::numbers(&[f64::NAN], &[1.0], Mark::Line)).contains("none of the 1 values"));
        assert!(message(Data::histogram(&[1.0], 0)).contains("found 0"));
        assert!(message(Data::heatmap(&ab, &ab, &[vec![1.0, 2.0]])).contains("row labels and rows"));
        assert!(
            message(Data::heatmap(&ab, &ab, &[vec![1.0, 2.0], vec![1.0]]))
                .contains("column labels and values in a row")
        );
        assert!(message(Data::boxes(&ab, &[vec![1.0]])).contains("labels and groups of values"));
        assert!(message(Data::boxes(&ab, &[vec![], vec![f64::NAN]])).contains("none of the 10 values"));
        assert!(message(Data::summed_up(&ab[..1], &[[1.0, 2.0, 0.0, 3.0, 4.0]])).contains("the box of \"a\""));
        let mut histogram = Data::histogram(&[1.0], 1).unwrap();
        let error = histogram.add_labels("n", &ab, &[1.0, 2.0], Mark::Bar).unwrap_err();
        assert!(error.to_string().contains("to a histogram"));
    }

    #[test]
    fn months_that_one_series_lacks_stay_in_order() {
        let mut data = Data::labels(&texts(&["01", "03"]), &[1.0, 3.0], Mark::Line, false).unwrap();
        data.add_labels("b", &texts(&["01", "02"]), &[10.0, 20.0], Mark::Line).unwrap();
        let Data::Labels { labels, series, .. } = &data else { panic!() };
        assert_eq!(labels, &texts(&["01", "02", "03"]));
        assert!(series[0].values[1].is_nan() && series[1].values[2].is_nan());
        assert_eq!((series[0].values[2], series[1].values[1]), (3.0, 20.0));
        assert_eq!(data.names(), [Some("series 1".to_owned()), Some("b".to_owned())]);
    }
}
