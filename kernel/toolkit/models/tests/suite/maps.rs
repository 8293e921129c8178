//! Pictures of t-SNE and UMAP: neighbours stay neighbours, groups stay apart, and what cannot be drawn is refused.

use haetae_features::FeatureMatrix;
use haetae_models::{Error, PointMap, Result, Tsne, Umap, silhouette};

use crate::clusters::blobs;
use crate::data::{Random, bits, codes, even, numbers};

type Draw = fn(&FeatureMatrix, u64, usize) -> Result<PointMap>;

const DRAWN: [(&str, Draw); 3] = [
    ("exact t-SNE", |x, seed, threads| {
        Tsne::params().perplexity(15.0).iterations(400).angle(0.0).seed(seed).threads(threads).fit(x)
    }),
    ("t-SNE", |x, seed, threads| Tsne::params().perplexity(15.0).iterations(400).seed(seed).threads(threads).fit(x)),
    ("UMAP", |x, seed, threads| Umap::params().epochs(150).seed(seed).threads(threads).fit(x)),
];

/// More rows than are drawn exactly, in eight groups of six features; which group each row is in.
fn groups() -> (FeatureMatrix, Vec<i32>) {
    let mut random = Random::new(11);
    let rows = 700;
    let labels: Vec<i32> = (0..rows).map(|_| random.below(8) as i32).collect();
    let columns: Vec<Vec<f64>> = (0..6)
        .map(|i| {
            let places: Vec<f64> = even(&mut random, 8).iter().map(|place| 20.0 * place).collect();
            let noise: Vec<f64> = (0..rows).map(|_| (0..4).map(|_| random.unit() - 0.5).sum()).collect();
            // The last feature says nothing.
            labels.iter().zip(noise).map(|(&l, noise)| if i == 5 { 3.0 } else { places[l as usize] + noise }).collect()
        })
        .collect();
    (FeatureMatrix::new((0..6).map(|i| format!("x{i}")).collect(), columns, vec![false; 6]).unwrap(), labels)
}

#[test]
fn neighbours_stay_neighbours_and_groups_apart() {
    let (features, labels) = groups();
    for (name, draw) in DRAWN {
        let map = draw(&features, 7, 2).unwrap();
        let trust = map.trustworthiness(&features, 10).unwrap();
        assert!(trust > 0.93, "{name}: {trust}");
        let points = numbers([("x", map.x().to_vec()), ("y", map.y().to_vec())]);
        let apart = silhouette(&points, &labels, false).unwrap();
        assert!(apart > 0.5, "{name}: {apart}");
        let frame = map.frame().unwrap();
        assert_eq!((frame.shape(), frame.get_column_names()[1].as_str()), ((700, 2), "y"), "{name}");
        let same = draw(&features, 7, 1).unwrap();
        assert_eq!((bits(same.x()), bits(same.y())), (bits(map.x()), bits(map.y())), "{name}: threads");
        assert_ne!(bits(draw(&features, 8, 2).unwrap().x()), bits(map.x()), "{name}: another seed");
    }
}

#[test]
fn the_tree_draws_what_all_pushes_draw() {
    let (features, _) = groups();
    let divergence = |angle: f64| {
        let map = Tsne::params().perplexity(15.0).iterations(400).angle(angle).fit(&features).unwrap();
        map.divergence().unwrap()
    };
    // The tree leaves out neighbours beyond three times the perplexity, so that its weights are a little others.
    let (exact, tree) = (divergence(0.0), divergence(0.5));
    assert!((tree / exact - 1.0).abs() < 0.15, "{exact} {tree}");
    let map = Umap::params().epochs(5).fit(&features).unwrap();
    assert_eq!((map.divergence(), map.method(), format!("{map:?}").as_str()), (None, "UMAP", "UMAP of 700 rows"));
}

/// Trustworthiness as in the paper: every rank from a list in order.
fn by_definition(features: &FeatureMatrix, map: &PointMap, k: usize) -> f64 {
    let n = features.rows();
    let order = |distance: &dyn Fn(usize) -> f64, row: usize| {
        let mut others: Vec<usize> = (0..n).filter(|&other| other != row).collect();
        others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
        others
    };
    let mut sum = 0.0;
    for row in 0..n {
        let true_distance = |other: usize| -> f64 {
            (0..features.columns()).map(|i| (features.value(row, i) - features.value(other, i)).powi(2)).sum()
        };
        let drawn = |other: usize| (map.x()[row] - map.x()[other]).powi(2) + (map.y()[row] - map.y()[other]).powi(2);
        let truth = order(&true_distance, row);
        for other in &order(&drawn, row)[..k] {
            let rank = truth.iter().position(|at| at == other).unwrap() + 1;
            sum += rank.saturating_sub(k) as f64;
        }
    }
    let (n, k) = (n as f64, k as f64);
    1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * sum
}

