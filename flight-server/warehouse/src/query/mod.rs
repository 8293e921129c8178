//! What goes in: SQL or a Substrait plan, and values for its parameters. What comes out: record batches of one version
//! of the warehouse. Nothing can be changed through it: [`Update`] only plans, and gives the rows that a change is
//! about.

mod catalog;
mod coded;
mod edits;
mod fair;
mod faults;
mod functions;
mod known_files;
mod medcouple;
mod memory;
mod meta;
mod outside;
mod parameters;
mod plain;
mod point;
pub mod policy;
mod shape;
mod statement;
mod substrait;
mod update;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use datafusion::catalog::CatalogProvider;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::future::BoxFuture;

use self::memory::QueryLimit;
use self::outside::{Checked, OutsideSchema};
use self::point::{Kept, Point, Ready, Source};
use self::policy::{Access, SystemTable, Views};
use crate::store::{Pinned, Store};
use crate::{CATALOG, DEFAULT_SCHEMA, Error, OUTSIDE, Result, WORK};

pub use catalog::tables;
pub use functions::{Model, Models, Named, Output, Scored};
pub use medcouple::medcouple;
pub use memory::QueryMemory;
pub use shape::shape;
use statement::Asked;
pub use statement::{QueryStream, Statement};
pub use substrait::{PLAN_BYTES, check_plan_version, plan_shape, plan_versions};
pub use update::{Effect, Update};

/// Where the engine finds the files of the warehouse: its own scheme, so that no path outside the
/// warehouse has a name in it.
const STORE_URL: &str = "haetae://warehouse";

/// The schema of rows that are not in the warehouse yet.
pub const STAGE: &str = "stage";

/// How many versions keep their session ready. More than one, because a ticket may be redeemed
/// after a commit.
const SESSIONS_KEPT: usize = 4;

/// Look-ups keep rows in memory beside that of queries: at most this part of as much.
const LOOK_UP_SHARE: usize = 8;

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
    /// The most that the temporary files of all queries together may take, in bytes.
    pub spill_bytes: u64,
    /// How many partitions a query is cut into; `None` = one for each core.
    pub partitions: Option<NonZero<usize>>,
}

/// What queries use of the machine at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of memory that are reserved.
    pub memory_bytes: usize,
    /// Bytes of temporary files.
    pub spill_bytes: u64,
}

impl Default for EngineOptions {
    /// Two gibibytes, for one query too, 32 of temporary files, and every core.
    fn default() -> Self {
        Self { memory_bytes: 2 << 30, query_memory_bytes: None, spill_bytes: 32 << 30, partitions: None }
    }
}

/// The query engine over a warehouse directory. It notices new versions by itself.
#[derive(Debug)]
pub struct Engine {
    store: Store,
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    /// What the server itself keeps and whoever sees everything may read.
    system: Vec<SystemTable>,
    recent: Mutex<Vec<Snapshot>>,
    kept: Arc<Kept>,
    /// Files outside of the warehouse that were found right.
    checked: Arc<Checked>,
    models: Option<Arc<dyn Models>>,
}

/// One version of the warehouse, ready for queries. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    manifest: Arc<Pinned>,
    /// Whose classifications hold; the same unless an older version is read.
    newest: Arc<Pinned>,
    context: Arc<SessionContext>,
    /// That of everything as it is.
    all: Arc<SessionContext>,
    /// `None` = everything as it is.
    access: Option<Arc<Access>>,
    base: Arc<Base>,
    models: Option<Arc<dyn Models>>,
}

/// What the views of all users are made of.
struct Base {
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    tables: Vec<catalog::Table>,
    /// The same for those who see everything.
    viewed: Vec<catalog::Table>,
    root: PathBuf,
    system: Vec<SystemTable>,
    views: Views,
    /// For look-ups; `None` where the tables are not those of the version.
    kept: Option<Arc<Kept>>,
    checked: Arc<Checked>,
    ready: Ready,
}

impl Base {
    fn session(&self) -> SessionStateBuilder {
        let mut state = SessionStateBuilder::new()
            .with_config(self.config.clone())
            .with_runtime_env(Arc::clone(&self.runtime))
            .with_default_features()
            .with_physical_optimizer_rules(coded::rules())
            .with_physical_optimizer_rule(Arc::new(fair::FairJoins));
        state.aggregate_functions().get_or_insert_default().push(Arc::new(medcouple::aggregate()));
        state
    }
}

