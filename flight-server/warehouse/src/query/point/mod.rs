//! What goes in: a statement that looks rows up by the value of an identifier, and its values. What comes out: the rows,
//! without planning.
//!
//! What is asked for again and again, with another identifier each time, need not be planned each time: the columns, and
//! what the policy makes of them, are worked out once. Whatever is not certain here is left to the query engine, and so
//! is each failure, so that its messages are the engine's.

mod file;
mod kept;
mod ready;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;

use self::file::{Opened, Wanted, few};
use self::shape::{Shape, Value, comparable};
use super::policy::{self, Access, GuardedTable, Rows};
use crate::QUALITY;
use crate::store::{BLOOM, Pinned};
use crate::{RISK, SCHEMAS};

pub(super) use kept::Kept;
pub(super) use ready::Ready;

/// More row groups than this are not looked into one by one.
const GROUPS: usize = 4;

/// Of more row groups than this the bloom filters are not asked.
const CANDIDATES: usize = 64;

/// More files than this are not looked into one by one: compaction makes them fewer.
const FILES: usize = 256;

/// A statement that looks rows up, ready to be run.
pub(super) struct Point {
    kept: Arc<Kept>,
    root: PathBuf,
    manifest: Arc<Pinned>,
    /// Schema and table.
    place: (String, String),
    /// The columns as the files have them.
    columns: SchemaRef,
    conditions: Vec<(usize, Value)>,
    /// Which of the conditions is on an identifier.
    key: usize,
    rows: Rows,
    /// What the statement reads, as an audit has it.
    pub(super) reads: BTreeMap<String, BTreeSet<String>>,
}

/// What is needed to look rows up in a version.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) kept: Arc<Kept>,
    pub(super) root: PathBuf,
    pub(super) manifest: Arc<Pinned>,
}

enum Found {
    Rows(Vec<RecordBatch>),
    /// They are not in memory.
    Unread,
    /// In too many places.
    Scattered,
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Point").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Point {
    /// `None` where the plan does more, or where what is shown depends on more than the row.
    pub(super) fn new(
        source: Source,
        state: &SessionState,
        access: Option<&Access>,
        raw: impl Fn(&str, &str) -> Option<Arc<dyn TableProvider>>,
        plan: &LogicalPlan,
    ) -> Option<Self> {
        let shape = Shape::of(plan)?;
        let place = (shape.schema, shape.table);
        let stored = SCHEMAS.contains(&place.0.as_str()) || [QUALITY, RISK].contains(&place.0.as_str());
        let few = source.manifest.files(&place.0, &place.1).len() <= FILES;
        let raw = raw(&place.0, &place.1).filter(|_| stored && few)?;
        let restricted = access.is_some_and(|access| !access.is_all());
        let guard = shape.provider.downcast_ref::<GuardedTable>();
        let (conditions, rows) = match guard {
            Some(guard) => guard.rows(state, shape.conditions, &shape.shown)?,
            None if restricted => return None,
            None => (shape.conditions, Rows::plain(&raw.schema(), &shape.shown)),
        };
        let columns = raw.schema();
        let kind = |column: usize| columns.fields().get(column).map(|field| field.data_type());
        if !conditions.iter().all(|(column, _)| kind(*column).is_some_and(comparable)) {
            return None;
        }
        let identifies = |column: usize| {
            let text = kind(column) == Some(&DataType::Utf8);
            text && (column == 0 || BLOOM.contains(&columns.field(column).name().as_str()))
        };
        let key = conditions.iter().position(|(column, _)| identifies(*column))?;
        let reads = policy::reads(&state.optimize(plan).ok()?);
        let Source { kept, root, manifest } = source;
        Some(Self { kept, root, manifest, place, columns, conditions, key, rows, reads })
    }

