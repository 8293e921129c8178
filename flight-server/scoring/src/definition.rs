//! What goes in: a TOML file. What comes out: what is scored, from which columns, by which rules and quotas, or what is
//! wrong with the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use haetae_warehouse::names::{hint, near};
use haetae_warehouse::{DEFAULT_SCHEMA, known_schema};
use serde::Deserialize;

use crate::digest::digest;
use crate::{Error, Result};

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Declared items of a day, into lanes.
    Clearance,
    /// Companies, into grades.
    Taxpayer,
}

impl Kind {
    /// Its name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clearance => "clearance",
            Self::Taxpayer => "taxpayer",
        }
    }
}

/// A definition that has been read and checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Small letters, digits and `_`; models are called by it.
    pub name: String,
    /// What is scored.
    pub kind: Kind,
    /// The schema that is read.
    #[serde(default = "customs")]
    pub schema: String,
    /// SQL over `today`, `past_item`, `past_inspection` and `past_finding`: a row for each item or company.
    pub sql: String,
    /// Column -> what a reason calls it.
    pub features: BTreeMap<String, String>,
    /// Features that are codes without an order.
    #[serde(default)]
    pub categories: Vec<String>,
    /// How the model learns.
    #[serde(default)]
    pub train: Train,
    /// Quotas and the share that is drawn.
    #[serde(default)]
    pub lanes: Lanes,
    /// When a new model is due.
    #[serde(default)]
    pub retrain: Option<Retrain>,
    /// Rules of the decision table.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    /// Points that officers set, for companies.
    #[serde(default, rename = "factor")]
    pub factors: Vec<Factor>,
    /// SHA-256 of what the file sets.
    #[serde(skip)]
    sha256: String,
}

/// How a model learns. Settings that are left out are those of [`Train::default`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// How many days of declarations (for companies: of inspections) it learns from.
    pub days: u32,
    /// Every so many days, where all of them are too many.
    pub every: u32,
    /// Days from an inspection until its result is known.
    pub delay_days: u32,
    /// Trees.
    pub trees: usize,
    /// Most leaves of a tree.
    pub leaves: usize,
    /// Weight of a tree.
    pub learning_rate: f64,
    /// Fewest rows of a leaf.
    pub min_rows: usize,
    /// Where drawing begins.
    pub seed: u32,
    /// Features that may only raise the score.
    pub increasing: Vec<String>,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            days: 180,
            every: 1,
            delay_days: 14,
            trees: 200,
            leaves: 8,
            learning_rate: 0.05,
            min_rows: 40,
            seed: 7,
            increasing: Vec::new(),
        }
    }
}

/// When a new model is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retrain {
    /// Days from one model to the next.
    pub every_days: u32,
    /// Fewest results of inspections that have become known since the last model.
    #[serde(default = "one")]
    pub new_results: u32,
}

fn one() -> u32 {
    1
}

/// How many items of an office's day go into each lane, as shares, and what is drawn.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lanes {
    /// Share for the document check.
    pub yellow: f64,
    /// Share for the inspection.
    pub red: f64,
    /// Share for the audit after clearance.
    pub blue: f64,
    /// Share of the inspections that is drawn at random.
    pub explore: f64,
    /// What draws and ties fall by.
    pub seed: u64,
    /// Offices with numbers of their own.
    pub office: Vec<Office>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { yellow: 0.02, red: 0.05, blue: 0.03, explore: 0.1, seed: 7, office: Vec::new() }
    }
}

/// The quota of one office, in items a day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// The office.
    pub id: String,
    /// Document checks.
    pub yellow: usize,
    /// Inspections.
    pub red: usize,
    /// Audits after clearance.
    pub blue: usize,
}

/// One rule of the decision table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// What it says, for reasons.
    pub text: String,
    /// SQL over the row `t`.
    pub when: String,
    /// green, yellow, red or blue.
    pub lane: String,
    /// First day on which it holds.
    #[serde(default)]
    pub from: Option<String>,
    /// Last day on which it holds.
    #[serde(default)]
    pub to: Option<String>,
    /// Named among the reasons; decides nothing.
    #[serde(default)]
    pub advisory: bool,
    /// Rules that do not stand where this one holds.
    #[serde(default)]
    pub over: Vec<String>,
}

/// A business factor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// What a reason says.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// SQL over the row `t`.
    pub when: String,
    /// Points; above 0 is riskier.
    pub points: i64,
}

fn customs() -> String {
    DEFAULT_SCHEMA.to_owned()
}

/// How the names of tables begin that hold what was not known on the day: facts, registers with their history, what
/// binds them, and the exchange rates, which are those of later weeks too. A definition reads the facts of its day under
/// other names, and of what its plan reads these are then the program's own.
pub(crate) const LATER: [&str; 5] = ["fact_", "bridge_", "dim_company", "dim_person", "dim_currency_rate"];
/// The part of a file that is no part of a version.
const SCHEDULE: &str = "retrain";
/// What tables and reasons call something else.
const TAKEN: [&str; 2] = ["score", "start"];

