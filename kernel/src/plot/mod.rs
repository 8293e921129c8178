//! A `%sqlplot` command -> the statement that counts and adds up on the server, and its result -> what is
//! drawn.

mod result;
mod statement;

pub use result::{Found, found};
pub use statement::{probe, statement};

use arrow::datatypes::{DataType, Schema};

/// Series of one chart; more cannot be told apart.
const MOST_SERIES: usize = 8;

/// What the columns of a plot are, as the server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types {
    /// Whether the horizontal axis has numbers.
    pub numeric_x: bool,
    /// Whether its values have an order of their own: numbers and dates.
    pub ordered_x: bool,
}

/// Why there is no chart.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlotError {
    /// A column that must hold numbers does not.
    #[error("{kind} needs numbers, but `{column}` is {found}; {remedy}")]
    NotNumbers {
        /// Kind of the chart.
        kind: &'static str,
        /// The column, as the command has it.
        column: String,
        /// Its type.
        found: String,
        /// What can be done instead.
        remedy: &'static str,
    },
    /// No row has a value.
    #[error("`{table}` has no row with a value in `{column}`, so there is nothing to draw")]
    Nothing {
        /// The table, as the command has it.
        table: String,
        /// The column, as the command has it.
        column: String,
    },
    /// The server's answer has another form than the statement asked for.
    #[error("the server's answer cannot be drawn: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
}

/// Looks at the columns of a [`probe`].
///
/// # Errors
/// [`PlotError::NotNumbers`] where the kind cannot draw them.
pub fn types(plot: &crate::magics::Plot, probed: &Schema) -> Result<Types, PlotError> {
    use crate::magics::Kind;
    let data_type = |at: usize| probed.fields().get(at).map_or(&DataType::Null, |field| field.data_type());
    let numeric = |of: &DataType| of.is_numeric() || matches!(of, DataType::Null);
    let refuse = |column: &str, of: &DataType, remedy| PlotError::NotNumbers {
        kind: plot.kind.name(),
        column: column.to_owned(),
        found: crate::rows::type_name(of),
        remedy,
    };
    let x = data_type(0);
    if matches!(plot.kind, Kind::Box | Kind::Histogram | Kind::Scatter) && !numeric(x) {
        let remedy = "`bar` counts texts, `line` follows dates";
        return Err(refuse(&plot.column, x, remedy));
    }
    if let Some(column) = &plot.y
        && plot.aggregate != Some("count")
        && !numeric(data_type(1))
    {
        return Err(refuse(column, data_type(1), "`--agg count` counts any column"));
    }
    Ok(Types { numeric_x: numeric(x), ordered_x: numeric(x) || x.is_temporal() })
}

/// The plot that a command asks for.
#[cfg(test)]
fn asked(argument: &str) -> crate::magics::Plot {
    use crate::magics::{Cell, Command, understand};
    match understand(&format!("%sqlplot {argument}")) {
        Ok(Cell::Command(Command::Plot(plot))) => plot,
        other => panic!("{other:?}"),
    }
}
