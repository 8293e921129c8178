//! What SQL cells can name: schemas, tables, columns and functions of the server, and saved queries. In:
//! the text of a cell and a place in it; out: what can stand there, or what stands there.
//!
//! It has a connection of its own, so that it answers beside a query that runs, and asks the server once:
//! `%connect` makes it ask anew.

mod arguments;
mod candidates;
mod cell;
mod inspect;
mod load;
mod names;
mod statement;

use serde_json::{Value, json};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

pub use load::{columns_of, texts_of};

/// Time that an answer may wait for the server. What comes later is there for the next question.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Most matches that a front end is sent.
const MOST: usize = 500;

/// A column of a table or of a saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, in the words of data frames.
    pub data_type: String,
    /// Whether it may hold nulls.
    pub nullable: bool,
}

/// A table of the server, or a saved query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Empty for a saved query.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The text of a saved query.
    pub query: Option<String>,
}

/// A function of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    name: String,
    syntax: String,
    description: String,
}

/// All that can be named.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The schema whose tables need no schema in front.
    default_schema: String,
    /// Saved queries first: they hide tables of the same name.
    tables: Vec<Table>,
    functions: Vec<Function>,
}

/// The catalogue of one kernel.
#[derive(Default)]
pub struct Catalogue {
    of_server: Mutex<Arc<OnceCell<Contents>>>,
    saved: Mutex<Vec<Table>>,
}

impl Catalogue {
    /// Asks the server anew at the next question.
    pub fn forget(&self) {
        *lock(&self.of_server) = Arc::default();
    }

    /// Notes a saved query.
    pub fn save(&self, name: &str, query: &str, columns: Vec<Column>) {
        let table = Table { schema: String::new(), name: name.to_owned(), columns, query: Some(query.to_owned()) };
        let mut saved = lock(&self.saved);
        saved.retain(|known| known.name != name);
        saved.push(table);
    }

    /// The content of a `complete_reply`, where the place is one for SQL or for the argument of a command.
    pub async fn complete(&self, code: &str, cursor: usize) -> Option<Value> {
        let cursor = byte_of(code, cursor);
        let found = match cell::place(code, cursor)? {
            cell::Place::Options { start } => arguments::sql_options(code, start, cursor),
            cell::Place::Argument { command, start } => {
                arguments::complete(command, code, start, cursor, self.contents()).await
            }
            cell::Place::Query { start } => {
                let answer = candidates::complete(
                    &code[start..],
                    cursor - start,
                    &self.contents().await,
                    candidates::Wanted::All,
                );
                answer.moved(start)
            }
        };
        Some(found.reply(code, cursor))
    }

    /// The content of an `inspect_reply`, where the place is one in a query or in a command about tables.
    pub async fn inspect(&self, code: &str, cursor: usize) -> Option<Value> {
        let cursor = byte_of(code, cursor);
        let text = match cell::place(code, cursor)? {
            cell::Place::Options { .. } => None,
            cell::Place::Argument { command: "%describe" | "%sqlplot", start } => {
                inspect::text(&code[start..], cursor - start, &self.contents().await)
            }
            cell::Place::Argument { .. } => None,
            cell::Place::Query { start } => inspect::text(&code[start..], cursor - start, &self.contents().await),
        };
        let data = text.as_ref().map_or(json!({}), |text| json!({"text/plain": text}));
        Some(json!({"status": "ok", "found": text.is_some(), "data": data, "metadata": {}}))
    }

    /// The columns of a saved query; of none where nothing was saved under the name.
    pub fn saved_columns(&self, name: &str) -> Option<Vec<Column>> {
        lock(&self.saved).iter().find(|saved| saved.name == name).map(|saved| saved.columns.clone())
    }

    /// The schema whose tables need no schema in front; empty where the server does not say in time.
    pub async fn default_schema(&self) -> String {
        self.contents().await.default_schema
    }

