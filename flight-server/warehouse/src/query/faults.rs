//! What goes in: DataFusion's errors. What comes out: messages for the author of the query.

use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;

use super::catalog;
use super::functions::FUNCTIONS;
use super::memory::OVER;
use super::policy::{Access, SYSTEM_SCHEMA};
use crate::names::{hint, near, quoted};
use crate::{CATALOG, DEFAULT_SCHEMA, Error, OUTSIDE, SqlFault, WORK};

/// How the library begins when a statement is SQL and it does nothing with it.
const UNSUPPORTED: &str = "Unsupported SQL statement: ";

/// What the library says of a subquery in an aggregate, an order or a group.
const MISPLACED: [&str; 2] = ["logical expression ScalarSubquery", "Correlated scalar subquery can only be used"];

/// How the library begins when there is no statement at all.
const NO_STATEMENT: &str = "No SQL statements";

/// How the library says that the temporary files take too much.
const DISK_FULL: &str = "exceeded the allowable limit";

/// How the library begins when a time is too early or too late for nanoseconds; and what it says, after the value, of one
/// that it has counted otherwise. And how it begins where it says which.
const BEYOND: &str = "The dates that can be represented as nanoseconds";
const CAST_BEYOND: &str = " to Timestamp(ns): converted value exceeds";
const CONVERTING: &str = "Overflow converting ";

/// How the messages begin that are about the limits of each query, and tell nothing of other ones.
const ONE_QUERY: &str = "the query needs more memory than one query may have";
const ON_DISK: &str = "the query needs more room for temporary files than there is";

/// Translates an error of planning or execution. The message names nothing that `access` hides.
pub(super) fn explain(error: &DataFusionError, access: Option<&Access>) -> Error {
    let root = error.find_root();
    let (fault, message) = match root {
        DataFusionError::Plan(text) if !text.starts_with(NO_STATEMENT) => match unknown_table(text, &names(access)) {
            Some(message) => (SqlFault::UnknownTable, message),
            None => translate(root),
        },
        other => translate(other),
    };
    let restricted = access.is_some_and(|access| !access.is_all());
    match fault {
        // These name what other queries use, and what failed inside.
        SqlFault::Resources if restricted && ![ONE_QUERY, ON_DISK].iter().any(|known| message.starts_with(known)) => {
            let message = "the query needs more memory than it may have; select fewer rows or columns".to_owned();
            Error::Sql { fault, message }
        }
        SqlFault::Failed if restricted => {
            Error::Sql { fault, message: "the warehouse failed; ask whoever runs the server".to_owned() }
        }
        _ => Error::Sql { fault, message },
    }
}

/// Translates the refusal of a function that does not exist. Of names that are as near, the library proposes any.
pub(super) fn unknown_function(error: &DataFusionError, state: &SessionState) -> Option<Error> {
    let DataFusionError::Plan(text) = error.find_root() else { return None };
    let (name, _) = text.strip_prefix("Invalid function '")?.split_once("'.\nDid you mean")?;
    let known = (state.scalar_functions().keys())
        .chain(state.higher_order_functions().keys())
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys())
        .map(String::as_str)
        .chain(FUNCTIONS.iter().map(|function| function.name));
    let message = format!("there is no function \"{name}\".{}", hint(&near(name, known)));
    Some(Error::Sql { fault: SqlFault::Invalid, message })
}

/// (schema, tables) that exist for the user.
fn names(access: Option<&Access>) -> Vec<(String, Vec<String>)> {
    if let Some(access) = access {
        return access.names();
    }
    // Facts first, as the schema has them.
    catalog::names().into_iter().chain([(OUTSIDE.to_owned(), Vec::new()), (WORK.to_owned(), Vec::new())]).collect()
}

/// Translates the refusal of a statement that is not a query.
pub(super) fn read_only(error: &DataFusionError) -> Error {
    let text = error.find_root().message().into_owned();
    let what = text.split_once(": ").map_or(text.as_str(), |(_, what)| what);
    let remedy = match text.starts_with("DML") && what != "COPY" {
        true => " that asks for rows. Send it as an update (ADBC: executemany, or a statement's execute_update).",
        false => ". To load data, use `haetae-server ingest`.",
    };
    let name = as_sql(strip(what).as_str());
    let message = format!("{name} is not allowed: the warehouse is read-only for SQL{remedy}");
    Error::Sql { fault: SqlFault::ReadOnly, message }
}

