//! The connection of SQL cells, and the queries that were saved: statement -> the statement to run.

use haetae_client::{AsyncClient, ConnectOptions, Error, SavedQueries};
use std::path::Path;

/// The kernel's connection, opened by the first SQL cell, and the queries that were saved.
#[derive(Default)]
pub struct SqlRunner {
    client: Option<AsyncClient>,
    saved: SavedQueries,
}

impl SqlRunner {
    /// The connection, opened where there is none yet. Clones share it.
    ///
    /// # Errors
    /// What the client says: no server, or a wrong secret.
    pub async fn client(&mut self) -> Result<AsyncClient, Error> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = AsyncClient::connect(&ConnectOptions::from_env()?).await?;
        Ok(self.client.insert(client).clone())
    }

    /// Connects anew; the server's address.
    ///
    /// # Errors
    /// As [`SqlRunner::client`].
    pub async fn connect(&mut self) -> Result<String, Error> {
        let options = ConnectOptions::from_env()?;
        self.client = Some(AsyncClient::connect(&options).await?);
        Ok(options.url().to_owned())
    }

    /// Keeps a query under a name that later queries can use like a table, those of Rust cells too: they read
    /// `file`.
    ///
    /// # Errors
    /// When the disk refuses; SQL cells know the query all the same.
    pub fn save(&mut self, name: &str, query: &str, file: &Path) -> std::io::Result<()> {
        self.saved.save(name, query);
        self.saved.write(file)
    }

    /// A query with the saved ones that it names.
    pub fn with_saved(&self, query: &str) -> String {
        self.saved.expand(query)
    }
}
