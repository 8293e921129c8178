//! The connection to the warehouse's server: SQL in, `DataFrame` out; and a `DataFrame` in, a table out.

use crate::{Error, Result, frame};
use haetae_client::{Client, ConnectOptions, SAVED_VARIABLE, SavedQueries, Target};
use polars::frame::DataFrame;
use std::sync::{Mutex, PoisonError};

/// A connection to a Haetae server (or any other Flight SQL server). Cheap to keep, reconnects by
/// itself where the server was restarted.
pub struct Connection {
    client: Client,
}

/// Connects to the server named by `HAETAE_URL`, with the secret in `HAETAE_SECRET_FILE`; the lab
/// sets both.
///
/// # Errors
/// When the server does not answer or refuses the secret.
pub fn connect() -> Result<Connection> {
    Connection::open(&ConnectOptions::from_env()?)
}

impl Connection {
    /// Connects with explicit options.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn open(options: &ConnectOptions) -> Result<Connection> {
        Ok(Connection { client: Client::connect(options)? })
    }

    /// Runs one SQL query and returns its whole result. Nulls stay nulls; dates become `date`,
    /// decimals `f64`.
    ///
    /// # Errors
    /// With the server's message: an unknown table or column is named, with near names.
    pub fn sql(&self, query: &str) -> Result<DataFrame> {
        let result = self.client.query(query)?;
        frame::from_batches(&result.schema, &result.batches)
    }

    /// Adds a frame's rows to a table, which is made where it is not there; see [`append_to`].
    ///
    /// # Errors
    /// With the server's message: a table that this user may not write, a column that does not fit.
    pub fn append_to(&self, table: &str, frame: &DataFrame) -> Result<u64> {
        self.write(&Target::append(&in_work(table)), frame)
    }

    /// Makes a frame's rows those of a table; see [`replace_table`].
    ///
    /// # Errors
    /// As [`Connection::append_to`].
    pub fn replace_table(&self, table: &str, frame: &DataFrame) -> Result<u64> {
        self.write(&Target::replace(&in_work(table)), frame)
    }

    fn write(&self, target: &Target, frame: &DataFrame) -> Result<u64> {
        let (schema, batches) = frame::to_plain_batches(frame)?;
        Ok(self.client.write(target, &schema, batches)?)
    }

    /// The tables that this user may see: columns `catalog`, `schema`, `name`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn tables(&self) -> Result<DataFrame> {
        let tables = self.client.tables()?;
        let texts = |f: fn(&haetae_client::TableName) -> &str| -> Vec<&str> { tables.iter().map(f).collect() };
        use polars::prelude::{Column, NamedFrom, Series};
        let column = |name: &str, values: Vec<&str>| -> Column { Series::new(name.into(), values).into() };
        Ok(DataFrame::new_infer_height(vec![
            column("catalog", texts(|t| &t.catalog)),
            column("schema", texts(|t| &t.schema)),
            column("name", texts(|t| &t.name)),
        ])?)
    }
}

static DEFAULT: Mutex<Option<Connection>> = Mutex::new(None);

/// Runs one SQL query on the default connection, which is opened at the first use. In a notebook, the query may
/// name those that `%%sql --save` has saved.
///
/// # Errors
/// As [`connect`] and [`Connection::sql`].
pub fn sql(query: &str) -> Result<DataFrame> {
    run(&saved()?.expand(query))
}

/// The queries that the notebook has saved.
pub(crate) fn saved() -> Result<SavedQueries> {
    let path = || std::env::var(SAVED_VARIABLE).unwrap_or_default();
    SavedQueries::of_notebook().map_err(|source| Error::Handover { path: path(), source })
}

/// Adds a frame's rows to a table of your own, and returns how many the server has taken. `scores` is the table
/// `work.scores`, which nobody else sees; it is made at the first call. All rows become visible together.
///
/// # Errors
/// As [`connect`] and [`Connection::append_to`].
pub fn append_to(table: &str, frame: &DataFrame) -> Result<u64> {
    with_default(|connection| connection.append_to(table, frame))
}

/// Makes a frame's rows those of a table of your own, in place of those that were there.
///
/// # Errors
/// As [`append_to`].
pub fn replace_table(table: &str, frame: &DataFrame) -> Result<u64> {
    with_default(|connection| connection.replace_table(table, frame))
}

/// Tables without a schema are those of the user.
fn in_work(table: &str) -> String {
    if table.contains('.') { table.to_owned() } else { format!("work.{table}") }
}

/// Runs a query as it is.
pub(crate) fn run(query: &str) -> Result<DataFrame> {
    with_default(|connection| connection.sql(query))
}

fn with_default<T>(work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let mut default = DEFAULT.lock().unwrap_or_else(PoisonError::into_inner);
    if default.is_none() {
        *default = Some(connect()?);
    }
    match default.as_ref() {
        Some(connection) => work(connection),
        None => work(&connect()?),
    }
}
