//! Lanes: quotas met exactly, ties and draws by the seed, rules that bind, and what is refused.

use crate::data::{numbers, says, texts};
use haetae_features::{FeatureMatrix, rows};
use haetae_models::{LightGbm, Random, RandomForest};
use haetae_risk::{DecisionTable, Decisions, Lane, Quota, Rule};
use polars::prelude::*;
use std::collections::BTreeMap;

const QUOTA: Quota = Quota { yellow: 6, red: 10, blue: 4 };

/// Items of two days at three offices, 60 each, with stakes and codes.
pub fn items(seed: u64) -> (DataFrame, Vec<f64>) {
    let mut random = Random::new(seed);
    let rows = 360;
    let (mut hs, mut stake, mut text, mut probability) = (vec![], vec![], vec![], vec![]);
    for row in 0..rows {
        hs.push(["22", "61", "87", "93"][random.below(4)]);
        // Few different values, so that there are many ties.
        stake.push(1000.0 * random.below(5) as f64);
        text.push(if row == 77 { "heavy".to_owned() } else { random.below(100).to_string() });
        probability.push(random.below(10) as f64 / 10.0);
    }
    let frame = df!(
        "declaration_id" => (0..rows).map(|row| format!("D{}", row / 2)).collect::<Vec<_>>(),
        "item_no" => (0..rows).map(|row| (row % 2) as i64).collect::<Vec<_>>(),
        "office_id" => (0..rows).map(|row| ["Busan", "Incheon", "Seoul"][row % 3]).collect::<Vec<_>>(),
        "declaration_date" => (0..rows).map(|row| ["2026-03-02", "2026-03-03"][row / 180]).collect::<Vec<_>>(),
        "hs2" => hs, "stake_krw" => stake, "packages" => text,
    )
    .unwrap();
    (frame, probability)
}

pub fn table() -> DecisionTable {
    DecisionTable::new("v1").quota_for_all(QUOTA).explore(0.2)
}

fn by_item(decisions: &Decisions) -> BTreeMap<String, (String, String)> {
    let frame = decisions.frame().unwrap();
    let pairs = texts(&frame, "lane").into_iter().zip(texts(&frame, "reason"));
    texts(&frame, "item").into_iter().zip(pairs).collect()
}

#[test]
fn quotas_are_met_exactly_in_every_office_on_every_day() {
    let (frame, probability) = items(1);
    let busy = Quota { yellow: 0, red: 33, blue: 7 };
    let table = table().quota("Seoul", Quota { yellow: 60, red: 0, blue: 0 }).quota_on("Busan", "2026-03-03", busy);
    let summary = table.decide(&frame, &probability).unwrap().summary().unwrap();
    let found: Vec<[f64; 5]> = (0..6)
        .map(|row| ["green", "yellow", "red", "blue", "drawn"].map(|name| numbers(&summary, name)[row]))
        .collect();
    assert_eq!(texts(&summary, "office"), ["Busan", "Incheon", "Seoul", "Busan", "Incheon", "Seoul"]);
    let usual = [40.0, 6.0, 10.0, 4.0, 2.0];
    assert_eq!(
        found,
        [usual, usual, [0.0, 60.0, 0.0, 0.0, 0.0], [20.0, 0.0, 33.0, 7.0, 7.0], usual, [0.0, 60.0, 0.0, 0.0, 0.0]]
    );
}

#[test]
fn neither_the_order_of_rows_nor_other_offices_matter_and_the_seed_does() {
    let (frame, probability) = items(1);
    let all = by_item(&table().decide(&frame, &probability).unwrap());
    let mut order: Vec<usize> = (0..frame.height()).collect();
    Random::new(5).shuffle(&mut order);
    let shuffled = rows(&frame, &order).unwrap();
    let moved: Vec<f64> = order.iter().map(|&row| probability[row]).collect();
    assert_eq!(by_item(&table().decide(&shuffled, &moved).unwrap()), all);
    let busan: Vec<usize> = (0..frame.height()).filter(|row| row % 3 == 0).collect();
    let few: Vec<f64> = busan.iter().map(|&row| probability[row]).collect();
    let alone = by_item(&table().decide(&rows(&frame, &busan).unwrap(), &few).unwrap());
    assert!(alone.iter().all(|(item, decided)| all[item] == *decided));
    assert_ne!(by_item(&table().seed(8).decide(&frame, &probability).unwrap()), all);
}

