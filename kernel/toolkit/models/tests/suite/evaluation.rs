//! Figures side by side: as numbers, as a frame, as text and as HTML.

use haetae_models::{Audit, Error, Evaluation, Protocol, RATES, metrics};
use polars::prelude::*;

use crate::data::{Random, assert_close};

fn audit(key: &str) -> Audit {
    let frame = df!(key => ["a", "b", "c"], "fraud" => [true, false, true]).unwrap();
    Audit::of(&frame, &frame, &[key], "fraud").unwrap()
}

/// 40 rows: at 1 and 2 percent there is no row to inspect.
fn judged(seed: u64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut random = Random::new(seed);
    let target: Vec<f64> = (0..40).map(|i| f64::from(i % 4 == 0)).collect();
    let scores = target.iter().map(|target| 0.3 * target + random.unit()).collect();
    let revenue = target.iter().map(|target| target * 1_000.0 * random.unit()).collect();
    (target, scores, revenue)
}

fn evaluation() -> Evaluation {
    let mut evaluation = Evaluation::new(audit("goods"));
    let (target, scores, revenue) = judged(1);
    evaluation.add(Protocol::Full, "LightGBM", &target, &scores, Some(&revenue)).unwrap();
    evaluation.add(Protocol::Full, "a < b & \"c\"", &target, &[0.5; 40], Some(&revenue)).unwrap();
    evaluation.add(Protocol::Clean, "LightGBM", &target, &judged(2).1, None).unwrap();
    evaluation.note("<Nothing> is 'left' out.");
    evaluation
}

#[test]
fn a_score_holds_the_figures_of_the_metrics() {
    let (target, scores, revenue) = judged(1);
    let evaluation = evaluation();
    let score = evaluation.get(Protocol::Full, "LightGBM").unwrap();
    assert_eq!((score.rows, score.positive, score.base_rate()), (40, 10, 0.25));
    let areas = [metrics::auc(&target, &scores), metrics::average_precision(&target, &scores)].map(Result::unwrap);
    assert_close("areas", &[score.auc, score.average_precision], &areas, 0.0);
    let figures = |figure: &dyn Fn(f64) -> haetae_models::Result<f64>| RATES.map(|rate| figure(rate).unwrap());
    let precision = figures(&|rate| metrics::precision_at(&target, &scores, rate));
    assert_close("precision", &score.precision, &precision, 0.0);
    assert!(precision[0].is_nan() && precision[1].is_nan() && precision[2] > 0.0);
    assert_close("recall", &score.recall, &figures(&|rate| metrics::recall_at(&target, &scores, rate)), 0.0);
    let found = figures(&|rate| metrics::revenue_at(&revenue, &scores, rate));
    assert_close("revenue", &score.revenue.unwrap(), &found, 0.0);
    assert_close("KS", &[score.ks], &[metrics::ks(&target, &scores).unwrap()], 0.0);
    let possible = figures(&|rate| metrics::revenue_of_oracle(&revenue, &scores, rate));
    assert_close("revenue of the oracle", &score.revenue_of_oracle.unwrap(), &possible, 0.0);
    // Two rows at 5 %, eight at 20 % of the ten that are fraud: an oracle has precision 1 there.
    assert_close("hits of the oracle", &score.hits_of_oracle[2..], &precision[2..], 0.0);
    assert_eq!((score.precision_at(0.1), score.precision_at(0.03)), (Some(precision[3]), None));
    // Of equal scores the first rows are inspected: 1 fraud among the first 2 and 4, 2 among the first 8.
    let constant = evaluation.get(Protocol::Full, "a < b & \"c\"").unwrap();
    assert_eq!((constant.auc, &constant.precision[2..]), (0.5, &[0.5, 0.25, 0.25][..]));
    assert_eq!(constant.recall[2..], [0.1, 0.1, 0.2]);
}

#[test]
fn figures_are_found_by_protocol_and_model() {
    let evaluation = evaluation();
    assert_eq!(evaluation.scores().len(), 3);
    assert!(evaluation.get(Protocol::Grouped, "LightGBM").is_none());
    assert!(evaluation.get(Protocol::Clean, "logistic").is_none());
    assert_eq!(evaluation.get(Protocol::Clean, "LightGBM").unwrap().revenue, None);
    assert_eq!(evaluation.notes(), ["<Nothing> is 'left' out."]);
    assert_eq!((evaluation.audit().keys, evaluation.audit().lookup_auc), (3, 1.0));
    assert_eq!([Protocol::Full, Protocol::Clean, Protocol::Grouped].map(Protocol::name), ["full", "clean", "grouped"]);
}

