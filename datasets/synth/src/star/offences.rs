//! What goes in: critical findings of inspections, and persons. What comes out: offences that persons were found guilty of.

use super::OFFENCES;
use super::parties::Parties;
use crate::columns::{days, maybe, numbers, table, text};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::fraud::Kind;
use crate::items::Item;
use crate::rng::Rng;
use crate::rows::declaration_id;
use crate::world::World;

/// A deed that an inspection has found to be critical.
pub struct Deed {
    importer: usize,
    day: i32,
    found: i32,
    id: String,
    kind: &'static str,
    recovered: f64,
}

/// One row.
struct Offence {
    person: u32,
    kind: &'static str,
    day: i32,
    decided: i32,
    declaration: Option<String>,
    penalty: f64,
}

/// The deeds of a day.
pub fn deeds(items: &[Item]) -> Vec<Deed> {
    let deed = |item: &Item| {
        let finding = item.finding.as_ref().filter(|finding| finding.class == 2)?;
        let kind = match item.truth.as_ref()?.technique {
            Kind::FalseOrigin => "false_origin",
            Kind::Undervaluation => "duty_evasion",
            _ => "false_declaration",
        };
        let (day, found) = (item.day, item.day + finding.delay);
        let recovered = finding.recovered;
        Some(Deed { importer: item.importer, day, found, id: declaration_id(item), kind, recovered })
    };
    items.iter().filter_map(deed).collect()
}

/// Hands `bridge_person_offence` to the sink: offences of the ten years before, more of them by those who live by it,
/// and those that inspections have found since.
///
/// # Errors
/// What the sink reports.
pub fn write(world: &World, parties: &Parties, deeds: &[Deed], sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let mut rng = Rng::new(world.seed, OFFENCES);
    let mut offences = Vec::new();
    for role in &parties.roles {
        let Some(importer) = world.companies.importers.get(role.company as usize) else { continue };
        let dishonesty = f64::from(importer.dishonesty);
        // Whoever lends a name has a clean one.
        let chance = match role.kind {
            "representative" => 0.006 + 0.08 * dishonesty * dishonesty,
            _ => 0.003 + 0.16 * dishonesty * dishonesty,
        };
        if rng.chance(chance) {
            let born = parties.persons[role.person as usize].born;
            // Whoever was a child all those years has done nothing.
            offences.extend(earlier(role.person, born, &mut rng));
        }
    }
    for deed in deeds {
        offences.push(Offence {
            person: parties.representative(deed.importer, deed.day),
            kind: deed.kind,
            day: deed.day,
            decided: deed.found + 40 + rng.below(200) as i32,
            declaration: Some(deed.id.clone()),
            penalty: (deed.recovered * rng.between(0.4, 1.6)).round().max(100_000.0),
        });
    }
    let numbered: Vec<(usize, Offence)> = offences.into_iter().enumerate().collect();
    table(sink, "bridge_person_offence", &numbered, |some| {
        let all = || some.iter().map(|(_, offence)| offence);
        vec![
            text(some.iter().map(|(number, _)| format!("O{:08}", number + 1))),
            text(all().map(|o| parties.person_id(o.person))),
            text(all().map(|o| o.kind)),
            days(all().map(|o| o.day)),
            days(all().map(|o| o.decided)),
            maybe(all().map(|o| o.declaration.as_deref())),
            numbers(all().map(|o| o.penalty)),
        ]
    })
}

/// 18 years in days, and some more than that.
const OF_AGE: i32 = 6_576;

/// An offence of 2010 to 2019, decided before 2020, by somebody who was 18 years old.
fn earlier(person: u32, born: i32, rng: &mut Rng) -> Option<Offence> {
    let earliest = 3_650.0_f64.min(f64::from(-(born + OF_AGE)));
    // One draw, whoever it is, so that the draws of the others are what they were.
    let day = -((400.0 + (earliest - 400.0) * rng.unit()) as i32);
    let kind = match rng.unit() {
        x if x < 0.5 => "duty_evasion",
        x if x < 0.75 => "false_declaration",
        x if x < 0.9 => "false_origin",
        _ => "smuggling",
    };
    let decided = day + 60 + rng.below(300) as i32;
    let penalty = ((13.5 + 1.2 * rng.normal()).exp() / 10_000.0).round().max(10.0) * 10_000.0;
    (earliest > 400.0).then_some(Offence { person, kind, day, decided, declaration: None, penalty })
}
