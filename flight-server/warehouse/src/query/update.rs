//! What goes in: one statement that changes rows, values for its parameters. What comes out: the queries that give
//! the rows it is about. Who writes them is `ingest`.
//!
//! Each of the queries is planned in the view of the user and passes the same checks as any other: a statement reads
//! nothing that its user could not read.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SessionState;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{DmlStatement, Expr, LogicalPlan, LogicalPlanBuilder, WriteOp, ident, lit, or, when};
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;

use super::change_plan::{assignments, name_of, parts, simple, source_column, unsafe_shape};
use super::edits;
use super::faults::explain;
use super::parameters::row_values;
use super::policy::{Access, EDITS, is_catalogue, is_comments, is_written};
use super::query_stream::QueryStream;
use super::statement::{Asked, Statement, logical};
use crate::store::{NewEdit, Pinned};
use crate::{CATALOG, COURSE, DEFAULT_SCHEMA, Error, META, OUTSIDE, Result, SCHEMAS, SqlFault, WORK};

/// The most rows of values for one statement that changes rows by a condition.
const ROWS_OF_VALUES: usize = 500;

/// What a statement does with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Adds them.
    Insert,
    /// Removes them.
    Delete,
    /// Changes values in them.
    Update,
}

/// A statement that changes rows, planned against one version.
#[derive(Debug, Clone)]
pub struct Update {
    state: Arc<SessionState>,
    access: Option<Arc<Access>>,
    effect: Effect,
    /// Schema as SQL has it, schema as the manifest has it, table.
    place: (String, String, String),
    /// The rows that the statement names.
    rows: Statement,
    input: Arc<LogicalPlan>,
    /// The columns that an UPDATE sets.
    set: Vec<String>,
}

impl Update {
    pub(super) async fn plan(context: &SessionContext, access: Option<Arc<Access>>, asked: Asked<'_>) -> Result<Self> {
        let state = Arc::new(context.state());
        let plan = logical(&state, access.as_deref(), asked).await?;
        let LogicalPlan::Dml(DmlStatement { table_name, op, input, .. }) = plan else {
            // Refuses all that is no query, with the reason.
            Statement::over(state, access, plan)?;
            return Err(invalid("this is a query and changes no rows; send it as a query".to_owned()));
        };
        let effect = match op {
            WriteOp::Insert(InsertOp::Append) => Effect::Insert,
            WriteOp::Delete => Effect::Delete,
            WriteOp::Update => Effect::Update,
            other => {
                return Err(refused(format!("{} is not allowed; write INSERT, DELETE or UPDATE", other.name())));
            }
        };
        let name = table_name.resolve(CATALOG, DEFAULT_SCHEMA);
        let (schema, table) = (name.schema.to_string(), name.table.to_string());
        let stored = writable(access.as_deref(), &schema, &table)?;
        if is_comments(&schema, &table) && effect != Effect::Insert {
            let reason = "what was said stays: INSERT another comment, which may take the first one back";
            return Err(refused(format!("changing a row of {schema}.{table} is not allowed: {reason}")));
        }
        if schema == META {
            edits::allowed(&table, effect)?;
        }
        let failed = |error| explain(&error, access.as_deref());
        let mut set = Vec::new();
        let named = match effect {
            Effect::Insert => input.as_ref().clone(),
            Effect::Delete => {
                parts(&input)?;
                match keys(&schema, &table) {
                    Some(keys) => project(input.as_ref().clone(), keys).map_err(failed)?,
                    None => input.as_ref().clone(),
                }
            }
            Effect::Update => {
                let (source, changed) = assignments(&input)?;
                parts(&source)?;
                if let Some(key) =
                    keys(&schema, &table).into_iter().flatten().find(|key| changed.iter().any(|name| name == *key))
                {
                    let reason =
                        format!("{key} is part of the key of {table}, which stays; delete the row and insert another");
                    return Err(invalid(reason));
                }
                if schema == META {
                    edits::may_set(&table, &changed, access.as_deref())?;
                }
                set = changed;
                input.as_ref().clone()
            }
        };
        let rows = Statement::over(Arc::clone(&state), access.clone(), named)?;
        Ok(Self { state, access, effect, place: (schema, stored, table), rows, input, set })
    }

