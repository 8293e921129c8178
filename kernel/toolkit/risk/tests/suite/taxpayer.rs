//! Taxpayer scores: sums of their parts, in order of risk, with reasons and a way to a better grade.

use crate::data::{companies, numbers, says, texts, without};
use haetae_features::{FeatureMatrix, target};
use haetae_models::{RandomForest, metrics, reliability};
use haetae_risk::{Against, Binning, Factor, MasterScale, Scorecard, Taxpayer, TaxpayerParams, Unseen, by_grade};
use polars::prelude::*;

fn params() -> TaxpayerParams {
    let binning = Binning::new().columns(&["late_filings", "region", "age_years", "audit_year", "turnover"]);
    let binning = binning.special("audit_year", &[-1.0]);
    Taxpayer::params().scorecard(Scorecard::params().binning(binning)).factor(
        Factor::new("seized goods", col("late_filings").gt(lit(5)).and(col("region").eq(lit("port"))), 60)
            .owner("audit"),
    )
}

#[test]
fn the_parts_add_up_and_the_grades_are_in_order() {
    let frame = companies(1, 4000);
    let model = params().fit(&frame, "bad").unwrap();
    let later = companies(2, 3000);
    let scored = model.score(&later).unwrap();
    let parts: Vec<Vec<f64>> = ["base_points", "card_points", "second_points", "factor_points", "limit_points"]
        .iter()
        .map(|name| numbers(&scored, name))
        .collect();
    let (scores, probability, grade) =
        (numbers(&scored, "score"), numbers(&scored, "probability"), texts(&scored, "grade"));
    for row in 0..later.height() {
        assert_eq!(parts.iter().map(|part| part[row]).sum::<f64>(), scores[row]);
        assert!((0.0..=1000.0).contains(&scores[row]));
    }
    let mut order: Vec<usize> = (0..later.height()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    assert!(
        order.windows(2).all(|pair| probability[pair[0]] <= probability[pair[1]] && grade[pair[0]] >= grade[pair[1]])
    );
    // On rows that were not fitted: the probabilities come true, and riskier grades are worse.
    let truth = target(&later, "bad").unwrap();
    assert!(reliability(&truth, &probability, 10).unwrap().error() < 0.03);
    assert!(metrics::auc(&truth, &scores).unwrap() > 0.75);
    let grades = by_grade(&scored, "bad").unwrap();
    assert!(grades.height() >= 5);
    let rates = numbers(&grades, "bad_rate");
    assert!(rates[0] > 2.0 * rates[rates.len() / 2] && rates[rates.len() / 2] > rates[rates.len() - 1], "{grades}");
    assert_eq!(
        model.score(&later).unwrap().column("score").unwrap(),
        scored.column("score").unwrap(),
        "the same again"
    );
}

#[test]
fn reasons_sum_to_the_score_and_name_what_costs_most() {
    let frame = companies(1, 4000);
    let model = params().fit(&frame, "bad").unwrap();
    let scored = model.score(&frame).unwrap();
    let (scores, first) = (numbers(&scored, "score"), texts(&scored, "reason_1"));
    let riskiest = (0..frame.height()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    for row in [riskiest, 0, 17, 3999] {
        let explained = model.explain(&frame, row).unwrap();
        assert_eq!(explained.parts.iter().map(|part| part.points).sum::<i64>() as f64, scores[row]);
        assert_eq!(explained.score as f64, scores[row]);
        let inner: Vec<i64> =
            explained.parts[1..].iter().filter(|part| part.name != "limit").map(|part| part.lost).collect();
        assert!(inner.windows(2).all(|pair| pair[0] >= pair[1]) && inner.iter().all(|&lost| lost >= 0), "{explained}");
        assert!(first[row].starts_with(&explained.parts[1].name), "{} / {explained}", first[row]);
        assert_eq!(explained.frame().unwrap().height(), explained.parts.len());
    }
    let explained = model.explain(&frame, riskiest).unwrap();
    assert!(
        explained.parts.iter().any(|part| part.name == "seized goods" && part.words == "set by audit"),
        "{explained}"
    );
    // Against the average some attributes count in a company's favour, and those are no reasons.
    let average = params().against(Against::Average).fit(&frame, "bad").unwrap();
    let parts = average.explain(&frame, riskiest).unwrap().parts;
    assert!(parts.iter().zip(&explained.parts).all(|(a, b)| a.points == b.points || a.name != b.name));
    let safest = (0..frame.height()).min_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    assert!(average.explain(&frame, safest).unwrap().parts.iter().any(|part| part.lost < 0));
}

#[test]
fn the_counterfactual_is_the_least_that_reaches_the_grade() {
    let frame = companies(1, 4000);
    let model = params().fit(&frame, "bad").unwrap();
    let scored = model.score(&frame).unwrap();
    let grade = texts(&scored, "grade");
    let row = grade.iter().position(|grade| grade == "02").unwrap();
    let changeable = ["late_filings", "region", "age_years"];
    let found = model.counterfactual(&frame, row, 5, &changeable).unwrap();
    assert!(found.reached && found.to.1.as_str() >= "05" && found.from.1 == "02", "{found}");
    let sum: i64 = found.changes.iter().map(|change| change.points).sum();
    assert_eq!(found.from.0 + sum, found.to.0, "{found}");
    // No single change does it where two were named, by trying all of them.
    let table = model.scorecard().table().unwrap();
    let (attribute, bin, points) = (texts(&table, "attribute"), texts(&table, "bin"), numbers(&table, "points"));
    let now =
        |name: &str| model.explain(&frame, row).unwrap().parts.into_iter().find(|part| part.name == name).unwrap();
    let single = (0..points.len())
        .filter(|&i| changeable.contains(&attribute[i].as_str()) && bin[i] != "missing" && bin[i] != "-1")
        .map(|i| found.from.0 - now(&attribute[i]).points + points[i] as i64)
        .any(|score| model.grade(score.clamp(0, 1000)) >= 5);
    assert_eq!(single, found.changes.len() == 1, "{found}");
    // A row that is changed as it says has the score that it says.
    let one = found.changes.iter().find(|change| change.attribute == "region");
    if let (Some(change), 1) = (one, found.changes.len()) {
        let to = change.to.split(", ").next().unwrap().to_owned();
        let changed = frame.slice(row as i64, 1).with_column(Column::new("region".into(), [to])).unwrap().clone();
        assert_eq!(numbers(&model.score(&changed).unwrap(), "score")[0], found.to.0 as f64);
    }
    let nothing = model.counterfactual(&frame, row, 1, &changeable).unwrap();
    assert!(nothing.reached && nothing.changes.is_empty());
    let hopeless = model
        .counterfactual(&frame, row, 10, &["audit_year"])
        .or_else(|_| model.counterfactual(&frame, row, 10, &["age_years"]))
        .unwrap();
    assert!(!hopeless.reached && hopeless.to.0 <= hopeless.from.0);
    says(model.counterfactual(&frame, row, 0, &changeable), "grade: expected 1 to 10, found 0");
    says(model.counterfactual(&frame, row, 3, &["colour"]), "attributes of the scorecard");
    says(model.counterfactual(&frame, 4000, 3, &changeable), "one of the frame's 4000 rows");
}

#[test]
fn a_second_model_is_believed_as_far_as_it_is_right() {
    let (frame, later) = (companies(1, 2000), companies(2, 2000));
    let features = |frame: &DataFrame| {
        FeatureMatrix::from_frame(&frame.select(["late_filings", "region", "age_years"]).unwrap()).unwrap()
    };
    let truth = target(&frame, "bad").unwrap();
    let forest =
        RandomForest::params().trees(60).min_rows_in_leaf(10).out_of_bag(true).fit(&features(&frame), &truth).unwrap();
    let unseen = forest.out_of_bag().unwrap().scores().to_vec();
    // A scorecard that knows only the region, beside a forest that knows all.
    let weak = Taxpayer::params().scorecard(Scorecard::params().binning(Binning::new().columns(&["region"])));
    let model = weak.fit_blended(&frame, "bad", &unseen).unwrap();
    assert!(model.weights().1 > 0.3, "{:?}", model.weights());
    let second = forest.predict(&features(&later)).unwrap();
    let scored = model.score_blended(&later, &second).unwrap();
    let auc = |frame: &DataFrame| metrics::auc(&target(frame, "bad").unwrap(), &numbers(frame, "score")).unwrap();
    let alone = weak.fit(&frame, "bad").unwrap().score(&later).unwrap();
    assert!(auc(&scored) > auc(&alone) + 0.1);
    let explained = model.explain_blended(&later, 3, second[3]).unwrap();
    assert!(explained.parts.iter().any(|part| part.name == "second model" && part.words.contains('%')), "{explained}");
    assert_eq!(explained.parts.iter().map(|part| part.points).sum::<i64>(), explained.score);
    // One that is right the wrong way round is not believed.
    let reversed: Vec<f64> = unseen.iter().map(|p| 1.0 - p).collect();
    assert_eq!(weak.fit_blended(&frame, "bad", &reversed).unwrap().weights().1, 0.0);
    says(model.score(&later), "second model: expected a probability for every row, found none");
    says(weak.fit(&frame, "bad").unwrap().score_blended(&later, &second), "second model: expected none");
    says(model.score_blended(&later, &second[1..]), "second model: expected 2000 rows");
    says(weak.fit_blended(&frame, "bad", &vec![1.5; 2000]), "second model`, row 0: expected a probability");
}

#[test]
fn what_makes_no_score_is_refused() {
    let frame = companies(5, 400);
    says(params().folds(1).fit(&frame, "bad"), "folds");
    says(params().factor(Factor::new("seized goods", lit(true), 1)).fit(&frame, "bad"), "names that differ");
    says(params().factor(Factor::new("much", lit(true), 2000)).fit(&frame, "bad"), "-1000 to 1000");
    says(
        params().factor(Factor::new("age", col("age_years"), 10)).fit(&frame, "bad"),
        "rule `age`: expected a condition",
    );
    says(params().factor(Factor::new("lost", col("lost").gt(lit(1)), 10)).fit(&frame, "bad"), "rule `lost`: ");
    let cast = col("company_id").strict_cast(DataType::Int64).gt(lit(0));
    says(params().factor(Factor::new("id", cast, 10)).fit(&frame, "bad"), "rule `id`, row 0");
    // A factor that punishes the safe turns the score around.
    let wrong = Factor::new("few", col("late_filings").lt(lit(3)), 1000);
    says(params().factor(wrong).fit(&frame, "bad"), "the score does not rise with the share of bad rows");
    let two = col("company_id").eq(lit("C00001")).or(col("company_id").eq(lit("C00002")));
    let rare = frame.clone().lazy().with_column(two.alias("bad")).collect().unwrap();
    says(params().fit(&rare, "bad"), "rows with target 1: expected at least 5, one for each fold, found 2");
    says(MasterScale::new(&[0.1, 0.2]), "bounds that fall");
    says(MasterScale::new(&[]), "1 to 98 bounds");
    says(MasterScale::new(&[1.0]), "above 0 and below 1");
    let model = params().fit(&frame, "bad").unwrap();
    let scored = model.score(&frame).unwrap();
    assert!(model.score(&scored).is_err(), "there is a column `score` already");
    says(model.score(&without(&frame, "region")), "column `region`");
    assert_eq!(model.unseen(), Unseen::Refuse);
}