impl Definition {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// When it cannot be read or is no definition, with what is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable { file: file.clone(), source })?;
        Self::parse(&file, &text)
    }

    /// Checks a definition given as text; `file` is what messages call it.
    ///
    /// # Errors
    /// As [`Definition::read`].
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::Definition { file: file.to_owned(), reason };
        let failed = |error: toml::de::Error| wrong(error.to_string().trim().to_owned());
        let mut parsed: Self = toml::from_str(text).map_err(failed)?;
        let mut settings: toml::Table = toml::from_str(text).map_err(failed)?;
        // When models are trained changes nothing of what they say: a version stays what it is.
        settings.remove(SCHEDULE);
        parsed.sha256 = digest(&settings);
        parsed.check().map_err(wrong)?;
        known_schema(&parsed.schema)?;
        Ok(parsed)
    }

    /// What the file of a model of companies keeps of its definition: enough to fit it again.
    pub(crate) fn of_companies(
        schema: &str,
        features: &[(String, String, bool)],
        factors: &[(String, i64)],
        seed: u32,
    ) -> Self {
        let categories = features.iter().filter(|(_, _, category)| *category);
        let factor = |(name, points): &(String, i64)| Factor {
            name: name.clone(),
            owner: String::new(),
            when: String::new(),
            points: *points,
        };
        Self {
            name: String::new(),
            kind: Kind::Taxpayer,
            schema: schema.to_owned(),
            sql: String::new(),
            features: features.iter().map(|(name, words, _)| (name.clone(), words.clone())).collect(),
            categories: categories.map(|(name, _, _)| name.clone()).collect(),
            train: Train { seed, ..Train::default() },
            lanes: Lanes::default(),
            retrain: None,
            rules: Vec::new(),
            factors: factors.iter().map(factor).collect(),
            sha256: String::new(),
        }
    }

    /// SHA-256 of what the file sets; layout, comments and the order of settings do not count.
    pub fn sha256(&self) -> String {
        self.sha256.clone()
    }

    /// What the log and the tables call model and definition together.
    pub fn version(&self, model: &str) -> String {
        format!("{model}/{}", self.sha256.get(..8).unwrap_or_default())
    }

    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.chars().all(plain) {
            return Err("name has small letters, digits and _ alone, at most 40 of them".to_owned());
        }
        if self.features.is_empty() {
            return Err(
                "features is empty; name the columns that the model learns from, each with its words".to_owned()
            );
        }
        let written = self.rules.iter().map(|rule| &rule.when).chain(self.factors.iter().map(|factor| &factor.when));
        for text in written.chain([&self.sql]) {
            let text = text.to_lowercase();
            if let Some(name) = LATER.iter().find(|name| text.contains(**name)) {
                return Err(format!(
                    "SQL names `{name}`, which may hold what was not known on the day; read today, past_item, \
                     past_inspection and past_finding instead"
                ));
            }
        }
        if let Some(name) = TAKEN.iter().find(|name| self.features.contains_key(**name)) {
            return Err(format!("the feature `{name}` has a name that reasons and drift use; call it something else"));
        }
        for name in self.categories.iter().chain(&self.train.increasing) {
            if !self.features.contains_key(name) {
                let meant = hint(&near(name, self.features.keys().map(String::as_str)));
                return Err(format!("there is no feature `{name}`.{meant}"));
            }
        }
        if let Some(name) = self.train.increasing.iter().find(|name| self.categories.contains(name)) {
            return Err(format!("`{name}` is a category, so that it cannot be increasing"));
        }
        if self.train.days == 0 || self.train.every == 0 {
            return Err("train: days and every are at least 1".to_owned());
        }
        if self.retrain.as_ref().is_some_and(|retrain| retrain.every_days == 0) {
            return Err("retrain: every_days is at least 1".to_owned());
        }
        self.check_lanes()
    }

    fn check_lanes(&self) -> Result<(), String> {
        let Lanes { yellow, red, blue, explore, office, .. } = &self.lanes;
        for (name, share) in [("yellow", yellow), ("red", red), ("blue", blue), ("explore", explore)] {
            if !(0.0..=1.0).contains(share) {
                return Err(format!("lanes, {name}: expected a share from 0 to 1, found {share}"));
            }
        }
        if yellow + red + blue > 1.0 {
            return Err(format!("lanes: the shares sum to {}; expected at most 1", yellow + red + blue));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = office.iter().find(|office| !seen.insert(&office.id)) {
            return Err(format!("lanes: the office {} stands twice", twice.id));
        }
        match self.kind {
            Kind::Clearance if !self.factors.is_empty() => {
                Err("factors are for companies; a clearance definition has rules".to_owned())
            }
            Kind::Taxpayer if !self.rules.is_empty() => {
                Err("rules put items into lanes; a taxpayer definition has factors".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "name = \"a\"\nkind = \"clearance\"\nsql = \"select 1\"\n[features]\nb = \"the b\"\na = \"the a\"\n\
                         [lanes]\nred = 0.5\nseed = 3\n";

    fn sum(text: &str) -> String {
        Definition::parse("a.toml", text).unwrap().sha256()
    }

    #[test]
    fn the_sum_is_of_the_settings_and_stays() {
        // By Python: {8:features={1:a=5:the a1:b=5:the b}4:kind=9:clearance5:lanes={3:red=f0.5;4:seed=3;}4:name=1:a3:sql=8:select 1}
        let expected = "3ac13bdfd6022b3048a6862c5f5da347be9dcfb3e530a34332048cd025b74e8e";
        assert_eq!(sum(SMALL), expected);
        let moved = SMALL.replace("b = \"the b\"\na = \"the a\"\n", "a = 'the a' # first\nb = \"the b\"\n\n");
        assert_ne!(moved, SMALL);
        assert_eq!(sum(&moved), expected);
        assert_ne!(sum(&SMALL.replace("seed = 3", "seed = 4")), expected);
        assert_eq!(sum(&format!("{SMALL}[retrain]\nevery_days = 30\n")), expected, "a schedule is no part of it");
    }
}
