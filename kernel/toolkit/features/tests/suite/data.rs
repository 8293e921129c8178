//! A seed -> declared items that repeat their parties and days, and frames of them.

use haetae_features::FeatureMatrix;
use polars::prelude::*;

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub day: i32,
    pub importer: Option<String>,
    pub office: Option<i64>,
    pub hs6: Option<String>,
    pub mass: Option<f64>,
    pub price: Option<f64>,
    pub fraud: Option<bool>,
}

/// 2020-01-01, in days since 1970-01-01.
pub const NEW_YEAR: i32 = 18_262;

const HS6: [&str; 5] = ["010121", "010129", "640399", "640391", "870323"];

/// Rows of twelve days from `first_day`, of five importers from number `first_importer`, in no order.
pub fn rows(seed: u64, count: usize, first_day: i32, first_importer: u64) -> Vec<Row> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| Row {
            day: first_day + random.below(12) as i32,
            importer: (!random.one_in(6)).then(|| format!("I{}", first_importer + random.below(5))),
            office: (!random.one_in(8)).then(|| random.below(3) as i64),
            hs6: (!random.one_in(12)).then(|| HS6[random.below(5) as usize].to_owned()),
            // 0 is what a clerk writes who does not know the mass.
            mass: (!random.one_in(10)).then(|| random.below(20) as f64 / 2.0),
            price: (!random.one_in(10)).then(|| random.below(1_000) as f64),
            fraud: (!random.one_in(4)).then(|| random.below(10) < 3),
        })
        .collect()
}

pub fn frame(rows: &[Row]) -> DataFrame {
    let days = days(&rows.iter().map(|row| row.day).collect::<Vec<_>>());
    let importers: Vec<Option<&str>> = rows.iter().map(|row| row.importer.as_deref()).collect();
    let hs6: Vec<Option<&str>> = rows.iter().map(|row| row.hs6.as_deref()).collect();
    let columns = vec![
        days.with_name("declaration_date".into()),
        Column::new("importer_id".into(), importers),
        Column::new("office_id".into(), rows.iter().map(|row| row.office).collect::<Vec<_>>()),
        Column::new("hs6".into(), hs6),
        Column::new("net_mass_kg".into(), rows.iter().map(|row| row.mass).collect::<Vec<_>>()),
        Column::new("item_price_krw".into(), rows.iter().map(|row| row.price).collect::<Vec<_>>()),
        Column::new("fraud".into(), rows.iter().map(|row| row.fraud).collect::<Vec<_>>()),
    ];
    DataFrame::new(rows.len(), columns).unwrap()
}

/// A `Date` column named `day`.
pub fn days(days: &[i32]) -> Column {
    Column::new("day".into(), days).cast(&DataType::Date).unwrap()
}

/// A feature by its name, so that a change of the order does not pass unseen.
pub fn feature<'a>(matrix: &'a FeatureMatrix, name: &str) -> &'a [f64] {
    let position = matrix.position(name).unwrap_or_else(|| panic!("{name} is not among {:?}", matrix.names()));
    matrix.column(position)
}

/// The bits of one row, for which NaN equals NaN.
pub fn bits(matrix: &FeatureMatrix, row: usize) -> Vec<u64> {
    (0..matrix.columns()).map(|column| matrix.value(row, column).to_bits()).collect()
}

/// Equal numbers, or both missing; `tolerance` is relative to numbers above 1.
pub fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: number of rows");
    for (row, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let near = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        let same = near || (found.is_nan() && expected.is_nan());
        assert!(same, "{what}, row {row}: found {found}, expected {expected}");
    }
}
