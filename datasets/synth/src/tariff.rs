//! What goes in: a good, an origin and a day. What comes out: the duty rates that may be claimed,
//! by the same rules that fill `dim_tariff_rate`.

use crate::calendar::DAY_2021;
use crate::error::SynthError;
use crate::reference::Reference;
use crate::rng::{Rng, mix_unit};

/// A duty rate and the ground it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// Code of the ground, as in `haetae_schema::codes::TARIFF_TYPE`.
    pub tariff_type: &'static str,
    /// Fraction.
    pub rate: f64,
}

/// The rates of one subheading that any origin may claim, and what agreements may know about it.
#[derive(Debug, Clone)]
pub struct Duties {
    /// Basic rate, as a fraction.
    pub base: f64,
    /// All rates for any origin; the basic rate comes first.
    pub general: Vec<Claim>,
    /// Whether the subheading is farm produce, which agreements often leave out.
    pub farm: bool,
}

impl Duties {
    /// Draws the rates of one subheading from the rates usual in its chapter.
    pub fn draw(hs2: &str, rates: &[f64], rng: &mut Rng) -> Self {
        let rate = rng.pick(rates).copied().unwrap_or(0.08);
        let farm = hs2 < "25";
        let technology = matches!(hs2, "84" | "85" | "90");
        let claim = |tariff_type, rate| Claim { tariff_type, rate: permille(rate) };
        let mut general = vec![claim("A", rate)];
        if rate == 0.0 && rng.chance(0.75) {
            general[0].rate = if technology { 0.08 } else { 0.03 };
            general.push(claim(if technology && rng.chance(0.5) { "CIT" } else { "C" }, 0.0));
        } else if rate > 0.0 && !farm && rng.chance(0.25) {
            general[0].rate = permille(rate * 1.23);
            general.push(claim("C", rate));
        }
        let quota = farm && matches!(hs2, "04" | "07" | "09" | "10" | "11" | "12" | "20") && rng.chance(0.10);
        if quota {
            general.push(claim("W1", rng.between(0.1, 0.5)));
            general.push(claim("W2", rng.pick(&[1.35, 2.7, 3.6, 3.773]).copied().unwrap_or(1.35)));
        } else if rate > 0.0 {
            match rng.unit() {
                x if x < 0.025 => general.push(claim("L", rate * 0.5)),
                x if x < 0.035 => general.push(claim("P1", rate * 0.4)),
                x if x < 0.050 => general.push(claim("P3", 0.0)),
                x if x < 0.062 => general.push(claim("F", rate + 0.05)),
                _ => {}
            }
        }
        Self { base: general[0].rate, general, farm }
    }

    fn find(&self, tariff_type: &str) -> Option<Claim> {
        self.general.iter().find(|c| c.tariff_type == tariff_type).copied()
    }

    /// What a trader without quota and without preference pays.
    pub fn ordinary(&self) -> Claim {
        let forced = self.find("F").or_else(|| self.find("W2"));
        let free = ["A", "C", "CIT"].into_iter().filter_map(|t| self.find(t));
        let lowest = free.min_by(|a, b| a.rate.total_cmp(&b.rate));
        forced.or(lowest).unwrap_or(Claim { tariff_type: "A", rate: self.base })
    }

    /// What a trader with a share in a quota pays; `None` where the subheading has no quota.
    pub fn quota(&self) -> Option<Claim> {
        ["W1", "L", "P1", "P3"].into_iter().find_map(|t| self.find(t))
    }
}

/// Tenths of a percent: the tariff has no finer steps.
fn permille(rate: f64) -> f64 {
    (rate * 1000.0).round() / 1000.0
}

/// What one agreement does with one subheading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// Nothing.
    LeftOut,
    /// One rate for the whole time.
    Fixed(Claim),
    /// One rate in 2020, a lower one from 2021.
    Staged(Claim, Claim),
}

