//! What goes in: one SQL statement, values for its parameters. What comes out: its columns, then
//! its rows as a stream.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNode;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SQLOptions, SessionContext};
use datafusion::sql::parser::Statement as Parsed;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};

use super::columns::as_sent;
use super::faults::{explain, read_only, unknown_function};
use super::memory::QueryMemory;
use super::parameters::{number_parameters, parameters, row_values};
use super::plain::{plain_batch, plain_schema};
use super::point::Point;
use super::policy::{self, Access};
use super::query_stream::QueryStream;
use crate::{CATALOG, DEFAULT_SCHEMA, Error, Result, SCHEMAS, SqlFault};

/// Where less of the stack than this is left, plans are optimized on one of their own.
const RED_ZONE: usize = 1 << 20;
const STACK: usize = 8 << 20;

/// A statement that has been planned against one version.
#[derive(Debug, Clone)]
pub struct Statement {
    state: Arc<SessionState>,
    plan: Arc<LogicalPlan>,
    parameters: SchemaRef,
    access: Option<Arc<Access>>,
    dictionaries: bool,
    /// The columns as far as they are known before parameters are bound.
    columns: SchemaRef,
    /// Where it only looks rows up.
    point: Option<Arc<Point>>,
}

impl Statement {
    pub(super) async fn plan(context: &SessionContext, access: Option<Arc<Access>>, asked: Asked<'_>) -> Result<Self> {
        let state = context.state();
        let plan = logical(&state, access.as_deref(), asked).await?;
        Self::over(Arc::new(state), access, plan)
    }

    /// The statement of a plan that is no more than a query.
    pub(super) fn over(state: Arc<SessionState>, access: Option<Arc<Access>>, plan: LogicalPlan) -> Result<Self> {
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(|error| read_only(&error))?;
        if let Some(access) = access.as_ref().filter(|access| !access.is_all()) {
            policy::allowed(&plan, access)?;
        }
        let parameters = parameters(&plan, access.as_deref())?;
        let columns = plain_schema(plan.schema().as_arrow(), false);
        Ok(Self { state, plan: Arc::new(plan), parameters, access, dictionaries: false, columns, point: None })
    }

    /// Leaves columns that are dictionaries as they are, for who can read them.
    pub fn with_dictionaries(mut self, keep: bool) -> Self {
        if keep != self.dictionaries {
            self.dictionaries = keep;
            self.columns = plain_schema(self.plan.schema().as_arrow(), keep);
        }
        self
    }

    /// The same statement, which looks its rows up where `point` makes that out of its plan.
    pub(super) fn with_point(mut self, point: impl FnOnce(&SessionState, &LogicalPlan) -> Option<Point>) -> Self {
        // One without parameters is run once, as a rule, and may be about a part of a table.
        if !self.parameters.fields().is_empty() {
            self.point = point(&self.state, &self.plan).map(Arc::new);
        }
        self
    }

    /// Whether its rows are looked up by an identifier, so that it can be run again without planning.
    pub fn looks_up(&self) -> bool {
        self.point.is_some()
    }

    fn explain(&self, error: &DataFusionError) -> Error {
        explain(error, self.access.as_deref())
    }

    /// The parameters, named `$1`, `$2` …, with the types that the query gives them; `Null` where
    /// it leaves them open. All may be null.
    pub fn parameters(&self) -> &SchemaRef {
        &self.parameters
    }

    /// `schema.table` of what the statement reads.
    pub fn tables(&self) -> BTreeSet<String> {
        match &self.point {
            Some(point) => point.reads.keys().cloned().collect(),
            None => policy::reads(&self.plan).into_keys().collect(),
        }
    }

