//! Forests against rules that are known, against weights and copies that must tell the same, and under any threads.

use haetae_features::FeatureMatrix;
use haetae_models::{ClassWeight, ModelCard, ModelFile, RandomForest, RandomForestModel, RandomForestParams, metrics};

use crate::data::{Random, assert_close, bits, even, numbers};

const NAN: f64 = f64::NAN;

fn accuracy(target: &[f64], scores: &[f64]) -> f64 {
    let right = target.iter().zip(scores).filter(|(target, score)| (**score > 0.5) == (**target == 1.0)).count();
    right as f64 / target.len() as f64
}

/// Each tree sees all rows and features: one tree is enough to learn a rule.
fn plain() -> RandomForestParams {
    RandomForest::params().trees(1).bootstrap(false).features_per_split(100)
}

/// Numbers, codes and missing values, of which half decide on the target, with some noise.
fn mixed(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let mass: Vec<f64> = (0..rows).map(|_| if random.percent(20) { NAN } else { random.unit() }).collect();
    let office: Vec<f64> = (0..rows).map(|_| if random.percent(5) { NAN } else { random.below(12) as f64 }).collect();
    let noise = even(&mut random, rows);
    let target = (0..rows).map(|row| {
        let odd = office[row] % 2.0 == 1.0;
        let chance = if (mass[row] > 0.6) != odd { 85 } else { 10 };
        f64::from(random.percent(chance))
    });
    let target = target.collect();
    let names = ["mass", "office", "noise"].map(str::to_owned).to_vec();
    (FeatureMatrix::new(names, vec![mass, office, noise], vec![false, true, false]).unwrap(), target)
}

#[test]
fn rules_on_two_valued_features_are_learnt_without_an_error() {
    let mut random = Random::new(1);
    let (a, b): (Vec<f64>, Vec<f64>) = (0..400).map(|_| (random.below(2) as f64, random.below(2) as f64)).unzip();
    type Rule = fn(f64, f64) -> bool;
    let rules: [(&str, Rule, usize); 3] =
        [("and", |a, b| a * b == 1.0, 5), ("or", |a, b| a + b > 0.0, 5), ("xor", |a, b| a != b, 7)];
    for (name, rule, nodes) in rules {
        let target: Vec<f64> = a.iter().zip(&b).map(|(&a, &b)| f64::from(rule(a, b))).collect();
        let features = numbers([("a", a.clone()), ("b", b.clone())]);
        let model = plain().fit(&features, &target).unwrap();
        assert_eq!(model.predict(&features).unwrap(), target, "{name}");
        assert_eq!((model.nodes(), model.depth()), (nodes, 2), "{name}");
    }
}

#[test]
fn tiny_huge_and_tied_values_are_told_apart() {
    for scale in [1e-300, 1e-6, 1.0, 1e300] {
        let column: Vec<f64> = (0..100).map(|i| f64::from(i % 5) * scale).collect();
        let target: Vec<f64> = (0..100).map(|i| f64::from(i % 5 == 3)).collect();
        let features = numbers([("x", column)]);
        let scores = plain().fit(&features, &target).unwrap().predict(&features).unwrap();
        assert_eq!(scores, target, "scale {scale}");
    }
}

#[test]
fn a_set_of_codes_is_one_split() {
    let column: Vec<f64> = (0..200).map(|i| f64::from(i % 20)).collect();
    let wanted = [1.0, 4.0, 5.0, 11.0, 16.0];
    let target: Vec<f64> = column.iter().map(|code| f64::from(wanted.contains(code))).collect();
    let features = crate::data::codes(column);
    let model = plain().fit(&features, &target).unwrap();
    assert_eq!(model.predict(&features).unwrap(), target);
    assert_eq!(model.nodes(), 3);
    // Also where all of them together weigh next to nothing.
    let light = plain().fit_weighted(&features, &target, &[1e-20; 200]).unwrap();
    assert_eq!((light.nodes(), light.predict(&features).unwrap()), (3, target));
}

