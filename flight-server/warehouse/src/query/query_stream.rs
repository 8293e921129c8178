//! What goes in: the batches of a running query. What comes out: a stream of them, with what the query reads and takes.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{Stream, StreamExt};

use super::memory::QueryMemory;
use crate::Result;

/// Rows of a query. Dropping it ends the query.
pub struct QueryStream {
    pub(super) schema: SchemaRef,
    pub(super) reads: BTreeMap<String, BTreeSet<String>>,
    pub(super) memory: QueryMemory,
    pub(super) batches: Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>,
}

impl QueryStream {
    /// The columns of every batch, to the nullability.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// `schema.table` -> columns that the query reads. For parameters of several rows: the first's.
    pub fn reads(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.reads
    }

    /// The memory that the query takes.
    pub fn memory(&self) -> &QueryMemory {
        &self.memory
    }
}

impl Stream for QueryStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_next_unpin(context)
    }
}

impl std::fmt::Debug for QueryStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryStream").field("schema", &self.schema).finish_non_exhaustive()
    }
}
