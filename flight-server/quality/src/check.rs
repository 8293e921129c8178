//! What goes in: the name of a check and its parameters. What comes out: the check, or what is wrong.

use arrow::datatypes::DataType;
use haetae_schema::Table;
use haetae_warehouse::names::{hint, near};
use serde::Deserialize;

use crate::benford::{CHI_SQUARE, NONCONFORMITY};
use crate::digits::Scheme;
use crate::rules::unknown_column;

/// What a rule checks of the rows that it applies to. A null passes every check but `NotNull`; `Unique` and
/// `NearDuplicate` take nulls for equal, and to `Lookup` a null fits no row.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// No column is null or blank.
    NotNull,
    /// The column holds a code of its list.
    CodeList,
    /// The value is found in a column of another table of the same schema.
    Reference {
        /// The other table.
        table: &'static Table,
        /// Its column.
        column: String,
    },
    /// The value lies within bounds.
    Range {
        /// At least this.
        min: Option<f64>,
        /// More than this.
        above: Option<f64>,
        /// At most this.
        max: Option<f64>,
    },
    /// The text matches a regular expression.
    Matches {
        /// In the syntax of Rust's `regex`.
        pattern: String,
    },
    /// The last digit follows from the others.
    CheckDigit {
        /// By which rule.
        scheme: Scheme,
    },
    /// No other row has the same values in all columns.
    Unique,
    /// No earlier row within some days has the same values in all columns.
    NearDuplicate {
        /// The column with the date.
        date: String,
        /// The number of days.
        within_days: u32,
    },
    /// The value is not far from those of its group, on a logarithmic scale.
    Outlier {
        /// SQL over the row `t`: a positive number. Other rows are not judged.
        value: String,
        /// Groups, each a list of SQL over the row `t`; the first that is large enough counts.
        groups: Vec<Vec<String>>,
        /// A smaller group does not count.
        min_group: u32,
        /// How many robust standard deviations (1.4826 times the MAD) are far.
        cutoff: f64,
        /// And by which factor the value has to differ from the median.
        factor: f64,
    },
    /// The value is within the whiskers of the adjusted boxplot of its group.
    Boxplot {
        /// SQL over the row `t`: a positive number. Other rows are not judged.
        value: String,
        /// Groups, each a list of SQL over the row `t`; the first that is large enough counts.
        groups: Vec<Vec<String>>,
        /// A smaller group does not count.
        min_group: u32,
        /// How many times the adjusted spread a whisker is long.
        whisker: f64,
        /// And by which factor the value has to differ from the median.
        factor: f64,
    },
    /// The first digits of a group's values are as frequent as Benford's law has them. What breaks it is a group.
    Benford {
        /// SQL over the row `t`: a positive number. Other rows do not count.
        value: String,
        /// SQL over the row `t`: rows that agree on all of it are a group.
        group: Vec<String>,
        /// 1: the first digit; 2: the first two.
        digits: u32,
        /// A smaller group is not judged.
        min_group: u32,
        /// The largest mean absolute deviation.
        mad: f64,
        /// And the largest chi-square.
        chi_square: f64,
    },
    /// A partner's report is not far beyond what was declared.
    Mirror(Box<MirrorCheck>),
    /// The text says something: it is none of the terms, and has letters enough.
    Vague {
        /// Texts that say nothing, in small letters.
        terms: Vec<String>,
        /// The fewest letters.
        min_letters: u32,
    },
    /// There is a row in another table of the same schema that fits.
    Lookup {
        /// The other table.
        table: &'static Table,
        /// SQL over the row `t` and the other row `r`.
        on: String,
    },
    /// A condition is true.
    Holds {
        /// SQL over the row `t`.
        expect: String,
    },
}

/// How reports of partner countries are compared with declarations.
#[derive(Debug, Clone, PartialEq)]
pub struct MirrorCheck {
    /// The table of the same schema that has what was declared.
    pub table: &'static Table,
    /// SQL over the row `t`: what was reported, as it would be declared.
    pub value: String,
    /// SQL over the row `t`: a day in the month of the report.
    pub month: String,
    /// SQL over the row `r` of the other table: what was declared.
    pub declared: String,
    /// SQL over the row `r`: the day on which it was.
    pub declared_on: String,
    /// SQL over the row `r`: which rows count.
    pub declared_when: String,
    /// What has to be the same: SQL over the row `t`, SQL over the row `r`.
    pub pairs: Vec<[String; 2]>,
    /// How many months after that of the report count too, at most 3.
    pub months_after: u32,
    /// The report may be at most so many times what was declared,
    pub factor: f64,
    /// or less than this more.
    pub at_least: f64,
}

