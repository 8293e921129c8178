//! What goes in: the register of a version of the warehouse, and rows of features that somebody gives. What comes out:
//! what a registered model says of them, for functions of SQL.
//!
//! The register is read once for each version, a file once for each model: a statement finds both ready.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use futures::future::BoxFuture;
use haetae_risk::TaxpayerModel;
use haetae_warehouse::query::{Model, Models, Named, Output, Scored, Snapshot};
use haetae_warehouse::store::Store;

use crate::clearance::Clearance;
use crate::{Definition, Error, Registered, Result, encode, models, read, taxpayer};

/// How many models stay ready.
const KEPT: usize = 16;

/// How many versions a statement names before it reads the runs instead.
const NAMED: usize = 50;

/// The registered models of a warehouse.
pub struct Served {
    store: Store,
    /// Of the version that was asked last.
    register: Mutex<Option<(u64, Vec<Named>)>>,
    /// By the sum of the file.
    ready: Mutex<BTreeMap<String, Arc<dyn Model>>>,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served").finish_non_exhaustive()
    }
}

/// What is locked is whole after each change.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Served {
    /// Those of the warehouse of `store`.
    pub fn new(store: Store) -> Self {
        Self { store, register: Mutex::new(None), ready: Mutex::new(BTreeMap::new()) }
    }

    fn open(&self, named: &Named) -> Result<Arc<dyn Model>> {
        Ok(if named.kind == Scored::Clearance.name() {
            let clearance = Clearance::open(&self.store, &named.model, &named.file_sha256)?;
            let features = clearance.about.features.iter().map(|feature| feature.name.clone()).collect();
            Arc::new(Items { features, clearance })
        } else {
            let (definition, model) = taxpayer::open(&self.store, &named.model, &named.file_sha256)?;
            let factors = definition.factors.iter().map(|factor| factor.name.clone());
            let features = definition.features.keys().cloned().chain(factors).collect();
            Arc::new(Companies { features, definition, model })
        })
    }
}

fn named(one: Registered, runs: &Runs) -> Named {
    let Registered { model, kind, definition, file_sha256, champion, .. } = one;
    let versions = runs.of.get(&definition).map_or_else(|| Some(Vec::new()), Ran::alone);
    Named { model, definition, kind, file_sha256, champion, versions }
}

/// Which versions have scored what, by definition.
struct Runs {
    of: BTreeMap<String, Ran>,
}

#[derive(Default)]
struct Ran {
    /// By their first run.
    champions: Vec<String>,
    challengers: BTreeSet<String>,
    by_day: BTreeMap<String, String>,
    twice: bool,
}

impl Runs {
    async fn read(snapshot: &Snapshot) -> Result<Self> {
        let sql = "select definition, version, role, day from risk.runs order by run_id";
        let batch = read::rows(snapshot, sql).await?;
        let text = |name: &str| read::all_texts(&batch, name);
        let (definitions, versions, roles, days) = (text("definition")?, text("version")?, text("role")?, text("day")?);
        let mut of: BTreeMap<String, Ran> = BTreeMap::new();
        for (((definition, version), role), day) in definitions.into_iter().zip(versions).zip(roles).zip(days) {
            let ran = of.entry(definition).or_default();
            if role != "champion" {
                ran.challengers.insert(version);
                continue;
            }
            if !ran.champions.contains(&version) {
                ran.champions.push(version.clone());
            }
            ran.twice |= ran.by_day.insert(day, version.clone()).is_some_and(|other| other != version);
        }
        Ok(Self { of })
    }
}

impl Ran {
    /// The champions' versions, where they alone say which score is meant.
    fn alone(&self) -> Option<Vec<String>> {
        let mixed = self.champions.iter().any(|version| self.challengers.contains(version));
        (!self.twice && !mixed && self.champions.len() <= NAMED).then(|| self.champions.clone())
    }
}

