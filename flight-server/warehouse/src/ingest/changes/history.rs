//! What goes in: the operations of a warehouse so far. What comes out: whether a table has taken content already.

use crate::store::{Input, Kind, Transaction};

/// What was done to a table before, as far as it decides whether content is to be taken again.
#[derive(Default)]
pub(super) struct History(Vec<(u64, Vec<Input>)>);

impl History {
    /// Operations of the same kind and format since the last of another kind, the newest first: what
    /// was appended before a deletion may have gone with it, and is taken again. Of other kinds only the last
    /// operation counts, whatever its format.
    pub(super) fn of(transaction: &Transaction, kind: Kind, schema: &str, table: &str, form: &str) -> Self {
        let own = transaction.recorded().into_iter().rev();
        let own = own.map(|(id, done)| (id, done.kind, (&done.schema, &done.table), &done.format, &done.inputs));
        let before = transaction.base().commits.iter().rev().flat_map(|commit| commit.operations.iter().rev());
        let before = before.map(|done| (done.id, done.kind, (&done.schema, &done.table), &done.format, &done.inputs));
        // An operation by a KCS file bears the name of its first table, and changes the second with it. What it
        // appends is compared with the first alone.
        let with_kcs = |form: &str, table: &str| form == "kcs" && table == "fact_inspection";
        let touches = |place: (&String, &String), other: &str| {
            let also = with_kcs(other, table) || (kind != Kind::Append && with_kcs(form, place.1));
            place.0 == schema && (place.1 == table || also)
        };
        let on_table =
            own.chain(before).filter(|(_, other, place, format, _)| *other != Kind::Compact && touches(*place, format));
        let most = if kind == Kind::Append { usize::MAX } else { 1 };
        let same = on_table.take_while(|(_, other, ..)| *other == kind).take(most);
        let same = same.filter(|(_, _, _, format, _)| format.as_str() == form);
        Self(same.map(|(id, _, _, _, inputs)| (id, inputs.clone())).collect())
    }

    /// The operation that has taken this content.
    pub(super) fn took(&self, input: &Input) -> Option<u64> {
        let took = |inputs: &[Input]| inputs.iter().any(|earlier| earlier.sha256 == input.sha256);
        self.0.iter().find(|(_, inputs)| took(inputs)).map(|(id, _)| *id)
    }

    /// Whether the last operation had exactly this content.
    pub(super) fn last_was(&self, inputs: &[Input]) -> bool {
        let content = |inputs: &[Input]| inputs.iter().map(|input| input.sha256.clone()).collect::<Vec<_>>();
        self.0.first().is_some_and(|(_, last)| content(last) == content(inputs))
    }
}
