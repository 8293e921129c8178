//! The first line of a cell decides what it is: Rust, `%%sql`, or a `%`-command.

/// A cell, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Rust code.
    Rust(String),
    /// A query for the warehouse.
    Sql(SqlCell),
    /// `%vars`: the variables and their types.
    Variables,
    /// Nothing to do: blank, or comments only.
    Empty,
}

/// `%%sql [NAME <<] [--limit N] QUERY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlCell {
    /// Variable for the next Rust cell.
    pub name: Option<String>,
    /// Rows to show.
    pub limit: usize,
    /// The statement.
    pub query: String,
}

/// A command that cannot be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MagicError {
    /// No such command.
    #[error("there is no command `{found}`; this kernel knows %%sql and %vars")]
    Unknown {
        /// What the cell began with.
        found: String,
    },
    /// `%%sql` without a statement.
    #[error("the %%sql cell has no statement; write it below the first line")]
    NoQuery,
    /// The name before `<<` cannot be a Rust variable.
    #[error("`{found}` cannot name a variable; use letters, digits and _, not first a digit, and no Rust keyword")]
    BadName {
        /// What stands before `<<`.
        found: String,
    },
    /// `--limit` without a number.
    #[error("--limit needs a number of rows, found `{found}`")]
    BadLimit {
        /// What follows it.
        found: String,
    },
}

/// Understands a cell.
///
/// # Errors
/// [`MagicError`] where the first line is a command that is unknown or incomplete.
pub fn understand(code: &str) -> Result<Cell, MagicError> {
    let text = code.trim_start();
    if let Some(rest) = text.strip_prefix("%%") {
        let (word, rest) = split_word(rest);
        return match word {
            "sql" => sql(rest).map(Cell::Sql),
            _ => Err(MagicError::Unknown { found: format!("%%{word}") }),
        };
    }
    if let Some(rest) = text.strip_prefix('%') {
        let (word, _) = split_word(rest);
        return match word {
            "vars" | "whos" => Ok(Cell::Variables),
            _ => Err(MagicError::Unknown { found: format!("%{word}") }),
        };
    }
    let only_comments = text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with("//") && !line.starts_with("///") && !line.starts_with("//!")
    });
    Ok(if only_comments { Cell::Empty } else { Cell::Rust(code.to_owned()) })
}

/// The first word and what follows it.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

fn sql(text: &str) -> Result<SqlCell, MagicError> {
    let mut cell = SqlCell { name: None, limit: haetae_display::table::SHOWN_ROWS, query: String::new() };
    let (first, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut head = first.trim();
    loop {
        if let Some(rest) = head.strip_prefix("--limit") {
            let (number, rest) = split_word(rest.trim_start());
            cell.limit = number.parse().map_err(|_| MagicError::BadLimit { found: number.to_owned() })?;
            head = rest.trim_start();
        } else if let Some((name, rest)) = head.split_once("<<")
            && cell.name.is_none()
            && !name.trim().contains(char::is_whitespace)
        {
            let name = name.trim();
            // Parsing as an identifier refuses keywords too.
            syn::parse_str::<syn::Ident>(name).map_err(|_| MagicError::BadName { found: name.to_owned() })?;
            cell.name = Some(name.to_owned());
            head = rest.trim_start();
        } else {
            break;
        }
    }
    cell.query = format!("{head}\n{body}").trim().trim_end_matches(';').to_owned();
    if cell.query.is_empty() {
        return Err(MagicError::NoQuery);
    }
    Ok(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql_cell(name: Option<&str>, limit: usize, query: &str) -> Result<Cell, MagicError> {
        Ok(Cell::Sql(SqlCell { name: name.map(str::to_owned), limit, query: query.to_owned() }))
    }

    #[test]
    fn sql_cells_in_all_their_forms() {
        assert_eq!(understand("%%sql\nselect 1;"), sql_cell(None, 10, "select 1"));
        assert_eq!(understand("%%sql select 1"), sql_cell(None, 10, "select 1"));
        assert_eq!(understand("\n%%sql a <<\nselect\n1"), sql_cell(Some("a"), 10, "select\n1"));
        assert_eq!(understand("%%sql a << select 1"), sql_cell(Some("a"), 10, "select 1"));
        assert_eq!(understand("%%sql --limit 5 a <<\nselect 1"), sql_cell(Some("a"), 5, "select 1"));
        assert_eq!(understand("%%sql\nselect 1 << 2"), sql_cell(None, 10, "select 1 << 2"));
    }

    #[test]
    fn mistakes_are_named() {
        let found = |text: &str| text.to_owned();
        assert_eq!(understand("%%sql  \n ;"), Err(MagicError::NoQuery));
        assert_eq!(understand("%%sql 1a << select 1"), Err(MagicError::BadName { found: found("1a") }));
        assert_eq!(understand("%%sql fn << select 1"), Err(MagicError::BadName { found: found("fn") }));
        assert_eq!(understand("%%sql --limit x\nselect 1"), Err(MagicError::BadLimit { found: found("x") }));
        assert_eq!(understand("%%python\n1"), Err(MagicError::Unknown { found: found("%%python") }));
        assert_eq!(understand("%pip install"), Err(MagicError::Unknown { found: found("%pip") }));
    }

    #[test]
    fn rust_and_nothing() {
        assert_eq!(understand("1 % 2"), Ok(Cell::Rust("1 % 2".into())));
        assert_eq!(understand(" // only a remark\n"), Ok(Cell::Empty));
        assert_eq!(understand("%vars"), Ok(Cell::Variables));
    }
}
