//! What goes in: parties. What comes out: rows of the tables that bind them, and the truth about rings.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::parties::{Parties, Tie};
use crate::columns::{batch, days, maybe_days, numbers, table, text};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::rows::Ids;

/// Hands `bridge_company_person`, `bridge_company_company`, `bridge_person_person` and `truth/rings` to the sink.
///
/// # Errors
/// What the sink reports.
pub fn write(ids: &Ids, parties: &Parties, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let percent = |share: u8| f64::from(share) / 100.0;
    let mut roles = parties.roles.clone();
    roles.sort_by_key(|r| (parties.company_id(ids, r.company), parties.person_id(r.person), r.kind, r.from));
    table(sink, "bridge_company_person", &roles, |some| {
        vec![
            text(some.iter().map(|r| parties.company_id(ids, r.company))),
            text(some.iter().map(|r| parties.person_id(r.person))),
            text(some.iter().map(|r| r.kind)),
            days(some.iter().map(|r| r.from)),
            maybe_days(some.iter().map(|r| r.to)),
            Arc::new(some.iter().map(|r| r.share.map(percent)).collect::<arrow::array::Float64Array>()),
        ]
    })?;
    let mut owned = parties.owned.clone();
    owned.sort_by_key(|o| (parties.company_id(ids, o.owner), parties.company_id(ids, o.company), o.from));
    table(sink, "bridge_company_company", &owned, |some| {
        vec![
            text(some.iter().map(|o| parties.company_id(ids, o.owner))),
            text(some.iter().map(|o| parties.company_id(ids, o.company))),
            days(some.iter().map(|o| o.from)),
            maybe_days(some.iter().map(|_| None)),
            numbers(some.iter().map(|o| percent(o.share))),
        ]
    })?;
    let pair = |tie: &Tie| {
        let (one, other) = (parties.person_id(tie.one), parties.person_id(tie.other));
        if one <= other { (one, other) } else { (other, one) }
    };
    let mut ties = parties.ties.clone();
    ties.sort_by_key(|tie| (pair(tie), tie.relation));
    table(sink, "bridge_person_person", &ties, |some| {
        vec![
            text(some.iter().map(|tie| pair(tie).0)),
            text(some.iter().map(|tie| pair(tie).1)),
            text(some.iter().map(|tie| tie.relation)),
        ]
    })?;
    rings(ids, parties, sink)
}

/// Which importers belong to a ring, and what binds them to its organiser.
fn rings(ids: &Ids, parties: &Parties, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let fields = ["ring_id", "importer_id", "organiser_person_id", "bond"];
    let schema: SchemaRef = Arc::new(Schema::new(fields.map(|name| Field::new(name, DataType::Utf8, false)).to_vec()));
    let members = &parties.members;
    let columns: Vec<ArrayRef> = vec![
        text(members.iter().map(|m| format!("N{:06}", m.ring + 1))),
        text(members.iter().map(|m| ids.importer(m.importer as usize))),
        text(members.iter().map(|m| parties.person_id(m.organiser))),
        text(members.iter().map(|m| m.bond.name())),
    ];
    sink("truth", "rings", Arc::clone(&schema), &mut std::iter::once(batch("rings", schema, columns)))
}
