//! What goes in: a function that gives rows. What comes out: a table of the schema `system`.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, stream};

/// Gives the rows of a [`SystemTable`], or says why it cannot.
pub type Rows = Arc<dyn Fn() -> Result<Vec<RecordBatch>, String> + Send + Sync>;

/// A table that the server itself keeps.
#[derive(Clone)]
pub struct SystemTable {
    /// Its name in the schema `system`.
    pub name: String,
    /// Its columns.
    pub columns: SchemaRef,
    /// Its rows when it is read.
    pub rows: Rows,
}

impl fmt::Debug for SystemTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemTable").field("name", &self.name).finish_non_exhaustive()
    }
}

impl SystemTable {
    pub(in crate::query) fn provider(&self) -> Arc<dyn TableProvider> {
        Arc::new(KeptTable(self.clone()))
    }
}

/// The table as DataFusion sees it.
#[derive(Debug, Clone)]
pub(super) struct KeptTable(SystemTable);

#[async_trait]
impl TableProvider for KeptTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = StreamingTable::try_new(Arc::clone(&self.0.columns), vec![Arc::new(self.clone())])?;
        table.scan(state, projection, filters, limit).await
    }
}

impl PartitionStream for KeptTable {
    fn schema(&self) -> &SchemaRef {
        &self.0.columns
    }

    /// Read when the query runs, not when it is planned, and on a thread that may wait for the disk.
    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = Arc::clone(&self.0.rows);
        let read = async move {
            let read = SpawnedTask::spawn_blocking(move || rows()).join().await;
            let batches = match read {
                Ok(Ok(batches)) => batches.into_iter().map(Ok).collect(),
                Ok(Err(reason)) => vec![Err(DataFusionError::Execution(reason))],
                Err(error) => vec![Err(DataFusionError::Execution(error.to_string()))],
            };
            stream::iter(batches)
        };
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.0.columns), stream::once(read).flatten()))
    }
}
