//! What goes in: the text of fields. What comes out: a column of the layout's type. What is not plainly a value
//! of the type is refused: nothing is guessed.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int8Builder, Int32Builder, StringBuilder};
use arrow::datatypes::DataType;
use chrono::NaiveDate;

use super::layout::Source;

/// A column under construction.
pub(super) enum Values {
    Text(StringBuilder),
    Int8(Int8Builder),
    Int32(Int32Builder),
    Float(Float64Builder),
    Date(Date32Builder),
    Flag(BooleanBuilder),
}

impl Values {
    pub(super) fn new(source: &Source) -> Self {
        match source.column.data_type {
            DataType::Int8 => Self::Int8(Int8Builder::new()),
            DataType::Int32 => Self::Int32(Int32Builder::new()),
            DataType::Float64 => Self::Float(Float64Builder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Boolean => Self::Flag(BooleanBuilder::new()),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// Appends one value; an empty field is null. What cannot be read is appended as null too, and
    /// the reason is returned.
    pub(super) fn push(&mut self, field: &str, source: &Source) -> Result<(), String> {
        fn settle<T>(text: &str, value: Option<T>, expected: &str) -> (Option<T>, Result<(), String>) {
            let outcome =
                if value.is_none() && !text.is_empty() { Err(format!("\"{text}\" is not {expected}")) } else { Ok(()) };
            (value, outcome)
        }
        let text = field.trim_ascii();
        match self {
            Self::Text(values) => {
                values.append_option((!field.is_empty()).then_some(field));
                Ok(())
            }
            Self::Int8(values) => {
                let (value, outcome) = settle(text, text.parse().ok(), "a whole number from -128 to 127");
                values.append_option(value);
                outcome
            }
            Self::Int32(values) => {
                let (value, outcome) = settle(text, text.parse().ok(), "a whole number");
                values.append_option(value);
                outcome
            }
            Self::Float(values) => {
                let number = text.parse::<f64>().ok();
                if let Some(what) = number.and_then(|number| out_of_range(text, number)) {
                    values.append_null();
                    return Err(what);
                }
                let (value, outcome) = settle(text, number, "a number");
                values.append_option(value.map(|number| source.scaled(number)));
                outcome
            }
            Self::Date(values) => {
                let (value, outcome) = settle(text, parse_date(text), "a date; expected YYYY-MM-DD");
                values.append_option(value);
                outcome
            }
            Self::Flag(values) => {
                let (value, outcome) = settle(text, parse_flag(text), "true or false (or 1 or 0)");
                values.append_option(value);
                outcome
            }
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(values) => Arc::new(values.finish()),
            Self::Int8(values) => Arc::new(values.finish()),
            Self::Int32(values) => Arc::new(values.finish()),
            Self::Float(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Flag(values) => Arc::new(values.finish()),
        }
    }
}

/// What is wrong with a number that a float cannot hold: it would become infinity or zero.
fn out_of_range(text: &str, number: f64) -> Option<String> {
    let digits = text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let large = number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit());
    let small = number == 0.0 && digits.filter(u8::is_ascii_digit).any(|digit| digit != b'0');
    (large || small).then(|| format!("\"{text}\" is too {} for a number", if large { "large" } else { "small" }))
}

/// Days since 1970-01-01 of a date that exists and is written as YYYY-MM-DD.
fn parse_date(text: &str) -> Option<i32> {
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(digits(0..4)? as i32, digits(5..7)?, digits(8..10)?)?;
    i32::try_from(date.signed_duration_since(NaiveDate::from_ymd_opt(1970, 1, 1)?).num_days()).ok()
}

fn parse_flag(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::*;

    #[test]
    fn only_dates_that_exist_are_dates() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date("2020-02-29"), Some(18_321));
        for wrong in ["2021-02-29", "2020-13-01", "2020-1-1", "20200101", "2020/01/01", "", "+020-01-01"] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_field_that_does_not_fit_says_what_was_expected() {
        let layout = Layout::table("fact_item").unwrap();
        let source = layout.sources.iter().find(|source| source.header == "item_no").unwrap();
        let mut values = Values::new(source);
        assert_eq!(values.push("12", source), Ok(()));
        assert_eq!(values.push("", source), Ok(()));
        assert_eq!(values.push("twelve", source), Err("\"twelve\" is not a whole number".to_owned()));
        assert_eq!(values.finish().null_count(), 2);
        let source = layout.sources.iter().find(|source| source.header == "net_mass_kg").unwrap();
        let mut values = Values::new(source);
        assert_eq!(values.push("1e400", source), Err("\"1e400\" is too large for a number".to_owned()));
        assert_eq!(values.push("-1e-400", source), Err("\"-1e-400\" is too small for a number".to_owned()));
        assert_eq!(values.push("0e5", source), Ok(()));
        assert_eq!(values.push("0x10", source), Err("\"0x10\" is not a number".to_owned()));
    }
}
