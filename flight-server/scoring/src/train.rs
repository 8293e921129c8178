//! What goes in: a definition, a day, and what was known before it. What comes out: a registered model with its file.
//!
//! The same SQL makes the rows of the training and those of a day to be scored: each day of the training is seen as it
//! was on that day.

use arrow::array::RecordBatch;
use chrono::{Days, NaiveDate};
use haetae_models::{LightGbm, LightGbmParams, ModelCard, ModelFile, metrics};
use haetae_warehouse::query::Snapshot;

use crate::clearance::{About, reference};
use crate::definition::Kind;
use crate::registry::{act, base, data_version, models, version};
use crate::rows::{Rows, count, days, maybe_number, text, whole};
use crate::{By, Definition, Error, Result, Warehouse, encode, model_file, read, sql, taxpayer};

/// Threads of a fit: fixed, because sums of another number of threads differ in their last bits.
const THREADS: usize = 2;
/// Days of the training's end whose items, labelled or not, are what drift is measured against.
const REFERENCE_DAYS: u64 = 7;
/// One of so many days is held back to judge by, the last ones.
const HELD_BACK: usize = 5;

/// What became of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model's name.
    pub model: String,
    /// Whether the same model had been registered before; nothing was written then.
    pub repeated: bool,
    /// Rows with a label.
    pub rows: usize,
    /// Of these, with fraud.
    pub positives: usize,
    /// AUC and KS on rows that were held back, where they have both labels.
    pub judged: Option<(f64, f64)>,
    /// The version of the warehouse that has it.
    pub version: u64,
}

/// A fitted model before it has a name.
pub(crate) struct Fitted {
    pub(crate) bytes: Vec<u8>,
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    pub(crate) rows: usize,
    pub(crate) positives: usize,
    pub(crate) judged: Option<(f64, f64)>,
}

/// Trains by a definition on what was known before `as_of`, and registers the model. It is not the champion until it is
/// promoted.
///
/// # Errors
/// When the SQL fails, or there is too little to learn from.
pub async fn train(warehouse: Warehouse<'_>, definition: &Definition, as_of: NaiveDate, by: &By) -> Result<Trained> {
    let mut transaction = warehouse.store.begin()?;
    let snapshot = base(warehouse, &transaction)?;
    let fitted = match definition.kind {
        Kind::Clearance => fit(&snapshot, definition, as_of).await?,
        Kind::Taxpayer => taxpayer::fit(&snapshot, definition, as_of).await?,
    };
    let all = models(&snapshot, Some(&definition.name)).await?;
    let sha256 = model_file::write(warehouse.store, &fitted.bytes)?;
    let Fitted { rows, positives, judged, .. } = fitted;
    if let Some(before) = all.iter().find(|one| one.file_sha256 == sha256) {
        let (model, version) = (before.model.clone(), snapshot.version());
        return Ok(Trained { model, repeated: true, rows, positives, judged, version });
    }
    let model = format!("{}-{}", definition.name, all.len() + 1);
    let features = definition.features.keys().cloned().collect::<Vec<_>>().join(",");
    let mut written = Rows::default();
    written.add(
        "models",
        vec![
            text([&model]),
            text([definition.kind.name()]),
            text([&definition.name]),
            text([definition.sha256()]),
            text([&definition.schema]),
            days(as_of, 1),
            days(fitted.first, 1),
            days(fitted.last, 1),
            whole([i64::try_from(data_version(&snapshot, &definition.schema)).unwrap_or(i64::MAX)]),
            whole([count(rows)]),
            whole([count(positives)]),
            maybe_number([judged.map(|(auc, _)| auc)]),
            maybe_number([judged.map(|(_, ks)| ks)]),
            text([features]),
            text([&sha256]),
        ],
    )?;
    act(&mut written, &model, &definition.name, "registered", by);
    written.put(&mut transaction)?;
    let version = version(&transaction.commit()?);
    Ok(Trained { model, repeated: false, rows, positives, judged, version })
}

fn params(definition: &Definition) -> LightGbmParams {
    let train = &definition.train;
    LightGbm::params()
        .trees(train.trees)
        .leaves(train.leaves)
        .learning_rate(train.learning_rate)
        .min_rows_in_leaf(train.min_rows)
        .seed(train.seed)
        .threads(THREADS)
        .increasing(&train.increasing)
}

