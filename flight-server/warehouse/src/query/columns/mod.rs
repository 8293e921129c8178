//! What goes in: the plan of a read of the warehouse's files. What comes out: the same plan, which takes decoded columns from
//! memory where they are, and puts there what it has read whole.
//!
//! Most of the time of a scan goes into unpacking and decoding Parquet. The files of a warehouse never change, so that
//! what was decoded once holds for as long as they are read. It is the bottom of a plan: policies, filters and limits
//! are above it, and what statistics rule out is not looked at. `docs/decisions/0019` has the reasons.

mod gathered;
mod kept;
mod needed;
mod opener;
mod place;
mod sent;
mod source;

use std::sync::Arc;

use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;

pub(super) use self::kept::Columns;
pub use self::kept::ColumnsUsage;
pub(super) use self::sent::as_sent;
use self::source::KeptSource;

/// The plan of a read, whose source may answer from memory.
pub(super) fn over(plan: Arc<dyn ExecutionPlan>, columns: &Arc<Columns>) -> Result<Arc<dyn ExecutionPlan>> {
    let found =
        plan.downcast_ref::<DataSourceExec>().and_then(DataSourceExec::downcast_to_file_source::<ParquetSource>);
    let Some((config, source)) = found.filter(|_| columns.is_on()) else { return Ok(plan) };
    let Some(source) = KeptSource::over(source, columns) else { return Ok(plan) };
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    Ok(DataSourceExec::from_data_source(config))
}
