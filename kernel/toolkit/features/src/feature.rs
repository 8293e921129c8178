//! The kinds of features, and their names.

/// One feature: a column of the matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Feature {
    Numeric(String),
    Log(String),
    Ratio(String, String),
    Same(String, String),
    Categorical(String),
    History(Vec<String>, f64),
    Count(Vec<String>),
    Deviation(String, String, Vec<String>),
}

impl Feature {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Numeric(column) | Self::Categorical(column) => column.clone(),
            Self::Log(column) => format!("log_{column}"),
            Self::Ratio(over, under) => format!("{over}_per_{under}"),
            Self::Same(a, b) => format!("{a}_is_{b}"),
            Self::History(columns, _) => format!("rate_by_{}", columns.join("_x_")),
            Self::Count(columns) => format!("rows_by_{}", columns.join("_x_")),
            Self::Deviation(over, under, columns) => format!("{over}_per_{under}_off_{}", columns.join("_x_")),
        }
    }

    /// The columns whose values it takes as they are.
    pub(crate) fn amounts(&self) -> Vec<&str> {
        match self {
            Self::Numeric(column) | Self::Log(column) => vec![column],
            Self::Ratio(a, b) | Self::Same(a, b) | Self::Deviation(a, b, _) => vec![a, b],
            Self::Categorical(_) | Self::History(..) | Self::Count(_) => Vec::new(),
        }
    }

    /// The columns whose past it counts.
    pub(crate) fn key(&self) -> Option<&[String]> {
        match self {
            Self::History(columns, _) | Self::Count(columns) => Some(columns),
            _ => None,
        }
    }
}
