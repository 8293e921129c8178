//! What goes in: the reference lists and the schema's code lists. What comes out: the small tables of what is given.

use haetae_schema::{CodeList, codes};

use super::rates::Rates;
use crate::calendar::{DAYS, holiday, weekday, ymd};
use crate::columns::{days, flags, maybe_days, numbers, table, text, whole};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::world::World;

/// Terms of delivery in words of this project; the rules themselves are the International Chamber of Commerce's.
const INCOTERMS: [(&str, &str, bool, bool); 11] = [
    ("CFR", "By ship; the seller pays the freight to the port of arrival", true, false),
    ("CIF", "By ship; the seller pays freight and insurance to the port of arrival", true, true),
    ("CIP", "The seller pays carriage and insurance to the place named", true, true),
    ("CPT", "The seller pays carriage to the place named", true, false),
    ("DAP", "The seller brings the goods to the place named, not unloaded", true, true),
    ("DDP", "The seller brings the goods to the place named, duty paid", true, true),
    ("DPU", "The seller brings the goods to the place named and unloads them", true, true),
    ("EXW", "The buyer fetches the goods from the seller", false, false),
    ("FAS", "The seller brings the goods alongside the ship", false, false),
    ("FCA", "The seller hands the goods to the buyer's carrier", false, false),
    ("FOB", "The seller brings the goods on board the ship", false, false),
];

const METHODS: [(&str, &str, &str); 6] = [
    ("1", "The price paid or payable for these goods", "1"),
    ("2", "The value of identical goods", "2"),
    ("3", "The value of similar goods", "3"),
    ("4", "The price at which the goods are sold on, less what is added at home", "5"),
    ("5", "What it costs to make them, with profit", "6"),
    ("6", "Reasonable means that follow the others", "7"),
];

/// Agreements with the ground of their first schedule, and whether both sides lower their rates.
const AGREEMENTS: [(&str, &str, &str, bool); 19] = [
    ("APTA", "E1", "Asia-Pacific Trade Agreement", true),
    ("ASEAN", "FAS1", "Agreement with ASEAN", true),
    ("AU", "FAU1", "Agreement with Australia", true),
    ("CA", "FCA1", "Agreement with Canada", true),
    ("CENTRAM", "FCE1", "Agreement with Central America", true),
    ("CL", "FCL1", "Agreement with Chile", true),
    ("CN", "FCN1", "Agreement with China", true),
    ("CO", "FCO1", "Agreement with Colombia", true),
    ("EFTA", "FEF1", "Agreement with EFTA", true),
    ("EU", "FEU1", "Agreement with the European Union", true),
    ("GB", "FGB1", "Agreement with the United Kingdom", true),
    ("IN", "FIN1", "Agreement with India", true),
    ("LDC", "R", "Preference for least developed countries", false),
    ("NZ", "FNZ1", "Agreement with New Zealand", true),
    ("PE", "FPE1", "Agreement with Peru", true),
    ("SG", "FSG1", "Agreement with Singapore", true),
    ("TR", "FTR1", "Agreement with Turkiye", true),
    ("US", "FUS1", "Agreement with the United States", true),
    ("VN", "FVN1", "Agreement with Viet Nam", true),
];

/// Days of `dim_date`, to the end of 2024: payments, audits, rulings and decisions come after the last declaration.
const ALL_DAYS: usize = 1_827;
/// Holidays on a fixed day of the year; those by the moon are listed for the days of declarations alone.
const FIXED: [(usize, usize); 9] = [(1, 1), (3, 1), (5, 1), (5, 5), (6, 6), (8, 15), (10, 3), (10, 9), (12, 25)];

fn fixed_holiday(day: usize) -> bool {
    let (_, month, day_of_month) = ymd(day);
    FIXED.contains(&(month, day_of_month))
}