    /// (schema, table) of the one table of data whose rows the result has, each for itself, chosen and computed: then the
    /// result is that over its parts, one after another. `None` for anything else.
    pub fn divisible(&self) -> Option<(String, String)> {
        if !self.parameters.fields().is_empty() {
            return None;
        }
        let alone = |exprs: &[Expr]| !exprs.iter().any(has_subquery);
        let mut plan = self.plan.as_ref();
        loop {
            plan = match plan {
                LogicalPlan::Projection(node) if alone(&node.expr) => &node.input,
                LogicalPlan::Filter(node) if alone(std::slice::from_ref(&node.predicate)) => &node.input,
                LogicalPlan::SubqueryAlias(node) => &node.input,
                LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
                    let name = scan.table_name.clone().resolve(CATALOG, DEFAULT_SCHEMA);
                    let found = (name.schema.to_string(), name.table.to_string());
                    return SCHEMAS.contains(&found.0.as_str()).then_some(found);
                }
                _ => return None,
            };
        }
    }

    /// The columns of the result as they are known before parameters are bound.
    pub fn unbound_schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    /// The columns of the result. `values` holds one column for each parameter, in order.
    pub fn schema<'a>(&'a self, values: Option<&'a RecordBatch>) -> BoxFuture<'a, Result<SchemaRef>> {
        Box::pin(async move {
            let row = if self.first_row(values)?.is_some() { Some(0) } else { None };
            if self.point.as_ref().is_some_and(|point| point.fits(values, row)) {
                return Ok(self.unbound_schema());
            }
            let (plan, _) = self.physical(values, row).await?;
            Ok(plain_schema(&plan.schema(), self.dictionaries))
        })
    }

    /// Runs the statement: once, or once for each row of `values` with the results one after
    /// another.
    pub fn execute<'a>(&'a self, values: Option<&'a RecordBatch>) -> BoxFuture<'a, Result<QueryStream>> {
        Box::pin(self.run_rows(values))
    }

    async fn run_rows(&self, values: Option<&RecordBatch>) -> Result<QueryStream> {
        let memory = QueryMemory::of(&self.state);
        let Some(rows) = self.first_row(values)? else { return self.run(values, None, memory).await };
        let first = self.run(values, Some(0), memory.clone()).await?;
        if rows == 1 {
            return Ok(first);
        }
        let schema = Arc::clone(&first.schema);
        let (statement, values) = (self.clone(), values.cloned());
        let others = stream::iter(1..rows).then(move |row| {
            let (statement, values, memory) = (statement.clone(), values.clone(), memory.clone());
            async move { statement.run(values.as_ref(), Some(row), memory).await }
        });
        let others = others.flat_map(|run| match run {
            Ok(run) => run.batches,
            Err(error) => stream::iter([Err(error)]).boxed(),
        });
        Ok(QueryStream { schema, batches: Box::pin(first.batches.chain(others)), ..first })
    }

    /// The number of rows of parameters, `None` where the statement has no parameters. Fails when
    /// the values do not fit.
    pub(super) fn first_row(&self, values: Option<&RecordBatch>) -> Result<Option<usize>> {
        let wanted = self.parameters.fields().len();
        let found = values.map_or(0, RecordBatch::num_columns);
        let rows = values.map_or(0, RecordBatch::num_rows);
        let complaint = match (wanted, found) {
            (0, 0) => return Ok(None),
            (w, f) if w != f => format!("the statement has {w} parameters, but {f} values are bound"),
            _ if rows == 0 => "no row of parameter values is bound".to_owned(),
            _ => return Ok(Some(rows)),
        };
        Err(Error::Sql { fault: SqlFault::Parameters, message: complaint })
    }

    async fn physical(
        &self,
        values: Option<&RecordBatch>,
        row: Option<usize>,
    ) -> Result<(Arc<dyn ExecutionPlan>, BTreeMap<String, BTreeSet<String>>)> {
        let mut plan = self.plan.as_ref().clone();
        if let (Some(values), Some(row)) = (values, row) {
            let bound = row_values(values, row)?;
            plan = plan.replace_params_with_values(&bound).map_err(|error| self.explain(&error))?;
        }
        // The optimizer goes down the plan by recursion.
        let plan = stacker::maybe_grow(RED_ZONE, STACK, || self.state.optimize(&plan));
        let plan = plan.map_err(|error| self.explain(&error))?;
        let planned = self.state.query_planner().create_physical_plan(&plan, self.state.as_ref()).await;
        Ok((planned.map_err(|error| self.explain(&error))?, policy::reads(&plan)))
    }

    /// The rows without planning, where that can be.
    async fn looked_up(
        &self,
        values: Option<&RecordBatch>,
        row: Option<usize>,
        memory: &QueryMemory,
    ) -> Option<QueryStream> {
        let point = self.point.as_ref()?;
        let rows = point.look_up(values, row).await?;
        let schema = self.unbound_schema();
        let rows = plain_batch(rows, &schema).ok()?;
        let batches = stream::iter((rows.num_rows() > 0).then_some(Ok(rows)));
        let reads = point.reads.clone();
        Some(QueryStream { schema, reads, memory: memory.clone(), batches: Box::pin(batches) })
    }

    async fn run(&self, values: Option<&RecordBatch>, row: Option<usize>, memory: QueryMemory) -> Result<QueryStream> {
        if let Some(found) = self.looked_up(values, row, &memory).await {
            return Ok(found);
        }
        let (plan, reads) = self.physical(values, row).await?;
        let schema = plain_schema(&plan.schema(), self.dictionaries);
        let batches = as_sent(plan).and_then(|plan| execute_stream(plan, memory.task(&self.state)));
        let batches: SendableRecordBatchStream = batches.map_err(|error| self.explain(&error))?;
        let (target, access, state) = (Arc::clone(&schema), self.access.clone(), Arc::clone(&self.state));
        let batches = batches.map(move |batch| {
            // Held to the end, because it keeps the files of the version.
            let _ = &state;
            let batch = batch.map_err(|error| explain(&error, access.as_deref()))?;
            plain_batch(batch, &target)
        });
        Ok(QueryStream { schema, reads, memory, batches: Box::pin(batches) })
    }
}

/// Whether an expression asks another query.
pub(super) fn has_subquery(expr: &Expr) -> bool {
    let nested = |expr: &Expr| {
        Ok(matches!(expr, Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) | Expr::ScalarSubquery(_)))
    };
    !matches!(expr.exists(nested), Ok(false))
}

/// One statement, as text or parsed already.
pub(super) enum Asked<'a> {
    Sql(&'a str),
    Parsed(Box<Parsed>),
}

/// Parses and plans one statement of any kind.
pub(super) async fn logical(state: &SessionState, access: Option<&Access>, asked: Asked<'_>) -> Result<LogicalPlan> {
    let plan = match asked {
        Asked::Sql(sql) => state.create_logical_plan(&number_parameters(sql)).await,
        Asked::Parsed(statement) => state.statement_to_plan(*statement).await,
    };
    plan.map_err(|error| unknown_function(&error, state).unwrap_or_else(|| explain(&error, access)))
}
