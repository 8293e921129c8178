//! What goes in: a value and groups of rows. What comes out: SQL for the rows whose value is far from the
//! median of their group, measured by the median absolute deviation (MAD) of logarithms.
//!
//! Medians do not move when a few values are wrong, and ratios are what errors of units and currencies
//! change: hence the logarithm. 1.4826 times the MAD is the standard deviation of a normal distribution.

use crate::sql::Frame;

/// A normal distribution's standard deviation in units of its MAD.
const NORMAL: f64 = 1.4826;

/// The parameters of the check.
pub(crate) struct Far<'a> {
    pub(crate) value: &'a str,
    pub(crate) groups: &'a [Vec<String>],
    pub(crate) min_group: u32,
    pub(crate) cutoff: f64,
    pub(crate) factor: f64,
}

/// Rows of `frame` that are far from the median of the first of their groups that is large enough.
pub(crate) fn sql(frame: &Frame<'_>, far: &Far<'_>) -> String {
    let Far { value, groups, min_group, cutoff, factor } = far;
    let mut with = vec![format!(
        "v as (select t.*, ln({value}) as ln_value{} from {} t where ({}) and ({value}) > 0)",
        named(groups),
        frame.all,
        frame.when
    )];
    let (mut joins, mut middle, mut spread) = (String::new(), Vec::new(), Vec::new());
    for level in 0..groups.len() {
        let (plain, on_m) =
            (keys(groups, level, "").join(", "), pairs(&keys(groups, level, "v."), &keys(groups, level, "m.")));
        let of_v = keys(groups, level, "v.").join(", ");
        with.push(format!(
            "m{level} as (select {plain}, median(ln_value) as middle from v group by {plain} having count(*) >= {min_group})"
        ));
        with.push(format!(
            "s{level} as (select {of_v}, min(m.middle) as middle, median(abs(v.ln_value - m.middle)) as mad \
             from v join m{level} m on {on_m} group by {of_v})"
        ));
        let s = format!("s{level}");
        joins +=
            &format!(" left join {s} on {}", pairs(&keys(groups, level, "t."), &keys(groups, level, &format!("{s}."))));
        middle.push(format!("{s}.middle"));
        spread.push(format!("{s}.mad"));
    }
    let (middle, spread) = (middle.join(", "), spread.join(", "));
    format!(
        "with {} select {} from v t{joins}{} where abs(t.ln_value - coalesce({middle})) > \
         greatest({} * coalesce({spread}), {})",
        with.join(", "),
        frame.shown,
        frame.only_added("t"),
        cutoff * NORMAL,
        factor.ln(),
    )
}

pub(crate) fn pairs(left: &[String], right: &[String]) -> String {
    left.iter().zip(right).map(|(a, b)| format!("{a} = {b}")).collect::<Vec<_>>().join(" and ")
}

/// The columns that name the groups of a level, as `named` calls them.
pub(crate) fn keys(groups: &[Vec<String>], level: usize, of: &str) -> Vec<String> {
    (0..groups.get(level).map_or(0, Vec::len)).map(|part| format!("{of}g{level}_{part}")).collect()
}

/// The columns by which rows fall into groups, each with a comma before it.
pub(crate) fn named(groups: &[Vec<String>]) -> String {
    let named = groups.iter().enumerate().flat_map(|(level, parts)| {
        parts.iter().enumerate().map(move |(part, sql)| {
            // Nulls of a group are alike.
            format!(", coalesce(cast(({sql}) as varchar), '') as g{level}_{part}")
        })
    });
    named.collect()
}
