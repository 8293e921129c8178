//! What goes in: a definition with a period, and a day. What comes out: a challenger where one is due, or why none is.
//!
//! Days are counted from the first model of the definition, so that whoever calls twice in a period, late or early,
//! trains as of the same day. Nothing is promoted.

use chrono::{Days, NaiveDate};

use crate::registry::{base, models};
use crate::train::{Trained, train};
use crate::{By, Definition, Error, Result, Warehouse, read, sql};

/// What became of a period.
#[derive(Debug, Clone, PartialEq)]
pub enum Retrained {
    /// A challenger as of the period's first day.
    Trained {
        /// The day before which all it has learnt was known.
        as_of: NaiveDate,
        /// What became of the training.
        trained: Trained,
    },
    /// The last model is not old enough.
    NotDue {
        /// The last model.
        model: String,
        /// The first day on which the next one is due.
        due: NaiveDate,
    },
    /// Too few results have become known since the last model.
    TooFew {
        /// The last model.
        model: String,
        /// Results that are new on the period's first day.
        results: i64,
        /// As many are wanted.
        wanted: u32,
    },
}

/// Trains a challenger if the period of the definition says so on `day`.
///
/// # Errors
/// When the definition has no period, or as [`train`].
pub async fn retrain(warehouse: Warehouse<'_>, definition: &Definition, day: NaiveDate, by: &By) -> Result<Retrained> {
    let Some(retrain) = &definition.retrain else {
        return Err(Error::NoPeriod { definition: definition.name.clone() });
    };
    let snapshot = base(warehouse, &warehouse.store.begin()?)?;
    let all = models(&snapshot, Some(&definition.name)).await?;
    let (Some(first), Some(last)) = (all.first(), all.iter().max_by(|a, b| a.as_of.cmp(&b.as_of))) else {
        let trained = train(warehouse, definition, day, by).await?;
        return Ok(Retrained::Trained { as_of: day, trained });
    };
    let parsed = |text: &str| {
        text.parse::<NaiveDate>().map_err(|_| Error::Column {
            column: "as_of".to_owned(),
            expected: "a day".to_owned(),
            found: text.to_owned(),
        })
    };
    let (anchor, before) = (parsed(&first.as_of)?, parsed(&last.as_of)?);
    let every = u64::from(retrain.every_days);
    let periods = |until: NaiveDate| u64::try_from((until - anchor).num_days()).unwrap_or(0) / every;
    let start = |period: u64| anchor.checked_add_days(Days::new(period * every)).unwrap_or(NaiveDate::MAX);
    let as_of = start(periods(day));
    if as_of <= before || day < anchor {
        let due = start(periods(before) + 1);
        return Ok(Retrained::NotDue { model: last.model.clone(), due });
    }
    let (known_before, known) = (sql::known_on(definition, before), sql::known_on(definition, as_of));
    let new = format!(
        "select count(*) as results from {}.fact_inspection where inspection_date > date '{known_before}' \
         and inspection_date <= date '{known}'",
        definition.schema
    );
    let results = read::whole(&read::rows(&snapshot, &new).await?, "results")?.first().copied().unwrap_or(0);
    if results < i64::from(retrain.new_results) {
        return Ok(Retrained::TooFew { model: last.model.clone(), results, wanted: retrain.new_results });
    }
    let trained = train(warehouse, definition, as_of, by).await?;
    Ok(Retrained::Trained { as_of, trained })
}
