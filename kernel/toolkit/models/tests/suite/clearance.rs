//! The recipe from frames to figures: every figure is computed again from the public parts.

use haetae_features::{FeatureBuilder, group_folds, rows};
use haetae_models::{Clearance, Error, ImporterHistory, Logistic, Lookup, Protocol, Stage, Step, metrics};
use polars::prelude::*;

use crate::clearance_input::recipe;
use crate::data::{assert_close, bits, items, labelled, labels};

fn data() -> (DataFrame, DataFrame) {
    // Half of the goods of the validation rows are new.
    (items(1, 700, 0, 200, 60), items(2, 400, 200, 60, 120))
}

const MODELS: [&str; 4] = ["LightGBM", "logistic", "importer history", "lookup"];

#[test]
fn every_model_is_judged_under_every_protocol() {
    let (train, valid) = data();
    let run = recipe().run(&train, &valid).unwrap();
    let shown: Vec<(Protocol, &str)> =
        run.evaluation.scores().iter().map(|score| (score.protocol, score.model.as_str())).collect();
    let all = [Protocol::Full, Protocol::Clean, Protocol::Grouped];
    assert_eq!(shown, all.into_iter().flat_map(|protocol| MODELS.map(|model| (protocol, model))).collect::<Vec<_>>());
    let known = Lookup::fit(&labelled(&train), &["goods"], "fraud").unwrap().knows(&labelled(&valid)).unwrap();
    let clean = known.iter().filter(|known| !**known).count();
    for (protocol, count) in
        all.into_iter().zip([labels(&valid).len(), clean, labels(&valid).len() + labels(&train).len()])
    {
        for model in MODELS {
            let score = run.evaluation.get(protocol, model).unwrap();
            assert_eq!(score.rows, count, "{model} under {}", protocol.name());
            assert!(score.revenue.is_some());
        }
    }
    assert!(run.evaluation.notes().is_empty(), "{:?}", run.evaluation.notes());
    assert_eq!(run.evaluation.audit().seen, known.len() - clean);
    // The importer decides, so its past and the trees that see it are good, and a table of goods is not.
    let auc = |model: &str| run.evaluation.get(Protocol::Full, model).unwrap().auc;
    assert!(auc("LightGBM") > 0.75 && auc("importer history") > 0.75 && auc("logistic") > 0.75);
    assert!((auc("lookup") - 0.5).abs() < 0.1, "{}", auc("lookup"));
}

#[test]
fn figures_are_those_of_the_parts_on_their_own() {
    let (train, valid) = data();
    let run = recipe().run(&train, &valid).unwrap();
    let (known, judged) = (labelled(&train), labelled(&valid));
    let (known_target, target) = (labels(&train), labels(&valid));
    let plain = FeatureBuilder::new().categorical("importer_id").log("net_mass_kg");
    let plain = plain.fit(&known, "fraud", "declaration_date").unwrap();
    let logistic = Logistic::params().fit(&plain.transform(&known).unwrap(), &known_target).unwrap();
    let lookup = Lookup::fit(&known, &["goods"], "fraud").unwrap();
    let importer = ImporterHistory::fit(&train, "importer_id", "fraud", "declaration_date").unwrap();
    let scores = [
        run.model.score(&judged).unwrap(),
        logistic.predict(&plain.transform(&judged).unwrap()).unwrap(),
        importer.score(&judged).unwrap(),
        lookup.score(&judged).unwrap(),
    ];
    let unseen: Vec<usize> =
        lookup.knows(&judged).unwrap().iter().enumerate().filter(|(_, known)| !**known).map(|(row, _)| row).collect();
    let duty = judged.column("additional_duty_krw").unwrap();
    let revenue: Vec<f64> = duty.f64().unwrap().iter().map(|duty| duty.unwrap_or(0.0)).collect();
    let pick = |values: &[f64], rows: &[usize]| rows.iter().map(|&row| values[row]).collect::<Vec<_>>();
    let all: Vec<usize> = (0..target.len()).collect();
    for (protocol, rows) in [(Protocol::Full, &all), (Protocol::Clean, &unseen)] {
        for (model, scores) in MODELS.iter().zip(&scores) {
            let (target, scores, revenue) = (pick(&target, rows), pick(scores, rows), pick(&revenue, rows));
            let expected = [
                metrics::auc(&target, &scores).unwrap(),
                metrics::average_precision(&target, &scores).unwrap(),
                metrics::precision_at(&target, &scores, 0.1).unwrap(),
                metrics::revenue_at(&revenue, &scores, 0.2).unwrap(),
            ];
            let score = run.evaluation.get(protocol, model).unwrap();
            let found = [score.auc, score.average_precision, score.precision[3], score.revenue.unwrap()[4]];
            assert_close(&format!("{model}, {}", protocol.name()), &found, &expected, 0.0);
        }
    }
}

