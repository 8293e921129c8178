//! A cell and a place in it -> whether SQL, an option or a command's argument stands there.

use crate::magics::{COMMANDS, query_of_line};

/// What stands at a place; each with the byte where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An option of `%%sql`, from its `-` on.
    Options { start: usize },
    /// SQL.
    Query { start: usize },
    /// What follows a command on its line.
    Argument { command: &'static str, start: usize },
}

/// The place; `None` in Rust code, and in the name of a command.
pub(super) fn place(code: &str, cursor: usize) -> Option<Place> {
    let blank = code.len() - code.trim_start().len();
    let (word, rest) = code[blank..].split_at(code[blank..].find(char::is_whitespace)?);
    let start = blank + word.len();
    if cursor <= start {
        return None;
    }
    if word == "%%time" || word == "%time" {
        let behind = place(rest, cursor - start)?;
        return Some(match behind {
            Place::Options { start: at } => Place::Options { start: start + at },
            Place::Query { start: at } => Place::Query { start: start + at },
            Place::Argument { command, start: at } => Place::Argument { command, start: start + at },
        });
    }
    if word != "%%sql" {
        let (command, _, _) = COMMANDS.iter().find(|(name, _, _)| *name == word && !name.starts_with("%%"))?;
        let start = start + rest.len() - rest.trim_start_matches([' ', '\t']).len();
        return (cursor >= start && !code[start..cursor].contains('\n')).then_some(Place::Argument { command, start });
    }
    let first = rest.split('\n').next().unwrap_or(rest);
    if cursor <= start + first.len() {
        let typed = &first[..cursor - start];
        let from = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        // An option stands behind options only; in SQL two dashes begin a comment.
        if typed[from..].starts_with('-') && query_of_line(&typed[..from]).is_empty() {
            return Some(Place::Options { start: start + from });
        }
    }
    let query = query_of_line(first);
    let start = start + first.len() - query.len();
    (cursor >= start).then_some(Place::Query { start })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place at the `|`, and the text from there on.
    fn at(code: &str) -> Option<(&'static str, String)> {
        let cursor = code.find('|').unwrap();
        let code = code.replace('|', "");
        Some(match place(&code, cursor)? {
            Place::Options { start } => ("options", code[start..cursor].to_owned()),
            Place::Query { start } => ("query", code[start..cursor].to_owned()),
            Place::Argument { command, start } => (command, code[start..cursor].to_owned()),
        })
    }

    #[test]
    fn sql_is_told_from_options_and_rust() {
        assert_eq!(at("%%sql\nselect |"), Some(("query", "\nselect ".to_owned())));
        assert_eq!(at("%%sql a << select h|"), Some(("query", "select h".to_owned())));
        assert_eq!(at("%%sql --limit 5 --save busy\nselect h|"), Some(("query", "\nselect h".to_owned())));
        assert_eq!(at("%%sql --s|"), Some(("options", "--s".to_owned())));
        assert_eq!(at("%%sql --limit 5 -|\nselect 1"), Some(("options", "-".to_owned())));
        assert_eq!(at("%%sql select 1 --s|"), Some(("query", "select 1 --s".to_owned())));
        assert_eq!(at("%%time\n%%sql\nselect |"), Some(("query", "\nselect ".to_owned())));
        assert_eq!(at("%describe fa|"), Some(("%describe", "fa".to_owned())));
        assert_eq!(at("%sqlplot bar --t|"), Some(("%sqlplot", "bar --t".to_owned())));
        for elsewhere in ["sql(\"select |\")", "%%sq|", "%%sql|", "%%bash\nls |", "let x = 1; |", "|"] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
    }
}
