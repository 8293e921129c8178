//! DATE and GBDT+LR from the outside: what they find, that they are the same each time, and what they refuse.

use haetae_features::FeatureMatrix;
use haetae_models::{
    ClassWeight, DateNet, DateNetModel, DateNetParams, Error, LeafLogistic, LightGbm, Logistic, ModelCard, ModelFile,
    Objective, SparseMatrix, metrics,
};

use crate::data::{Random, assert_close, bits, even, numbers};

/// Items of 40 importers and 12 kinds of goods. Importers below 8 undervalue goods below 6; what that brings is a tenth
/// of the price. Prices are spread over four orders of size, and price and duty say nothing of fraud.
pub fn undervalued(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>, Vec<f64>) {
    let mut random = Random::new(seed);
    let importer: Vec<f64> = (0..rows).map(|_| random.below(40) as f64).collect();
    let goods: Vec<f64> = (0..rows).map(|_| random.below(12) as f64).collect();
    let price: Vec<f64> = (0..rows).map(|_| 10.0_f64.powf(4.0 * random.unit())).collect();
    let duty = even(&mut random, rows);
    let target: Vec<f64> = (0..rows)
        .map(|row| f64::from(random.percent(if importer[row] < 8.0 && goods[row] < 6.0 { 70 } else { 5 })))
        .collect();
    let revenue = target.iter().zip(&price).map(|(target, price)| target * price / 10.0).collect();
    // What is declared of a unit's price: low where there is fraud, but not always.
    let unit = target.iter().map(|target| random.unit() - 0.3 * target).collect();
    let names = ["importer_id", "hs6", "price", "duty", "unit"].map(str::to_owned).to_vec();
    let columns = vec![importer, goods, price, duty, unit];
    (FeatureMatrix::new(names, columns, vec![true, true, false, false, false]).unwrap(), target, revenue)
}

pub fn small() -> DateNetParams {
    let trees = LightGbm::params().trees(6).leaves(6).min_rows_in_leaf(5);
    DateNet::params().trees(trees).revenue_trees(6).width(8).heads(2).hidden(16).epochs(2)
}

fn without_codes(features: &FeatureMatrix) -> FeatureMatrix {
    numbers([
        ("price", features.column(2).to_vec()),
        ("duty", features.column(3).to_vec()),
        ("unit", features.column(4).to_vec()),
    ])
}

#[test]
fn two_tasks_find_more_revenue_than_trees_find_by_probability() {
    let ((train, target, revenue), (later, truth, brought)) = (undervalued(1, 3000), undervalued(2, 3000));
    let model = small().epochs(8).learning_rate(0.01).held_out(0.0).fit(&train, &target, &revenue).unwrap();
    let (chances, amounts) = model.predict_both(&later).unwrap();
    let trees = LightGbm::params().trees(30).leaves(8).threads(1);
    let trees = trees.fit(&without_codes(&train), &target).unwrap().predict(&without_codes(&later)).unwrap();
    let auc = |scores: &[f64]| metrics::auc(&truth, scores).unwrap();
    // Who defrauds is known to the embeddings alone.
    assert!(auc(&chances) > 0.85 && auc(&chances) > auc(&trees) + 0.05, "{} {}", auc(&chances), auc(&trees));
    let found = |scores: &[f64]| metrics::revenue_of_oracle(&brought, scores, 0.05).unwrap();
    assert!(found(&amounts) > 0.6 && found(&amounts) > found(&trees) + 0.2, "{} {}", found(&amounts), found(&trees));
    assert!(found(&amounts) > found(&chances), "{} {}", found(&amounts), found(&chances));
    // And more than a head that learns from all rows at once.
    let at_once =
        small().hurdle(false).epochs(8).learning_rate(0.01).held_out(0.0).fit(&train, &target, &revenue).unwrap();
    let at_once = at_once.predict_revenue(&later).unwrap();
    assert!(found(&amounts) > found(&at_once), "{} {}", found(&amounts), found(&at_once));
    assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
    assert!(amounts.iter().all(|amount| amount.is_finite() && *amount >= 0.0));
    assert_eq!(bits(&chances), bits(&model.predict(&later).unwrap()));
    assert_eq!(bits(&amounts), bits(&model.predict_revenue(&later).unwrap()));
    let losses: Vec<f64> = model.epochs().iter().map(|epoch| epoch.loss).collect();
    assert!(losses.len() == 8 && losses[7] < 0.8 * losses[0], "{losses:?}");
}

