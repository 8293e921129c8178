//! The leakage audit of any models, in one call: the figures of a recipe with as many steps by hand, and what it refuses.

use haetae_features::{FeatureBuilder, FittedFeatures, labelled_rows, rows, target};
use haetae_models::{Error, LeakageAudit, LightGbm, Protocol, RandomForest, Result, metrics};
use polars::prelude::*;

use crate::clearance_input::recipe;
use crate::data::{assert_close, items, labelled, labels};

fn data() -> (DataFrame, DataFrame) {
    (items(11, 500, 0, 200, 60), items(12, 300, 200, 60, 120))
}

fn features(train: &DataFrame) -> Result<(FittedFeatures, DataFrame)> {
    let builder = FeatureBuilder::new().history(&["importer_id"], 10.0).count(&["goods"]).numeric("net_mass_kg");
    let fitted = builder.fit(train, "fraud", "declaration_date")?;
    Ok((fitted, rows(train, &labelled_rows(train, "fraud")?)?))
}

fn boosted(train: &DataFrame, later: &DataFrame) -> Result<Vec<f64>> {
    let (features, known) = features(train)?;
    let params = LightGbm::params().trees(30).depth(2).leaves(4).threads(2);
    params.fit(&features.transform(&known)?, &target(&known, "fraud")?)?.predict(&features.transform(later)?)
}

fn forest(train: &DataFrame, later: &DataFrame) -> Result<Vec<f64>> {
    let (features, known) = features(train)?;
    let params = RandomForest::params().trees(9);
    params.fit(&features.transform(&known)?, &target(&known, "fraud")?)?.predict(&features.transform(later)?)
}

#[test]
fn one_call_says_what_the_recipe_says() {
    let (train, later) = data();
    let report =
        LeakageAudit::new(&["goods"]).folds(3).run(&[("LightGBM", &boosted), ("forest", &forest)], &train, &later);
    let report = report.unwrap();
    let expected = recipe().run(&train, &later).unwrap().evaluation;
    assert_eq!(report.audit(), expected.audit());
    assert_eq!(report.notes(), expected.notes());
    assert_eq!(report.scores().len(), 9);
    for protocol in [Protocol::Full, Protocol::Clean, Protocol::Grouped] {
        for name in ["LightGBM", "lookup"] {
            assert_eq!(report.get(protocol, name), expected.get(protocol, name), "{name}");
        }
        assert!(report.get(protocol, "forest").is_some_and(|score| score.auc > 0.6));
    }
    // Where no key was seen, all that a table has is the overall rate.
    assert_eq!(report.get(Protocol::Clean, "lookup").unwrap().auc, 0.5);
    assert_eq!(report.get(Protocol::Grouped, "lookup").unwrap().rows, labels(&train).len() + labels(&later).len());
    let later = labelled(&later);
    let scores = forest(&train, &later).unwrap();
    let full = report.get(Protocol::Full, "forest").unwrap();
    assert_close("AUC", &[full.auc], &[metrics::auc(&labels(&later), &scores).unwrap()], 0.0);
    assert!(report.to_string().contains("Leakage audit by goods: ") && report.html().contains("<td"));
}

#[test]
fn a_model_that_knows_a_table_by_heart_is_found_out() {
    // Goods decide on fraud, and say nothing where they are new.
    let with_label = |frame: &DataFrame| {
        let goods = frame.column("goods").unwrap().i64().unwrap();
        let fraud: Vec<bool> = goods.iter().map(|goods| (goods.unwrap() * 7919) % 5 < 2).collect();
        let mut frame = frame.clone();
        frame.with_column(Column::new("fraud".into(), fraud)).unwrap();
        frame
    };
    let (train, later) = data();
    let (train, later) = (with_label(&train), with_label(&later));
    let by_heart = |train: &DataFrame, later: &DataFrame| -> Result<Vec<f64>> {
        let known = train.column("goods")?.i64()?;
        let fraud = train.column("fraud")?.bool()?;
        let of = |goods: i64| known.iter().position(|known| known == Some(goods)).and_then(|row| fraud.get(row));
        Ok(later.column("goods")?.i64()?.iter().map(|goods| of(goods.unwrap()).map_or(0.5, f64::from)).collect())
    };
    let audit = LeakageAudit::new(&["goods"]).folds(4);
    let report = audit.run(&[("by heart", &by_heart)], &train, &later).unwrap();
    let auc = |protocol| report.get(protocol, "by heart").unwrap().auc;
    assert!(auc(Protocol::Full) > 0.7, "{report}");
    assert_eq!((auc(Protocol::Clean), auc(Protocol::Grouped)), (0.5, 0.5));
    assert_eq!(report.audit().agreement(), 1.0);
}

#[test]
fn what_cannot_be_audited_is_refused() {
    let (train, later) = data();
    let audit = || LeakageAudit::new(&["goods"]).folds(2);
    let refused = |audit: &LeakageAudit, ways: &[(&str, haetae_models::FitFrames<'_>)]| {
        audit.run(ways, &train, &later).unwrap_err().to_string()
    };
    let short = |_: &DataFrame, later: &DataFrame| Ok(vec![0.5; later.height() - 1]);
    // What the frames lack is said before the first fit.
    let never = |_: &DataFrame, _: &DataFrame| -> Result<Vec<f64>> { panic!("it was fitted") };
    let failing = |_: &DataFrame, _: &DataFrame| Err(Error::NotANumber { what: "scores", row: 7 });
    for (error, expected) in [
        (refused(&audit(), &[]), "leakage audit: parameter `number of ways`: expected at least 1, found 0"),
        (
            refused(&audit(), &[("a", &boosted), ("a", &forest)]),
            "`names`: expected each once, and none of them `lookup`",
        ),
        (refused(&audit(), &[("lookup", &boosted)]), "found lookup"),
        (refused(&audit(), &[("short", &short)]), "scores of a way: expected"),
        (refused(&audit(), &[("failing", &failing)]), "scores, row 7: expected a number"),
        (refused(&audit().target("caught"), &[("a", &never)]), "column `caught`, needed for the target"),
        (refused(&audit().date("hs6"), &[("a", &never)]), "column `hs6`, needed for the order in time"),
        (refused(&audit().folds(500), &[("a", &never)]), "500 folds for"),
        (refused(&LeakageAudit::new(&[]).folds(0), &[("a", &never)]), "expected at least one column, found none"),
        (refused(&LeakageAudit::default(), &[("a", &never)]), "column `hs6`, needed for a key"),
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
}
