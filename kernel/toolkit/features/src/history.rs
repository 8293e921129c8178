//! What was known about a key before a day: rows, labels, and the smoothed rate of positive labels.

use crate::key::{KeySet, Source, UNSEEN};
use crate::{Error, Result, column};
use polars::frame::DataFrame;

/// What lies on or before `day`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) day: i32,
    pub(crate) rows: u32,
    pub(crate) labelled: u32,
    pub(crate) positive: u32,
}

/// Cumulated counts of each key by day.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    pub(crate) keys: KeySet,
    /// Entries of key `k` are `seen[offsets[k]..offsets[k + 1]]`, by day.
    pub(crate) offsets: Vec<usize>,
    pub(crate) seen: Vec<Seen>,
}

/// Days and labels of the training rows, and how they add up over all keys.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) days: Vec<i32>,
    pub(crate) labels: Vec<Option<bool>>,
}

fn cumulate(mut rows: Vec<(u32, i32, Option<bool>)>, keys: usize) -> (Vec<usize>, Vec<Seen>) {
    // Counts of whole numbers: the order within a day changes nothing.
    rows.sort_unstable_by_key(|&(key, day, _)| (key, day));
    let mut offsets = Vec::with_capacity(keys + 1);
    let mut seen: Vec<Seen> = Vec::new();
    let mut current: Option<(u32, Seen)> = None;
    for (key, day, label) in rows {
        let mut sum = match current {
            Some((known, sum)) if known == key => sum,
            _ => {
                offsets.push(seen.len());
                Seen::default()
            }
        };
        let same_day = matches!(current, Some((known, sum)) if known == key && sum.day == day);
        sum.day = day;
        sum.rows += 1;
        sum.labelled += u32::from(label.is_some());
        sum.positive += u32::from(label == Some(true));
        if same_day {
            seen.pop();
        }
        seen.push(sum);
        current = Some((key, sum));
    }
    offsets.push(seen.len());
    (offsets, seen)
}

/// The last entry before `day`.
fn before(seen: &[Seen], day: i32) -> Seen {
    match seen.partition_point(|entry| entry.day < day) {
        0 => Seen::default(),
        count => seen[count - 1],
    }
}

impl Timeline {
    pub(crate) fn fit(frame: &DataFrame, sources: &[Source], past: &Past) -> Result<Self> {
        let (keys, codes) = KeySet::fit_sources(frame, sources, "a history")?;
        let rows = codes.into_iter().zip(past.days.iter().zip(&past.labels));
        let rows = rows.map(|(key, (&day, &label))| (key, day, label)).collect();
        let (offsets, seen) = cumulate(rows, keys.len());
        Ok(Self { keys, offsets, seen })
    }

    /// The columns of the frame that it reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.keys.columns()
    }

    fn before(&self, frame: &DataFrame, days: &[i32]) -> Result<Vec<Seen>> {
        let keys = self.keys.keys(frame)?;
        Ok(keys
            .into_iter()
            .zip(days)
            .map(|(key, &day)| match key {
                UNSEEN => Seen::default(),
                key => {
                    let key = key as usize;
                    before(&self.seen[self.offsets[key]..self.offsets[key + 1]], day)
                }
            })
            .collect())
    }

    /// Rows of the same key before each row's day.
    pub(crate) fn rows(&self, frame: &DataFrame, days: &[i32]) -> Result<Vec<f64>> {
        Ok(self.before(frame, days)?.into_iter().map(|seen| f64::from(seen.rows)).collect())
    }

    /// Rate of the same key before each row's day, drawn towards `overall` by `prior` rows.
    pub(crate) fn rate(&self, frame: &DataFrame, days: &[i32], overall: &Overall, prior: f64) -> Result<Vec<f64>> {
        let seen = self.before(frame, days)?;
        Ok(seen
            .into_iter()
            .zip(days)
            .map(|(seen, &day)| {
                let labelled = f64::from(seen.labelled) + prior;
                // Nothing was known before that day: missing, not a guess.
                overall
                    .rate(day)
                    .filter(|_| labelled > 0.0)
                    .map_or(f64::NAN, |rate| (f64::from(seen.positive) + prior * rate) / labelled)
            })
            .collect())
    }
}

/// The rate of positive labels over all keys, by day.
#[derive(Debug, Clone)]
pub(crate) struct Overall(pub(crate) Vec<Seen>);

impl Overall {
    pub(crate) fn fit(past: &Past) -> Self {
        let rows = past.days.iter().zip(&past.labels).map(|(&day, &label)| (0, day, label)).collect();
        Self(cumulate(rows, 1).1)
    }

    /// Rate before `day`; `None` where there is no earlier label.
    fn rate(&self, day: i32) -> Option<f64> {
        let seen = before(&self.0, day);
        (seen.labelled > 0).then(|| f64::from(seen.positive) / f64::from(seen.labelled))
    }
}

/// Checks the rows of smoothing.
pub(crate) fn check_prior(prior: f64) -> Result<()> {
    if prior.is_finite() && prior >= 0.0 {
        return Ok(());
    }
    Err(Error::Setting {
        name: "prior of a history (rows)".to_owned(),
        expected: "a finite number of at least 0",
        found: prior.to_string(),
    })
}

/// Past rate of positive labels by key, on its own: the simplest score there is, and the baseline
/// that a model has to beat.
///
/// For a row of key *k* on day *d*, with *n* labelled training rows of *k* before *d*, *p* of
/// them positive, and the rate *r* of all labelled rows before *d*:
/// `(p + prior * r) / (n + prior)`; NaN where there is no earlier label at all.
#[derive(Debug, Clone)]
pub struct History {
    date: String,
    prior: f64,
    overall: Overall,
    timeline: Timeline,
}

impl History {
    /// Learns from rows; those with a null target count as rows and not as labels.
    ///
    /// # Errors
    /// When a column is missing or of the wrong type, a date is null, a label is neither 0 nor 1,
    /// there are no rows, or `prior` is negative.
    pub fn fit(frame: &DataFrame, columns: &[&str], prior: f64, target: &str, date: &str) -> Result<Self> {
        check_prior(prior)?;
        let past = Past::read(frame, target, date)?;
        let sources: Vec<Source> = columns.iter().map(|column| Source::whole(column)).collect();
        Ok(Self {
            date: date.to_owned(),
            prior,
            overall: Overall::fit(&past),
            timeline: Timeline::fit(frame, &sources, &past)?,
        })
    }

    /// The smoothed past rate for every row.
    ///
    /// # Errors
    /// When a column is missing, has changed its type, or a date is null.
    pub fn rates(&self, frame: &DataFrame) -> Result<Vec<f64>> {
        self.timeline.rate(frame, &column::days(frame, &self.date)?, &self.overall, self.prior)
    }

    /// Number of training rows of the same key before every row's day.
    ///
    /// # Errors
    /// As [`History::rates`].
    pub fn rows(&self, frame: &DataFrame) -> Result<Vec<f64>> {
        self.timeline.rows(frame, &column::days(frame, &self.date)?)
    }
}

impl Past {
    pub(crate) fn read(frame: &DataFrame, target: &str, date: &str) -> Result<Self> {
        if frame.height() == 0 {
            return Err(Error::NoRows);
        }
        Ok(Self { days: column::days(frame, date)?, labels: column::labels(frame, target)? })
    }
}