#[test]
fn missing_values_go_where_their_rows_belong() {
    // With target 1 where missing, with 0, and told by being missing alone.
    for (high, missing) in [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)] {
        let column: Vec<f64> = (0..90).map(|i| [1.0, 2.0, NAN][i % 3]).collect();
        let target: Vec<f64> = (0..90).map(|i| [1.0 - high, high, missing][i % 3]).collect();
        let features = numbers([("x", column)]);
        let model = plain().fit(&features, &target).unwrap();
        assert_eq!(model.predict(&features).unwrap(), target, "{high} {missing}");
    }
    // No training row misses a value: one that does goes with the greater part.
    let features = numbers([("x", (0..10).map(f64::from).collect())]);
    let target: Vec<f64> = (0..10).map(|i| f64::from(i >= 7)).collect();
    let scores = plain().fit(&features, &target).unwrap().predict(&numbers([("x", vec![NAN])])).unwrap();
    assert_eq!(scores, [0.0]);
}

#[test]
fn columns_that_say_nothing_change_nothing() {
    let mut random = Random::new(3);
    let x = even(&mut random, 300);
    let target: Vec<f64> = x.iter().map(|&x| f64::from(x > 0.4)).collect();
    let features = numbers([("constant", vec![5.0; 300]), ("x", x), ("missing", vec![NAN; 300])]);
    let model = RandomForest::params().trees(20).features_per_split(1).fit(&features, &target).unwrap();
    assert!(accuracy(&target, &model.predict(&features).unwrap()) > 0.99);
    assert_eq!(model.importance(), [("x".into(), 1.0), ("constant".into(), 0.0), ("missing".into(), 0.0)]);
}

#[test]
fn the_forest_is_the_same_on_any_number_of_threads_and_another_for_another_seed() {
    let (features, target) = mixed(5, 2_000);
    let params = RandomForest::params().trees(16).out_of_bag(true);
    let one = params.clone().threads(1).fit(&features, &target).unwrap();
    let scores = one.predict(&features).unwrap();
    let contributions = one.contributions(&features.select_rows(&[0, 1, 2])).unwrap();
    for threads in [2, 3, 8] {
        let other = params.clone().threads(threads).fit(&features, &target).unwrap();
        assert_eq!(bits(&other.predict(&features).unwrap()), bits(&scores), "{threads} threads");
        let of = |model: &haetae_models::RandomForestModel| bits(model.out_of_bag().unwrap().scores());
        assert_eq!(of(&one), of(&other));
        assert_eq!(one.importance(), other.importance());
        assert_eq!(other.contributions(&features.select_rows(&[0, 1, 2])).unwrap(), contributions);
    }
    let other = params.seed(8).fit(&features, &target).unwrap().predict(&features).unwrap();
    assert_ne!(bits(&other), bits(&scores));
}

#[test]
fn a_weight_is_as_good_as_a_copy() {
    let (features, target) = mixed(7, 300);
    let mut random = Random::new(8);
    let weights: Vec<f64> = (0..300).map(|_| random.below(4) as f64).collect();
    let copies: Vec<usize> = (0..300).flat_map(|row| vec![row; weights[row] as usize]).collect();
    let copied: Vec<f64> = copies.iter().map(|&row| target[row]).collect();
    let weighed = plain().fit_weighted(&features, &target, &weights).unwrap();
    let repeated = plain().fit(&features.select_rows(&copies), &copied).unwrap();
    let scores = [weighed, repeated].map(|model| model.predict(&features.select_rows(&copies)).unwrap());
    assert_close("scores", &scores[0], &scores[1], 1e-12);
    // So is the weight of a class.
    let by_class: Vec<f64> = target.iter().map(|&target| if target == 1.0 { 3.0 } else { 0.5 }).collect();
    let class = ClassWeight::Of { zero: 0.5, one: 3.0 };
    let shallow = plain().depth(4);
    let classes = shallow.clone().class_weight(class).fit(&features, &target).unwrap();
    let weighed = shallow.clone().fit_weighted(&features, &target, &by_class).unwrap();
    let scores = [&classes, &weighed].map(|model| model.predict(&features).unwrap());
    assert_close("scores", &scores[0], &scores[1], 1e-12);
    // Balanced, the whole weighs one half.
    let root = numbers([("x", vec![0.0, 1.0, 1.0, 1.0])]);
    let balanced = shallow.class_weight(ClassWeight::Balanced).min_rows_in_leaf(3);
    let model = balanced.fit(&root, &[1.0, 0.0, 0.0, 0.0]).unwrap();
    assert_eq!((model.nodes(), model.predict(&root).unwrap()), (1, vec![0.5; 4]));
}

