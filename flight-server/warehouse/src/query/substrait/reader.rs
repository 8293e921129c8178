//! What goes in: relations and expressions of a Substrait plan. What comes out: nodes of a plan over the tables that the
//! user sees.
//!
//! The library's reader does the most. Here is what it must not do for a stranger: read files, hand conditions to a scan
//! past the policy, leave out what it does not know, or let a small plan become a large one.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::{DFSchema, TableReference, not_impl_err, plan_err, substrait_err};
use datafusion::error::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion_substrait::extensions::Extensions;
use datafusion_substrait::logical_plan::consumer::{
    DefaultSubstraitConsumer, SubstraitConsumer, from_read_rel, from_substrait_rex,
};
use datafusion_substrait::substrait::proto::extensions::AdvancedExtension;
use datafusion_substrait::substrait::proto::read_rel::ReadType;
use datafusion_substrait::substrait::proto::rel::RelType;
use datafusion_substrait::substrait::proto::rel_common::EmitKind;
use datafusion_substrait::substrait::proto::{Expression, ReadRel, Rel, RelCommon, Type};

use super::names::{bounded, chosen, shortened};
use crate::{CATALOG, DEFAULT_SCHEMA};

/// The most relations of a plan, and the most inputs of its set operations together, which become a chain.
const RELATIONS: usize = 256;
const INPUTS: usize = 64;

/// The most expressions of a plan.
const EXPRESSIONS: usize = 100_000;

/// Where less of the stack than this is left, the next step has one of its own.
const RED_ZONE: usize = 256 << 10;
const STACK: usize = 2 << 20;

/// Reads one plan.
pub(super) struct Reader<'a> {
    extensions: &'a Extensions,
    state: &'a SessionState,
    /// Keeps what subqueries and lambdas see of what is around them.
    scopes: DefaultSubstraitConsumer<'a>,
    relations: AtomicUsize,
    inputs: AtomicUsize,
    expressions: AtomicUsize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(extensions: &'a Extensions, state: &'a SessionState) -> Self {
        Self {
            extensions,
            state,
            scopes: DefaultSubstraitConsumer::new(extensions, state),
            relations: AtomicUsize::new(0),
            inputs: AtomicUsize::new(0),
            expressions: AtomicUsize::new(0),
        }
    }

    /// Rows as they are: the library applies neither condition nor choice of columns to rows of its own, and hands the
    /// condition to a table's scan, which evaluates it before masks.
    async fn rows(&self, read: &ReadRel) -> Result<LogicalPlan> {
        let bare =
            ReadRel { base_schema: read.base_schema.clone(), read_type: read.read_type.clone(), ..ReadRel::default() };
        from_read_rel(self, &bare).await
    }
}

/// Counts what a plan has.
fn counted(counter: &AtomicUsize, more: usize, most: usize, what: &str) -> Result<()> {
    if counter.fetch_add(more, Ordering::Relaxed).saturating_add(more) > most {
        return substrait_err!("the plan has more than {most} {what}; ask for less at a time");
    }
    Ok(())
}

/// Goes on on a new stack where this one is nearly used up.
async fn grown<T>(step: impl Future<Output = T> + Send) -> T {
    let mut step = pin!(step);
    std::future::poll_fn(|context| stacker::maybe_grow(RED_ZONE, STACK, || step.as_mut().poll(context))).await
}

/// What an extension changes may not be left out; what it hints at may.
fn plain(extension: Option<&AdvancedExtension>) -> Result<()> {
    match extension.and_then(|extension| extension.enhancement.as_ref()) {
        Some(_) => not_impl_err!("an enhancement of a relation, which is an extension of Substrait"),
        None => Ok(()),
    }
}