impl Engine {
    /// An engine over the warehouse of `store`.
    pub fn new(store: Store, options: &EngineOptions) -> Result<Self> {
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
        let files = LocalFileSystem::new_with_prefix(store.root()).map_err(Error::data(failed))?;
        let url = ObjectStoreUrl::parse(STORE_URL).map_err(Error::data(failed))?;
        runtime.register_object_store(url.as_ref(), Arc::new(files));
        let kept = Arc::new(Kept::new(options.memory_bytes / LOOK_UP_SHARE));
        let of_one = options.query_memory_bytes.unwrap_or(usize::MAX).min(options.memory_bytes);
        let config = session_config(options).with_extension(Arc::new(QueryLimit(of_one)));
        let (system, recent, checked) = (Vec::new(), Mutex::new(Vec::new()), Arc::default());
        Ok(Self { store, config, runtime, system, recent, kept, checked, models: None })
    }

    /// The same engine, whose statements can call the functions of registered models.
    pub fn with_models(self, models: Arc<dyn Models>) -> Self {
        Self { models: Some(models), ..self }
    }

    /// The same engine with tables in the schema `system`, for whoever sees everything. Others have those of their
    /// [`Access`].
    pub fn with_system(self, system: Vec<SystemTable>) -> Self {
        Self { system, ..self }
    }

    /// What queries use now.
    pub fn usage(&self) -> Usage {
        Usage {
            memory_bytes: self.runtime.memory_pool.reserved(),
            spill_bytes: self.runtime.disk_manager.used_disk_space(),
        }
    }

    /// The warehouse that is queried.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How many statements were answered by looking rows up, without planning.
    pub fn look_ups(&self) -> u64 {
        self.kept.answered()
    }

    /// The newest version.
    pub fn current(&self) -> Result<Snapshot> {
        let version = self.store.current_version()?;
        match self.kept(version)? {
            Some(snapshot) => Ok(snapshot),
            // It was removed between the two looks, so that there is a newer one.
            None => self.prepare(self.store.current()?),
        }
    }

    /// The version of that number, or `None` when it is no longer kept. What a policy hides by what the newest version
    /// says of columns is hidden in older ones too.
    pub fn at(&self, version: u64) -> Result<Option<Snapshot>> {
        let Some(mut snapshot) = self.kept(version)? else { return Ok(None) };
        if version < self.store.current_version()? {
            snapshot.newest = self.current()?.manifest;
        }
        Ok(Some(snapshot))
    }

    fn kept(&self, version: u64) -> Result<Option<Snapshot>> {
        let ready = self.lock().iter().find(|snapshot| snapshot.version() == version).cloned();
        match ready {
            Some(snapshot) => Ok(Some(snapshot)),
            None => self.store.version(version)?.map(|manifest| self.prepare(manifest)).transpose(),
        }
    }

    /// The version that was the newest at a time in milliseconds since 1970, or `None` when it is no
    /// longer kept.
    pub fn at_time(&self, time_ms: i64) -> Result<Option<Snapshot>> {
        self.at(self.store.version_at(time_ms)?)
    }

    /// The same version with only one of `parts` parts of a table of data: some of its files, those of all parts
    /// together being all of them. For all users as many parts as are asked for, also where there are fewer files.
    pub fn part(
        &self,
        snapshot: &Snapshot,
        (schema, name): (&str, &str),
        part: usize,
        parts: usize,
    ) -> Result<Snapshot> {
        let files = snapshot.manifest.files(schema, name);
        let (from, to) = (part * files.len() / parts.max(1), (part + 1) * files.len() / parts.max(1));
        let some = files.get(from..to).unwrap_or_default();
        let mut tables = snapshot.base.tables.clone();
        for (_, _, provider) in tables.iter_mut().filter(|(s, n, _)| s == schema && n == name) {
            *provider = catalog::table(some, &self.runtime, schema, name, provider.schema())?;
        }
        let part = self.assemble(Arc::clone(&snapshot.manifest), tables)?;
        Ok(Snapshot { newest: Arc::clone(&snapshot.newest), ..part })
    }

    /// The newest version, which also has the schemas `added_customs` and `added_kcs`: the tables with
    /// those files alone that version `since` did not have. What was compacted or changed since then
    /// is among them. `None` when that version is no longer kept.
    pub fn added_since(&self, since: u64) -> Result<Option<Snapshot>> {
        let Some(before) = self.store.version(since)? else { return Ok(None) };
        let manifest = self.store.current()?;
        let mut tables = catalog::providers(&manifest, &self.runtime)?;
        tables.extend(catalog::added(&manifest, &before, &self.runtime)?);
        self.assemble(manifest, tables).map(Some)
    }

