//! The defect of the published declarations, in small: whole tuples of goods, label included, are drawn from a source
//! again and again. The audit has to say so, and the figures for unseen keys have to show that nothing was learnt.

use std::collections::{HashMap, HashSet};

use haetae_features::DECLARATION_KEY;
use haetae_models::{Clearance, ClearanceRun, Protocol};
use polars::prelude::*;

use crate::data::Random;

const CODES: [&str; 11] = [
    "office_id",
    "process_type",
    "import_type",
    "import_use",
    "payment_type",
    "transport_mode",
    "declarant_id",
    "importer_id",
    "seller_id",
    "courier_id",
    "origin_mark",
];

/// What is drawn as a whole: the six columns of the key, and the label.
#[derive(Clone)]
struct Goods {
    text: [String; 4],
    duty_rate: f64,
    net_mass_kg: f64,
    fraud: bool,
}

fn goods(random: &mut Random) -> Goods {
    let hs6 = format!("{:02}{:02}10", 1 + random.below(20), 1 + random.below(9));
    let mut country = || ["CN", "US", "VN", "DE", "JP"][random.below(5) as usize].to_owned();
    let text = [hs6, country(), country(), ["A", "FCN1", "C"][random.below(3) as usize].to_owned()];
    let duty_rate = [0.0, 0.065, 0.08][random.below(3) as usize];
    Goods { text, duty_rate, net_mass_kg: random.unit() * 100.0, fraud: random.percent(22) }
}

/// Declared items of the goods given, with all the columns that the ready recipe needs. `fraud` sees the importer.
fn declare(
    random: &mut Random,
    days: std::ops::Range<u64>,
    drawn: &[Goods],
    fraud: fn(&Goods, u64, u64) -> bool,
) -> DataFrame {
    let rows = drawn.len();
    let span = days.end - days.start;
    let day: Vec<i32> = (0..rows).map(|_| 18_262 + (days.start + random.below(span)) as i32).collect();
    let mut columns = vec![Column::new("declaration_date".into(), day).cast(&DataType::Date).unwrap()];
    let mut importers = Vec::new();
    for name in CODES {
        let codes: Vec<u64> = (0..rows).map(|_| random.below(30)).collect();
        columns.push(Column::new(name.into(), codes.iter().map(|code| format!("{code:02}")).collect::<Vec<_>>()));
        if name == "importer_id" {
            importers = codes;
        }
    }
    for (i, name) in ["hs6", "departure_country", "origin_country", "tariff_type"].into_iter().enumerate() {
        columns.push(Column::new(name.into(), drawn.iter().map(|goods| goods.text[i].as_str()).collect::<Vec<_>>()));
    }
    let number = |name: &str, values: Vec<f64>| Column::new(name.into(), values);
    columns.push(number("duty_rate", drawn.iter().map(|goods| goods.duty_rate).collect()));
    columns.push(number("net_mass_kg", drawn.iter().map(|goods| goods.net_mass_kg).collect()));
    columns.push(number("item_price_krw", (0..rows).map(|_| 1e6 * random.unit()).collect()));
    let labels = drawn.iter().zip(&importers).map(|(goods, &importer)| fraud(goods, importer, random.below(100)));
    columns.push(Column::new("fraud".into(), labels.collect::<Vec<_>>()));
    DataFrame::new(rows, columns).unwrap()
}

fn draw(random: &mut Random, from: &[Goods], rows: usize) -> Vec<Goods> {
    (0..rows).map(|_| from[random.below(from.len() as u64) as usize].clone()).collect()
}

/// 1 600 training rows drawn from 400 tuples; of 1 600 later rows a quarter is drawn from others.
fn copied() -> (DataFrame, DataFrame) {
    let mut random = Random::new(220_802_484);
    let source: Vec<Goods> = (0..400).map(|_| goods(&mut random)).collect();
    let fresh: Vec<Goods> = (0..400).map(|_| goods(&mut random)).collect();
    let label: fn(&Goods, u64, u64) -> bool = |goods, _, _| goods.fraud;
    let train = draw(&mut random, &source, 1_600);
    let train = declare(&mut random, 0..300, &train, label);
    let mut later = draw(&mut random, &source, 1_200);
    later.extend(fresh);
    (train, declare(&mut random, 300..390, &later, label))
}

