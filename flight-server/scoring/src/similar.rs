//! What goes in: a day's items and a model. What comes out: for each item the past inspected items that are most like it,
//! with what was found.
//!
//! Cases of the same subheading and origin come before those of the same subheading, these before those of the same
//! heading and of the same chapter. Among them the nearest come first: the distance is the sum, over all features, of how
//! differently a feature moves the two scores, so that it weighs a feature as the model does. All are seen as of the
//! item's day, by the definition's own SQL: two items with the same distance differ in what was known of them alone. The
//! item has the features that score it. The past cases are `today` together, so that what a definition counts or sums over
//! `today` it counts for them over all cases that are looked at.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use haetae_models::Contributions;
use haetae_warehouse::names::quoted;
use haetae_warehouse::query::Snapshot;

use crate::clearance::Clearance;
use crate::definition::Kind;
use crate::registry::{base, find, version};
use crate::rows::{Rows, count, dates, days, flags, maybe_number, number, same, small, text};
use crate::{Definition, Error, Result, Warehouse, read, sql};

/// Past cases that are looked at for one item, the most alike in kind and the newest first.
const LOOKED_AT: usize = 200;

/// One past case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its declaration.
    pub declaration_id: String,
    /// Its line.
    pub item_no: i64,
    /// The office that took it.
    pub office_id: String,
    /// Day on which it was declared.
    pub day: NaiveDate,
    /// Day of its inspection.
    pub inspection_date: NaiveDate,
    /// What it has in common with the item.
    pub shared: String,
    /// How differently its features move the score.
    pub distance: f64,
    /// Whether fraud was found.
    pub fraud: bool,
    /// Duty that was recovered, where it is known.
    pub additional_duty_krw: Option<f64>,
}

/// An item, and what is like it.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// The declaration.
    pub declaration_id: String,
    /// The line.
    pub item_no: i64,
    /// The office that took it.
    pub office_id: String,
    /// The cases, the most alike first.
    pub cases: Vec<Case>,
}

/// Which items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// One, by declaration and line.
    One(&'a str, i64),
    /// All of a day that are not green by this version of model and definition.
    Laned,
}