#[test]
fn the_model_takes_the_greatest_expected_revenue_and_draws_are_recorded() {
    let (frame, probability) = items(2);
    let found = table().decide(&frame, &probability).unwrap().frame().unwrap();
    let (lane, why, expected) = (texts(&found, "lane"), texts(&found, "why"), numbers(&found, "expected_revenue"));
    let (office, day, chance) = (texts(&found, "office"), texts(&found, "day"), numbers(&found, "chance"));
    for (group_office, group_day) in [("Busan", "2026-03-02"), ("Seoul", "2026-03-03")] {
        let of = |wanted: &str| {
            let fits = |row: &usize| office[*row] == group_office && day[*row] == group_day && lane[*row] == wanted;
            (0..frame.height())
                .filter(fits)
                .filter(|&row| why[row] != "drawn")
                .map(|row| expected[row])
                .collect::<Vec<_>>()
        };
        let least = |values: Vec<f64>| values.into_iter().fold(f64::INFINITY, f64::min);
        let most = |values: Vec<f64>| values.into_iter().fold(0.0, f64::max);
        assert!(least(of("red")) >= most(of("yellow")) && least(of("yellow")) >= most(of("blue")));
        assert!(least(of("blue")) >= most(of("green")));
    }
    assert!(chance.iter().all(|chance| (chance - 2.0 / 60.0).abs() < 1e-12));
    let drawn: Vec<usize> = (0..why.len()).filter(|&row| why[row] == "drawn").collect();
    assert_eq!(drawn.len(), 12);
    assert!(texts(&found, "reason")[drawn[0]].starts_with("drawn at random, with a chance of 3.33 %"));
    // Over many seeds every item is drawn about as often: 200 times of 6000 draws of 2 of 60.
    let mut counts = vec![0; frame.height()];
    for seed in 0..300 {
        let found = table().seed(seed).decide(&frame, &probability).unwrap().frame().unwrap();
        texts(&found, "why")
            .iter()
            .enumerate()
            .filter(|(_, why)| *why == "drawn")
            .for_each(|(row, _)| counts[row] += 1);
    }
    assert!(
        counts.iter().all(|&count| count < 30) && counts.iter().filter(|&&count| count > 0).count() > 355,
        "{counts:?}"
    );
}

#[test]
fn rules_bind_on_their_days_and_say_so() {
    let (frame, probability) = items(1);
    let weapons =
        || Rule::new("weapons", "security", col("hs2").eq(lit("93")).and(col("stake_krw").gt(lit(3500))), Lane::Red);
    let rule = weapons().text("arms are inspected").from("2026-03-03");
    let trusted =
        Rule::new("trusted", "partnership", col("hs2").eq(lit("22")).and(col("item_no").eq(lit(0))), Lane::Green);
    let watch = Rule::new("watch", "analysis", col("hs2").eq(lit("87")), Lane::Blue).advisory();
    let decisions = table().rule(rule).rule(trusted).rule(watch).decide(&frame, &probability).unwrap();
    let found = decisions.frame().unwrap();
    let (lane, why, day) = (texts(&found, "lane"), texts(&found, "why"), texts(&found, "day"));
    let (hs, stake, number) = (texts(&frame, "hs2"), numbers(&frame, "stake_krw"), numbers(&frame, "item_no"));
    let reason = texts(&found, "reason");
    for row in 0..frame.height() {
        let armed = hs[row] == "93" && stake[row] > 3500.0 && day[row] == "2026-03-03";
        let free = hs[row] == "22" && number[row] == 0.0;
        assert_eq!(why[row] == "rule", armed || free, "row {row}");
        if armed {
            assert_eq!(reason[row], "arms are inspected (rule `weapons`, security)");
        }
        assert!(!armed || lane[row] == "red");
        assert!(!free || lane[row] == "green");
        assert_eq!(hs[row] == "87", reason[row].contains("rule `watch`"), "row {row}: {}", reason[row]);
    }
    let summary = decisions.summary().unwrap();
    assert!(
        numbers(&summary, "red").iter().all(|&red| red == 10.0)
            && numbers(&summary, "blue").iter().all(|&blue| blue == 4.0)
    );
    // A rule asks for documents, another for an inspection: the inspection looks at the documents too.
    let papers =
        Rule::new("papers", "trade", col("hs2").eq(lit("93")).and(col("stake_krw").gt(lit(3500))), Lane::Yellow);
    let both = table().rule(papers).rule(weapons()).decide(&frame, &probability).unwrap();
    assert!(
        (0..frame.height())
            .filter(|&row| hs[row] == "93" && stake[row] > 3500.0)
            .all(|row| both.lanes()[row] == Lane::Red)
    );
}