#[test]
fn figures_that_cannot_be_computed_are_not_added() {
    let mut evaluation = Evaluation::new(audit("goods"));
    let one_class = evaluation.add(Protocol::Full, "m", &[1.0, 1.0], &[0.1, 0.2], None);
    assert!(matches!(one_class, Err(Error::OneClass { .. })));
    let nan = evaluation.add(Protocol::Full, "m", &[1.0, 0.0], &[0.1, f64::NAN], None);
    assert!(matches!(nan, Err(Error::NotANumber { row: 1, .. })));
    let lengths = evaluation.add(Protocol::Full, "m", &[1.0, 0.0], &[0.1, 0.2], Some(&[1.0]));
    assert!(matches!(lengths, Err(Error::Rows { .. })));
    assert!(evaluation.scores().is_empty());
}

#[test]
fn the_frame_has_a_row_for_each_model_and_protocol() {
    let frame = evaluation().frame().unwrap();
    let mut names = vec!["protocol", "model", "rows", "positive", "auc", "average_precision", "ks"];
    names.extend(["precision_at_1", "precision_at_2", "precision_at_5", "precision_at_10", "precision_at_20"]);
    names.extend(["recall_at_1", "recall_at_2", "recall_at_5", "recall_at_10", "recall_at_20"]);
    let of_oracle = |what: &str| [1, 2, 5, 10, 20].map(|rate| format!("{what}_of_oracle_at_{rate}"));
    let (hits, revenue) = (of_oracle("hits"), of_oracle("revenue"));
    names.extend(hits.iter().map(String::as_str));
    names.extend(["revenue_at_1", "revenue_at_2", "revenue_at_5", "revenue_at_10", "revenue_at_20"]);
    names.extend(revenue.iter().map(String::as_str));
    assert_eq!(frame.get_column_names(), names);
    assert_eq!(frame.height(), 3);
    let protocols: Vec<Option<&str>> = frame.column("protocol").unwrap().str().unwrap().iter().collect();
    assert_eq!(protocols, [Some("full"), Some("full"), Some("clean")]);
    let value = |name: &str, row: usize| frame.column(name).unwrap().f64().unwrap().get(row);
    assert_eq!((value("precision_at_1", 0), value("precision_at_5", 1)), (None, Some(0.5)));
    assert_eq!((value("recall_at_1", 1), value("revenue_at_20", 2)), (Some(0.0), None));
    assert!(value("revenue_at_20", 0).is_some());

    let mut without = Evaluation::new(audit("goods"));
    assert_eq!(without.frame().unwrap().height(), 0);
    let (target, scores, _) = judged(1);
    without.add(Protocol::Full, "m", &target, &scores, None).unwrap();
    assert_eq!(without.frame().unwrap().width(), 22);
}

#[test]
fn the_text_is_a_table_with_the_audit_under_it() {
    let evaluation = evaluation();
    let text = evaluation.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let head: Vec<&str> = lines[0].split_whitespace().collect();
    let expected = "protocol model rows base AUC AP P@1% P@2% P@5% P@10% P@20% R@5% R@10% Rev@5% Rev@10%";
    assert_eq!(head.join(" "), expected);
    let cells: Vec<&str> = lines[2].split_whitespace().collect();
    // The constant score: a dash where the rate is no row.
    assert_eq!(cells[..6], ["full", "a", "<", "b", "&", "\"c\""]);
    assert_eq!(cells[6..10], ["40", "0.250", "0.500", "0.250"]);
    assert_eq!(cells[10..17], ["-", "-", "0.500", "0.250", "0.250", "0.100", "0.100"]);
    // A line of air between protocols; two dashes for revenue that is not known; then audit and notes.
    assert_eq!((lines[3], lines.len()), ("", 8));
    let clean: Vec<&str> = lines[4].split_whitespace().collect();
    assert_eq!((clean[0], &clean[13..]), ("clean", &["-", "-"][..]));
    assert_eq!(lines[6], evaluation.audit().to_string());
    assert_eq!(lines[7], "<Nothing> is 'left' out.");
}

#[test]
fn names_stand_in_html_as_themselves() {
    let (target, scores, _) = judged(1);
    let mut evaluation = Evaluation::new(audit("a<b"));
    evaluation.add(Protocol::Full, "<script>&'\"", &target, &scores, None).unwrap();
    evaluation.note("1 < 2 & 3 > 2");
    let html = evaluation.html();
    for text in ["&lt;script&gt;&amp;&#39;&quot;</td>", "Leakage audit by a&lt;b:", "<p>1 &lt; 2 &amp; 3 &gt; 2</p>"] {
        assert!(html.contains(text), "{text} is not in {html}");
    }
    assert!(!html.contains("<script") && !html.contains("a<b"), "{html}");
    let count = |tag: &str| html.matches(tag).count();
    assert_eq!((count("<tr>"), count("<th>"), count("<td "), count("<p>")), (2, 13, 13, 2));
    assert_eq!((count("</tr>"), count("</th>"), count("</td>"), count("</p>")), (2, 13, 13, 2));
}