#[async_trait]
impl SubstraitConsumer for Reader<'_> {
    /// In the words that a query in SQL is answered with.
    async fn resolve_table_ref(&self, table: &TableReference) -> Result<Option<Arc<dyn TableProvider>>> {
        let name = table.clone().resolve(CATALOG, DEFAULT_SCHEMA);
        let found = match self.state.schema_for_ref(name.clone()) {
            Ok(schema) => schema.table(&name.table).await?,
            Err(_) => None,
        };
        match found {
            Some(table) => Ok(Some(table)),
            None => plan_err!("table '{}.{}.{}' not found", name.catalog, name.schema, name.table),
        }
    }

    fn get_extensions(&self) -> &Extensions {
        self.extensions
    }

    fn get_function_registry(&self) -> &impl FunctionRegistry {
        self.state
    }

    async fn consume_rel(&self, rel: &Rel) -> Result<LogicalPlan> {
        counted(&self.relations, 1, RELATIONS, "relations")?;
        let Some(rel) = &rel.rel_type else { return substrait_err!("a relation of the plan is empty") };
        let (common, extension) = match rel {
            RelType::Read(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Filter(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Fetch(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Aggregate(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Sort(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Join(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Project(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Set(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Cross(rel) => (&rel.common, &rel.advanced_extension),
            RelType::Write(_) | RelType::Update(_) | RelType::Ddl(_) => {
                return not_impl_err!("a Substrait plan that changes something; send it as SQL");
            }
            RelType::ExtensionLeaf(_) | RelType::ExtensionSingle(_) | RelType::ExtensionMulti(_) => {
                return not_impl_err!("a relation that is an extension of Substrait");
            }
            _ => return not_impl_err!("a physical relation of Substrait; send a plan of logical ones"),
        };
        plain(extension.as_ref())?;
        plain(common.as_ref().and_then(|common| common.advanced_extension.as_ref()))?;
        let plan = grown(async {
            match rel {
                RelType::Read(rel) => self.consume_read(rel).await,
                RelType::Filter(rel) => self.consume_filter(rel).await,
                RelType::Fetch(rel) => self.consume_fetch(rel).await,
                RelType::Aggregate(rel) => self.consume_aggregate(rel).await,
                RelType::Sort(rel) => self.consume_sort(rel).await,
                RelType::Join(rel) => self.consume_join(rel).await,
                RelType::Project(rel) => {
                    bounded(rel.expressions.len())?;
                    self.consume_project(rel).await
                }
                RelType::Set(rel) => {
                    counted(&self.inputs, rel.inputs.len(), INPUTS, "inputs of set operations")?;
                    self.consume_set(rel).await
                }
                RelType::Cross(rel) => self.consume_cross(rel).await,
                _ => not_impl_err!("this relation of Substrait"),
            }
        });
        emitted(plan.await?, common.as_ref())
    }

    async fn consume_read(&self, read: &ReadRel) -> Result<LogicalPlan> {
        match &read.read_type {
            Some(ReadType::VirtualTable(_)) => {}
            Some(ReadType::NamedTable(table)) => {
                if !(1..=3).contains(&table.names.len()) {
                    let found = table.names.len();
                    return plan_err!(
                        "expected a table by catalog, schema and name, or the last of them, found {found} names"
                    );
                }
                plain(table.advanced_extension.as_ref())?;
            }
            Some(ReadType::LocalFiles(_) | ReadType::IcebergTable(_)) => {
                return plan_err!("a plan can read tables of the warehouse by their names, but no files");
            }
            Some(ReadType::ExtensionTable(_)) => return not_impl_err!("a table that is an extension of Substrait"),
            None => return substrait_err!("a read of the plan names no table"),
        }
        let mut plan = self.rows(read).await?;
        if let Some(filter) = &read.filter {
            let condition = self.consume_expression(filter, plan.schema()).await?;
            plan = LogicalPlanBuilder::from(plan).filter(condition)?.build()?;
        }
        // `best_effort_filter` may be left out: whoever wrote it cannot count on it.
        let Some(select) = read.projection.as_ref().and_then(|mask| mask.select.as_ref()) else { return Ok(plan) };
        if select.struct_items.iter().any(|item| item.child.is_some()) {
            return not_impl_err!("a choice of parts of a column in a read; choose them in a projection");
        }
        let places: Vec<i32> = select.struct_items.iter().map(|item| item.field).collect();
        chosen(plan, &places)
    }

    async fn consume_expression(&self, expr: &Expression, schema: &DFSchema) -> Result<Expr> {
        counted(&self.expressions, 1, EXPRESSIONS, "expressions")?;
        grown(from_substrait_rex(self, expr, schema)).await
    }

    fn push_outer_schema(&self, schema: Arc<DFSchema>) {
        self.scopes.push_outer_schema(schema);
    }

    fn pop_outer_schema(&self) {
        self.scopes.pop_outer_schema();
    }

    fn get_outer_schema(&self, steps_out: usize) -> Option<Arc<DFSchema>> {
        self.scopes.get_outer_schema(steps_out)
    }

    fn push_lambda_parameters(&self, parameters: &[Type], schema: &DFSchema) -> Result<Vec<String>> {
        self.scopes.push_lambda_parameters(parameters, schema)
    }

    fn pop_lambda_parameters(&self) {
        self.scopes.pop_lambda_parameters();
    }

    fn lambda_variable(&self, steps_out: usize, field: usize) -> Result<Expr> {
        self.scopes.lambda_variable(steps_out, field)
    }
}

/// The columns that a relation hands on.
fn emitted(plan: LogicalPlan, common: Option<&RelCommon>) -> Result<LogicalPlan> {
    let plan = shortened(plan)?;
    match common.and_then(|common| common.emit_kind.as_ref()) {
        Some(EmitKind::Emit(emit)) => chosen(plan, &emit.output_mapping),
        Some(EmitKind::Direct(_)) | None => Ok(plan),
    }
}