#[test]
fn contributions_and_the_expected_value_sum_to_the_score() {
    let (features, target) = mixed(9, 1_500);
    let model = RandomForest::params().trees(30).class_weight(ClassWeight::Balanced).fit(&features, &target).unwrap();
    let some = features.select_rows(&(0..200).collect::<Vec<_>>());
    let (scores, found) = (model.predict(&some).unwrap(), model.contributions(&some).unwrap());
    let sums: Vec<f64> = (0..200).map(|row| found.row(row, 0).iter().sum::<f64>() + found.expected(row, 0)).collect();
    assert_close("sums", &sums, &scores, 1e-12);
    // The root of a balanced tree is near one half.
    assert!((found.expected(0, 0) - 0.5).abs() < 0.02, "{}", found.expected(0, 0));
    let size = |feature: usize| (0..200).map(|row| found.row(row, 0)[feature].abs()).sum::<f64>();
    assert!(size(0) > size(2) && size(1) > size(2));
}

#[test]
fn rows_out_of_the_bag_tell_what_new_rows_will() {
    let (features, target) = mixed(11, 4_000);
    let (new, new_target) = mixed(12, 4_000);
    let model = RandomForest::params().trees(60).min_rows_in_leaf(5).out_of_bag(true).fit(&features, &target).unwrap();
    let out_of_bag = model.out_of_bag().unwrap();
    assert_eq!((out_of_bag.rows(), out_of_bag.scores().len()), (4_000, 4_000));
    let scores = model.predict(&new).unwrap();
    let new_auc = metrics::auc(&new_target, &scores).unwrap();
    assert!((out_of_bag.auc().unwrap() - new_auc).abs() < 0.02, "{} {new_auc}", out_of_bag.auc().unwrap());
    assert!((out_of_bag.accuracy() - accuracy(&new_target, &scores)).abs() < 0.02);
    let seen = metrics::auc(&target, &model.predict(&features).unwrap()).unwrap();
    assert!(seen > out_of_bag.auc().unwrap() + 0.02, "{seen}");
    // Of one tree, a row has a score if and only if it was not drawn: with chance 1/e.
    let one = RandomForest::params().trees(1).out_of_bag(true).fit(&features, &target).unwrap();
    let share = one.out_of_bag().unwrap().rows() as f64 / 4_000.0;
    assert!((share - (-1.0_f64).exp()).abs() < 0.03, "{share}");
    assert!(RandomForest::params().trees(2).fit(&features, &target).unwrap().out_of_bag().is_none());
}

