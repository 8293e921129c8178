//! What goes in: a seed. What comes out: the exchange rates of each week. They wander from a plausible beginning; no day
//! of them was ever quoted.

use crate::calendar;
use crate::rng::mix_normal;

/// Currencies with their won for one unit at the beginning.
pub const CURRENCIES: [(&str, f64); 9] = [
    ("AUD", 812.0),
    ("CAD", 890.0),
    ("CNY", 167.0),
    ("EUR", 1_310.0),
    ("GBP", 1_540.0),
    ("JPY", 10.7),
    ("KRW", 1.0),
    ("SGD", 865.0),
    ("USD", 1_170.0),
];
/// Index of the dollar.
pub const DOLLAR: usize = 8;
/// The Sunday on or before the first day.
const FIRST_SUNDAY: i32 = -(((calendar::FIRST_WEEKDAY + 1) % 7) as i32);

/// Rates by week and currency.
pub struct Rates {
    /// For each week the rate of each currency.
    weeks: Vec<[f64; CURRENCIES.len()]>,
}

impl Rates {
    /// Draws the rates of all weeks.
    pub fn new(seed: u64) -> Self {
        let weeks = (calendar::DAYS as i32 - FIRST_SUNDAY).div_euclid(7) + 1;
        let mut logs = CURRENCIES.map(|(_, rate)| rate.ln());
        let mut list = Vec::new();
        for week in 0..weeks {
            for (currency, log) in logs.iter_mut().enumerate().filter(|(c, _)| CURRENCIES[*c].0 != "KRW") {
                // A pull back to the beginning, so that no rate runs away.
                let home = CURRENCIES[currency].1.ln();
                *log += 0.008 * mix_normal(seed, 201, currency as u64, week as u64) - 0.03 * (*log - home);
            }
            list.push(logs.map(|log| (log.exp() * 100.0).round() / 100.0));
        }
        Self { weeks: list }
    }

    /// Won for one unit on a day.
    pub fn on(&self, currency: usize, day: i32) -> f64 {
        let week = (day - FIRST_SUNDAY).div_euclid(7).max(0) as usize;
        self.weeks.get(week).or(self.weeks.last()).map_or(1.0, |rates| rates[currency])
    }

    /// (currency, first day of the week, rate), in the order of the key.
    pub fn rows(&self) -> Vec<(&'static str, i32, f64)> {
        let of = |(c, (name, _)): (usize, &(&'static str, f64))| {
            let weeks = self.weeks.iter().enumerate();
            let rows: Vec<_> = weeks.map(|(week, rates)| (*name, FIRST_SUNDAY + 7 * week as i32, rates[c])).collect();
            rows
        };
        CURRENCIES.iter().enumerate().flat_map(of).collect()
    }
}

/// The currency in which sellers of a country usually ask to be paid, and how often they do.
pub fn usual(country: &str) -> (usize, f64) {
    let of = |name: &str| CURRENCIES.iter().position(|(c, _)| *c == name).unwrap_or(DOLLAR);
    match country {
        "JP" => (of("JPY"), 0.6),
        "CN" => (of("CNY"), 0.15),
        "GB" => (of("GBP"), 0.6),
        "AU" => (of("AUD"), 0.5),
        "CA" => (of("CAD"), 0.3),
        "SG" => (of("SGD"), 0.25),
        "KR" => (of("KRW"), 0.7),
        "DE" | "FR" | "IT" | "ES" | "NL" | "BE" | "AT" | "IE" | "FI" | "PT" | "GR" => (of("EUR"), 0.8),
        _ => (DOLLAR, 1.0),
    }
}
