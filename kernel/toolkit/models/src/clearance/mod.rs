//! The ready recipe for customs declarations: frames in; features fitted on the past, a model,
//! baselines and an evaluation out.

mod model;
mod run;

pub use model::ClearanceModel;
pub use run::{ClearanceRun, Stage};

use crate::evaluation::Protocols;
use crate::lightgbm::Progress;
use crate::{LightGbm, LightGbmParams, Logistic, LogisticParams, Result, Step};
use haetae_features::{DECLARATION_KEY, FeatureBuilder};
use polars::frame::DataFrame;

/// How a clearance model is made and judged; each method changes one thing.
///
/// Frames hold the columns of `fact_item` and, from `fact_inspection`, `fraud` (null where a line
/// was not inspected) and, where it is known, `additional_duty_krw`. Rows without a label count in
/// histories as rows, and are neither learnt from nor judged.
///
/// ```
/// use haetae_features::FeatureBuilder;
/// use haetae_models::{Clearance, Protocol};
/// use polars::prelude::*;
///
/// let day: Vec<i32> = (0..400).map(|i| i / 4).collect();
/// let importer: Vec<String> = (0..400).map(|i| format!("I{}", i * 7 % 20)).collect();
/// let goods: Vec<i32> = (0..400).map(|i| i * 11 % 97).collect();
/// let fraud: Vec<bool> = (0..400).map(|i| i * 7 % 20 < 5 || i % 31 == 0).collect();
/// let items = df!("day" => day, "importer_id" => importer, "goods" => goods, "fraud" => fraud)?;
///
/// let clearance = Clearance::new()
///     .features(FeatureBuilder::new().history(&["importer_id"], 10.0).count(&["importer_id"]))
///     .plain_features(FeatureBuilder::new().categorical("importer_id"))
///     .date("day")
///     .key(&["goods"]);
/// let run = clearance.run(&items.head(Some(300)), &items.tail(Some(100)))?;
/// println!("{run}");
/// assert!(run.evaluation.get(Protocol::Full, "LightGBM").is_some_and(|score| score.auc > 0.9));
/// assert_eq!(run.model.score(&items)?.len(), 400);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Clearance {
    features: FeatureBuilder,
    plain: FeatureBuilder,
    model: LightGbmParams,
    logistic: LogisticParams,
    target: String,
    date: String,
    importer: String,
    revenue: String,
    key: Vec<String>,
    folds: usize,
    unlearnt: Option<Vec<(String, String)>>,
}

impl Default for Clearance {
    fn default() -> Self {
        Self::new()
    }
}

impl Clearance {
    /// [`FeatureBuilder::clearance`] and 200 trees of depth 2 whose past rates only raise the
    /// score. Deeper trees learn single goods by heart: on rows with an unseen key they are worse.
    ///
    /// The number of trees is fixed. Early stopping would choose it on the very rows whose figures
    /// are printed.
    pub fn new() -> Self {
        let features = FeatureBuilder::clearance();
        Self {
            model: LightGbm::params()
                .trees(200)
                .depth(2)
                .leaves(4)
                .learning_rate(0.05)
                .increasing(&features.rate_names()),
            features,
            plain: FeatureBuilder::plain(),
            logistic: Logistic::params(),
            target: "fraud".to_owned(),
            date: "declaration_date".to_owned(),
            importer: "importer_id".to_owned(),
            revenue: "additional_duty_krw".to_owned(),
            key: DECLARATION_KEY.map(str::to_owned).to_vec(),
            folds: 5,
            unlearnt: None,
        }
    }

    /// Other features for the trees; their past rates may only raise the score.
    #[must_use]
    pub fn features(mut self, features: FeatureBuilder) -> Self {
        self.model = self.model.increasing(&features.rate_names());
        self.features = features;
        self
    }

    /// Other features for the logistic baseline; [`FeatureBuilder::plain`] unless said.
    #[must_use]
    pub fn plain_features(mut self, features: FeatureBuilder) -> Self {
        self.plain = features;
        self
    }

    /// Other trees. What may only raise the score is then as `model` says.
    #[must_use]
    pub fn model(mut self, model: LightGbmParams) -> Self {
        self.model = model;
        self
    }

    /// Another logistic baseline.
    #[must_use]
    pub fn logistic(mut self, logistic: LogisticParams) -> Self {
        self.logistic = logistic;
        self
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

    /// Whose past the importer-history baseline looks at; `importer_id` unless said.
    #[must_use]
    pub fn importer(mut self, column: &str) -> Self {
        self.importer = column.to_owned();
        self
    }

    /// What an inspection brings, in any currency; `additional_duty_krw` unless said. Revenue is
    /// reported where the column is there and not all null; a single null counts as 0.
    #[must_use]
    pub fn revenue(mut self, column: &str) -> Self {
        self.revenue = column.to_owned();
        self
    }

    /// Columns that together name the goods, for the lookup baseline and the clean and grouped
    /// protocols; [`DECLARATION_KEY`] unless said.
    #[must_use]
    pub fn key(mut self, columns: &[&str]) -> Self {
        self.key = columns.iter().map(|&column| column.to_owned()).collect();
        self
    }

    /// Folds of the grouped protocol; 5 unless said, 0 leaves it out.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    /// Ways to choose that learn nothing, judged beside the models: for each a name and a column of numbers whose greatest
    /// values come first (null comes last), such as the price, or how many of an office's rules hold; and `random`, a draw by a
    /// fixed seed. None unless said.
    #[must_use]
    pub fn unlearnt(mut self, ways: &[(&str, &str)]) -> Self {
        self.unlearnt = Some(ways.iter().map(|(name, column)| ((*name).to_owned(), (*column).to_owned())).collect());
        self
    }

    /// Fits features and trees on `train`, and judges nothing.
    ///
    /// # Errors
    /// When a column is missing or of the wrong type, no row has a label or all have the same, or
    /// a parameter is out of its range.
    pub fn fit(&self, train: &DataFrame) -> Result<ClearanceModel> {
        self.fit_watched(train, &mut |_| Step::Go)
    }

    fn fit_watched(&self, train: &DataFrame, watch: &mut dyn FnMut(&Progress) -> Step) -> Result<ClearanceModel> {
        let params = self.model.check()?;
        let features = self.features.fit(train, &self.target, &self.date)?;
        let (labelled, target) = self.labelled("training rows", train)?;
        let model = params.fit_watched(&features.transform(&labelled)?, &target, None, watch)?;
        Ok(ClearanceModel::new(features, model, self))
    }

    /// The rows with a label, and their labels.
    fn labelled(&self, what: &'static str, frame: &DataFrame) -> Result<(DataFrame, Vec<f64>)> {
        self.protocols(&[]).labelled(what, frame)
    }

    fn protocols<'a>(&'a self, key: &'a [&'a str]) -> Protocols<'a> {
        Protocols { target: &self.target, date: &self.date, revenue: &self.revenue, key, folds: self.folds }
    }

    fn key_columns(&self) -> Vec<&str> {
        self.key.iter().map(String::as_str).collect()
    }
}
