//! The first line of a cell decides what it is: Rust, `%%sql`, or a `%`-command.

mod chart;
mod dependency;
mod error;
mod list;
mod query;

pub use chart::{AGGREGATES, KINDS, Kind, OPTIONS as CHART_OPTIONS, Plot, words};
pub use dependency::{Dependency, Source};
pub use error::MagicError;
pub use list::{COMMANDS, help};
pub use query::{OPTIONS as SQL_OPTIONS, SqlCell, query_of_line};

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
    /// `%tables`, or `%tables SCHEMA`
    Tables(Option<String>),
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
    /// `%opt`, `%opt LEVEL`
    Opt(Option<u8>),
    /// `%progress`, `%progress on|off`
    Progress(Option<bool>),
    /// `%dep CRATE …`
    Dependency(Dependency),
    /// `%sqlplot KIND …`
    Plot(Plot),
    /// `%%bash` above a script
    Bash(String),
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
            "%%sql" => query::sql(rest).map(Cell::Sql),
            "%%bash" if rest.trim().is_empty() => Err(MagicError::NoScript),
            "%%bash" => Ok(Cell::Command(Command::Bash(rest.trim_start_matches([' ', '\t', '\r', '\n']).to_owned()))),
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
    let argument = rest.trim();
    let bad = || MagicError::BadArgument { usage: list::usage(word), found: argument.to_owned() };
    let needed =
        || if argument.is_empty() { Err(MagicError::NoArgument { usage: list::usage(word) }) } else { Ok(argument) };
    if word != "%time" && rest.trim_end().contains('\n') && !list::usage(word).is_empty() {
        return Err(MagicError::MoreLines { command: word.to_owned() });
    }
    Ok(match word {
        "%help" => Command::Help,
        "%vars" | "%whos" => Command::Variables,
        "%tables" => Command::Tables((!argument.is_empty()).then(|| argument.to_owned())),
        "%describe" => Command::Describe(needed()?.to_owned()),
        "%connect" => Command::Connect,
        "%load" => Command::Load(needed()?.to_owned()),
        "%time" => Command::Time(Box::new(understand(needed()?)?)),
        "%opt" => Command::Opt(match argument {
            "" => None,
            "0" | "1" | "2" | "3" => argument.parse().ok(),
            _ => return Err(bad()),
        }),
        "%progress" => Command::Progress(match argument {
            "" => None,
            "on" => Some(true),
            "off" => Some(false),
            _ => return Err(bad()),
        }),
        "%dep" => Command::Dependency(dependency::dependency(needed()?)?),
        "%sqlplot" => Command::Plot(chart::plot(needed()?)?),
        _ => return Err(MagicError::Unknown { found: word.to_owned() }),
    })
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
        assert_eq!(
            understand("%%sql --limit x\nselect 1"),
            Err(MagicError::BadNumber { option: "--limit", of: "rows", found: found("x") })
        );
        assert_eq!(understand("%%python\n1"), Err(MagicError::Unknown { found: found("%%python") }));
        assert_eq!(understand("%pip install"), Err(MagicError::Unknown { found: found("%pip") }));
        assert_eq!(understand("%describe"), Err(MagicError::NoArgument { usage: "%describe TABLE" }));
        assert_eq!(understand("%vars\n1 + 1"), Err(MagicError::MoreLines { command: found("%vars") }));
        assert_eq!(understand("%%bash \n"), Err(MagicError::NoScript));
        for (code, usage) in
            [("%opt 4", "%opt [0-3]"), ("%opt 00", "%opt [0-3]"), ("%progress no", "%progress [on|off]")]
        {
            let found = code.split(' ').nth(1).unwrap().to_owned();
            assert_eq!(understand(code), Err(MagicError::BadArgument { usage, found }));
        }
    }

    #[test]
    fn commands_are_told_from_rust() {
        assert_eq!(understand("1 % 2"), Ok(Cell::Rust("1 % 2".into())));
        assert_eq!(understand(" // only a remark\n"), Ok(Cell::Empty));
        assert_eq!(understand("%vars"), Ok(Cell::Command(Command::Variables)));
        assert_eq!(understand("%describe kcs.fact_item"), Ok(Cell::Command(Command::Describe("kcs.fact_item".into()))));
        assert_eq!(understand("%opt 3"), Ok(Cell::Command(Command::Opt(Some(3)))));
        assert_eq!(understand("%progress"), Ok(Cell::Command(Command::Progress(None))));
        assert_eq!(understand("%%bash\n  ls\n"), Ok(Cell::Command(Command::Bash("ls\n".into()))));
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
