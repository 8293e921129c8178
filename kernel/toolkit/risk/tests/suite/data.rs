//! A seed -> companies of which it is known what decides on their failing.

use haetae_models::Random;
use polars::prelude::*;

/// Companies: log-odds of being bad rise by 0.5 with each late filing and by 1 in the region `port`, and fall with age;
/// `audit_year` is -1 where there was none; `turnover` is null in a tenth of the rows; `noise` says nothing.
pub fn companies(seed: u64, rows: usize) -> DataFrame {
    let mut random = Random::new(seed);
    let (mut id, mut late, mut region, mut age, mut audit, mut turnover, mut noise, mut bad) =
        (vec![], vec![], vec![], vec![], vec![], vec![], vec![], vec![]);
    for row in 0..rows {
        let filings = random.below(7) as i64;
        let place = ["east", "north", "port", "south"][random.below(4)];
        let years = random.unit() * 30.0;
        let log_odds = -2.2 + 0.5 * filings as f64 + if place == "port" { 1.0 } else { 0.0 } - 0.05 * years
            + 0.3 * (random.unit() - 0.5);
        id.push(format!("C{row:05}"));
        late.push(filings);
        region.push(place);
        age.push(years);
        audit.push(if random.below(3) == 0 { -1 } else { 2015 + random.below(8) as i64 });
        turnover.push((random.below(10) > 0).then(|| random.unit() * 1e6));
        noise.push(random.unit());
        bad.push(random.unit() < 1.0 / (1.0 + (-log_odds).exp()));
    }
    df!(
        "company_id" => id, "late_filings" => late, "region" => region, "age_years" => age, "audit_year" => audit,
        "turnover" => turnover, "noise" => noise, "bad" => bad
    )
    .unwrap()
}

pub fn without(frame: &DataFrame, name: &str) -> DataFrame {
    frame.drop(name).unwrap()
}

pub fn numbers(frame: &DataFrame, name: &str) -> Vec<f64> {
    let values = frame.column(name).unwrap().cast(&DataType::Float64).unwrap();
    values.f64().unwrap().iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

pub fn texts(frame: &DataFrame, name: &str) -> Vec<String> {
    let values = frame.column(name).unwrap();
    values.str().unwrap().iter().map(|value| value.unwrap_or("").to_owned()).collect()
}

/// A text that the message of an error holds.
pub fn says<T: std::fmt::Debug>(result: haetae_risk::Result<T>, wanted: &str) {
    let message = result.expect_err(wanted).to_string();
    assert!(message.contains(wanted), "expected `{wanted}` in: {message}");
}
