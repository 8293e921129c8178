//! What goes in: what one user may see. What comes out: a catalogue that shows just that.
//!
//! A table with a policy is a provider of its own ([`guard`]). It plans `masks over row filter over
//! scan` by itself and hands on one closed node ([`scan`]): no rule of the optimizer can move
//! anything of the user's into it, and it tells no statistics. `docs/decisions/0009` has the reasons.

mod classes;
mod current;
mod expression;
mod guard;
mod masks;
mod nodes;
mod pushdown;
mod scan;
mod system;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;

pub use classes::{Clearance, classification};
pub(super) use classes::{held, named};
pub(super) use guard::{GuardedTable, Rows};
pub use masks::{Mask, MaskKey, partial_name};
pub(super) use nodes::{allowed, reads};
pub use system::SystemTable;
pub(super) use views::Views;

use super::catalog::Table;
use super::{EngineOptions, session_config};
use crate::store::About;
use crate::{CATALOG, COMMENTS, COURSE, Error, META, OUTSIDE, REJECTS, RISK, Result, SCHEMAS, WORK};

/// The schema of the tables that the server itself keeps.
pub const SYSTEM_SCHEMA: &str = "system";

/// What one user may see, under one version of the policy.
#[derive(Debug, Clone)]
pub struct Access {
    /// Names this content: two accesses with the same id show the same.
    pub id: String,
    /// The tables.
    pub rights: Rights,
    /// What the server itself keeps and the user may read, in the schema `system`.
    pub system: Vec<SystemTable>,
    /// The user's own schema `work`, by its name in the manifest; `None` where they may make no tables.
    pub work: Option<String>,
    /// (schema, table) of data that the user may change. Those who see everything may change everything.
    pub writes: BTreeSet<(String, String)>,
    /// What decides on columns whose classification the catalogue says, not the schema.
    pub clearance: Clearance,
}

/// Whether it is a table of the schema `meta` whose rows people write.
pub fn is_catalogue(schema: &str, table: &str) -> bool {
    schema == META && (About::of(table).is_some() || table == EDITS)
}

/// The table of the edits of the catalogue. Who may edit something may take edits of it back.
pub const EDITS: &str = "edits";

/// Whether it is a table whose rows people change: of data, of the course, of comments, or of the catalogue. Their own
/// ones in `work` have other rules.
pub(super) fn is_written(schema: &str, table: &str) -> bool {
    (SCHEMAS.contains(&schema) && table != REJECTS)
        || schema == COURSE
        || is_comments(schema, table)
        || is_catalogue(schema, table)
}

/// Whether it is the table of comments on scores, to which rows are added and whose rows stay.
pub fn is_comments(schema: &str, table: &str) -> bool {
    (schema, table) == (RISK, COMMENTS)
}

/// The name in the manifest of the schema `work` of a user. Of hexadecimal digits, because it names a directory.
pub fn work_space(user: &str) -> String {
    user.bytes().fold(format!("{WORK}-"), |name, byte| format!("{name}{byte:02x}"))
}

/// The rights of a user on the tables of the warehouse.
#[derive(Debug, Clone)]
pub enum Rights {
    /// Everything as it is.
    All,
    /// Only what is listed.
    Limited {
        /// (schema, table), and what of it can be seen. Whatever is not here does not exist.
        tables: BTreeMap<(String, String), TableAccess>,
        /// What `$name` in expressions of the policy stands for.
        attributes: BTreeMap<String, String>,
        /// The key of [`Mask::Hash`].
        key: MaskKey,
    },
}

/// What can be seen of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableAccess {
    /// An SQL expression over the columns as they are; rows for which it is not true do not exist.
    pub filter: Option<String>,
    /// How the columns are shown. One that is not here is shown as it is.
    pub columns: BTreeMap<String, Column>,
}

