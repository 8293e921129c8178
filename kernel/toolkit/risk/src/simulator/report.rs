//! Replayed days -> a frame of the days, and the figures of all of them together.

use super::Policy;
use crate::Result;
use crate::frame::count;
use polars::frame::DataFrame;
use polars::prelude::Column;
use std::fmt;

/// One day as it went.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Day {
    pub(super) day: String,
    pub(super) items: usize,
    pub(super) inspected: usize,
    pub(super) hits: f64,
    pub(super) frauds: f64,
    pub(super) revenue: f64,
    pub(super) oracle: f64,
    pub(super) cost: f64,
    pub(super) share: f64,
}

impl Day {
    /// What an oracle finds.
    fn most_hits(&self) -> f64 {
        self.frauds.min(count(self.inspected))
    }
}

/// What a policy would have found.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    policy: Policy,
    days: Vec<Day>,
}

impl Replayed {
    pub(super) fn new(policy: Policy, days: Vec<Day>) -> Self {
        Self { policy, days }
    }

    /// The same policy judged on its last days alone: how it ends.
    #[must_use]
    pub fn last(&self, days: usize) -> Self {
        Self { policy: self.policy, days: self.days[self.days.len().saturating_sub(days)..].to_vec() }
    }

    fn sum(&self, of: impl Fn(&Day) -> f64) -> f64 {
        self.days.iter().map(of).sum()
    }

    /// Share of inspections that found something; NaN without inspections.
    pub fn precision(&self) -> f64 {
        self.sum(|day| day.hits) / self.sum(|day| count(day.inspected))
    }

    /// Share of all fraud that was found; NaN without fraud.
    pub fn recall(&self) -> f64 {
        self.sum(|day| day.hits) / self.sum(|day| day.frauds)
    }

    /// Revenue that was found, less what wrong stops cost.
    pub fn net_revenue(&self) -> f64 {
        self.sum(|day| day.revenue - day.cost)
    }

    /// Revenue that was found, as a share of what an oracle finds with as many inspections on the same days; NaN where that
    /// is 0.
    pub fn of_oracle(&self) -> f64 {
        self.sum(|day| day.revenue) / self.sum(|day| day.oracle)
    }

    /// Hits as a share of those of an oracle with as many inspections on the same days: precision by the best precision, and
    /// recall by the best recall, which is the same number. NaN where that is 0.
    pub fn hits_of_oracle(&self) -> f64 {
        self.sum(|day| day.hits) / self.sum(Day::most_hits)
    }

    /// A row for each day that counts: `day`, `policy`, `items`, `inspected`, `hits`, `precision`, `recall` (null without
    /// fraud), `hits_of_oracle` (null without fraud), `revenue`, `of_oracle` (null where the oracle finds nothing), `cost` of
    /// wrong stops, `drawn` (share that was not chosen by the model).
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn days(&self) -> Result<DataFrame> {
        let number = |of: fn(&Day) -> f64| self.days.iter().map(of).collect::<Vec<f64>>();
        let share = |part: fn(&Day) -> f64, whole: fn(&Day) -> f64| {
            let of = |day: &Day| (whole(day) > 0.0).then(|| part(day) / whole(day));
            self.days.iter().map(of).collect::<Vec<Option<f64>>>()
        };
        let columns = vec![
            Column::new("day".into(), self.days.iter().map(|day| day.day.as_str()).collect::<Vec<_>>()),
            Column::new("policy".into(), vec![self.policy.name(); self.days.len()]),
            Column::new("items".into(), self.days.iter().map(|day| day.items as u64).collect::<Vec<_>>()),
            Column::new("inspected".into(), self.days.iter().map(|day| day.inspected as u64).collect::<Vec<_>>()),
            Column::new("hits".into(), number(|day| day.hits)),
            Column::new("precision".into(), share(|day| day.hits, |day| count(day.inspected))),
            Column::new("recall".into(), share(|day| day.hits, |day| day.frauds)),
            Column::new("hits_of_oracle".into(), share(|day| day.hits, Day::most_hits)),
            Column::new("revenue".into(), number(|day| day.revenue)),
            Column::new("of_oracle".into(), share(|day| day.revenue, |day| day.oracle)),
            Column::new("cost".into(), number(|day| day.cost)),
            Column::new("drawn".into(), number(|day| day.share)),
        ];
        Ok(DataFrame::new(self.days.len(), columns)?)
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (precision, recall, oracle) = (100.0 * self.precision(), 100.0 * self.recall(), 100.0 * self.of_oracle());
        write!(f, "{}: precision {precision:.1} %, recall {recall:.1} %, ", self.policy.name())?;
        write!(f, "revenue {oracle:.1} % of the oracle's over {} days", self.days.len())
    }
}
