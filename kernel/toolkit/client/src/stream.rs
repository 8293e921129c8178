//! What goes in: the batches of a result as the server sends them. What comes out: the same, one after the
//! other, with plain columns; never more of them in memory than the reader holds.

use std::fmt;
use std::pin::Pin;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{Stream, StreamExt};

use crate::result::{decoded, decoded_schema};
use crate::{Error, Result};

type Batches = Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>;

/// A result that is being read. Dropping it ends the query on the server.
pub struct QueryStream {
    schema: SchemaRef,
    /// Read already, because only it told the columns.
    first: Option<RecordBatch>,
    batches: Batches,
    broken: Box<dyn Fn(String) -> Error + Send>,
}

impl QueryStream {
    /// `promised` is the schema of the ticket; a server that gave none tells it with its first batch.
    pub(crate) async fn assemble(
        promised: Option<SchemaRef>,
        mut batches: Batches,
        broken: impl Fn(String) -> Error + Send + 'static,
    ) -> Result<Self> {
        let (sent, first) = match promised {
            Some(schema) => (Some(schema), None),
            None => {
                let first = batches.next().await.transpose()?;
                (first.as_ref().map(RecordBatch::schema), first)
            }
        };
        let Some(sent) = sent else {
            return Err(broken("expected the columns of the result, found neither columns nor rows".to_owned()));
        };
        Ok(Self { schema: decoded_schema(&sent), first, batches, broken: Box::new(broken) })
    }

    /// The columns. Dictionaries are decoded: the types are those of their values.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows, with the columns of [`schema`](Self::schema); `None` at the end.
    ///
    /// # Errors
    /// With the server's own message; or when the connection is lost.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.first.take() {
            Some(batch) => batch,
            None => match self.batches.next().await.transpose()? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        decoded(&batch, &self.schema).map(Some).map_err(|reason| (self.broken)(reason))
    }
}

impl fmt::Debug for QueryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryStream").field("schema", &self.schema).finish_non_exhaustive()
    }
}
