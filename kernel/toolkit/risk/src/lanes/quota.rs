//! How many items of a day an office can take in each lane.

use crate::Result;
use crate::error::refuse;
use std::collections::BTreeMap;

/// Items a day in each lane; all others are green.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Document checks.
    pub yellow: usize,
    /// Inspections.
    pub red: usize,
    /// Audits after clearance.
    pub blue: usize,
}

/// The quotas of all offices.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Quotas {
    /// For the others.
    pub(crate) all: Option<Quota>,
    pub(crate) offices: BTreeMap<String, Quota>,
    pub(crate) days: BTreeMap<(String, String), Quota>,
}

impl Quotas {
    /// That of the day, of the office, or of all offices.
    pub(crate) fn of(&self, office: &str, day: &str) -> Option<Quota> {
        let of_day = self.days.get(&(office.to_owned(), day.to_owned()));
        of_day.or_else(|| self.offices.get(office)).copied().or(self.all)
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.days.keys().find(|(_, day)| haetae_features::parse_day(day).is_none()) {
            Some((office, day)) => {
                refuse(format!("quota of office `{office}`"), "a day such as 2026-03-01", format!("`{day}`"))
            }
            None => Ok(()),
        }
    }
}
