//! What goes in: the lines of one declaration. What comes out: the bill under which they came, as its carrier has it.

use arrow::array::RecordBatch;
use haetae_schema::codes;

use super::header::Declaration;
use crate::columns::{days, iso, maybe, numbers, rows, text, whole};
use crate::error::SynthError;
use crate::fraud::Kind;
use crate::items::Item;
use crate::mirror::lag;
use crate::rng::{Rng, mix};
use crate::rows::Ids;
use crate::world::World;

/// Made-up carriers of ships, trucks and trains, and of all that flies.
const BY_SEA: [&str; 10] = ["KSLN", "PACM", "ORTL", "BLSE", "NDST", "HNJN", "ESTW", "GRND", "TSPA", "MRDN"];
const BY_AIR: [&str; 8] = ["KAIR", "SKYP", "ASJT", "NRTF", "CRGO", "LFTX", "WNGS", "BLUE"];
/// Letters of containers' owners: the fourth, U, is for freight containers (ISO 6346).
const OWNERS: [&str; 6] = ["KSLU", "PACU", "ORTU", "BLSU", "NDSU", "TSPU"];
/// Place of "A", before arrival, in the list of process types.
const BEFORE_ARRIVAL: u8 = 2;
/// Share of the understated masses that the carrier has right.
const HONEST_CARRIERS: f64 = 0.6;

/// How the goods of one declaration came.
pub struct Cargo {
    /// Number of the bill.
    pub bill: String,
    /// Carrier's letters.
    pub carrier: &'static str,
    /// Number of the manifest.
    pub manifest: String,
    /// Day index of departure.
    pub departure: i32,
    /// Day index of arrival.
    pub arrival: i32,
    /// Number of packages.
    pub packages: i32,
    container: Option<String>,
    gross: f64,
}

/// Draws the bill of the lines, of which `first` is the first, and whose declared gross mass is `gross`.
pub fn bring(world: &World, first: &Item, lines: &[Item], gross: f64, rng: &mut Rng) -> Cargo {
    let (slow, lag) = (first.slow(), lag(world, first));
    let departure = first.day - lag;
    // Ships are declared within a week of their arrival, all else within two days.
    let waits = rng.below(if slow { 7 } else { 3 }) as i32;
    let arrival =
        if first.codes[0] == BEFORE_ARRIVAL { first.day + 1 + waits.min(2) } else { first.day - waits.min(lag - 1) };
    let carriers: &[&str] = if slow { &BY_SEA } else { &BY_AIR };
    let usual = mix(world.seed, 202, first.departure as u64, u64::from(slow)) as usize % carriers.len();
    let carrier = if rng.chance(0.5) { carriers[usual] } else { carriers[rng.below(carriers.len())] };
    let office = world.reference.offices[first.office].id;
    let container = (slow && rng.chance(0.7)).then(|| container(rng));
    let packages = (gross / rng.between(8.0, 40.0)).ceil().clamp(1.0, 5_000.0) as i32;
    Cargo {
        bill: format!("{carrier}{:011}", scrambled(first)),
        carrier,
        manifest: format!("{carrier}-{}-{office}", iso(arrival)),
        departure,
        arrival,
        packages,
        container,
        gross: weighed(lines, gross, rng),
    }
}

/// What the carrier has weighed. Where less is declared than came in, the carrier often has the truth; now and then it
/// has anything.
fn weighed(lines: &[Item], gross: f64, rng: &mut Rng) -> f64 {
    let hidden: f64 = lines
        .iter()
        .filter_map(|line| Some((line, line.truth.as_ref().filter(|truth| truth.technique == Kind::QuantitySlip)?)))
        .map(|(line, truth)| (truth.goods.mass - line.declared.mass).max(0.0))
        .sum();
    let honest = rng.chance(HONEST_CARRIERS);
    let noise = if rng.chance(0.03) { rng.between(0.8, 1.3) } else { 1.0 };
    let gross = if honest { gross + hidden } else { gross };
    ((gross * noise * 10.0).round() / 10.0).max(0.1)
}

/// The number of the declaration as eleven digits in no order, no two alike: 7 368 787 003 has no factor in common with 10.
fn scrambled(item: &Item) -> u64 {
    let number = item.day as u128 * 1_000_000 + u128::from(item.serial);
    (number * 7_368_787_003 % 100_000_000_000) as u64
}

/// A container number with its check digit (ISO 6346): letters count from 10 without multiples of 11, places double.
fn container(rng: &mut Rng) -> String {
    let body = format!("{}{:06}", rng.pick(&OWNERS).copied().unwrap_or("KSLU"), rng.below(1_000_000));
    let worth = |c: u8| match c {
        b'0'..=b'9' => u64::from(c - b'0'),
        _ => {
            let place = u64::from(c.saturating_sub(b'A'));
            10 + place + place.div_ceil(10)
        }
    };
    let sum: u64 = body.bytes().enumerate().map(|(place, c)| worth(c) << place).sum();
    format!("{body}{}", sum % 11 % 10)
}

/// Rows of `fact_manifest`.
pub fn batch(world: &World, ids: &Ids, all: &[Declaration<'_>]) -> Result<RecordBatch, SynthError> {
    let r = &world.reference;
    let cargo = || all.iter().map(|d| &d.cargo);
    rows(
        "fact_manifest",
        vec![
            text(cargo().map(|c| &c.bill)),
            text(cargo().map(|c| &c.manifest)),
            text(all.iter().map(|d| d.first.code(&codes::TRANSPORT_MODE, 4))),
            text(cargo().map(|c| c.carrier)),
            text(all.iter().map(|d| r.countries[d.first.departure].code)),
            text(all.iter().map(|d| r.offices[d.first.office].id)),
            days(cargo().map(|c| c.departure)),
            days(cargo().map(|c| c.arrival)),
            maybe(cargo().map(|c| c.container.as_deref())),
            text(all.iter().map(|d| ids.importer(d.first.importer))),
            whole(cargo().map(|c| c.packages)),
            numbers(cargo().map(|c| c.gross)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_have_the_digit_of_the_standard() {
        // The example of ISO 6346 itself is CSQU3054383; ours must obey the same rule.
        let worth = |c: char| "0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ".find(c).unwrap() as u64;
        let digit = |body: &str| body.chars().enumerate().map(|(i, c)| worth(c) << i).sum::<u64>() % 11 % 10;
        assert_eq!(digit("CSQU305438"), 3);
        let mut rng = Rng::new(1, 1);
        for _ in 0..200 {
            let number = container(&mut rng);
            assert_eq!(digit(&number[..10]).to_string(), number[10..], "{number}");
        }
    }
}
