//! What goes in: importers, and lines of each day. What comes out: audits after clearance, the lines that they look at,
//! and those whom they are about.

use arrow::array::RecordBatch;

use super::AUDITS;
use super::parties::Parties;
use crate::columns::{by_id, days, flags, numbers, rows, table, text, whole};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::items::Item;
use crate::names;
use crate::rng::Rng;
use crate::rows::{Ids, declaration_id};
use crate::world::World;

/// Periods that audits look at, as day indices: the halves of 2020 and the first quarter of 2021.
const PERIODS: [(i32, i32); 3] = [(0, 181), (182, 365), (366, 455)];
/// Share of the lines of an audited period that is looked at.
const CHECKED: f64 = 0.5;
/// Share of the frauds on these lines that is found.
const FOUND: f64 = 0.85;
/// The case of an importer that is not audited.
const NONE: u32 = u32::MAX;

/// One audit, as it is planned.
struct Case {
    id: String,
    importer: usize,
    kind: &'static str,
    period: (i32, i32),
    notified: i32,
    opened: i32,
    closed: i32,
}

/// All audits.
pub struct Audits {
    cases: Vec<Case>,
    /// For each importer, the number of its case or `NONE`.
    of: Vec<u32>,
}

/// What an audit says of one line.
pub struct Audited {
    case: usize,
    id: String,
    item_no: i32,
    day: i32,
    recovered: f64,
}

/// What the lines of one audit come to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum {
    checked: i32,
    wrong: i32,
    recovered: f64,
}

impl Audits {
    /// Draws who is audited, why and when; what is true of the lines has no part in it.
    pub fn new(world: &World) -> Self {
        let mut rng = Rng::new(world.seed, AUDITS);
        let (mut cases, mut of) = (Vec::new(), Vec::new());
        for (importer, habits) in world.companies.importers.iter().enumerate() {
            let kind = match rng.unit() {
                x if habits.watched && habits.weight > 0.5 && x < 0.35 => Some("targeted"),
                x if habits.weight > 3.0 && x < 0.35 => Some("regular"),
                x if x > 0.99 => Some("random"),
                _ => None,
            };
            let period = PERIODS[rng.below(PERIODS.len())];
            let notified = period.1 + 20 + rng.below(60) as i32;
            let opened = notified + 10 + rng.below(20) as i32;
            let closed = opened + 20 + rng.below(90) as i32;
            let trades = habits.active.0 <= period.1 && habits.active.1 >= period.0;
            let Some(kind) = kind.filter(|_| trades) else {
                of.push(NONE);
                continue;
            };
            of.push(cases.len() as u32);
            let id = names::id(world.seed, 'A', cases.len());
            cases.push(Case { id, importer, kind, period, notified, opened, closed });
        }
        Self { cases, of }
    }

    /// What audits say of the lines of a day. What an inspection has found is not looked at again.
    pub fn look_at(&self, items: &[Item], rng: &mut Rng) -> Vec<Audited> {
        let mut audited = Vec::new();
        for item in items {
            let number = self.of.get(item.importer).copied().unwrap_or(NONE) as usize;
            let Some(case) = self.cases.get(number).filter(|c| (c.period.0..=c.period.1).contains(&item.day)) else {
                continue;
            };
            let known = item.finding.as_ref().is_some_and(|finding| finding.class > 0);
            if known || !rng.chance(CHECKED) {
                continue;
            }
            let day = case.opened + rng.below((case.closed - case.opened + 1) as usize) as i32;
            let recovered = match &item.truth {
                Some(truth) if rng.chance(FOUND) => (truth.evaded * rng.between(0.8, 1.0)).round().max(1.0),
                _ => 0.0,
            };
            audited.push(Audited { case: number, id: declaration_id(item), item_no: item.item_no, day, recovered });
        }
        audited
    }

    /// Rows of `fact_audit_line`.
    pub fn lines(&self, audited: &[Audited]) -> Result<RecordBatch, SynthError> {
        rows(
            "fact_audit_line",
            vec![
                text(audited.iter().map(|a| &a.id)),
                whole(audited.iter().map(|a| a.item_no)),
                text(audited.iter().map(|a| &self.cases[a.case].id)),
                days(audited.iter().map(|a| a.day)),
                flags(audited.iter().map(|a| a.recovered > 0.0)),
                numbers(audited.iter().map(|a| a.recovered)),
            ],
        )
    }

    /// Adds lines to the sums of their audits.
    pub fn add(&self, sums: &mut Vec<Sum>, audited: &[Audited]) {
        sums.resize(self.cases.len(), Sum::default());
        for line in audited {
            let sum = &mut sums[line.case];
            sum.checked += 1;
            sum.wrong += i32::from(line.recovered > 0.0);
            sum.recovered += line.recovered;
        }
    }

    /// Hands `fact_audit` and `bridge_case_entity` to the sink.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn write(
        &self,
        world: &World,
        ids: &Ids,
        sums: &[Sum],
        parties: &Parties,
        sink: &mut Sink<'_>,
    ) -> Result<(), SynthError> {
        let order = by_id(self.cases.len(), |i| &self.cases[i].id);
        let sum = |i: usize| sums.get(i).copied().unwrap_or_default();
        let importers = &world.companies.importers;
        table(sink, "fact_audit", &order, |some| {
            let cases = || some.iter().map(|&i| &self.cases[i]);
            let office = |case: &Case| world.reference.offices[importers[case.importer].offices[1] as usize].id;
            vec![
                text(cases().map(|c| &c.id)),
                text(cases().map(|c| ids.importer(c.importer))),
                text(cases().map(office)),
                text(cases().map(|c| c.kind)),
                days(cases().map(|c| c.period.0)),
                days(cases().map(|c| c.period.1)),
                days(cases().map(|c| c.notified)),
                days(cases().map(|c| c.opened)),
                days(cases().map(|c| c.closed)),
                whole(some.iter().map(|&i| sum(i).checked)),
                whole(some.iter().map(|&i| sum(i).wrong)),
                numbers(some.iter().map(|&i| sum(i).recovered)),
            ]
        })?;
        let entities: Vec<(usize, bool)> = order.iter().flat_map(|&i| [(i, false), (i, true)]).collect();
        table(sink, "bridge_case_entity", &entities, |some| {
            let entity = |&(i, person): &(usize, bool)| {
                let case = &self.cases[i];
                match person {
                    false => ids.importer(case.importer),
                    true => parties.person_id(parties.representative(case.importer, case.opened)),
                }
            };
            let kind = |&(_, person): &(usize, bool)| if person { "person" } else { "company" };
            let part = |&(_, person): &(usize, bool)| if person { "representative" } else { "subject" };
            vec![
                text(some.iter().map(|(i, _)| &self.cases[*i].id)),
                text(some.iter().map(kind)),
                text(some.iter().map(entity)),
                text(some.iter().map(part)),
            ]
        })
    }
}
