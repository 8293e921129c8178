//! What goes in: importers. What comes out: who stands behind them: persons, their parts and shares, families, owners,
//! and rings of importers that the same people stand behind.

use super::build;
use super::rings::Member;
use crate::names;
use crate::rows::Ids;
use crate::world::World;

/// One person.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// Draws the surname; relatives share it.
    pub surname: u32,
    /// Draws the address; those who live together share it.
    pub home: u32,
    /// Region, as an index into `names::REGIONS`.
    pub region: u8,
    /// Day of birth, as a day index.
    pub born: i32,
    /// Draws the nationality; relatives share it.
    pub origin: u32,
}

/// One part of a person in a company.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// Number of the company: importers first, then holdings.
    pub company: u32,
    /// Number of the person.
    pub person: u32,
    /// Which part.
    pub kind: &'static str,
    /// First day.
    pub from: i32,
    /// Last day.
    pub to: Option<i32>,
    /// Share in percent.
    pub share: Option<u8>,
}

/// A share of a company in another.
#[derive(Debug, Clone, Copy)]
pub struct Owned {
    /// Who owns.
    pub owner: u32,
    /// What is owned.
    pub company: u32,
    /// Since when.
    pub from: i32,
    /// In percent.
    pub share: u8,
}

/// A tie between two persons.
#[derive(Debug, Clone, Copy)]
pub struct Tie {
    /// One of them.
    pub one: u32,
    /// The other.
    pub other: u32,
    /// How they are tied.
    pub relation: &'static str,
}

/// A company that does not import.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    /// Day of registration.
    pub registered: i32,
    /// Region of the seat.
    pub region: u8,
}

/// By what a company can be reached; equal keys are equal values.
#[derive(Debug, Clone, Copy)]
pub struct Contact {
    /// Key of the address.
    pub address: u32,
    /// Key of the telephone number.
    pub phone: u32,
    /// Key of the account.
    pub account: u32,
}

/// Who stands behind companies.
#[derive(Debug, Default)]
pub struct Parties {
    /// All persons.
    pub persons: Vec<Person>,
    /// Their parts, in no order of keys.
    pub roles: Vec<Role>,
    /// Shares of companies.
    pub owned: Vec<Owned>,
    /// Ties of persons.
    pub ties: Vec<Tie>,
    /// Companies that do not import; they are numbered after the importers.
    pub holdings: Vec<Holding>,
    /// How each company is reached.
    pub contacts: Vec<Contact>,
    /// The truth about rings.
    pub members: Vec<Member>,
    /// For each importer: its first representative, the last day of that, and the one who follows.
    pub(super) heads: Vec<(u32, i32, u32)>,
    holding_ids: Vec<String>,
    person_ids: Vec<String>,
}

impl Parties {
    /// Draws everybody.
    pub fn new(world: &World) -> Self {
        let mut made = build::draw(world);
        let ids = |letter, count| (0..count).map(|i| names::id(world.seed, letter, i)).collect();
        made.holding_ids = ids('H', made.holdings.len());
        made.person_ids = ids('P', made.persons.len());
        made
    }

    /// Id of a person.
    pub fn person_id(&self, person: u32) -> &str {
        &self.person_ids[person as usize]
    }

    /// Id of a company; `ids` has those that import.
    pub fn company_id<'a>(&'a self, ids: &'a Ids, company: u32) -> &'a str {
        let company = company as usize;
        company.checked_sub(self.heads.len()).map_or_else(|| ids.importer(company), |place| &self.holding_ids[place])
    }

    /// Who answers for an importer on a day.
    pub fn representative(&self, importer: usize, day: i32) -> u32 {
        self.heads.get(importer).map_or(0, |&(first, last, then)| if day <= last { first } else { then })
    }
}
