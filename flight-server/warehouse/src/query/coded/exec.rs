//! What goes in: a plan that groups rows, each part of them for itself. What comes out: a plan that gives the same
//! rows, which numbers the values that it groups by.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, EmissionType};
use datafusion::physical_plan::filter_pushdown::{FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PlanProperties, replace_children_if_necessary,
};

use super::stream::{Aggregate, Few, Work, run};
use super::values::Values;

/// Groups the rows of each partition for itself, by numbers that stand for the values.
#[derive(Debug)]
pub(super) struct CodedAggregateExec {
    /// What it does, in DataFusion's terms: an [`AggregateExec`].
    plain: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CodedAggregateExec {
    /// `None` where it cannot do what `plain` does.
    pub(super) fn of(plain: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let aggregate = plain.downcast_ref::<AggregateExec>()?;
        let keys = aggregate.group_expr();
        let schema = aggregate.input().schema();
        let can = |expr: &Arc<dyn PhysicalExpr>| expr.data_type(&schema).is_ok_and(|kind| Values::can(&kind));
        let fits = *aggregate.mode() == AggregateMode::Partial
            && keys.is_single()
            && !keys.expr().is_empty()
            && keys.expr().iter().all(|(expr, _)| can(expr))
            && aggregate.limit_options().is_none()
            && !by_identifier(aggregate, &schema)
            && !(aggregate.input().properties().output_partitioning().partition_count() == 1 && grows(aggregate))
            && aggregate.dynamic_expressions_produced().is_empty()
            && aggregate.aggr_expr().iter().all(|a| a.groups_accumulator_supported() && a.order_bys().is_empty());
        fits.then(|| Self::over(Arc::clone(plain)))
    }

    fn over(plain: Arc<dyn ExecutionPlan>) -> Self {
        let like = plain.properties();
        // In no order, whatever that of the rows is.
        let properties = PlanProperties::new(
            EquivalenceProperties::new(plain.schema()),
            like.partitioning.clone(),
            EmissionType::Final,
            like.boundedness,
        );
        Self { plain, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }

    fn aggregate(&self) -> Result<&AggregateExec> {
        let found = self.plain.downcast_ref::<AggregateExec>();
        found.ok_or_else(|| internal_datafusion_err!("{} is no aggregate", self.plain.name()))
    }
}

/// Whether the rows come in the order of a text among the keys. Tables are in the order of days, or in that of
/// identifiers, which are nearly as many as the rows: whoever reads those in order needs to remember only one.
fn by_identifier(aggregate: &AggregateExec, schema: &SchemaRef) -> bool {
    let keys = aggregate.group_expr().expr();
    let is_text = |(expr, _): &(Arc<dyn PhysicalExpr>, String)| {
        expr.data_type(schema).is_ok_and(|kind| matches!(kind, DataType::Utf8 | DataType::Utf8View))
    };
    match aggregate.input_order_mode() {
        InputOrderMode::Linear => false,
        InputOrderMode::PartiallySorted(places) => places.iter().filter_map(|place| keys.get(*place)).any(is_text),
        InputOrderMode::Sorted => keys.iter().any(is_text),
    }
}

/// Whether what is kept of a group grows with its rows. DataFusion makes one step of both halves where the rows come in
/// one part; in two, such states would be written out and read again.
fn grows(aggregate: &AggregateExec) -> bool {
    aggregate.aggr_expr().iter().any(|function| {
        let lists = function.state_fields().is_ok_and(|fields| fields.iter().any(|f| f.data_type().is_nested()));
        function.is_distinct() || lists || function.fun().name() == "string_agg"
    })
}

impl DisplayAs for CodedAggregateExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (kind, self.aggregate()) {
            (DisplayFormatType::Default | DisplayFormatType::Verbose, Ok(aggregate)) => {
                write!(f, "CodedAggregateExec: gby=[")?;
                for (index, (expr, name)) in aggregate.group_expr().expr().iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{expr} as {name}")?;
                }
                let names: Vec<&str> = aggregate.aggr_expr().iter().map(|function| function.name()).collect();
                write!(f, "], aggr=[{}]", names.join(", "))
            }
            _ => write!(f, "CodedAggregateExec"),
        }
    }
}

impl ExecutionPlan for CodedAggregateExec {
    fn name(&self) -> &str {
        "CodedAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.plain.children()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.plain.apply_expressions(visit)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::over(replace_children_if_necessary(Arc::clone(&self.plain), children)?)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let aggregate = self.aggregate()?;
        let functions = aggregate.aggr_expr().iter().zip(aggregate.filter_expr());
        let options = &context.session_config().options().execution;
        let few = Few {
            rows: options.skip_partial_aggregation_probe_rows_threshold,
            groups: options.skip_partial_aggregation_probe_ratio_threshold,
        };
        let work = Work {
            keys: aggregate.group_expr().input_exprs(),
            aggregates: functions.map(|(f, filter)| Aggregate::new(f, filter.clone())).collect::<Result<_>>()?,
            schema: self.schema(),
            batch_rows: context.session_config().batch_size(),
            // Not among those that spill, between which the memory is divided: it gives all back before they need it.
            reservation: MemoryConsumer::new(format!("CodedAggregate[{partition}]")).register(context.memory_pool()),
            metrics: BaselineMetrics::new(&self.metrics, partition),
            few,
            input: aggregate.input().execute(partition, context)?,
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), run(work)?)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.plain.child_stats_requests(partition)
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        self.plain.statistics_from_inputs(inputs, args)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }

    /// What is asked of keys can be asked of rows.
    fn gather_filters_for_pushdown(
        &self,
        phase: FilterPushdownPhase,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        self.plain.gather_filters_for_pushdown(phase, filters, config)
    }
}