#[test]
fn a_grouped_score_comes_from_a_model_that_never_saw_the_key() {
    let (train, valid) = data();
    let run = recipe().run(&train, &valid).unwrap();
    let all = train.vstack(&valid).unwrap();
    let (mut target, mut history, mut trees, mut table) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for fold in group_folds(&all, &["goods"], 3).unwrap() {
        let others: Vec<usize> = (0..all.height()).filter(|row| !fold.contains(row)).collect();
        let (others, held_out) = (rows(&all, &others).unwrap(), labelled(&rows(&all, &fold).unwrap()));
        let lookup = Lookup::fit(&labelled(&others), &["goods"], "fraud").unwrap();
        assert!(lookup.knows(&held_out).unwrap().iter().all(|known| !known));
        target.extend(labels(&held_out));
        table.extend(lookup.score(&held_out).unwrap());
        let importer = ImporterHistory::fit(&others, "importer_id", "fraud", "declaration_date").unwrap();
        history.extend(importer.score(&held_out).unwrap());
        trees.extend(recipe().fit(&others).unwrap().score(&held_out).unwrap());
    }
    for (model, scores) in [("LightGBM", trees), ("importer history", history), ("lookup", table)] {
        let score = run.evaluation.get(Protocol::Grouped, model).unwrap();
        assert_eq!(score.rows, target.len());
        let expected = [metrics::auc(&target, &scores), metrics::average_precision(&target, &scores)];
        assert_close(model, &[score.auc, score.average_precision], &expected.map(Result::unwrap), 0.0);
    }
}

#[test]
fn ways_that_learn_nothing_are_judged_beside_the_models() {
    let (train, valid) = data();
    let plain = recipe().run(&train, &valid).unwrap().evaluation;
    let evaluation = recipe().unlearnt(&[("mass", "net_mass_kg")]).run(&train, &valid).unwrap().evaluation;
    assert_eq!(evaluation.scores().len(), 3 * (MODELS.len() + 2));
    for model in MODELS {
        assert_eq!(evaluation.get(Protocol::Full, model), plain.get(Protocol::Full, model), "{model} is as it was");
    }
    let judged = labelled(&valid);
    let mass: Vec<f64> = judged.column("net_mass_kg").unwrap().f64().unwrap().iter().map(Option::unwrap).collect();
    let found = evaluation.get(Protocol::Full, "mass").unwrap();
    assert_close("mass", &[found.auc], &[metrics::auc(&labels(&valid), &mass).unwrap()], 0.0);
    let random = evaluation.get(Protocol::Grouped, "random").unwrap();
    assert!((random.auc - 0.5).abs() < 0.1 && random.rows == labels(&train).len() + labels(&valid).len());
    let unknown = recipe().unlearnt(&[("price", "no_such_column")]).run(&train, &valid).unwrap_err().to_string();
    assert!(unknown.contains("no_such_column"), "{unknown}");
    let text = recipe().unlearnt(&[("importer", "importer_id")]).run(&train, &valid).unwrap_err().to_string();
    assert!(text.contains("importer_id") && text.contains("numbers"), "{text}");
}

