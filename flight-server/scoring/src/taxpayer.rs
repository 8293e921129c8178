//! What goes in: a taxpayer definition and what was known before a day. What comes out: scores and grades of companies.
//!
//! The file of a taxpayer model holds the rows that it was fitted on. A scorecard is fitted on them again when it is
//! loaded, and must give the points that it had when it was registered.

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use chrono::{Days, NaiveDate};
use haetae_models::metrics;
use haetae_risk::{Binning, Factor, Scorecard, Taxpayer, TaxpayerModel, Unseen};
use haetae_warehouse::query::Snapshot;
use haetae_warehouse::store::{Store, Transaction};
use polars::frame::DataFrame;
use polars::prelude::{Column, col};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

use crate::clearance::fits;
use crate::digest::hex;
use crate::rows::{Rows, days, maybe_text, number, same, small, text, whole};
use crate::score::{Outcome, Work, run_row};
use crate::train::Fitted;
use crate::{Definition, Error, Registered, Result, Warehouse, log, model_file, read, sql};

const BAD: &str = "bad";
const KIND: &str = "taxpayer";
/// Reasons of a score.
const REASONS: usize = 3;
/// One of so many companies is held back to judge by.
const HELD_BACK: usize = 5;

/// What the file says before its rows.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    schema: String,
    /// Feature, its words, and whether it is one of categories.
    features: Vec<(String, String, bool)>,
    /// Name and points of each factor.
    factors: Vec<(String, i64)>,
    seed: u32,
    /// SHA-256 of the scores of the rows.
    scores_sha256: String,
}

fn features(definition: &Definition) -> Vec<(String, String, bool)> {
    let one = |(name, words): (&String, &String)| (name.clone(), words.clone(), definition.categories.contains(name));
    definition.features.iter().map(one).collect()
}

fn conditions(definition: &Definition) -> Vec<&str> {
    definition.factors.iter().map(|factor| factor.when.as_str()).collect()
}

/// Fits on companies as they were before the period in which inspections found what they found.
pub(crate) async fn fit(snapshot: &Snapshot, definition: &Definition, as_of: NaiveDate) -> Result<Fitted> {
    let last = sql::known_on(definition, as_of);
    let first = last.checked_sub_days(Days::new(u64::from(definition.train.days) - 1)).unwrap_or(last);
    let statement = sql::labelled_companies(definition, (first, as_of), &conditions(definition));
    let batch =
        read::defined(snapshot, definition, &statement).await.map_err(|source| Error::Sql { day: first, source })?;
    let rows = kept(definition, &batch)?;
    let target = read::all_numbers(&rows, BAD)?;
    let positives = target.iter().filter(|bad| **bad > 0.0).count();
    if positives == 0 || positives == target.len() {
        return Err(Error::Training {
            reason: format!(
                "of {} companies with declarations from {first} to {last} that were inspected {positives} have fraud; both kinds \
                 are needed",
                target.len()
            ),
        });
    }
    let frame = frame(definition, &rows)?;
    let model = fit_frame(definition, &frame)?;
    let about = About {
        schema: definition.schema.clone(),
        features: features(definition),
        factors: definition.factors.iter().map(|factor| (factor.name.clone(), factor.points)).collect(),
        seed: definition.train.seed,
        scores_sha256: scores(&model, &frame)?,
    };
    let mut body = Vec::new();
    let mut writer = StreamWriter::try_new(&mut body, &rows.schema())?;
    writer.write(&rows)?;
    writer.finish()?;
    drop(writer);
    let bytes = model_file::pack(KIND, &about, &body)?;
    let judged = judge(definition, &frame, &target)?;
    Ok(Fitted { bytes, first, last, rows: target.len(), positives, judged })
}

