//! Ways to fit, and frames -> in one call, what each is worth where no table could have answered.

use super::Evaluation;
use super::protocols::{Protocols, Scores};
use crate::progress::step;
use crate::range::Ranges;
use crate::{Error, Lookup, Result};
use haetae_features::DECLARATION_KEY;
use polars::frame::DataFrame;

/// A way to fit: training rows, labelled or not, and other rows -> the scores of the others.
pub type FitFrames<'a> = &'a dyn Fn(&DataFrame, &DataFrame) -> Result<Vec<f64>>;

/// The leakage audit of any models: how many of the later rows have their goods in training, what a table of goods alone
/// reaches, and each model under the protocols full, clean and grouped (see [`super::Protocol`]). Each method changes one
/// thing.
///
/// ```
/// use haetae_features::{FeatureBuilder, labelled_rows, target};
/// use haetae_models::{LeakageAudit, Logistic, Protocol, Result};
/// use polars::prelude::*;
///
/// let day: Vec<i32> = (0..400).map(|i| i / 4).collect();
/// let importer: Vec<String> = (0..400).map(|i| format!("I{}", i * 7 % 20)).collect();
/// let goods: Vec<i32> = (0..400).map(|i| i * 11 % 97).collect();
/// let fraud: Vec<bool> = (0..400).map(|i| i * 7 % 20 < 5 || i % 31 == 0).collect();
/// let items = df!("day" => day, "importer_id" => importer, "goods" => goods, "fraud" => fraud)?;
///
/// let logistic = |train: &DataFrame, later: &DataFrame| -> Result<Vec<f64>> {
///     let features = FeatureBuilder::new().categorical("importer_id").fit(train, "fraud", "day")?;
///     Logistic::params().fit(&features.transform(train)?, &target(train, "fraud")?)?.predict(&features.transform(later)?)
/// };
/// let audit = LeakageAudit::new(&["goods"]).date("day");
/// let report = audit.run(&[("logistic", &logistic)], &items.head(Some(300)), &items.tail(Some(100)))?;
/// println!("{report}");
/// assert!(report.get(Protocol::Grouped, "logistic").is_some_and(|score| score.auc > 0.9));
/// assert!(report.get(Protocol::Full, "lookup").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LeakageAudit {
    key: Vec<String>,
    target: String,
    date: String,
    revenue: String,
    folds: usize,
}

impl Default for LeakageAudit {
    fn default() -> Self {
        Self::new(&DECLARATION_KEY)
    }
}

impl LeakageAudit {
    /// An audit by the columns that together name what a row is about, such as [`DECLARATION_KEY`].
    pub fn new(key: &[&str]) -> Self {
        Self {
            key: key.iter().map(|&column| column.to_owned()).collect(),
            target: "fraud".to_owned(),
            date: "declaration_date".to_owned(),
            revenue: "additional_duty_krw".to_owned(),
            folds: 5,
        }
    }

    /// The label: a column of booleans or 0/1, null where not known; `fraud` unless said.
    #[must_use]
    pub fn target(mut self, column: &str) -> Self {
        self.target = column.to_owned();
        self
    }

    /// The date column; `declaration_date` unless said.
    #[must_use]
    pub fn date(mut self, column: &str) -> Self {
        self.date = column.to_owned();
        self
    }

    /// What an inspection brings; `additional_duty_krw` unless said. Revenue is reported where the column is there and not
    /// all null; a single null counts as 0.
    #[must_use]
    pub fn revenue(mut self, column: &str) -> Self {
        self.revenue = column.to_owned();
        self
    }

    /// Folds of the grouped protocol; 5 unless said, 0 leaves it out.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    /// Fits each way on `train` and judges it on `later`, and once more for each fold. `lookup` is added to them. A way is
    /// given all training rows, those without a label too, and is asked for scores of labelled rows.
    ///
    /// A protocol whose rows are none or of one class is left out, with a note in the evaluation.
    ///
    /// # Errors
    /// When there is no way, two have one name or one is called `lookup`, a column is missing or of the wrong type, no row
    /// has a label, there are fewer keys than folds, or as a way.
    pub fn run(&self, ways: &[(&str, FitFrames<'_>)], train: &DataFrame, later: &DataFrame) -> Result<Evaluation> {
        let ranges = Ranges("leakage audit");
        ranges.whole("number of ways", ways.len(), 1..=usize::MAX)?;
        for (i, (name, _)) in ways.iter().enumerate() {
            if *name == LOOKUP || ways[..i].iter().any(|(known, _)| known == name) {
                return ranges.refuse("names", format!("each once, and none of them `{LOOKUP}`"), name);
            }
        }
        let key: Vec<&str> = self.key.iter().map(String::as_str).collect();
        let protocols =
            Protocols { target: &self.target, date: &self.date, revenue: &self.revenue, key: &key, folds: self.folds };
        let fits = self.folds.saturating_add(1).saturating_mul(ways.len());
        let judged = protocols.judge(train, later, &mut |number, train, asked| {
            let mut scores: Scores = Vec::with_capacity(ways.len() + 1);
            for (i, (name, way)) in ways.iter().enumerate() {
                step("fits", number * ways.len() + i, fits)?;
                let found = way(train, asked)?;
                if found.len() != asked.height() {
                    return Err(Error::Rows { what: "scores of a way", expected: asked.height(), found: found.len() });
                }
                scores.push(((*name).to_owned(), found));
            }
            let (known, _) = protocols.labelled("training rows", train)?;
            scores.push((LOOKUP.to_owned(), Lookup::fit(&known, &key, &self.target)?.score(asked)?));
            Ok(((), scores))
        });
        Ok(judged?.1)
    }
}

/// The table of keys alone.
const LOOKUP: &str = "lookup";
