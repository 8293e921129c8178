//! What goes in: rows that say what was sent in a month, and the table of what was declared. What comes out: SQL for the
//! rows that say much more than was declared in that month and those after it.
//!
//! Goods arrive later than they leave, and what arrives costs more by freight and insurance: hence the months after, and
//! a value that the rule has raised. A month is judged when all of these have passed in what was declared: until then
//! more is to come. That is why all rows are looked at, also when only the added ones are to be judged.
//!
//! Practice of mirror statistics: UN, *International Merchandise Trade Statistics:
//! Compilers Manual*, 2010, on reconciliation with partner data.

use crate::sql::Frame;

/// The parameters of the check.
pub(crate) struct Mirror<'a> {
    /// The other table, with its schema.
    pub(crate) other: String,
    pub(crate) value: &'a str,
    pub(crate) month: &'a str,
    pub(crate) declared: &'a str,
    pub(crate) declared_on: &'a str,
    pub(crate) declared_when: &'a str,
    /// Pairs of SQL over the row `t` and over the row `r`.
    pub(crate) pairs: &'a [[String; 2]],
    pub(crate) months_after: u32,
    pub(crate) factor: f64,
    pub(crate) at_least: f64,
}

/// Rows of `frame` whose value is beyond what was declared.
pub(crate) fn sql(frame: &Frame<'_>, mirror: &Mirror<'_>) -> String {
    let Mirror { other, value, month, declared, declared_on, declared_when, pairs, .. } = mirror;
    let parts: Vec<String> = (0..pairs.len()).map(|part| format!("p{part}")).collect();
    let named: String = pairs.iter().zip(&parts).map(|(pair, part)| format!("({}) as {part}, ", pair[1])).collect();
    let parts = parts.join(", ");
    let (mut joins, mut sums) = (String::new(), Vec::new());
    for after in 0..=mirror.months_after {
        let same: String =
            pairs.iter().enumerate().map(|(part, pair)| format!("({}) = d{after}.p{part} and ", pair[0])).collect();
        joins += &format!(
            " left join declared d{after} on {same}cast(date_trunc('month', ({month}) + interval '{after} month') as date) = d{after}.month"
        );
        sums.push(format!("coalesce(d{after}.total, 0)"));
    }
    let total = sums.join(" + ");
    format!(
        "with declared as (select {parts}, month, sum(value) as total from (select {named}\
         cast(date_trunc('month', {declared_on}) as date) as month, ({declared}) as value \
         from {other} r where ({declared_when})) r group by {parts}, month) \
         select {key}, substr(concat({found}, ', declared ', cast(round({total}) as varchar)), 1, 200) as found \
         from {all} t{joins} where ({when}) and {complete} and ({value}) > {factor} * ({total}) and ({value}) - ({total}) >= {at_least}",
        key = frame.key,
        found = frame.found,
        all = frame.all,
        complete = complete(mirror),
        when = frame.when,
        factor = mirror.factor,
        at_least = mirror.at_least,
    )
}

/// SQL: whether something was declared on the last of the days that the row `t` is compared with, or later.
pub(crate) fn complete(mirror: &Mirror<'_>) -> String {
    let Mirror { other, month, declared_on, months_after, .. } = mirror;
    format!(
        "cast(date_trunc('month', ({month}) + interval '{} month') as date) <= \
         (select cast(max({declared_on}) + interval '1 day' as date) from {other} r)",
        months_after + 1
    )
}
