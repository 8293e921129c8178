//! What goes in: versions that have scored the same days, and what inspections found since. What comes out: what each would
//! have found at given rates, as rows of `risk.comparisons`.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::ArrayRef;
use chrono::NaiveDate;
use haetae_models::metrics;

use crate::registry::{base, version};
use crate::rows::{Rows, count, days, maybe_number, number, text, whole};
use crate::ways::Ways;
use crate::{Error, Result, Warehouse, read};

/// The rates that are compared.
const RATES: [f64; 3] = [0.01, 0.05, 0.10];

/// One way to choose at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The version, or a way without a model: `stake`, `price`, `rules`, `importer history` or `random`.
    pub version: String,
    /// Share that is chosen.
    pub rate: f64,
    /// Items with a label.
    pub items: usize,
    /// Items chosen.
    pub chosen: usize,
    /// Of these, fraud.
    pub found: usize,
    /// Found of chosen, and its 95 % interval.
    pub precision: [f64; 3],
    /// Found of all fraud.
    pub recall: f64,
    /// Duty recovered of what all items would give.
    pub revenue: Option<f64>,
    /// Over all items.
    pub auc: f64,
}

/// Compares versions on the items that all of them have scored and whose inspections were known by `known_on`, and writes
/// the comparison. Before the versions come the ways that need no model: the amount at stake, the price, the number of rules
/// that held by the first version named (equal ones at random), the importer's share of fraud among results that were known
/// before the item's day, and chance.
///
/// Labels are those of inspected items: how these were chosen colours every figure, the same for all versions.
///
/// # Errors
/// When a version has scored none of the days, or the labels are all equal.
pub async fn compare(
    warehouse: Warehouse<'_>,
    schema: &str,
    versions: &[String],
    (from, to): (NaiveDate, NaiveDate),
    known_on: NaiveDate,
) -> Result<(Vec<Compared>, u64)> {
    haetae_warehouse::known_schema(schema)?;
    let mut seen = BTreeSet::new();
    let versions: Vec<String> = versions.iter().filter(|version| seen.insert(version.as_str())).cloned().collect();
    if versions.is_empty() {
        return Err(Error::Compare { reason: "no version was named".to_owned() });
    }
    let mut transaction = warehouse.store.begin()?;
    let snapshot = base(warehouse, &transaction)?;
    let labelled = format!(
        "from risk.scores s join {schema}.fact_inspection l \
         on l.declaration_id = s.declaration_id and l.item_no = s.item_no \
         left join {schema}.fact_item i on i.declaration_id = s.declaration_id and i.item_no = s.item_no \
         left join risk.lanes r on r.declaration_id = s.declaration_id and r.item_no = s.item_no and r.version = s.version \
         where s.day between date '{from}' and date '{to}' and l.inspection_date <= date '{known_on}'"
    );
    let quoted: Vec<String> = versions.iter().map(|version| format!("'{}'", version.replace('\'', "''"))).collect();
    let sql = format!(
        "select s.version, s.declaration_id, s.item_no, s.day, s.importer_id, s.probability, s.stake_krw, i.item_price_krw, \
         r.rules, l.fraud, l.additional_duty_krw {labelled} and s.version in ({}) order by s.declaration_id, s.item_no, s.version",
        quoted.join(", ")
    );
    let batch = read::rows(&snapshot, &sql).await?;
    let (ids, lines) = (read::all_texts(&batch, "declaration_id")?, read::whole(&batch, "item_no")?);
    let (of, fraud) = (read::all_texts(&batch, "version")?, read::all_numbers(&batch, "fraud")?);
    let probability = read::all_numbers(&batch, "probability")?;
    let duty = read::numbers(&batch, "additional_duty_krw")?;
    let mut items: BTreeMap<(&str, i64), BTreeMap<&str, usize>> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        items.entry((&ids[row], lines[row])).or_default().insert(&of[row], row);
    }
    let shared: Vec<&BTreeMap<&str, usize>> =
        items.values().filter(|rows| versions.iter().all(|version| rows.contains_key(version.as_str()))).collect();
    if shared.is_empty() {
        let known = read::rows(&snapshot, &format!("select distinct s.version {labelled} order by 1")).await?;
        let known = read::all_texts(&known, "version")?;
        return Err(Error::Compare {
            reason: format!(
                "no item declared from {from} to {to} was scored by {} and has a result known by {known_on}; versions with such \
                 items are {}",
                versions.join(" and "),
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ),
        });
    }
    let row = |rows: &&BTreeMap<&str, usize>, version: &str| rows.get(version).copied().unwrap_or(0);
    let first = versions.first().map_or("", String::as_str);
    let all =
        |values: &[f64], version: &str| shared.iter().map(|rows| values[row(rows, version)]).collect::<Vec<f64>>();
    let (target, revenue) = (all(&fraud, first), all(&duty, first));
    let revenue = revenue.iter().all(|value| !value.is_nan()).then_some(revenue);
    let mut compared = Vec::new();
    let ways = Ways::of(&snapshot, schema, &batch, to).await?;
    let ways = ways.scores(&shared.iter().map(|rows| row(rows, first)).collect::<Vec<usize>>());
    let models = versions.iter().map(|name| (name.as_str(), all(&probability, name)));
    for (name, scores) in ways.into_iter().chain(models) {
        for rate in RATES {
            compared.push(one(name, rate, &target, &scores, revenue.as_deref())?);
        }
    }
    let mut rows = Rows::default();
    rows.add_numbered("comparisons", columns(&compared, from, to, known_on));
    rows.put(&mut transaction)?;
    Ok((compared, version(&transaction.commit()?)))
}