    /// What is done with the rows.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// `schema.table` as SQL has it.
    pub fn name(&self) -> String {
        format!("{}.{}", self.place.0, self.place.2)
    }

    /// (schema, table) as the manifest has them.
    pub fn place(&self) -> (&str, &str) {
        (&self.place.1, &self.place.2)
    }

    /// Whether the table is one that the user has made: rows have no keys there, so that the table is written anew.
    pub fn is_made(&self) -> bool {
        self.place.0 == WORK
    }

    /// Whether it adds comments on scores, which the server completes.
    pub fn is_comment(&self) -> bool {
        is_comments(&self.place.0, &self.place.2)
    }

    /// Whether it edits the catalogue.
    pub fn is_edit(&self) -> bool {
        is_catalogue(&self.place.0, &self.place.2)
    }

    /// The edits that rows of [`rows`](Self::rows) stand for, made by a user; `manifest` is what the changes build on.
    /// Fails where a value cannot be one, and where the user may not make such an edit.
    pub fn edits(&self, manifest: &Pinned, rows: &RecordBatch, by: &str) -> Result<Vec<NewEdit>> {
        let (table, access) = (self.place.2.as_str(), self.access.as_deref());
        match table {
            EDITS => edits::taken_back(manifest, rows, by, access),
            _ => edits::made(table, self.effect, &self.set, rows, by),
        }
    }

    /// The parameters, as [`Statement::parameters`] has them.
    pub fn parameters(&self) -> &SchemaRef {
        self.rows.parameters()
    }

    /// `schema.table` of what the statement reads.
    pub fn tables(&self) -> BTreeSet<String> {
        self.rows.tables()
    }

    /// The rows to insert; the keys of those to delete; the changed rows as they will be.
    pub fn rows<'a>(&'a self, values: Option<&'a RecordBatch>) -> BoxFuture<'a, Result<QueryStream>> {
        self.rows.execute(values)
    }

    /// Of an UPDATE of a table that the user has made: the rows that it is about, to be counted.
    pub fn matched<'a>(&'a self, values: Option<&'a RecordBatch>) -> BoxFuture<'a, Result<QueryStream>> {
        Box::pin(async move {
            let bound = self.bound(values)?;
            let (source, _) = assignments(single(&bound)?)?;
            self.run(source).await
        })
    }

    /// All rows of a table that the user has made, as they will be after a DELETE or an UPDATE.
    pub fn rest<'a>(&'a self, values: Option<&'a RecordBatch>) -> BoxFuture<'a, Result<QueryStream>> {
        Box::pin(async move {
            let bound = self.bound(values)?;
            let plan = match self.effect {
                Effect::Update => self.updated(&bound)?,
                _ => self.undeleted(&bound)?,
            };
            self.run(plan).await
        })
    }

    async fn run(&self, plan: LogicalPlan) -> Result<QueryStream> {
        let statement = Statement::over(Arc::clone(&self.state), self.access.clone(), plan)?;
        statement.execute(None).await
    }

    /// The plan for each row of values, of which there is one at least; as it is where there are no parameters.
    fn bound(&self, values: Option<&RecordBatch>) -> Result<Vec<LogicalPlan>> {
        let Some(rows) = self.rows.first_row(values)? else { return Ok(vec![self.input.as_ref().clone()]) };
        if rows > ROWS_OF_VALUES {
            return Err(invalid(format!("{rows} rows of values are bound; bind at most {ROWS_OF_VALUES} at a time")));
        }
        let bind = |row| {
            let values = row_values(values.ok_or_else(|| invalid("no values are bound".to_owned()))?, row)?;
            let plan = self.input.as_ref().clone().replace_params_with_values(&values);
            plan.map_err(|error| explain(&error, self.access.as_deref()))
        };
        (0..rows).map(bind).collect()
    }