/// All parameters that checks know.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    table: Option<String>,
    column: Option<String>,
    min: Option<f64>,
    above: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    scheme: Option<String>,
    date: Option<String>,
    within_days: Option<u32>,
    value: Option<String>,
    groups: Option<Vec<Vec<String>>>,
    min_group: Option<u32>,
    cutoff: Option<f64>,
    factor: Option<f64>,
    terms: Option<Vec<String>>,
    min_letters: Option<u32>,
    on: Option<String>,
    expect: Option<String>,
    group: Option<Vec<String>>,
    digits: Option<u32>,
    mad: Option<f64>,
    chi_square: Option<f64>,
    whisker: Option<f64>,
    month: Option<String>,
    declared: Option<String>,
    declared_on: Option<String>,
    declared_when: Option<String>,
    pairs: Option<Vec<[String; 2]>>,
    months_after: Option<u32>,
    at_least: Option<f64>,
}

/// Name of each check and the parameters that it takes.
const CHECKS: [(&str, &[&str]); 15] = [
    ("not_null", &[]),
    ("code_list", &[]),
    ("reference", &["table", "column"]),
    ("range", &["min", "above", "max"]),
    ("matches", &["pattern"]),
    ("check_digit", &["scheme"]),
    ("unique", &[]),
    ("near_duplicate", &["date", "within_days"]),
    ("outlier", &["value", "groups", "min_group", "cutoff", "factor"]),
    ("boxplot", &["value", "groups", "min_group", "whisker", "factor"]),
    ("benford", &["value", "group", "digits", "min_group", "mad", "chi_square"]),
    (
        "mirror",
        &[
            "table",
            "value",
            "month",
            "declared",
            "declared_on",
            "declared_when",
            "pairs",
            "months_after",
            "factor",
            "at_least",
        ],
    ),
    ("vague", &["terms", "min_letters"]),
    ("lookup", &["table", "on"]),
    ("sql", &["expect"]),
];

impl Parameters {
    fn given(&self) -> Vec<&'static str> {
        let given = [
            ("table", self.table.is_some()),
            ("column", self.column.is_some()),
            ("min", self.min.is_some()),
            ("above", self.above.is_some()),
            ("max", self.max.is_some()),
            ("pattern", self.pattern.is_some()),
            ("scheme", self.scheme.is_some()),
            ("date", self.date.is_some()),
            ("within_days", self.within_days.is_some()),
            ("value", self.value.is_some()),
            ("groups", self.groups.is_some()),
            ("min_group", self.min_group.is_some()),
            ("cutoff", self.cutoff.is_some()),
            ("factor", self.factor.is_some()),
            ("terms", self.terms.is_some()),
            ("min_letters", self.min_letters.is_some()),
            ("on", self.on.is_some()),
            ("expect", self.expect.is_some()),
            ("group", self.group.is_some()),
            ("digits", self.digits.is_some()),
            ("mad", self.mad.is_some()),
            ("chi_square", self.chi_square.is_some()),
            ("whisker", self.whisker.is_some()),
            ("month", self.month.is_some()),
            ("declared", self.declared.is_some()),
            ("declared_on", self.declared_on.is_some()),
            ("declared_when", self.declared_when.is_some()),
            ("pairs", self.pairs.is_some()),
            ("months_after", self.months_after.is_some()),
            ("at_least", self.at_least.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }
}

/// The check, or everything that is wrong with it.
pub(crate) fn read(table: &Table, columns: &[String], name: &str, given: Parameters) -> Result<Check, Vec<String>> {
    let Some((_, allowed)) = CHECKS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = CHECKS.iter().map(|(known, _)| *known).collect();
        let meant = hint(&near(name, known.iter().copied()));
        return Err(vec![format!("there is no check \"{name}\".{meant} The checks are {}", known.join(", "))]);
    };
    let strange: Vec<String> = given
        .given()
        .into_iter()
        .filter(|name| !allowed.contains(name))
        .map(|other| match allowed {
            [] => format!("the check {name} has no parameters; remove {other}"),
            some => format!("the check {name} has no parameter {other}; it takes {}", some.join(", ")),
        })
        .collect();
    if !strange.is_empty() {
        return Err(strange);
    }
    let first = columns.first().and_then(|column| table.column(column));
    build(table, name, first, given).map_err(|what| vec![what])
}

