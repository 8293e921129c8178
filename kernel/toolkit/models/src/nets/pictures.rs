//! A column of lists of numbers -> pictures, or series, all of one size.

use super::front::learnable;
use super::picture::Size;
use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::DataType;

/// Pictures of one size: scans, or series of numbers as pictures of one line.
#[derive(Debug, Clone)]
pub struct Pictures {
    pub(super) name: String,
    pub(super) size: Size,
    /// Picture after picture, line after line, pixel after pixel, channels together.
    pub(super) values: Vec<f32>,
}

impl Pictures {
    /// Pictures of a column, each row a list of `height * width * channels` numbers: line after line, pixel after
    /// pixel, the channels of a pixel together. A series of numbers has a `height` of 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size of nothing or beyond 2^24 numbers, [`Error::Picture`] for a row that is null, has
    /// another number of numbers, or one that is missing or infinite; and when the column is not there or of another type.
    pub fn from_frame(frame: &DataFrame, column: &str, height: usize, width: usize, channels: usize) -> Result<Self> {
        let size = Size { height, width, channels };
        let ranges = crate::range::Ranges("pictures");
        for (name, found) in [("height", height), ("width", width), ("channels", channels)] {
            ranges.whole(name, found, 1..=1 << 24)?;
        }
        ranges.whole("numbers of a picture", height.saturating_mul(width).saturating_mul(channels), 1..=1 << 24)?;
        let lists = frame.column(column)?.cast(&DataType::List(Box::new(DataType::Float64)))?;
        let lists = lists.list()?;
        let mut values = Vec::with_capacity(lists.len() * size.values());
        for row in 0..lists.len() {
            let wrong = |found: String| Error::Picture {
                column: column.to_owned(),
                row,
                expected: format!("{height} x {width} x {channels} = {} finite numbers", size.values()),
                found,
            };
            let Some(list) = lists.get_as_series(row) else { return Err(wrong("null".to_owned())) };
            if list.len() != size.values() {
                return Err(wrong(format!("{} numbers", list.len())));
            }
            for (at, value) in list.f64()?.iter().enumerate() {
                #[expect(clippy::cast_possible_truncation, reason = "nets reckon in f32")]
                match value.map(|value| value as f32) {
                    Some(value) if value.is_finite() => values.push(value),
                    _ => {
                        return Err(wrong(format!(
                            "{} at place {at}",
                            value.map_or("null".to_owned(), |v| v.to_string())
                        )));
                    }
                }
            }
        }
        Ok(Self { name: column.to_owned(), size, values })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.values.len() / self.size.values()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Height, width and channels.
    pub fn size(&self) -> (usize, usize, usize) {
        (self.size.height, self.size.width, self.size.channels)
    }

    /// Mean and deviation of each channel.
    pub(super) fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let channels = self.size.channels;
        let of = |channel: usize| self.values.iter().skip(channel).step_by(channels).map(|&value| f64::from(value));
        #[expect(clippy::cast_precision_loss, reason = "numbers of pixels are far below 2^53")]
        let count = (self.values.len() / channels) as f64;
        let moments = |channel: usize| {
            let mean = of(channel).sum::<f64>() / count;
            let deviation = (of(channel).map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
            (mean, learnable(mean, deviation, 1.0))
        };
        (0..channels).map(moments).unzip()
    }
}
