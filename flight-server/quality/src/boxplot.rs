//! What goes in: a value and groups of rows. What comes out: SQL for the rows that lie beyond the whiskers of the
//! adjusted boxplot of their group.
//!
//! M. Hubert, E. Vandervieren, *An adjusted boxplot for skewed distributions*, Computational Statistics & Data Analysis
//! 52 (2008): whiskers are as long as the data is skewed, by exponentials of the medcouple MC. From MC = 0 up they end
//! at Q1 - w exp(-4 MC) IQR and Q3 + w exp(3 MC) IQR, below it at Q1 - w exp(-3 MC) IQR and Q3 + w exp(4 MC) IQR.

use crate::outlier::{keys, named, pairs};
use crate::sql::Frame;

/// The parameters of the check.
pub(crate) struct Boxed<'a> {
    pub(crate) value: &'a str,
    pub(crate) groups: &'a [Vec<String>],
    pub(crate) min_group: u32,
    /// How many times the adjusted spread a whisker is long: 1.5 in the paper.
    pub(crate) whisker: f64,
    pub(crate) factor: f64,
}

/// Rows of `frame` beyond the whiskers of the first of their groups that is large enough.
pub(crate) fn sql(frame: &Frame<'_>, boxed: &Boxed<'_>) -> String {
    let Boxed { value, groups, min_group, whisker, factor } = boxed;
    let mut with = vec![format!(
        "v as (select t.*, cast(({value}) as double) as box_value{} from {} t where ({}) and ({value}) > 0)",
        named(groups),
        frame.all,
        frame.when
    )];
    let (mut joins, mut found) = (String::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for level in 0..groups.len() {
        let plain = keys(groups, level, "").join(", ");
        with.push(format!(
            "q{level} as (select {plain}, percentile_cont(box_value, 0.25) as q1, percentile_cont(box_value, 0.75) as q3, \
             median(box_value) as middle, medcouple(box_value) as mc from v group by {plain} having count(*) >= {min_group})"
        ));
        with.push(format!(
            "b{level} as (select {plain}, middle, \
             q1 - {whisker} * exp(case when mc >= 0 then -4 else -3 end * mc) * (q3 - q1) as low, \
             q3 + {whisker} * exp(case when mc >= 0 then 3 else 4 end * mc) * (q3 - q1) as high from q{level})"
        ));
        let b = format!("b{level}");
        let on = pairs(&keys(groups, level, "t."), &keys(groups, level, &format!("{b}.")));
        joins += &format!(" left join {b} on {on}");
        for (list, name) in found.iter_mut().zip(["low", "high", "middle"]) {
            list.push(format!("{b}.{name}"));
        }
    }
    let [low, high, middle] = found.map(|names| format!("coalesce({})", names.join(", ")));
    format!(
        "with {} select {} from v t{joins}{} where (t.box_value < {low} or t.box_value > {high}) \
         and abs(ln(t.box_value / {middle})) >= {}",
        with.join(", "),
        frame.shown,
        frame.only_added("t"),
        factor.ln(),
    )
}
