//! What goes in: how much of the machine queries may use. What comes out: with what settings DataFusion runs them.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::prelude::SessionConfig;

use super::memory::QueryLimit;
use super::{STORE_URL, coded, fair, medcouple};
use crate::{CATALOG, DEFAULT_SCHEMA, Error, Result};

/// A side of a join of fewer bytes is one table for all cores.
const JOINED_WHOLE: usize = 32 << 20;

/// How much of the machine queries may use.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Memory for sorts, joins and aggregates of all queries together, in bytes. Beyond it queries
    /// spill to temporary files, and fail when they cannot.
    pub memory_bytes: usize,
    /// The part of it that one query may have, in bytes; `None` = all of it.
    pub query_memory_bytes: Option<usize>,
    /// The most that columns of files take that are kept decoded, in bytes; 0 = none are kept. Together with the memory of
    /// queries they never take more than the larger of the two.
    pub columns_bytes: usize,
    /// The most that the temporary files of all queries together may take, in bytes.
    pub spill_bytes: u64,
    /// How many partitions a query is cut into; `None` = one for each core.
    pub partitions: Option<NonZero<usize>>,
}

impl Default for EngineOptions {
    /// Two gibibytes, for one query too, no columns, 32 of temporary files, and every core.
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            query_memory_bytes: None,
            columns_bytes: 0,
            spill_bytes: 32 << 30,
            partitions: None,
        }
    }
}

/// What all queries over the warehouse in `root` share.
pub(super) fn runtime(root: &Path, options: &EngineOptions) -> Result<Arc<RuntimeEnv>> {
    let failed = "start the query engine";
    let pool = FairSpillPool::new(options.memory_bytes);
    let consumers_named = NonZero::<usize>::MIN.saturating_add(4);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, consumers_named)))
        .with_disk_manager_builder(
            DiskManagerBuilder::default()
                .with_mode(DiskManagerMode::OsTmpDirectory)
                .with_max_temp_directory_size(options.spill_bytes),
        )
        .build_arc()
        .map_err(Error::data(failed))?;
    let files = LocalFileSystem::new_with_prefix(root).map_err(Error::data(failed))?;
    let url = ObjectStoreUrl::parse(STORE_URL).map_err(Error::data(failed))?;
    runtime.register_object_store(url.as_ref(), Arc::new(files));
    Ok(runtime)
}

/// Keys and values as in `reference`; each differs from the default for the reason beside it.
pub(super) fn session_config(options: &EngineOptions) -> SessionConfig {
    let of_one = options.query_memory_bytes.unwrap_or(usize::MAX).min(options.memory_bytes);
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_batch_size(8192)
        // One footer after another: a limit without an order takes files as their footers come, until they have its rows.
        // Several at a time would be other files each time.
        .set_usize("datafusion.execution.meta_fetch_concurrency", 1)
        .with_extension(Arc::new(QueryLimit(of_one)));
    if let Some(partitions) = options.partitions {
        config = config.with_target_partitions(partitions.get());
    }
    let settings = config.options_mut();
    // The catalogue says where texts are views. They do not go over the wire: older clients cannot read them, and
    // slices of them carry all their buffers.
    settings.execution.parquet.schema_force_view_types = false;
    settings.sql_parser.map_string_types_to_utf8view = false;
    settings.execution.parquet.bloom_filter_on_read = true;
    settings.execution.collect_statistics = true;
    settings.optimizer.prefer_existing_sort = true;
    // What a table of companies or codes has in a few columns. Below it the rows of the other side are joined where they
    // are read; else all of them are handed from core to core first.
    settings.optimizer.hash_join_single_partition_threshold = JOINED_WHOLE;
    settings.optimizer.hash_join_single_partition_threshold_rows = JOINED_WHOLE / 64;
    config
}

/// DataFusion's rules and functions, and those of the warehouse.
pub(super) fn state(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionStateBuilder {
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rules(coded::rules())
        .with_physical_optimizer_rule(Arc::new(fair::FairJoins));
    state.aggregate_functions().get_or_insert_default().push(Arc::new(medcouple::aggregate()));
    state
}