/// The `most` past cases for each item, by the named model or the champion of the definition.
///
/// # Errors
/// When there is no such model or item, or the SQL of the definition fails.
pub async fn similar(
    warehouse: Warehouse<'_>,
    definition: &Definition,
    model: Option<&str>,
    (day, which): (NaiveDate, Which<'_>),
    most: usize,
) -> Result<Vec<Similar>> {
    let snapshot = base(warehouse, &warehouse.store.begin()?)?;
    looked_for(warehouse, &snapshot, definition, model, (day, which), most).await.map(|(_, found)| found)
}

/// Looks for the cases of all items of a day that are not green, and keeps them in `risk.similar`; the items that have
/// some, or `None` where the day has cases of this version already.
///
/// # Errors
/// As [`similar`].
pub async fn keep_similar(
    warehouse: Warehouse<'_>,
    definition: &Definition,
    model: Option<&str>,
    day: NaiveDate,
    most: usize,
) -> Result<Option<(usize, u64)>> {
    let mut transaction = warehouse.store.begin()?;
    let snapshot = base(warehouse, &transaction)?;
    let registered = find(&snapshot, definition, model).await?;
    let by = definition.version(&registered.model);
    let kept = format!("select count(*) as n from risk.similar where day = date '{day}' and version = {}", quoted(&by));
    if read::whole(&read::rows(&snapshot, &kept).await?, "n")?.first().is_some_and(|rows| *rows > 0) {
        return Ok(None);
    }
    let (by, found) = looked_for(warehouse, &snapshot, definition, model, (day, Which::Laned), most).await?;
    let items = found.iter().filter(|one| !one.cases.is_empty()).count();
    if items == 0 {
        return Ok(Some((0, snapshot.version())));
    }
    let all: Vec<(&Similar, usize, &Case)> =
        found.iter().flat_map(|one| one.cases.iter().enumerate().map(move |(n, case)| (one, n + 1, case))).collect();
    let mut rows = Rows::default();
    rows.add(
        "similar",
        vec![
            days(day, all.len()),
            same(&by, all.len()),
            text(all.iter().map(|(one, ..)| &one.declaration_id)),
            small(all.iter().map(|(one, ..)| one.item_no)),
            text(all.iter().map(|(one, ..)| &one.office_id)),
            small(all.iter().map(|(_, place, _)| count(*place))),
            text(all.iter().map(|(.., case)| &case.declaration_id)),
            small(all.iter().map(|(.., case)| case.item_no)),
            text(all.iter().map(|(.., case)| &case.office_id)),
            dates(all.iter().map(|(.., case)| case.day)),
            dates(all.iter().map(|(.., case)| case.inspection_date)),
            text(all.iter().map(|(.., case)| &case.shared)),
            number(all.iter().map(|(.., case)| case.distance)),
            flags(all.iter().map(|(.., case)| case.fraud)),
            maybe_number(all.iter().map(|(.., case)| case.additional_duty_krw)),
        ],
    )?;
    rows.put(&mut transaction)?;
    Ok(Some((items, version(&transaction.commit()?))))
}

async fn looked_for(
    warehouse: Warehouse<'_>,
    snapshot: &Snapshot,
    definition: &Definition,
    model: Option<&str>,
    (day, which): (NaiveDate, Which<'_>),
    most: usize,
) -> Result<(String, Vec<Similar>)> {
    if definition.kind != Kind::Clearance {
        return Err(Error::NotClearance { definition: definition.name.clone() });
    }
    let registered = find(snapshot, definition, model).await?;
    let by = definition.version(&registered.model);
    let model = Clearance::load(warehouse.store, &registered, definition)?;
    let wanted = match which {
        Which::One(id, line) => format!("w.declaration_id = {} and w.item_no = {line}", quoted(id)),
        Which::Laned => format!(
            "exists (select 1 from risk.lanes l where l.declaration_id = w.declaration_id and l.item_no = w.item_no \
             and l.day = date '{day}' and l.version = {} and l.lane <> 'green')",
            quoted(&by)
        ),
    };
    let items = read::rows(snapshot, &sql::wanted_items(definition, day, &wanted)).await?;
    let items = Items::read(&items)?;
    match which {
        Which::One(id, line) if items.ids.is_empty() => {
            return Err(Error::NoItem { item: format!("{id}/{line}"), day });
        }
        _ if items.ids.is_empty() => return Ok((by, Vec::new())),
        _ => {}
    }
    let failed = |source| Error::Sql { day, source };
    // What the definition reads is looked at without the items of other days, which it may not name itself.
    read::planned(snapshot, definition, &sql::rows(definition, day, &[], sql::ITEM_KEY)).await.map_err(failed)?;
    let now = read::rows(snapshot, &sql::wanted_rows(definition, day, &wanted)).await.map_err(failed)?;
    let past = read::rows(snapshot, &sql::past_rows(definition, day, &wanted, LOOKED_AT)).await.map_err(failed)?;
    let space = Space { items: Added::of(&model, &now)?, cases: Added::of(&model, &past)? };
    let cases = cases(&read::rows(snapshot, &sql::past_cases(definition, day, &wanted, LOOKED_AT)).await?)?;
    Ok((by, items.with(&space, &cases, most)))
}

/// The items that cases are looked for.
struct Items {
    ids: Vec<String>,
    lines: Vec<i64>,
    offices: Vec<String>,
    goods: Vec<Goods>,
}

/// Subheading and origin.
type Goods = (String, String);

impl Items {
    fn read(batch: &RecordBatch) -> Result<Self> {
        let text = |name: &str| read::all_texts(batch, name);
        let goods = text("hs6")?.into_iter().zip(text("origin_country")?).collect();
        let (ids, lines) = (text("declaration_id")?, read::whole(batch, "item_no")?);
        Ok(Self { ids, lines, offices: text("office_id")?, goods })
    }

    fn with(self, space: &Space, cases: &BTreeMap<Goods, Vec<(i64, Case)>>, most: usize) -> Vec<Similar> {
        let keys = self.ids.into_iter().zip(self.lines).zip(self.offices).zip(self.goods);
        keys.map(|(((declaration_id, item_no), office_id), goods)| {
            let item = (declaration_id, item_no);
            let cases = nearest(space, cases.get(&goods).map_or(&[], Vec::as_slice), &item, most);
            Similar { declaration_id: item.0, item_no, office_id, cases }
        })
        .collect()
    }
}

/// The cases that are looked at for goods, each with how little it has in common with them.
fn cases(batch: &RecordBatch) -> Result<BTreeMap<Goods, Vec<(i64, Case)>>> {
    let text = |name: &str| read::all_texts(batch, name);
    let (hs6, origins) = (text("hs6")?, text("origin_country")?);
    let (ids, lines) = (text("past_declaration_id")?, read::whole(batch, "past_item_no")?);
    let (offices, tiers) = (text("past_office_id")?, read::whole(batch, "tier")?);
    let (declared, inspected) = (read::dates(batch, "past_day")?, read::dates(batch, "inspection_date")?);
    let (fraud, duty) = (read::flags(batch, "fraud")?, read::numbers(batch, "additional_duty_krw")?);
    let mut found: BTreeMap<Goods, Vec<(i64, Case)>> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let case = Case {
            declaration_id: ids[row].clone(),
            item_no: lines[row],
            office_id: offices[row].clone(),
            day: declared[row],
            inspection_date: inspected[row],
            shared: shared(tiers[row]).to_owned(),
            distance: 0.0,
            fraud: fraud[row],
            additional_duty_krw: Some(duty[row]).filter(|duty| !duty.is_nan()),
        };
        found.entry((hs6[row].clone(), origins[row].clone())).or_default().push((tiers[row], case));
    }
    Ok(found)
}

fn shared(tier: i64) -> &'static str {
    match tier {
        0 => "hs6 and origin",
        1 => "hs6",
        2 => "hs4",
        _ => "hs2",
    }
}

