//! Which types of variables can be written, and how: each as a frame and a short note.

use super::plain::Plain;
use crate::features::FeatureMatrix;
use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::{Column, NamedFrom, Series};
use std::any::{Any, TypeId};
use std::sync::Arc;

/// What was there when a value was written, by which a change is noticed.
pub(super) enum Seen {
    /// The frame itself. Its columns are shared, so whoever changes one gets another.
    Frame(DataFrame),
    /// A number made of all of the value.
    Digest(u64),
}

impl Seen {
    pub(super) fn of_frame(frame: &DataFrame) -> Self {
        Self::Frame(frame.clone())
    }
}

/// A type that can be written.
pub(super) struct Kind {
    pub(super) see: fn(&dyn Any) -> Seen,
    pub(super) same: fn(&dyn Any, &Seen) -> bool,
    pub(super) bytes: fn(&dyn Any) -> usize,
    pub(super) save: fn(&dyn Any) -> Result<(DataFrame, String)>,
    pub(super) load: fn(DataFrame, &str) -> Result<Box<dyn Any>>,
}

/// How one type is written.
pub(super) trait Kept: Any + Sized {
    fn see(&self) -> Seen;
    /// At least so many; 0 where only saving tells.
    fn bytes(&self) -> usize;
    fn save(&self) -> Result<(DataFrame, String)>;
    fn load(frame: DataFrame, note: &str) -> Result<Self>;

    fn same(&self, seen: &Seen) -> bool {
        matches!((self.see(), seen), (Seen::Digest(new), Seen::Digest(old)) if new == *old)
    }
}

pub(super) fn kind<T: Kept>() -> Kind {
    fn typed<T: Kept>(value: &dyn Any) -> Option<&T> {
        value.downcast_ref::<T>()
    }
    Kind {
        see: |value| typed::<T>(value).map_or(Seen::Digest(0), Kept::see),
        same: |value, seen| typed::<T>(value).is_some_and(|value| value.same(seen)),
        bytes: |value| typed::<T>(value).map_or(0, Kept::bytes),
        save: |value| typed::<T>(value).map_or_else(|| Err(Error::NotKept { name: String::new() }), Kept::save),
        load: |frame, note| T::load(frame, note).map(|value| Box::new(value) as Box<dyn Any>),
    }
}

macro_rules! kinds {
    ($($of:ty),+ $(,)?) => {
        /// How values of a type are written; `None` where they are not, or are those of another list.
        pub(super) fn of_list(id: std::any::TypeId) -> Option<crate::keep::kinds::Kind> {
            $(if id == std::any::TypeId::of::<$of>() { return Some(crate::keep::kinds::kind::<$of>()); })+
            None
        }
    };
}
pub(super) use kinds;

/// How values of a type are written; `None` where they are not.
pub(super) fn of(id: TypeId) -> Option<Kind> {
    of_list(id).or_else(|| super::models::of_list(id))
}

kinds! {
    DataFrame, Series, Column, FeatureMatrix, String, &'static str, bool, char,
    i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64,
    Vec<bool>, Vec<i32>, Vec<i64>, Vec<u32>, Vec<u64>, Vec<usize>, Vec<u8>, Vec<f32>, Vec<f64>,
    Vec<String>, Vec<&'static str>,
}

impl Kept for DataFrame {
    fn see(&self) -> Seen {
        Seen::of_frame(self)
    }

    fn same(&self, seen: &Seen) -> bool {
        let Seen::Frame(old) = seen else { return false };
        let pairs = || self.columns().iter().zip(old.columns());
        self.shape() == old.shape() && pairs().all(|(new, old)| is_same(new, old))
    }

    fn bytes(&self) -> usize {
        self.estimated_size()
    }

    fn save(&self) -> Result<(DataFrame, String)> {
        Ok((self.clone(), String::new()))
    }

    fn load(frame: DataFrame, _note: &str) -> Result<Self> {
        Ok(frame)
    }
}

/// Whether two columns are one: the same values in memory, not equal ones.
fn is_same(new: &Column, old: &Column) -> bool {
    match (new, old) {
        (Column::Series(new), Column::Series(old)) => Arc::ptr_eq(&new.0, &old.0),
        (Column::Scalar(new), Column::Scalar(old)) => {
            new.name() == old.name() && new.len() == old.len() && new.scalar() == old.scalar()
        }
        _ => false,
    }
}

