//! What goes in: the batches of a file while it is written. What comes out: for each column that the file is sorted by,
//! how many nulls it has and between which values the others lie, so that nobody has to open the file to know.

use std::cmp::Ordering;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{ArrowNumericType, DataType, Date32Type, Int32Type, Int64Type, Schema};
use serde::{Deserialize, Serialize};

/// A longer text would make the manifest long; such a column has no bounds.
const TEXT_BYTES: usize = 64;

/// What is known of one column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The column.
    pub column: String,
    /// Number of nulls.
    pub nulls: u64,
    /// The least and the greatest of the other values; none where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<(Bound, Bound)>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// Of whole numbers, and of days as their number since 1970.
    Whole(i64),
    /// Of texts, by their bytes.
    Text(String),
}

/// Bounds of the rows so far.
#[derive(Debug)]
pub(super) struct Watch {
    columns: Vec<(usize, Bounds)>,
}

impl Watch {
    pub(super) fn new(schema: &Schema, sort: &[&str]) -> Self {
        let known = |name: &&str| {
            let (place, field) = schema.column_with_name(name)?;
            let kinds = [DataType::Utf8, DataType::Date32, DataType::Int32, DataType::Int64];
            let empty = Bounds { column: (*name).to_owned(), nulls: 0, between: None };
            kinds.contains(field.data_type()).then_some((place, empty))
        };
        Self { columns: sort.iter().filter_map(known).collect() }
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) {
        for (place, bounds) in &mut self.columns {
            let Some(values) = batch.columns().get(*place) else { continue };
            let found = match values.data_type() {
                DataType::Utf8 => {
                    let texts = values.as_string::<i32>();
                    min_string(texts).zip(max_string(texts)).map(|(a, b)| (Bound::from(a), Bound::from(b)))
                }
                DataType::Date32 => whole::<Date32Type>(values.as_ref()),
                DataType::Int32 => whole::<Int32Type>(values.as_ref()),
                _ => whole::<Int64Type>(values.as_ref()),
            };
            bounds.widen(values.null_count() as u64, found);
        }
    }

    pub(super) fn finish(self) -> Vec<Bounds> {
        self.columns.into_iter().map(|(_, bounds)| bounds).filter(Bounds::is_short).collect()
    }
}

impl From<&str> for Bound {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

fn whole<T: ArrowNumericType>(values: &dyn Array) -> Option<(Bound, Bound)>
where
    T::Native: Into<i64>,
{
    let values = values.as_primitive::<T>();
    min(values).zip(max(values)).map(|(a, b)| (Bound::Whole(a.into()), Bound::Whole(b.into())))
}

impl Bounds {
    /// Takes in more rows.
    fn widen(&mut self, nulls: u64, found: Option<(Bound, Bound)>) {
        self.nulls += nulls;
        let Some((least, greatest)) = found else { return };
        let lower = |a: Bound, b: Bound| if a.cmp(&b) == Ordering::Greater { b } else { a };
        self.between = Some(match self.between.take() {
            None => (least, greatest),
            Some((low, high)) => (lower(low, least), if high < greatest { greatest } else { high }),
        });
    }

    /// Of the whole file: a long text may lie between two short ones.
    fn is_short(&self) -> bool {
        let short = |bound: &Bound| !matches!(bound, Bound::Text(text) if text.len() > TEXT_BYTES);
        self.between.as_ref().is_none_or(|(least, greatest)| short(least) && short(greatest))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn a_long_text_between_short_ones_does_not_matter() {
        let long = "m".repeat(TEXT_BYTES + 1);
        let bounds = |batches: &[&[&str]]| {
            let batch = |texts: &&[&str]| {
                let texts = Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
                RecordBatch::try_from_iter([("id", texts)]).unwrap()
            };
            let batches: Vec<RecordBatch> = batches.iter().map(batch).collect();
            let mut watch = Watch::new(&batches[0].schema(), &["id"]);
            batches.iter().for_each(|batch| watch.add(batch));
            watch.finish()
        };
        let between = Some((Bound::from("a"), Bound::from("z")));
        assert_eq!(bounds(&[&[&long], &["a", "z"]]), [Bounds { column: "id".to_owned(), nulls: 0, between }]);
        assert_eq!(bounds(&[&["a"], &[&long]]), []);
        assert_eq!(bounds(&[&[&long], &["z"]]), []);
    }
}
