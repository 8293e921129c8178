//! What goes in: rows for tables of the server. What comes out: all of them there, in one transaction, or none.

use arrow::array::RecordBatch;
use arrow_flight::sql::{
    ActionBeginTransactionRequest, ActionBeginTransactionResult, ActionEndTransactionRequest, Any, EndTransaction,
    TableExistsOption, TableNotExistOption,
};
use bytes::Bytes;
use prost::Message;

use crate::Result;
use crate::session::Session;
use crate::write::command;

/// Rows for a table that is there.
#[derive(Debug, Clone)]
pub struct Addition {
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Its columns, found by name; the server casts them to the types of the table.
    pub rows: RecordBatch,
    /// Whether all rows that are there go.
    pub replaces: bool,
}

impl Session {
    /// Begins a transaction; its name.
    pub(crate) async fn begin(&self) -> Result<Bytes> {
        let body = self.act("BeginTransaction", &ActionBeginTransactionRequest {}).await?;
        let begun = Any::decode(&*body).ok().and_then(|any| any.unpack::<ActionBeginTransactionResult>().ok()?);
        let begun = begun.ok_or_else(|| self.protocol("expected a transaction, found something else".to_owned()))?;
        Ok(begun.transaction_id)
    }

    /// Adds everything in a transaction, and ends it; how many rows were added.
    pub(crate) async fn add(&self, transaction: Bytes, additions: &[Addition]) -> Result<u64> {
        let mut added = 0;
        for addition in additions {
            match self.put(&transaction, addition).await {
                Ok(rows) => added += rows,
                Err(error) => {
                    // The server ends it in time by itself; the first error is the one to tell.
                    let _ = self.end(transaction, EndTransaction::Rollback).await;
                    return Err(error);
                }
            }
        }
        self.end(transaction, EndTransaction::Commit).await?;
        Ok(added)
    }

    async fn end(&self, transaction_id: Bytes, how: EndTransaction) -> Result<()> {
        let request = ActionEndTransactionRequest { transaction_id, action: how as i32 };
        self.act("EndTransaction", &request).await.map(drop)
    }

    async fn put(&self, transaction: &Bytes, addition: &Addition) -> Result<u64> {
        let there = if addition.replaces { TableExistsOption::Replace } else { TableExistsOption::Append };
        let (schema, table) = (Some(addition.schema.as_str()), addition.table.as_str());
        let mut command = command(schema, table, TableNotExistOption::Fail, there);
        command.transaction_id = Some(transaction.clone());
        self.ingest(&command, &addition.rows.schema(), std::slice::from_ref(&addition.rows)).await
    }
}