/// Unique goods, and five importers of thirty who defraud.
fn honest() -> (DataFrame, DataFrame) {
    let mut random = Random::new(77);
    let label: fn(&Goods, u64, u64) -> bool = |_, importer, chance| chance < if importer < 5 { 60 } else { 12 };
    let mut declared = |days, rows| {
        let all: Vec<Goods> = (0..rows).map(|_| goods(&mut random)).collect();
        declare(&mut random, days, &all, label)
    };
    (declared(0..300, 1_600), declared(300..390, 800))
}

fn auc(run: &ClearanceRun, protocol: Protocol, model: &str) -> f64 {
    run.evaluation.get(protocol, model).unwrap().auc
}

/// The keys of a frame, as text.
fn keys(frame: &DataFrame) -> Vec<String> {
    let mut keys = vec![String::new(); frame.height()];
    for name in DECLARATION_KEY {
        let column = frame.column(name).unwrap().as_materialized_series().clone();
        keys.iter_mut().zip(column.iter()).for_each(|(key, value)| *key += &format!("{value}|"));
    }
    keys
}

#[test]
fn copied_labels_are_disclosed_and_worth_nothing_on_new_goods() {
    let (train, valid) = copied();
    let run = Clearance::new().run(&train, &valid).unwrap();

    let audit = run.evaluation.audit();
    let known: HashSet<String> = keys(&train).into_iter().collect();
    let seen = keys(&valid).iter().filter(|key| known.contains(*key)).count();
    assert_eq!((audit.keys, audit.seen, audit.rows), (known.len(), seen, 1_600));
    assert!(seen > 1_100 && audit.agreement() == 1.0, "{audit}");
    assert!(audit.lookup_auc > 0.94, "{audit}");
    assert!(audit.to_string().contains("(100.0 %) carry one label only; a table of keys alone reaches AUC 0.9"));

    // Nobody looks good who has not learnt the table by heart, and who has is no better than a coin on new goods.
    assert_eq!(auc(&run, Protocol::Full, "lookup"), audit.lookup_auc);
    assert!(auc(&run, Protocol::Full, "LightGBM") > 0.9, "{run}");
    assert!(run.evaluation.get(Protocol::Full, "lookup").unwrap().precision_at(0.1).unwrap() > 0.99, "{run}");
    for protocol in [Protocol::Clean, Protocol::Grouped] {
        for model in ["LightGBM", "logistic", "importer history"] {
            assert!((auc(&run, protocol, model) - 0.5).abs() < 0.08, "{model} under {}:\n{run}", protocol.name());
        }
    }
    assert_eq!(auc(&run, Protocol::Clean, "lookup"), 0.5);
    assert_eq!(run.evaluation.get(Protocol::Clean, "lookup").unwrap().rows, 1_600 - seen);
    let key = format!("rate_by_{}", DECLARATION_KEY.join("_x_"));
    assert_eq!(run.importance[0].0, key, "{run}");
}

#[test]
fn what_can_be_learnt_is_seen_under_every_protocol() {
    let (train, valid) = honest();
    let run = Clearance::new().run(&train, &valid).unwrap();
    let audit = run.evaluation.audit();
    assert_eq!((audit.seen, audit.repeated, audit.lookup_auc), (0, 0, 0.5));
    for protocol in [Protocol::Full, Protocol::Clean, Protocol::Grouped] {
        for model in ["LightGBM", "logistic", "importer history"] {
            assert!(auc(&run, protocol, model) > 0.62, "{model} under {}:\n{run}", protocol.name());
        }
        assert!((auc(&run, protocol, "lookup") - 0.5).abs() < 0.05, "{run}");
    }
    // No key was seen, so the clean rows are all rows.
    for model in ["LightGBM", "logistic", "importer history", "lookup"] {
        let [full, clean] = [Protocol::Full, Protocol::Clean].map(|protocol| auc(&run, protocol, model));
        assert_eq!(full, clean, "{model}");
    }
    assert_eq!(run.importance[0].0, "rate_by_importer_id", "{run}");
    assert!((run.importance.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn the_generator_of_this_test_copies_what_it_says() {
    let (train, valid) = copied();
    let labels =
        |frame: &DataFrame| frame.column("fraud").unwrap().bool().unwrap().iter().flatten().collect::<Vec<_>>();
    let mut of_key: HashMap<String, HashSet<bool>> = HashMap::new();
    for frame in [&train, &valid] {
        for (key, label) in keys(frame).into_iter().zip(labels(frame)) {
            of_key.entry(key).or_default().insert(label);
        }
    }
    assert!(of_key.values().all(|labels| labels.len() == 1));
    assert!((700..=800).contains(&of_key.len()), "{} keys", of_key.len());
}
