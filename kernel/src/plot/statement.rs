//! A plot -> SQL. All work on rows is the server's: what comes back is no more than what is drawn.

use super::{MOST_SERIES, Types};
use crate::magics::{Kind, Plot};

/// Neither infinite nor NaN, which the server takes for larger than any number.
const FINITE: &str = "abs(x) <= 1.7976931348623157e308";

/// A statement without rows whose columns have the types of X, Y and the series.
pub fn probe(plot: &Plot) -> String {
    let y = plot.y.as_deref().unwrap_or("null");
    let by = plot.by.as_deref().unwrap_or("null");
    format!("select {} as x, {y} as y, {by} as series from {} limit 0", plot.column, plot.table)
}

/// The statement of a plot. Its columns are those that [`super::found`] reads.
pub fn statement(plot: &Plot, types: Types) -> String {
    match plot.kind {
        Kind::Box => boxes(plot),
        Kind::Histogram => histogram(plot),
        Kind::Scatter => scatter(plot),
        Kind::Bar | Kind::Line => grouped(plot, types),
    }
}

/// What one bar, or one point of a line, stands for.
pub(super) fn measure(plot: &Plot) -> String {
    match (&plot.y, plot.aggregate) {
        (None, _) => "count(*)".to_owned(),
        (Some(y), aggregate) => format!("{}({y})", aggregate.unwrap_or("sum")),
    }
}

/// One row for each value of X and series, and beside it: the place of X, how many X there are, the same of
/// the series.
fn grouped(plot: &Plot, types: Types) -> String {
    let Plot { table, column, limit, .. } = plot;
    let measure = measure(plot);
    let series = plot.by.as_deref().unwrap_or("cast('' as varchar)");
    // A mean of means says nothing: then the number of rows decides what is shown.
    let adds_up = plot.by.is_none() || matches!(plot.aggregate, None | Some("sum" | "count"));
    let weight = if adds_up { "sum(value)" } else { "sum(items)" };
    let (known, order) = match plot.kind {
        Kind::Line => (format!(" where ({column}) is not null"), "x"),
        _ => (String::new(), "weight desc nulls last, x"),
    };
    // Bars of texts stand by size, those of numbers and dates in their own order.
    let key = if types.ordered_x { "points.x" } else { "xs.place" };
    format!(
        "with points as (select {column} as x, {series} as series, {measure} as value, count(*) as items \
         from {table}{known} group by 1, 2), \
         xs as (select x, row_number() over (order by {order}) as place, count(*) over () as number \
         from (select x, {weight} as weight from points group by x) as weighed), \
         names as (select series, row_number() over (order by weight desc, series) as place, \
         count(*) over () as number from (select series, sum(items) as weight from points group by series) as weighed) \
         select {x} as x, coalesce(cast(points.series as varchar), 'null') as series, \
         cast(points.value as double) as value, xs.place as place, xs.number as xs, names.place as name, \
         names.number as names, {key} as key \
         from points join xs on points.x is not distinct from xs.x \
         join names on points.series is not distinct from names.series \
         where xs.place <= {limit} and names.place <= {MOST_SERIES} order by name, key",
        x = axis(plot, types),
    )
}

/// X as it is drawn: numbers along a line, texts otherwise.
fn axis(plot: &Plot, types: Types) -> &'static str {
    if plot.kind == Kind::Line && types.numeric_x {
        "cast(points.x as double)"
    } else {
        "coalesce(cast(points.x as varchar), 'null')"
    }
}

/// One row for each interval that holds a value, with the smallest and the largest value beside it.
fn histogram(plot: &Plot) -> String {
    let Plot { table, column, bins, .. } = plot;
    format!(
        "with numbers as (select cast({column} as double) as x from {table}), \
         finite as (select x from numbers where {FINITE}), \
         ends as (select min(x) as low, max(x) as high from finite) \
         select low, high, bin, count(*) as items from (select low, high, \
         case when high > low then least(floor((x - low) / (high - low) * {bins}), {last}) else 0.0 end as bin \
         from finite cross join ends) as placed group by 1, 2, 3 order by 3",
        last = bins - 1,
    )
}

/// One row for each box with its five numbers, largest group first, and beside it: how many groups there are, and how many
/// values lie beyond the ends of all boxes that are drawn.
fn boxes(plot: &Plot) -> String {
    let Plot { table, column, limit, .. } = plot;
    let label = plot.by.as_deref().unwrap_or("cast('' as varchar)");
    format!(
        "with numbers as (select cast({column} as double) as x, {label} as label from {table}), \
         finite as (select x, label from numbers where {FINITE}), \
         quartiles as (select label, count(*) as items, percentile_cont(0.25) within group (order by x) as lower, \
         median(x) as middle, percentile_cont(0.75) within group (order by x) as upper from finite group by label), \
         drawn as (select *, row_number() over (order by items desc, label) as place, count(*) over () as number \
         from quartiles), \
         ends as (select drawn.place, min(x) as low, max(x) as high, count(*) as inside from finite join drawn \
         on finite.label is not distinct from drawn.label \
         where x between lower - 1.5 * (upper - lower) and upper + 1.5 * (upper - lower) group by 1) \
         select coalesce(cast(label as varchar), 'null') as label, least(low, lower) as low, lower, middle, upper, \
         greatest(high, upper) as high, number, items - inside as outside \
         from drawn join ends on drawn.place = ends.place where drawn.place <= {limit} order by drawn.place",
    )
}

/// One row for each dot; one more than are wanted, where there are more.
fn scatter(plot: &Plot) -> String {
    let Plot { table, column, limit, .. } = plot;
    let y = plot.y.as_deref().unwrap_or("null");
    let series = plot.by.as_deref().map_or("''".to_owned(), |by| format!("coalesce(cast({by} as varchar), 'null')"));
    format!(
        "select cast({column} as double) as x, cast({y} as double) as value, {series} as series from {table} \
         where ({column}) is not null and ({y}) is not null limit {}",
        limit + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::asked as plot;

    #[test]
    fn a_measure_is_a_count_a_sum_or_what_was_asked_for() {
        assert_eq!(measure(&plot("bar --table t --column x")), "count(*)");
        assert_eq!(measure(&plot("bar --table t --column x --y price")), "sum(price)");
        assert_eq!(measure(&plot("bar --table t --column x --y price --agg median")), "median(price)");
        assert_eq!(measure(&plot("bar --table t --column x --y price --agg count")), "count(price)");
    }

    #[test]
    fn means_of_series_are_weighed_by_rows() {
        let texts = Types { numeric_x: false, ordered_x: false };
        let weighed =
            |argument: &str| statement(&plot(argument), texts).contains("sum(items) as weight from points group by x");
        assert!(weighed("bar --table t --column x --y p --agg avg --by c"));
        assert!(!weighed("bar --table t --column x --y p --agg avg"));
        assert!(!weighed("bar --table t --column x --by c"));
    }

    #[test]
    fn a_probe_has_all_columns_and_no_rows() {
        assert_eq!(
            probe(&plot("line --table kcs.fact_item --column year(d) --y p")),
            "select year(d) as x, p as y, null as series from kcs.fact_item limit 0"
        );
    }
}