#[test]
fn rows_out_of_the_bag_weigh_as_in_the_fit() {
    let (features, target) = mixed(21, 600);
    let mut random = Random::new(22);
    let weights: Vec<f64> = (0..600).map(|_| [0.0, 0.5, 1.0, 3.0][random.below(4) as usize]).collect();
    let params = RandomForest::params().trees(40).min_rows_in_leaf(5).out_of_bag(true);
    let fit = |target: &[f64], unit: f64| {
        let weights: Vec<f64> = weights.iter().map(|weight| weight * unit).collect();
        params.fit_weighted(&features, target, &weights).unwrap()
    };
    let model = fit(&target, 1.0);
    let bag = model.out_of_bag().unwrap();
    assert_eq!((bag.rows(), bag.scores().len()), (600, 600));
    let (scores, weight_of) = (bag.scores(), |right: &dyn Fn(usize) -> bool| -> f64 {
        (0..600).filter(|&row| right(row)).map(|row| weights[row]).sum()
    });
    let right = weight_of(&|row| (scores[row] > 0.5) == (target[row] == 1.0));
    assert_close("accuracy", &[bag.accuracy()], &[right / weight_of(&|_| true)], 1e-12);
    // By its definition: of each pair of rows, how often the one with target 1 scores higher.
    let (mut won, mut all) = (0.0, 0.0);
    for one in (0..600).filter(|&row| target[row] == 1.0) {
        for zero in (0..600).filter(|&row| target[row] == 0.0) {
            let pair = weights[one] * weights[zero];
            all += pair;
            won += pair * if scores[one] == scores[zero] { 0.5 } else { f64::from(scores[one] > scores[zero]) };
        }
    }
    assert_close("AUC", &[bag.auc().unwrap()], &[won / all], 1e-12);
    // A row that weighs nothing may as well be wrong.
    let turned: Vec<f64> = target.iter().zip(&weights).map(|(t, w)| if *w == 0.0 { 1.0 - t } else { *t }).collect();
    let other = fit(&turned, 1.0);
    let other = other.out_of_bag().unwrap();
    assert!(bits(other.scores()) == bits(scores));
    assert_eq!(bits(&[other.accuracy(), other.auc().unwrap()]), bits(&[bag.accuracy(), bag.auc().unwrap()]));
    // Of the size of weights little depends: how far categories of few rows are drawn to the share of all.
    for power in [1020, -40, -1020] {
        let other = fit(&target, 2.0_f64.powi(power));
        let other = other.out_of_bag().unwrap();
        let found = [other.accuracy(), other.auc().unwrap()];
        assert_close(&format!("2^{power}"), &found, &[bag.accuracy(), bag.auc().unwrap()], 0.02);
    }
    // Weights of classes do not count here: they are no rows.
    let heavy = ClassWeight::Of { zero: 1.0, one: 9.0 };
    let heavy = params.clone().class_weight(heavy).fit(&features, &target).unwrap();
    let heavy = heavy.out_of_bag().unwrap();
    assert_close("accuracy", &[heavy.accuracy()], &[accuracy(&target, heavy.scores())], 1e-12);
    let again = RandomForestModel::from_bytes(&model.to_bytes(&ModelCard::new())).unwrap();
    assert_eq!(again.out_of_bag(), model.out_of_bag());
}

#[test]
fn a_category_of_one_row_each_does_not_deceive_the_rows_out_of_the_bag() {
    // A code that names the row tells nothing of others; the trees must not have seen their labels through it.
    let mut random = Random::new(13);
    let codes: Vec<f64> = (0..250).map(f64::from).collect();
    let target: Vec<f64> = (0..250).map(|_| random.below(2) as f64).collect();
    let model = RandomForest::params().trees(200).out_of_bag(true).fit(&crate::data::codes(codes), &target).unwrap();
    assert!(model.out_of_bag().unwrap().auc().unwrap() < 0.6);
}

#[test]
fn features_that_decide_are_important_and_noise_is_not() {
    let (features, target) = mixed(15, 3_000);
    let (new, new_target) = mixed(16, 2_000);
    let model = RandomForest::params().trees(40).min_rows_in_leaf(10).fit(&features, &target).unwrap();
    let importance = model.importance();
    assert_eq!(importance[2].0, "noise");
    assert_close("sum", &[importance.iter().map(|pair| pair.1).sum()], &[1.0], 1e-12);
    let frame = model.permutation_importance(&new, &new_target, 4, 1).unwrap();
    let falls: Vec<f64> = frame.column("fall").unwrap().f64().unwrap().into_no_null_iter().collect();
    let names: Vec<&str> = frame.column("feature").unwrap().str().unwrap().iter().flatten().collect();
    assert_eq!(names[2], "noise");
    assert!(falls[0] > 0.1 && falls[1] > 0.05 && falls[2].abs() < 0.01, "{falls:?}");
    let again = model.permutation_importance(&new, &new_target, 4, 1).unwrap();
    assert!(frame.equals(&again));
}

#[test]
fn more_categories_than_bins_still_tell_what_the_frequent_ones_do() {
    let mut random = Random::new(17);
    // Squares make high codes rare; 3,000 of them.
    let column: Vec<f64> = (0..20_000).map(|_| (3_000.0 * random.unit() * random.unit()).floor()).collect();
    let target: Vec<f64> = column.iter().map(|code| f64::from(*code < 40.0 && code % 2.0 == 0.0)).collect();
    let features = crate::data::codes(column);
    let model = RandomForest::params().trees(10).fit(&features, &target).unwrap();
    assert!(metrics::auc(&target, &model.predict(&features).unwrap()).unwrap() > 0.99);
    // A code that training did not have is one of the rare ones.
    let scores = model.predict(&crate::data::codes(vec![99_999.0, 2_999.0])).unwrap();
    assert_eq!(scores[0], scores[1]);
}
