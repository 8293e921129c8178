//! What goes in: a table as it is, and what may be seen of it. What comes out: a table that shows
//! that, whatever is asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr_rewriter::unnormalize_col;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, Volatility, lit};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column as Place;
use datafusion::physical_plan::ExecutionPlan;

use super::expression::expression;
use super::masks::{self, MaskKey};
use super::pushdown::cannot_fail;
use super::scan::{PolicyScan, hidden};
use super::{Column, PolicyFault, TableAccess};

/// A table under a policy.
pub(crate) struct GuardedTable {
    /// `schema.table`, as plans and audits name it.
    pub(crate) name: String,
    raw: Arc<dyn TableProvider>,
    schema: SchemaRef,
    /// What makes each column of `schema`.
    columns: Vec<Expr>,
    /// The columns that are shown as they are.
    clear: BTreeSet<String>,
    filter: Option<Expr>,
}

/// What is shown of rows that are there as they are: which of them, and what of each.
pub(crate) struct Rows {
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
    pub(crate) columns: Vec<Arc<dyn PhysicalExpr>>,
    /// Names and nullability of the columns.
    pub(crate) schema: SchemaRef,
}

impl Rows {
    /// Some columns of a table, as they are.
    pub(crate) fn plain(schema: &SchemaRef, shown: &[usize]) -> Self {
        let fields = shown.iter().filter_map(|index| schema.fields().get(*index).cloned());
        let fields: Vec<_> = fields.collect();
        let place = |index: &usize| {
            let name = schema.fields().get(*index)?.name();
            Some(Arc::new(Place::new(name, *index)) as Arc<dyn PhysicalExpr>)
        };
        let columns = shown.iter().filter_map(place).collect();
        Self { filter: None, columns, schema: Arc::new(Schema::new(fields)) }
    }
}

/// Without the expressions: they may quote what is hidden.
impl std::fmt::Debug for GuardedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedTable").field("name", &self.name).finish_non_exhaustive()
    }
}

impl GuardedTable {
    /// Fails when an expression of the policy cannot be read, or names what is not there. Whether its types
    /// fit is asked once, by [`check`](Self::check), when a policy is taken into use.
    pub(crate) fn new(
        state: &SessionState,
        (schema, table): (&str, &str),
        raw: Arc<dyn TableProvider>,
        access: &TableAccess,
        attributes: &BTreeMap<String, String>,
        key: &MaskKey,
    ) -> Result<Self, PolicyFault> {
        let fault = fault(schema, table);
        let all = raw.schema();
        if let Some(unknown) = access.columns.keys().find(|name| all.column_with_name(name).is_none()) {
            return Err(fault(Some(unknown), "there is no such column".to_owned()));
        }
        let visible = DFSchema::try_from(all.as_ref().clone()).map_err(|error| fault(None, error.to_string()))?;
        let parse = |sql: &str| expression(state, &visible, sql, attributes);
        let filter = access.filter.as_deref().map(parse).transpose().map_err(|reason| fault(None, reason))?;
        let (mut fields, mut columns, mut clear) = (Vec::new(), Vec::new(), BTreeSet::new());
        for field in all.fields() {
            let plain = Expr::Column(datafusion::common::Column::new_unqualified(field.name()));
            match access.columns.get(field.name()) {
                Some(Column::Hide) => continue,
                None | Some(Column::Show) => {
                    clear.insert(field.name().clone());
                    fields.push(field.as_ref().clone());
                    columns.push(plain);
                }
                Some(Column::Mask(mask)) => {
                    let shown = masks::expression(mask, field, key, parse);
                    let shown = shown.map_err(|reason| fault(Some(field.name()), reason))?;
                    fields.push(Field::new(field.name(), field.data_type().clone(), true));
                    columns.push(shown.alias(field.name()));
                }
            }
        }
        let name = format!("{schema}.{table}");
        Ok(Self { name, raw, schema: Arc::new(Schema::new(fields)), columns, clear, filter })
    }

    /// The same rights on another state of the table, under the name that a statement gives it.
    pub(crate) fn over(&self, table: &str, raw: Arc<dyn TableProvider>) -> Self {
        let (schema, _) = self.name.split_once('.').unwrap_or_default();
        let (columns, clear) = (self.columns.clone(), self.clear.clone());
        let (name, filter) = (format!("{schema}.{table}"), self.filter.clone());
        Self { name, raw, schema: Arc::clone(&self.schema), columns, clear, filter }
    }

    /// A table outside of the warehouse that shows nothing, since it cannot be read.
    pub(crate) fn closed(table: &str, raw: Arc<dyn TableProvider>) -> Self {
        let schema = raw.schema();
        let plain = |field: &Arc<Field>| Expr::Column(datafusion::common::Column::new_unqualified(field.name()));
        let columns = schema.fields().iter().map(plain).collect();
        let name = format!("{}.{table}", crate::OUTSIDE);
        Self { name, raw, schema, columns, clear: BTreeSet::new(), filter: None }
    }

