//! What goes in: nothing. What comes out: the tables of the schema `risk`: registered models, what they say of items and
//! companies, what was decided, what past cases and officers say of it, and how well it went.

use arrow_schema::DataType::{Boolean, Float64, Int32, Int64};

use crate::shared::{day, krw};
use crate::table::Classification::{CriminalHistory, Identifier, RawText};
use crate::table::{Column, Table};

const DAY: Column = day("day", "Day on which the items were declared.");
const VERSION: Column = Column::text("version", "Version of model and definition: the model, a stroke, and a digest.");
const MODEL: Column = Column::text("model", "Name of the model.");
const KIND: Column = Column::text("kind", "clearance for items, taxpayer for companies.");
const OFFICE: Column = Column::text("office_id", "Customs office that took the declaration.");
const IMPORTER: Column = Column::text("importer_id", "Who imports.").classified(Identifier);
const DECLARATION: Column = Column::text("declaration_id", "Number of the declaration.");
const ITEM: Column = Column::new("item_no", Int32, false, "Number of the line in its declaration.");
const DATA: Column = Column::new("data_version", Int64, false, "Version of the warehouse that was read.");
const DEFINITION: Column = Column::text("definition", "Name of the definition.");
const DIGEST: Column = Column::text("definition_sha256", "SHA-256 of what the definition says, in hexadecimal.");

const fn number(name: &'static str, comment: &'static str) -> Column {
    Column::new(name, Float64, false, comment)
}

const fn maybe_number(name: &'static str, comment: &'static str) -> Column {
    Column::new(name, Float64, true, comment)
}

const fn whole(name: &'static str, comment: &'static str) -> Column {
    Column::new(name, Int64, false, comment)
}

pub(crate) const MODELS: Table = Table {
    name: "models",
    comment: "One registered model; its file lies beside the warehouse.",
    columns: &[
        MODEL,
        KIND,
        DEFINITION,
        DIGEST,
        Column::text("trained_schema", "Schema whose tables it has learnt from."),
        day("as_of", "Day before which everything that it has learnt was known."),
        day("first_day", "First day whose rows it has learnt from."),
        day("last_day", "Last day whose rows it has learnt from."),
        DATA,
        whole("trained_rows", "Rows with a label."),
        whole("positives", "Of these, rows with fraud."),
        maybe_number("auc", "Area under the ROC curve on rows that were held back; null where none could be."),
        maybe_number("ks", "Kolmogorov-Smirnov distance on the same rows; null where none could be."),
        Column::text("features", "Names of the features, separated by commas."),
        Column::text("file_sha256", "SHA-256 of the file, in hexadecimal, which is its name too."),
    ],
    key: &["model"],
    sort: &["model"],
};

pub(crate) const ACTS: Table = Table {
    name: "acts",
    comment: "One thing that somebody has done with a model.",
    columns: &[
        Column::new("run_id", Int64, false, "Number of the act: that of the operation in meta.versions."),
        MODEL,
        DEFINITION,
        Column::text("act", "registered or promoted."),
        Column::text("done_by", "Who has done it."),
        Column::text("reason", "Why."),
    ],
    key: &["run_id"],
    sort: &["run_id"],
};

pub(crate) const RUNS: Table = Table {
    name: "runs",
    comment: "One day that was scored by one version.",
    columns: &[
        Column::new("run_id", Int64, false, "Number of the run: that of the operation in meta.versions."),
        DAY,
        VERSION,
        DEFINITION,
        MODEL,
        Column::text("role", "champion or challenger, as the model was when it ran."),
        DATA,
        DIGEST,
        whole("items", "Items of the day, or companies."),
        whole("yellow", "Items whose documents are checked."),
        whole("red", "Items that are inspected."),
        whole("blue", "Items that are audited after clearance."),
        whole("drawn", "Red items that were drawn at random."),
        whole("by_rule", "Items that a rule has placed."),
        whole("last_record", "Number of the last record of the log after the run."),
        Column::text("last_hash", "Hash of that record."),
    ],
    key: &["day", "version"],
    sort: &["day", "version"],
};

pub(crate) const SCORES: Table = Table {
    name: "scores",
    comment: "What a model says of one declared item. start, value_1 to value_3 and other_value sum to log_odds.",
    columns: &[
        DAY,
        VERSION,
        DECLARATION,
        ITEM,
        OFFICE,
        IMPORTER,
        number("probability", "Probability of fraud, 0 to 1."),
        krw("stake_krw", "Amount at stake."),
        krw("expected_revenue_krw", "Probability times amount at stake."),
        number("log_odds", "Logarithm of the odds of fraud: what the summands sum to."),
        number("start", "Summand that every item has."),
        Column::maybe_text("feature_1", "Feature that moves the score most; null where there is none."),
        number("value_1", "What it adds."),
        Column::maybe_text("feature_2", "Second feature; null where there is none."),
        number("value_2", "What it adds."),
        Column::maybe_text("feature_3", "Third feature; null where there is none."),
        number("value_3", "What it adds."),
        number("other_value", "What all other features add."),
    ],
    key: &["declaration_id", "item_no", "version"],
    sort: &["day", "version", "office_id", "declaration_id", "item_no"],
};

