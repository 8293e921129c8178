//! What goes in: importers. What comes out: persons, holdings and contacts, and what binds them, drawn one after another:
//! rings first, then honest groups, then every company.

use super::PARTIES;
use super::parties::{Contact, Holding, Parties, Person, Role, Tie};
use super::rings::{self, Bond};
use crate::importers::NOBODY;
use crate::rng::Rng;
use crate::world::World;

/// 20 years in days.
const ADULT: i32 = 7_305;

/// Draws everybody; ids are not given yet.
pub(super) fn draw(world: &World) -> Parties {
    let importers = &world.companies.importers;
    let mut build = Build {
        world,
        rng: Rng::new(world.seed, PARTIES),
        seats: vec![None; importers.len()],
        taken: vec![0; importers.len()],
        directors: Vec::new(),
        made: Parties::default(),
    };
    build.made.heads = vec![(0, i32::MAX, 0); importers.len()];
    build.made.contacts =
        (0..importers.len() as u32).map(|key| Contact { address: key, phone: key, account: key }).collect();
    for (number, members) in rings::draw(world).into_iter().enumerate() {
        build.ring(number, &members);
    }
    for members in rings::groups(world, &build.seats) {
        build.group(&members);
    }
    for importer in 0..importers.len() {
        build.company(importer);
    }
    build.settle_ages();
    build.made
}

/// The parties in the making.
pub(super) struct Build<'a> {
    pub(super) world: &'a World,
    pub(super) rng: Rng,
    /// For each importer in a ring: what binds it to the organiser, and who that is.
    pub(super) seats: Vec<Option<(Bond, u32)>>,
    /// For each importer, what companies own of it, in percent.
    pub(super) taken: Vec<u8>,
    directors: Vec<u32>,
    pub(super) made: Parties,
}

