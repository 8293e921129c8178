//! An `%%sql` cell: query -> table, and the frame for the next Rust cell. Nothing of its size is held in
//! memory: rows are looked at as they come, and go to a file where a cell wants them.

use super::Kernel;
use super::shell::{Done, Request};
use crate::catalogue::columns_of;
use crate::magics::SqlCell;
use crate::outcome;
use crate::rows::{Excerpt, Spill};
use arrow::datatypes::SchemaRef;
use haetae_client::{AsyncClient, QueryResult, QueryStream};
use haetae_display::channel::Failure;
use haetae_display::{Bundle, Table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A result with more rows is shown before its last ones have come.
const LONG: usize = 200_000;
/// Between two pictures of a result that is still coming.
const PICTURES: Duration = Duration::from_millis(250);

/// What has come of a query.
struct Fetched {
    table: Table,
    schema: SchemaRef,
    /// All of its rows, where the cell gives them a name.
    file: Option<PathBuf>,
}

/// Where the kernel leaves saved queries for Rust cells.
pub fn saved_queries(folder: &Path) -> PathBuf {
    folder.join("saved.json")
}

impl Kernel {
    /// Runs the query of a cell.
    pub(super) async fn query(&self, request: &Request<'_>, cell: SqlCell) -> Done {
        let mut interrupts = request.interrupts.clone();
        let mut shown = Shown::new(self, request, &cell);
        let fetched = tokio::select! {
            // Dropping the query closes its stream, which ends it on the server too.
            Ok(()) = interrupts.changed() => Err(outcome::interrupted_query()),
            fetched = self.fetch(&cell, &mut shown) => fetched,
        };
        let Fetched { table, schema, file } = match fetched {
            Ok(fetched) => fetched,
            Err(failure) => {
                shown.give_up();
                return Done::failed(failure);
            }
        };
        if let Some(name) = &cell.save {
            let saved = self.sql.lock().await.save(name, &cell.query, &saved_queries(&self.folder));
            if let Err(error) = saved {
                eprintln!("haetae-kernel: Rust cells do not know the saved query {name}: {error}");
            }
            self.catalogue.save(name, &cell.query, columns_of(&schema));
        }
        let Some((name, file)) = cell.name.as_ref().zip(file) else {
            return shown.result(&table, table.bundle());
        };
        // Locked here and not in the task, so that no later Rust cell comes before it.
        let mut rust = self.rust.clone().lock_owned().await;
        let line = format!("{name}: DataFrame, {}", table.shape());
        let done = shown.result(&table, Bundle::text(line));
        // Not waited for: the variable is made while the analyst reads.
        let evaluator = self.evaluator.clone();
        let file = file.display().to_string();
        let code =
            format!("let {name}: ::haetae::polars::frame::DataFrame = ::haetae::cell::received({name:?}, {file:?})?;");
        tokio::spawn(async move {
            if let Err(error) = evaluator.run(code).await {
                eprintln!("haetae-kernel: the result of an SQL cell was lost: {error:?}");
            }
            rust.output.rest().await;
            rust.warm = true;
        });
        done
    }

    async fn fetch(&self, cell: &SqlCell, shown: &mut Shown<'_>) -> Result<Fetched, Failure> {
        let sql_error = |error| outcome::sql(&error);
        let arrow = |error| outcome::arrow(&error);
        let spill_error = |error| outcome::rows(&error);
        let mut rows = self.begin(cell).await.map_err(sql_error)?;
        let mut spill = match &cell.name {
            Some(_) => Some(Spill::begin(&self.next_file(), rows.schema()).map_err(spill_error)?),
            None => None,
        };
        let mut excerpt = Excerpt::new(rows.schema(), cell.limit);
        while let Some(batch) = rows.next().await.map_err(sql_error)? {
            excerpt.add(&batch).map_err(arrow)?;
            if let Some(open) = spill.take() {
                spill = Some(open.add(batch).await.map_err(spill_error)?);
            }
            shown.so_far(&excerpt).map_err(arrow)?;
        }
        let file = match spill {
            Some(spill) => Some(spill.finish().await.map_err(spill_error)?),
            None => None,
        };
        Ok(Fetched { table: excerpt.table().map_err(arrow)?, schema: rows.schema().clone(), file })
    }

    /// Starts the query. The connection is free for other shells while the rows come.
    async fn begin(&self, cell: &SqlCell) -> Result<QueryStream, haetae_client::Error> {
        let (client, statement) = self.prepared(&cell.query).await?;
        client.stream(&statement).await
    }

    /// The whole result of a query that has few rows.
    pub(super) async fn whole(&self, query: &str) -> Result<QueryResult, haetae_client::Error> {
        let (client, statement) = self.prepared(query).await?;
        client.query(&statement).await
    }

    async fn prepared(&self, query: &str) -> Result<(AsyncClient, String), haetae_client::Error> {
        let mut runner = self.sql.lock().await;
        Ok((runner.client().await?, runner.with_saved(query)))
    }

    fn next_file(&self) -> PathBuf {
        let number = self.handed_over.fetch_add(1, Ordering::Relaxed) + 1;
        self.folder.join(format!("sql-{number}.arrow"))
    }
}

/// What the notebook sees of a result: of a short one the end alone, of a long one its first rows while the
/// others come, in one place. Which of the two depends on the rows, not on the clock, so that a notebook which
/// is run again looks the same.
struct Shown<'a> {
    kernel: &'a Kernel,
    request: &'a Request<'a>,
    name: Option<String>,
    /// When the last picture of a long result was sent.
    pictured: Option<Instant>,
    last: String,
}