#[test]
fn trustworthiness_is_that_of_the_definition() {
    // Some rows are equal: ranks among them go by their place.
    let features = blobs(5, 150, 3, 4, 6.0);
    let map = Tsne::params().perplexity(8.0).iterations(60).scaled(false).fit(&features).unwrap();
    for k in [1, 5, 20] {
        let (found, expected) = (map.trustworthiness(&features, k).unwrap(), by_definition(&features, &map, k));
        assert!((found - expected).abs() < 1e-12, "{k}: {found} {expected}");
    }
    for k in [0, 75] {
        let error = map.trustworthiness(&features, k).unwrap_err();
        assert!(matches!(error, Error::Parameter { name: "neighbours", .. }), "{error}");
    }
    let error = map.trustworthiness(&blobs(5, 140, 3, 4, 6.0), 5).unwrap_err();
    assert!(matches!(error, Error::Rows { expected: 150, found: 140, .. }), "{error}");
}

#[test]
fn equal_rows_lie_together() {
    let mut x: Vec<f64> = (0..40).map(f64::from).collect();
    x.extend([100.0; 30]);
    let features = numbers([("x", x)]);
    for (name, map) in [
        ("t-SNE", Tsne::params().perplexity(10.0).fit(&features).unwrap()),
        ("UMAP", Umap::params().neighbours(5).fit(&features).unwrap()),
    ] {
        let all = map.x().iter().chain(map.y());
        assert!(all.clone().all(|value| value.is_finite()), "{name}");
        let middle = |range: std::ops::Range<usize>| {
            let count = range.len() as f64;
            (map.x()[range.clone()].iter().sum::<f64>() / count, map.y()[range].iter().sum::<f64>() / count)
        };
        let (line, heap) = (middle(0..40), middle(40..70));
        let apart = (line.0 - heap.0).hypot(line.1 - heap.1);
        let far = (40..70).map(|row| (map.x()[row] - heap.0).hypot(map.y()[row] - heap.1)).fold(0.0, f64::max);
        assert!(far < apart, "{name}: {far} {apart}");
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    type Draw = fn(&FeatureMatrix) -> Result<PointMap>;
    let draws: [(&str, Draw, &str); 2] = [
        ("t-SNE", |x| Tsne::params().fit(x), "t-SNE: expected at least 32 rows, two more than `perplexity`, found"),
        ("UMAP", |x| Umap::params().fit(x), "UMAP: expected at least 16 rows, one more than `neighbours`, found"),
    ];
    let line = |count: u32| (0..count).map(f64::from).collect::<Vec<f64>>();
    for (name, draw, few) in draws {
        let refused = |features: &FeatureMatrix| draw(features).unwrap_err();
        for count in [1, 10] {
            let error = refused(&numbers([("x", line(count))])).to_string();
            assert_eq!(error, format!("{few} {count}"), "{name}");
        }
        assert!(matches!(refused(&numbers([("x", vec![])])), Error::Empty { rows: 0, .. }), "{name}");
        let with = |value: f64| {
            let mut x = line(40);
            x[3] = value;
            numbers([("x", x), ("y", line(40))])
        };
        assert!(matches!(refused(&with(f64::NAN)), Error::Missing { row: 3, .. }), "{name}");
        assert!(matches!(refused(&with(f64::INFINITY)), Error::Infinite { row: 3, .. }), "{name}");
        assert!(matches!(refused(&codes(line(40))), Error::NoDistance { .. }), "{name}");
        assert!(matches!(refused(&numbers([("x", vec![7.0; 40])])), Error::NothingVaries { .. }), "{name}");
        assert!(draw(&numbers([("x", line(40)), ("constant", vec![7.0; 40])])).is_ok(), "{name}");
    }
    let (t, u) = (Tsne::params, Umap::params);
    for (name, wrong) in [
        ("perplexity", t().perplexity(0.5)),
        ("perplexity", t().perplexity(f64::NAN)),
        ("iterations", t().iterations(0)),
        ("early", t().early(100_001)),
        ("exaggeration", t().exaggeration(0.0)),
        ("learning_rate", t().learning_rate(0.0)),
        ("angle", t().angle(0.8)),
        ("threads", t().threads(0)),
    ] {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
    for (name, wrong) in [
        ("neighbours", u().neighbours(1)),
        ("spread", u().spread(0.0)),
        ("min_distance", u().min_distance(1.5)),
        ("epochs", u().epochs(0)),
        ("learning_rate", u().learning_rate(f64::INFINITY)),
        ("others", u().others(101)),
        ("threads", u().threads(2_000)),
    ] {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
    // Steps that are too long leave the numbers; that is said.
    let error = t().perplexity(5.0).learning_rate(1e300).fit(&numbers([("x", line(40))])).unwrap_err();
    assert!(matches!(error, Error::Scattered { model: "t-SNE", .. }), "{error}");
}
