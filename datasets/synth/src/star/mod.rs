//! What goes in: a world and the lines of each day, before slips are planted. What comes out: the tables that stand
//! around the lines: headers, taxes, money, cargo, papers, audits, companies and persons.
//!
//! All draws come from streams of their own, so that the lines are what they are without these tables.

mod audits;
mod build;
mod cargo;
mod companies;
mod finance;
mod given;
mod header;
mod money;
mod offences;
mod papers;
mod parties;
mod persons;
mod rates;
mod rings;
mod rulings;
mod ties;

use arrow::array::RecordBatch;

use crate::dims::Sink;
use crate::error::SynthError;
use crate::items::Item;
use crate::rng::Rng;
use crate::rows::Ids;
use crate::world::World;

use self::audits::{Audited, Audits};
use self::companies::History;
use self::offences::Deed;
use self::parties::Parties;
use self::rates::Rates;

/// Streams of draws of the days begin here; those of lines and defects lie below.
const DAYS: u64 = 5 << 32;
/// Streams of what lasts.
const PARTIES: u64 = 6 << 32;
const AUDITS: u64 = PARTIES + 1;
const RULINGS: u64 = PARTIES + 2;
const FINANCE: u64 = PARTIES + 3;
const OFFENCES: u64 = PARTIES + 4;
const COMPANIES: u64 = PARTIES + 5;

/// The served tables that grow with the days, in the order of [`Day::batches`].
pub const TABLES: [&str; 10] = [
    "fact_declaration",
    "fact_tax",
    "fact_payment",
    "fact_refund",
    "fact_amendment",
    "fact_manifest",
    "fact_audit_line",
    "fact_document",
    "bridge_document_declaration",
    "fact_image_object",
];

/// What lasts beside the world.
pub struct Star {
    parties: Parties,
    history: History,
    rates: Rates,
    audits: Audits,
    /// Number of lines that are made in all.
    items: u64,
}

/// What one day adds.
pub struct Day {
    /// One batch for each of [`TABLES`], in that order.
    pub batches: Vec<RecordBatch>,
    audited: Vec<Audited>,
    deeds: Vec<Deed>,
}

/// What is added up over the days.
#[derive(Default)]
pub struct Sums {
    audited: Vec<audits::Sum>,
    deeds: Vec<Deed>,
}

impl Star {
    /// Draws what lasts in a world that trades `items` lines.
    pub fn new(world: &World, items: u64) -> Self {
        let parties = Parties::new(world);
        let history = History::new(world, &parties);
        Self { parties, history, rates: Rates::new(world.seed), audits: Audits::new(world), items }
    }

    /// The tables of one day's lines, in the order of the lines.
    ///
    /// # Errors
    /// Columns that do not fit their schema (a fault of this program).
    pub fn day(&self, world: &World, ids: &Ids, day: usize, items: &[Item]) -> Result<Day, SynthError> {
        let mut rng = Rng::new(world.seed, DAYS + day as u64);
        let mut declarations = Vec::new();
        let mut settled = Vec::new();
        let mut papers = Vec::new();
        for lines in items.chunk_by(|a, b| a.serial == b.serial) {
            let Some(declaration) = header::declare(world, &self.rates, lines, &mut rng) else { continue };
            settled.push(money::settle(&declaration, &mut rng));
            papers.extend(papers::hand_in(world, ids, &self.history, &declaration, &mut rng));
            declarations.push(declaration);
        }
        let audited = self.audits.look_at(items, &mut rng);
        let [payments, refunds, amendments] = money::batches(&declarations, &settled)?;
        let [documents, links, objects] = papers::batches(&papers)?;
        let batches = vec![
            header::declarations(world, ids, &declarations)?,
            header::taxes(&declarations)?,
            payments,
            refunds,
            amendments,
            cargo::batch(world, ids, &declarations)?,
            self.audits.lines(&audited)?,
            documents,
            links,
            objects,
        ];
        Ok(Day { batches, audited, deeds: offences::deeds(items) })
    }

    /// Hands the tables of what lasts, and the truth about rings, to `sink`.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn write(&self, world: &World, ids: &Ids, sink: &mut Sink<'_>) -> Result<(), SynthError> {
        given::write(world, &self.rates, sink)?;
        companies::write(world, ids, &self.parties, sink)?;
        finance::write(world, ids, &self.history, self.items, sink)?;
        persons::write(world, &self.parties, sink)?;
        ties::write(ids, &self.parties, sink)?;
        rulings::write(world, ids, sink)
    }

    /// Adds a day to the sums.
    pub fn add(&self, sums: &mut Sums, day: Day) {
        self.audits.add(&mut sums.audited, &day.audited);
        sums.deeds.extend(day.deeds);
    }

    /// Hands the tables that are known at the end to `sink`.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn end(&self, world: &World, ids: &Ids, sums: &Sums, sink: &mut Sink<'_>) -> Result<(), SynthError> {
        self.audits.write(world, ids, &sums.audited, &self.parties, sink)?;
        offences::write(world, &self.parties, &sums.deeds, sink)
    }
}