    /// Plans each part alone, so that what is wrong is found where it stands.
    pub(crate) fn check(&self, state: &SessionState, (schema, table): (&str, &str)) -> Result<(), PolicyFault> {
        let fault = fault(schema, table);
        let reason = |error: DataFusionError| error.find_root().message().into_owned();
        let rows = self.view(&[], &[], None).and_then(|plan| state.optimize(&plan));
        rows.map_err(|error| fault(None, reason(error)))?;
        for (index, field) in self.schema.fields().iter().enumerate() {
            if self.clear.contains(field.name()) {
                continue;
            }
            let name = Some(field.name().as_str());
            let plan = self.view(&[index], &[], None).and_then(|plan| state.optimize(&plan));
            let plan = plan.map_err(|error| fault(name, reason(error)))?;
            let found = plan.schema().field(0).data_type().clone();
            if found != *field.data_type() {
                let wanted = field.data_type();
                return Err(fault(name, format!("the mask gives {found}, but the column is {wanted}; cast it")));
            }
        }
        Ok(())
    }

    /// What is shown of rows that have been chosen by conditions on columns of this table, and the same conditions on
    /// columns of the table as it is. `None` where such conditions may not be asked of hidden rows ([`cannot_fail`]),
    /// and where the policy looks at more than the row.
    pub(crate) fn rows<T>(
        &self,
        state: &SessionState,
        conditions: Vec<(usize, T)>,
        shown: &[usize],
    ) -> Option<(Vec<(usize, T)>, Rows)> {
        let raw = self.raw.schema();
        if !self.filter.as_ref().is_none_or(|filter| cannot_fail(filter, &raw, None)) {
            return None;
        }
        let clear = |index: usize| {
            let name = self.schema.fields().get(index)?.name();
            self.clear.contains(name).then(|| raw.index_of(name).ok()).flatten()
        };
        let conditions = conditions.into_iter().map(|(index, value)| Some((clear(index)?, value)));
        let conditions = conditions.collect::<Option<Vec<_>>>()?;
        let visible = DFSchema::try_from(raw.as_ref().clone()).ok()?;
        let physical = |expr: &Expr| {
            let expr = unnormalize_col(expr.clone());
            by_row_alone(&expr).then(|| state.create_physical_expr(expr, &visible).ok()).flatten()
        };
        let filter = match &self.filter {
            None => None,
            Some(filter) => Some(physical(filter)?),
        };
        let columns = shown.iter().map(|index| physical(self.columns.get(*index)?)).collect::<Option<Vec<_>>>()?;
        let schema = Arc::new(self.schema.project(shown).ok()?);
        Some((conditions, Rows { filter, columns, schema }))
    }

    /// Masks over filters over the scan. Where no column is asked for, one constant stands for the rows.
    fn view(&self, indices: &[usize], filters: &[Expr], limit: Option<usize>) -> Result<LogicalPlan> {
        let mut plan = LogicalPlanBuilder::scan("raw", provider_as_source(Arc::clone(&self.raw)), None)?;
        for filter in self.filter.iter().chain(filters) {
            plan = plan.filter(unnormalize_col(filter.clone()))?;
        }
        let shown: Vec<Expr> = match indices {
            [] => vec![lit(true).alias("row")],
            some => some.iter().filter_map(|index| self.columns.get(*index).cloned()).collect(),
        };
        plan = plan.project(shown)?;
        if limit.is_some() {
            plan = plan.limit(0, limit)?;
        }
        plan.build()
    }
}

#[async_trait]
impl TableProvider for GuardedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What can fail could tell of a row that is hidden, so it stays above; so does everything if
    /// the policy's own filter can fail, since it would then fail or not as the user chooses rows.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let sound = self.filter.as_ref().is_none_or(|filter| cannot_fail(filter, &self.raw.schema(), None));
        let answers = filters.iter().map(|filter| {
            if sound && cannot_fail(filter, &self.schema, Some(&self.clear)) {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        });
        Ok(answers.collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let indices = projection.cloned().unwrap_or_else(|| (0..self.columns.len()).collect());
        let schema = Arc::new(self.schema.project(&indices)?);
        let plan = self.view(&indices, filters, limit)?;
        let inner = state.create_physical_plan(&plan).await.map_err(|error| hidden(&self.name, &error))?;
        let partitions = state.config().target_partitions();
        Ok(Arc::new(PolicyScan::new(self.name.clone(), schema, inner, partitions)?))
    }
}

/// Whether an expression gives the same for the same row at any time.
fn by_row_alone(expr: &Expr) -> bool {
    let depends = |expr: &Expr| {
        Ok(match expr {
            Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
            Expr::Placeholder(_) => true,
            _ => false,
        })
    };
    matches!(expr.exists(depends), Ok(false))
}

fn fault(schema: &str, table: &str) -> impl Fn(Option<&str>, String) -> PolicyFault {
    move |column, reason| PolicyFault {
        schema: schema.to_owned(),
        table: table.to_owned(),
        column: column.map(str::to_owned),
        reason,
    }
}