    /// The newest version, which also has the schema `stage` with these tables.
    pub fn with_stage(&self, tables: Vec<(String, RecordBatch)>) -> Result<Snapshot> {
        let manifest = self.store.current()?;
        let mut all = catalog::providers(&manifest, &self.runtime)?;
        for (name, rows) in tables {
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).map_err(Error::data("stage rows"))?;
            all.push((STAGE.to_owned(), name, Arc::new(table)));
        }
        self.assemble(manifest, all)
    }

    fn prepare(&self, manifest: Arc<Pinned>) -> Result<Snapshot> {
        let tables = catalog::providers(&manifest, &self.runtime)?;
        let snapshot = self.assemble_with(manifest, tables, Some(Arc::clone(&self.kept)))?;
        let mut recent = self.lock();
        recent.retain(|other| other.version() != snapshot.version());
        recent.push(snapshot.clone());
        if recent.len() > SESSIONS_KEPT {
            recent.remove(0);
        }
        Ok(snapshot)
    }

    fn assemble(&self, manifest: Arc<Pinned>, tables: Vec<catalog::Table>) -> Result<Snapshot> {
        self.assemble_with(manifest, tables, None)
    }

    fn assemble_with(
        &self,
        manifest: Arc<Pinned>,
        tables: Vec<catalog::Table>,
        kept: Option<Arc<Kept>>,
    ) -> Result<Snapshot> {
        let base = Base {
            // In the configuration, which each plan and each running query holds: nobody removes the
            // files of the version before they have ended.
            config: self.config.clone().with_extension(Arc::clone(&manifest)),
            runtime: Arc::clone(&self.runtime),
            viewed: catalog::viewed(&tables, &self.runtime)?,
            tables,
            root: self.store.root().to_path_buf(),
            system: self.system.clone(),
            views: Views::default(),
            kept,
            checked: Arc::clone(&self.checked),
            ready: Ready::default(),
        };
        let context = SessionContext::new_with_state(base.session().build());
        let about = meta::tables(&manifest, &base.root, None);
        let made = catalog::made_providers(&manifest, &self.runtime, WORK)?;
        let kept = base.system.iter().map(|t| (policy::SYSTEM_SCHEMA.to_owned(), t.name.clone(), t.provider()));
        let all: Vec<catalog::Table> = base.viewed.iter().cloned().chain(about).chain(made).chain(kept).collect();
        let catalog = catalog::build(&all)?;
        add_outside(&catalog, OutsideSchema::new(&manifest, base.root.clone(), Arc::clone(&base.checked), None)?)?;
        context.register_catalog(CATALOG, catalog);
        let (context, models, newest) = (Arc::new(context), self.models.clone(), Arc::clone(&manifest));
        let (all, base) = (Arc::clone(&context), Arc::new(base));
        Ok(Snapshot { manifest, newest, all, context, access: None, base, models })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Snapshot>> {
        // The list is whole after each change, so that a panic elsewhere does not spoil it.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The schema `outside`, where it has tables.
fn add_outside(catalog: &Arc<dyn CatalogProvider>, tables: OutsideSchema) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    catalog.register_schema(OUTSIDE, Arc::new(tables)).map(drop).map_err(Error::data("register the schema outside"))
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
    pub fn manifest(&self) -> &Pinned {
        &self.manifest
    }

    /// Parses and plans one statement. Fails with [`Error::Sql`] when it is no SQL, names what does
    /// not exist, or would change something.
    // Boxed, as all that is async here and public: otherwise each crate that awaits it compiles
    // DataFusion's part of the future once more, for minutes.
    pub fn statement<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<Statement>> {
        Box::pin(async move {
            let id = self.access.as_ref().map(|access| access.id.as_str());
            if let Some(ready) = self.base.ready.get(id, sql) {
                return Ok(ready);
            }
            let statement = match functions::without(self, sql).await? {
                None => Statement::plan(&self.context, self.access.clone(), Asked::Sql(sql)).await?,
                Some((context, asked)) => Statement::plan(&context, self.access.clone(), asked).await?,
            };
            let statement = statement.with_point(|state, plan| self.point(state, plan));
            self.base.ready.put(id, sql, &statement);
            Ok(statement)
        })
    }

    /// Plans a query that comes as a Substrait plan, as [`statement`](Self::statement) does one in SQL: over the same tables,
    /// with the same refusals. Fails with [`Error::Sql`] when it is no plan, when it is one of another version, larger than
    /// [`PLAN_BYTES`] or nested too deep, when it names what does not exist, or would read files or change something.
    pub fn substrait<'a>(&'a self, plan: &'a [u8]) -> BoxFuture<'a, Result<Statement>> {
        Box::pin(async move {
            let plan = substrait::decoded(plan)?;
            let state = self.context.state();
            let plan = substrait::logical(&state, self.access.as_deref(), &plan).await?;
            Statement::over(Arc::new(state), self.access.clone(), plan)
        })
    }

    /// Plans a statement that changes rows: INSERT, DELETE or UPDATE. Fails with [`Error::Sql`] when it is none of
    /// these, when the user may not change the table, or when it cannot be done safely.
    pub fn update<'a>(&'a self, sql: &'a str) -> BoxFuture<'a, Result<Update>> {
        Box::pin(async move {
            match functions::without(self, sql).await? {
                None => Update::plan(&self.context, self.access.clone(), Asked::Sql(sql)).await,
                Some((context, asked)) => Update::plan(&context, self.access.clone(), asked).await,
            }
        })
    }

    /// The same version with everything as it is, without functions of models.
    fn whole(&self) -> Self {
        Self { context: Arc::clone(&self.all), access: None, models: None, ..self.clone() }
    }

    fn point(&self, state: &SessionState, plan: &LogicalPlan) -> Option<Point> {
        let kept = Arc::clone(self.base.kept.as_ref()?);
        let source = Source { kept, root: self.base.root.clone(), manifest: Arc::clone(&self.manifest) };
        let raw = |schema: &str, table: &str| {
            let known = self.base.tables.iter().find(|(s, t, _)| s == schema && t == table);
            known.map(|(_, _, provider)| Arc::clone(provider))
        };
        Point::new(source, state, self.access.as_deref(), raw, plan)
    }

    /// The same version as `access` shows it. Fails with [`Error::Policy`] when an expression of the
    /// policy does not fit the tables.
    pub fn seen_by(&self, access: &Arc<Access>) -> Result<Self> {
        let make = |access: &Arc<Access>| self.view(access);
        let (access, context) = self.base.views.of(access, &self.newest, &self.manifest, make)?;
        Ok(Self { context, access: Some(access), ..self.clone() })
    }

    fn view(&self, access: &Arc<Access>) -> Result<SessionContext> {
        let about = meta::tables(&self.manifest, &self.base.root, Some(access));
        let made = match &access.work {
            Some(space) => catalog::made_providers(&self.manifest, &self.base.runtime, space)?,
            None => Vec::new(),
        };
        let tables = if access.is_all() { &self.base.viewed } else { &self.base.tables };
        let state = policy::session(self.base.session(), access, tables, &about, &made)?;
        if let Some(catalog) = state.catalog_list().catalog(CATALOG) {
            let (root, checked) = (self.base.root.clone(), Arc::clone(&self.base.checked));
            let view = Some((&state, access.as_ref()));
            add_outside(&catalog, OutsideSchema::new(&self.manifest, root, checked, view)?)?;
        }
        Ok(SessionContext::new_with_state(state))
    }

    /// The schemas and their tables, in the order of their names: (schema, table, columns). The
    /// fields carry comment and unit where the warehouse knows them. What the user may not see is
    /// not among them.
    pub fn tables(&self) -> Vec<(String, String, arrow::datatypes::SchemaRef)> {
        let made = self.made().into_iter().map(|(table, columns)| (WORK.to_owned(), table, columns));
        let Some(access) = &self.access else {
            // `system` and `work` are the last of the names.
            let kept = self.base.system.iter().map(of_system);
            return catalog::described(&self.manifest).into_iter().chain(kept).chain(made).collect();
        };
        let shown = catalog::described(&self.manifest).into_iter().filter_map(|(schema, table, columns)| {
            let columns = access.describe(&schema, &table, &columns)?;
            Some((schema, table, columns))
        });
        let mut found: Vec<_> = shown.chain(access.system.iter().map(of_system)).chain(made).collect();
        found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        found
    }

    /// The tables that the user has made. One whose columns cannot be read is told of where it is queried.
    fn made(&self) -> Vec<(String, arrow::datatypes::SchemaRef)> {
        let space = self.access.as_ref().map_or(Some(WORK), |access| access.work.as_deref());
        space.and_then(|space| catalog::made(&self.manifest, space).ok()).unwrap_or_default()
    }

    /// The schemas that have a table which the user may see, in the order of their names.
    pub fn schemas(&self) -> Vec<String> {
        let mut found: Vec<String> = self.tables().into_iter().map(|(schema, _, _)| schema).collect();
        found.dedup();
        found
    }
}

fn of_system(table: &SystemTable) -> (String, String, arrow::datatypes::SchemaRef) {
    (policy::SYSTEM_SCHEMA.to_owned(), table.name.clone(), Arc::clone(&table.columns))
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