/// Hands the small tables to the sink.
///
/// # Errors
/// What the sink reports.
pub fn write(world: &World, rates: &Rates, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let all: Vec<usize> = (0..ALL_DAYS).collect();
    table(sink, "dim_date", &all, |some| {
        let part = |of: fn(usize) -> usize| whole(some.iter().map(|&day| of(day) as i32));
        vec![
            days(some.iter().map(|&day| day as i32)),
            whole(some.iter().map(|&day| ymd(day).0)),
            part(|day| ymd(day).1.div_ceil(3)),
            part(|day| ymd(day).1),
            part(|day| ymd(day).2),
            part(|day| 1 + weekday(day)),
            part(iso_week),
            flags(some.iter().map(|&day| holiday(day) || day >= DAYS && fixed_holiday(day))),
        ]
    })?;
    codes_of(sink, "dim_procedure", &codes::IMPORT_TYPE)?;
    codes_of(sink, "dim_transport_mode", &codes::TRANSPORT_MODE)?;
    table(sink, "dim_incoterm", &INCOTERMS, |some| {
        vec![
            text(some.iter().map(|i| i.0)),
            text(some.iter().map(|i| i.1)),
            flags(some.iter().map(|i| i.2)),
            flags(some.iter().map(|i| i.3)),
        ]
    })?;
    table(sink, "dim_valuation_method", &METHODS, |some| {
        vec![text(some.iter().map(|m| m.0)), text(some.iter().map(|m| m.1)), text(some.iter().map(|m| m.2))]
    })?;
    agreements(world, sink)?;
    table(sink, "dim_currency_rate", &rates.rows(), |some| {
        vec![
            text(some.iter().map(|r| r.0)),
            days(some.iter().map(|r| r.1)),
            days(some.iter().map(|r| r.1 + 6)),
            numbers(some.iter().map(|r| r.2)),
        ]
    })
}

fn codes_of(sink: &mut Sink<'_>, name: &'static str, list: &CodeList) -> Result<(), SynthError> {
    let mut codes = list.codes.to_vec();
    codes.sort_unstable();
    table(sink, name, &codes, |some| vec![text(some.iter().map(|c| c.0)), text(some.iter().map(|c| c.1))])
}

fn agreements(world: &World, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    table(sink, "dim_agreement", &AGREEMENTS, |some| {
        vec![text(some.iter().map(|a| a.0)), text(some.iter().map(|a| a.2)), flags(some.iter().map(|a| a.3))]
    })?;
    let mut members: Vec<(&str, &str, i32, Option<i32>, &str)> = Vec::new();
    for (c, country) in world.reference.countries.iter().enumerate() {
        for &(ground, from, to) in world.tariff.agreements(c) {
            if let Some((id, ..)) = AGREEMENTS.iter().find(|(_, known, ..)| *known == ground) {
                members.push((id, country.code, from, (to < i32::MAX).then_some(to), ground));
            }
        }
    }
    members.sort_unstable();
    table(sink, "bridge_agreement_country", &members, |some| {
        vec![
            text(some.iter().map(|m| m.0)),
            text(some.iter().map(|m| m.1)),
            days(some.iter().map(|m| m.2)),
            maybe_days(some.iter().map(|m| m.3)),
            text(some.iter().map(|m| m.4)),
        ]
    })
}

/// The week that has the Thursday of the day's week in it (ISO 8601). 2020-01-01 is in week 1, 2021-01-01 in week 53.
fn iso_week(day: usize) -> usize {
    let thursday = day + 3 - weekday(day);
    let begins = (0..=thursday).rev().find(|&day| matches!(ymd(day), (_, 1, 1))).unwrap_or_default();
    1 + (thursday - begins) / 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_those_of_the_standard() {
        assert_eq!([0, 4, 5, 365, 366, 368, 369].map(iso_week), [1, 1, 2, 53, 53, 53, 1]);
        assert_eq!([0, 4, 366].map(weekday), [2, 6, 4]);
        // 2022-01-02, 2022-01-03, 2024-12-29 and 2024-12-31.
        assert_eq!([732, 733, 1_824, 1_826].map(iso_week), [52, 1, 52, 1]);
        assert_eq!(ymd(ALL_DAYS - 1), (2024, 12, 31));
        assert_eq!([790, 1_155].map(ymd), [(2022, 3, 1), (2023, 3, 1)]);
    }
}