/// How a column is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// As it is.
    Show,
    /// Not at all: there is no such column.
    Hide,
    /// Changed.
    Mask(Mask),
}

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The schema that it is about.
    pub schema: String,
    /// The table that it is about.
    pub table: String,
    /// The column, or `None` for the row filter or the table as a whole.
    pub column: Option<String>,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl From<PolicyFault> for Error {
    fn from(fault: PolicyFault) -> Self {
        let PolicyFault { schema, table, column, reason } = fault;
        let column = column.map(|column| format!(".{column}")).unwrap_or_default();
        Self::Policy { place: format!("{schema}.{table}{column}"), reason }
    }
}

impl Access {
    /// Whether the user sees everything as it is.
    pub fn is_all(&self) -> bool {
        matches!(self.rights, Rights::All)
    }

    /// Whether the user can see the table at all. What is said about tables everyone sees, each of their own.
    pub fn sees(&self, schema: &str, table: &str) -> bool {
        match &self.rights {
            Rights::All => true,
            Rights::Limited { .. } if schema == META => true,
            Rights::Limited { tables, .. } => tables.contains_key(&(schema.to_owned(), table.to_owned())),
        }
    }

    /// Whether the user sees all rows of a table, and these columns of them as they are.
    pub fn sees_whole<S: AsRef<str>>(&self, schema: &str, table: &str, columns: &[S]) -> bool {
        let Rights::Limited { tables, .. } = &self.rights else { return true };
        let shown = |access: &TableAccess| {
            let as_it_is = |name: &S| matches!(access.columns.get(name.as_ref()), None | Some(Column::Show));
            access.filter.is_none() && columns.iter().all(as_it_is)
        };
        tables.get(&(schema.to_owned(), table.to_owned())).is_some_and(shown)
    }

    /// Whether the user may change rows of a table of data or of the course, add comments, or edit the catalogue.
    pub fn may_write(&self, schema: &str, table: &str) -> bool {
        let listed = match (schema, table) {
            (META, EDITS) => self.writes.iter().any(|(schema, _)| schema == META),
            _ => self.writes.contains(&(schema.to_owned(), table.to_owned())),
        };
        is_written(schema, table) && (self.is_all() || listed)
    }

    /// Everything that is wrong with the expressions: names, types, functions. Reads no data.
    pub fn check(&self) -> Vec<PolicyFault> {
        let Rights::Limited { tables, attributes, key } = &self.rights else { return Vec::new() };
        let state = SessionStateBuilder::new()
            .with_config(session_config(&EngineOptions::default()))
            .with_default_features()
            .build();
        let mut faults = Vec::new();
        // Which tables lie outside, and with what columns, is known when one is read.
        for ((schema, table), access) in tables.iter().filter(|((schema, _), _)| schema != OUTSIDE) {
            let known = super::catalog::columns(schema, table);
            let Some(columns) = known else {
                let reason = "there is no such table".to_owned();
                faults.push(PolicyFault { schema: schema.clone(), table: table.clone(), column: None, reason });
                continue;
            };
            let empty = Arc::new(EmptyTable::new(columns));
            let place = (schema.as_str(), table.as_str());
            let built = GuardedTable::new(&state, place, empty, access, attributes, key);
            faults.extend(built.and_then(|guarded| guarded.check(&state, place)).err());
        }
        faults
    }

