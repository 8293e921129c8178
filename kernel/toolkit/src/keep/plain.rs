//! Numbers, truth values and texts: a plain value, or a vector of them <-> a column.

use super::kinds::{add, add_text};
use crate::Result;
use polars::prelude::{Column, NamedFrom, Series};

/// A plain value: how it stands in a frame, and its part of a digest.
pub(super) trait Plain: Sized + 'static {
    type Stored;
    fn stored(&self) -> Self::Stored;
    fn digest(&self, digest: u64) -> u64;
    fn series(values: Vec<Self::Stored>) -> Series;
    fn restored(column: &Column) -> Result<Vec<Self>>;
}

macro_rules! plain_numbers {
    ($($of:ty as $stored:ty, $read:ident;)+) => {
        $(impl Plain for $of {
            type Stored = $stored;
            fn stored(&self) -> $stored {
                *self as $stored
            }
            fn digest(&self, digest: u64) -> u64 {
                add(digest, *self as u64)
            }
            fn series(values: Vec<$stored>) -> Series {
                Series::new("value".into(), values)
            }
            fn restored(column: &Column) -> Result<Vec<Self>> {
                Ok(column.$read()?.into_no_null_iter().map(|value| value as $of).collect())
            }
        })+
    };
}

plain_numbers! {
    i8 as i32, i32; i16 as i32, i32; i32 as i32, i32; i64 as i64, i64; isize as i64, i64;
    u8 as u32, u32; u16 as u32, u32; u32 as u32, u32; u64 as u64, u64; usize as u64, u64;
}

macro_rules! plain_floats {
    ($($of:ident),+) => {
        $(impl Plain for $of {
            type Stored = $of;
            fn stored(&self) -> $of {
                *self
            }
            fn digest(&self, digest: u64) -> u64 {
                add(digest, u64::from(self.to_bits()))
            }
            fn series(values: Vec<$of>) -> Series {
                Series::new("value".into(), values)
            }
            fn restored(column: &Column) -> Result<Vec<Self>> {
                Ok(column.$of()?.into_no_null_iter().collect())
            }
        })+
    };
}

plain_floats!(f32, f64);

impl Plain for bool {
    type Stored = bool;
    fn stored(&self) -> bool {
        *self
    }
    fn digest(&self, digest: u64) -> u64 {
        add(digest, u64::from(*self))
    }
    fn series(values: Vec<bool>) -> Series {
        Series::new("value".into(), values)
    }
    fn restored(column: &Column) -> Result<Vec<Self>> {
        Ok(column.bool()?.iter().map(|value| value.unwrap_or_default()).collect())
    }
}

macro_rules! plain_texts {
    ($($of:ty, $text:expr, $back:expr;)+) => {
        $(impl Plain for $of {
            type Stored = String;
            fn stored(&self) -> String {
                let text: fn(&$of) -> String = $text;
                text(self)
            }
            fn digest(&self, digest: u64) -> u64 {
                add_text(digest, &self.stored())
            }
            fn series(values: Vec<String>) -> Series {
                Series::new("value".into(), values)
            }
            fn restored(column: &Column) -> Result<Vec<Self>> {
                let back: fn(&str) -> $of = $back;
                Ok(column.str()?.iter().map(|text| back(text.unwrap_or_default())).collect())
            }
        })+
    };
}

plain_texts! {
    String, String::clone, str::to_owned;
    char, char::to_string, |text| text.chars().next().unwrap_or_default();
    // A text of the program's own lives as long as the program, and so must the one that stands for it.
    &'static str, |text| (*text).to_owned(), |text| Box::leak(text.to_owned().into_boxed_str());
}
