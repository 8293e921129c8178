//! A seed -> feature matrices and declared items of which it is known what decides on fraud.

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

    /// 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        self.below(1 << 53) as f64 / (1_u64 << 53) as f64
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// A matrix of numbers without categories.
pub fn numbers<const N: usize>(columns: [(&str, Vec<f64>); N]) -> FeatureMatrix {
    let (names, columns): (Vec<String>, Vec<Vec<f64>>) =
        columns.into_iter().map(|(name, column)| (name.to_owned(), column)).unzip();
    FeatureMatrix::new(names, columns, vec![false; N]).unwrap()
}

/// A matrix of one categorical feature, `code`.
pub fn codes(column: Vec<f64>) -> FeatureMatrix {
    FeatureMatrix::new(vec!["code".to_owned()], vec![column], vec![true]).unwrap()
}

/// `rows` numbers drawn evenly from 0 to 1.
pub fn even(random: &mut Random, rows: usize) -> Vec<f64> {
    (0..rows).map(|_| random.unit()).collect()
}

pub fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

pub fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let near = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(near || (found.is_nan() && expected.is_nan()), "{what} {i}: found {found}, expected {expected}");
    }
}

/// 2020-01-01, in days since 1970-01-01.
const NEW_YEAR: u64 = 18_262;

/// Items of twenty importers, of which the first four defraud far more often than the others. `goods` are numbers below
/// `goods`, a sixth of the rows has no label, and a found fraud brings duty.
pub fn items(seed: u64, rows: usize, first_day: u64, days: u64, goods: u64) -> DataFrame {
    let mut random = Random::new(seed);
    let (mut day, mut importer, mut good, mut mass, mut fraud, mut duty) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let number = random.below(20);
        let caught = random.percent(if number < 4 { 65 } else { 8 });
        let inspected = random.below(6) > 0;
        day.push((NEW_YEAR + first_day + random.below(days)) as i32);
        importer.push(format!("I{number}"));
        good.push(random.below(goods) as i64);
        mass.push(random.unit() * 100.0);
        fraud.push(inspected.then_some(caught));
        duty.push((inspected && caught).then(|| 1_000.0 * (1 + random.below(50)) as f64));
    }
    let day = Column::new("declaration_date".into(), day).cast(&DataType::Date).unwrap();
    let columns = vec![
        day,
        Column::new("importer_id".into(), importer),
        Column::new("goods".into(), good),
        Column::new("net_mass_kg".into(), mass),
        Column::new("fraud".into(), fraud),
        Column::new("additional_duty_krw".into(), duty),
    ];
    DataFrame::new(rows, columns).unwrap()
}

/// Labels of the rows that have one, as numbers.
pub fn labels(frame: &DataFrame) -> Vec<f64> {
    frame.column("fraud").unwrap().bool().unwrap().iter().flatten().map(f64::from).collect()
}

/// Only the rows that have a label.
pub fn labelled(frame: &DataFrame) -> DataFrame {
    let fraud = frame.column("fraud").unwrap();
    frame.filter(&fraud.is_not_null()).unwrap()
}
