//! Replays: nothing is known before its day, the oracle is never beaten, and learning beats chance.

use crate::data::{numbers, says, texts};
use haetae_risk::{Drift, DriftingItems, Policy, Replay, Replayed, TradeItems, paired_difference};
use polars::prelude::*;

const HYBRID: Policy = Policy::Hybrid { share: 0.2 };

#[test]
fn a_policy_that_learns_finds_more_than_chance_on_every_seed() {
    let of = |policy: Policy| -> Vec<f64> {
        let run = |seed| Replay::new().seed(seed).run(&DriftingItems::default().frame(seed).unwrap(), policy).unwrap();
        (1..=5).map(|seed| run(seed).of_oracle()).collect()
    };
    let explore = of(Policy::Explore);
    for policy in [HYBRID, Policy::Exploit] {
        let found = paired_difference(&of(policy), &explore).unwrap();
        assert!(found.low > 0.0 && found.of_pairs.iter().all(|one| *one > 0.0), "{}: {found}", policy.name());
    }
}

#[test]
fn figures_of_days_and_of_all_of_them_agree() {
    let items = DriftingItems { days: 60, ..DriftingItems::default() }.frame(3).unwrap();
    let gate = Policy::Gate { share: 0.2 };
    let learnt = [Policy::Exploit, Policy::Explore, HYBRID, gate, Policy::Bandit, Policy::Adaptive];
    let plain = [Policy::Ranked { by: "stake" }, Policy::History { of: "goods" }];
    for policy in learnt.into_iter().chain(plain) {
        let found = Replay::new().wrong_stop(100.0).run(&items, policy).unwrap();
        let days = found.days().unwrap();
        assert_eq!(days.height(), 40);
        let sum = |name: &str| numbers(&days, name).iter().sum::<f64>();
        assert_eq!(sum("inspected"), 600.0);
        assert!((found.precision() - sum("hits") / 600.0).abs() < 1e-12);
        assert!((found.net_revenue() - (sum("revenue") - 100.0 * (600.0 - sum("hits")))).abs() < 1e-6);
        assert!(numbers(&days, "of_oracle").iter().all(|share| (0.0..=1.0).contains(share)));
        assert!(numbers(&days, "hits_of_oracle").iter().all(|share| share.is_nan() || (0.0..=1.0).contains(share)));
        assert!(found.of_oracle() > 0.0 && found.recall() < 1.0 && found.hits_of_oracle() >= found.precision());
        assert_eq!(Replay::new().wrong_stop(100.0).run(&items, policy).unwrap(), found, "the same again");
        assert!(found.to_string().starts_with(&policy.name()));
        let drawn = numbers(&days, "drawn");
        match policy {
            Policy::Bandit | Policy::Adaptive => {
                assert!(drawn.contains(&0.0) && drawn.iter().any(|share| *share > 0.0))
            }
            Policy::Explore => assert!(drawn.iter().all(|share| *share == 1.0)),
            _ => assert_eq!(drawn.iter().filter(|share| **share == drawn[0]).count(), 40),
        }
    }
}

#[test]
fn a_column_that_knows_all_is_an_oracle_and_history_beats_chance() {
    let items = DriftingItems { days: 60, ..DriftingItems::default() }.frame(5).unwrap();
    let run = |policy| Replay::new().run(&items, policy).unwrap();
    assert_eq!(run(Policy::Ranked { by: "revenue" }).of_oracle(), 1.0);
    assert_eq!(run(Policy::Ranked { by: "revenue" }).hits_of_oracle(), 1.0);
    assert!(run(Policy::History { of: "goods" }).precision() > 2.0 * run(Policy::Explore).precision());
    says(Replay::new().run(&items, Policy::Ranked { by: "price" }), "column `price`");
    says(Replay::new().run(&items, Policy::Ranked { by: "goods" }), "column `goods`");
    says(Replay::new().run(&items, Policy::Gate { share: -0.1 }), "gate, share: expected 0 to 1");
}