    /// What each column must be equal to. `None` where values are missing or of other types.
    fn wanted(&self, values: Option<&RecordBatch>, row: Option<usize>) -> Option<Vec<Wanted>> {
        let wanted = self.conditions.iter().map(|(column, value)| {
            let kind = self.columns.fields().get(*column)?.data_type();
            value.wanted(*column, kind, values, row?)
        });
        wanted.collect()
    }

    /// Whether the values are such that rows can be looked up by them.
    pub(super) fn fits(&self, values: Option<&RecordBatch>, row: Option<usize>) -> bool {
        self.wanted(values, row).is_some()
    }

    /// The rows, as the statement shows them; `None` where the engine has to look for them.
    pub(super) async fn look_up(
        self: &Arc<Self>,
        values: Option<&RecordBatch>,
        row: Option<usize>,
    ) -> Option<RecordBatch> {
        let wanted = self.wanted(values, row)?;
        let found = match self.find(&wanted, false) {
            Ok(Found::Unread) => {
                let point = Arc::clone(self);
                let read = SpawnedTask::spawn_blocking(move || point.find(&wanted, true));
                read.join().await.ok()?.ok()?
            }
            found => found.ok()?,
        };
        let Found::Rows(rows) = found else { return None };
        let shown = self.rows.show(&concat_batches(&self.columns, &rows).ok()?).ok()?;
        self.kept.answer();
        Some(shown)
    }

    fn find(&self, wanted: &[Wanted], may_read: bool) -> parquet::errors::Result<Found> {
        let Some(key) = wanted.get(self.key) else { return Ok(Found::Scattered) };
        let mut candidates: Vec<(u64, Arc<Opened>, usize)> = Vec::new();
        for file in self.manifest.files(&self.place.0, &self.place.1) {
            let Some((number, opened)) = self.kept.file(&self.root, &file.path, &self.columns, may_read)? else {
                return Ok(Found::Unread);
            };
            let groups = opened.groups(wanted);
            if candidates.len() + groups.len() > CANDIDATES {
                return Ok(Found::Scattered);
            }
            candidates.extend(groups.into_iter().map(|group| (number, Arc::clone(&opened), group)));
        }
        let mut places = Vec::with_capacity(GROUPS);
        for (number, opened, group) in candidates {
            match opened.may_have(group, key, may_read)? {
                None => return Ok(Found::Unread),
                Some(false) => {}
                Some(true) if places.len() == GROUPS => return Ok(Found::Scattered),
                Some(true) => places.push((number, opened, group)),
            }
        }
        let mut rows: Vec<RecordBatch> = Vec::with_capacity(places.len());
        for (number, opened, group) in places {
            let place = (number, group);
            rows.push(match self.kept.group(place) {
                Some(group) => group.find(&self.columns, wanted, key)?,
                None if !may_read => return Ok(Found::Unread),
                None => self.kept.read(place, &opened, wanted, key)?,
            });
        }
        few(rows.iter().map(RecordBatch::num_rows).sum())?;
        Ok(Found::Rows(rows))
    }
}

impl Rows {
    /// The rows that the policy shows, and the columns that the statement does.
    fn show(&self, rows: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let seen = match &self.filter {
            None => rows.clone(),
            Some(filter) => {
                let chosen = filter.evaluate(rows)?.into_array(rows.num_rows())?;
                let chosen = chosen.as_boolean_opt();
                let failed = || DataFusionError::Internal("the filter of a policy is no condition".to_owned());
                filter_record_batch(rows, chosen.ok_or_else(failed)?)?
            }
        };
        let shown = |column: &Arc<dyn datafusion::physical_plan::PhysicalExpr>| {
            column.evaluate(&seen)?.into_array(seen.num_rows())
        };
        let columns = self.columns.iter().map(shown).collect::<Result<Vec<_>, DataFusionError>>()?;
        let count = arrow::array::RecordBatchOptions::new().with_row_count(Some(seen.num_rows()));
        let fields = self.schema.fields().iter().zip(&columns);
        let fields = fields.map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &count)?)
    }
}
