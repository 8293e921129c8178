//! What goes in: the tables of a version, and who asks. What comes out: what that user can ask of it.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::CatalogProvider;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::future::BoxFuture;

use super::functions::{self, Models};
use super::outside::{Checked, OutsideSchema};
use super::point::{Kept, Point, Ready, Source};
use super::policy::{self, Access, SYSTEM_SCHEMA, SystemTable, Views};
use super::statement::{Asked, Statement};
use super::update::Update;
use super::{catalog, meta, settings, substrait};
use crate::store::Pinned;
use crate::{CATALOG, Error, OUTSIDE, Result, WORK};

/// One version of the warehouse, ready for queries. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) base: Arc<Base>,
    /// Whose classifications hold; the same version unless an older one is read.
    pub(super) newest: Arc<Pinned>,
    pub(super) context: Arc<SessionContext>,
    /// That of everything as it is.
    pub(super) all: Arc<SessionContext>,
    /// `None` = everything as it is.
    pub(super) access: Option<Arc<Access>>,
    pub(super) models: Option<Arc<dyn Models>>,
}

/// What the views of all users are made of.
pub(super) struct Base {
    pub(super) manifest: Arc<Pinned>,
    pub(super) config: SessionConfig,
    pub(super) runtime: Arc<RuntimeEnv>,
    pub(super) tables: Vec<catalog::Table>,
    /// The same for those who see everything.
    pub(super) viewed: Vec<catalog::Table>,
    pub(super) root: PathBuf,
    pub(super) system: Vec<SystemTable>,
    pub(super) views: Views,
    /// For look-ups; `None` where the tables are not those of the version.
    pub(super) kept: Option<Arc<Kept>>,
    pub(super) checked: Arc<Checked>,
    pub(super) ready: Ready,
}

impl Base {
    fn session(&self) -> SessionStateBuilder {
        settings::state(self.config.clone(), Arc::clone(&self.runtime))
    }

    /// A session over everything as it is.
    fn all(&self) -> Result<SessionContext> {
        let about = meta::tables(&self.manifest, &self.root, None);
        let made = catalog::made_providers(&self.manifest, &self.runtime, WORK)?;
        let system = self.system.iter().map(|table| (SYSTEM_SCHEMA.to_owned(), table.name.clone(), table.provider()));
        let all: Vec<catalog::Table> = self.viewed.iter().cloned().chain(about).chain(made).chain(system).collect();
        let catalog = catalog::build(&all)?;
        self.add_outside(&catalog, None)?;
        let context = SessionContext::new_with_state(self.session().build());
        context.register_catalog(CATALOG, catalog);
        Ok(context)
    }

    /// A session over what `access` shows.
    fn view(&self, access: &Arc<Access>) -> Result<SessionContext> {
        let about = meta::tables(&self.manifest, &self.root, Some(access));
        let made = match &access.work {
            Some(space) => catalog::made_providers(&self.manifest, &self.runtime, space)?,
            None => Vec::new(),
        };
        let tables = if access.is_all() { &self.viewed } else { &self.tables };
        let state = policy::session(self.session(), access, tables, &about, &made)?;
        if let Some(catalog) = state.catalog_list().catalog(CATALOG) {
            self.add_outside(&catalog, Some((&state, access)))?;
        }
        Ok(SessionContext::new_with_state(state))
    }

    /// The schema `outside`, where it has tables.
    fn add_outside(&self, catalog: &Arc<dyn CatalogProvider>, view: Option<(&SessionState, &Access)>) -> Result<()> {
        let tables = OutsideSchema::new(&self.manifest, self.root.clone(), Arc::clone(&self.checked), view)?;
        if tables.is_empty() {
            return Ok(());
        }
        let added = catalog.register_schema(OUTSIDE, Arc::new(tables));
        added.map(drop).map_err(Error::data("register the schema outside"))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("version", &self.version()).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The version with everything as it is.
    pub(super) fn of(base: Base, models: Option<Arc<dyn Models>>) -> Result<Self> {
        let (all, newest) = (Arc::new(base.all()?), Arc::clone(&base.manifest));
        Ok(Self { base: Arc::new(base), newest, context: Arc::clone(&all), all, access: None, models })
    }

    /// The number of the version.
    pub fn version(&self) -> u64 {
        self.base.manifest.version
    }

    /// What the version consists of.
    pub fn manifest(&self) -> &Pinned {
        &self.base.manifest
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
    pub(super) fn whole(&self) -> Self {
        Self { context: Arc::clone(&self.all), access: None, models: None, ..self.clone() }
    }

    fn point(&self, state: &SessionState, plan: &LogicalPlan) -> Option<Point> {
        let kept = Arc::clone(self.base.kept.as_ref()?);
        let source = Source { kept, root: self.base.root.clone(), manifest: Arc::clone(&self.base.manifest) };
        let raw = |schema: &str, table: &str| {
            let known = self.base.tables.iter().find(|(s, t, _)| s == schema && t == table);
            known.map(|(_, _, provider)| Arc::clone(provider))
        };
        Point::new(source, state, self.access.as_deref(), raw, plan)
    }

    /// The same version as `access` shows it. Fails with [`Error::Policy`] when an expression of the
    /// policy does not fit the tables.
    pub fn seen_by(&self, access: &Arc<Access>) -> Result<Self> {
        let make = |access: &Arc<Access>| self.base.view(access);
        let (access, context) = self.base.views.of(access, &self.newest, &self.base.manifest, make)?;
        Ok(Self { context, access: Some(access), ..self.clone() })
    }

    /// The schemas and their tables, in the order of their names: (schema, table, columns). The
    /// fields carry comment and unit where the warehouse knows them. What the user may not see is
    /// not among them.
    pub fn tables(&self) -> Vec<(String, String, SchemaRef)> {
        let made = self.made().into_iter().map(|(table, columns)| (WORK.to_owned(), table, columns));
        let Some(access) = &self.access else {
            // `system` and `work` are the last of the names.
            let kept = self.base.system.iter().map(of_system);
            return catalog::described(&self.base.manifest).into_iter().chain(kept).chain(made).collect();
        };
        let shown = catalog::described(&self.base.manifest).into_iter().filter_map(|(schema, table, columns)| {
            let columns = access.describe(&schema, &table, &columns)?;
            Some((schema, table, columns))
        });
        let mut found: Vec<_> = shown.chain(access.system.iter().map(of_system)).chain(made).collect();
        found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        found
    }

    /// The tables that the user has made. One whose columns cannot be read is told of where it is queried.
    fn made(&self) -> Vec<(String, SchemaRef)> {
        let space = self.access.as_ref().map_or(Some(WORK), |access| access.work.as_deref());
        space.and_then(|space| catalog::made(&self.base.manifest, space).ok()).unwrap_or_default()
    }

    /// The schemas that have a table which the user may see, in the order of their names.
    pub fn schemas(&self) -> Vec<String> {
        let mut found: Vec<String> = self.tables().into_iter().map(|(schema, _, _)| schema).collect();
        found.dedup();
        found
    }
}

fn of_system(table: &SystemTable) -> (String, String, SchemaRef) {
    (SYSTEM_SCHEMA.to_owned(), table.name.clone(), Arc::clone(&table.columns))
}
