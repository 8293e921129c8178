//! What goes in: columns of texts, days, whole numbers or flags. What comes out: for each row the number of its value,
//! from 0 without gaps, and later the values of the numbers.

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, StringViewArray, UInt32Array, downcast_integer_array, make_view,
    new_empty_array,
};
use arrow::compute::{interleave, take};
use arrow::datatypes::{ArrowNativeType, DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use arrow::datatypes::{TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType};
use datafusion::common::internal_err;
use datafusion::error::Result;

use super::table::{NONE, Table};

/// A text of so many bytes is a number of eight, with its length.
const SHORT: usize = 7;
/// A text of so many bytes is a view without a look elsewhere.
const MIDDLE: usize = 12;
/// Whole numbers between which there is no more than this are numbered without hashing.
const WINDOW: usize = 1 << 16;

/// The values of one column and their numbers.
#[derive(Debug)]
pub(super) struct Values {
    data_type: DataType,
    /// Short texts and whole numbers. It gives the numbers for all.
    table: Table<u64>,
    /// Longer texts, as views; `middle_numbers` are those that `table` has given.
    middle: Table<u128>,
    middle_numbers: Vec<u32>,
    long: HashMap<Box<[u8]>, u32>,
    long_bytes: usize,
    window: Window,
    null: u32,
    /// In the order of their numbers; empty where nobody asks for them.
    pieces: Vec<ArrayRef>,
    /// The number of the first value of each.
    begins: Vec<usize>,
    kept_values: usize,
    piece_bytes: usize,
    kept: bool,
}

/// Numbers of whole numbers that are close to each other.
#[derive(Debug, Default)]
struct Window {
    base: i64,
    numbers: Vec<u32>,
    /// Whether some value lies outside: then it is as wide as it ever becomes.
    left: bool,
}

impl Values {
    /// Whether values of the type can be numbered. Not numbers with a fraction, of which equal ones may differ.
    pub(super) fn can(data_type: &DataType) -> bool {
        use DataType::{Boolean, Date32, Int8, Int16, Int32, Int64, Timestamp, UInt8, UInt16, UInt32, Utf8, Utf8View};
        let whole = matches!(data_type, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | Date32);
        whole || matches!(data_type, Boolean | Timestamp(_, _) | Utf8 | Utf8View)
    }

    /// `kept`: whether the values are wanted back.
    pub(super) fn new(data_type: DataType, kept: bool) -> Self {
        Self {
            data_type,
            table: Table::new(),
            middle: Table::new(),
            middle_numbers: Vec::new(),
            long: HashMap::new(),
            long_bytes: 0,
            window: Window::default(),
            null: NONE,
            pieces: Vec::new(),
            begins: Vec::new(),
            kept_values: 0,
            piece_bytes: 0,
            kept,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn size(&self) -> usize {
        let long = self.long.capacity() * size_of::<(Box<[u8]>, u32)>() + self.long_bytes;
        let middle = self.middle.size() + self.middle_numbers.capacity() * size_of::<u32>();
        self.table.size() + middle + long + self.window.numbers.capacity() * size_of::<u32>() + self.piece_bytes
    }

    /// Puts the number of each row at the end of `numbers`. What comes out are the rows of values that are new.
    pub(super) fn number(&mut self, column: &dyn Array, numbers: &mut Vec<u32>) -> Result<Vec<u32>> {
        if *column.data_type() != self.data_type {
            return internal_err!("values of {} instead of {}", column.data_type(), self.data_type);
        }
        let mut fresh = Vec::new();
        numbers.reserve(column.len());
        match column.data_type() {
            DataType::Utf8View => self.views(column.as_string_view(), numbers, &mut fresh)?,
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                self.each(column, numbers, &mut fresh, |values, row| values.text(texts.value(row).as_bytes()))?;
            }
            DataType::Boolean => {
                let flags = column.as_boolean();
                self.each(column, numbers, &mut fresh, |values, row| values.whole(flags.value(row).into()))?;
            }
            DataType::Date32 => self.wholes::<Date32Type>(column, numbers, &mut fresh)?,
            DataType::Timestamp(unit, _) => match unit {
                TimeUnit::Second => self.wholes::<TimestampSecondType>(column, numbers, &mut fresh)?,
                TimeUnit::Millisecond => self.wholes::<TimestampMillisecondType>(column, numbers, &mut fresh)?,
                TimeUnit::Microsecond => self.wholes::<TimestampMicrosecondType>(column, numbers, &mut fresh)?,
                TimeUnit::Nanosecond => self.wholes::<TimestampNanosecondType>(column, numbers, &mut fresh)?,
            },
            _ => downcast_integer_array!(
                column => self.each(column, numbers, &mut fresh, |values, row| {
                    values.whole(column.value(row).to_i64().unwrap_or_default())
                })?,
                other => return internal_err!("values of {other}"),
            ),
        }
        if self.kept && !fresh.is_empty() {
            self.keep(column, &fresh)?;
        }
        Ok(fresh)
    }

    /// The values of some numbers.
    pub(super) fn values(&self, numbers: Vec<u32>) -> Result<ArrayRef> {
        match self.pieces.as_slice() {
            [] => Ok(new_empty_array(&self.data_type)),
            [one] => Ok(take(one, &UInt32Array::from(numbers), None)?),
            // Never all of them together, which may be too many for one array of texts.
            some => {
                let place = |number: u32| {
                    let piece = self.begins.partition_point(|begin| *begin <= number as usize) - 1;
                    (piece, number as usize - self.begins[piece])
                };
                let places: Vec<(usize, usize)> = numbers.into_iter().map(place).collect();
                Ok(interleave(&some.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>(), &places)?)
            }
        }
    }

    /// Keeps what [`Self::values`] needs alone: no more values can be numbered.
    pub(super) fn forget(&mut self) {
        (self.table, self.window, self.null) = (Table::new(), Window::default(), NONE);
        (self.long, self.long_bytes) = (HashMap::new(), 0);
    }

    fn keep(&mut self, column: &dyn Array, fresh: &[u32]) -> Result<()> {
        let piece = take(column, &UInt32Array::from(fresh.to_vec()), None)?;
        // Views hold on to all texts of the batch that they come from.
        let piece = match piece.as_string_view_opt() {
            Some(views) => Arc::new(views.gc()) as ArrayRef,
            None => piece,
        };
        self.begins.push(self.kept_values);
        self.kept_values += piece.len();
        self.piece_bytes += piece.get_array_memory_size();
        self.pieces.push(piece);
        Ok(())
    }

    fn views(&mut self, texts: &StringViewArray, numbers: &mut Vec<u32>, fresh: &mut Vec<u32>) -> Result<()> {
        if texts.null_count() > 0 {
            return self.each(texts, numbers, fresh, |values, row| values.text(texts.value(row).as_bytes()));
        }
        let mut known = self.table.len();
        for (row, view) in texts.views().iter().enumerate() {
            // The length is the first part of a view.
            let number = match *view as u32 as usize {
                ..=SHORT => self.table.number(short(*view))?,
                ..=MIDDLE => self.middle(*view)?,
                _ => self.long(texts.value(row).as_bytes())?,
            };
            if number as usize == known {
                known += 1;
                fresh.push(row as u32);
            }
            numbers.push(number);
        }
        Ok(())
    }

    fn wholes<T: ArrowPrimitiveType>(
        &mut self,
        column: &dyn Array,
        numbers: &mut Vec<u32>,
        fresh: &mut Vec<u32>,
    ) -> Result<()> {
        let wholes = column.as_primitive::<T>();
        self.each(column, numbers, fresh, |values, row| values.whole(wholes.value(row).to_i64().unwrap_or_default()))
    }

    fn each(
        &mut self,
        column: &dyn Array,
        numbers: &mut Vec<u32>,
        fresh: &mut Vec<u32>,
        number: impl Fn(&mut Self, usize) -> Result<u32>,
    ) -> Result<()> {
        let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
        let mut known = self.table.len();
        for row in 0..column.len() {
            let number = match nulls {
                Some(nulls) if nulls.is_null(row) => self.nothing()?,
                _ => number(self, row)?,
            };
            if number as usize == known {
                known += 1;
                fresh.push(row as u32);
            }
            numbers.push(number);
        }
        Ok(())
    }

    fn nothing(&mut self) -> Result<u32> {
        if self.null == NONE {
            self.null = self.table.reserve()?;
        }
        Ok(self.null)
    }

    #[inline]
    fn text(&mut self, text: &[u8]) -> Result<u32> {
        match text.len() {
            ..=SHORT => self.table.number(short(make_view(text, 0, 0))),
            ..=MIDDLE => self.middle(make_view(text, 0, 0)),
            _ => self.long(text),
        }
    }

    fn middle(&mut self, view: u128) -> Result<u32> {
        let place = self.middle.number(view)? as usize;
        if place == self.middle_numbers.len() {
            self.middle_numbers.push(self.table.reserve()?);
        }
        Ok(self.middle_numbers[place])
    }

    fn long(&mut self, text: &[u8]) -> Result<u32> {
        if let Some(number) = self.long.get(text) {
            return Ok(*number);
        }
        let number = self.table.reserve()?;
        self.long.insert(text.into(), number);
        self.long_bytes += text.len();
        Ok(number)
    }

    #[inline]
    fn whole(&mut self, value: i64) -> Result<u32> {
        if let Some(number) = self.window.numbers.get(value.wrapping_sub(self.window.base) as usize)
            && *number != NONE
        {
            return Ok(*number);
        }
        self.new_whole(value)
    }

    #[cold]
    fn new_whole(&mut self, value: i64) -> Result<u32> {
        match self.window.place(value) {
            Some(place) => {
                let number = self.table.reserve()?;
                self.window.numbers[place] = number;
                Ok(number)
            }
            None => self.table.number(value as u64),
        }
    }
}

/// The bytes of a short text, and its length.
#[inline]
fn short(view: u128) -> u64 {
    (view >> 32) as u64 | (view as u64) << 56
}

impl Window {
    /// Where a value has its number, in a window that is made wide enough; `None` where it cannot be.
    fn place(&mut self, value: i64) -> Option<usize> {
        let (base, end) = (i128::from(self.base), i128::from(self.base) + self.numbers.len() as i128);
        let value = i128::from(value);
        if (base..end).contains(&value) {
            return usize::try_from(value - base).ok();
        }
        let (from, to) =
            if self.numbers.is_empty() { (value, value + 1) } else { (base.min(value), end.max(value + 1)) };
        if self.left || to - from > WINDOW as i128 {
            self.left = true;
            return None;
        }
        // Twice as wide as it must be, to that side where it was too narrow.
        let room = (to - from).min(WINDOW as i128 - (to - from));
        let (from, to) = if value < base { (from - room, to) } else { (from, to + room) };
        let (Ok(first), true) = (i64::try_from(from), to <= i128::from(i64::MAX)) else {
            self.left = true;
            return None;
        };
        let mut numbers = vec![NONE; usize::try_from(to - from).ok()?];
        if !self.numbers.is_empty() {
            let moved = usize::try_from(base - from).ok()?;
            numbers[moved..moved + self.numbers.len()].copy_from_slice(&self.numbers);
        }
        (self.base, self.numbers) = (first, numbers);
        usize::try_from(value - from).ok()
    }
}