impl Models for Served {
    fn registered<'a>(&'a self, snapshot: &'a Snapshot) -> BoxFuture<'a, Result<Vec<Named>, String>> {
        Box::pin(async move {
            let version = snapshot.version();
            if let Some((_, all)) = locked(&self.register).as_ref().filter(|(known, _)| *known == version) {
                return Ok(all.clone());
            }
            let all = models(snapshot, None).await.map_err(|error| error.to_string())?;
            let runs = Runs::read(snapshot).await.map_err(|error| error.to_string())?;
            let all: Vec<Named> = all.into_iter().map(|one| named(one, &runs)).collect();
            *locked(&self.register) = Some((version, all.clone()));
            Ok(all)
        })
    }

    fn load(&self, named: &Named) -> Result<Arc<dyn Model>, String> {
        let mut ready = locked(&self.ready);
        if let Some(model) = ready.get(&named.file_sha256) {
            return Ok(Arc::clone(model));
        }
        // Still locked: who comes meanwhile waits for the file instead of reading it too.
        let model = self.open(named).map_err(|error| told(named, &error))?;
        if ready.len() >= KEPT {
            ready.clear();
        }
        ready.insert(named.file_sha256.clone(), Arc::clone(&model));
        Ok(model)
    }
}

/// Paths of the server are for whoever runs it.
fn told(named: &Named, error: &Error) -> String {
    match error {
        Error::File { .. } => {
            format!("the file of the model {} cannot be used; ask whoever runs the server", named.model)
        }
        other => other.to_string(),
    }
}

/// What is wrong with a value that somebody has given.
fn wrong(error: Error) -> String {
    match error {
        Error::Column { column, expected, found } => {
            format!("the feature {column}: expected {expected}, found {found}")
        }
        other => other.to_string(),
    }
}

#[derive(Debug)]
struct Items {
    features: Vec<String>,
    clearance: Clearance,
}

impl Model for Items {
    fn features(&self) -> &[String] {
        &self.features
    }

    fn call(&self, output: Output, rows: &RecordBatch) -> Result<ArrayRef, String> {
        if output != Output::Probability {
            return Err("a clearance model gives a probability alone".to_owned());
        }
        let matrix = encode::matrix(&self.clearance.about.features, std::slice::from_ref(rows)).map_err(wrong)?;
        let said = self.clearance.trees.predict(&matrix).map_err(|error| error.to_string())?;
        Ok(Arc::new(Float64Array::from(said)))
    }
}

#[derive(Debug)]
struct Companies {
    features: Vec<String>,
    /// As far as the file has it.
    definition: Definition,
    model: TaxpayerModel,
}

impl Companies {
    /// The rows with factors under the names that a fit knows them by; null is no.
    fn rows(&self, given: &RecordBatch) -> Result<RecordBatch> {
        let mut fields: Vec<Field> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for name in self.definition.features.keys() {
            let (place, field) = given.schema_ref().column_with_name(name).ok_or_else(|| absent(name))?;
            fields.push(field.clone());
            columns.push(Arc::clone(given.column(place)));
        }
        for (place, factor) in self.definition.factors.iter().enumerate() {
            let flags = read::flags(given, &factor.name)?;
            let flags = BooleanArray::from(flags);
            fields.push(Field::new(format!("rule:{place}"), arrow::datatypes::DataType::Boolean, true));
            columns.push(Arc::new(flags));
        }
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }

    fn said(&self, output: Output, given: &RecordBatch) -> Result<ArrayRef> {
        let scored = self.model.score(&taxpayer::framed(&self.definition, &self.rows(given)?)?)?;
        Ok(match output {
            Output::Probability => Arc::new(scored.column("probability")?.f64()?.iter().collect::<Float64Array>()),
            Output::Points => Arc::new(scored.column("score")?.i64()?.iter().collect::<Int64Array>()),
            Output::Grade => Arc::new(scored.column("grade")?.str()?.iter().collect::<StringArray>()),
        })
    }
}

fn absent(name: &str) -> Error {
    Error::Column { column: name.to_owned(), expected: "a value".to_owned(), found: "no such column".to_owned() }
}

impl Model for Companies {
    fn features(&self) -> &[String] {
        &self.features
    }

    fn call(&self, output: Output, rows: &RecordBatch) -> Result<ArrayRef, String> {
        self.said(output, rows).map_err(wrong)
    }
}