/// A day and its labelled rows.
type Labelled = (NaiveDate, RecordBatch);

async fn fit(snapshot: &Snapshot, definition: &Definition, as_of: NaiveDate) -> Result<Fitted> {
    params(definition).check()?;
    let last = sql::known_on(definition, as_of);
    let first = last.checked_sub_days(Days::new(u64::from(definition.train.days) - 1)).unwrap_or(last);
    let mut days: Vec<Labelled> = Vec::new();
    let every = usize::try_from(definition.train.every).unwrap_or(1);
    for day in first.iter_days().take_while(|day| *day <= last).step_by(every) {
        let batch = read::defined(snapshot, definition, &sql::labelled(definition, day, as_of)).await;
        let batch = batch.map_err(|source| Error::Sql { day, source })?;
        if batch.num_rows() > 0 {
            days.push((day, batch));
        }
    }
    if days.is_empty() {
        return Err(Error::Training {
            reason: format!(
                "no item declared from {first} to {last} has a result that was known before {as_of}; take a later day, more \
                 days or a shorter delay"
            ),
        });
    }
    let batches = |days: &[Labelled]| days.iter().map(|(_, batch)| batch.clone()).collect::<Vec<_>>();
    let all = batches(&days);
    let features = encode::fit(definition, &all)?;
    let (matrix, target) = (encode::matrix(&features, &all)?, labels(&all)?);
    let positives = target.iter().filter(|label| **label > 0.0).count();
    if positives == 0 || positives == target.len() {
        return Err(Error::Training {
            reason: format!("of {} labelled items {positives} are fraud; both kinds are needed", target.len()),
        });
    }
    let held = days.len() - days.len() / HELD_BACK;
    let (before, after) = days.split_at(held);
    let judged = judge(definition, &batches(before), &batches(after))?;
    let trees = params(definition).fit(&matrix, &target)?;

    let mut recent = Vec::new();
    let since = last.checked_sub_days(Days::new(REFERENCE_DAYS - 1)).unwrap_or(last);
    for day in since.iter_days().take_while(|day| *day <= last) {
        let batch = read::defined(snapshot, definition, &sql::rows(definition, day, &[], sql::ITEM_KEY)).await;
        recent.push(batch.map_err(|source| Error::Sql { day, source })?);
    }
    recent.retain(|batch| batch.num_rows() > 0);
    let recent = encode::matrix(&features, if recent.is_empty() { &all } else { &recent })?;
    let reference = reference(&features, &recent, &trees.predict(&recent)?);
    let card = ModelCard::new()
        .trained_on(&format!(
            "{}, {first} to {last}, version {}",
            definition.schema,
            data_version(snapshot, &definition.schema)
        ))
        .metric("auc", judged.map_or(f64::NAN, |(auc, _)| auc));
    let about = About { schema: definition.schema.clone(), features, reference };
    let bytes = model_file::pack(definition.kind.name(), &about, &trees.to_bytes(&card))?;
    let (first, last) = (days[0].0, days[days.len() - 1].0);
    Ok(Fitted { bytes, first, last, rows: target.len(), positives, judged })
}

fn labels(batches: &[RecordBatch]) -> Result<Vec<f64>> {
    let labels = batches.iter().map(|batch| read::all_numbers(batch, "label:fraud")).collect::<Result<Vec<_>>>()?;
    Ok(labels.concat())
}

/// AUC and KS of a fit on earlier days over later ones.
fn judge(definition: &Definition, before: &[RecordBatch], after: &[RecordBatch]) -> Result<Option<(f64, f64)>> {
    let both = |target: &[f64]| target.contains(&0.0) && target.contains(&1.0);
    let (target, truth) = (labels(before)?, labels(after)?);
    if !both(&target) || !both(&truth) {
        return Ok(None);
    }
    let features = encode::fit(definition, before)?;
    let trees = params(definition).fit(&encode::matrix(&features, before)?, &target)?;
    let scores = trees.predict(&encode::matrix(&features, after)?)?;
    Ok(Some((metrics::auc(&truth, &scores)?, metrics::ks(&truth, &scores)?)))
}
