//! What goes in: a folder made by the generator. What comes out: columns as plain vectors.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Date32Type, Float64Type, Int8Type, Int32Type, SchemaRef};
use haetae_synth::{Options, Summary, generate};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

/// 2021-01-01 and 2021-04-01 as Date32.
pub const YEAR_2021: i32 = 18_628;
pub const APRIL_2021: i32 = 18_718;

pub fn options(out: &Path, seed: u64, items: u64) -> Options {
    Options { seed, items, out: out.to_owned(), ..Options::default() }
}

/// One data set of 60,000 items, made once for all tests that only look.
pub fn demo() -> &'static (TempDir, PathBuf, Summary) {
    static DEMO: OnceLock<(TempDir, PathBuf, Summary)> = OnceLock::new();
    DEMO.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("demo");
        let summary = generate(&options(&out, 7, 60_000), &|_| {}).unwrap();
        (home, out, summary)
    })
}

/// One table read whole.
pub struct Frame(pub RecordBatch);

impl Frame {
    pub fn read(path: &Path) -> Self {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let schema: SchemaRef = Arc::clone(builder.schema());
        let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
        Self(concat_batches(&schema, &batches).unwrap())
    }

    pub fn table(name: &str) -> Self {
        Self::read(&demo().1.join("tables").join(format!("{name}.parquet")))
    }

    pub fn truth(name: &str) -> Self {
        Self::read(&demo().1.join("truth").join(format!("{name}.parquet")))
    }

    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    pub fn column(&self, name: &str) -> &ArrayRef {
        self.0.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// A text column; `None` where null.
    pub fn text(&self, name: &str) -> Vec<Option<&str>> {
        self.column(name).as_string::<i32>().iter().collect()
    }

    /// A text column without nulls.
    pub fn word(&self, name: &str) -> Vec<&str> {
        self.text(name).into_iter().map(|x| x.unwrap_or_else(|| panic!("null in {name}"))).collect()
    }

    pub fn number(&self, name: &str) -> Vec<f64> {
        self.column(name).as_primitive::<Float64Type>().iter().map(Option::unwrap).collect()
    }

    pub fn whole(&self, name: &str) -> Vec<i32> {
        self.column(name).as_primitive::<Int32Type>().values().to_vec()
    }

    /// A column of days without nulls.
    pub fn day(&self, name: &str) -> Vec<i32> {
        self.date(name).into_iter().map(|x| x.unwrap_or_else(|| panic!("null in {name}"))).collect()
    }

    pub fn flag(&self, name: &str) -> Vec<bool> {
        self.column(name).as_boolean().iter().map(Option::unwrap).collect()
    }

    pub fn date(&self, name: &str) -> Vec<Option<i32>> {
        self.column(name).as_primitive::<Date32Type>().iter().collect()
    }

    pub fn class(&self) -> Vec<i8> {
        self.column("fraud_class").as_primitive::<Int8Type>().values().to_vec()
    }

    /// (declaration, line) of each row.
    pub fn keys(&self) -> Vec<(&str, i32)> {
        let item_no = self.column("item_no").as_primitive::<Int32Type>();
        self.word("declaration_id").into_iter().zip(item_no.values().iter().copied()).collect()
    }

    /// Row number of each (declaration, line).
    pub fn index(&self) -> HashMap<(&str, i32), usize> {
        self.keys().into_iter().enumerate().map(|(row, key)| (key, row)).collect()
    }

    pub fn null_share(&self, name: &str) -> f64 {
        self.column(name).null_count() as f64 / self.rows() as f64
    }
}

/// Share of each value.
pub fn shares<'a>(values: &[&'a str]) -> HashMap<&'a str, f64> {
    let mut shares = HashMap::new();
    values.iter().for_each(|v| *shares.entry(*v).or_insert(0.0) += 1.0 / values.len() as f64);
    shares
}

pub fn distinct<T: Eq + std::hash::Hash>(values: impl IntoIterator<Item = T>) -> usize {
    values.into_iter().collect::<std::collections::HashSet<_>>().len()
}
