//! What goes in: SQL, and values for its parameters. What comes out: record batches of one version
//! of the warehouse. Nothing can be changed through it.

mod catalog;
mod fair;
mod faults;
mod parameters;
mod statement;

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::future::BoxFuture;

use crate::store::{Manifest, Store};
use crate::{CATALOG, DEFAULT_SCHEMA, Error, Result};

pub use statement::{QueryStream, Statement};

/// Where the engine finds the files of the warehouse: its own scheme, so that no path outside the
/// warehouse has a name in it.
const STORE_URL: &str = "haetae://warehouse";

/// How many versions keep their session ready. More than one, because a ticket may be redeemed
/// after a commit.
const SESSIONS_KEPT: usize = 4;

/// How much of the machine queries may use.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Memory for sorts, joins and aggregates of all queries together, in bytes. Beyond it queries
    /// spill to temporary files, and fail when they cannot.
    pub memory_bytes: usize,
    /// How many partitions a query is cut into; `None` = one for each core.
    pub partitions: Option<NonZero<usize>>,
}

impl Default for EngineOptions {
    /// Two gibibytes and every core.
    fn default() -> Self {
        Self { memory_bytes: 2 << 30, partitions: None }
    }
}

/// The query engine over a warehouse directory. It notices new versions by itself.
#[derive(Debug)]
pub struct Engine {
    store: Store,
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    recent: Mutex<Vec<Snapshot>>,
}

/// One version of the warehouse, ready for queries. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    manifest: Arc<Manifest>,
    context: Arc<SessionContext>,
}

impl Engine {
    /// An engine over the warehouse of `store`.
    pub fn new(store: Store, options: &EngineOptions) -> Result<Self> {
        let failed = "start the query engine";
        let pool = FairSpillPool::new(options.memory_bytes);
        let consumers_named = NonZero::<usize>::MIN.saturating_add(4);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, consumers_named)))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory))
            .build_arc()
            .map_err(Error::data(failed))?;
        let files = LocalFileSystem::new_with_prefix(store.root()).map_err(Error::data(failed))?;
        let url = ObjectStoreUrl::parse(STORE_URL).map_err(Error::data(failed))?;
        runtime.register_object_store(url.as_ref(), Arc::new(files));
        Ok(Self { store, config: session_config(options), runtime, recent: Mutex::new(Vec::new()) })
    }

    /// The newest version.
    pub fn current(&self) -> Result<Snapshot> {
        let version = self.store.current_version()?;
        match self.at(version)? {
            Some(snapshot) => Ok(snapshot),
            // It was swept between the two looks, so that there is a newer one.
            None => self.prepare(self.store.current()?),
        }
    }

    /// The version of that number, or `None` when it is no longer kept.
    pub fn at(&self, version: u64) -> Result<Option<Snapshot>> {
        let ready = self.lock().iter().find(|snapshot| snapshot.version() == version).cloned();
        match ready {
            Some(snapshot) => Ok(Some(snapshot)),
            None => self.store.version(version)?.map(|manifest| self.prepare(manifest)).transpose(),
        }
    }

    fn prepare(&self, manifest: Manifest) -> Result<Snapshot> {
        let state = SessionStateBuilder::new()
            .with_config(self.config.clone())
            .with_runtime_env(Arc::clone(&self.runtime))
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(fair::FairJoins))
            .build();
        let context = SessionContext::new_with_state(state);
        context.register_catalog(CATALOG, catalog::build(&manifest, &self.runtime)?);
        let snapshot = Snapshot { manifest: Arc::new(manifest), context: Arc::new(context) };
        let mut recent = self.lock();
        recent.retain(|other| other.version() != snapshot.version());
        recent.push(snapshot.clone());
        if recent.len() > SESSIONS_KEPT {
            recent.remove(0);
        }
        Ok(snapshot)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Snapshot>> {
        // The list is whole after each change, so that a panic elsewhere does not spoil it.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("version", &self.version()).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The number of the version.
    pub fn version(&self) -> u64 {
        self.manifest.version
    }

    /// What the version consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Parses and plans one statement. Fails with [`Error::Sql`] when it is no SQL, names what does
    /// not exist, or would change something.
    // Boxed, as all that is async here and public: otherwise each crate that awaits it compiles
    // DataFusion's part of the future once more, for minutes.
    pub fn statement<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<Statement>> {
        Box::pin(Statement::plan(&self.context, sql))
    }

    /// The schemas and their tables, in the order of their names: (schema, table, columns). The
    /// fields carry comment and unit where the warehouse knows them.
    pub fn tables(&self) -> Vec<(String, String, arrow::datatypes::SchemaRef)> {
        catalog::tables()
    }
}

/// Keys and values as in `reference`; each differs from the default for the reason beside it.
fn session_config(options: &EngineOptions) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_batch_size(8192);
    if let Some(partitions) = options.partitions {
        config = config.with_target_partitions(partitions.get());
    }
    let settings = config.options_mut();
    // View types would go over the wire: older clients cannot read them, and slices of them carry
    // all their buffers.
    settings.execution.parquet.schema_force_view_types = false;
    settings.sql_parser.map_string_types_to_utf8view = false;
    settings.execution.parquet.bloom_filter_on_read = true;
    settings.execution.collect_statistics = true;
    settings.optimizer.prefer_existing_sort = true;
    config
}
