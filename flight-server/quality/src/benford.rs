//! What goes in: a value and a group of rows. What comes out: SQL for the groups whose first digits are not as frequent
//! as those of numbers that have grown by themselves.
//!
//! S. Newcomb (1881) and F. Benford (1938): a number begins with the digits d with probability log10(1 + 1/d). How far
//! the shares of a group are from that is judged as M. Nigrini does (*Benford's Law*, Wiley 2012): by the mean absolute
//! deviation (MAD), beyond which numbers do not conform, and by chi-square, without which few rows would always be far.

use crate::sql::{Frame, only_touched};

/// Beyond these MADs Nigrini speaks of nonconformity: of the first digit, and of the first two.
pub(crate) const NONCONFORMITY: [f64; 2] = [0.015, 0.0022];
/// Chi-square that honest numbers exceed in one case of ten thousand: with 8 and with 89 degrees of freedom.
pub(crate) const CHI_SQUARE: [f64; 2] = [31.83, 147.35];

/// The parameters of the check.
pub(crate) struct Digits<'a> {
    pub(crate) value: &'a str,
    pub(crate) group: &'a [String],
    /// 1: the first digit; 2: the first two.
    pub(crate) digits: u32,
    pub(crate) min_group: u32,
    pub(crate) mad: f64,
    pub(crate) chi_square: f64,
}

impl Digits<'_> {
    /// Common table expressions: `judged`, one row a group that is large enough, with `n`, `mad`, `chi_square`.
    fn with(&self, frame: &Frame<'_>) -> String {
        let Self { value, group, digits, min_group, .. } = self;
        let named: String = group
            .iter()
            .enumerate()
            .map(|(part, sql)| format!("coalesce(cast(({sql}) as varchar), '') as g{part}, "))
            .collect();
        let keys = keys(group.len(), "");
        let (least, most) = (10_u32.pow(digits - 1), 10_u32.pow(*digits));
        let kinds = most - least;
        // A logarithm that is rounded the other way at a power of ten gives a digit too many, or too few. A fraction such
        // as 0.3 is a little less than it says when it is divided by 0.1.
        let first = format!("floor(number / power(10.0, floor(log10(number)) - {}) + 1e-9)", digits - 1);
        format!(
            "with numbers as (select {named}cast(({value}) as double) as number from {all} t where ({when}) and ({value}) > 0), \
             led as (select {keys}, case when first >= {most} then floor(first / 10) when first < {least} then floor(first * 10) \
             else first end as digit from (select {keys}, {first} as first from numbers) d), \
             counted as (select {keys}, count(*) as seen, log10(1 + 1 / digit) as share, \
             sum(count(*)) over (partition by {keys}) as n from led group by {keys}, digit), \
             judged as (select {keys}, min(n) as n, (sum(abs(seen / cast(n as double) - share)) + 1 - sum(share)) / {kinds} as mad, \
             sum((seen - n * share) * (seen - n * share) / (n * share)) + min(n) * (1 - sum(share)) as chi_square \
             from counted group by {keys} having min(n) >= {min_group})",
            all = frame.all,
            when = frame.when,
        )
    }

    /// How many groups are judged.
    pub(crate) fn checked(&self, frame: &Frame<'_>) -> String {
        format!("{} select count(*) as checked from judged t{}", self.with(frame), only_touched(frame, self.group))
    }

    /// The groups that do not conform.
    pub(crate) fn violations(&self, frame: &Frame<'_>) -> String {
        let Self { value, group, digits, mad, chi_square, .. } = self;
        let named = if *digits == 1 { "first digits" } else { "first two digits" };
        let value = value.replace('\'', "''");
        format!(
            "{} select concat_ws('/', {}) as row_key, cast(null as varchar) as declaration_id, cast(null as int) as item_no, \
             concat('{named} of {value} in ', cast(cast(n as bigint) as varchar), ' rows: MAD ', \
             cast(round(mad, 4) as varchar), ', chi-square ', cast(round(chi_square, 1) as varchar)) as found \
             from judged t{} where mad > {mad} and chi_square > {chi_square}",
            self.with(frame),
            keys(group.len(), "t."),
            only_touched(frame, group),
        )
    }
}

fn keys(parts: usize, of: &str) -> String {
    (0..parts).map(|part| format!("{of}g{part}")).collect::<Vec<_>>().join(", ")
}
