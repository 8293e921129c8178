//! What goes in: the importers and how much they trade. What comes out: those who make up the prices of all their lines, and
//! such prices. That is no defect of a row, but of the importer's prices together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::defects::Defect;
use crate::importers::Importer;
use crate::rng::mix_unit;
use crate::rows::Ids;
use crate::truth::Planted;
use crate::world::World;

/// Lines from which on the digits of an importer's prices can tell that they are made up.
const ENOUGH_LINES: u64 = 200;
/// Those who trade much make up their prices so many times as often as a line has a slip: there are few of them.
const INVENTORS: f64 = 10.0;

/// For each importer, whether it makes up its prices: some of those who can be expected to have lines enough.
pub fn invent(world: &World, items: u64) -> Vec<bool> {
    if world.defects <= 0.0 {
        return Vec::new();
    }
    let importers = &world.companies.importers;
    let lines = items as f64 / importers.iter().map(|importer| f64::from(importer.weight)).sum::<f64>();
    let share = (INVENTORS * world.defects).min(0.5);
    let chosen = |(i, importer): (usize, &Importer)| {
        let expected = lines * f64::from(importer.weight);
        expected >= ENOUGH_LINES as f64 && mix_unit(world.seed, 98, 0, i as u64) < share
    };
    importers.iter().enumerate().map(chosen).collect()
}

/// A price of the same size whose first digits are as frequent as each other: who makes up numbers does not know that
/// small digits lead more often (Newcomb 1881, Benford 1938). 0 stays 0.
pub fn invented(price: f64) -> f64 {
    if price <= 0.0 {
        return price;
    }
    let size = price.log10().floor();
    ((1.0 + 9.0 * (price.log10() - size)) * 10f64.powf(size)).round()
}

/// What is wrong with the importers who make up their prices, given how many lines each of them has.
pub fn inventors(lines: &BTreeMap<u32, u64>, ids: &Ids) -> Vec<Planted<'static>> {
    let planted = lines.iter().map(|(importer, lines)| Planted {
        row_key: ids.importer(*importer as usize).to_owned(),
        defect: Cow::Owned(Defect {
            decidable: *lines >= ENOUGH_LINES,
            ..Defect::new("outliers", "prices_invented", "item_price_krw", format!("{lines} lines"))
        }),
    });
    planted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_prices_keep_their_size_and_begin_with_any_digit() {
        let mut digits = [0; 9];
        for n in 0..9_000 {
            // Prices that obey the law: their logarithms are spread evenly.
            let honest = 10f64.powf(4.0 + 2.0 * (f64::from(n) + 0.5) / 9_000.0);
            let made_up = invented(honest);
            assert!((0.999..1.9).contains(&(made_up / honest)), "{honest} {made_up}");
            let first = made_up.to_string().as_bytes()[0];
            digits[usize::from(first - b'1')] += 1;
        }
        assert!(digits.iter().all(|count| (980..=1020).contains(count)), "{digits:?}");
        assert_eq!(invented(0.0), 0.0);
    }
}