#[test]
fn contradictions_and_failing_rules_are_refused_with_the_row() {
    let (frame, probability) = items(1);
    let decide = |table: DecisionTable| table.decide(&frame, &probability);
    let rule = |name: &str, condition: Expr, lane| Rule::new(name, "owner", condition, lane);
    let one = || col("declaration_id").eq(lit("D20")).and(col("item_no").eq(lit(1)));
    let clash = table().rule(rule("fast", one(), Lane::Green)).rule(rule("check", one(), Lane::Red));
    says(decide(clash), "row 41: the rules `fast` (green) and `check` (red) contradict one another");
    let settled = table().rule(rule("fast", one(), Lane::Green)).rule(rule("check", one(), Lane::Red).over("fast"));
    assert_eq!(decide(settled).unwrap().lanes()[41], Lane::Red);
    let cast = rule("heavy", col("packages").strict_cast(DataType::Int64).gt(lit(90)), Lane::Yellow);
    says(decide(table().rule(cast)), "rule `heavy`, row 77: ");
    says(decide(table().rule(rule("none", col("nothing").gt(lit(1)), Lane::Red))), "rule `none`: ");
    says(decide(table().rule(rule("sum", col("stake_krw"), Lane::Red))), "rule `sum`: expected a condition");
    says(
        decide(table().rule(rule("all", lit(true), Lane::Red))),
        "rules ask for 60 items in the lane red, the quota is 10",
    );
    says(decide(table().rule(rule("all", lit(true), Lane::Green))), "ask for 20 items, found 0");
    says(decide(table().rule(rule("twice", one(), Lane::Red)).rule(rule("twice", one(), Lane::Red))), "`twice` twice");
    says(
        decide(table().rule(rule("late", one(), Lane::Red).from("2026-04-01").to("2026-03-01"))),
        "first day that is not after",
    );
    says(decide(table().rule(rule("late", one(), Lane::Red).from("2026-02-30"))), "days such as");
    says(decide(table().rule(rule("a", one(), Lane::Red).over("b"))), "the name of another rule, found `b`");
    let circle = table().rule(rule("a", one(), Lane::Red).over("b")).rule(rule("b", one(), Lane::Red).over("a"));
    says(decide(circle), "over one another");
    let lone = |name: &str, over: &str| rule(name, one(), Lane::Red).over(over);
    let ring = table().rule(lone("a", "b")).rule(lone("b", "c")).rule(lone("c", "a"));
    says(decide(ring), "over one another");
    says(decide(table().rule(Rule::new("a", "", one(), Lane::Red))), "a name and an owner");
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let (frame, probability) = items(1);
    let decide = |table: DecisionTable| table.decide(&frame, &probability);
    let high = Quota { yellow: 30, red: 30, blue: 1 };
    says(
        decide(table().quota_on("Seoul", "2026-03-03", high)),
        "office `Seoul`, 2026-03-03: the quotas (yellow 30, red 30, blue 1) ask for 61 items, found 60",
    );
    says(
        decide(DecisionTable::new("v1").quota("Seoul", QUOTA)),
        "office `Busan`: it has items on 2026-03-02 and no quota",
    );
    says(decide(DecisionTable::new("").quota_for_all(QUOTA)), "version");
    says(decide(table().explore(1.5)), "explore: expected 0 to 1");
    says(decide(table().key(&[])), "key");
    says(
        decide(table().key(&["declaration_id"])),
        "row 1: expected a key that no other row has, found `D0`, as in row 0",
    );
    says(decide(table().quota_on("Seoul", "3 March", QUOTA)), "a day such as");
    says(decide(table().date("hs2")), "column `hs2`, row 0: expected a day");
    let twins = df!("office" => ["Seoul"; 2], "declaration_date" => ["2026-03-02"; 2], "a" => ["x/y", "x"], "b" => ["z", "y/z"], "stake_krw" => [1.0, 2.0]).unwrap();
    let apart =
        DecisionTable::new("v1").office("office").quota_for_all(Quota { yellow: 0, red: 1, blue: 0 }).key(&["a", "b"]);
    assert!(apart.decide(&twins, &[0.1, 0.2]).is_ok(), "keys that only look alike when they are joined");
    says(decide(table().stake("value")), "column `value`, needed for the expected revenue");
    says(table().decide(&frame, &probability[1..]), "probability: expected 360 rows");
    says(table().decide(&frame, &vec![f64::NAN; 360]), "expected a probability from 0 to 1, found NaN");
    says(table().decide(&frame.head(Some(0)), &[]), "items: expected at least 1 row");
    let negative = frame.clone().lazy().with_column(col("stake_krw") - lit(1500)).collect().unwrap();
    says(table().decide(&negative, &probability), "expected an amount of at least 0");
}

