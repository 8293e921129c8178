//! A physical plan -> the same plan, which groups rows by numbers in the place of values where it can.
//!
//! DataFusion hashes and compares the keys of each row, and computes expressions for each row. The columns that analysts
//! group by have few values: offices, chapters, months, countries. Here each value has a number, functions of one column
//! are asked once for each value, and groups are found by numbers in a table of cells. What is computed of the groups is
//! DataFusion's. `docs/decisions/0017` has the reasons.

mod exec;
mod keys;
mod pairs;
mod pieces;
mod stream;
mod table;
mod values;
mod window;

use std::sync::Arc;

use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use self::exec::CodedAggregateExec;

/// It stands before the rule that puts sorts and exchanges where they are needed, since groups come out in no order.
const BEFORE: &str = "EnsureRequirements";

/// DataFusion's rules and this one.
pub(super) fn rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let place = rules.iter().position(|rule| rule.name() == BEFORE);
    if let Some(place) = place {
        rules.insert(place, Arc::new(CodedGroups));
    }
    rules
}

/// Puts [`CodedAggregateExec`] in the place of aggregates over a part of the rows.
#[derive(Debug)]
struct CodedGroups;

impl PhysicalOptimizerRule for CodedGroups {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        coded(plan, false)
    }

    fn name(&self) -> &str {
        "CodedGroups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `first`: whether only the first rows of an order are wanted.
fn coded(plan: Arc<dyn ExecutionPlan>, first: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let aggregate = plan.downcast_ref::<AggregateExec>();
    // DataFusion keeps just the first of such groups.
    let kept = first && aggregate.is_some_and(|node| node.aggr_expr().is_empty() || node.get_minmax_desc().is_some());
    let first = plan.downcast_ref::<SortExec>().map_or(first, |sort| sort.fetch().is_some());
    let children = plan.children().into_iter().map(|child| coded(Arc::clone(child), first)).collect::<Result<_>>()?;
    let plan = replace_children_if_necessary(plan, children)?;
    match CodedAggregateExec::of(&plan).filter(|_| !kept) {
        Some(coded) => Ok(Arc::new(coded)),
        None => Ok(plan),
    }
}