fn build(
    table: &Table,
    name: &str,
    first: Option<&'static haetae_schema::Column>,
    given: Parameters,
) -> Result<Check, String> {
    let missing = |parameter: &str| format!("the check {name} needs the parameter {parameter}");
    let star = |wanted: &str| {
        let known: Vec<&str> = haetae_schema::tables().iter().map(|table| table.name).collect();
        let meant = hint(&near(wanted, known.iter().copied()));
        haetae_schema::table(wanted).ok_or_else(|| format!("there is no table \"{wanted}\".{meant}"))
    };
    let must_be_text = || match first {
        Some(column) if column.data_type != DataType::Utf8 => {
            Err(format!("the check {name} reads texts, but the column {} is {}", column.name, column.data_type))
        }
        _ => Ok(()),
    };
    Ok(match name {
        "not_null" => Check::NotNull,
        "code_list" => match first {
            Some(column) if column.code_list.is_none() => {
                return Err(format!("the column {} has no code list; use the check reference or sql", column.name));
            }
            _ => Check::CodeList,
        },
        "reference" => {
            let other = star(&given.table.ok_or_else(|| missing("table"))?)?;
            let column = given.column.ok_or_else(|| missing("column"))?;
            match unknown_column(other, &column) {
                Some(what) => return Err(what),
                None => Check::Reference { table: other, column },
            }
        }
        "range" => {
            let (min, above, max) = (given.min, given.above, given.max);
            if min.is_none() && above.is_none() && max.is_none() {
                return Err(missing("min, above or max"));
            }
            if [min, above, max].into_iter().flatten().any(|bound| !bound.is_finite()) {
                return Err("a bound has to be a finite number".to_owned());
            }
            match first {
                Some(column) if !column.data_type.is_numeric() => {
                    return Err(format!("the check range needs numbers, but {} is {}", column.name, column.data_type));
                }
                _ => Check::Range { min, above, max },
            }
        }
        "matches" => {
            must_be_text()?;
            Check::Matches { pattern: given.pattern.ok_or_else(|| missing("pattern"))? }
        }
        "check_digit" => {
            must_be_text()?;
            let wanted = given.scheme.ok_or_else(|| missing("scheme"))?;
            let known = Scheme::ALL.map(Scheme::name);
            let scheme = Scheme::ALL.into_iter().find(|scheme| scheme.name() == wanted);
            let scheme = scheme.ok_or_else(|| {
                let meant = hint(&near(&wanted, known));
                format!("there is no scheme \"{wanted}\".{meant} The schemes are {}", known.join(", "))
            })?;
            Check::CheckDigit { scheme }
        }
        "unique" => Check::Unique,
        "near_duplicate" => {
            let date = given.date.ok_or_else(|| missing("date"))?;
            let within_days = given.within_days.ok_or_else(|| missing("within_days"))?;
            match table.column(&date) {
                None => return Err(unknown_column(table, &date).unwrap_or_default()),
                Some(column) if column.data_type != DataType::Date32 => {
                    return Err(format!("date must name a column of dates, but {date} is {}", column.data_type));
                }
                _ => Check::NearDuplicate { date, within_days },
            }
        }
        "outlier" => {
            let Grouped { value, groups, min_group, factor } = grouped(name, &given)?;
            let cutoff = given.cutoff.unwrap_or(4.0);
            if !(cutoff > 0.0 && cutoff.is_finite()) {
                return Err(format!("expected a cutoff above 0, found {cutoff}"));
            }
            Check::Outlier { value, groups, min_group, cutoff, factor }
        }
        "boxplot" => {
            let Grouped { value, groups, min_group, factor } = grouped(name, &given)?;
            let whisker = given.whisker.unwrap_or(1.5);
            if !(whisker > 0.0 && whisker.is_finite()) {
                return Err(format!("expected a whisker above 0, found {whisker}"));
            }
            Check::Boxplot { value, groups, min_group, whisker, factor }
        }
        "benford" => benford(given)?,
        "mirror" => {
            Check::Mirror(Box::new(mirror(star(&given.table.clone().ok_or_else(|| missing("table"))?)?, given)?))
        }
        "vague" => {
            must_be_text()?;
            let terms = given.terms.unwrap_or_default().into_iter().map(|term| term.trim().to_lowercase()).collect();
            Check::Vague { terms, min_letters: given.min_letters.unwrap_or(2) }
        }
        "lookup" => Check::Lookup {
            table: star(&given.table.ok_or_else(|| missing("table"))?)?,
            on: given.on.ok_or_else(|| missing("on"))?,
        },
        _ => Check::Holds { expect: given.expect.ok_or_else(|| missing("expect"))? },
    })
}

