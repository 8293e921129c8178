//! Cells that were run, across sessions and kernels: cells in, the entries of a `history_reply` out.
//!
//! One SQLite file in the user's data folder holds them for all kernels; SQLite keeps writers apart.
//! A thread owns the connection, so that a slow disk delays no cell. Where the file cannot be used,
//! the history lives as long as the kernel.

use rusqlite::{Connection, Row, params};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Folder for the history, if not the user's data folder.
pub const FOLDER_VARIABLE: &str = "HAETAE_DATA_DIR";

/// Another kernel may be writing; its transactions are one row long.
const PATIENCE: Duration = Duration::from_secs(5);

const TABLES: &str = "
    create table if not exists sessions (session integer primary key autoincrement, started text not null);
    create table if not exists cells (
        session integer not null,
        line integer not null,
        input text not null,
        output text,
        primary key (session, line)
    ) without rowid;";

type Task = Box<dyn FnOnce(&Connection, i64) + Send>;

/// The history as this session sees it.
#[derive(Clone)]
pub struct History {
    tasks: Sender<Task>,
}

/// What a `history_request` asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// The last `n` cells of all sessions.
    Tail {
        /// How many.
        n: i64,
    },
    /// Cells of one session.
    Range {
        /// Its number; 0 is this session, -1 the one before.
        session: i64,
        /// First line.
        start: i64,
        /// The line behind the last; without it, to the end.
        stop: Option<i64>,
    },
    /// Cells whose text fits a pattern with `*` and `?`, the last `n` of them.
    Search {
        /// The pattern, for the whole text.
        pattern: String,
        /// How many.
        n: i64,
        /// Each text once.
        unique: bool,
    },
}

impl Wanted {
    /// Reads a request; what is missing is everything.
    pub fn of(content: &Value) -> Self {
        let number = |key: &str| content[key].as_i64();
        let n = number("n").filter(|n| *n >= 0).unwrap_or(i64::MAX);
        match content["hist_access_type"].as_str() {
            Some("range") => Self::Range {
                session: number("session").unwrap_or(0),
                start: number("start").unwrap_or(0),
                stop: number("stop"),
            },
            Some("search") => Self::Search {
                pattern: content["pattern"].as_str().unwrap_or("*").to_owned(),
                n,
                unique: content["unique"].as_bool().unwrap_or(false),
            },
            _ => Self::Tail { n },
        }
    }
}

impl History {
    /// Opens the user's history and begins a session in it.
    pub fn open() -> Self {
        let (tasks, queue) = channel::<Task>();
        std::thread::spawn(move || {
            let opened = file().and_then(|file| begin(Connection::open(file)?));
            let (connection, session) = match opened.or_else(|error| {
                eprintln!("haetae-kernel: no history across sessions: {error:#}");
                begin(Connection::open_in_memory()?)
            }) {
                Ok(opened) => opened,
                Err(error) => return eprintln!("haetae-kernel: no history: {error:#}"),
            };
            for task in queue {
                task(&connection, session);
            }
        });
        Self { tasks }
    }

    /// Notes a cell.
    pub fn add(&self, line: usize, input: &str) {
        let (line, input) = (line as i64, input.to_owned());
        self.task(move |connection, session| {
            let insert = "insert or replace into cells (session, line, input) values (?, ?, ?)";
            report(connection.execute(insert, params![session, line, input]));
        });
    }

    /// Notes the text of a cell's result.
    pub fn add_output(&self, line: usize, output: &str) {
        let (line, output) = (line as i64, output.to_owned());
        self.task(move |connection, session| {
            let update = "update cells set output = ? where session = ? and line = ?";
            report(connection.execute(update, params![output, session, line]));
        });
    }

    /// The entries that fit, oldest first: `[session, line, input]`, or with outputs
    /// `[session, line, [input, output]]`.
    pub async fn entries(&self, wanted: Wanted, with_output: bool) -> Vec<Value> {
        let (done, answer) = oneshot::channel();
        self.task(move |connection, session| {
            let entries = entries(connection, session, &wanted, with_output).unwrap_or_else(|error| {
                eprintln!("haetae-kernel: history: {error}");
                Vec::new()
            });
            // The client may have gone.
            let _ = done.send(entries);
        });
        answer.await.unwrap_or_default()
    }

    fn task(&self, task: impl FnOnce(&Connection, i64) + Send + 'static) {
        // Without a history the thread has ended, and has said so.
        let _ = self.tasks.send(Box::new(task));
    }
}

fn report(result: rusqlite::Result<usize>) {
    if let Err(error) = result {
        eprintln!("haetae-kernel: history: {error}");
    }
}

/// `haetae/history.sqlite` in the user's data folder.
fn file() -> anyhow::Result<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = named(FOLDER_VARIABLE)
        .or_else(|| named("XDG_DATA_HOME").map(|home| home.join("haetae")))
        .or_else(|| named("HOME").map(|home| home.join(".local/share/haetae")))
        .ok_or_else(|| anyhow::anyhow!("neither HOME nor {FOLDER_VARIABLE} is set"))?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join("history.sqlite"))
}

