//! What goes in: importers and holdings. What comes out: rows of `dim_company`: what each was called and where it sat, span
//! by span.

use super::COMPANIES;
use super::parties::Parties;
use super::persons::{address, digits, phone};
use crate::calendar::DAYS;
use crate::columns::{days, maybe, maybe_days, table, text};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::names::{self, region_name};
use crate::rng::Rng;
use crate::rows::Ids;
use crate::world::World;

/// One span of one company.
#[derive(Debug, Clone, Copy)]
struct Span {
    company: u32,
    from: i32,
    to: Option<i32>,
    /// Whether it still has its former name.
    former_name: bool,
    region: u8,
    /// Key of the address.
    address: u32,
    closed: bool,
}

/// What the history of importers says of other tables.
pub struct History {
    /// For each importer the first day of its name of today; before it had another.
    named: Vec<i32>,
    /// For each importer the day on which it closed.
    closed: Vec<i32>,
}

impl History {
    /// The same spans as in `dim_company`.
    pub fn new(world: &World, parties: &Parties) -> Self {
        let importers = world.companies.importers.len();
        let mut history = Self { named: vec![i32::MIN; importers], closed: vec![i32::MAX; importers] };
        for span in spans(world, parties) {
            let importer = span.company as usize;
            if let (Some(named), true, Some(to)) = (history.named.get_mut(importer), span.former_name, span.to) {
                *named = to + 1;
            }
            if let (Some(closed), true) = (history.closed.get_mut(importer), span.closed) {
                *closed = span.from.min(*closed);
            }
        }
        history
    }

    /// What an importer is called on a day.
    pub fn name(&self, seed: u64, importer: usize, day: i32) -> String {
        let former = self.named.get(importer).is_some_and(|named| day < *named);
        names::company(seed, 1 + u64::from(former), importer)
    }

    /// Whether an importer is still in business after a day.
    pub fn lasts(&self, importer: usize, day: i32) -> bool {
        self.closed.get(importer).is_none_or(|closed| *closed > day)
    }
}

/// Hands `dim_company` to the sink.
///
/// # Errors
/// What the sink reports.
pub fn write(world: &World, ids: &Ids, parties: &Parties, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let mut spans = spans(world, parties);
    // Stable: the spans of one company stay in their order.
    spans.sort_by_key(|span| parties.company_id(ids, span.company));
    let (seed, importers) = (world.seed, world.companies.importers.len());
    let imports = |span: &Span| ((span.company as usize) < importers).then(|| ids.importer(span.company as usize));
    let name = |span: &Span| match (imports(span).is_some(), span.former_name) {
        (true, former) => names::company(seed, 1 + u64::from(former), span.company as usize),
        (false, _) => names::company(seed, 3, span.company as usize).replace("Co., Ltd.", "Holdings Co., Ltd."),
    };
    let contact = |span: &Span| parties.contacts[span.company as usize];
    let account = |span: &Span| {
        let number = digits(seed, 3, contact(span).account, 12);
        format!("{:04}-{:08}", number / 100_000_000, number % 100_000_000)
    };
    table(sink, "dim_company", &spans, |some| {
        vec![
            text(some.iter().map(|span| parties.company_id(ids, span.company))),
            days(some.iter().map(|span| span.from)),
            maybe_days(some.iter().map(|span| span.to)),
            maybe(some.iter().map(imports)),
            text(some.iter().map(name)),
            text(some.iter().map(|span| business_no(digits(seed, 4, span.company, 9)))),
            text(some.iter().map(|span| region_name(span.region))),
            text(some.iter().map(|span| address(seed, 2, span.address))),
            text(some.iter().map(|span| phone(seed, 2, "070", contact(span).phone))),
            text(some.iter().map(account)),
            text(some.iter().map(|span| if span.closed { "closed" } else { "active" })),
        ]
    })
}

/// Nine digits with the check digit of Korean business registration numbers: weights 1 3 7 1 3 7 1 3 5, and the tens of
/// the last product once more.
fn business_no(number: u64) -> String {
    let body = format!("{number:09}");
    let digit = |place: usize| u64::from(body.as_bytes()[place] - b'0');
    let sum: u64 = [1, 3, 7, 1, 3, 7, 1, 3, 5].iter().enumerate().map(|(place, weight)| weight * digit(place)).sum();
    let sum = sum + digit(8) * 5 / 10;
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// What changed on a day.
#[derive(Clone, Copy)]
enum Event {
    Moved,
    Renamed,
    Closed,
}

fn spans(world: &World, parties: &Parties) -> Vec<Span> {
    let mut rng = Rng::new(world.seed, COMPANIES);
    let importers = &world.companies.importers;
    let all = parties.contacts.len() as u32;
    let mut spans = Vec::with_capacity(all as usize);
    for (i, im) in importers.iter().enumerate() {
        let company = i as u32;
        let earliest = im.registered.max(-1_500) + 60;
        let latest = im.active.1.min(500);
        let mut events: Vec<(i32, Event)> = Vec::new();
        for (chance, event) in [(0.18, Event::Moved), (0.06, Event::Renamed)] {
            let day = earliest + rng.below((latest - earliest).max(1) as usize) as i32;
            if rng.chance(chance) && earliest < latest && events.iter().all(|(other, _)| *other != day) {
                events.push((day, event));
            }
        }
        let closed = im.active.1 + 1 + rng.below(30) as i32;
        if im.active.1 < DAYS as i32 && closed < DAYS as i32 && closed > im.registered {
            events.push((closed, Event::Closed));
        }
        events.sort_by_key(|(day, _)| *day);
        let had = |event: fn(&Event) -> bool| events.iter().any(|(_, e)| event(e));
        let moved = had(|event| matches!(event, Event::Moved));
        let before = names::region(&mut rng);
        let mut span = Span {
            company,
            from: im.registered,
            to: None,
            former_name: had(|event| matches!(event, Event::Renamed)),
            region: if moved { before } else { im.region },
            address: if moved { all + company } else { parties.contacts[i].address },
            closed: false,
        };
        for (day, event) in events {
            spans.push(Span { to: Some(day - 1), ..span });
            span.from = day;
            match event {
                Event::Moved => (span.region, span.address) = (im.region, parties.contacts[i].address),
                Event::Renamed => span.former_name = false,
                Event::Closed => span.closed = true,
            }
        }
        spans.push(span);
    }
    for (place, holding) in parties.holdings.iter().enumerate() {
        let company = (importers.len() + place) as u32;
        let address = parties.contacts[company as usize].address;
        let (from, region) = (holding.registered, holding.region);
        spans.push(Span { company, from, to: None, former_name: false, region, address, closed: false });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_numbers_have_their_check_digit() {
        // 124-81-00998 is in the public register of companies.
        assert_eq!(business_no(124_810_099), "1248100998");
    }
}
