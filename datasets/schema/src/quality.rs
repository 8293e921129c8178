//! What goes in: nothing. What comes out: the tables of the schema `quality`: what the rules of data
//! quality have found.

use arrow_schema::DataType::{Float64, Int32, Int64};

use crate::table::Classification::RawText;
use crate::table::{Column, Table};

const RUN: Column = Column::new("run_id", Int64, false, "Number of the run.");
const SCOPE: Column = Column::text("scope", "What was looked at: all rows, or the added ones alone.");

pub(crate) const RUNS: Table = Table {
    name: "runs",
    comment: "One run of the rules over one version of a schema.",
    columns: &[
        RUN,
        Column::text("schema_name", "Schema whose tables were checked."),
        SCOPE,
        Column::new("version", Int64, false, "Version of the warehouse that was read."),
        Column::text("version_time", "When that version was committed, in UTC."),
        Column::new(
            "since_version",
            Int64,
            true,
            "Version whose rows were left out as known; null where all rows were checked.",
        ),
        Column::text("rules_sha256", "SHA-256 of the rules, in lower-case hexadecimal."),
        Column::new("rules", Int32, false, "Number of rules."),
        Column::new("checked", Int64, false, "Rows checked, summed over the rules."),
        Column::new("violations", Int64, false, "Rows that broke a rule, summed over the rules."),
    ],
    key: &["run_id"],
    sort: &["run_id"],
};

pub(crate) const RESULTS: Table = Table {
    name: "results",
    comment: "What one rule found in one run.",
    columns: &[
        RUN,
        Column::text("rule", "Name of the rule."),
        Column::text("family", "Family of the rule."),
        Column::text("dataset", "Table that was checked, with its schema."),
        Column::text("column_names", "Columns that the rule is about."),
        Column::text("says", "What the rule demands, in words."),
        Column::new("weight", Float64, false, "How much the rule counts in scores."),
        Column::new("checked", Int64, false, "Rows to which the rule applies."),
        Column::new("violations", Int64, false, "Rows that break it."),
        Column::new("kept", Int64, false, "Rows that are listed in violations."),
        Column::new("passed", Float64, true, "Share of the checked rows that obey; null where none was checked."),
    ],
    key: &["run_id", "rule"],
    sort: &["run_id", "rule"],
};

pub(crate) const VIOLATIONS: Table = Table {
    name: "violations",
    comment: "One row that breaks a rule; of each rule the first ones by key.",
    columns: &[
        RUN,
        Column::text("rule", "Name of the rule."),
        Column::text("family", "Family of the rule."),
        Column::text("dataset", "Table of the row, with its schema."),
        Column::text("row_key", "Key of the row: its key columns with / between them.").classified(RawText),
        // The same key once more, to join by: what it tells of a row is as raw as the text.
        Column::maybe_text("declaration_id", "Number of the declaration; null in a table that has none.")
            .classified(RawText),
        Column::new("item_no", Int32, true, "Number of the line in its declaration; null in a table that has none.")
            .classified(RawText),
        Column::maybe_text("found", "The values that break the rule; null where all of them are null.")
            .classified(RawText),
        Column::text("reason", "What is wrong."),
    ],
    key: &["run_id", "rule", "row_key"],
    sort: &["run_id", "rule", "row_key"],
};

pub(crate) const SCORES: Table = Table {
    name: "scores",
    comment: "How good a table is in one run: over all rules, and over those of each family.",
    columns: &[
        RUN,
        Column::text("dataset", "Table, with its schema."),
        Column::text("family", "Family of rules, or the word all."),
        SCOPE,
        Column::new("score", Float64, false, "Shares of rows that obey, averaged by weight, from 0 to 100."),
        Column::new(
            "previous",
            Float64,
            true,
            "Score in the run before with the same rules and scope; null in the first.",
        ),
        Column::new("change", Float64, true, "Score less the previous one; null in the first run."),
    ],
    key: &["run_id", "dataset", "family"],
    sort: &["run_id", "dataset", "family"],
};

pub(crate) const DECISIONS: Table = Table {
    name: "decisions",
    comment: "One change of the state of one violation; the last one of a row and a rule counts.",
    columns: &[
        Column::new("change_id", Int64, false, "Number of the change; later ones are larger, as are later runs."),
        Column::text("rule", "Name of the rule."),
        Column::text("dataset", "Table of the row, with its schema."),
        Column::text("row_key", "Key of the row: its key columns with / between them.").classified(RawText),
        Column::text("state", "What the violation became: assigned, accepted, corrected."),
        Column::maybe_text("assignee", "Who is to see to it; null where nobody was named."),
        // Whoever writes it may quote the row.
        Column::maybe_text("reason", "Why; null where none was given.").classified(RawText),
        Column::text("decided_by", "Who made the change."),
        Column::new("run_id", Int64, false, "Run that had found the violation."),
    ],
    key: &["change_id", "rule", "dataset", "row_key"],
    sort: &["change_id", "rule", "row_key"],
};
