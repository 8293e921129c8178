//! What goes in: importers. What comes out: which of them belong to a ring of fraud, which to an honest group, and what
//! binds them.

use super::build::Build;
use super::parties::{Contact, Owned};
use crate::importers::{Importer, NOBODY};
use crate::rng::mix;
use crate::world::World;

/// Share of the importers that live by fraud which belong to a ring.
const IN_RINGS: f64 = 0.45;
/// Share of the other large importers that belong to a group.
const IN_GROUPS: f64 = 0.06;

/// What binds an importer to the organiser of its ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// The organiser owns a share of it.
    Shareholder,
    /// The organiser sits on its board.
    Director,
    /// Its representative is kin to the organiser.
    Relative,
    /// The organiser's holding owns a share of it.
    Owned,
}

impl Bond {
    /// The word in the ground truth.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shareholder => "shareholder",
            Self::Director => "director",
            Self::Relative => "relative",
            Self::Owned => "owned",
        }
    }
}

/// One importer of a ring.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Number of the ring.
    pub ring: u32,
    /// Number of the importer.
    pub importer: u32,
    /// Number of the organiser.
    pub organiser: u32,
    /// What binds them.
    pub bond: Bond,
}

/// The rings, as numbers of importers: three to six of those who live by fraud.
pub fn draw(world: &World) -> Vec<Vec<usize>> {
    let fits = |_: usize, im: &Importer| im.dishonesty > 0.5 && im.phoenix_of == NOBODY;
    let chosen = chosen(world, 203, IN_RINGS, fits);
    cut(chosen, |place| 3 + mix(world.seed, 204, place, 0) as usize % 4, 3)
}

/// The groups, as numbers of importers: two to five large ones that belong to no ring. The first is the parent.
pub fn groups(world: &World, seats: &[Option<(Bond, u32)>]) -> Vec<Vec<usize>> {
    let fits = |i: usize, im: &Importer| im.weight > 0.6 && im.phoenix_of == NOBODY && seats[i].is_none();
    let chosen = chosen(world, 205, IN_GROUPS, fits);
    cut(chosen, |place| 2 + mix(world.seed, 206, place, 0) as usize % 4, 2)
}

/// A share of the importers that fit, in an order that has nothing to do with their numbers.
fn chosen(world: &World, draw: u64, share: f64, fits: impl Fn(usize, &Importer) -> bool) -> Vec<usize> {
    let importers = world.companies.importers.iter().enumerate();
    let mut fit: Vec<usize> = importers.filter(|(i, im)| fits(*i, im)).map(|(i, _)| i).collect();
    fit.sort_by_key(|&i| (mix(world.seed, draw, i as u64, 0), i));
    let most = (fit.len() as f64 * share).round() as usize;
    fit.truncate(most);
    fit
}

/// Cuts a list into parts; a last part that is too small is left out.
fn cut(list: Vec<usize>, size: impl Fn(u64) -> usize, least: usize) -> Vec<Vec<usize>> {
    let mut parts = Vec::new();
    let mut rest = list.as_slice();
    while rest.len() >= least {
        let (part, after) = rest.split_at(size(parts.len() as u64).min(rest.len()));
        parts.push(part.to_vec());
        rest = after;
    }
    parts
}

impl Build<'_> {
    /// Seats the members of a ring round its organiser.
    pub(super) fn ring(&mut self, number: usize, members: &[usize]) {
        let importers = &self.world.companies.importers;
        let Some(&first) = members.first() else { return };
        let organiser = self.person(importers[first].region);
        let oldest = members.iter().map(|&m| importers[m].registered).min().unwrap_or(0);
        let holding = self.rng.chance(0.5).then(|| {
            let registered = oldest - 10 - self.rng.below(300) as i32;
            self.holding(organiser, registered, importers[first].region)
        });
        let common = self.made.contacts[first];
        for &member in members {
            let bond = match (self.rng.unit(), holding) {
                (x, Some(_)) if x < 0.3 => Bond::Owned,
                (x, _) if x < 0.6 => Bond::Shareholder,
                (x, _) if x < 0.8 => Bond::Director,
                _ => Bond::Relative,
            };
            if let (Bond::Owned, Some(owner)) = (bond, holding) {
                self.own(owner, member, 30, 60, importers[member].registered);
            }
            self.seats[member] = Some((bond, organiser));
            self.made.members.push(Member { ring: number as u32, importer: member as u32, organiser, bond });
            let same_region = importers[member].region == importers[first].region;
            let own = self.made.contacts[member];
            self.made.contacts[member] = Contact {
                address: if same_region && self.rng.chance(0.5) { common.address } else { own.address },
                phone: if self.rng.chance(0.25) { common.phone } else { own.phone },
                account: if self.rng.chance(0.30) { common.account } else { own.account },
            };
        }
    }

    /// Puts the members of an honest group under a holding, or under the first of them.
    pub(super) fn group(&mut self, members: &[usize]) {
        let importers = &self.world.companies.importers;
        let [first, others @ ..] = members else { return };
        let oldest = members.iter().map(|&m| importers[m].registered).min().unwrap_or(0);
        let (owner, since, owned) = if self.rng.chance(0.5) {
            let person = self.person(importers[*first].region);
            let holding = self.holding(person, oldest - 100, importers[*first].region);
            (holding, oldest - 100, members)
        } else {
            (*first as u32, importers[*first].registered, others)
        };
        for &member in owned {
            self.own(owner, member, 34, 100, importers[member].registered.max(since));
        }
    }

    fn own(&mut self, owner: u32, member: usize, low: u8, high: u8, from: i32) {
        let share = low + self.rng.below(usize::from(high - low) + 1) as u8;
        self.taken[member] = share;
        self.made.owned.push(Owned { owner, company: member as u32, from, share });
    }
}
