//! `%%sql [NAME <<] [--save NAME] [--limit N] QUERY`.

use super::{MagicError, split_word};

/// A query and what happens to its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlCell {
    /// Variable for the next Rust cell.
    pub name: Option<String>,
    /// Name under which later queries can use this one like a table.
    pub save: Option<String>,
    /// Rows to show.
    pub limit: usize,
    /// The statement.
    pub query: String,
}

/// Options of the first line.
pub const OPTIONS: &[(&str, &str)] =
    &[("--limit", "number of rows to show"), ("--save", "name under which later queries can use this one")];

/// Understands what follows `%%sql`.
pub(super) fn sql(text: &str) -> Result<SqlCell, MagicError> {
    let mut cell = SqlCell { name: None, save: None, limit: haetae_display::table::SHOWN_ROWS, query: String::new() };
    let (first, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut head = first.trim();
    while let Some(rest) = option(head, &mut cell)? {
        head = rest;
    }
    cell.query = format!("{head}\n{body}").trim().trim_end_matches(';').to_owned();
    if cell.query.is_empty() {
        return Err(MagicError::NoQuery);
    }
    Ok(cell)
}

/// What stands behind the first option of a line; `None` where it begins with none.
fn option<'a>(head: &'a str, cell: &mut SqlCell) -> Result<Option<&'a str>, MagicError> {
    if let Some(rest) = head.strip_prefix("--limit") {
        let (found, rest) = split_word(rest.trim_start());
        let bad = || MagicError::BadNumber { option: "--limit", of: "rows", found: found.to_owned() };
        cell.limit = found.parse().map_err(|_| bad())?;
        Ok(Some(rest.trim_start()))
    } else if let Some(rest) = head.strip_prefix("--save") {
        let (saved, rest) = split_word(rest.trim_start());
        cell.save = Some(name(saved)?);
        Ok(Some(rest.trim_start()))
    } else if let Some((before, rest)) = head.split_once("<<")
        && cell.name.is_none()
        && !before.trim().contains(char::is_whitespace)
    {
        cell.name = Some(name(before.trim())?);
        Ok(Some(rest.trim_start()))
    } else {
        Ok(None)
    }
}

/// The part of a cell's first line, behind `%%sql`, that is query: without the options in front of it,
/// as far as they are whole.
pub fn query_of_line(first: &str) -> &str {
    let mut cell = SqlCell { name: None, save: None, limit: 0, query: String::new() };
    let mut head = first.trim_start();
    while let Ok(Some(rest)) = option(head, &mut cell) {
        head = rest;
    }
    head
}

fn name(found: &str) -> Result<String, MagicError> {
    // Parsing as an identifier refuses keywords too.
    syn::parse_str::<syn::Ident>(found).map_err(|_| MagicError::BadName { found: found.to_owned() })?;
    Ok(found.to_owned())
}
