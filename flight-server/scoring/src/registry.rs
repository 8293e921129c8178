//! What goes in: trained models and acts of people. What comes out: rows of `risk.models` and `risk.acts`, and which model
//! is the champion.

use haetae_warehouse::query::Snapshot;
use haetae_warehouse::store::{Committed, Transaction};

use crate::rows::{Rows, text};
use crate::{By, Definition, Error, Result, Warehouse, read};

/// A registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// Its name.
    pub model: String,
    /// clearance or taxpayer.
    pub kind: String,
    /// The definition that it was trained by.
    pub definition: String,
    /// The schema that it has learnt from.
    pub schema: String,
    /// The day before which all it has learnt was known.
    pub as_of: String,
    /// Rows with a label.
    pub rows: i64,
    /// AUC on rows that were held back; NaN where there is none.
    pub auc: f64,
    /// Sum of its file.
    pub file_sha256: String,
    /// Whether it was promoted last among those of its definition.
    pub champion: bool,
}

/// All models, the oldest first; those of one definition where it is given.
///
/// # Errors
/// When the warehouse cannot be read.
pub async fn models(snapshot: &Snapshot, definition: Option<&str>) -> Result<Vec<Registered>> {
    let sql = "select m.model, m.kind, m.definition, m.trained_schema, m.as_of, m.trained_rows, m.auc, m.file_sha256, \
               c.model as champion \
               from risk.models m join risk.acts r on r.model = m.model and r.act = 'registered' \
               left join (select definition, max(run_id) as run_id from risk.acts where act = 'promoted' \
               group by definition) p on p.definition = m.definition \
               left join risk.acts c on c.run_id = p.run_id order by r.run_id";
    let batch = read::rows(snapshot, sql).await?;
    let text = |name: &str| read::all_texts(&batch, name);
    let (model, kind, of, schema) = (text("model")?, text("kind")?, text("definition")?, text("trained_schema")?);
    let (as_of, file, champion) = (text("as_of")?, text("file_sha256")?, read::texts(&batch, "champion")?);
    let (rows, auc) = (read::whole(&batch, "trained_rows")?, read::numbers(&batch, "auc")?);
    let all = (0..batch.num_rows()).map(|row| Registered {
        model: model[row].clone(),
        kind: kind[row].clone(),
        definition: of[row].clone(),
        schema: schema[row].clone(),
        as_of: as_of[row].clone(),
        rows: rows[row],
        auc: auc[row],
        file_sha256: file[row].clone(),
        champion: champion[row].as_deref() == Some(&model[row]),
    });
    Ok(all.filter(|one| definition.is_none_or(|name| name == one.definition)).collect())
}

/// The model of that name, or the champion of the definition.
pub(crate) async fn find(snapshot: &Snapshot, definition: &Definition, name: Option<&str>) -> Result<Registered> {
    let all = models(snapshot, Some(&definition.name)).await?;
    let known: Vec<String> = all.iter().map(|one| one.model.clone()).collect();
    let found = all.into_iter().find(|one| name.map_or(one.champion, |name| name == one.model));
    found.ok_or_else(|| {
        let none = known.is_empty();
        Error::NoModel {
            what: name.map_or("promoted model".to_owned(), |name| format!("model `{name}`")),
            definition: definition.name.clone(),
            hint: match none {
                true => "`haetae-server model train` makes one".to_owned(),
                false => {
                    format!("registered are {}; `haetae-server model promote` makes one the champion", known.join(", "))
                }
            },
        }
    })
}

/// Makes a model the champion of its definition, and says so in the register. Nothing changes where it is that already.
///
/// # Errors
/// When there is no such model, or it is not said who promotes it.
pub async fn promote(warehouse: Warehouse<'_>, model: &str, by: &By) -> Result<bool> {
    if by.who.trim().is_empty() {
        return Err(Error::Nobody { model: model.to_owned() });
    }
    let mut transaction = warehouse.store.begin()?;
    let snapshot = base(warehouse, &transaction)?;
    let all = models(&snapshot, None).await?;
    let Some(found) = all.iter().find(|one| one.model == model) else {
        let known: Vec<&str> = all.iter().map(|one| one.model.as_str()).collect();
        let hint = match known.is_empty() {
            true => "`haetae-server model train` makes one".to_owned(),
            false => format!("registered are {}", known.join(", ")),
        };
        return Err(Error::NoModel { what: format!("model `{model}`"), definition: "any".to_owned(), hint });
    };
    if found.champion {
        return Ok(false);
    }
    let mut rows = Rows::default();
    act(&mut rows, model, &found.definition, "promoted", by);
    rows.put(&mut transaction)?;
    transaction.commit()?;
    Ok(true)
}

/// The row of an act.
pub(crate) fn act(rows: &mut Rows, model: &str, definition: &str, act: &str, by: &By) {
    rows.add_numbered("acts", vec![text([model]), text([definition]), text([act]), text([&by.who]), text([&by.why])]);
}

/// The version that a transaction builds on, for queries.
pub(crate) fn base(warehouse: Warehouse<'_>, transaction: &Transaction) -> Result<Snapshot> {
    match warehouse.engine.at(transaction.base().version)? {
        Some(snapshot) => Ok(snapshot),
        None => Err(Error::Gone { version: transaction.base().version }),
    }
}

/// The version that last changed a table of the schema: scoring itself moves the newest one on, and the data stays.
pub(crate) fn data_version(snapshot: &Snapshot, schema: &str) -> u64 {
    let tables = snapshot.manifest().tables.get(schema);
    tables.and_then(|tables| tables.values().map(|table| table.changed).max()).unwrap_or(0)
}

/// The version that a commit has made.
pub(crate) fn version(committed: &Committed) -> u64 {
    match committed {
        Committed::Now { version, .. } | Committed::Before { version } => *version,
    }
}