impl Kept for Column {
    fn see(&self) -> Seen {
        Seen::Frame(self.clone().into_frame())
    }

    fn same(&self, seen: &Seen) -> bool {
        self.clone().into_frame().same(seen)
    }

    fn bytes(&self) -> usize {
        self.clone().into_frame().estimated_size()
    }

    fn save(&self) -> Result<(DataFrame, String)> {
        Ok((self.clone().into_frame(), String::new()))
    }

    fn load(frame: DataFrame, _note: &str) -> Result<Self> {
        only_column(frame)
    }
}

impl Kept for Series {
    fn see(&self) -> Seen {
        Seen::Frame(self.clone().into_frame())
    }

    fn same(&self, seen: &Seen) -> bool {
        self.clone().into_frame().same(seen)
    }

    fn bytes(&self) -> usize {
        self.estimated_size()
    }

    fn save(&self) -> Result<(DataFrame, String)> {
        Ok((self.clone().into_frame(), String::new()))
    }

    fn load(frame: DataFrame, _note: &str) -> Result<Self> {
        Ok(only_column(frame)?.take_materialized_series())
    }
}

impl Kept for FeatureMatrix {
    fn see(&self) -> Seen {
        let names = self.names().iter().fold(START, |digest, name| add_text(digest, name));
        Seen::Digest(self.values().iter().fold(names, |digest, value| add(digest, value.to_bits())))
    }

    fn bytes(&self) -> usize {
        size_of_val(self.values())
    }

    fn save(&self) -> Result<(DataFrame, String)> {
        let flags = (0..self.columns()).map(|column| if self.is_categorical(column) { '1' } else { '0' });
        let columns = self.names().iter().enumerate();
        let columns = columns.map(|(i, name)| Series::new(name.as_str().into(), self.column(i)).into());
        Ok((DataFrame::new(self.rows(), columns.collect())?, flags.collect()))
    }

    fn load(frame: DataFrame, note: &str) -> Result<Self> {
        let names = frame.get_column_names().into_iter().map(ToString::to_string).collect();
        let columns = frame.columns().iter().map(numbers).collect::<Result<Vec<_>>>()?;
        let flags = note.chars().map(|flag| flag == '1').collect();
        FeatureMatrix::new(names, columns, flags).map_err(|error| not_readable(&error))
    }
}

impl<T: Plain> Kept for T {
    fn see(&self) -> Seen {
        Seen::Digest(self.digest(START))
    }

    fn bytes(&self) -> usize {
        size_of::<T>()
    }

    fn save(&self) -> Result<(DataFrame, String)> {
        Ok((column(T::series(vec![self.stored()]))?, String::new()))
    }

    fn load(frame: DataFrame, _note: &str) -> Result<Self> {
        let values = T::restored(&only_column(frame)?)?;
        values.into_iter().next().ok_or_else(|| not_readable(&"there is no value"))
    }
}

impl<T: Plain> Kept for Vec<T> {
    fn see(&self) -> Seen {
        let length = add(START, self.len() as u64);
        Seen::Digest(self.iter().fold(length, |digest, value| value.digest(digest)))
    }

    fn bytes(&self) -> usize {
        size_of_val(self.as_slice())
    }

    fn save(&self) -> Result<(DataFrame, String)> {
        Ok((column(T::series(self.iter().map(Plain::stored).collect()))?, String::new()))
    }

    fn load(frame: DataFrame, _note: &str) -> Result<Self> {
        T::restored(&only_column(frame)?)
    }
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// Each step is one-to-one, so that two values which differ in one place never have the same digest.
pub(super) fn add(digest: u64, word: u64) -> u64 {
    (digest ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

pub(super) fn add_text(digest: u64, text: &str) -> u64 {
    let length = add(digest, text.len() as u64);
    text.as_bytes().chunks(8).fold(length, |digest, bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        add(digest, u64::from_le_bytes(word))
    })
}

pub(super) fn column(series: Series) -> Result<DataFrame> {
    Ok(DataFrame::new(series.len(), vec![series.into()])?)
}

pub(super) fn only_column(frame: DataFrame) -> Result<Column> {
    frame.into_columns().into_iter().next().ok_or_else(|| not_readable(&"there is no column"))
}

fn numbers(column: &Column) -> Result<Vec<f64>> {
    Ok(column.f64()?.into_no_null_iter().collect())
}

pub(super) fn not_readable(reason: &dyn std::fmt::Display) -> Error {
    Error::Restore { reason: reason.to_string() }
}
