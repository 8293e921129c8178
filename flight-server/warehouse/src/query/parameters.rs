//! What goes in: SQL with `?` or `$1` in it, a batch of values. What comes out: SQL that the planner
//! reads, and the values of each row.

use arrow::array::RecordBatch;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::{Error, Result, SqlFault};

/// Numbers the `?` of a statement: `$1`, `$2` … The planner would take all of them for one
/// parameter. SQL without `?`, and text that is no SQL, comes back as it is.
pub(super) fn number_parameters(sql: &str) -> String {
    if !sql.contains('?') {
        return sql.to_owned();
    }
    // Without unescaping, a token prints as it was written.
    let dialect = GenericDialect {};
    let Ok(tokens) = Tokenizer::new(&dialect, sql).with_unescape(false).tokenize() else {
        return sql.to_owned();
    };
    let mut number = 0;
    let numbered = tokens.into_iter().map(|token| match token {
        Token::Placeholder(text) if text == "?" => {
            number += 1;
            format!("${number}")
        }
        other => other.to_string(),
    });
    numbered.collect()
}

/// The values of row `row`, by position.
pub(super) fn row_values(values: &RecordBatch, row: usize) -> Result<ParamValues> {
    let scalars = values.columns().iter().map(|column| ScalarValue::try_from_array(column, row));
    let scalars: Vec<ScalarValue> = scalars.collect::<Result<_, _>>().map_err(|error| Error::Sql {
        fault: SqlFault::Parameters,
        message: format!("cannot read a parameter: {error}"),
    })?;
    Ok(ParamValues::from(scalars))
}

/// The number in `$7`; `None` for a parameter with a name.
pub(super) fn position(placeholder: &str) -> Option<usize> {
    placeholder.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_are_numbered_outside_of_quotes() {
        let sql = "select '?', \"a?\" -- why?\n from t where x = ? and y like 'it''s%' and z in (?, $7)";
        let expected = "select '?', \"a?\" -- why?\n from t where x = $1 and y like 'it''s%' and z in ($2, $7)";
        assert_eq!(number_parameters(sql), expected);
        assert_eq!(number_parameters("select 1"), "select 1");
    }
}
