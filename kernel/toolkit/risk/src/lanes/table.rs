//! Rules, quotas and the share that is drawn at random, checked before anything is decided.

use super::quota::Quotas;
use super::rule::check;
use super::{Decisions, Quota, Rule, decide};
use crate::Result;
use crate::error::refuse;
use haetae_models::Contributions;
use polars::frame::DataFrame;
use std::collections::BTreeMap;

/// Joins rules and a model: which item goes into which lane, and why. Each method changes one thing.
///
/// For every office and day, on its own:
///
/// 1. Rules that are not advisory put items into their lanes.
/// 2. A share of the red quota is drawn at random from the items that no rule has placed: only so can be seen what the
///    model overlooks, and the draw is recorded with its chance.
/// 3. What is left of the quotas goes to the items with the greatest expected revenue (probability times stake): red,
///    then yellow, then blue. Ties fall by the seed.
/// 4. All others are green.
///
/// The quotas are met exactly. Neither the order of the rows nor other offices and days matter.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionTable {
    pub(super) version: String,
    pub(super) rules: Vec<Rule>,
    pub(super) quotas: Quotas,
    pub(super) explore: f64,
    pub(super) seed: u64,
    pub(super) office: String,
    pub(super) date: String,
    pub(super) stake: String,
    pub(super) key: Vec<String>,
    pub(super) reasons: usize,
    pub(super) words: BTreeMap<String, String>,
}

impl DecisionTable {
    /// A table without rules and quotas, of which a tenth of the inspections is drawn at random. `version` names rules and
    /// model together in the log. Frames have the columns `declaration_id`, `item_no`, `office_id`, `declaration_date`
    /// and `stake_krw`, unless other names are set.
    pub fn new(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            rules: Vec::new(),
            quotas: Quotas::default(),
            explore: 0.1,
            seed: 7,
            office: "office_id".to_owned(),
            date: "declaration_date".to_owned(),
            stake: "stake_krw".to_owned(),
            key: vec!["declaration_id".to_owned(), "item_no".to_owned()],
            reasons: 3,
            words: BTreeMap::new(),
        }
    }

    /// One rule more.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The quota of one office.
    #[must_use]
    pub fn quota(mut self, office: &str, quota: Quota) -> Self {
        self.quotas.offices.insert(office.to_owned(), quota);
        self
    }

    /// The quota of one office on one day (`YYYY-MM-DD`).
    #[must_use]
    pub fn quota_on(mut self, office: &str, day: &str, quota: Quota) -> Self {
        self.quotas.days.insert((office.to_owned(), day.to_owned()), quota);
        self
    }

    /// The quota of every office that has none of its own.
    #[must_use]
    pub fn quota_for_all(mut self, quota: Quota) -> Self {
        self.quotas.all = Some(quota);
        self
    }

    /// Share of the red quota that is drawn at random, 0 to 1; 0.1 unless said. A part of an item is one item on that
    /// share of the days.
    #[must_use]
    pub fn explore(mut self, share: f64) -> Self {
        self.explore = share;
        self
    }

    /// What draws and ties fall by; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Name of the column with the office.
    #[must_use]
    pub fn office(mut self, column: &str) -> Self {
        self.office = column.to_owned();
        self
    }

    /// Name of the column with the day: dates, or texts `YYYY-MM-DD`.
    #[must_use]
    pub fn date(mut self, column: &str) -> Self {
        self.date = column.to_owned();
        self
    }

    /// Name of the column with the amount at stake, 0 or more, in any currency.
    #[must_use]
    pub fn stake(mut self, column: &str) -> Self {
        self.stake = column.to_owned();
        self
    }

    /// Names of the columns that together tell items apart.
    #[must_use]
    pub fn key(mut self, columns: &[&str]) -> Self {
        self.key = columns.iter().map(|&column| column.to_owned()).collect();
        self
    }

    /// How many features a reason names; 3 unless said.
    #[must_use]
    pub fn reasons(mut self, features: usize) -> Self {
        self.reasons = features;
        self
    }

    /// What a reason calls a feature; its name unless said.
    #[must_use]
    pub fn words(mut self, feature: &str, words: &str) -> Self {
        self.words.insert(feature.to_owned(), words.to_owned());
        self
    }

    /// The version of rules and model.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn check(&self) -> Result<()> {
        if self.version.is_empty() {
            return refuse("decision table, version", "a text that names rules and model", "nothing");
        }
        if !(0.0..=1.0).contains(&self.explore) {
            return refuse("decision table, explore", "0 to 1", self.explore);
        }
        if self.key.is_empty() {
            return refuse("decision table, key", "at least 1 column", "none");
        }
        self.quotas.check()?;
        check(&self.rules)
    }

    /// Decides on every row, by the model's `probability` of fraud of each.
    ///
    /// # Errors
    /// When a setting is out of its range; a column is missing, null or of the wrong type; two rows have one key; a
    /// probability is none or a stake below 0; a rule fails (with the row), or two contradict one another; an office has
    /// no quota, more quota than items, or more items by rules than quota.
    pub fn decide(&self, frame: &DataFrame, probability: &[f64]) -> Result<Decisions> {
        self.check()?;
        decide::decide(self, frame, probability, None)
    }

    /// As [`DecisionTable::decide`], with what each feature adds to the model's score, for the reasons.
    ///
    /// # Errors
    /// As [`DecisionTable::decide`]; when there are not as many rows of contributions, or those of a row sum neither to the
    /// log-odds of its probability nor to the probability itself (to 1e-6).
    pub fn decide_explained(
        &self,
        frame: &DataFrame,
        probability: &[f64],
        contributions: &Contributions,
    ) -> Result<Decisions> {
        self.check()?;
        decide::decide(self, frame, probability, Some(contributions))
    }
}