    /// (schema, tables) that the user sees, in the order of the names.
    pub(super) fn names(&self) -> Vec<(String, Vec<String>)> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (schema, table, _) in super::catalog::tables() {
            if self.sees(&schema, &table) {
                found.entry(schema).or_default().push(table);
            }
        }
        match &self.rights {
            Rights::All => drop(found.entry(OUTSIDE.to_owned()).or_default()),
            Rights::Limited { tables, .. } => {
                for (schema, table) in tables.keys().filter(|(schema, _)| schema == OUTSIDE) {
                    found.entry(schema.clone()).or_default().push(table.clone());
                }
            }
        }
        if self.work.is_some() {
            found.entry(WORK.to_owned()).or_default();
        }
        for table in &self.system {
            found.entry(SYSTEM_SCHEMA.to_owned()).or_default().push(table.name.clone());
        }
        found.into_iter().collect()
    }

    /// The catalogue that the user sees, made of the `raw` tables.
    pub(super) fn catalog(
        &self,
        state: &SessionState,
        raw: &[Table],
        about: &[Table],
        made: &[Table],
    ) -> Result<Arc<dyn CatalogProvider>> {
        let failed = "register the tables that the policy shows";
        let catalog = MemoryCatalogProvider::new();
        let mut schemas: BTreeMap<&str, MemorySchemaProvider> = BTreeMap::new();
        for (schema, name, provider) in raw {
            let shown = match &self.rights {
                Rights::All => Arc::clone(provider),
                Rights::Limited { tables, attributes, key } => {
                    let Some(access) = tables.get(&(schema.clone(), name.clone())) else { continue };
                    let place = (schema.as_str(), name.as_str());
                    let raw = Arc::clone(provider);
                    let guarded = GuardedTable::new(state, place, raw, access, attributes, key);
                    Arc::new(guarded.map_err(Error::from)?)
                }
            };
            let tables = schemas.entry(schema).or_default();
            tables.register_table(name.clone(), shown).map_err(Error::data(failed))?;
        }
        for (schema, name, provider) in about {
            let tables = schemas.entry(schema).or_default();
            tables.register_table(name.clone(), Arc::clone(provider)).map_err(Error::data(failed))?;
        }
        for (schema, name, provider) in made {
            let shown = match &self.rights {
                Rights::All => Arc::clone(provider),
                // The user's own, as it is; in the same closed node as all that is read.
                Rights::Limited { attributes, key, .. } => {
                    let (place, all) = ((schema.as_str(), name.as_str()), TableAccess::default());
                    let guarded = GuardedTable::new(state, place, Arc::clone(provider), &all, attributes, key);
                    Arc::new(guarded.map_err(Error::from)?)
                }
            };
            let tables = schemas.entry(schema).or_default();
            tables.register_table(name.clone(), shown).map_err(Error::data(failed))?;
        }
        for table in &self.system {
            let tables = schemas.entry(SYSTEM_SCHEMA).or_default();
            tables.register_table(table.name.clone(), table.provider()).map_err(Error::data(failed))?;
        }
        for (schema, tables) in schemas {
            catalog.register_schema(schema, Arc::new(tables)).map_err(Error::data(failed))?;
        }
        Ok(Arc::new(catalog))
    }

    /// Whether there may be rows of the table that the user does not see.
    pub(super) fn hides_rows(&self, schema: &str, table: &str) -> bool {
        let Rights::Limited { tables, .. } = &self.rights else { return false };
        if schema == WORK {
            return false;
        }
        tables.get(&(schema.to_owned(), table.to_owned())).is_none_or(|access| access.filter.is_some())
    }

    /// The described columns of a table as the user sees them.
    pub(super) fn describe(&self, schema: &str, table: &str, columns: &SchemaRef) -> Option<SchemaRef> {
        let Rights::Limited { tables, .. } = &self.rights else { return Some(Arc::clone(columns)) };
        if schema == META || schema == WORK {
            return Some(Arc::clone(columns));
        }
        let access = tables.get(&(schema.to_owned(), table.to_owned()))?;
        let fields = columns.fields().iter().filter_map(|field| match access.columns.get(field.name()) {
            None | Some(Column::Show) => Some(field.as_ref().clone()),
            Some(Column::Hide) => None,
            Some(Column::Mask(_)) => Some(field.as_ref().clone().with_nullable(true)),
        });
        let fields: Vec<Field> = fields.collect();
        Some(Arc::new(Schema::new_with_metadata(fields, columns.metadata().clone())))
    }
}

/// A session whose catalogue is what `access` shows of the `raw` tables, and all of those `about` them and of those
/// that the user has `made`, which were prepared for it.
pub(super) fn session(
    base: SessionStateBuilder,
    access: &Access,
    raw: &[Table],
    about: &[Table],
    made: &[Table],
) -> Result<SessionState> {
    // Table functions can read what is no table; nobody needs them to query one.
    let base = if access.is_all() { base } else { base.with_table_functions(Default::default()) };
    let state = base.build();
    let catalog = access.catalog(&state, raw, about, made)?;
    state.catalog_list().register_catalog(CATALOG.to_owned(), catalog);
    Ok(state)
}