/// What checks that compare a value with its group have in common.
struct Grouped {
    value: String,
    groups: Vec<Vec<String>>,
    min_group: u32,
    factor: f64,
}

fn grouped(name: &str, given: &Parameters) -> Result<Grouped, String> {
    let missing = |parameter: &str| format!("the check {name} needs the parameter {parameter}");
    let groups = given.groups.clone().ok_or_else(|| missing("groups"))?;
    if groups.is_empty() || groups.iter().any(Vec::is_empty) {
        return Err("groups must be lists with at least one expression each, the finest first".to_owned());
    }
    let factor = given.factor.unwrap_or(1.0);
    if !(factor >= 1.0 && factor.is_finite()) {
        return Err(format!("expected a factor of at least 1, found {factor}"));
    }
    let min_group = given.min_group.unwrap_or(8);
    if min_group < 3 {
        return Err(format!("min_group is {min_group}; a spread needs 3 rows at least"));
    }
    let value = given.value.clone().ok_or_else(|| missing("value"))?;
    Ok(Grouped { value, groups, min_group, factor })
}

fn benford(given: Parameters) -> Result<Check, String> {
    let missing = |parameter: &str| format!("the check benford needs the parameter {parameter}");
    let group = given.group.filter(|group| !group.is_empty()).ok_or_else(|| missing("group"))?;
    let digits = given.digits.unwrap_or(1);
    let (Some(mad), Some(chi_square)) = (bound(&NONCONFORMITY, digits), bound(&CHI_SQUARE, digits)) else {
        return Err(format!("digits is {digits}; expected 1 for the first digit or 2 for the first two"));
    };
    let min_group = given.min_group.unwrap_or(200);
    if min_group < 100 {
        return Err(format!("min_group is {min_group}; the first digits of fewer than 100 rows say nothing"));
    }
    let (mad, chi_square) = (given.mad.unwrap_or(mad), given.chi_square.unwrap_or(chi_square));
    if !(mad >= 0.0 && chi_square >= 0.0 && mad.is_finite() && chi_square.is_finite()) {
        return Err(format!("expected bounds of at least 0, found mad {mad} and chi_square {chi_square}"));
    }
    Ok(Check::Benford {
        value: given.value.ok_or_else(|| missing("value"))?,
        group,
        digits,
        min_group,
        mad,
        chi_square,
    })
}

fn bound(of: &[f64; 2], digits: u32) -> Option<f64> {
    of.get((digits as usize).checked_sub(1)?).copied()
}

fn mirror(table: &'static Table, given: Parameters) -> Result<MirrorCheck, String> {
    let text = |value: Option<String>, parameter: &str| {
        value.ok_or_else(|| format!("the check mirror needs the parameter {parameter}"))
    };
    let (factor, at_least) = (given.factor.unwrap_or(2.0), given.at_least.unwrap_or(0.0));
    if !(factor >= 1.0 && factor.is_finite() && at_least >= 0.0 && at_least.is_finite()) {
        return Err(format!(
            "expected a factor of at least 1 and an at_least of at least 0, found {factor} and {at_least}"
        ));
    }
    let months_after = given.months_after.unwrap_or(1);
    if months_after > 3 {
        return Err(format!("months_after is {months_after}; expected 0 to 3"));
    }
    let pairs = given.pairs.filter(|pairs| !pairs.is_empty());
    Ok(MirrorCheck {
        table,
        value: text(given.value, "value")?,
        month: text(given.month, "month")?,
        declared: text(given.declared, "declared")?,
        declared_on: text(given.declared_on, "declared_on")?,
        declared_when: given.declared_when.unwrap_or_else(|| "true".to_owned()),
        pairs: pairs.ok_or("the check mirror needs the parameter pairs")?,
        months_after,
        factor,
        at_least,
    })
}
