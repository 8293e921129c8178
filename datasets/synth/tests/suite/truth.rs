use std::collections::{HashMap, HashSet};

use arrow::array::AsArray;

use crate::dataset::{Frame, demo, shares};

#[test]
fn every_kind_is_planted_often_enough_to_learn_from() {
    let fraud = Frame::truth("fraud");
    let kinds = shares(&fraud.word("kind"));
    for kind in ["undervaluation", "misclassification", "false_origin", "quantity_slip", "phoenix"] {
        assert!(kinds.get(kind).is_some_and(|s| *s > 0.04), "{kind}: {kinds:?}");
    }
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    assert_eq!(fraud.rows() as u64, demo().2.frauds);
}

#[test]
fn each_lie_is_what_it_is_called() {
    let (items, fraud) = (Frame::table("fact_item"), Frame::truth("fraud"));
    let rows = items.index();
    let declared = |name: &str| items.number(name);
    let (price, mass, quantity, rate) =
        (declared("item_price_krw"), declared("net_mass_kg"), declared("quantity"), declared("duty_rate"));
    let (hs6, origin) = (items.word("hs6"), items.word("origin_country"));
    let (true_price, true_mass) = (fraud.number("true_item_price_krw"), fraud.number("true_net_mass_kg"));
    let (true_quantity, true_rate) = (fraud.number("true_quantity"), fraud.number("true_duty_rate"));
    let (true_hs6, true_origin) = (fraud.word("true_hs6"), fraud.word("true_origin_country"));
    let technique = fraud.word("technique");
    let evaded = fraud.number("additional_duty_krw");
    for (f, key) in fraud.keys().into_iter().enumerate() {
        let i = rows[&key];
        let same_goods = hs6[i] == true_hs6[f] && origin[i] == true_origin[f] && rate[i] == true_rate[f];
        let same_amount = mass[i] == true_mass[f] && quantity[i] == true_quantity[f];
        let holds = match technique[f] {
            "undervaluation" => price[i] < true_price[f] && same_goods && same_amount,
            "misclassification" => hs6[i] != true_hs6[f] && hs6[i][..2] == true_hs6[f][..2] && rate[i] < true_rate[f],
            "false_origin" => origin[i] != true_origin[f] && hs6[i] == true_hs6[f] && rate[i] < true_rate[f],
            "quantity_slip" => {
                let less = mass[i] < true_mass[f] || quantity[i] < true_quantity[f];
                price[i] < true_price[f] && same_goods && less
            }
            other => panic!("no such technique: {other}"),
        };
        assert!(holds, "{} {key:?}", technique[f]);
        let tax = |price: f64, rate: f64| price * rate + 0.1 * price * (1.0 + rate);
        let gain = tax(true_price[f], true_rate[f]) - tax(price[i], rate[i]);
        assert!((gain - evaded[f]).abs() <= 1.0 && evaded[f] > 0.0, "{key:?}: {gain} against {}", evaded[f]);
    }
}

#[test]
fn phoenix_companies_go_on_where_the_old_ones_stopped() {
    let (items, fraud, importers) = (Frame::table("fact_item"), Frame::truth("fraud"), Frame::truth("importers"));
    let before: HashMap<&str, &str> = importers
        .word("importer_id")
        .into_iter()
        .zip(importers.text("phoenix_of"))
        .filter_map(|(new, old)| Some((new, old?)))
        .collect();
    assert!(before.len() > 20, "{} phoenix companies", before.len());
    let importer = items.word("importer_id");
    let day: Vec<i32> = items.date("declaration_date").into_iter().flatten().collect();
    let mut span: HashMap<&str, (i32, i32)> = HashMap::new();
    let mut partners: HashMap<&str, HashSet<&str>> = HashMap::new();
    let declarants = items.word("declarant_id");
    for i in 0..items.rows() {
        let s = span.entry(importer[i]).or_insert((day[i], day[i]));
        *s = (s.0.min(day[i]), s.1.max(day[i]));
        partners.entry(importer[i]).or_default().insert(declarants[i]);
    }
    let mut shared = Vec::new();
    for (new, old) in &before {
        let (Some(then), Some(now)) = (span.get(old), span.get(new)) else { continue };
        assert!(then.1 < now.0, "{old} still trades when {new} begins");
        shared.push(!partners[old].is_disjoint(&partners[new]));
    }
    let share = shared.iter().filter(|s| **s).count() as f64 / shared.len() as f64;
    assert!(shared.len() > 10 && share > 0.8, "{share} of {} share a declarant", shared.len());

    let rows = items.index();
    for ((key, kind), old) in fraud.keys().into_iter().zip(fraud.word("kind")).zip(fraud.text("phoenix_of")) {
        assert_eq!(kind == "phoenix", old.is_some(), "{key:?}");
        assert_eq!(before.get(importer[rows[&key]]).copied(), old, "{key:?}");
    }
}

#[test]
fn inspections_find_fraud_and_nothing_else() {
    let (inspections, fraud) = (Frame::table("fact_inspection"), Frame::truth("fraud"));
    let truth = fraud.index();
    let evaded = fraud.number("additional_duty_krw");
    let found = inspections.column("fraud").as_boolean();
    let (class, recovered) = (inspections.class(), inspections.number("additional_duty_krw"));
    let (mut guilty, mut caught) = (0.0, 0.0);
    for (i, key) in inspections.keys().into_iter().enumerate() {
        assert_eq!(found.value(i), class[i] > 0, "{key:?}");
        assert_eq!(found.value(i), recovered[i] > 0.0, "{key:?}");
        match truth.get(&key) {
            None => assert!(!found.value(i), "{key:?} is honest and was found to be fraud"),
            Some(&f) => {
                guilty += 1.0;
                caught += f64::from(u8::from(found.value(i)));
                assert!(recovered[i] <= evaded[f], "{key:?}: more recovered than evaded");
            }
        }
    }
    assert!((caught / guilty - 0.95f64).abs() < 0.02, "{} detected", caught / guilty);
    let bias = guilty / fraud.rows() as f64;
    assert!((0.5..0.85).contains(&bias), "{bias} of all fraud is inspected");
}