    fn undeleted(&self, bound: &[LogicalPlan]) -> Result<LogicalPlan> {
        let (source, _) = parts(&self.input)?;
        let mut gone = lit(false);
        for plan in bound {
            let (_, predicate) = parts(plan)?;
            gone = or(gone, simple(predicate.unwrap_or_else(|| lit(true)))?);
        }
        let plan = LogicalPlanBuilder::from(source).filter(gone.is_not_true()).and_then(LogicalPlanBuilder::build);
        plan.map_err(|error| explain(&error, self.access.as_deref()))
    }

    fn updated(&self, bound: &[LogicalPlan]) -> Result<LogicalPlan> {
        let LogicalPlan::Projection(projection) = single(bound)? else { return Err(unsafe_shape()) };
        let (source, predicate) = parts(&projection.input)?;
        let failed = |error| explain(&error, self.access.as_deref());
        let chosen = simple(predicate.unwrap_or_else(|| lit(true)))?;
        let new = |expr: &Expr| -> Result<Expr> {
            let (name, value) = (name_of(expr), expr.clone().unalias());
            let old = Expr::Column(source_column(&source, &name).ok_or_else(unsafe_shape)?);
            let value = if value == old { old } else { when(chosen.clone(), value).otherwise(old).map_err(failed)? };
            Ok(value.alias(name))
        };
        let columns = projection.expr.iter().map(new).collect::<Result<Vec<_>>>()?;
        LogicalPlanBuilder::from(source).project(columns).and_then(LogicalPlanBuilder::build).map_err(failed)
    }
}

/// The schema of the manifest that the table is in, if the user may change it.
fn writable(access: Option<&Access>, schema: &str, table: &str) -> Result<String> {
    if schema == OUTSIDE {
        let reason = "it lies outside of the warehouse and is only read; change it where it lies";
        return Err(refused(format!("changing {schema}.{table} is not allowed: {reason}")));
    }
    let may = |may: bool| if may { Ok(schema.to_owned()) } else { Err(refused(not_yours(schema, table))) };
    match access {
        None if schema == WORK => Ok(WORK.to_owned()),
        None => may(is_written(schema, table)),
        Some(access) if schema == WORK => access.work.clone().ok_or_else(|| refused(not_yours(schema, table))),
        Some(access) => may(access.may_write(schema, table)),
    }
}

fn not_yours(schema: &str, table: &str) -> String {
    format!("changing {schema}.{table} is not allowed: your role may not write it")
}

/// The key columns of a table of data, of the course or of the catalogue.
fn keys(schema: &str, table: &str) -> Option<&'static [&'static str]> {
    if schema == META {
        return haetae_schema::meta_tables().iter().find(|known| known.name == table).map(|known| known.key);
    }
    if schema == COURSE {
        return haetae_schema::course_tables().iter().find(|known| known.name == table).map(|known| known.key);
    }
    SCHEMAS.contains(&schema).then(|| haetae_schema::table(table)).flatten().map(|table| table.key)
}

fn project(plan: LogicalPlan, columns: &[&str]) -> datafusion::error::Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan).project(columns.iter().map(|name| ident(*name)))?.build()
}

/// The plan of an UPDATE, if there is one alone.
fn single(bound: &[LogicalPlan]) -> Result<&LogicalPlan> {
    let [plan] = bound else {
        return Err(invalid(
            "an UPDATE of a table in work takes one row of values at a time, because a later one may concern what an \
             earlier one has changed"
                .to_owned(),
        ));
    };
    Ok(plan)
}

pub(super) fn invalid(message: String) -> Error {
    Error::Sql { fault: SqlFault::Invalid, message }
}

pub(super) fn refused(message: String) -> Error {
    Error::Sql { fault: SqlFault::ReadOnly, message }
}
