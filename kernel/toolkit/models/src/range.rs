//! A parameter and the range that it must lie in -> nothing, or the error that names both.

use crate::{Error, Result};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The parameters of one model, named in errors.
#[derive(Clone, Copy)]
pub(crate) struct Ranges(pub(crate) &'static str);

impl Ranges {
    /// The error for a parameter that is none of those expected.
    pub(crate) fn refuse<T>(self, name: &'static str, expected: impl Into<String>, found: impl Display) -> Result<T> {
        Err(Error::Parameter { model: self.0, name, expected: expected.into(), found: found.to_string() })
    }

    /// A whole number; an end of `usize::MAX` is none.
    pub(crate) fn whole(self, name: &'static str, found: usize, range: RangeInclusive<usize>) -> Result<()> {
        match (range.start(), range.end()) {
            _ if range.contains(&found) => Ok(()),
            (least, &usize::MAX) => self.refuse(name, format!("at least {least}"), found),
            (least, most) => self.refuse(name, format!("{least} to {most}"), found),
        }
    }

    /// A number of threads, where there is a wish.
    pub(crate) fn threads(self, found: Option<usize>) -> Result<()> {
        self.whole("threads", found.unwrap_or(1), 1..=1024)
    }

    /// A finite number above 0.
    pub(crate) fn above_zero(self, name: &'static str, found: f64) -> Result<()> {
        if found > 0.0 && found.is_finite() { Ok(()) } else { self.refuse(name, "a finite number above 0", found) }
    }

    /// A finite number of at least 0.
    pub(crate) fn not_below_zero(self, name: &'static str, found: f64) -> Result<()> {
        if found >= 0.0 && found.is_finite() {
            Ok(())
        } else {
            self.refuse(name, "a finite number of at least 0", found)
        }
    }

    /// A number above 0 and below 1.
    pub(crate) fn between_zero_and_one(self, name: &'static str, found: f64) -> Result<()> {
        if found > 0.0 && found < 1.0 { Ok(()) } else { self.refuse(name, "above 0 and below 1", found) }
    }

    /// A part of a whole, or all of it.
    pub(crate) fn share(self, name: &'static str, found: f64) -> Result<()> {
        if found > 0.0 && found <= 1.0 { Ok(()) } else { self.refuse(name, "above 0 and at most 1", found) }
    }
}
