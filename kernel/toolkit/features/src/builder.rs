//! Which features a model sees: a list by column names.

use crate::deviation::{Deviations, log_ratio};
use crate::feature::Feature;
use crate::history::{Overall, Past, Timeline, check_prior};
use crate::key::{Dictionary, Source};
use crate::{Error, FittedFeatures, Result, column};
use polars::frame::DataFrame;
use rayon::prelude::*;

/// The six columns that together name a kind of goods in a Korea Customs Service declaration.
///
/// In the published files whole rows of these, label included, were drawn from the source again
/// and again, so that 82 % of later rows can be looked up in the training rows. Scores are
/// therefore reported for rows with an unseen key as well.
pub const DECLARATION_KEY: [&str; 6] =
    ["hs6", "departure_country", "origin_country", "duty_rate", "tariff_type", "net_mass_kg"];

/// The list of features, by column name; see the crate's page for the rule that they follow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeatureBuilder {
    pub(crate) features: Vec<Feature>,
    /// Columns made of the first characters of another: name, column, characters.
    prefixes: Vec<(String, String, usize)>,
}

fn owned(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|&column| column.to_owned()).collect()
}

impl FeatureBuilder {
    /// A builder without features.
    pub fn new() -> Self {
        Self::default()
    }

    /// The features of a customs declaration's item, from the columns of `fact_item`:
    ///
    /// - past fraud rate (10 rows of smoothing) of each of 17 codes and parties: office, process,
    ///   import type and use, payment, transport, declarant, importer, seller, courier, HS-6 code
    ///   with its heading (4 digits) and chapter (2), departure, origin, tariff type, origin mark;
    /// - past fraud rate (1 row) and number of earlier rows of the exact goods ([`DECLARATION_KEY`]);
    /// - how far the price per kilogram is from the past of the same HS-6 code;
    /// - duty rate, net mass, price, price per kilogram, and whether origin is the departure country.
    pub fn clearance() -> Self {
        let mut builder = Self::new().prefix("hs4", "hs6", 4).prefix("hs2", "hs6", 2);
        for column in CODES {
            builder = builder.history(&[column], 10.0);
        }
        builder
            .history(&DECLARATION_KEY, 1.0)
            .count(&DECLARATION_KEY)
            .numeric("duty_rate")
            .numeric("net_mass_kg")
            .numeric("item_price_krw")
            .ratio("item_price_krw", "net_mass_kg")
            .deviation("item_price_krw", "net_mass_kg", &["hs6"])
            .same("origin_country", "departure_country")
    }

    /// The columns of `fact_item` as they are, without histories: 15 codes and the duty rate as
    /// categories, net mass and price as logarithms. What a plain model would be given.
    pub fn plain() -> Self {
        let mut builder = Self::new();
        for column in CODES.iter().filter(|column| !["hs4", "hs2"].contains(column)) {
            builder = builder.categorical(column);
        }
        builder.categorical("duty_rate").log("net_mass_kg").log("item_price_krw")
    }

    /// Adds a column of numbers, booleans or dates (days) as it is; null becomes NaN.
    #[must_use]
    pub fn numeric(mut self, column: &str) -> Self {
        self.features.push(Feature::Numeric(column.to_owned()));
        self
    }

    /// Adds `numerator / denominator`, named `<numerator>_per_<denominator>`; NaN where either is
    /// null or the denominator is 0.
    #[must_use]
    pub fn ratio(mut self, numerator: &str, denominator: &str) -> Self {
        self.features.push(Feature::Ratio(numerator.to_owned(), denominator.to_owned()));
        self
    }

    /// Adds `ln(1 + column)`, named `log_<column>`; NaN for null and for numbers below 0. For
    /// models that add features up, where a few very large amounts would drown the rest.
    #[must_use]
    pub fn log(mut self, column: &str) -> Self {
        self.features.push(Feature::Log(column.to_owned()));
        self
    }

    /// Adds `ln(numerator / denominator)` less its mean over earlier training rows with the same
    /// values in `columns`; named `<numerator>_per_<denominator>_off_<a>_x_<b>`. NaN where there
    /// is no such row, or either amount is null or not above 0. Labels play no part in it.
    #[must_use]
    pub fn deviation(mut self, numerator: &str, denominator: &str, columns: &[&str]) -> Self {
        self.features.push(Feature::Deviation(numerator.to_owned(), denominator.to_owned(), owned(columns)));
        self
    }

    /// Adds 1 where two columns hold the same value, 0 where not, NaN where either is null; named
    /// `<a>_is_<b>`.
    #[must_use]
    pub fn same(mut self, a: &str, b: &str) -> Self {
        self.features.push(Feature::Same(a.to_owned(), b.to_owned()));
        self
    }

    /// Adds a column of text or numbers as codes 0, 1, 2 … in the order of the sorted values of the
    /// training rows; NaN for null and for values that training did not have.
    #[must_use]
    pub fn categorical(mut self, column: &str) -> Self {
        self.features.push(Feature::Categorical(column.to_owned()));
        self
    }

    /// Adds the rate of positive labels among earlier training rows with the same values in
    /// `columns`, drawn towards the overall rate by `prior` rows; named `rate_by_<a>_x_<b>`.
    ///
    /// The formula stands at [`crate::History`]. Null is a value of its own.
    #[must_use]
    pub fn history(mut self, columns: &[&str], prior: f64) -> Self {
        self.features.push(Feature::History(owned(columns), prior));
        self
    }

