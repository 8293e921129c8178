//! What goes in: a rule. What comes out: SQL that counts the rows it applies to, and SQL that gives those
//! which break it: `row_key`, `declaration_id`, `item_no`, `found`.
//!
//! In the SQL of a rule the row is called `t`, and `{schema}` is the schema that is checked. Checks that compare rows look at all of them, also when only
//! the added ones are to be judged.

use haetae_schema::Table;
use haetae_warehouse::names::quoted;

use crate::benford::Digits;
use crate::boxplot::{self, Boxed};
use crate::check::{Check, MirrorCheck};
use crate::mirror::{self, Mirror};
use crate::outlier::{self, Far};
use crate::rules::Rule;

/// What stands for the schema in the SQL of rules.
const SCHEMA: &str = "{schema}";
/// Longest text of the values found, in characters.
const FOUND: usize = 200;

/// The statements of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statements {
    /// One row with one number: to how many rows the rule applies.
    pub checked: String,
    /// The rows that break the rule.
    pub violations: String,
    /// What is wrong with them, in words.
    pub reason: String,
}

/// The parts that the statements of a rule are made of.
pub(crate) struct Frame<'a> {
    table: &'a Table,
    schema: &'a str,
    added: bool,
    /// The whole table.
    pub(crate) all: String,
    /// The rows to be judged.
    pub(crate) judged: String,
    pub(crate) when: String,
    /// The columns of the result.
    pub(crate) shown: String,
    /// Those of them that name the row.
    pub(crate) key: String,
    /// The values that are kept beside a row that breaks the rule, as one text.
    pub(crate) found: String,
}

impl Frame<'_> {
    fn other(&self, table: &Table) -> String {
        format!("{}.{}", self.schema, table.name)
    }

    /// Leaves the added rows of `alias` alone, where only they are judged.
    pub(crate) fn only_added(&self, alias: &str) -> String {
        if !self.added {
            return String::new();
        }
        // In brackets: the parser takes all that follows for the right side.
        let same = self.table.key.iter().map(|key| format!("({alias}.{key} is not distinct from a.{key})"));
        format!(" left semi join {} a on {}", self.judged, same.collect::<Vec<_>>().join(" and "))
    }
}

/// The statements for a rule over the tables of `schema`; `added`: over the rows of `added_SCHEMA` alone.
pub fn statements(rule: &Rule, schema: &str, added: bool) -> Statements {
    let table = rule.table;
    let all = format!("{schema}.{}", table.name);
    let judged = if added { format!("added_{all}") } else { all.clone() };
    let when = rule.when.as_deref().unwrap_or("true");
    let (key, found) = (key(rule), found(rule));
    let shown = format!("{key}, substr({found}, 1, {FOUND}) as found");
    let frame = Frame { table, schema, added, all, judged, when: when.to_owned(), shown, key, found };
    let value = rule.columns.first().map(|column| format!("t.{column}")).unwrap_or_default();
    let counted = |condition: &str| format!("select count(*) as checked from {} t where {condition}", frame.judged);
    let checked = match &rule.check {
        Check::Outlier { value, .. } | Check::Boxplot { value, .. } => counted(&format!("({when}) and ({value}) > 0")),
        Check::Benford { .. } => digits(&rule.check).map(|digits| digits.checked(&frame)).unwrap_or_default(),
        Check::Mirror(check) => {
            let complete = mirror::complete(&mirrored(check, &frame));
            format!("select count(*) as checked from {} t where ({when}) and {complete}", frame.all)
        }
        _ => counted(&format!("({when})")),
    };
    let schema_of = |sql: String| sql.replace(SCHEMA, schema);
    Statements {
        checked: schema_of(checked),
        violations: schema_of(violations(rule, &frame, &value)),
        reason: reason(rule),
    }
}

