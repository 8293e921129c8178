//! What goes in: the columns that rows are sorted by. What comes out: the numbers of the rows in that order.
//!
//! Each column becomes a rank, a whole number of few bits, and the ranks of a row one number: such numbers are sorted
//! several times as fast as texts are compared.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, UInt32Array};
use arrow::compute::{SortColumn, concat, lexsort_to_indices};
use arrow::datatypes::{DataType, Date32Type, Int8Type, Int32Type};

use crate::{Error, Result};

/// What the ranks of a row may take together; the number of the row takes the other 32 bits.
const RANK_BITS: u32 = 96;

/// The numbers of the rows in the order of `columns`, each of which is given in the same pieces (nulls first). Rows
/// that are equal stay in the order in which they came.
pub(super) fn order(columns: &[Vec<ArrayRef>], rows: usize) -> Result<Vec<u32>> {
    if u32::try_from(rows).is_err() {
        return Err(Error::data("sort rows")(format!("{rows} rows at once; a file has fewer than 2³²")));
    }
    let mut keys: Vec<u128> = vec![0; rows];
    let mut bits = 0;
    for column in columns {
        let Some(ranks) = Ranks::of(column, rows) else { return compared(columns, rows) };
        let width = u64::BITS - ranks.most.leading_zeros();
        bits += width;
        if bits > RANK_BITS {
            return compared(columns, rows);
        }
        for (key, rank) in keys.iter_mut().zip(ranks.ranks) {
            *key = (*key << width) | u128::from(rank);
        }
    }
    for (row, key) in keys.iter_mut().enumerate() {
        *key = (*key << u32::BITS) | row as u128;
    }
    if !keys.is_sorted() {
        keys.sort_unstable();
    }
    Ok(keys.into_iter().map(|key| key as u32).collect())
}

/// The same by comparing values: of columns that have no ranks, or too wide ones.
fn compared(columns: &[Vec<ArrayRef>], rows: usize) -> Result<Vec<u32>> {
    let whole = |pieces: &Vec<ArrayRef>| {
        let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
        concat(&pieces).map(|values| SortColumn { values, options: None })
    };
    let keys: Result<Vec<SortColumn>, _> = columns.iter().map(whole).collect();
    let mut keys = keys.map_err(Error::data("sort rows"))?;
    keys.push(SortColumn { values: Arc::new(UInt32Array::from_iter_values(0..rows as u32)), options: None });
    let order = lexsort_to_indices(&keys, None).map_err(Error::data("sort rows"))?;
    Ok(order.values().to_vec())
}

/// For each row a number that is greater where the value is; 0 where there is none.
struct Ranks {
    ranks: Vec<u64>,
    most: u64,
}

impl Ranks {
    /// `None` where values of this type have no ranks.
    fn of(pieces: &[ArrayRef], rows: usize) -> Option<Self> {
        match pieces.first()?.data_type() {
            DataType::Utf8 => Some(Self::texts(pieces, rows)),
            DataType::Date32 => Some(Self::whole::<Date32Type>(pieces, rows)),
            DataType::Int32 => Some(Self::whole::<Int32Type>(pieces, rows)),
            DataType::Int8 => Some(Self::whole::<Int8Type>(pieces, rows)),
            _ => None,
        }
    }

    /// Whole numbers: how far each is from the least.
    fn whole<T: ArrowPrimitiveType>(pieces: &[ArrayRef], rows: usize) -> Self
    where
        T::Native: Into<i64>,
    {
        let values = || pieces.iter().flat_map(|piece| piece.as_primitive::<T>()).map(|value| value.map(Into::into));
        let least = values().flatten().min().unwrap_or(0);
        let mut ranks = Vec::with_capacity(rows);
        ranks.extend(values().map(|value: Option<i64>| value.map_or(0, |value| value.abs_diff(least) + 1)));
        let most = ranks.iter().copied().max().unwrap_or(0);
        Self { ranks, most }
    }

    /// Texts: the place of each among those that differ.
    fn texts(pieces: &[ArrayRef], rows: usize) -> Self {
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        let mut ranks = Vec::with_capacity(rows);
        for text in pieces.iter().flat_map(|piece| piece.as_string::<i32>()) {
            let next = numbers.len() as u64 + 1;
            ranks.push(text.map_or(0, |text| *numbers.entry(text).or_insert(next)));
        }
        let mut texts: Vec<(&str, u64)> = numbers.into_iter().collect();
        texts.sort_unstable();
        let most = texts.len() as u64;
        let mut places = vec![0; texts.len() + 1];
        for (place, (_, number)) in (1..).zip(texts) {
            places[number as usize] = place;
        }
        for rank in &mut ranks {
            *rank = places[*rank as usize];
        }
        Self { ranks, most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Float64Array, StringArray};

    #[test]
    fn ranks_sort_as_values_do() {
        let dates: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from(vec![Some(9), None, Some(-4), Some(9)])),
            Arc::new(Date32Array::from(vec![Some(-4), Some(9), None])),
        ];
        let texts: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![Some("b"), Some("z"), Some("가"), Some("")])),
            Arc::new(StringArray::from(vec![None, Some("b"), Some("a\0")])),
        ];
        let both = [dates, texts];
        assert_eq!(order(&both, 7).unwrap(), [6, 1, 4, 2, 3, 0, 5]);
        assert_eq!(compared(&both, 7).unwrap(), order(&both, 7).unwrap());
    }

    #[test]
    fn values_without_ranks_are_compared() {
        let numbers: Vec<ArrayRef> = vec![Arc::new(Float64Array::from(vec![2.0, 1.0, 2.0, -1.0]))];
        assert_eq!(order(&[numbers], 4).unwrap(), [3, 1, 0, 2]);
        assert_eq!(order(&[], 3).unwrap(), [0, 1, 2]);
    }
}