#[test]
fn a_run_is_the_same_each_time() {
    let (train, valid) = data();
    let (first, second) = (recipe().run(&train, &valid).unwrap(), recipe().run(&train, &valid).unwrap());
    assert_eq!(first.to_string(), second.to_string());
    assert_eq!(first.html(), second.html());
    assert_eq!(first.model.trees().text(), second.model.trees().text());
    assert_eq!(bits(&first.model.score(&valid).unwrap()), bits(&second.model.score(&valid).unwrap()));
    // Judging changes nothing of the model.
    assert_eq!(recipe().fit(&train).unwrap().trees().text(), first.model.trees().text());
}

#[test]
fn a_watcher_sees_every_fit_and_may_cancel_any_of_them() {
    let (train, valid) = data();
    let mut seen: Vec<(usize, usize, usize, usize)> = Vec::new();
    let mut watched = |at: (usize, usize)| {
        seen.clear();
        let run = recipe().run_watched(&train, &valid, &mut |stage: &Stage| {
            seen.push((stage.fit, stage.fits, stage.trees.done, stage.trees.of));
            if (stage.fit, stage.trees.done) == at { Step::Cancel } else { Step::Go }
        });
        (run, seen.clone())
    };
    // One fit for the model, one for each of three folds; thirty trees each.
    let whole: Vec<_> = (1..=4).flat_map(|fit| (1..=30).map(move |done| (fit, 4, done, 30))).collect();
    let (run, steps) = watched((9, 9));
    assert!(run.is_ok());
    assert_eq!(steps, whole);
    for (at, count) in [((1, 1), 1), ((1, 30), 30), ((3, 7), 67)] {
        let (run, steps) = watched(at);
        let error = run.unwrap_err();
        assert!(matches!(error, Error::Cancelled { done, of: 30, .. } if done == at.1), "{error}");
        assert_eq!(steps, whole[..count]);
    }
    let mut stop = |stage: &Stage| if stage.trees.done == 4 { Step::Stop } else { Step::Go };
    assert_eq!(recipe().run_watched(&train, &valid, &mut stop).unwrap().model.trees().trees(), 4);
}

#[test]
fn a_score_comes_with_the_reasons_that_raised_it() {
    let (train, valid) = data();
    let model = recipe().fit(&train).unwrap();
    // Neither label nor duty are needed to score.
    let unlabelled = valid.drop("fraud").unwrap().drop("additional_duty_krw").unwrap();
    let scores = model.score(&unlabelled).unwrap();
    assert_eq!(bits(&scores), bits(&model.score(&valid).unwrap()));
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    let reasons = model.reasons(&unlabelled, 2).unwrap();
    assert_eq!(reasons.len(), 400);
    let contributions = model.trees().contributions(&model.matrix(&valid).unwrap()).unwrap();
    for (row, of_row) in reasons.iter().enumerate() {
        assert!(of_row.len() <= 2 && of_row.iter().all(|(_, added)| *added > 0.0));
        let mut raised: Vec<f64> = contributions.row(row, 0).iter().copied().filter(|added| *added > 0.0).collect();
        raised.sort_by(|a, b| b.total_cmp(a));
        raised.truncate(2);
        assert_eq!(of_row.iter().map(|(_, added)| *added).collect::<Vec<_>>(), raised);
    }
    let worst = (0..400).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    assert_eq!(reasons[worst][0].0, "rate_by_importer_id");
    let importance = model.importance().unwrap();
    assert_eq!(importance[0].0, "rate_by_importer_id");
    assert!((importance.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn past_rates_only_raise_the_score_unless_the_trees_say_otherwise() {
    let (train, _) = data();
    let rates = FeatureBuilder::new().history(&["importer_id"], 10.0).history(&["goods"], 1.0);
    let constrained = Clearance::new().features(rates).fit(&train).unwrap();
    let text = constrained.trees().text();
    assert!(text.contains("\n[monotone_constraints: 1,1]\n"), "{text}");
    let free = recipe().model(haetae_models::LightGbm::params().trees(3)).fit(&train).unwrap();
    assert!(!free.trees().text().contains("[monotone_constraints: 1"), "{}", free.trees().text());
}
