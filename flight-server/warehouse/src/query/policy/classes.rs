//! What goes in: a column. What comes out: how sensitive it is, and how it is shown unless a role
//! says otherwise.

use haetae_schema::Classification;

use super::Mask;
use crate::REJECTS;

/// The classification of a column, by the schema; refused rows are raw text.
pub fn classification(table: &str, column: &str) -> Classification {
    if table == REJECTS {
        // The reason quotes the value that was refused.
        return if matches!(column, "raw_text" | "reason") { Classification::RawText } else { Classification::Open };
    }
    // Names of tables stand in two schemas at most, and agree on the columns that they share (a test of haetae-schema).
    let filled = haetae_schema::quality_tables().iter().chain(haetae_schema::risk_tables());
    let filled = filled.chain(haetae_schema::course_tables());
    let tables = haetae_schema::tables().iter().chain(filled);
    let known = tables.filter(|known| known.name == table).find_map(|known| known.column(column));
    known.map_or(Classification::Open, |column| column.classification)
}

impl Mask {
    /// The mask of a classification that a role is not cleared for; `None` where none is needed.
    pub fn of(classification: Classification) -> Option<Self> {
        match classification {
            Classification::Open => None,
            Classification::Identifier => Some(Self::Hash),
            Classification::Name => Some(Self::PartialName),
            Classification::CriminalHistory | Classification::RawText => Some(Self::Null),
        }
    }
}