#[test]
fn the_summands_of_a_reason_sum_to_the_score() {
    let (frame, _) = items(3);
    let features = FeatureMatrix::from_frame(&frame.select(["hs2", "stake_krw", "item_no"]).unwrap()).unwrap();
    let target: Vec<f64> = texts(&frame, "hs2").iter().map(|hs| f64::from(hs == "93")).collect();
    let noisy: Vec<f64> =
        target.iter().enumerate().map(|(row, &one)| if row % 9 == 0 { 1.0 - one } else { one }).collect();
    let trees_of = |features: &FeatureMatrix, target: &[f64]| {
        LightGbm::params().trees(15).leaves(4).fit(features, target).unwrap()
    };
    let trees = trees_of(&features, &noisy);
    let (probability, terms) = (trees.predict(&features).unwrap(), trees.contributions(&features).unwrap());
    let decisions = table().reasons(2).decide_explained(&frame, &probability, &terms).unwrap();
    for (row, chance) in probability.iter().enumerate() {
        let sum: f64 = numbers(&decisions.terms(row).unwrap(), "value").iter().sum();
        let log_odds = (chance / (1.0 - chance)).ln();
        assert!((sum - log_odds).abs() < 1e-6, "row {row}: {sum}, {log_odds}");
    }
    let named = table().reasons(2).words("hs2", "the chapter").decide_explained(&frame, &probability, &terms).unwrap();
    assert!(
        named.reason(0).contains("the chapter raises it by") || named.reason(0).contains("the chapter lowers it by")
    );
    assert_eq!(texts(&decisions.terms(0).unwrap(), "term")[..2], ["start", "hs2"]);
    assert!(
        decisions.reason(0).contains("the score starts at") && decisions.reason(0).contains("in log-odds"),
        "{}",
        decisions.reason(0)
    );
    let columns = (0..3).map(|place| features.column(place).to_vec()).collect();
    let called = ["start", "stake_krw", "item_no"].map(str::to_owned).to_vec();
    let categorical = (0..3).map(|place| features.is_categorical(place)).collect();
    let called = FeatureMatrix::new(called, columns, categorical).unwrap();
    let same = trees_of(&called, &noisy);
    let decisions =
        table().reasons(2).decide_explained(&frame, &probability, &same.contributions(&called).unwrap()).unwrap();
    let reason = decisions.reason(0);
    assert_eq!(reason.matches("starts at").count(), 1, "{reason}");
    assert!(reason.contains("start raises it by") || reason.contains("start lowers it by"), "{reason}");
    let forest = RandomForest::params().trees(10).depth(3).fit(&features, &noisy).unwrap();
    let chances = forest.predict(&features).unwrap();
    let decisions = table().decide_explained(&frame, &chances, &forest.contributions(&features).unwrap()).unwrap();
    let sum: f64 = numbers(&decisions.terms(5).unwrap(), "value").iter().sum();
    assert!((sum - chances[5]).abs() < 1e-6);
    says(table().decide_explained(&frame, &chances, &terms), "contributions`, row 0: expected a sum that is the score");
    says(decisions.terms(360), "one of the 360 rows");
}