impl Build<'_> {
    /// Who turned out to be too near in age to be parent and child is brother or sister.
    fn settle_ages(&mut self) {
        for tie in self.made.ties.iter_mut().filter(|tie| tie.relation == "parent") {
            let [one, other] = [tie.one, tie.other].map(|person| self.made.persons[person as usize].born);
            if one.abs_diff(other) < ADULT.unsigned_abs() {
                tie.relation = "sibling";
            }
        }
    }

    /// Somebody new.
    pub(super) fn person(&mut self, region: u8) -> u32 {
        let number = self.made.persons.len() as u32;
        // 25 to 70 years old in 2020.
        let born = -(self.rng.between(25.0 * 365.25, 70.0 * 365.25) as i32);
        self.made.persons.push(Person { surname: number, home: number, region, born, origin: number });
        number
    }

    /// Somebody new who is kin to somebody known.
    pub(super) fn relative(&mut self, of: u32) -> u32 {
        let known = self.made.persons[of as usize];
        let number = self.person(known.region);
        let made = &mut self.made.persons[number as usize];
        made.origin = known.origin;
        let relation = match self.rng.unit() {
            x if x < 0.45 => {
                made.home = known.home;
                made.born = known.born + self.rng.between(-2_500.0, 2_500.0) as i32;
                "spouse"
            }
            x if x < 0.75 => {
                made.surname = known.surname;
                made.born = known.born + self.rng.between(-3_000.0, 3_000.0) as i32;
                "sibling"
            }
            _ => {
                made.surname = known.surname;
                let apart = self.rng.between(8_500.0, 12_500.0) as i32;
                // The older ones have children, the younger ones parents.
                made.born = if known.born < -20_500 { known.born + apart } else { known.born - apart };
                "parent"
            }
        };
        made.born = made.born.min(-ADULT);
        self.tie(of, number, relation);
        number
    }

    pub(super) fn tie(&mut self, one: u32, other: u32, relation: &'static str) {
        self.made.ties.push(Tie { one, other, relation });
    }

    /// Nobody has a part in a company before the age of 20.
    pub(super) fn role(&mut self, company: u32, person: u32, kind: &'static str, from: i32, share: Option<u8>) {
        let known = &mut self.made.persons[person as usize];
        known.born = known.born.min(from - ADULT - (person % 3_000) as i32);
        self.made.roles.push(Role { company, person, kind, from, to: None, share });
    }

    /// A company that does not import, with its owner.
    pub(super) fn holding(&mut self, owner: u32, registered: i32, region: u8) -> u32 {
        let company = (self.world.companies.importers.len() + self.made.holdings.len()) as u32;
        self.made.holdings.push(Holding { registered, region });
        self.made.contacts.push(Contact { address: company, phone: company, account: company });
        let share = 60 + self.rng.below(41) as u8;
        self.role(company, owner, "representative", registered, None);
        self.role(company, owner, "shareholder", registered, Some(share));
        company
    }

    /// The persons of one importer.
    fn company(&mut self, importer: usize) {
        let im = &self.world.companies.importers[importer];
        let (company, from, region) = (importer as u32, im.registered, im.region);
        let mut left = 100 - self.taken[importer];
        let seat = self.seats[importer];
        let head = match (im.phoenix_of, seat) {
            (old, _) if old != NOBODY => self.heir(importer, old as usize, &mut left),
            (_, Some((Bond::Relative, organiser))) => self.relative(organiser),
            _ => self.person(region),
        };
        self.made.heads[importer] = (head, i32::MAX, head);
        match seat {
            Some((Bond::Shareholder, organiser)) => {
                let share = left.min(20 + self.rng.below(31) as u8);
                left -= share;
                self.role(company, organiser, "shareholder", from, Some(share));
                if self.rng.chance(0.5) {
                    self.tie(organiser, head, "associate");
                }
            }
            Some((Bond::Director, organiser)) => self.role(company, organiser, "director", from, None),
            _ => {}
        }
        self.role(company, head, "representative", from, None);
        self.shares(company, head, from, left);
        if seat.is_none() && im.phoenix_of == NOBODY {
            self.succeed(importer);
            self.director(company, region, from);
        }
    }

    /// Who owns what companies do not.
    fn shares(&mut self, company: u32, head: u32, from: i32, left: u8) {
        if left == 0 {
            return;
        }
        if self.rng.chance(0.55) {
            return self.role(company, head, "shareholder", from, Some(left));
        }
        let own = (f64::from(left) * self.rng.between(0.4, 0.8)) as u8;
        let rest = left - own;
        if own > 0 {
            self.role(company, head, "shareholder", from, Some(own));
        }
        let region = self.made.persons[head as usize].region;
        let other = if self.rng.chance(0.5) { self.relative(head) } else { self.person(region) };
        // Small shares of others are not in the register.
        let share = (f64::from(rest) * self.rng.between(0.6, 1.0)) as u8;
        if share > 0 {
            self.role(company, other, "shareholder", from, Some(share));
        }
    }

    /// One company in twelve gets another representative in the course of time.
    fn succeed(&mut self, importer: usize) {
        let im = &self.world.companies.importers[importer];
        let day = im.registered.max(-600) + 120 + self.rng.below(400) as i32;
        if !self.rng.chance(0.08) || day >= im.active.1.min(500) {
            return;
        }
        let head = self.made.heads[importer].0;
        let follows = if self.rng.chance(0.4) { self.relative(head) } else { self.person(im.region) };
        let company = importer as u32;
        let roles = self.made.roles.iter_mut().rev().take_while(|role| role.company == company);
        roles.filter(|role| role.kind == "representative").for_each(|role| role.to = Some(day - 1));
        self.role(company, follows, "representative", day, None);
        self.made.heads[importer] = (head, day - 1, follows);
    }

    /// One company in four has a director more; some of these sit on several boards, which means nothing.
    fn director(&mut self, company: u32, region: u8, from: i32) {
        if !self.rng.chance(0.25) {
            return;
        }
        let known = self.rng.chance(0.08).then(|| self.rng.pick(&self.directors).copied()).flatten();
        let director = known.unwrap_or_else(|| {
            let person = self.person(region);
            self.directors.push(person);
            person
        });
        self.role(company, director, "director", from, None);
    }

    /// Who answers for a company that goes on where another has stopped: the same person, a relative, an associate, or a
    /// stranger who lends a name. The old one often stays behind it.
    fn heir(&mut self, new: usize, old: usize, left: &mut u8) -> u32 {
        let im = &self.world.companies.importers[new];
        let (region, from, same_region) =
            (im.region, im.registered, im.region == self.world.companies.importers[old].region);
        let before = self.made.heads[old].2;
        let (then, mut now) = (self.made.contacts[old], self.made.contacts[new]);
        if same_region && self.rng.chance(0.5) {
            now.address = then.address;
        }
        if self.rng.chance(0.35) {
            now.phone = then.phone;
        }
        if self.rng.chance(0.30) {
            now.account = then.account;
        }
        self.made.contacts[new] = now;
        let head = match self.rng.unit() {
            x if x < 0.40 => return before,
            x if x < 0.70 => self.relative(before),
            x if x < 0.85 => {
                let person = self.person(region);
                self.tie(before, person, "associate");
                person
            }
            _ => self.person(region),
        };
        if self.rng.chance(0.5) {
            let share = (20 + self.rng.below(41) as u8).min(*left);
            *left -= share;
            self.role(new as u32, before, "shareholder", from, Some(share));
        }
        head
    }
}
