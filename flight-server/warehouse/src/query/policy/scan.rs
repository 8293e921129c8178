//! What goes in: the physical plan of what a policy shows. What comes out: one closed node.
//!
//! The node has no children, so that no rule looks or moves anything inside, EXPLAIN shows none of
//! it, and EXPLAIN ANALYZE counts none of its rows. It claims nothing about its rows: no statistics,
//! no order, no constants, and always the same number of partitions.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, reset_plan_states};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::StreamExt;

/// A table under a policy, being read.
pub(super) struct PolicyScan {
    table: String,
    inner: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl PolicyScan {
    /// `inner` gives the columns of `schema`, or any one column where that is empty. The number of
    /// its partitions would tell how many files or rows are hidden, so that it is made `partitions`.
    pub(super) fn new(
        table: String,
        schema: SchemaRef,
        inner: Arc<dyn ExecutionPlan>,
        partitions: usize,
    ) -> Result<Self> {
        let partitions = partitions.max(1);
        let found = inner.properties().partitioning.partition_count();
        let inner: Arc<dyn ExecutionPlan> = match partitions {
            same if same == found => inner,
            1 => Arc::new(CoalescePartitionsExec::new(inner)),
            more => Arc::new(RepartitionExec::try_new(inner, Partitioning::RoundRobinBatch(more))?),
        };
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Ok(Self { table, inner, properties })
    }
}

/// Without the inner plan: it shows the policy.
impl fmt::Debug for PolicyScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyScan").field("table", &self.table).finish_non_exhaustive()
    }
}

impl DisplayAs for PolicyScan {
    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "PolicyScan: {}, columns=[{}]", self.table, names.join(", "))
    }
}

impl ExecutionPlan for PolicyScan {
    fn name(&self) -> &str {
        "PolicyScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    /// A recursive query reads the table once more in each round.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let inner = reset_plan_states(Arc::clone(&self.inner))?;
        Ok(Arc::new(Self { table: self.table.clone(), inner, properties: Arc::clone(&self.properties) }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (table, schema) = (self.table.clone(), self.schema());
        let inner = self.inner.execute(partition, context).map_err(|error| hidden(&table, &error))?;
        let shown = Arc::clone(&schema);
        // A panic's message may quote a value as well as an error's.
        let batches = AssertUnwindSafe(inner).catch_unwind().map(move |item| match item {
            Ok(Ok(batch)) => show(&batch, &shown).map_err(|error| hidden(&table, &error)),
            Ok(Err(error)) => Err(hidden(&table, &error)),
            Err(_) => Err(failed(&table)),
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

fn show(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = if schema.fields().is_empty() { Vec::new() } else { batch.columns().to_vec() };
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// What the user is told of a failure below the policy: only where, and whether memory was short.
pub(super) fn hidden(table: &str, error: &DataFusionError) -> DataFusionError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => DataFusionError::ResourcesExhausted(format!("reading {table}")),
        _ => failed(table),
    }
}

fn failed(table: &str) -> DataFusionError {
    DataFusionError::Execution(format!(
        "reading {table} failed; what failed stays hidden, because it may be about rows that you may not see. \
         Ask whoever keeps the policy to run the query"
    ))
}
