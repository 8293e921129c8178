//! A physical plan -> the same plan, in which joins let other queries have their turn.
//!
//! DataFusion's operators come back to the scheduler when they read: a join that makes millions of rows out of one
//! batch reads seldom. Until it does, it holds a thread, other queries wait, and it cannot be ended. What a join
//! hands on is counted too here.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// Puts a stop behind each operator with more than one input.
#[derive(Debug)]
pub(super) struct FairJoins;

impl PhysicalOptimizerRule for FairJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let fair = plan.transform_up(|plan| {
            Ok(match plan.children().len() {
                0 | 1 => Transformed::no(plan),
                _ => Transformed::yes(Arc::new(CooperativeExec::new(plan)) as Arc<dyn ExecutionPlan>),
            })
        });
        fair.map(|plan| plan.data)
    }

    fn name(&self) -> &str {
        "FairJoins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
