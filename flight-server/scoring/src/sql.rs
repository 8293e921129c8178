//! What goes in: a definition and a day. What comes out: SQL that sees of the facts what was known before that day, and
//! the day's declarations.

use chrono::{Days, NaiveDate};

use crate::Definition;
use crate::definition::LATER;

/// The last day of inspections whose results are known before `day`.
pub(crate) fn known_on(definition: &Definition, day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(1 + u64::from(definition.train.delay_days))).unwrap_or(NaiveDate::MIN)
}

/// The definition's rows as of a day, as the table `features`.
///
/// What the definition may read stands before it: it cannot name what it could see the future in. Without a schema, tables
/// of dimensions are those of the definition's.
fn features(definition: &Definition, day: NaiveDate) -> String {
    let schema = &definition.schema;
    features_of(definition, day, &format!("select * from {schema}.fact_item where declaration_date = date '{day}'"))
}

/// The same, of other items than those of the day.
fn features_of(definition: &Definition, day: NaiveDate, today: &str) -> String {
    let (schema, known) = (&definition.schema, known_on(definition, day));
    let known_before = |table: &&haetae_schema::Table| !LATER.iter().any(|later| table.name.starts_with(later));
    let dimensions = haetae_schema::tables().iter().filter(|table| table.name.starts_with("dim_")).filter(known_before);
    let dimensions: String =
        dimensions.map(|table| format!("{0} as (select * from {schema}.{0}), ", table.name)).collect();
    format!(
        "with {dimensions}today as ({today}), \
         past_item as (select * from {schema}.fact_item where declaration_date < date '{day}'), \
         past_inspection as (select * from {schema}.fact_inspection where inspection_date <= date '{known}'), \
         past_finding as (select i.*, p.inspection_date, p.fraud, p.fraud_class, p.additional_duty_krw \
         from past_inspection p join past_item i on i.declaration_id = p.declaration_id and i.item_no = p.item_no), \
         features as ({})",
        definition.sql.replace("{day}", &format!("date '{day}'"))
    )
}

/// What keeps the rows in one order.
pub(crate) const ITEM_KEY: &str = "t.declaration_id, t.item_no";
/// The same for companies.
pub(crate) const COMPANY_KEY: &str = "t.importer_id";

/// The keys of all items of a day.
pub(crate) fn keys(definition: &Definition, day: NaiveDate) -> String {
    let schema = &definition.schema;
    format!("select declaration_id, item_no from {schema}.fact_item where declaration_date = date '{day}'")
}

/// How many items of a day a version has given no lane.
pub(crate) fn without_lane(definition: &Definition, day: NaiveDate, version: &str) -> String {
    format!(
        "select count(*) as items from ({}) t left join \
         (select declaration_id, item_no from risk.lanes where day = date '{day}' and version = '{version}') l \
         on l.declaration_id = t.declaration_id and l.item_no = t.item_no where l.declaration_id is null",
        keys(definition, day)
    )
}

/// Columns `rule:N`, one for each condition.
fn columns(conditions: &[&str]) -> String {
    conditions.iter().enumerate().map(|(place, when)| format!(", ({when}) as \"rule:{place}\"")).collect()
}

/// All rows of a day, with a column `rule:N` for each condition, in the order of `key`.
pub(crate) fn rows(definition: &Definition, day: NaiveDate, conditions: &[&str], key: &str) -> String {
    format!("{} select t.*{} from features t order by {key}", features(definition, day), columns(conditions))
}

/// The rows of a day whose inspections are known before `as_of`, with the column `fraud`.
pub(crate) fn labelled(definition: &Definition, day: NaiveDate, as_of: NaiveDate) -> String {
    let (schema, known) = (&definition.schema, known_on(definition, as_of));
    format!(
        "{} select t.*, l.fraud as \"label:fraud\" from features t join {schema}.fact_inspection l \
         on l.declaration_id = t.declaration_id and l.item_no = t.item_no \
         where l.inspection_date <= date '{known}' order by {ITEM_KEY}",
        features(definition, day)
    )
}

