//! What goes in: a warehouse directory. What comes out: its versions, ready for queries.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionConfig;

use super::columns::{Columns, ColumnsUsage};
use super::functions::Models;
use super::outside::Checked;
use super::point::{Kept, Ready};
use super::policy::{SystemTable, Views};
use super::settings::{self, EngineOptions};
use super::snapshot::{Base, Snapshot};
use super::{STAGE, catalog};
use crate::store::{Pinned, Store};
use crate::{Error, Result};

/// How many versions keep their session ready. More than one, because a ticket may be redeemed
/// after a commit.
const SESSIONS_KEPT: usize = 4;

/// Look-ups keep rows in memory beside that of queries: at most this part of as much.
const LOOK_UP_SHARE: usize = 8;

/// What queries use of the machine at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of memory that are reserved.
    pub memory_bytes: usize,
    /// Bytes of temporary files.
    pub spill_bytes: u64,
    /// Columns of files that are kept decoded.
    pub columns: ColumnsUsage,
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
    columns: Arc<Columns>,
    /// Files outside of the warehouse that were found right.
    checked: Arc<Checked>,
    models: Option<Arc<dyn Models>>,
}

impl Engine {
    /// An engine over the warehouse of `store`.
    pub fn new(store: Store, options: &EngineOptions) -> Result<Self> {
        let (config, runtime) = (settings::session_config(options), settings::runtime(store.root(), options)?);
        let kept = Arc::new(Kept::new(options.memory_bytes / LOOK_UP_SHARE));
        let queries = Arc::clone(&runtime.memory_pool);
        let columns = Arc::new(Columns::new(options.columns_bytes, options.memory_bytes, queries));
        // Where plans of reads and the memory of queries find it.
        let config = config.with_extension(Arc::clone(&columns));
        let (system, recent, checked) = (Vec::new(), Mutex::new(Vec::new()), Arc::default());
        Ok(Self { store, config, runtime, system, recent, kept, columns, checked, models: None })
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
            columns: self.columns.usage(),
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
            snapshot.newest = Arc::clone(&self.current()?.base.manifest);
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
        let files = snapshot.base.manifest.files(schema, name);
        let (from, to) = (part * files.len() / parts.max(1), (part + 1) * files.len() / parts.max(1));
        let some = files.get(from..to).unwrap_or_default();
        let mut tables = snapshot.base.tables.clone();
        for (_, _, provider) in tables.iter_mut().filter(|(s, n, _)| s == schema && n == name) {
            *provider = catalog::table(some, &self.runtime, schema, name, provider.schema())?;
        }
        let mut part = self.assemble(Arc::clone(&snapshot.base.manifest), tables, None)?;
        part.newest = Arc::clone(&snapshot.newest);
        Ok(part)
    }

    /// The newest version, which also has the schemas `added_customs` and `added_kcs`: the tables with
    /// those files alone that version `since` did not have. What was compacted or changed since then
    /// is among them. `None` when that version is no longer kept.
    pub fn added_since(&self, since: u64) -> Result<Option<Snapshot>> {
        let Some(before) = self.store.version(since)? else { return Ok(None) };
        let manifest = self.store.current()?;
        let mut tables = catalog::providers(&manifest, &self.runtime)?;
        tables.extend(catalog::added(&manifest, &before, &self.runtime)?);
        self.assemble(manifest, tables, None).map(Some)
    }

    /// The newest version, which also has the schema `stage` with these tables.
    pub fn with_stage(&self, tables: Vec<(String, RecordBatch)>) -> Result<Snapshot> {
        let manifest = self.store.current()?;
        let mut all = catalog::providers(&manifest, &self.runtime)?;
        for (name, rows) in tables {
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).map_err(Error::data("stage rows"))?;
            all.push((STAGE.to_owned(), name, Arc::new(table)));
        }
        self.assemble(manifest, all, None)
    }

    fn prepare(&self, manifest: Arc<Pinned>) -> Result<Snapshot> {
        let tables = catalog::providers(&manifest, &self.runtime)?;
        let snapshot = self.assemble(manifest, tables, Some(Arc::clone(&self.kept)))?;
        let mut recent = self.lock();
        recent.retain(|other| other.version() != snapshot.version());
        recent.push(snapshot.clone());
        if recent.len() > SESSIONS_KEPT {
            recent.remove(0);
            // What only versions have that are no longer ready gives its memory back; a vacuum may remove those files.
            let files = recent.iter().flat_map(|snapshot| snapshot.base.manifest.all_files());
            self.columns.keep_only(&files.map(|file| file.path.as_str()).collect());
        }
        Ok(snapshot)
    }

    /// `kept`: for look-ups, where `tables` are those of the version.
    fn assemble(
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
            manifest,
            tables,
            root: self.store.root().to_path_buf(),
            system: self.system.clone(),
            views: Views::default(),
            kept,
            checked: Arc::clone(&self.checked),
            ready: Ready::default(),
        };
        Snapshot::of(base, self.models.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Snapshot>> {
        // The list is whole after each change, so that a panic elsewhere does not spoil it.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
