//! The bands are set around the Korea Customs Service declaration set, wide enough for other seeds.

use crate::dataset::{Frame, demo, distinct, shares};

fn assert_band(what: &str, value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{what}: {value} is not in {low}..={high}");
}

#[test]
fn numbers_of_different_values() {
    let items = Frame::table("fact_item");
    let count = |name: &str| distinct(items.text(name).into_iter().flatten()) as f64;
    assert_band("offices", count("office_id"), 38.0, 42.0);
    assert_band("process types", count("process_type"), 2.0, 3.0);
    assert_band("import types", count("import_type"), 24.0, 28.0);
    assert_band("import uses", count("import_use"), 11.0, 14.0);
    assert_band("payment types", count("payment_type"), 8.0, 10.0);
    assert_band("transport modes", count("transport_mode"), 6.0, 6.0);
    assert_band("declarants", count("declarant_id"), 1_000.0, 1_400.0);
    assert_band("importers", count("importer_id"), 9_000.0, 14_000.0);
    assert_band("sellers", count("seller_id"), 7_000.0, 12_000.0);
    assert_band("couriers", count("courier_id"), 65.0, 80.0);
    assert_band("subheadings", count("hs6"), 1_900.0, 2_700.0);
    assert_band("departures", count("departure_country"), 90.0, 123.0);
    assert_band("origins", count("origin_country"), 95.0, 123.0);
    assert_band("tariff types", count("tariff_type"), 25.0, 48.0);
}

#[test]
fn shares_of_values() {
    let items = Frame::table("fact_item");
    let share = |column: &str, value: &str| shares(&items.word(column)).get(value).copied().unwrap_or(0.0);
    assert_band("null sellers", items.null_share("seller_id"), 0.07, 0.13);
    assert_band("null couriers", items.null_share("courier_id"), 0.77, 0.87);
    assert_band("Incheon Airport", share("office_id", "40"), 0.30, 0.44);
    assert_band("Incheon Port", share("office_id", "20"), 0.25, 0.36);
    assert_band("ordinary import", share("import_type", "11"), 0.83, 0.90);
    assert_band("home use", share("import_use", "21"), 0.88, 0.94);
    assert_band("payment before release", share("payment_type", "11"), 0.62, 0.73);
    assert_band("sea", share("transport_mode", "10"), 0.50, 0.64);
    assert_band("air", share("transport_mode", "40"), 0.34, 0.48);
    assert_band("origin China", share("origin_country", "CN"), 0.38, 0.57);
    assert_band("basic rate", share("tariff_type", "A"), 0.30, 0.46);
    assert_band("FTA with China", share("tariff_type", "FCN1"), 0.12, 0.25);
    let zero = items.number("duty_rate").iter().filter(|r| **r == 0.0).count() as f64 / items.rows() as f64;
    assert_band("duty rate 0", zero, 0.34, 0.50);
    let direct = items.word("departure_country").into_iter().zip(items.word("origin_country"));
    let direct = direct.filter(|(d, o)| d == o).count() as f64 / items.rows() as f64;
    assert_band("departure = origin", direct, 0.75, 0.87);
}

#[test]
fn tails_are_heavy() {
    let items = Frame::table("fact_item");
    for (column, low, high) in [("importer_id", 0.30, 0.50), ("seller_id", 0.30, 0.50), ("hs6", 0.48, 0.72)] {
        let values: Vec<&str> = items.text(column).into_iter().flatten().collect();
        let mut shares: Vec<f64> = shares(&values).into_values().collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        assert_band(column, shares.iter().take(shares.len() / 10).sum(), low, high);
    }
}

#[test]
fn time_has_seasons_and_weekdays() {
    let items = Frame::table("fact_item");
    let days: Vec<i32> = items.date("declaration_date").into_iter().flatten().collect();
    assert_eq!((days.iter().min(), days.iter().max().map(|d| *d >= 18_805)), (Some(&18_262), Some(true)));
    assert!(days.iter().all(|d| (18_262..=18_808).contains(d)));
    // 1970-01-01 was a Thursday; Monday = 0.
    let weekday = |d: &i32| (d + 3).rem_euclid(7);
    let share = |w: i32| days.iter().filter(|d| weekday(d) == w).count() as f64 / days.len() as f64;
    assert_band("Monday", share(0), 0.20, 0.30);
    assert_band("Sunday", share(6), 0.005, 0.03);
}

#[test]
fn fraud_and_inspections() {
    let inspections = Frame::table("fact_inspection");
    let items = demo().2.items as f64;
    assert_band("frauds", demo().2.frauds as f64 / items, 0.070, 0.090);
    assert_band("inspected", inspections.rows() as f64 / items, 0.23, 0.27);
    let class = inspections.class();
    let share = |f: fn(&i8) -> bool| class.iter().filter(|c| f(c)).count() as f64 / class.len() as f64;
    assert_band("fraud among inspected", share(|c| *c > 0), 0.185, 0.235);
    assert_band("critical among inspected", share(|c| *c == 2), 0.005, 0.017);
    assert!(class.iter().all(|c| (0..=2).contains(c)));
}