/// `CREATE EXTERNAL TABLE` for the library's `CreateExternalTable`.
fn as_sql(name: &str) -> String {
    let mut words = String::new();
    let mut after_lower = false;
    for letter in name.chars() {
        if after_lower && letter.is_uppercase() {
            words.push(' ');
        }
        after_lower = letter.is_lowercase();
        words.extend(letter.to_uppercase());
    }
    words
}

fn translate(error: &DataFusionError) -> (SqlFault, String) {
    if let Some(message) = beyond(error) {
        return (SqlFault::Invalid, message);
    }
    if error.to_string().contains(DISK_FULL) {
        let remedy = "ask for less at a time, or ask whoever runs the server for more (--spill-mib)";
        return (SqlFault::Resources, format!("{ON_DISK}; {remedy}"));
    }
    match error {
        DataFusionError::ResourcesExhausted(text) if text.contains(OVER) => (SqlFault::Resources, over(text)),
        DataFusionError::SQL(parser, _) => {
            (SqlFault::Syntax, format!("this is not valid SQL: {}", strip(&parser.to_string())))
        }
        DataFusionError::SchemaError(schema, _) => unknown_column(schema),
        DataFusionError::Plan(text) if text.starts_with(NO_STATEMENT) => {
            (SqlFault::Syntax, "expected one statement, found none".to_owned())
        }
        DataFusionError::NotImplemented(text) if text.contains("a single SQL statement") => {
            (SqlFault::Syntax, "expected one statement, found several; send them one by one".to_owned())
        }
        DataFusionError::Plan(text) | DataFusionError::NotImplemented(text)
            if MISPLACED.iter().any(|part| text.contains(part)) =>
        {
            let message = "a subquery, or a function that is one (risk_score, taxpayer_grade and so on), stands where none can be \
                           computed: select it in an inner query under a name, and use the name outside";
            (SqlFault::Invalid, message.to_owned())
        }
        DataFusionError::Plan(text) | DataFusionError::Substrait(text) => (SqlFault::Invalid, strip(text)),
        DataFusionError::NotImplemented(text) if text.starts_with(UNSUPPORTED) => {
            let what = strip(text.trim_start_matches(UNSUPPORTED));
            (SqlFault::Invalid, format!("the statement {what} is not supported; the warehouse answers queries"))
        }
        DataFusionError::NotImplemented(text) => (SqlFault::Invalid, format!("not supported: {}", strip(text))),
        DataFusionError::ResourcesExhausted(text) => (
            SqlFault::Resources,
            format!(
                "the query needs more memory than it may have; select fewer rows or columns, or start the server with a larger \
             --memory-mib ({})",
                strip(text)
            ),
        ),
        DataFusionError::Execution(text) | DataFusionError::Configuration(text) => (SqlFault::Invalid, strip(text)),
        DataFusionError::ArrowError(arrow, _) => (SqlFault::Invalid, strip(&arrow.to_string())),
        other => (SqlFault::Failed, strip(&other.strip_backtrace())),
    }
}

/// Which time a `TIMESTAMP` cannot hold, and what to do; `None` where the error is another one. Looks only at what the
/// library says in words of its own, since others quote the query.
fn beyond(error: &DataFusionError) -> Option<String> {
    let unknown = || ("a time".to_owned(), "…".to_owned());
    let (time, literal) = match error {
        DataFusionError::Execution(text) if text.starts_with(BEYOND) => unknown(),
        DataFusionError::Execution(text) if text.starts_with("Cannot cast ") && text.contains(CAST_BEYOND) => unknown(),
        DataFusionError::ArrowError(arrow, _) => match arrow.as_ref() {
            ArrowError::ParseError(text) if text.starts_with(BEYOND) => unknown(),
            ArrowError::CastError(text) => {
                let time = text.strip_prefix(CONVERTING)?.split_once(" to Nanosecond. ")?.0;
                (format!("the time {time}"), quoted(time))
            }
            ArrowError::ArithmeticOverflow(text) => of_a_day(text)?,
            _ => return None,
        },
        _ => return None,
    };
    Some(format!(
        "{time} is no TIMESTAMP, which counts nanoseconds, from 1677-09-21 to 2262-04-11; count microseconds, as \
         CAST({literal} AS TIMESTAMP(6)) does, or whole days, as DATE"
    ))
}

