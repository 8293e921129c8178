//! Replays: nothing is known before its day, the oracle is never beaten, and learning beats chance.

use crate::data::{numbers, says, texts};
use haetae_risk::{DriftingItems, Policy, Replay, Replayed, paired_difference};
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
    for policy in [Policy::Exploit, Policy::Explore, HYBRID, Policy::Bandit] {
        let found = Replay::new().wrong_stop(100.0).run(&items, policy).unwrap();
        let days = found.days().unwrap();
        assert_eq!(days.height(), 40);
        let sum = |name: &str| numbers(&days, name).iter().sum::<f64>();
        assert_eq!(sum("inspected"), 600.0);
        assert!((found.precision() - sum("hits") / 600.0).abs() < 1e-12);
        assert!((found.net_revenue() - (sum("revenue") - 100.0 * (600.0 - sum("hits")))).abs() < 1e-6);
        assert!(numbers(&days, "of_oracle").iter().all(|share| (0.0..=1.0).contains(share)));
        assert!(found.of_oracle() > 0.0 && found.recall() < 1.0);
        assert_eq!(Replay::new().wrong_stop(100.0).run(&items, policy).unwrap(), found, "the same again");
        assert!(found.to_string().starts_with(&policy.name()));
        let drawn = numbers(&days, "drawn");
        match policy {
            Policy::Bandit => {
                assert!(drawn.iter().any(|share| *share == 0.0) && drawn.iter().any(|share| *share > 0.0))
            }
            Policy::Explore => assert!(drawn.iter().all(|share| *share == 1.0)),
            _ => assert_eq!(drawn.iter().filter(|share| **share == drawn[0]).count(), 40),
        }
    }
}

#[test]
fn what_is_not_known_yet_changes_nothing() {
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
    let (a, b) = (lines(replay.run(&items, HYBRID).unwrap()), lines(replay.run(&other, HYBRID).unwrap()));
    assert_eq!(a[..20], b[..20]);
    // Revenue was not turned, so on the days after it shows which items were chosen.
    let revenue = |lines: &[(String, (f64, f64))]| lines.iter().map(|line| line.1.1).collect::<Vec<_>>();
    assert_eq!(revenue(&a[20..30]), revenue(&b[20..30]), "results come after five days, models every five");
    assert_ne!(revenue(&a[30..]), revenue(&b[30..]));
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