/// Who has which agreement.
#[derive(Debug)]
pub struct Tariff {
    seed: u64,
    /// For each country: (tariff type, first day, last day).
    members: Vec<Vec<(&'static str, i32, i32)>>,
}

impl Tariff {
    /// From the reference list of countries.
    ///
    /// # Errors
    /// An agreement that the code list of the schema does not know.
    pub fn new(seed: u64, reference: &Reference) -> Result<Self, SynthError> {
        let members: Vec<_> = reference.countries.iter().map(|c| c.agreements.clone()).collect();
        let unknown = |t: &str| haetae_schema::codes::TARIFF_TYPE.describe(t).is_none();
        if let Some((name, ..)) = members.iter().flatten().find(|(name, ..)| unknown(name)) {
            let found = (*name).to_owned();
            return Err(SynthError::Reference { file: "countries.tsv", line: 0, expected: "known agreements", found });
        }
        Ok(Self { seed, members })
    }

    /// The agreements of a country: (tariff type, first day, last day).
    pub fn agreements(&self, country: usize) -> &[(&'static str, i32, i32)] {
        self.members.get(country).map_or(&[], Vec::as_slice)
    }

    /// What the agreement does with the subheading `good`. Never a rate at or above the ordinary one.
    pub fn schedule(&self, agreement: &'static str, good: usize, duties: &Duties) -> Schedule {
        let ordinary = duties.ordinary();
        let key = agreement.bytes().fold(17u64, |h, b| h.wrapping_mul(131) + u64::from(b));
        let draw = |facet| mix_unit(self.seed, key, good as u64, facet);
        let (left_out, staged) = match agreement {
            "E1" => (0.75, 0.0),
            "R" => (0.15, 0.0),
            "FIN1" => (0.30, 0.25),
            _ if duties.farm => (0.45, 0.25),
            _ => (0.12, 0.22),
        };
        let quota = matches!(ordinary.tariff_type, "W2" | "F");
        if ordinary.rate == 0.0 || quota || draw(1) < left_out {
            return Schedule::LeftOut;
        }
        let claim = |tariff_type, share: f64| Claim { tariff_type, rate: permille(ordinary.rate * share) };
        if agreement == "E1" {
            return lower(ordinary, Schedule::Fixed(claim(agreement, 0.6 + 0.3 * draw(3))));
        }
        if draw(2) < staged {
            let first = 0.2 + 0.5 * draw(3);
            let tariff_type = if duties.farm { second_schedule(agreement) } else { agreement };
            return lower(ordinary, Schedule::Staged(claim(tariff_type, first), claim(tariff_type, first * 0.7)));
        }
        Schedule::Fixed(claim(agreement, 0.0))
    }

    /// The lowest preferential rate that goods of the origin may claim on the day, or `None`.
    pub fn preference(&self, good: usize, duties: &Duties, origin: usize, day: i32) -> Option<Claim> {
        let on_day = self.agreements(origin).iter().filter(|(_, from, to)| (*from..=*to).contains(&day));
        let rates = on_day.filter_map(|(agreement, ..)| match self.schedule(agreement, good, duties) {
            Schedule::LeftOut => None,
            Schedule::Fixed(claim) => Some(claim),
            Schedule::Staged(first, then) => Some(if day < DAY_2021 { first } else { then }),
        });
        rates.min_by(|a, b| a.rate.total_cmp(&b.rate))
    }
}

/// Rounding must not lift a preference to the ordinary rate.
fn lower(ordinary: Claim, schedule: Schedule) -> Schedule {
    match schedule {
        Schedule::Fixed(c) | Schedule::Staged(c, _) if c.rate >= ordinary.rate => Schedule::LeftOut,
        other => other,
    }
}

fn second_schedule(agreement: &'static str) -> &'static str {
    match agreement {
        "FCN1" => "FCN2",
        "FAS1" => "FAS2",
        "FUS1" => "FUS2",
        "FEU1" => "FEU2",
        "FVN1" => "FVN2",
        other => other,
    }
}