/// The day that a product which is too large counts in nanoseconds, and as a literal. Products of a query that fail are of
/// larger numbers: integers go round instead, and the decimals of SQL have room for a number of 32 bits. Only who casts to
/// `Decimal64` can ask for such a product without a day: so it is said too.
fn of_a_day(text: &str) -> Option<(String, String)> {
    let product = text.strip_prefix("Overflow happened on: ")?;
    let days: i32 = product.strip_suffix(" * 86400000000000")?.parse().ok()?;
    let (day, literal) = match Date32Type::to_naive_date_opt(days) {
        Some(day) => (format!("the day {day}"), quoted(&day.to_string())),
        None => ("a day".to_owned(), "…".to_owned()),
    };
    Some((format!("{day} ({product} nanoseconds)"), literal))
}

/// What the limit of one query is, and what to do.
fn over(text: &str) -> String {
    let digits = text.split_once(OVER).map(|(_, rest)| rest).unwrap_or_default();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    let limit = digits.parse::<usize>().map(|bytes| format!(" ({} MiB)", bytes >> 20)).unwrap_or_default();
    format!(
        "{ONE_QUERY}{limit}; select fewer rows or columns, join and group less at a time, or ask whoever runs the server \
         for more (--query-memory-mib)"
    )
}

/// Drops the prefixes that name the library's variants.
fn strip(text: &str) -> String {
    let text = text.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or(text);
    text.trim_start_matches("Error during planning: ").trim_start_matches("sql parser error: ").trim().to_owned()
}

/// `table 'haetae.customs.fact_itm' not found`, said with the names that exist.
fn unknown_table(text: &str, names: &[(String, Vec<String>)]) -> Option<String> {
    let name = text.strip_prefix("table '")?.split_once("' not found")?.0;
    let local = name.strip_prefix(CATALOG).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
    let (schema, table) = local.split_once('.').unwrap_or((DEFAULT_SCHEMA, local));
    let Some((_, known)) = names.iter().find(|(name, _)| name == schema) else {
        if schema == SYSTEM_SCHEMA {
            return Some(format!("there is no table \"{table}\" in the schema system, where a server keeps its own"));
        }
        let schemas: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let hint = hint(&near(schema, schemas.iter().copied()));
        return Some(format!("there is no schema \"{schema}\"; the schemas are {}.{hint}", schemas.join(", ")));
    };
    if schema == WORK {
        return Some(format!(
            "there is no table \"{table}\" in the schema work, which has what you have written there"
        ));
    }
    if schema == OUTSIDE && known.is_empty() {
        return Some(format!(
            "there is no table \"{table}\" in the schema outside; `haetae-server table list` shows those that are registered"
        ));
    }
    let close = near(table, known.iter().map(String::as_str));
    let hint = if close.is_empty() { format!(" The tables are {}.", known.join(", ")) } else { hint(&close) };
    Some(format!("there is no table \"{table}\" in the schema {schema}.{hint}"))
}

fn unknown_column(error: &SchemaError) -> (SqlFault, String) {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names: Vec<&str> = valid_fields.iter().map(|column| column.name.as_str()).collect();
            let close = near(&field.name, names.iter().copied());
            let hint = if !close.is_empty() {
                hint(&close)
            } else if names.is_empty() {
                String::new()
            } else {
                let shown = names.iter().take(30).copied().collect::<Vec<_>>().join(", ");
                format!(" The columns are {shown}{}.", if names.len() > 30 { " and more" } else { "" })
            };
            let place = field.relation.as_ref().map(|relation| format!(" in {relation}")).unwrap_or_default();
            (SqlFault::UnknownColumn, format!("there is no column \"{}\"{place}.{hint}", field.name))
        }
        other => (SqlFault::Invalid, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_beyond_nanoseconds_is_named() {
        let said = |product: &str| of_a_day(&format!("Overflow happened on: {product}"));
        let day = "the day 5000-01-01 (1106685 * 86400000000000 nanoseconds)".to_owned();
        assert_eq!(said("1106685 * 86400000000000"), Some((day, "'5000-01-01'".to_owned())));
        let beyond = "a day (2147483647 * 86400000000000 nanoseconds)".to_owned();
        assert_eq!(said("2147483647 * 86400000000000"), Some((beyond, "…".to_owned())));
        assert_eq!(said("2147483648 * 86400000000000"), None);
        assert_eq!(said("5 * 864"), None);
    }

    #[test]
    fn names_of_statements_read_as_sql() {
        let names = ["CreateExternalTable", "Insert Into", "COPY", "SetVariable"];
        assert_eq!(names.map(as_sql), ["CREATE EXTERNAL TABLE", "INSERT INTO", "COPY", "SET VARIABLE"]);
    }
}