/// The companies as of a day, with what inspections of their later declarations had found before `as_of`.
pub(crate) fn labelled_companies(
    definition: &Definition,
    (day, as_of): (NaiveDate, NaiveDate),
    conditions: &[&str],
) -> String {
    let (schema, known) = (&definition.schema, known_on(definition, as_of));
    let conditions = columns(conditions);
    format!(
        "{}, label as (select i.importer_id, max(case when l.fraud then 1 else 0 end) as fraud \
         from {schema}.fact_inspection l join {schema}.fact_item i \
         on i.declaration_id = l.declaration_id and i.item_no = l.item_no \
         where i.declaration_date >= date '{day}' and l.inspection_date <= date '{known}' group by i.importer_id) \
         select t.*{conditions}, label.fraud as \"label:fraud\" from features t join label on label.importer_id = t.importer_id \
         order by t.importer_id",
        features(definition, day)
    )
}

/// The rows of a day by their order, from one to another, with one condition: where a rule fails is found by halving.
pub(crate) fn some_rows(definition: &Definition, day: NaiveDate, condition: &str, from: usize, to: usize) -> String {
    format!(
        "{}, numbered as (select f.*, row_number() over (order by f.declaration_id, f.item_no) as \"row:number\" \
         from features f) select t.declaration_id, t.item_no, ({condition}) as answer from numbered t \
         where t.\"row:number\" > {from} and t.\"row:number\" <= {to} order by {ITEM_KEY}",
        features(definition, day)
    )
}

/// The items that past cases are looked for, `w` being an item of the day in `predicate`.
pub(crate) fn wanted_items(definition: &Definition, day: NaiveDate, predicate: &str) -> String {
    format!(
        "select w.declaration_id, w.item_no, w.office_id, w.hs6, coalesce(w.origin_country, '') as origin_country \
         from {}.fact_item w where w.declaration_date = date '{day}' and {predicate} \
         order by w.declaration_id, w.item_no",
        definition.schema
    )
}

/// For the goods of these items, up to `most` inspected items of the same chapter whose results are known before the day:
/// those that have most in common first, then the newest.
pub(crate) fn past_cases(definition: &Definition, day: NaiveDate, predicate: &str, most: usize) -> String {
    let (schema, known) = (&definition.schema, known_on(definition, day));
    format!(
        "select * from (select *, row_number() over (partition by hs6, origin_country \
         order by tier, inspection_date desc, past_declaration_id, past_item_no) as place from (\
         select g.hs6, g.origin_country, p.declaration_id as past_declaration_id, p.item_no as past_item_no, \
         p.office_id as past_office_id, p.declaration_date as past_day, n.inspection_date, n.fraud, \
         n.additional_duty_krw, case when p.hs6 = g.hs6 and p.origin_country = g.origin_country then 0 \
         when p.hs6 = g.hs6 then 1 when substr(p.hs6, 1, 4) = substr(g.hs6, 1, 4) then 2 else 3 end as tier \
         from (select distinct hs6, origin_country from ({})) g \
         join {schema}.fact_item p on substr(p.hs6, 1, 2) = substr(g.hs6, 1, 2) and p.declaration_date < date '{day}' \
         join {schema}.fact_inspection n on n.declaration_id = p.declaration_id and n.item_no = p.item_no \
         and n.inspection_date <= date '{known}')) where place <= {most} order by hs6, origin_country, place",
        wanted_items(definition, day, predicate)
    )
}

/// The definition's rows of items of the day: those that score them, `today` being all that was declared.
pub(crate) fn wanted_rows(definition: &Definition, day: NaiveDate, predicate: &str) -> String {
    format!(
        "{} select t.* from features t join ({}) k \
         on k.declaration_id = t.declaration_id and k.item_no = t.item_no order by {ITEM_KEY}",
        features(definition, day),
        wanted_items(definition, day, predicate)
    )
}

/// The definition's rows as of a day, of the past cases that are looked at for items: they are `today` together.
pub(crate) fn past_rows(definition: &Definition, day: NaiveDate, predicate: &str, most: usize) -> String {
    let today = format!(
        "select i.* from {}.fact_item i join \
         (select distinct past_declaration_id as declaration_id, past_item_no as item_no from ({})) k \
         on k.declaration_id = i.declaration_id and k.item_no = i.item_no",
        definition.schema,
        past_cases(definition, day, predicate, most)
    );
    format!("{} select t.* from features t order by {ITEM_KEY}", features_of(definition, day, &today))
}