fn violations(rule: &Rule, frame: &Frame<'_>, value: &str) -> String {
    let Frame { judged, when, shown, .. } = frame;
    let breaking =
        |holds: &str| format!("select {shown} from {judged} t where ({when}) and not coalesce(({holds}), true)");
    match &rule.check {
        Check::NotNull => {
            let filled = rule.columns.iter().map(|name| {
                let text = rule.table.column(name).is_some_and(|c| c.data_type == arrow::datatypes::DataType::Utf8);
                if text { format!("coalesce(trim(t.{name}), '') <> ''") } else { format!("t.{name} is not null") }
            });
            breaking(&filled.collect::<Vec<_>>().join(" and "))
        }
        Check::CodeList => {
            let column = rule.columns.first().and_then(|name| rule.table.column(name));
            let codes = column.and_then(|column| column.code_list).map_or(&[][..], |list| list.codes);
            let codes: Vec<String> = codes.iter().map(|(code, _)| quoted(code)).collect();
            breaking(&format!("cast({value} as varchar) in ({})", codes.join(", ")))
        }
        Check::Reference { table, column } => {
            let other = frame.other(table);
            format!(
                "select {shown} from {judged} t where ({when}) and {value} is not null \
                 and not exists (select 1 from {other} r where r.{column} = {value})"
            )
        }
        Check::Range { min, above, max } => {
            let bounds = [(">=", min), (">", above), ("<=", max)];
            let bounds =
                bounds.iter().filter_map(|(sign, bound)| Some(format!("{value} {sign} {}", (*bound).as_ref()?)));
            breaking(&bounds.collect::<Vec<_>>().join(" and "))
        }
        Check::Matches { pattern } => breaking(&format!("regexp_like({value}, {})", quoted(pattern))),
        Check::CheckDigit { scheme } => breaking(&scheme.sql(value)),
        Check::Unique => {
            let (columns, all) = (rule.columns.join(", "), &frame.all);
            let same = rule.columns.iter().map(|name| format!("(t.{name} is not distinct from d.{name})"));
            format!(
                "select {shown} from {judged} t join (select {columns} from {all} t where ({when}) group by {columns} \
                 having count(*) > 1) d on {} where ({when})",
                same.collect::<Vec<_>>().join(" and ")
            )
        }
        Check::NearDuplicate { date, within_days } => {
            let columns: Vec<String> = rule.columns.iter().map(|name| format!("t.{name}")).collect();
            let keys: Vec<String> = rule.table.key.iter().map(|name| format!("t.{name}")).collect();
            let day = format!("arrow_cast(t.{date}, 'Int32')");
            format!(
                "select {shown} from (select t.*, {day} - lag({day}) over (partition by {} order by t.{date}, {}) \
                 as days_after from {} t where ({when})) t{} where t.days_after <= {within_days}",
                columns.join(", "),
                keys.join(", "),
                frame.all,
                frame.only_added("t"),
            )
        }
        Check::Outlier { value, groups, min_group, cutoff, factor } => {
            let (min_group, cutoff, factor) = (*min_group, *cutoff, *factor);
            outlier::sql(frame, &Far { value, groups, min_group, cutoff, factor })
        }
        Check::Boxplot { value, groups, min_group, whisker, factor } => {
            let (min_group, whisker, factor) = (*min_group, *whisker, *factor);
            boxplot::sql(frame, &Boxed { value, groups, min_group, whisker, factor })
        }
        Check::Benford { .. } => digits(&rule.check).map(|digits| digits.violations(frame)).unwrap_or_default(),
        Check::Mirror(check) => mirror::sql(frame, &mirrored(check, frame)),
        Check::Vague { terms, min_letters } => {
            let letters = format!("character_length(regexp_replace({value}, '[^\\p{{L}}]', '', 'g')) >= {min_letters}");
            let terms: Vec<String> = terms.iter().map(|term| quoted(term)).collect();
            let named = match terms.as_slice() {
                [] => String::new(),
                some => format!(" and lower(trim({value})) not in ({})", some.join(", ")),
            };
            breaking(&format!("{letters}{named}"))
        }
        Check::Lookup { table, on } => {
            let other = frame.other(table);
            format!("select {shown} from {judged} t where ({when}) and not exists (select 1 from {other} r where {on})")
        }
        Check::Holds { expect } => breaking(expect),
    }
}

