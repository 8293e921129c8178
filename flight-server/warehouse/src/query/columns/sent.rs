//! What goes in: a plan whose batches go to a client as they are. What comes out: the same plan, with texts as they are
//! sent where it is a mere read of files.
//!
//! Clients get texts one after another, not as views. What is read often to be sent is kept like that, and goes out
//! without being written once more.

use std::sync::Arc;

use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use super::source::KeptSource;

/// Only nodes that hand on batches without looking into them may stand above such a read: its batches are not of the types
/// that the plan says.
pub(in crate::query) fn as_sent(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(read) = plan.downcast_ref::<DataSourceExec>() {
        let found = read.downcast_to_file_source::<KeptSource>();
        let Some((config, Some(source))) = found.map(|(config, source)| (config, source.as_sent())) else {
            return Ok(plan);
        };
        let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
        return Ok(DataSourceExec::from_data_source(config));
    }
    if plan.is::<CoalescePartitionsExec>() || plan.is::<CooperativeExec>() {
        let children = plan.children().into_iter().map(|child| as_sent(Arc::clone(child))).collect::<Result<_>>()?;
        return replace_children_if_necessary(plan, children);
    }
    Ok(plan)
}