#[test]
fn a_share_of_few_inspections_is_met_over_the_days() {
    let items = TradeItems { days: 60, ..TradeItems::default() }.frame(1).unwrap();
    for policy in [HYBRID, Policy::Gate { share: 0.2 }] {
        // Two inspections a day: 16 of the 80 on the 40 days that count.
        let days = Replay::new().rate(0.01).run(&items, policy).unwrap().days().unwrap();
        let explored: f64 = numbers(&days, "drawn").iter().map(|share| 2.0 * share).sum();
        assert!((explored - 16.0).abs() < 1e-9, "{}: {explored}", policy.name());
    }
}

/// Of the items of each scheme: share of fraud on its days and on all others, and the mean of `price_off` where it lies.
fn of_schemes(items: &TradeItems, seed: u64) -> Vec<(String, bool, f64, f64, f64)> {
    let (frame, schemes) = (items.frame(seed).unwrap(), items.schemes(seed).unwrap());
    let (importer, goods, day) = (texts(&frame, "importer"), texts(&frame, "goods"), numbers(&frame, "day"));
    let (fraud, price) = (numbers(&frame, "fraud"), numbers(&frame, "price_off"));
    let (first, last) = (numbers(&schemes, "first_day"), numbers(&schemes, "last_day"));
    let (technique, of, who) = (texts(&schemes, "technique"), texts(&schemes, "goods"), texts(&schemes, "importers"));
    let one = |at: usize| {
        let names: Vec<&str> = who[at].split(' ').collect();
        let (mut on, mut off, mut low) = (vec![], vec![], vec![]);
        for row in (0..goods.len()).filter(|&row| goods[row] == of[at] && names.contains(&importer[row].as_str())) {
            // A comparison with what is null is false.
            let at_work = !(day[row] < first[at] || day[row] >= last[at]);
            if at_work { &mut on } else { &mut off }.push(fraud[row]);
            if at_work && fraud[row] == 1.0 {
                low.push(price[row]);
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        (technique[at].clone(), !first[at].is_nan(), mean(&on), mean(&off), mean(&low))
    };
    (0..of.len()).map(one).collect()
}

#[test]
fn schemes_are_where_they_are_said_to_be() {
    let sudden = of_schemes(&TradeItems::default(), 3);
    assert_eq!(sudden.len(), 8 + 17, "eight from the beginning, and one every 20 of the 360 days");
    for (technique, new, on, off, price) in &sudden {
        // A scheme of the last days, or of small importers, has few items.
        assert!((0.2..0.9).contains(on) && *off < 0.1, "{technique}: {on} on its days, {off} on others");
        assert_eq!(technique == "undervaluation", *price < -0.4, "{technique}: {price}");
        assert!(!(*new && technique == "undervaluation"), "what is new leaves no trace in the price");
    }
    let gradual = of_schemes(&TradeItems { drift: Drift::Gradual, ..TradeItems::default() }, 3);
    assert!(gradual.iter().any(|(technique, new, ..)| *new && technique == "undervaluation"));
    let still = of_schemes(&TradeItems { drift: Drift::None, ..TradeItems::default() }, 3);
    assert!(still.len() == 8 && still.iter().all(|(_, new, on, ..)| !new && (0.3..0.7).contains(on)), "{still:?}");
    // No goods and no importer in two schemes.
    let schemes = TradeItems::default().schemes(3).unwrap();
    let mut names: Vec<String> = texts(&schemes, "importers")
        .iter()
        .flat_map(|all| all.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    names.extend(texts(&schemes, "goods"));
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    assert_eq!(TradeItems::default().frame(3).unwrap(), TradeItems::default().frame(3).unwrap(), "the same seed again");
    says(TradeItems { goods: 24, ..TradeItems::default() }.frame(1), "goods: expected at least 25 kinds");
    says(TradeItems { schemes: 0, ..TradeItems::default() }.schemes(1), "at least 1 scheme");
    says(TradeItems { importers: 0, ..TradeItems::default() }.frame(1), "at least 1 of each");
}

#[test]
fn what_is_not_known_yet_changes_nothing() {
    // What is fitted every five days waits for its day; what looks at the results themselves does not.
    unknown_changes_nothing(HYBRID, 30);
    for policy in [Policy::Gate { share: 0.2 }, Policy::Adaptive, Policy::History { of: "origin" }] {
        unknown_changes_nothing(policy, 26);
    }
}

fn unknown_changes_nothing(policy: Policy, until: usize) {
    let items = DriftingItems { days: 60, ..DriftingItems::default() }.frame(4).unwrap();
    let lines = |replayed: Replayed| {
        let days = replayed.days().unwrap();
        let inspected = numbers(&days, "hits").into_iter().zip(numbers(&days, "revenue"));
        texts(&days, "day").into_iter().zip(inspected).collect::<Vec<_>>()
    };
    // The truth of day 40 and later is another: what was chosen before, and until its results come in, is the same.
    let later = || col("day").gt_eq(lit(20_454 + 40).cast(DataType::Date));
    let turned = when(later()).then(col("fraud").not()).otherwise(col("fraud")).alias("fraud");
    let other = items.clone().lazy().with_column(turned).collect().unwrap();
    let replay = Replay::new().delay(5);
    let (a, b) = (lines(replay.run(&items, policy).unwrap()), lines(replay.run(&other, policy).unwrap()));
    assert_eq!(a[..20], b[..20]);
    // Revenue was not turned, so on the days after it shows which items were chosen.
    let revenue = |lines: &[(String, (f64, f64))]| lines.iter().map(|line| line.1.1).collect::<Vec<_>>();
    assert_eq!(revenue(&a[20..until]), revenue(&b[20..until]), "{}: results come after five days", policy.name());
    assert_ne!(revenue(&a[until..]), revenue(&b[until..]), "{}", policy.name());
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let items = DriftingItems { days: 25, items: 20, ..DriftingItems::default() }.frame(1).unwrap();
    let run = |replay: Replay| replay.run(&items, Policy::Exploit);
    says(run(Replay::new().rate(0.0)), "rate");
    says(run(Replay::new().retrain(0)), "at least 1 day each");
    says(run(Replay::new().wrong_stop(-1.0)), "wrong_stop");
    says(run(Replay::new().warmup(25)), "expected more than the 25 days to begin with, found 25");
    says(Replay::new().run(&items, Policy::Hybrid { share: 2.0 }), "hybrid, share");
    says(run(Replay::new().columns("day", "fraud", "duty", "stake")), "column `duty`, needed for the replay");
    let clean = items.clone().lazy().with_column(lit(false).alias("fraud")).collect().unwrap();
    says(Replay::new().run(&clean, Policy::Exploit), "expected both 0 and 1");
    says(DriftingItems { goods: 2, ..DriftingItems::default() }.frame(1), "2 kinds of goods that are not suspect");
    says(
        DriftingItems { suspect_rate: 2.0, ..DriftingItems::default() }.frame(1),
        "suspect_rate: expected 0 to 1, found 2",
    );
    says(paired_difference(&[1.0], &[2.0]), "2 to 31 pairs");
    says(paired_difference(&[1.0, 2.0], &[2.0]), "expected 2 rows");
    let found = paired_difference(&[1.0, 2.0, 3.0, 4.0, 5.0], &[0.0; 5]).unwrap();
    // By hand: mean 3, standard deviation sqrt(2.5), 2.776 of its fifth root of n.
    assert!((found.mean - 3.0).abs() < 1e-12 && (found.high - (3.0 + 2.776 * (2.5_f64 / 5.0).sqrt())).abs() < 1e-12);
}
