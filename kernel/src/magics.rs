//! The first line of a cell decides what it is: Rust, `%%sql`, or a `%`-command.

use haetae_display::{Bundle, Table, TableColumn};

/// A cell, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Rust code.
    Rust(String),
    /// A query for the warehouse.
    Sql(SqlCell),
    /// Something that the kernel does itself.
    Command(Command),
    /// Nothing to do: blank, or comments only.
    Empty,
}

/// What the kernel does itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `%help`
    Help,
    /// `%vars`
    Variables,
    /// `%tables`
    Tables,
    /// `%describe TABLE`
    Describe(String),
    /// `%connect`
    Connect,
    /// `%load FILE`
    Load(String),
    /// `NAME?`
    Inspect(String),
    /// `%time CODE`, `%%time` above a cell
    Time(Box<Cell>),
}

/// `%%sql [NAME <<] [--save NAME] [--limit N] QUERY`.
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

/// Every command: how it begins, how it is used, what it does.
pub const COMMANDS: &[(&str, &str, &str)] = &[
    ("%%sql", "%%sql [NAME <<] [--save NAME] [--limit N]", "ask the warehouse; the query stands below"),
    ("%%time", "%%time", "run the cell below it and say how long it took"),
    ("%connect", "%connect", "connect to the server anew and say where it is"),
    ("%describe", "%describe TABLE", "columns of a table"),
    ("%help", "%help", "this list"),
    ("%load", "%load FILE", "put the text of a file into this cell"),
    ("%tables", "%tables", "tables of the warehouse"),
    ("%time", "%time CODE", "run one line of Rust and say how long it took"),
    ("%vars", "%vars", "your variables and their types"),
];

/// A command that cannot be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MagicError {
    /// No such command.
    #[error("there is no command `{found}`; this kernel knows {}", known())]
    Unknown {
        /// What the cell began with.
        found: String,
    },
    /// `%%sql` without a statement.
    #[error("the %%sql cell has no statement; write it below the first line")]
    NoQuery,
    /// A command without what it is about.
    #[error("expected `{usage}`, found nothing behind the command")]
    NoArgument {
        /// How it is used.
        usage: &'static str,
    },
    /// Text below a command that takes one line.
    #[error("`{command}` takes one line; put what stands below it into a cell of its own")]
    MoreLines {
        /// The command.
        command: String,
    },
    /// A name that cannot be one of a Rust variable.
    #[error("`{found}` cannot be a name here; use letters, digits and _, not first a digit, and no Rust keyword")]
    BadName {
        /// What stands where the name should.
        found: String,
    },
    /// `--limit` without a number.
    #[error("--limit needs a number of rows, found `{found}`")]
    BadLimit {
        /// What follows it.
        found: String,
    },
}

