//! What goes in: columns of texts, days, whole numbers or flags. What comes out: for each row the number of its value,
//! from 0 without gaps.

use std::collections::HashMap;
use std::mem::size_of;

use arrow::array::{Array, ArrowPrimitiveType, AsArray, StringViewArray, downcast_integer_array, make_view};
use arrow::datatypes::{ArrowNativeType, DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use arrow::datatypes::{TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType};
use datafusion::common::internal_err;
use datafusion::error::Result;

use super::table::Table;
use super::window::Window;

/// A text of so many bytes is a number of eight, with its length.
const SHORT: usize = 7;
/// A text of so many bytes is a view without a look elsewhere.
const MIDDLE: usize = 12;

/// The values of one column. Each lies in one of the places below, with its number.
#[derive(Debug)]
pub(super) struct Values {
    data_type: DataType,
    /// How many there are: the number of the next one.
    count: u32,
    null: Option<u32>,
    /// Whole numbers that are close to each other.
    window: Window,
    /// Other whole numbers, and short texts.
    table: Table<u64>,
    /// Longer texts, as views.
    middle: Table<u128>,
    long: HashMap<Box<[u8]>, u32>,
    long_bytes: usize,
}

impl Values {
    /// Whether values of the type can be numbered. Not numbers with a fraction, of which equal ones may differ.
    pub(super) fn can(data_type: &DataType) -> bool {
        use DataType::{Boolean, Date32, Int8, Int16, Int32, Int64, Timestamp, UInt8, UInt16, UInt32, Utf8, Utf8View};
        let whole = matches!(data_type, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | Date32);
        whole || matches!(data_type, Boolean | Timestamp(_, _) | Utf8 | Utf8View)
    }

    pub(super) fn new(data_type: DataType) -> Self {
        Self {
            data_type,
            count: 0,
            null: None,
            window: Window::default(),
            table: Table::new(),
            middle: Table::new(),
            long: HashMap::new(),
            long_bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    pub(super) fn size(&self) -> usize {
        let long = self.long.capacity() * size_of::<(Box<[u8]>, u32)>() + self.long_bytes;
        self.window.size() + self.table.size() + self.middle.size() + long
    }

    /// Puts the number of each row at the end of `numbers`. What comes out are the rows of values that are new.
    pub(super) fn number(&mut self, column: &dyn Array, numbers: &mut Vec<u32>) -> Result<Vec<u32>> {
        if *column.data_type() != self.data_type {
            return internal_err!("values of {} instead of {}", column.data_type(), self.data_type);
        }
        let mut fresh = Vec::new();
        numbers.reserve(column.len());
        match column.data_type() {
            DataType::Utf8View => self.views(column.as_string_view(), numbers, &mut fresh),
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                self.each(column, numbers, &mut fresh, |values, row| values.text(texts.value(row).as_bytes()));
            }
            DataType::Boolean => {
                let flags = column.as_boolean();
                self.each(column, numbers, &mut fresh, |values, row| values.whole(flags.value(row).into()));
            }
            DataType::Date32 => self.wholes::<Date32Type>(column, numbers, &mut fresh),
            DataType::Timestamp(unit, _) => match unit {
                TimeUnit::Second => self.wholes::<TimestampSecondType>(column, numbers, &mut fresh),
                TimeUnit::Millisecond => self.wholes::<TimestampMillisecondType>(column, numbers, &mut fresh),
                TimeUnit::Microsecond => self.wholes::<TimestampMicrosecondType>(column, numbers, &mut fresh),
                TimeUnit::Nanosecond => self.wholes::<TimestampNanosecondType>(column, numbers, &mut fresh),
            },
            _ => downcast_integer_array!(
                column => self.each(column, numbers, &mut fresh, |values, row| {
                    values.whole(column.value(row).to_i64().unwrap_or_default())
                }),
                other => return internal_err!("values of {other}"),
            ),
        }
        Ok(fresh)
    }

    fn views(&mut self, texts: &StringViewArray, numbers: &mut Vec<u32>, fresh: &mut Vec<u32>) {
        if texts.null_count() > 0 {
            return self.each(texts, numbers, fresh, |values, row| values.text(texts.value(row).as_bytes()));
        }
        for (row, view) in texts.views().iter().enumerate() {
            // The length is the first part of a view.
            let number = match *view as u32 as usize {
                length if length <= SHORT => self.table.number(short(*view), self.count),
                length if length <= MIDDLE => self.middle.number(*view, self.count),
                _ => self.long(texts.value(row).as_bytes()),
            };
            self.found(row, number, numbers, fresh);
        }
    }

    fn wholes<T: ArrowPrimitiveType>(&mut self, column: &dyn Array, numbers: &mut Vec<u32>, fresh: &mut Vec<u32>) {
        let wholes = column.as_primitive::<T>();
        self.each(column, numbers, fresh, |values, row| values.whole(wholes.value(row).to_i64().unwrap_or_default()));
    }

    fn each(
        &mut self,
        column: &dyn Array,
        numbers: &mut Vec<u32>,
        fresh: &mut Vec<u32>,
        number: impl Fn(&mut Self, usize) -> u32,
    ) {
        let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
        for row in 0..column.len() {
            let number = match nulls {
                Some(nulls) if nulls.is_null(row) => *self.null.get_or_insert(self.count),
                _ => number(self, row),
            };
            self.found(row, number, numbers, fresh);
        }
    }

    /// Takes the number of a row down. The next one is that of a value that was not there before.
    #[inline]
    fn found(&mut self, row: usize, number: u32, numbers: &mut Vec<u32>, fresh: &mut Vec<u32>) {
        if number == self.count {
            self.count += 1;
            fresh.push(row as u32);
        }
        numbers.push(number);
    }

    #[inline]
    fn text(&mut self, text: &[u8]) -> u32 {
        match text.len() {
            length if length <= SHORT => self.table.number(short(make_view(text, 0, 0)), self.count),
            length if length <= MIDDLE => self.middle.number(make_view(text, 0, 0), self.count),
            _ => self.long(text),
        }
    }

    fn long(&mut self, text: &[u8]) -> u32 {
        if let Some(number) = self.long.get(text) {
            return *number;
        }
        self.long.insert(text.into(), self.count);
        self.long_bytes += text.len();
        self.count
    }

    #[inline]
    fn whole(&mut self, value: i64) -> u32 {
        match self.window.number(value, self.count) {
            Some(number) => number,
            None => self.table.number(value as u64, self.count),
        }
    }
}

/// The bytes of a short text, and its length.
#[inline]
fn short(view: u128) -> u64 {
    (view >> 32) as u64 | (view as u64) << 56
}