#[test]
fn date_is_the_same_for_any_number_of_threads_and_another_for_another_seed() {
    let (train, target, revenue) = undervalued(3, 500);
    let params = small().dropout(0.1);
    let card = ModelCard::new();
    let scores = |model: &DateNetModel| {
        let (chances, amounts) = model.predict_both(&train).unwrap();
        bits(&[chances, amounts].concat())
    };
    let on = |threads: usize| {
        let trees = LightGbm::params().trees(6).leaves(6).min_rows_in_leaf(5).threads(threads);
        params.clone().trees(trees).threads(threads).fit(&train, &target, &revenue).unwrap()
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(scores(&one), scores(&three));
    let other = params.clone().seed(8).fit(&train, &target, &revenue).unwrap();
    assert_ne!(scores(&one), scores(&other));
    // What a file holds is the same to the last bit, and the row alone scores as among others.
    let read = DateNetModel::from_bytes(&one.to_bytes(&card)).unwrap();
    assert_eq!(scores(&read), scores(&one));
    let alone = one.predict(&train.select_rows(&[77])).unwrap();
    assert_eq!(alone[0].to_bits(), one.predict(&train).unwrap()[77].to_bits());
}

#[test]
fn what_a_fraud_brings_is_learnt_from_frauds_and_sums_to_what_they_brought() {
    let (train, target, revenue) = undervalued(14, 800);
    let frauds: Vec<usize> = (0..800).filter(|&row| target[row] == 1.0).collect();
    // What other rows brought is not looked at, unless all rows are learnt from.
    for (number, hurdle, beside) in [(6, true, f64::MAX), (0, true, f64::MAX), (6, false, 12_345.0)] {
        let other: Vec<f64> = (0..800).map(|row| if target[row] == 1.0 { revenue[row] } else { beside }).collect();
        let params = small().revenue_trees(number).hurdle(hurdle);
        let model = params.fit(&train, &target, &revenue).unwrap();
        let (chances, brought) = model.predict_both(&train).unwrap();
        let of_other = params.fit(&train, &target, &other).unwrap().predict_both(&train).unwrap();
        assert_eq!(bits(&of_other.0) == bits(&chances), hurdle);
        assert_eq!(bits(&of_other.1) == bits(&brought), hurdle);
        let sum = |amount: &dyn Fn(usize) -> f64| frauds.iter().map(|&row| amount(row)).sum::<f64>();
        let share = sum(&|row| brought[row] / chances[row]) / sum(&|row| revenue[row]);
        assert_eq!((share - 1.0).abs() < 1e-9, hurdle, "{number}: {share}");
        let read = DateNetModel::from_bytes(&model.to_bytes(&ModelCard::new())).unwrap();
        assert_eq!(bits(&read.predict_revenue(&train).unwrap()), bits(&brought));
    }
}

#[test]
fn one_fraud_is_enough_to_learn_an_amount() {
    let (train, ..) = undervalued(15, 120);
    let only = |value: f64| (0..120).map(|row| if row == 30 { value } else { 0.0 }).collect::<Vec<f64>>();
    for number in [0, 6] {
        let params = small().revenue_trees(number).held_out(0.0);
        let (chances, brought) = params.fit(&train, &only(1.0), &only(700.0)).unwrap().predict_both(&train).unwrap();
        assert!(brought.iter().all(|amount| amount.is_finite() && *amount >= 0.0));
        assert!((brought[30] / chances[30] / 700.0 - 1.0).abs() < 1e-9, "{} {}", brought[30], chances[30]);
    }
}

#[test]
fn a_last_step_after_which_an_amount_is_beyond_all_numbers_is_noticed() {
    let (train, target, revenue) = undervalued(16, 120);
    // One step in all, after which every weight is still a number.
    let params = small().held_out(0.0).epochs(1).batch(120).clip(None).learning_rate(1e10);
    // Where the head falls instead, all amounts are 0.
    let far = (1..=8).filter(|&seed| {
        let found = params.clone().seed(seed).fit(&train, &target, &revenue);
        assert!(matches!(found, Ok(_) | Err(Error::Diverged { epoch: 1, .. })), "seed {seed}: {found:?}");
        found.is_err()
    });
    assert!(far.count() > 0);
}

#[test]
fn without_revenue_trees_and_hurdle_and_with_one_entity_it_is_the_net_of_the_paper() {
    let (train, target, revenue) = undervalued(4, 400);
    let params = small().revenue_trees(0).hurdle(false).entities(&["importer_id"]).alpha(0.0).revenue_unit(100.0);
    let model = params.class_weight(ClassWeight::Balanced).fit(&train, &target, &revenue).unwrap();
    assert_eq!((model.entities(), model.revenue_trees().is_none()), (&["importer_id".to_owned()][..], true));
    // The goods are a feature of the trees then.
    assert_eq!(model.trees().names(), ["hs6", "price", "duty", "unit"]);
    assert!(model.predict(&train).unwrap().iter().all(|chance| chance.is_finite()));
}

#[test]
fn the_last_rows_say_how_many_epochs_are_made_on_all() {
    let (train, target, revenue) = undervalued(12, 600);
    // Steps so long that the net soon learns by heart.
    let params = small().epochs(12).learning_rate(0.03);
    let part = |rows: std::ops::Range<usize>| {
        (train.select_rows(&rows.clone().collect::<Vec<_>>()), &target[rows.clone()], &revenue[rows])
    };
    let ((earlier, fraud, brought), (later, truth, found)) = (part(0..480), part(480..600));
    let loss = |epochs: usize| {
        let model = params.clone().epochs(epochs).fit_valid(&earlier, fraud, brought, (&later, truth, found)).unwrap();
        model.epochs().last().unwrap().valid_loss.unwrap()
    };
    for patience in [1, 3] {
        let mut losses = vec![loss(1)];
        while losses.len() < 12 && losses.len() - best(&losses) < patience {
            losses.push(loss(losses.len() + 1));
        }
        let number = best(&losses);
        assert!(losses.len() < 12, "it ends before all are tried: {losses:?}");
        let model = params.clone().patience(patience).fit(&train, &target, &revenue).unwrap();
        let known: Vec<Option<f64>> = model.epochs().iter().map(|epoch| epoch.valid_loss).collect();
        assert_eq!((known.len(), known[number - 1]), (number, Some(losses[number - 1])));
        let by_hand = params.clone().epochs(number).held_out(0.0).fit(&train, &target, &revenue).unwrap();
        assert_eq!(bits(&model.predict_revenue(&train).unwrap()), bits(&by_hand.predict_revenue(&train).unwrap()));
        assert!(by_hand.epochs().iter().all(|epoch| epoch.valid_loss.is_none()));
    }
    let plain = params.clone().fit(&train, &target, &revenue).unwrap();
    let one = params.patience(1).fit(&train, &target, &revenue).unwrap();
    assert_eq!(bits(&plain.predict(&train).unwrap()), bits(&one.predict(&train).unwrap()));
}

/// Number of the least, counted from 1.
fn best(losses: &[f64]) -> usize {
    (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap() + 1
}

#[test]
fn importers_that_training_did_not_have_are_taken_together_and_patience_ends_a_fit() {
    let ((train, target, revenue), (valid, truth, brought)) = (undervalued(5, 600), undervalued(6, 300));
    let params = small().epochs(40).patience(2);
    let model = params.fit_valid(&train, &target, &revenue, (&valid, &truth, &brought)).unwrap();
    let losses: Vec<f64> = model.epochs().iter().map(|epoch| epoch.valid_loss.unwrap()).collect();
    assert!(losses.len() < 40, "{losses:?}");
    let row = |importer: f64| {
        let columns = vec![vec![importer], vec![3.0], vec![50.0], vec![0.5], vec![0.2]];
        let categorical = vec![true, true, false, false, false];
        let row = FeatureMatrix::new(train.names().to_vec(), columns, categorical).unwrap();
        model.predict(&row).unwrap()[0]
    };
    assert_eq!(row(999.0), row(f64::NAN));
    assert_ne!(row(999.0), row(2.0));
}

#[test]
fn what_date_cannot_learn_from_is_refused() {
    let (train, target, revenue) = undervalued(7, 200);
    let params = small();
    let fit = |params: &DateNetParams, target: &[f64], revenue: &[f64]| {
        params.fit(&train, target, revenue).map(drop).unwrap_err().to_string()
    };
    let changed = |values: &[f64], value: f64| {
        let mut values = values.to_vec();
        values[5] = value;
        values
    };
    let late: Vec<f64> = (0..200).map(|row| f64::from(row >= 170)).collect();
    let frauds: f64 = target.iter().sum();
    // Others than frauds brought something.
    let beside: Vec<f64> = target.iter().map(|target| 1.0 - target).collect();
    for (error, expected) in [
        (fit(&params, &target, &revenue[1..]), "revenue: expected 200 rows"),
        (
            fit(&params, &target, &changed(&revenue, -1.0)),
            "revenue, row 5: expected a finite amount of at least 0, found -1",
        ),
        (
            fit(&params, &target, &changed(&revenue, f64::NAN)),
            "revenue, row 5: expected a finite amount of at least 0, found NaN",
        ),
        (
            fit(&params, &target, &[0.0; 200]),
            &format!(
                "expected an amount above 0 in one of the frauds at least, found none in {frauds}; take a longer period"
            ),
        ),
        (
            fit(&params, &target, &beside),
            "revenue: expected an amount above 0 in one of the frauds at least, found none",
        ),
        (
            fit(&params.clone().hurdle(false), &target, &[0.0; 200]),
            "revenue: expected an amount above 0 in one of the rows at least, found none in 200; take a longer period",
        ),
        (fit(&params, &changed(&target, 0.5), &revenue), "target, row 5: expected 0 or 1, found 0.5"),
        (fit(&params, &[1.0; 200], &revenue), "expected both 0 and 1, found only 1 in 200 rows"),
        (
            fit(&params.clone().entities(&["importer_id", "price"]), &target, &revenue),
            "`price` was named as an entity, but is none of the categorical features: importer_id, hs6",
        ),
        (fit(&params.clone().entities(&["importer"]), &target, &revenue), "`importer` was named as an entity"),
        (fit(&params.clone().entities(&["hs6", "hs6"]), &target, &revenue), "expected each name once, found hs6"),
        (fit(&params.clone().entities(&[]), &target, &revenue), "`number of entities`: expected 1 to 16, found 0"),
        (fit(&params.clone().width(9), &target, &revenue), "`width`: expected a multiple of the 2 heads, found 9"),
        (
            fit(&params.clone().alpha(-1.0), &target, &revenue),
            "`alpha`: expected a finite number of at least 0, found -1",
        ),
        (fit(&params.clone().held_out(0.6), &target, &revenue), "`held_out`: expected 0 to 0.5, found 0.6"),
        (fit(&params.clone().held_out(f64::NAN), &target, &revenue), "`held_out`: expected 0 to 0.5, found NaN"),
        (
            fit(&params, &late, &late),
            "`held_out`: expected a share that leaves both classes and some revenue among the earlier rows; 0 holds none \
             back, found 0.2 of 200 rows",
        ),
        (fit(&params.clone().revenue_unit(0.0), &target, &revenue), "`revenue_unit`: expected a finite number above 0"),
        (
            fit(&params.clone().trees(LightGbm::params().objective(Objective::Value)), &target, &revenue),
            "`trees (objective)`: expected Binary, found Value",
        ),
        (fit(&params.clone().trees(LightGbm::params().trees(0)), &target, &revenue), "LightGBM: parameter `trees`"),
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let codes = FeatureMatrix::new(
        train.names()[..2].to_vec(),
        vec![train.column(0).to_vec(), train.column(1).to_vec()],
        vec![true, true],
    );
    let error = params.fit(&codes.unwrap(), &target, &revenue).unwrap_err().to_string();
    assert!(error.contains("one feature at least that is none of them, found importer_id, hs6"), "{error}");
    let mut prices = train.column(2).to_vec();
    prices[9] = f64::INFINITY;
    let columns = (0..5).map(|i| if i == 2 { prices.clone() } else { train.column(i).to_vec() }).collect();
    let categorical = vec![true, true, false, false, false];
    let infinite = FeatureMatrix::new(train.names().to_vec(), columns, categorical).unwrap();
    let error = params.fit(&infinite, &target, &revenue).unwrap_err();
    assert!(matches!(&error, Error::Infinite { feature, row: 9 } if feature == "price"), "{error}");
}

#[test]
fn columns_that_say_nothing_and_rows_that_are_few() {
    let (train, target, revenue) = undervalued(13, 200);
    let whole: Vec<usize> = (0..200).collect();
    let with = |rows: &[usize], changed: &[(usize, f64)]| {
        let column = |i: usize| match changed.iter().find(|(column, _)| *column == i) {
            Some(&(_, value)) => vec![value; rows.len()],
            None => rows.iter().map(|&row| train.value(row, i)).collect(),
        };
        let categorical = vec![true, true, false, false, false];
        FeatureMatrix::new(train.names().to_vec(), (0..5).map(column).collect(), categorical).unwrap()
    };
    let nan = f64::NAN;
    for changed in [
        &[(3, 7.0)][..],
        &[(3, nan)],
        // No tree has anything to split: each is one leaf.
        &[(2, 7.0), (3, nan), (4, 0.0)],
        &[(0, nan)],
        &[(0, 4.0), (1, 4.0)],
    ] {
        let features = with(&whole, changed);
        let model = small().epochs(1).held_out(0.0).fit(&features, &target, &revenue).unwrap();
        let (chances, amounts) = model.predict_both(&features).unwrap();
        let sound = |scores: &[f64]| scores.len() == 200 && scores.iter().all(|score| score.is_finite());
        assert!(sound(&chances) && sound(&amounts), "{changed:?}");
        let read = DateNetModel::from_bytes(&model.to_bytes(&ModelCard::new())).unwrap();
        assert_eq!(bits(&read.predict(&features).unwrap()), bits(&chances), "{changed:?}");
        assert_eq!(model.predict_both(&with(&[], changed)).unwrap(), (Vec::new(), Vec::new()));
    }
    let refused = |rows: &[usize]| {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        small().fit(&with(rows, &[]), &of(&target), &of(&revenue)).unwrap_err().to_string()
    };
    assert!(refused(&[]).contains("is empty"), "{}", refused(&[]));
    assert!(refused(&[5]).contains("expected both 0 and 1, found only"), "{}", refused(&[5]));
}

#[test]
fn the_leaf_of_a_row_has_the_value_that_the_tree_gives() {
    let (train, target, _) = undervalued(8, 600);
    let rows = without_codes(&train);
    let model = LightGbm::params().trees(4).leaves(5).threads(1).fit(&rows, &target).unwrap();
    let (leaves, counts, raw) = (model.leaves(&rows).unwrap(), model.leaf_counts(), model.predict_raw(&rows).unwrap());
    assert_eq!((leaves.len(), counts.len()), (600 * 4, 4));
    // The values of the leaves as the model's text has them.
    let values: Vec<Vec<f64>> = model
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("leaf_value="))
        .map(|line| line.split(' ').map(|value| value.parse().unwrap()).collect())
        .collect();
    for (row, leaves) in leaves.chunks(4).enumerate() {
        let sum: f64 = leaves.iter().enumerate().map(|(tree, &leaf)| values[tree][leaf as usize]).sum();
        assert!((sum - raw[row]).abs() < 1e-9, "row {row}: {sum} {}", raw[row]);
        assert!(leaves.iter().zip(&counts).all(|(&leaf, &count)| (leaf as usize) < count));
    }
    let three = LightGbm::params().trees(2).leaves(4).objective(Objective::Classes(3)).threads(1);
    let classes: Vec<f64> = (0..600).map(|row| (train.value(row, 2).log10() * 0.74).floor()).collect();
    let three = three.fit(&rows, &classes).unwrap();
    assert_eq!((three.leaf_counts().len(), three.leaves(&rows).unwrap().len()), (6, 6 * 600));
}

#[test]
fn leaves_with_weights_are_a_logistic_regression_on_them() {
    let ((train, target, _), (later, truth, _)) = (undervalued(9, 1500), undervalued(10, 800));
    let (rows, others) = (without_codes(&train), without_codes(&later));
    let trees = LightGbm::params().trees(5).leaves(5).threads(1);
    let model = LeafLogistic::params().trees(trees.clone()).c(0.1).fit(&rows, &target).unwrap();
    // The same by hand: trees, a column for each leaf, weights.
    let grown = trees.fit(&rows, &target).unwrap();
    assert_eq!(grown.text(), model.trees().text());
    let counts = grown.leaf_counts();
    let ones = |rows: &FeatureMatrix| {
        let mut columns = vec![vec![0.0; rows.rows()]; counts.iter().sum()];
        for (row, leaves) in grown.leaves(rows).unwrap().chunks(5).enumerate() {
            for (tree, &leaf) in leaves.iter().enumerate() {
                columns[counts[..tree].iter().sum::<usize>() + leaf as usize][row] = 1.0;
            }
        }
        columns
    };
    let sparse = |rows: &FeatureMatrix| {
        let columns = ones(rows);
        let (mut starts, mut positions) = (vec![0], Vec::new());
        for row in 0..rows.rows() {
            positions.extend((0..columns.len()).filter(|&i| columns[i][row] == 1.0).map(|i| i as u32));
            starts.push(positions.len());
        }
        let values = vec![1.0; positions.len()];
        SparseMatrix::new(columns.len(), starts, positions, values).unwrap()
    };
    let by_hand = Logistic::params().c(0.1).fit_sparse(&sparse(&rows), &target).unwrap();
    assert_close("GBDT+LR", &model.predict(&others).unwrap(), &by_hand.predict_sparse(&sparse(&others)).unwrap(), 1e-9);
    assert_eq!(model.coefficients().len(), counts.iter().sum::<usize>());
    assert_eq!(model.coefficients()[counts[0]].0, "tree 1, leaf 0");
    assert_eq!(model.coefficients()[0].1, by_hand.weights()[0]);
    let auc = metrics::auc(&truth, &model.predict(&others).unwrap()).unwrap();
    assert!(auc > 0.6, "{auc}");
    // Sparse and dense rows do not answer for each other.
    let errors = [by_hand.predict(&others).unwrap_err(), by_hand.predict_sparse(&sparse_of(3)).unwrap_err()];
    for error in errors {
        assert!(matches!(error, Error::Columns { .. }), "{error}");
    }
}

fn sparse_of(columns: usize) -> SparseMatrix {
    SparseMatrix::new(columns, vec![0, 1], vec![0], vec![1.0]).unwrap()
}

#[test]
fn sparse_rows_give_the_weights_that_dense_ones_do() {
    let (train, target, _) = undervalued(11, 700);
    // Each category of importer and goods as a column, as the dense fit makes weights of them.
    let codes = FeatureMatrix::new(
        train.names()[..2].to_vec(),
        vec![train.column(0).to_vec(), train.column(1).to_vec()],
        vec![true, true],
    )
    .unwrap();
    let starts = (0..=700).map(|row| 2 * row).collect();
    let positions = (0..700).flat_map(|row| [train.value(row, 0) as u32, 40 + train.value(row, 1) as u32]).collect();
    let sparse = SparseMatrix::new(52, starts, positions, vec![1.0; 1400]).unwrap();
    let params = Logistic::params().min_rows(1);
    let (dense, sparse_model) = (params.fit(&codes, &target).unwrap(), params.fit_sparse(&sparse, &target).unwrap());
    let chances = sparse_model.predict_sparse(&sparse).unwrap();
    assert_close("sparse logistic", &chances, &dense.predict(&codes).unwrap(), 1e-6);
    assert!(params.fit_sparse(&sparse, &target[1..]).unwrap_err().to_string().contains("target: expected 700 rows"));
    assert!(params.fit_sparse(&sparse, &[0.0; 700]).unwrap_err().to_string().contains("expected both 0 and 1"));
}
