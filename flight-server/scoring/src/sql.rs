//! What goes in: a definition and a day. What comes out: SQL that sees of the facts what was known before that day, and
//! the day's declarations.

use chrono::{Days, NaiveDate};

use crate::Definition;

/// The last day of inspections whose results are known before `day`.
pub(crate) fn known_on(definition: &Definition, day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(1 + u64::from(definition.train.delay_days))).unwrap_or(NaiveDate::MIN)
}

/// The definition's rows as of a day, as the table `features`.
///
/// What the definition may read stands before it: it cannot name the tables of facts themselves. Without a schema, tables
/// of dimensions are those of the definition's.
fn features(definition: &Definition, day: NaiveDate) -> String {
    let (schema, known) = (&definition.schema, known_on(definition, day));
    let dimensions = haetae_schema::tables().iter().filter(|table| table.name.starts_with("dim_"));
    let dimensions: String =
        dimensions.map(|table| format!("{0} as (select * from {schema}.{0}), ", table.name)).collect();
    format!(
        "with {dimensions}today as (select * from {schema}.fact_item where declaration_date = date '{day}'), \
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
