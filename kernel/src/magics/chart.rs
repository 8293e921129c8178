//! `%sqlplot KIND --table T --column X …`: what is to be drawn.

use super::MagicError;
use super::list::usage;

/// Kinds of charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bar for each value of a column.
    Bar,
    /// Quartiles of a column, for each value of another.
    Box,
    /// How many values lie in each of several intervals.
    Histogram,
    /// A line over the values of a column, in their order.
    Line,
    /// A dot for each row.
    Scatter,
}

/// Kinds and their names.
pub const KINDS: &[(&str, Kind)] = &[
    ("bar", Kind::Bar),
    ("box", Kind::Box),
    ("histogram", Kind::Histogram),
    ("line", Kind::Line),
    ("scatter", Kind::Scatter),
];

impl Kind {
    /// As the command has it.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// How several rows become one number, by the names of SQL.
pub const AGGREGATES: &[&str] = &["avg", "count", "max", "median", "min", "sum"];

/// Options, and what follows each.
pub const OPTIONS: &[(&str, &str)] = &[
    ("--table", "table or saved query"),
    ("--column", "column of the horizontal axis (of a box: the numbers), or an SQL expression"),
    ("--y", "column of the vertical axis, or an SQL expression"),
    ("--by", "column whose values become series, or boxes"),
    ("--agg", "what becomes of several values of --y: sum, avg, min, max, median, count"),
    ("--bins", "number of intervals of a histogram"),
    ("--limit", "most bars, boxes, points of a line, or dots"),
    ("--title", "line above the chart"),
];

/// A chart that is wanted. Columns and the table are in the words of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// What is drawn.
    pub kind: Kind,
    /// Table or saved query.
    pub table: String,
    /// Horizontal axis.
    pub column: String,
    /// Vertical axis; a count of rows where there is none.
    pub y: Option<String>,
    /// Column whose values become series.
    pub by: Option<String>,
    /// One of [`AGGREGATES`].
    pub aggregate: Option<&'static str>,
    /// Intervals of a histogram.
    pub bins: usize,
    /// Most bars, points or dots.
    pub limit: usize,
    /// Line above the chart.
    pub title: String,
}

/// Understands what stands behind `%sqlplot`.
///
/// # Errors
/// With what is missing, or does not belong to the kind.
pub(super) fn plot(argument: &str) -> Result<Plot, MagicError> {
    let words = words(argument);
    let mut words = words.iter();
    let found = words.next().map_or("", String::as_str);
    let wanted = match found {
        "hist" => "histogram",
        "boxplot" => "box",
        found => found,
    };
    let Some((name, kind)) = KINDS.iter().find(|(name, _)| *name == wanted).copied() else {
        let known = KINDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(MagicError::BadKind { found: found.to_owned(), known });
    };
    let wrong = |what: String| MagicError::Chart { kind: name, what };
    let (mut table, mut column) = (None, None);
    let limit = match kind {
        Kind::Bar | Kind::Box => 20,
        Kind::Line => 2_000,
        Kind::Histogram | Kind::Scatter => 5_000,
    };
    let mut plot = Plot {
        kind,
        table: String::new(),
        column: String::new(),
        y: None,
        by: None,
        aggregate: None,
        bins: 20,
        limit,
        title: String::new(),
    };
    while let Some(option) = words.next() {
        let bad = || MagicError::BadArgument { usage: usage("%sqlplot"), found: option.clone() };
        let value = words.next().ok_or_else(bad)?;
        match option.as_str() {
            "--table" | "-t" => table = Some(value.clone()),
            "--column" | "-c" => column = Some(value.clone()),
            "--y" => plot.y = Some(value.clone()),
            "--by" => plot.by = Some(value.clone()),
            "--agg" => plot.aggregate = Some(aggregate(name, value)?),
            "--bins" | "-b" => plot.bins = number("--bins", "intervals", value)?,
            "--limit" => plot.limit = number("--limit", "bars, points or dots", value)?,
            "--title" => plot.title = value.clone(),
            _ => return Err(bad()),
        }
    }
    plot.table = table.ok_or_else(|| wrong("needs --table, a table or a saved query".to_owned()))?;
    plot.column = column.ok_or_else(|| wrong("needs --column".to_owned()))?;
    match kind {
        Kind::Scatter if plot.y.is_none() => Err(wrong("needs --y, the column of the vertical axis".to_owned())),
        Kind::Scatter if plot.aggregate.is_some() => Err(wrong("draws single rows and takes no --agg".to_owned())),
        Kind::Histogram if plot.y.is_some() || plot.by.is_some() || plot.aggregate.is_some() => {
            Err(wrong("counts the values of one column and takes no --y, --by or --agg".to_owned()))
        }
        Kind::Box if plot.y.is_some() || plot.aggregate.is_some() => Err(wrong(
            "draws the values of --column, a box for each value of --by, and takes no --y or --agg".to_owned(),
        )),
        _ if plot.aggregate.is_some_and(|of| of != "count") && plot.y.is_none() => {
            Err(wrong("needs --y for this --agg".to_owned()))
        }
        _ => Ok(plot),
    }
}

fn aggregate(kind: &'static str, found: &str) -> Result<&'static str, MagicError> {
    let known = AGGREGATES.iter().find(|known| known.eq_ignore_ascii_case(found)).copied();
    known.ok_or_else(|| MagicError::Chart {
        kind,
        what: format!("cannot --agg `{found}`; expected one of {}", AGGREGATES.join(", ")),
    })
}

fn number(option: &'static str, of: &'static str, found: &str) -> Result<usize, MagicError> {
    match found.parse() {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => Err(MagicError::BadNumber { option, of, found: found.to_owned() }),
    }
}

/// Words apart, as a shell has them: quotes hold one together.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(mark) if c == mark => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_in_all_its_options() {
        let plot = plot(
            "bar --table customs.fact_item -c office_id --y 'item_price_krw / 1e6' --by transport_mode --agg avg \
             --limit 5 --title \"Mean price\"",
        );
        let expected = Plot {
            kind: Kind::Bar,
            table: "customs.fact_item".to_owned(),
            column: "office_id".to_owned(),
            y: Some("item_price_krw / 1e6".to_owned()),
            by: Some("transport_mode".to_owned()),
            aggregate: Some("avg"),
            bins: 20,
            limit: 5,
            title: "Mean price".to_owned(),
        };
        assert_eq!(plot, Ok(expected));
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        for (argument, part) in [
            ("pie --table t --column x", "there is no chart `pie`"),
            ("", "there is no chart ``"),
            ("bar --column x", "%sqlplot bar needs --table"),
            ("bar --table t", "%sqlplot bar needs --column"),
            ("bar --table t --column", "found `--column`"),
            ("bar --table t --column x --colour red", "found `--colour`"),
            ("scatter --table t --column x", "needs --y"),
            ("hist --table t --column x --by y", "takes no --y, --by or --agg"),
            ("boxplot --table t --column x --y y", "takes no --y or --agg"),
            ("hist --table t --column x --bins 0", "--bins needs a number of intervals, found `0`"),
            ("bar --table t --column x --y z --agg mode", "expected one of avg, count"),
            ("bar --table t --column x --agg avg", "needs --y for this --agg"),
        ] {
            let error = plot(argument).unwrap_err().to_string();
            assert!(error.contains(part), "{argument}: {error}");
        }
    }

    #[test]
    fn quotes_hold_a_word_together() {
        assert_eq!(words("a 'b c' d\"e f\"'' ''"), ["a", "b c", "de f", ""]);
    }
}
