//! What goes in: what a version knows of tables outside of the warehouse. What comes out: the schema `outside`.
//!
//! A statement asks for each of its tables once, and gets one that keeps the state that it has found when it is read
//! first: whoever joins a table with itself reads one state of it. `"name@3"` is version 3 of a Delta Lake table.

mod checked;
mod provider;
mod prune;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::{DataFusionError, Result as DataResult};
use datafusion::execution::SessionState;

pub(super) use checked::Checked;
use provider::{OutsideProvider, Unusable};

use super::policy::{Access, GuardedTable, Rights, TableAccess};
use crate::ingest::made_schema;
use crate::store::{Manifest, OutsideKind, OutsideTable};
use crate::{OUTSIDE, Result};

/// The tables that a user sees, as statements find them.
pub(super) struct OutsideSchema {
    root: PathBuf,
    checked: Arc<Checked>,
    tables: BTreeMap<String, Shown>,
}

struct Shown {
    table: Arc<OutsideTable>,
    columns: SchemaRef,
    /// What the policy shows of it; `None` shows it as it is, an error says why it cannot be shown.
    guard: Option<Result<GuardedTable, String>>,
}

impl std::fmt::Debug for OutsideSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideSchema").field("tables", &self.tables.keys()).finish_non_exhaustive()
    }
}

impl OutsideSchema {
    /// Those of a version that `access` shows; `None` sees everything.
    pub(super) fn new(
        manifest: &Manifest,
        root: PathBuf,
        checked: Arc<Checked>,
        view: Option<(&SessionState, &Access)>,
    ) -> Result<Self> {
        let mut tables = BTreeMap::new();
        for (name, table) in &manifest.outside {
            let columns = made_schema(&table.columns)?;
            let guard = match view {
                Some((state, access)) => match guard(state, access, name, &columns) {
                    Some(guard) => guard,
                    None => continue,
                },
                None => None,
            };
            // A table that is closed has no columns but those that are shown elsewhere too.
            let columns = match (&guard, view) {
                (Some(Err(_)), Some((_, access))) => match access.describe(OUTSIDE, name, &columns) {
                    Some(described) => described,
                    None => continue,
                },
                _ => columns,
            };
            tables.insert(name.clone(), Shown { table: Arc::new(table.clone()), columns, guard });
        }
        Ok(Self { root, checked, tables })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The table of a name, and the version that it asks for.
    fn find(&self, name: &str) -> Option<(&Shown, Option<u64>)> {
        if let Some(shown) = self.tables.get(name) {
            return Some((shown, None));
        }
        let (name, version) = name.rsplit_once('@')?;
        let shown = self.tables.get(name).filter(|shown| shown.table.kind == OutsideKind::Delta)?;
        Some((shown, Some(version.parse().ok()?)))
    }
}

/// The outer `None` is for a table that the user does not see.
fn guard(
    state: &SessionState,
    access: &Access,
    name: &str,
    columns: &SchemaRef,
) -> Option<Option<Result<GuardedTable, String>>> {
    let Rights::Limited { tables, attributes, key } = &access.rights else { return Some(None) };
    let shown: &TableAccess = tables.get(&(OUTSIDE.to_owned(), name.to_owned()))?;
    let raw = Arc::new(EmptyTable::new(Arc::clone(columns)));
    let guarded = GuardedTable::new(state, (OUTSIDE, name), raw, shown, attributes, key);
    // Its expressions were not checked with the policy: the table may have come later.
    let checked = guarded.and_then(|guarded| guarded.check(state, (OUTSIDE, name)).map(|()| guarded));
    Some(Some(checked.map_err(|fault| {
        let error = crate::Error::from(fault);
        // For whoever runs the server: users are told no more than that the table cannot be read.
        eprintln!("{error}");
        error.to_string()
    })))
}

#[async_trait]
impl SchemaProvider for OutsideSchema {
    fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> DataResult<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some((shown, version)) = self.find(name) else { return Ok(None) };
        let raw: Arc<dyn TableProvider> = Arc::new(OutsideProvider::new(
            name,
            Arc::clone(&shown.table),
            Arc::clone(&shown.columns),
            self.root.clone(),
            version,
            Arc::clone(&self.checked),
        ));
        Ok(Some(match &shown.guard {
            None => raw,
            Some(Ok(guard)) => Arc::new(guard.over(name, raw)),
            // In the same closed node, so that it is planned; it says nothing of the policy.
            Some(Err(_)) => {
                let columns = Arc::clone(&shown.columns);
                Arc::new(GuardedTable::closed(name, Arc::new(Unusable::new(columns, "its policy does not fit it"))))
            }
        }))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}