/// The parameters of the check of first digits.
fn digits(check: &Check) -> Option<Digits<'_>> {
    let Check::Benford { value, group, digits, min_group, mad, chi_square } = check else { return None };
    let (digits, min_group, mad, chi_square) = (*digits, *min_group, *mad, *chi_square);
    Some(Digits { value, group, digits, min_group, mad, chi_square })
}

/// The parameters of the check against what was declared.
fn mirrored<'a>(check: &'a MirrorCheck, frame: &Frame<'_>) -> Mirror<'a> {
    Mirror {
        other: frame.other(check.table),
        value: &check.value,
        month: &check.month,
        declared: &check.declared,
        declared_on: &check.declared_on,
        declared_when: &check.declared_when,
        pairs: &check.pairs,
        months_after: check.months_after,
        factor: check.factor,
        at_least: check.at_least,
    }
}

/// Leaves the groups `t` (`g0`, `g1` …) alone that have an added row, where only added rows are judged.
pub(crate) fn only_touched(frame: &Frame<'_>, group: &[String]) -> String {
    if !frame.added {
        return String::new();
    }
    let named = |(part, sql): (usize, &String)| format!("coalesce(cast(({sql}) as varchar), '') as g{part}");
    let named: Vec<String> = group.iter().enumerate().map(named).collect();
    let same: Vec<String> = (0..group.len()).map(|part| format!("(t.g{part} = a.g{part})")).collect();
    let (named, same) = (named.join(", "), same.join(" and "));
    format!(" left semi join (select {named} from {} t where ({})) a on {same}", frame.judged, frame.when)
}

/// The key of the row `t`.
fn key(rule: &Rule) -> String {
    let table = rule.table;
    let key: Vec<String> = table.key.iter().map(|name| format!("coalesce(cast(t.{name} as varchar), '')")).collect();
    let own = |name: &str, kind: &str| match table.column(name) {
        Some(_) => format!("t.{name}"),
        None => format!("cast(null as {kind})"),
    };
    format!(
        "concat_ws('/', {}) as row_key, {} as declaration_id, {} as item_no",
        key.join(", "),
        own("declaration_id", "varchar"),
        own("item_no", "int"),
    )
}

/// The values of the rule's columns in the row `t`.
fn found(rule: &Rule) -> String {
    let value = |name: &String| format!("concat('{name} = ', coalesce(cast(t.{name} as varchar), 'null'))");
    format!("concat_ws(', ', {})", rule.columns.iter().map(value).collect::<Vec<_>>().join(", "))
}

fn reason(rule: &Rule) -> String {
    let columns = rule.columns.join(", ");
    let first = rule.columns.first().map_or("", String::as_str);
    match &rule.check {
        Check::NotNull if rule.columns.len() == 1 => format!("{first} is missing"),
        Check::NotNull => format!("one of {columns} is missing"),
        Check::CodeList => format!("{first} is no code of its list"),
        Check::Reference { table, column } => format!("{first} is not found in {}.{column}", table.name),
        Check::Range { min, above, max } => {
            let bounds = [("at least", min), ("more than", above), ("at most", max)];
            let bounds = bounds.iter().filter_map(|(words, bound)| Some(format!("{words} {}", (*bound).as_ref()?)));
            format!("expected {first} to be {}", bounds.collect::<Vec<_>>().join(" and "))
        }
        Check::Matches { pattern } => format!("{first} does not look like {pattern}"),
        Check::CheckDigit { scheme } => format!("expected {first} to be {}", scheme.expected()),
        Check::Unique => format!("another row has the same {columns}"),
        Check::NearDuplicate { within_days, .. } => {
            format!("an earlier row, at most {within_days} days before, has the same {columns}")
        }
        Check::Outlier { value, .. } => format!("{value} is far from that of its like"),
        Check::Boxplot { value, .. } => format!("{value} is beyond the whiskers of its like"),
        Check::Benford { .. } => format!("the first digits of {first} are not as frequent as those of honest numbers"),
        Check::Mirror(check) => format!("{} has much less than this", check.table.name),
        Check::Vague { .. } => format!("{first} says nothing"),
        Check::Lookup { table, .. } => format!("no row of {} fits {columns}", table.name),
        Check::Holds { .. } => format!("broken: {}", rule.says),
    }
}
