//! What goes in: a statement. What comes out: the same without its values, for logs and audits.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::{CATALOG, COURSE, META, QUALITY, REJECTS, RISK, SCHEMAS};

/// A shape is cut after so many bytes.
pub(super) const SHAPE_BYTES: usize = 4096;

/// The statement in one line with `?` for every literal, lists of them as one, without comments.
/// Text in double quotes is kept only where it is the name of something in the warehouse. What is
/// no SQL gives its length alone.
pub fn shape(sql: &str) -> String {
    let dialect = GenericDialect {};
    let Ok(tokens) = Tokenizer::new(&dialect, sql).tokenize() else {
        return format!("no SQL, {} bytes", sql.len());
    };
    let mut words: Vec<String> = Vec::new();
    let mut spaced = false;
    for token in tokens {
        let word = match token {
            Token::Whitespace(_) => {
                spaced = true;
                continue;
            }
            Token::Word(word) if word.quote_style.is_none() => word.value,
            Token::Word(word) if is_name(&word.value) => format!("\"{}\"", word.value),
            Token::Number(..) | Token::Placeholder(_) | Token::Word(_) => "?".to_owned(),
            other => {
                let text = other.to_string();
                // Texts have many forms ('…', E'…', X'…', $$…$$); every one has a quotation mark or a dollar.
                if text.contains(['\'', '"', '$']) { "?".to_owned() } else { text }
            }
        };
        if word == "?" && matches!(words.as_slice(), [.., value, comma] if value.trim() == "?" && comma == ",") {
            words.pop();
        } else {
            let first = words.is_empty();
            words.push(if spaced && !first && word != "," { format!(" {word}") } else { word });
        }
        spaced = false;
    }
    let mut shape = words.concat();
    if shape.len() > SHAPE_BYTES {
        let end = (0..=SHAPE_BYTES).rev().find(|end| shape.is_char_boundary(*end)).unwrap_or(0);
        shape.truncate(end);
        shape.push('…');
    }
    shape
}

pub(super) fn is_name(word: &str) -> bool {
    let filled = haetae_schema::quality_tables().iter().chain(haetae_schema::risk_tables());
    let filled = filled.chain(haetae_schema::course_tables());
    let mut tables = haetae_schema::tables().iter().chain(filled).chain(haetae_schema::meta_tables());
    word == CATALOG
        || word == REJECTS
        || SCHEMAS.contains(&word)
        || word == QUALITY
        || word == RISK
        || word == COURSE
        || word == META
        || tables.any(|table| table.name == word || table.column(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_left() {
        let cases = [
            ("select * from t where a = 'Kim' and b > -17.5", "select * from t where a = ? and b > -?"),
            ("SELECT  1 -- secret\n, 'x' /* secret */ FROM t", "SELECT ? FROM t"),
            ("select \"hs6\", \"Kim\" from t", "select \"hs6\", ? from t"),
            ("select * from t where a in ('a', 'b','c') or b = $1", "select * from t where a in (?) or b = ?"),
            ("select x'ff', E'a\\'b', $$Kim$$, $t$Kim$t$, date '2020-01-01'", "select ?, date ?"),
            ("select 'open", "no SQL, 12 bytes"),
        ];
        for (sql, expected) in cases {
            assert_eq!(shape(sql), expected, "{sql}");
        }
        let long = format!("select {}", "ü + ".repeat(3000));
        assert!(shape(&long).len() <= SHAPE_BYTES + '…'.len_utf8());
    }
}