pub(crate) const LANES: Table = Table {
    name: "lanes",
    comment: "What was decided on one declared item by one version.",
    columns: &[
        DAY,
        VERSION,
        DECLARATION,
        ITEM,
        OFFICE,
        IMPORTER,
        Column::text("lane", "green (released), yellow (documents), red (inspection) or blue (audit after clearance)."),
        Column::text("why", "rule, model, drawn (at random) or rest."),
        maybe_number("chance", "Chance of being drawn for inspection; null where a rule decided."),
        Column::maybe_text("rules", "Rules that hold, separated by commas; null where none does."),
        Column::text("reason", "The reason in words."),
    ],
    key: &["declaration_id", "item_no", "version"],
    sort: &["day", "version", "office_id", "lane", "declaration_id", "item_no"],
};

pub(crate) const DECISIONS: Table = Table {
    name: "decisions",
    comment: "One record of the log of decisions, bound to the one before by its hash.",
    columns: &[
        whole("record", "Number of the record, from 1."),
        DAY,
        VERSION,
        OFFICE,
        Column::text("line", "The record as JSON.").classified(RawText),
    ],
    key: &["record"],
    sort: &["record"],
};

pub(crate) const TAXPAYER_SCORES: Table = Table {
    name: "taxpayer_scores",
    comment: "What a model says of one company as of one day. The points sum to the score.",
    columns: &[
        day("day", "Day before which all that the score rests on was known."),
        VERSION,
        IMPORTER,
        Column::new("score", Int32, false, "0 to 1000; higher is riskier."),
        Column::text("grade", "01, the riskiest, to 10."),
        number("probability", "Probability that an inspection will find fraud."),
        whole("base_points", "Points that every company has."),
        whole("card_points", "Points of the scorecard's attributes."),
        whole("factor_points", "Points that officers have set."),
        whole("limit_points", "What keeps the score within 0 to 1000."),
        Column::maybe_text("reason_1", "What raises the score most; null where nothing does."),
        Column::maybe_text("reason_2", "Second reason; null where there is none."),
        Column::maybe_text("reason_3", "Third reason; null where there is none."),
    ],
    key: &["day", "version", "importer_id"],
    sort: &["day", "version", "importer_id"],
};

pub(crate) const COMPARISONS: Table = Table {
    name: "comparisons",
    comment: "How one way to choose did on the labelled items that all compared versions have scored, at one rate.",
    columns: &[
        Column::new("run_id", Int64, false, "Number of the comparison: that of the operation in meta.versions."),
        day("first_day", "First day."),
        day("last_day", "Last day."),
        day("known_on", "Day by which results of inspections had to be known."),
        Column::text(
            "version",
            "Version that chose, or a way without a model: `stake`, `price`, `rules`, `importer history` or `random`.",
        ),
        number("inspected_rate", "Share of the items that is chosen.").unit("fraction"),
        whole("items", "Items with a label."),
        whole("chosen", "Items chosen."),
        whole("found", "Chosen items with fraud."),
        number("precision", "Found of chosen."),
        number("precision_low", "Lower end of its 95 percent interval (Wilson)."),
        number("precision_high", "Upper end."),
        number("recall", "Found of all items with fraud."),
        maybe_number("revenue", "Duty recovered of what all items would give; null where none is known."),
        number("auc", "Area under the ROC curve over all of them."),
    ],
    key: &["run_id", "version", "inspected_rate"],
    sort: &["run_id", "version", "inspected_rate"],
};

pub(crate) const DRIFT: Table = Table {
    name: "drift",
    comment: "How far the items of a day have moved away from those of the training.",
    columns: &[
        DAY,
        VERSION,
        Column::text("feature", "The feature, or `score`."),
        number("psi", "Population stability index."),
        Column::text("verdict", "calm below 0.1, moved, or another population above 0.25."),
    ],
    key: &["day", "version", "feature"],
    sort: &["day", "version", "feature"],
};

pub(crate) const SIMILAR: Table = Table {
    name: "similar",
    comment: "One past case that is like a declared item, with what its inspection found.",
    columns: &[
        DAY,
        VERSION,
        DECLARATION,
        ITEM,
        OFFICE,
        Column::new("place", Int32, false, "1 for the case that is most like the item, and so on."),
        Column::text("past_declaration_id", "Number of the declaration of the case."),
        Column::new("past_item_no", Int32, false, "Number of the line in that declaration."),
        Column::text("past_office_id", "Customs office that took it."),
        day("past_day", "Day on which the case was declared."),
        day("inspection_date", "Day on which it was inspected."),
        Column::text("shared", "hs6 and origin, hs6, hs4 or hs2: what both have in common."),
        number("distance", "Sum of the differences of what each feature adds to the two scores, in log-odds."),
        Column::new("fraud", Boolean, false, "Whether the inspection found fraud.").classified(CriminalHistory),
        Column::new("additional_duty_krw", Float64, true, "Duty recovered; null where it is not known.")
            .unit("KRW")
            .classified(CriminalHistory),
    ],
    key: &["declaration_id", "item_no", "version", "place"],
    sort: &["day", "version", "office_id", "declaration_id", "item_no", "place"],
};

pub(crate) const COMMENTS: Table = Table {
    name: "comments",
    comment: "What an officer says of the score of one declared item. A comment stays as it was written.",
    columns: &[
        Column::new("comment_id", Int64, false, "Number of the comment: that of the operation in meta.versions."),
        DECLARATION,
        ITEM,
        OFFICE,
        VERSION,
        Column::text("verdict", "right, wrong or unsure: what the officer thinks of the score."),
        Column::text("comment", "Why, in the officer's words.").classified(RawText),
        Column::text("officer", "Who says it."),
    ],
    key: &["comment_id", "declaration_id", "item_no", "version"],
    sort: &["comment_id", "declaration_id", "item_no"],
};
