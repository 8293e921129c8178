//! What goes in: statements, logins and changes that have ended. What comes out: their counts, in the text format of
//! Prometheus (exposition format 0.0.4).

mod gauges;
mod page;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

pub(crate) use page::serve;

use crate::lock::lock;

/// The upper ends of the buckets of durations, in seconds.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];

/// Counts since the server has started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    counts: Mutex<Counts>,
    rows: AtomicU64,
    bytes: AtomicU64,
    commits: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    /// By class and outcome.
    statements: BTreeMap<(&'static str, String), u64>,
    /// By class.
    durations: BTreeMap<&'static str, Durations>,
    /// By outcome.
    logins: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Durations {
    /// How many took at most as long as the bucket says.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

/// A number of the moment: name, meaning, and values by what is in braces.
type Gauge = (&'static str, &'static str, Vec<(String, u64)>);

impl Metrics {
    pub(crate) fn ended(&self, class: &'static str, outcome: &str, took: Duration, (rows, bytes): (u64, u64)) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let mut counts = self.lock();
        *counts.statements.entry((class, outcome.to_owned())).or_default() += 1;
        let durations = counts.durations.entry(class).or_default();
        for (count, end) in durations.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= end);
        }
        durations.count += 1;
        durations.seconds += seconds;
    }

    pub(crate) fn login(&self, outcome: String) {
        *self.lock().logins.entry(outcome).or_default() += 1;
    }

    /// A statement that could not be planned.
    pub(crate) fn refused(&self, outcome: String) {
        *self.lock().refused.entry(outcome).or_default() += 1;
    }

    pub(crate) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it, what others count, and what holds at the moment.
    fn text(&self, counted: &[Gauge], gauges: &[Gauge]) -> String {
        let mut text = String::new();
        self.counters(&mut text);
        let families = [("counter", counted), ("gauge", gauges)];
        for (kind, (name, meaning, values)) in
            families.iter().flat_map(|(kind, all)| all.iter().map(move |one| (kind, one)))
        {
            family(&mut text, name, kind, meaning);
            for (labels, value) in values {
                line(&mut text, name, labels, value);
            }
        }
        text
    }

    fn counters(&self, text: &mut String) {
        let counts = self.lock();
        let name = "haetae_statements_total";
        family(text, name, "counter", "Statements that have ended, by class and outcome.");
        for ((class, outcome), count) in &counts.statements {
            line(text, name, &format!("class=\"{class}\",outcome=\"{outcome}\""), count);
        }
        let name = "haetae_statement_seconds";
        family(
            text,
            name,
            "histogram",
            "Seconds from the call to the end of a statement, with the time it has waited.",
        );
        for (class, durations) in &counts.durations {
            for (end, count) in BUCKETS.iter().zip(durations.buckets) {
                line(text, "haetae_statement_seconds_bucket", &format!("class=\"{class}\",le=\"{end}\""), count);
            }
            let labels = format!("class=\"{class}\"");
            line(text, "haetae_statement_seconds_bucket", &format!("{labels},le=\"+Inf\""), durations.count);
            line(text, "haetae_statement_seconds_sum", &labels, durations.seconds);
            line(text, "haetae_statement_seconds_count", &labels, durations.count);
        }
        for (name, meaning, by_outcome) in [
            ("haetae_logins_total", "Logins and refreshes, by outcome.", &counts.logins),
            ("haetae_plans_refused_total", "Statements that could not be planned or begun, by code.", &counts.refused),
        ] {
            family(text, name, "counter", meaning);
            for (outcome, count) in by_outcome {
                line(text, name, &format!("outcome=\"{outcome}\""), count);
            }
        }
        for (name, meaning, count) in [
            ("haetae_rows_sent_total", "Rows of statements that have ended: sent, or changed.", &self.rows),
            ("haetae_bytes_sent_total", "Bytes of the messages of statements that have ended.", &self.bytes),
            ("haetae_commits_total", "Commits that clients have made.", &self.commits),
        ] {
            family(text, name, "counter", meaning);
            line(text, name, "", count.load(Ordering::Relaxed));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        lock(&self.counts)
    }
}

// Writing to a text cannot fail.

fn family(text: &mut String, name: &str, kind: &str, meaning: &str) {
    let _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ =
        if labels.is_empty() { writeln!(text, "{name} {value}") } else { writeln!(text, "{name}{{{labels}}} {value}") };
}
