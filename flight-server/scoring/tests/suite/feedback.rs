//! Champion and challenger on the same days, and drift.

use haetae_scoring::Outcome;

use crate::place::{Place, date, definition, parse, text};

fn challenged() -> (Place, Vec<String>) {
    let place = Place::trained();
    let other = parse(&text().replace("trees = 40", "trees = 5"));
    let done = place.train(&other).unwrap();
    assert_eq!((done.model.as_str(), done.repeated), ("import-2", false));
    assert!(place.train(&other).unwrap().repeated, "the same model is registered once");
    let mut versions = Vec::new();
    for day in 37..41 {
        for (definition, model) in [(&definition(), None), (&other, Some("import-2"))] {
            versions.push(place.score(definition, model, day).unwrap().version);
        }
    }
    versions.truncate(2);
    (place, versions)
}

#[test]
fn versions_are_compared_on_the_same_labelled_items() {
    let (place, versions) = challenged();
    let roles = place.ask("select distinct model, role from risk.runs order by 1");
    assert_eq!(roles, [["import-1", "champion"], ["import-2", "challenger"]]);
    let compare = |known: u32, versions: &[String]| {
        let days = (date(37), date(40));
        place.runtime.block_on(haetae_scoring::compare(place.warehouse(), "customs", versions, days, date(known)))
    };
    let (rows, _) = compare(45, &versions).unwrap();
    assert_eq!(rows.len(), 3 * (versions.len() + 5), "five ways without a model stand before the versions");
    // 40 of 60 items a day are inspected.
    assert!(rows.iter().all(|row| row.items == 160));
    let champion = rows.iter().find(|row| row.version == versions[0] && row.rate == 0.10).unwrap();
    let stake = rows.iter().find(|row| row.version == "stake" && row.rate == 0.10).unwrap();
    assert_eq!((champion.chosen, stake.chosen), (16, 16));
    assert!(champion.precision[0] > stake.precision[0] && champion.auc > 0.7, "{champion:?} {stake:?}");
    assert!((champion.precision[0] - champion.found as f64 / 16.0).abs() < 1e-12);
    let kept = place.ask("select count(*), min(items), max(known_on) from risk.comparisons");
    assert_eq!(kept, [["21", "160", "2026-02-15"]]);
    let way = |name: &str| rows.iter().find(|row| row.version == name && row.rate == 0.10).unwrap();
    // Six of forty importers cheat, which their results show; prices and chance tell nothing of it.
    let (history, price, random) = (way("importer history"), way("price"), way("random"));
    assert!(history.auc > 0.75 && history.precision[0] > price.precision[0].max(random.precision[0]), "{rows:?}");
    assert!((0.3..0.7).contains(&random.auc) && random.chosen == 16, "{random:?}");
    // By hand: fraud among the tenth with the highest prices.
    let dearest = "select sum(case when fraud then 1 else 0 end) from (select l.fraud from fact_item i join fact_inspection l \
         on l.declaration_id = i.declaration_id and l.item_no = i.item_no \
         where i.declaration_date between date '2026-02-07' and date '2026-02-10' \
         order by i.item_price_krw desc, i.declaration_id limit 16)";
    assert_eq!(place.ask(dearest), [[price.found.to_string()]]);
    // By hand: fraud among the tenth with the highest scores.
    let sql = format!(
        "select sum(case when fraud then 1 else 0 end) from (select l.fraud from risk.scores s join fact_inspection l \
         on l.declaration_id = s.declaration_id and l.item_no = s.item_no where s.version = '{}' \
         order by s.probability desc, s.declaration_id limit 16)",
        versions[0]
    );
    assert_eq!(place.ask(&sql), [[champion.found.to_string()]]);
    // Results mature: two days after the first day only its own are known.
    let (early, _) = compare(39, &versions).unwrap();
    assert!(early.iter().all(|row| row.items == 40));
    let (twice, _) = compare(45, &[versions[0].clone(), versions[0].clone()]).unwrap();
    assert_eq!(twice.len(), 18, "a version that is named twice is one");
    assert!(compare(45, &["it's/x".to_owned()]).unwrap_err().to_string().contains("was scored by it's/x and has"));
    let none = compare(45, &["import-9/x".to_owned()]).unwrap_err().to_string();
    assert!(none.contains("no item declared from") && none.contains(&versions[0]), "{none}");
}

#[test]
fn drift_is_seen_in_the_feature_that_moved() {
    let place = Place::trained();
    place.score(&definition(), None, 38).unwrap();
    let sql = "select count(*), sum(case when feature = 'score' then 1 else 0 end) from risk.drift";
    assert_eq!(place.ask(sql), [["12", "1"]]);
    let moved =
        parse(&text().replace("t.duty_rate, t.item_price_krw", "t.duty_rate, t.item_price_krw * 50 as item_price_krw"));
    let done = place.score(&moved, Some("import-1"), 38).unwrap();
    let Outcome::Scored { moved, .. } = done.outcome else { panic!("{done:?}") };
    let told = format!(
        "select feature from risk.drift where verdict = 'another population' and version = '{}' order by 1",
        done.version
    );
    assert_eq!(moved, place.ask(&told).concat());
    let verdicts = "select verdict, count(*) from risk.drift where feature = 'item_price_krw' group by 1 order by 1";
    let found = place.ask(verdicts);
    assert!(found.contains(&vec!["another population".to_owned(), "1".to_owned()]), "{found:?}");
    let most = "select feature from risk.drift order by psi desc limit 1";
    assert_eq!(place.ask(most), [["item_price_krw"]]);
}