fn one(name: &str, rate: f64, target: &[f64], scores: &[f64], revenue: Option<&[f64]>) -> Result<Compared> {
    let chosen = (target.len() as f64 * rate).floor() as usize;
    let recall = metrics::recall_at(target, scores, rate)?;
    let found = (recall * target.iter().sum::<f64>()).round();
    Ok(Compared {
        version: name.to_owned(),
        rate,
        items: target.len(),
        chosen,
        found: if found.is_nan() { 0 } else { found as usize },
        precision: wilson(if found.is_nan() { 0.0 } else { found }, chosen as f64),
        recall: if recall.is_nan() { 0.0 } else { recall },
        revenue: revenue.map(|revenue| metrics::revenue_at(revenue, scores, rate)).transpose()?.filter(|v| !v.is_nan()),
        auc: metrics::auc(target, scores)?,
    })
}

/// A share and its 95 % interval. Source: Wilson, *Probable inference, the law of succession, and statistical inference*, 1927.
fn wilson(found: f64, of: f64) -> [f64; 3] {
    const Z: f64 = 1.959_963_984_540_054;
    if of == 0.0 {
        return [0.0, 0.0, 1.0];
    }
    let share = found / of;
    let middle = (share + Z * Z / (2.0 * of)) / (1.0 + Z * Z / of);
    let half = Z / (1.0 + Z * Z / of) * (share * (1.0 - share) / of + Z * Z / (4.0 * of * of)).sqrt();
    [share, (middle - half).max(0.0), (middle + half).min(1.0)]
}

fn columns(all: &[Compared], from: NaiveDate, to: NaiveDate, known_on: NaiveDate) -> Vec<ArrayRef> {
    let date = |day: NaiveDate| days(day, all.len());
    let counts = |of: fn(&Compared) -> usize| whole(all.iter().map(|one| count(of(one))));
    let numbers = |of: fn(&Compared) -> f64| number(all.iter().map(of));
    vec![
        date(from),
        date(to),
        date(known_on),
        text(all.iter().map(|one| &one.version)),
        numbers(|one| one.rate),
        counts(|one| one.items),
        counts(|one| one.chosen),
        counts(|one| one.found),
        numbers(|one| one.precision[0]),
        numbers(|one| one.precision[1]),
        numbers(|one| one.precision[2]),
        numbers(|one| one.recall),
        maybe_number(all.iter().map(|one| one.revenue)),
        numbers(|one| one.auc),
    ]
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn the_interval_is_that_of_the_formula() {
        // 10 of 20: 0.2993 to 0.7007 (Wilson's score interval without correction).
        let [share, low, high] = wilson(10.0, 20.0);
        assert_eq!(share, 0.5);
        assert!((low - 0.299_3).abs() < 1e-4 && (high - 0.700_7).abs() < 1e-4, "{low} {high}");
        assert_eq!(wilson(0.0, 0.0), [0.0, 0.0, 1.0]);
    }
}
