//! What goes in: goods, importers and draws. What comes out: advance rulings, in words of this project.

use super::RULINGS;
use crate::calendar::DAYS;
use crate::columns::{days, maybe, maybe_days, table, text};
use crate::dims::Sink;
use crate::error::SynthError;
use crate::names;
use crate::rng::{Alias, Rng};
use crate::rows::Ids;
use crate::world::World;

/// One ruling.
struct Ruling {
    id: String,
    kind: &'static str,
    asked: i32,
    given: i32,
    to: Option<i32>,
    importer: usize,
    good: usize,
    proposed: Option<usize>,
    origin: Option<usize>,
    question: String,
    decision: String,
}

/// Hands `fact_ruling` to the sink.
///
/// # Errors
/// What the sink reports.
pub fn write(world: &World, ids: &Ids, sink: &mut Sink<'_>) -> Result<(), SynthError> {
    let mut rng = Rng::new(world.seed, RULINGS);
    let count = (world.companies.importers.len() / 40).clamp(40, 20_000);
    let traded = Alias::new(&world.goods.list.iter().map(|good| good.weight).collect::<Vec<_>>());
    let mut rulings: Vec<Ruling> = (0..count).map(|number| ruling(world, number, &traded, &mut rng)).collect();
    rulings.sort_by(|a, b| a.id.cmp(&b.id));
    table(sink, "fact_ruling", &rulings, |some| {
        let hs6 = |good: usize| world.goods.list[good].hs6;
        vec![
            text(some.iter().map(|r| &r.id)),
            text(some.iter().map(|r| r.kind)),
            days(some.iter().map(|r| r.asked)),
            days(some.iter().map(|r| r.given)),
            maybe_days(some.iter().map(|r| r.to)),
            text(some.iter().map(|r| ids.importer(r.importer))),
            text(some.iter().map(|r| hs6(r.good))),
            maybe(some.iter().map(|r| r.proposed.map(hs6))),
            maybe(some.iter().map(|r| r.origin.map(|o| world.reference.countries[o].code))),
            text(some.iter().map(|r| &r.question)),
            text(some.iter().map(|r| &r.decision)),
        ]
    })
}

fn ruling(world: &World, number: usize, traded: &Alias, rng: &mut Rng) -> Ruling {
    let good = traded.draw(rng);
    let goods = &world.goods.list[good];
    let asked = rng.below(DAYS - 100) as i32;
    let given = asked + 15 + rng.below(76) as i32;
    let to = rng.chance(0.5).then_some(given + 3 * 365);
    let importer = world.companies.draw_importer(asked, rng);
    let (kind, proposed, origin, question, decision) = match rng.unit() {
        x if x < 0.6 => {
            // Whoever asks usually hopes for a lower rate.
            let hope = goods.cheaper.get(rng.below(goods.cheaper.len())).map_or(good, |&other| other as usize);
            let other = &world.goods.list[hope];
            let question =
                format!("In which subheading is to be declared: {}? Proposed: {}.", goods.description, other.hs6);
            let decision = match hope == good {
                true => format!("Subheading {}, as proposed: {}.", goods.hs6, goods.description),
                false => format!(
                    "Subheading {}: {}. What the goods are made for decides; {} ({}) does not cover them.",
                    goods.hs6, goods.description, other.hs6, other.description
                ),
            };
            ("classification", Some(hope), None, question, decision)
        }
        x if x < 0.8 => {
            let origin = world.preferred_origin(rng);
            let country = world.reference.countries[origin].name;
            let question =
                format!("Do goods of subheading {} that are finished in {country} have its origin?", goods.hs6);
            let decision = match rng.chance(0.7) {
                true => format!("They have: the last work that gives them their character is done in {country}."),
                false => "They do not: what is done there is no more than putting together and packing.".to_owned(),
            };
            let decided = decision.starts_with("They have").then_some(origin);
            ("origin", None, decided, question, decision)
        }
        _ => {
            let (what, part) = match rng.below(4) {
                0 => ("a licence fee that is paid for each piece sold", true),
                1 => ("moulds that the buyer has given to the maker", true),
                2 => ("training after the import, invoiced by itself", false),
                _ => ("interest for late payment, agreed in writing", false),
            };
            let question = format!("Does the customs value of goods of subheading {} have in it {what}?", goods.hs6);
            let decision = if part {
                "It does: an addition to the price paid."
            } else {
                "It does not: it is no part of the price for the goods."
            };
            ("valuation", None, None, question, decision.to_owned())
        }
    };
    let id = names::id(world.seed, 'R', number);
    Ruling { id, kind, asked, given, to, importer, good, proposed, origin, question, decision }
}
