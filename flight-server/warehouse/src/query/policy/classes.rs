//! What goes in: a column. What comes out: how sensitive it is, and how it is shown unless a role
//! says otherwise.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use haetae_schema::Classification;

use super::Mask;
use crate::store::{About, Pinned};
use crate::{OUTSIDE, REJECTS};

/// What a role is cleared for, beside what its policy says of single columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clearance {
    /// The classifications that are shown as they are.
    pub cleared: BTreeSet<Classification>,
    /// (schema, table, column) of which the policy itself says how they are shown.
    pub stated: BTreeSet<(String, String, String)>,
}

/// The classification of that name.
pub(crate) fn named(name: &str) -> Option<Classification> {
    Classification::ALL.into_iter().find(|class| class.name() == name)
}

/// The classification of a column as it is now: edited, or that of the table outside of the warehouse, or by the schema.
pub(crate) fn held(manifest: &Pinned, (schema, table, column): (&str, &str, &str)) -> Classification {
    let edited = manifest.in_force().get(About::Columns, &[schema, table, column], "classification").flatten();
    let found = match edited {
        Some(name) => named(name),
        None if schema == OUTSIDE => manifest.outside.get(table).and_then(|table| named(&table.entry.classification)),
        None => Some(classification(table, column)),
    };
    // What no release has named is as secret as can be.
    found.unwrap_or(Classification::RawText)
}

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
    /// The same for a column of any type: what is made for texts is null for others.
    pub(super) fn of_type(classification: Classification, data_type: &DataType) -> Option<Self> {
        match Self::of(classification)? {
            Self::Hash | Self::PartialName if *data_type != DataType::Utf8 => Some(Self::Null),
            mask => Some(mask),
        }
    }

    /// The mask of a classification that a role is not cleared for; `None` where none is needed.
    pub fn of(classification: Classification) -> Option<Self> {
        match classification {
            Classification::Open => None,
            Classification::Identifier => Some(Self::Hash),
            Classification::Name => Some(Self::PartialName),
            Classification::Personal | Classification::CriminalHistory | Classification::RawText => Some(Self::Null),
        }
    }
}