/// The columns that a fit needs, each of one type.
fn kept(definition: &Definition, batch: &RecordBatch) -> Result<RecordBatch> {
    let mut columns: Vec<(String, ArrayRef, bool)> = Vec::new();
    for (name, _, category) in features(definition) {
        let values: ArrayRef = match category {
            true => Arc::new(StringArray::from(read::texts(batch, &name)?)),
            false => {
                let values = read::numbers(batch, &name)?;
                Arc::new(values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect::<Float64Array>())
            }
        };
        columns.push((name, values, true));
    }
    for place in 0..definition.factors.len() {
        let name = format!("rule:{place}");
        columns.push((
            name.clone(),
            Arc::new(arrow::array::BooleanArray::from(flags(definition, batch, place)?)),
            true,
        ));
    }
    if batch.column_by_name("label:fraud").is_some() {
        let bad = read::all_numbers(batch, "label:fraud")?;
        columns.push((BAD.to_owned(), Arc::new(Float64Array::from(bad)), true));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn flags(definition: &Definition, batch: &RecordBatch, place: usize) -> Result<Vec<bool>> {
    read::flags(batch, &format!("rule:{place}")).map_err(|error| Error::Rule {
        rule: definition.factors.get(place).map_or_else(String::new, |factor| factor.name.clone()),
        reason: error.to_string(),
    })
}

/// The kept columns as a frame, features under their words: reasons speak of them.
fn frame(definition: &Definition, rows: &RecordBatch) -> Result<DataFrame> {
    let mut columns = Vec::new();
    for (name, words, category) in features(definition) {
        columns.push(match category {
            true => Column::new(words.as_str().into(), read::texts(rows, &name)?),
            false => {
                let values = read::numbers(rows, &name)?;
                let values: Vec<Option<f64>> =
                    values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect();
                Column::new(words.as_str().into(), values)
            }
        });
    }
    for place in 0..definition.factors.len() {
        columns.push(Column::new(format!("rule:{place}").into(), flags(definition, rows, place)?));
    }
    if rows.column_by_name(BAD).is_some() {
        columns.push(Column::new(BAD.into(), read::all_numbers(rows, BAD)?));
    }
    Ok(DataFrame::new(rows.num_rows(), columns)?)
}

fn fit_frame(definition: &Definition, frame: &DataFrame) -> Result<TaxpayerModel> {
    let words: Vec<&str> = definition.features.values().map(String::as_str).collect();
    let mut params = Taxpayer::params()
        .scorecard(Scorecard::params().binning(Binning::new().columns(&words)))
        .unseen(Unseen::Average)
        .seed(u64::from(definition.train.seed))
        .reasons(REASONS);
    for (place, factor) in definition.factors.iter().enumerate() {
        let condition = col(format!("rule:{place}"));
        params = params.factor(Factor::new(&factor.name, condition, factor.points).owner(&factor.owner));
    }
    Ok(params.fit(frame, BAD)?)
}

fn scores(model: &TaxpayerModel, frame: &DataFrame) -> Result<String> {
    let scored = model.score(&frame.drop(BAD)?)?;
    let mut digest = Sha256::new();
    scored.column("score")?.i64()?.iter().for_each(|score| digest.update(score.unwrap_or(-1).to_le_bytes()));
    Ok(hex(digest.finalize().as_slice()))
}

/// AUC and KS over companies that another fit had not seen.
fn judge(definition: &Definition, all: &DataFrame, target: &[f64]) -> Result<Option<(f64, f64)>> {
    let (held, seen): (Vec<usize>, Vec<usize>) = (0..target.len()).partition(|row| row % HELD_BACK == HELD_BACK - 1);
    let both = |rows: &[usize]| rows.iter().any(|&row| target[row] > 0.0) && rows.iter().any(|&row| target[row] == 0.0);
    if !both(&held) || !both(&seen) {
        return Ok(None);
    }
    // Too few of one kind for the folds of the calibration: not judged.
    let Ok(model) = fit_frame(definition, &haetae_features::rows(all, &seen)?) else { return Ok(None) };
    let scored = model.score(&haetae_features::rows(all, &held)?.drop(BAD)?)?;
    let scores: Vec<f64> = scored.column("score")?.i64()?.iter().map(|score| score.unwrap_or(0) as f64).collect();
    let truth: Vec<f64> = held.iter().map(|&row| target[row]).collect();
    Ok(Some((metrics::auc(&truth, &scores)?, metrics::ks(&truth, &scores)?)))
}

fn load(store: &Store, registered: &Registered, definition: &Definition) -> Result<TaxpayerModel> {
    fits(registered, definition)?;
    let (about, body): (About, _) = model_file::read(store, &registered.model, KIND, &registered.file_sha256)?;
    let factors: Vec<(String, i64)> =
        definition.factors.iter().map(|factor| (factor.name.clone(), factor.points)).collect();
    let expected = (features(definition), factors, definition.train.seed);
    if expected != (about.features.clone(), about.factors.clone(), about.seed) {
        return Err(Error::OtherModel {
            model: registered.model.clone(),
            expected: format!("the features, factors and seed {expected:?}"),
            found: format!("{:?}", (about.features, about.factors, about.seed)),
        });
    }
    fitted(&registered.model, definition, &about, &body)
}

/// The model of a file, and its definition as far as the file has it: without SQL.
pub(crate) fn open(store: &Store, model: &str, sha256: &str) -> Result<(Definition, TaxpayerModel)> {
    let (about, body): (About, _) = model_file::read(store, model, KIND, sha256)?;
    let definition = Definition::of_companies(&about.schema, &about.features, &about.factors, about.seed);
    let model = fitted(model, &definition, &about, &body)?;
    Ok((definition, model))
}

/// Features as a model takes them, of rows with a column for each feature and `rule:N` for each factor.
pub(crate) fn framed(definition: &Definition, batch: &RecordBatch) -> Result<DataFrame> {
    frame(definition, &kept(definition, batch)?)
}

fn fitted(name: &str, definition: &Definition, about: &About, body: &[u8]) -> Result<TaxpayerModel> {
    let mut reader = StreamReader::try_new(body, None)?;
    let rows =
        reader.next().transpose()?.ok_or_else(|| Error::Training { reason: "the file has no rows".to_owned() })?;
    let frame = frame(definition, &rows)?;
    let model = fit_frame(definition, &frame)?;
    if scores(&model, &frame)? != about.scores_sha256 {
        return Err(Error::OtherModel {
            model: name.to_owned(),
            expected: "the points that it had when it was registered".to_owned(),
            found: "others, as this program fits it".to_owned(),
        });
    }
    Ok(model)
}

/// Scores the companies as of a day.
pub(crate) async fn score(
    warehouse: Warehouse<'_>,
    work: &Work<'_>,
    transaction: &mut Transaction,
) -> Result<Option<Outcome>> {
    let (definition, day) = (work.definition, work.day);
    let model = load(warehouse.store, work.registered, definition)?;
    let statement = sql::rows(definition, day, &conditions(definition), sql::COMPANY_KEY);
    let batch =
        read::defined(work.snapshot, definition, &statement).await.map_err(|source| Error::Sql { day, source })?;
    let rows = batch.num_rows();
    if rows == 0 {
        return Ok(None);
    }
    let companies = read::all_texts(&batch, "importer_id")?;
    if let Some(twice) = companies.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::Column {
            column: "importer_id".to_owned(),
            expected: "one row for each company".to_owned(),
            found: format!("two for {}", twice[0]),
        });
    }
    let scored = model.score(&framed(definition, &batch)?)?;
    let points = |name: &str| -> Result<Vec<i64>> {
        Ok(scored.column(name)?.i64()?.iter().map(|value| value.unwrap_or(0)).collect())
    };
    let words = |name: &str| -> Result<ArrayRef> { Ok(maybe_text(scored.column(name)?.str()?.iter())) };
    let mut written = Rows::default();
    let mut columns = vec![
        days(day, rows),
        same(&work.version, rows),
        text(&companies),
        small(points("score")?),
        words("grade")?,
        number(scored.column("probability")?.f64()?.iter().map(|value| value.unwrap_or(f64::NAN))),
    ];
    for name in ["base_points", "card_points", "factor_points", "limit_points"] {
        columns.push(whole(points(name)?));
    }
    for place in 1..=REASONS {
        columns.push(words(&format!("reason_{place}"))?);
    }
    written.add("taxpayer_scores", columns)?;
    // The log is of decisions on items: a run over companies leaves it where it is.
    let head = log::head(work.snapshot).await?;
    run_row(&mut written, work, rows, [0, 0, 0], [0, 0], &head);
    written.put(transaction)?;
    Ok(Some(Outcome::Scored { items: rows, lanes: [0, 0, 0], moved: Vec::new(), head: None, version: 0 }))
}