    /// Adds the number of earlier training rows with the same values in `columns`, labelled or
    /// not; named `rows_by_<a>_x_<b>`.
    #[must_use]
    pub fn count(mut self, columns: &[&str]) -> Self {
        self.features.push(Feature::Count(owned(columns)));
        self
    }

    /// Lets histories, counts and categories use the first `chars` characters of a text column
    /// under a name of their own, such as the chapter of an HS code. Adds no feature by itself.
    #[must_use]
    pub fn prefix(mut self, name: &str, column: &str, chars: usize) -> Self {
        self.prefixes.push((name.to_owned(), column.to_owned(), chars));
        self
    }

    /// Takes the features of this name out (see [`FeatureBuilder::names`]); nothing where there is none.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.features.retain(|feature| feature.name() != name);
        self
    }

    /// Names of the features, in their order.
    pub fn names(&self) -> Vec<String> {
        self.features.iter().map(Feature::name).collect()
    }

    /// Names of the features that are past rates: a model may be told that they only raise a score.
    pub fn rate_names(&self) -> Vec<String> {
        let rates = self.features.iter().filter(|feature| matches!(feature, Feature::History(..)));
        rates.map(Feature::name).collect()
    }

    fn source(&self, name: &str) -> Source {
        match self.prefixes.iter().find(|(known, _, _)| known == name) {
            Some((_, column, chars)) => Source { column: column.clone(), prefix: Some(*chars) },
            None => Source::whole(name),
        }
    }

    fn sources(&self, names: &[String]) -> Vec<Source> {
        names.iter().map(|name| self.source(name)).collect()
    }

    fn check(&self) -> Result<()> {
        if self.features.is_empty() {
            return Err(Error::NoFeatures);
        }
        let names = self.names();
        if let Some((_, name)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return Err(Error::FeatureTwice { name: name.clone() });
        }
        for feature in &self.features {
            if let Feature::History(_, prior) = feature {
                check_prior(*prior)?;
            }
        }
        Ok(())
    }

    /// Learns categories and histories from training rows.
    ///
    /// `target` is a column of booleans or 0/1; rows with a null target (not inspected) count as
    /// rows but teach no rate. `date` is a `Date`, `Datetime`, whole days, or text `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When the frame has no rows; a column is missing or of a type that its feature cannot use; a
    /// date is null or a label neither 0 nor 1 (with the row); the builder is empty, has a feature
    /// twice, or a prior below 0.
    pub fn fit(&self, frame: &DataFrame, target: &str, date: &str) -> Result<FittedFeatures> {
        self.check()?;
        let past = Past::read(frame, target, date)?;
        let timelines = self.timelines(frame, &past)?;
        let mut dictionaries = Vec::new();
        let mut deviations = Vec::new();
        for feature in &self.features {
            match feature {
                Feature::Categorical(name) => {
                    let source = self.source(name);
                    let mut dictionary = Dictionary::fit_prefix(frame, &source.column, source.prefix, "a category")?;
                    dictionary.sort();
                    dictionaries.push((name.clone(), dictionary));
                }
                Feature::Deviation(over, under, key) => {
                    let values = log_ratio(frame, over, under)?;
                    let fitted = Deviations::fit(frame, &self.sources(key), &past.days, &values)?;
                    deviations.push((feature.name(), fitted));
                }
                // The training frame is refused here rather than at the first transform.
                Feature::Numeric(column) => drop(column::numbers(frame, column, "a feature")?),
                Feature::Log(column) => drop(column::numbers(frame, column, "a logarithm")?),
                Feature::Ratio(a, b) => {
                    column::numbers(frame, a, "a ratio")?;
                    column::numbers(frame, b, "a ratio")?;
                }
                Feature::Same(a, b) => {
                    column::find(frame, a, "a comparison")?;
                    column::find(frame, b, "a comparison")?;
                }
                Feature::History(..) | Feature::Count(..) => {}
            }
        }
        Ok(FittedFeatures {
            features: self.features.clone(),
            date: date.to_owned(),
            overall: Overall::fit(&past),
            timelines,
            dictionaries,
            deviations,
        })
    }

    /// One timeline for each list of columns: a history and a count of the same columns share it.
    fn timelines(&self, frame: &DataFrame, past: &Past) -> Result<Vec<(Vec<String>, Timeline)>> {
        let mut keys: Vec<Vec<String>> = Vec::new();
        for key in self.features.iter().filter_map(Feature::key) {
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_vec());
            }
        }
        // Collected as results first: which of several errors is returned must not depend on timing.
        let fitted: Vec<Result<Timeline>> =
            keys.par_iter().map(|key| Timeline::fit(frame, &self.sources(key), past)).collect();
        keys.into_iter().zip(fitted).map(|(key, timeline)| Ok((key, timeline?))).collect()
    }
}

/// Codes and parties of an item, each with a past of its own.
const CODES: [&str; 17] = [
    "office_id",
    "process_type",
    "import_type",
    "import_use",
    "payment_type",
    "transport_mode",
    "declarant_id",
    "importer_id",
    "seller_id",
    "courier_id",
    "hs6",
    "hs4",
    "hs2",
    "departure_country",
    "origin_country",
    "tariff_type",
    "origin_mark",
];
