//! What goes in: the rows of a table. What comes out: which of them bear a key that has been seen.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int32Type};

use crate::store::{BATCH_ROWS, Transaction, read_parquet};
use crate::{Error, Result};

/// The keys of a table and of the load that is being read, as 128-bit hashes: two different keys
/// agree with a probability below 10⁻²¹ even among a hundred million.
#[derive(Debug, Default)]
pub(super) struct Keys {
    table: HashSet<u128, BuildHasherDefault<Folded>>,
    load: HashSet<u128, BuildHasherDefault<Folded>>,
}

/// Where a key was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// In the table, from an earlier load.
    InTable,
    /// In this load, on an earlier row.
    InLoad,
}

impl Keys {
    /// The keys that a table holds.
    pub(super) fn of_table(transaction: &Transaction, schema: &str, table: &str, key: &[&str]) -> Result<Self> {
        let mut keys = Self::default();
        let rows: u64 = transaction.files(schema, table).iter().map(|file| file.rows).sum();
        keys.table.reserve(rows as usize);
        read_columns(transaction, schema, table, key, |batch| {
            keys.table.extend(hashes(&key_columns(batch, key)?)?);
            Ok(())
        })?;
        Ok(keys)
    }

    /// Notes the keys of `batch`; for each row says whether the key was there before.
    pub(super) fn note(&mut self, batch: &RecordBatch, key: &[&str]) -> Result<Vec<Option<Seen>>> {
        let noted = hashes(&key_columns(batch, key)?)?.into_iter().map(|hash| {
            if self.table.contains(&hash) {
                Some(Seen::InTable)
            } else {
                (!self.load.insert(hash)).then_some(Seen::InLoad)
            }
        });
        Ok(noted.collect())
    }

    /// For each row of `batch`, whether its key has not been noted.
    pub(super) fn not_noted(&self, batch: &RecordBatch, key: &[&str]) -> Result<BooleanArray> {
        let hashes = hashes(&key_columns(batch, key)?)?;
        Ok(hashes.into_iter().map(|hash| Some(!self.load.contains(&hash))).collect())
    }
}

/// Reads some columns of a table, batch by batch.
pub(super) fn read_columns(
    transaction: &Transaction,
    schema: &str,
    table: &str,
    columns: &[&str],
    mut each: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    for file in transaction.files(schema, table) {
        let path = transaction.path(file);
        for batch in read_parquet(&path, Some(columns), BATCH_ROWS)? {
            each(&batch.map_err(Error::data(format!("read {}", path.display())))?)?;
        }
    }
    Ok(())
}

fn key_columns(batch: &RecordBatch, key: &[&str]) -> Result<Vec<ArrayRef>> {
    let find = |name: &&str| batch.column_by_name(name).cloned().ok_or_else(|| format!("there is no column {name}"));
    key.iter().map(find).collect::<Result<_, _>>().map_err(Error::data("read the key of a table"))
}

fn hashes(columns: &[ArrayRef]) -> Result<Vec<u128>> {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut pairs = vec![(DefaultHasher::new(), DefaultHasher::new()); rows];
    for (_, second) in &mut pairs {
        second.write_u8(1);
    }
    for column in columns {
        match column.data_type() {
            DataType::Utf8 => {
                for (pair, value) in pairs.iter_mut().zip(column.as_string::<i32>()) {
                    feed(pair, value.map(str::as_bytes));
                }
            }
            DataType::Int32 => {
                for (pair, value) in pairs.iter_mut().zip(column.as_primitive::<Int32Type>()) {
                    feed(pair, value.map(i32::to_le_bytes).as_ref().map(|bytes| bytes.as_slice()));
                }
            }
            DataType::Date32 => {
                for (pair, value) in pairs.iter_mut().zip(column.as_primitive::<Date32Type>()) {
                    feed(pair, value.map(i32::to_le_bytes).as_ref().map(|bytes| bytes.as_slice()));
                }
            }
            other => return Err(Error::data("read the key of a table")(format!("a key column of type {other}"))),
        }
    }
    Ok(pairs.iter().map(|(a, b)| u128::from(a.finish()) << 64 | u128::from(b.finish())).collect())
}

/// The length goes first, so that no two rows of values run together to the same bytes.
fn feed((first, second): &mut (DefaultHasher, DefaultHasher), value: Option<&[u8]>) {
    for hasher in [first, second] {
        match value {
            Some(bytes) => {
                hasher.write_u32(bytes.len() as u32);
                hasher.write(bytes);
            }
            None => hasher.write_u32(u32::MAX),
        }
    }
}

/// The values are hashes already; their low half will do.
#[derive(Debug, Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}