impl<'a> Shown<'a> {
    fn new(kernel: &'a Kernel, request: &'a Request<'a>, cell: &SqlCell) -> Self {
        Self { kernel, request, name: cell.name.clone(), pictured: None, last: String::new() }
    }

    fn so_far(&mut self, excerpt: &Excerpt) -> Result<(), arrow::error::ArrowError> {
        let due = self.pictured.is_none_or(|at| at.elapsed() >= PICTURES);
        if excerpt.rows() > LONG && due && !self.request.silent {
            let table = excerpt.table()?;
            // Pages are turned when they are all there.
            self.picture(&captioned("reading; so far", &Table { more: Vec::new(), ..table }));
            self.pictured = Some(Instant::now());
        }
        Ok(())
    }

    /// The end of a result: `short` is what is shown of one that came at once.
    fn result(&mut self, table: &Table, short: Bundle) -> Done {
        let bundle = match (&self.name, self.pictured) {
            (_, None) => {
                let done = Done::shown(&short);
                self.kernel.result(self.request, short);
                return done;
            }
            (Some(name), Some(_)) => captioned(&format!("{name}: DataFrame,"), table),
            (None, Some(_)) => table.bundle(),
        };
        self.picture(&bundle);
        Done::shown(&bundle)
    }

    /// The query has ended before its result.
    fn give_up(&mut self) {
        if self.pictured.is_some() {
            let text = std::mem::take(&mut self.last);
            self.picture(&Bundle::text(format!("not read to its end; {text}")));
        }
    }

    fn picture(&mut self, bundle: &Bundle) {
        let kind = if self.pictured.is_some() { "update_display_data" } else { "display_data" };
        self.last = bundle.plain().to_owned();
        let id = format!("sql-{}", self.request.message.header["msg_id"].as_str().unwrap_or_default());
        let content = json!({"data": bundle.clone().into_json(), "metadata": {}, "transient": {"display_id": id}});
        self.kernel.iopub.publish(kind, &self.request.message.header, content);
    }
}

fn captioned(caption: &str, table: &Table) -> Bundle {
    let html = format!("<div><small>{}</small>{}</div>", haetae_display::table::escape(caption), table.to_html());
    Bundle::text(format!("{caption} {}", table.to_text())).with("text/html", Value::String(html))
}