/// Items of the day and past cases, by what their features add to their scores.
struct Space {
    items: Added,
    cases: Added,
}

/// What each feature adds to the score of each row.
struct Added {
    rows: BTreeMap<(String, i64), usize>,
    /// `None` where there are no rows.
    contributions: Option<Contributions>,
}

impl Added {
    fn of(model: &Clearance, rows: &RecordBatch) -> Result<Self> {
        let keys = read::all_texts(rows, "declaration_id")?.into_iter().zip(read::whole(rows, "item_no")?);
        let rows_of = keys.enumerate().map(|(row, key)| (key, row)).collect();
        let contributions = if rows.num_rows() == 0 { None } else { Some(model.contributions(rows)?) };
        Ok(Self { rows: rows_of, contributions })
    }

    fn row(&self, key: &(String, i64)) -> Option<&[f64]> {
        Some(self.contributions.as_ref()?.row(*self.rows.get(key)?, 0))
    }
}

impl Space {
    fn distance(&self, item: &(String, i64), case: &(String, i64)) -> Option<f64> {
        let (a, b) = (self.items.row(item)?, self.cases.row(case)?);
        Some(a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum())
    }
}

fn nearest(space: &Space, cases: &[(i64, Case)], item: &(String, i64), most: usize) -> Vec<Case> {
    let mut found: Vec<(i64, Case)> = cases
        .iter()
        .filter_map(|(tier, case)| {
            let distance = space.distance(item, &(case.declaration_id.clone(), case.item_no))?;
            Some((*tier, Case { distance, ..case.clone() }))
        })
        .collect();
    found.sort_by(|(a, one), (b, other)| {
        a.cmp(b)
            .then(one.distance.total_cmp(&other.distance))
            .then(other.inspection_date.cmp(&one.inspection_date))
            .then_with(|| (&one.declaration_id, one.item_no).cmp(&(&other.declaration_id, other.item_no)))
    });
    found.truncate(most);
    found.into_iter().map(|(_, case)| case).collect()
}