fn begin(connection: Connection) -> anyhow::Result<(Connection, i64)> {
    connection.busy_timeout(PATIENCE)?;
    // A history is no ledger: losing the last line in a power cut is fine, waiting for the disk is not.
    // Of two kernels that start at once one may be refused here; the other has set it for both.
    let _ = connection.pragma_update(None, "journal_mode", "wal");
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.execute_batch(TABLES)?;
    connection.execute("insert into sessions (started) values (datetime('now'))", [])?;
    let session = connection.last_insert_rowid();
    Ok((connection, session))
}

fn entries(connection: &Connection, current: i64, wanted: &Wanted, with_output: bool) -> rusqlite::Result<Vec<Value>> {
    let entry = |row: &Row<'_>| -> rusqlite::Result<Value> {
        let (session, line): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (input, output): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        Ok(if with_output { json!([session, line, [input, output]]) } else { json!([session, line, input]) })
    };
    const COLUMNS: &str = "select session, line, input, output from cells";
    let mut found: Vec<Value> = match wanted {
        Wanted::Range { session, start, stop } => {
            let session = if *session <= 0 { current + session } else { *session };
            let sql = format!("{COLUMNS} where session = ? and line >= ? and line < ? order by line");
            let rows = params![session, start, stop.unwrap_or(i64::MAX)];
            return connection.prepare(&sql)?.query_map(rows, entry)?.collect();
        }
        Wanted::Tail { n } => {
            let sql = format!("{COLUMNS} order by session desc, line desc limit ?");
            connection.prepare(&sql)?.query_map(params![n], entry)?.collect::<rusqlite::Result<_>>()?
        }
        Wanted::Search { pattern, n, unique } => {
            // Of equal texts the last one stands for all.
            let last = if *unique {
                "and not exists (select 1 from cells later where later.input = cells.input
                                 and (later.session, later.line) > (cells.session, cells.line))"
            } else {
                ""
            };
            let sql = format!("{COLUMNS} where input glob ? {last} order by session desc, line desc limit ?");
            // SQLite also knows classes of characters in brackets; the protocol does not.
            let pattern = pattern.replace('[', "[[]");
            connection.prepare(&sql)?.query_map(params![pattern, n], entry)?.collect::<rusqlite::Result<_>>()?
        }
    };
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> (Connection, i64) {
        let (connection, first) = begin(Connection::open_in_memory().unwrap()).unwrap();
        let (connection, second) = begin(connection).unwrap();
        let cells = [(first, 1, "let a = 1;"), (first, 2, "a[0]"), (second, 1, "a"), (second, 2, "let a = 1;")];
        for (session, line, input) in cells {
            let insert = "insert into cells (session, line, input) values (?, ?, ?)";
            connection.execute(insert, params![session, line, input]).unwrap();
        }
        (connection, second)
    }

    fn ask(wanted: Value) -> Vec<Value> {
        let (connection, session) = filled();
        entries(&connection, session, &Wanted::of(&wanted), false).unwrap()
    }

    #[test]
    fn the_tail_is_the_end_in_order() {
        let found = ask(json!({"hist_access_type": "tail", "n": 3}));
        assert_eq!(found, [json!([1, 2, "a[0]"]), json!([2, 1, "a"]), json!([2, 2, "let a = 1;"])]);
        assert_eq!(ask(json!({})).len(), 4);
    }

    #[test]
    fn a_range_is_of_one_session_and_ends_before_its_stop() {
        let range = |session: i64| json!({"hist_access_type": "range", "session": session, "start": 1, "stop": 2});
        assert_eq!(ask(range(1)), [json!([1, 1, "let a = 1;"])]);
        assert_eq!(ask(range(0)), [json!([2, 1, "a"])]);
        assert_eq!(ask(range(-1)), [json!([1, 1, "let a = 1;"])]);
    }

    #[test]
    fn a_search_takes_patterns_and_nothing_else() {
        let search = |pattern: &str, unique: bool| {
            ask(json!({"hist_access_type": "search", "pattern": pattern, "unique": unique}))
        };
        assert_eq!(search("let*", false).len(), 2);
        assert_eq!(search("let*", true), [json!([2, 2, "let a = 1;"])]);
        assert_eq!(search("a[0]", false), [json!([1, 2, "a[0]"])]);
        assert_eq!(search("?", false), [json!([2, 1, "a"])]);
        let last = ask(json!({"hist_access_type": "search", "pattern": "*", "n": 1}));
        assert_eq!(last, [json!([2, 2, "let a = 1;"])]);
    }

    #[test]
    fn outputs_stand_beside_inputs() {
        let (connection, session) = filled();
        connection.execute("update cells set output = '1' where session = 2 and line = 1", []).unwrap();
        let wanted = Wanted::Range { session: 0, start: 1, stop: None };
        let found = entries(&connection, session, &wanted, true).unwrap();
        assert_eq!(found, [json!([2, 1, ["a", "1"]]), json!([2, 2, ["let a = 1;", null]])]);
    }
}
