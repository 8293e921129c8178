//! Fitted bins: values in, the number of their bin out.

use super::Base;
use crate::frame::{numbers, texts};
use crate::{Error, Result};
use polars::frame::DataFrame;
use std::collections::BTreeMap;

/// One bin of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// Which values are in it, in words.
    pub label: String,
    /// Training rows.
    pub rows: usize,
    /// Bad ones among them.
    pub bad: f64,
    /// Weight of evidence: log-odds of being bad less those of all rows; above 0 is riskier.
    pub woe: f64,
    /// What it adds to the information value.
    pub value: f64,
}

/// How a value finds its bin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Coding {
    Number { cuts: Vec<f64>, any: bool, special: Vec<(f64, Option<usize>)>, missing: Option<usize> },
    Category { of_text: BTreeMap<String, usize>, missing: Option<usize> },
}

/// A column with its bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    name: String,
    bins: Vec<Bin>,
    coding: Coding,
}

/// What to do with a value that no training row had: a text, a special number, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// Say where it stands.
    Refuse,
    /// Take it as saying nothing: weight of evidence 0.
    Average,
}

impl Attribute {
    pub(super) fn new(name: &str, bins: Vec<Bin>, coding: Coding) -> Self {
        Self { name: name.to_owned(), bins, coding }
    }

    /// Name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bins: of numbers in their order, of texts from the safest to the riskiest, then special values, then missing.
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// Information value: below 0.02 an attribute says nothing, above 0.3 much, above 0.5 one should ask whether it
    /// knows the answer (Siddiqi 2006).
    pub fn information_value(&self) -> f64 {
        self.bins.iter().map(|bin| bin.value).sum()
    }

    /// How many of the first bins hold what is known: neither missing nor a special value.
    pub(crate) fn regular(&self) -> usize {
        match &self.coding {
            Coding::Number { cuts, any, .. } => cuts.len() + usize::from(*any),
            Coding::Category { missing, .. } => self.bins.len() - usize::from(missing.is_some()),
        }
    }

    /// The bin of every row; `None` for what was not seen, where that is allowed.
    ///
    /// # Errors
    /// When the column is missing or of another type, a number is NaN, or a value was not seen and is to be refused.
    pub(crate) fn places(&self, frame: &DataFrame, unseen: Unseen) -> Result<Vec<Option<usize>>> {
        let purpose = "the scorecard";
        let places: Vec<(Option<usize>, String)> = match &self.coding {
            Coding::Number { cuts, any, special, missing } => {
                let place = |value: Option<f64>| match value {
                    None => (*missing, "null".to_owned()),
                    Some(value) => match special.iter().find(|sign| sign.0 == value) {
                        Some(sign) => (sign.1, value.to_string()),
                        None => (any.then(|| cuts.partition_point(|cut| *cut < value)), value.to_string()),
                    },
                };
                numbers(frame, &self.name, purpose)?.into_iter().map(place).collect()
            }
            Coding::Category { of_text, missing } => {
                let place = |value: Option<String>| match value {
                    None => (*missing, "null".to_owned()),
                    Some(value) => (of_text.get(&value).copied(), format!("`{value}`")),
                };
                texts(frame, &self.name, purpose)?.into_iter().map(place).collect()
            }
        };
        if let (Unseen::Refuse, Some(row)) = (unseen, places.iter().position(|place| place.0.is_none())) {
            return Err(Error::Value {
                column: self.name.clone(),
                row,
                expected: "a value that some training row had".to_owned(),
                found: places[row].1.clone(),
                hint: "fit on rows that have it, or score with `unseen(Unseen::Average)`",
            });
        }
        Ok(places.into_iter().map(|place| place.0).collect())
    }

    /// The weight of evidence of every row.
    pub(crate) fn woe(&self, frame: &DataFrame, unseen: Unseen) -> Result<Vec<f64>> {
        let places = self.places(frame, unseen)?;
        Ok(places.into_iter().map(|place| place.and_then(|at| self.bins.get(at)).map_or(0.0, |bin| bin.woe)).collect())
    }
}

/// The bins of several columns, made on the same rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    attributes: Vec<Attribute>,
    base: Base,
}

impl Bins {
    pub(super) fn new(attributes: Vec<Attribute>, base: Base) -> Self {
        Self { attributes, base }
    }

    /// The columns, in their order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The column of a name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Share of bad rows among all.
    pub fn bad_rate(&self) -> f64 {
        self.base.rate()
    }

    /// Only those attributes.
    pub(crate) fn keep(&self, names: &[String]) -> Self {
        let attributes = self.attributes.iter().filter(|attribute| names.contains(&attribute.name)).cloned().collect();
        Self { attributes, base: self.base }
    }
}