    /// What is known; without the server's part where it does not answer in time.
    fn contents(&self) -> impl Future<Output = Contents> + use<> {
        let (cell, saved) = (lock(&self.of_server).clone(), lock(&self.saved).clone());
        async move {
            // A task of its own goes on where nobody waits for it any more.
            let asked = tokio::spawn(async move { cell.get_or_try_init(load::contents).await.cloned().ok() });
            let answer = tokio::time::timeout(PATIENCE, asked).await;
            let mut contents = answer.ok().and_then(Result::ok).flatten().unwrap_or_default();
            contents.tables.splice(0..0, saved);
            contents
        }
    }
}

/// What can stand at a place: from where on it replaces text, and the candidates in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    start: usize,
    candidates: Vec<Candidate>,
}

/// A text that can be inserted, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    text: String,
    kind: &'static str,
    /// A type, or how it is used.
    detail: String,
}

impl Candidate {
    fn new(text: impl Into<String>, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { text: text.into(), kind, detail: detail.into() }
    }
}

impl Answer {
    fn moved(mut self, by: usize) -> Self {
        self.start += by;
        self
    }

    fn reply(mut self, code: &str, cursor: usize) -> Value {
        let mut seen = std::collections::BTreeSet::new();
        self.candidates.retain(|candidate| seen.insert(candidate.text.clone()));
        self.candidates.truncate(MOST);
        let characters = |byte: usize| code[..byte].chars().count();
        let (start, end) = (characters(self.start), characters(cursor));
        let typed: Vec<Value> = self
            .candidates
            .iter()
            .map(|of| json!({"start": start, "end": end, "text": of.text, "type": of.kind, "signature": of.detail}))
            .collect();
        let matches: Vec<&str> = self.candidates.iter().map(|candidate| candidate.text.as_str()).collect();
        json!({
            "status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end,
            "metadata": {"_jupyter_types_experimental": typed},
        })
    }
}

fn byte_of(code: &str, characters: usize) -> usize {
    code.char_indices().nth(characters).map_or(code.len(), |(at, _)| at)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small warehouse, and a saved query.
    pub(crate) fn contents() -> Contents {
        let column = |name: &str, data_type: &str| Column {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            nullable: name.starts_with('p'),
        };
        let table = |schema: &str, name: &str, columns: &[(&str, &str)]| Table {
            schema: schema.to_owned(),
            name: name.to_owned(),
            columns: columns.iter().map(|(name, of)| column(name, of)).collect(),
            query: schema.is_empty().then(|| "select 1".to_owned()),
        };
        let function = |name: &str| Function {
            name: name.to_owned(),
            syntax: format!("{name}(expression)"),
            description: "Counts.".to_owned(),
        };
        Contents {
            default_schema: "customs".to_owned(),
            tables: vec![
                table("", "busy", &[("office_id", "str"), ("n", "i64")]),
                table(
                    "customs",
                    "fact_item",
                    &[("item_no", "i32"), ("hs6", "str"), ("price", "f64"), ("Odd One", "str")],
                ),
                table("customs", "dim_hs", &[("hs6", "str"), ("heading", "str")]),
                table("kcs", "fact_item", &[("seller", "str")]),
            ],
            functions: vec![function("count"), function("concat"), function("sum")],
        }
    }

    #[tokio::test]
    async fn without_a_server_saved_queries_and_keywords_are_known() {
        let catalogue = Catalogue::default();
        catalogue.save("mine", "select 1 as one", vec![]);
        // The contents that no server has sent.
        lock(&catalogue.of_server).set(Contents::default()).unwrap();
        let reply = catalogue.complete("%%sql\nselect * from mi", 21).await.unwrap();
        assert_eq!(reply["matches"], json!(["mine"]));
        assert_eq!(catalogue.complete("1 + 1", 5).await, None);
    }

    #[test]
    fn positions_count_characters() {
        let answer = Answer { start: "세관 ".len(), candidates: vec![Candidate::new("abc", "table", "")] };
        let reply = answer.reply("세관 ab", "세관 ab".len());
        assert_eq!((reply["cursor_start"].as_u64(), reply["cursor_end"].as_u64()), (Some(3), Some(5)));
    }
}
