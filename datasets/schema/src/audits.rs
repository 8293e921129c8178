//! What goes in: nothing. What comes out: the tables of what is done after clearance: audits, the lines that they look
//! at, those whom they are about, and rulings.

use arrow_schema::DataType::{Boolean, Date32, Int32};

use crate::codes;
use crate::shared::{DECLARATION_OF_LINE, ITEM_NO, day, krw};
use crate::table::Classification::{CriminalHistory, Identifier, RawText};
use crate::table::{Column, Table};

pub(crate) const FACT_AUDIT: Table = Table {
    name: "fact_audit",
    comment: "One audit of an importer after clearance.",
    columns: &[
        Column::text("audit_id", "Number of the audit."),
        Column::text("importer_id", "Who is audited.").refers("dim_importer", "importer_id").classified(Identifier),
        Column::text("office_id", "Customs office that audits.").refers("dim_office", "office_id"),
        Column::text("audit_kind", "Why it was chosen.").codes(&codes::AUDIT_KIND),
        day("period_from", "First day of the declarations that it looks at."),
        day("period_to", "Last day of them."),
        day("notified_on", "Day on which the importer was told; after the period."),
        day("opened_on", "Day on which it began; never before the importer was told."),
        day("closed_on", "Day on which it ended; never before it began."),
        Column::new("lines_checked", Int32, false, "Lines looked at: those of fact_audit_line."),
        Column::new("lines_wrong", Int32, false, "Of these, lines on which something illicit was found.")
            .classified(CriminalHistory),
        krw("additional_duty_krw", "Duty and import tax recovered: the sum over the lines.")
            .classified(CriminalHistory),
    ],
    key: &["audit_id"],
    sort: &["audit_id"],
};

pub(crate) const FACT_AUDIT_LINE: Table = Table {
    name: "fact_audit_line",
    comment: "The finding for one line that an audit has looked at. What an inspection had found is left out.",
    columns: &[
        DECLARATION_OF_LINE,
        ITEM_NO,
        Column::text("audit_id", "The audit.").refers("fact_audit", "audit_id"),
        day("checked_on", "Day on which it was looked at, while the audit was open."),
        Column::new("fraud", Boolean, false, "Whether something illicit was found.").classified(CriminalHistory),
        krw("additional_duty_krw", "Duty and import tax recovered; 0 where nothing was found.")
            .classified(CriminalHistory),
    ],
    key: &["declaration_id", "item_no"],
    sort: &["declaration_id", "item_no"],
};

pub(crate) const BRIDGE_CASE_ENTITY: Table = Table {
    name: "bridge_case_entity",
    comment: "One company or person that an audit is about.",
    columns: &[
        Column::text("audit_id", "The audit.").refers("fact_audit", "audit_id"),
        Column::text("entity_kind", "Whether it is a company or a person.").codes(&codes::ENTITY_KIND),
        Column::text("entity_id", "company_id of dim_company, or person_id of dim_person.").classified(Identifier),
        Column::text("part", "What part it has in the case.").codes(&codes::CASE_PART),
    ],
    key: &["audit_id", "entity_kind", "entity_id"],
    sort: &["audit_id", "entity_kind", "entity_id"],
};

pub(crate) const FACT_RULING: Table = Table {
    name: "fact_ruling",
    comment: "One advance ruling.",
    columns: &[
        Column::text("ruling_id", "Number of the ruling.").wco("AdditionalDocument/ID"),
        Column::text("ruling_kind", "What it decides.").codes(&codes::RULING_KIND),
        day("application_date", "Day on which it was asked for."),
        day("ruling_date", "Day on which it was given."),
        Column::new("valid_to", Date32, true, "Last day on which it binds; null = no end known."),
        Column::text("importer_id", "Who asked.").refers("dim_importer", "importer_id").classified(Identifier),
        Column::text("hs6", "Subheading that it is about, or decides on.")
            .refers("dim_hs", "hs6")
            .wco("Classification/ID"),
        Column::maybe_text("asked_hs6", "Subheading that was asked for; null where the ruling is not about it.")
            .refers("dim_hs", "hs6"),
        Column::maybe_text("origin_country", "Origin that it decides on; null where it decides on none.")
            .refers("dim_country", "country_code")
            .wco("Origin/CountryCode"),
        // An applicant may name anybody in it.
        Column::text("question", "What was asked.").classified(RawText),
        Column::text("decision", "What was decided, and why."),
    ],
    key: &["ruling_id"],
    sort: &["ruling_id"],
};