fn known() -> String {
    COMMANDS.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The list of commands, as a table.
pub fn help() -> Bundle {
    let column = |name: &str| TableColumn { name: name.to_owned(), data_type: "str".to_owned(), numeric: false };
    let inspect = ("", "NAME?", "what a variable, a command or a name of the toolkit is");
    let lines = COMMANDS.iter().copied().chain([inspect]);
    let rows: Vec<_> = lines.map(|(_, usage, does)| vec![Some(usage.to_owned()), Some(does.to_owned())]).collect();
    let columns = vec![column("command"), column("what it does")];
    Table { columns, total_rows: rows.len(), head: rows, tail: Vec::new() }.bundle()
}

/// Understands a cell.
///
/// # Errors
/// [`MagicError`] where the first line is a command that is unknown or incomplete.
pub fn understand(code: &str) -> Result<Cell, MagicError> {
    let text = code.trim_start();
    if let Some(name) = code.trim().strip_suffix('?').or_else(|| code.trim().strip_prefix('?')) {
        let name = name.trim();
        if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_%:".contains(c)) {
            return Ok(Cell::Command(Command::Inspect(name.to_owned())));
        }
    }
    if text.starts_with('%') {
        let (word, rest) = split_word(text);
        return match word {
            "%%sql" => sql(rest).map(Cell::Sql),
            "%%time" => understand(rest).map(|cell| Cell::Command(Command::Time(Box::new(cell)))),
            _ => command(word, rest).map(Cell::Command),
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

fn command(word: &str, rest: &str) -> Result<Command, MagicError> {
    let usage = |of: &str| COMMANDS.iter().find(|(name, _, _)| *name == of).map_or("", |(_, usage, _)| usage);
    let argument = rest.trim();
    let needed = || {
        if argument.is_empty() { Err(MagicError::NoArgument { usage: usage(word) }) } else { Ok(argument.to_owned()) }
    };
    let command = match word {
        "%help" => Command::Help,
        "%vars" | "%whos" => Command::Variables,
        "%tables" => Command::Tables,
        "%describe" => Command::Describe(needed()?),
        "%connect" => Command::Connect,
        "%load" => Command::Load(needed()?),
        "%time" => return Ok(Command::Time(Box::new(understand(&needed()?)?))),
        _ => return Err(MagicError::Unknown { found: word.to_owned() }),
    };
    if rest.trim_end().contains('\n') {
        return Err(MagicError::MoreLines { command: word.to_owned() });
    }
    Ok(command)
}

fn name(found: &str) -> Result<String, MagicError> {
    // Parsing as an identifier refuses keywords too.
    syn::parse_str::<syn::Ident>(found).map_err(|_| MagicError::BadName { found: found.to_owned() })?;
    Ok(found.to_owned())
}

fn sql(text: &str) -> Result<SqlCell, MagicError> {
    let mut cell = SqlCell { name: None, save: None, limit: haetae_display::table::SHOWN_ROWS, query: String::new() };
    let (first, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut head = first.trim();
    loop {
        if let Some(rest) = head.strip_prefix("--limit") {
            let (number, rest) = split_word(rest.trim_start());
            cell.limit = number.parse().map_err(|_| MagicError::BadLimit { found: number.to_owned() })?;
            head = rest.trim_start();
        } else if let Some(rest) = head.strip_prefix("--save") {
            let (saved, rest) = split_word(rest.trim_start());
            cell.save = Some(name(saved)?);
            head = rest.trim_start();
        } else if let Some((before, rest)) = head.split_once("<<")
            && cell.name.is_none()
            && !before.trim().contains(char::is_whitespace)
        {
            cell.name = Some(name(before.trim())?);
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
        let name = name.map(str::to_owned);
        Ok(Cell::Sql(SqlCell { name, save: None, limit, query: query.to_owned() }))
    }

    #[test]
    fn sql_cells_in_all_their_forms() {
        assert_eq!(understand("%%sql\nselect 1;"), sql_cell(None, 10, "select 1"));
        assert_eq!(understand("%%sql select 1"), sql_cell(None, 10, "select 1"));
        assert_eq!(understand("\n%%sql a <<\nselect\n1"), sql_cell(Some("a"), 10, "select\n1"));
        assert_eq!(understand("%%sql a << select 1"), sql_cell(Some("a"), 10, "select 1"));
        assert_eq!(understand("%%sql --limit 5 a <<\nselect 1"), sql_cell(Some("a"), 5, "select 1"));
        assert_eq!(understand("%%sql\nselect 1 << 2"), sql_cell(None, 10, "select 1 << 2"));
        let Ok(Cell::Sql(cell)) = understand("%%sql --save busy a <<\nselect 1") else { panic!("not an SQL cell") };
        assert_eq!((cell.save.as_deref(), cell.name.as_deref()), (Some("busy"), Some("a")));
    }

    #[test]
    fn mistakes_are_named() {
        let found = |text: &str| text.to_owned();
        assert_eq!(understand("%%sql  \n ;"), Err(MagicError::NoQuery));
        assert_eq!(understand("%%sql 1a << select 1"), Err(MagicError::BadName { found: found("1a") }));
        assert_eq!(understand("%%sql fn << select 1"), Err(MagicError::BadName { found: found("fn") }));
        assert_eq!(understand("%%sql --save\nselect 1"), Err(MagicError::BadName { found: found("") }));
        assert_eq!(understand("%%sql --limit x\nselect 1"), Err(MagicError::BadLimit { found: found("x") }));
        assert_eq!(understand("%%python\n1"), Err(MagicError::Unknown { found: found("%%python") }));
        assert_eq!(understand("%pip install"), Err(MagicError::Unknown { found: found("%pip") }));
        assert_eq!(understand("%describe"), Err(MagicError::NoArgument { usage: "%describe TABLE" }));
        assert_eq!(understand("%vars\n1 + 1"), Err(MagicError::MoreLines { command: found("%vars") }));
    }

    #[test]
    fn commands_are_told_from_rust() {
        assert_eq!(understand("1 % 2"), Ok(Cell::Rust("1 % 2".into())));
        assert_eq!(understand(" // only a remark\n"), Ok(Cell::Empty));
        assert_eq!(understand("%vars"), Ok(Cell::Command(Command::Variables)));
        assert_eq!(understand("%describe kcs.fact_item"), Ok(Cell::Command(Command::Describe("kcs.fact_item".into()))));
        let timed = |cell| Ok(Cell::Command(Command::Time(Box::new(cell))));
        assert_eq!(understand("%time 1 + 1"), timed(Cell::Rust("1 + 1".into())));
        assert_eq!(understand("%%time\n%vars"), timed(Cell::Command(Command::Variables)));
        assert_eq!(understand("Chart?"), Ok(Cell::Command(Command::Inspect("Chart".into()))));
        assert_eq!(understand("%%sql?"), Ok(Cell::Command(Command::Inspect("%%sql".into()))));
        assert_eq!(understand("f(x)?"), Ok(Cell::Rust("f(x)?".into())));
    }

    #[test]
    fn every_command_of_the_list_is_understood() {
        for (name, _, _) in COMMANDS {
            let code = format!("{name} 1");
            assert!(!matches!(understand(&code), Err(MagicError::Unknown { .. })), "{name}");
        }
    }
}
