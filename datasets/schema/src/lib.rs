//! What goes in: nothing. What comes out: the tables of the customs warehouse as data: columns,
//! units, code lists, keys, references, and the Arrow schema of each table. No I/O.
//!
//! ```
//! let items = haetae_schema::table("fact_item").ok_or("no such table")?;
//! assert_eq!(items.key, ["declaration_id", "item_no"]);
//! assert_eq!(items.arrow_schema().fields().len(), items.columns.len());
//! # Ok::<(), &'static str>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod audits;
mod clearance;
pub mod codes;
mod companies;
mod course;
mod facts;
mod given;
mod meta;
mod papers;
mod parties;
mod quality;
mod reference;
mod risk;
mod shared;
mod table;

pub use codes::CodeList;
pub use table::{Classification, Column, Table};

static TABLES: [Table; 39] = [
    facts::FACT_ITEM,
    facts::FACT_INSPECTION,
    facts::FACT_PARTNER_EXPORT,
    facts::FACT_DOCUMENT,
    clearance::FACT_DECLARATION,
    clearance::FACT_TAX,
    clearance::FACT_PAYMENT,
    clearance::FACT_REFUND,
    clearance::FACT_AMENDMENT,
    clearance::FACT_MANIFEST,
    audits::FACT_AUDIT,
    audits::FACT_AUDIT_LINE,
    audits::FACT_RULING,
    parties::FACT_COMPANY_FINANCE,
    papers::FACT_IMAGE_OBJECT,
    companies::DIM_IMPORTER,
    companies::DIM_DECLARANT,
    companies::DIM_SELLER,
    companies::DIM_COURIER,
    reference::DIM_OFFICE,
    reference::DIM_HS,
    reference::DIM_COUNTRY,
    reference::DIM_TARIFF_RATE,
    given::DIM_DATE,
    given::DIM_PROCEDURE,
    given::DIM_TRANSPORT_MODE,
    given::DIM_INCOTERM,
    given::DIM_VALUATION_METHOD,
    given::DIM_AGREEMENT,
    given::DIM_CURRENCY_RATE,
    parties::DIM_COMPANY,
    parties::DIM_PERSON,
    parties::BRIDGE_COMPANY_PERSON,
    parties::BRIDGE_COMPANY_COMPANY,
    parties::BRIDGE_PERSON_PERSON,
    parties::BRIDGE_PERSON_OFFENCE,
    papers::BRIDGE_DOCUMENT_DECLARATION,
    audits::BRIDGE_CASE_ENTITY,
    given::BRIDGE_AGREEMENT_COUNTRY,
];

/// All tables of the warehouse, facts first, then dimensions and what lies between, each one once.
pub fn tables() -> &'static [Table] {
    &TABLES
}

static QUALITY: [Table; 5] =
    [quality::RUNS, quality::RESULTS, quality::VIOLATIONS, quality::SCORES, quality::DECISIONS];

/// The tables of the schema `quality`, which the warehouse fills itself: what the rules of data quality
/// have found, and what was decided about it.
pub fn quality_tables() -> &'static [Table] {
    &QUALITY
}

static RISK: [Table; 11] = [
    risk::MODELS,
    risk::ACTS,
    risk::RUNS,
    risk::SCORES,
    risk::LANES,
    risk::DECISIONS,
    risk::TAXPAYER_SCORES,
    risk::COMPARISONS,
    risk::DRIFT,
    risk::SIMILAR,
    risk::COMMENTS,
];

/// The tables of the schema `risk`, which scoring fills: models, what they say, and what was decided.
pub fn risk_tables() -> &'static [Table] {
    &RISK
}

static COURSE: [Table; 8] = [
    course::COHORTS,
    course::TRAINEES,
    course::ENROLMENTS,
    course::MODULES,
    course::SUBMISSIONS,
    course::GRADES,
    course::MARKS,
    course::CERTIFICATES,
];

/// The tables of the schema `course`, which a training office fills: cohorts, what was handed in, and what it was worth.
pub fn course_tables() -> &'static [Table] {
    &COURSE
}

static META: [Table; 8] = [
    meta::DATASETS,
    meta::COLUMNS,
    meta::CODES,
    meta::GLOSSARY,
    meta::EDITS,
    meta::VERSIONS,
    meta::LINEAGE,
    meta::PIPELINE_RUNS,
];

/// The tables of the schema `meta`: what the warehouse knows of its own tables.
pub fn meta_tables() -> &'static [Table] {
    &META
}

/// The table called `name` (exact, lower case), or `None` where the warehouse has no such table.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|t| t.name == name)
}
