//! HDBSCAN: clusters of different density, by the definition of the hierarchy.

use haetae_features::FeatureMatrix;
use haetae_models::{Error, Hdbscan, adjusted_rand_index};

use crate::clusters::blobs;
use crate::data::{Random, bits, codes, even, numbers};

/// Two clumps of different density on a line, and rows far from all.
fn clumps() -> (FeatureMatrix, Vec<i32>) {
    let mut random = Random::new(3);
    let (mut x, mut labels) = (Vec::new(), Vec::new());
    for i in 0..210 {
        let (value, label) = match i {
            0..100 => (random.unit(), 0),
            100..200 => (20.0 + 8.0 * random.unit(), 1),
            _ => (100.0 + 70.0 * f64::from(i), -1),
        };
        x.push(value);
        labels.push(label);
    }
    (numbers([("x", x)]), labels)
}

#[test]
fn clusters_of_different_density_are_found_and_the_rest_is_noise() {
    let (features, labels) = clumps();
    let model = Hdbscan::params().min_cluster(15).scaled(false).fit(&features).unwrap();
    assert_eq!(model.labels(), labels);
    assert_eq!((model.clusters(), model.noise()), (2, 10));
    assert_eq!(format!("{model:?}"), "HDBSCAN, 2 clusters, 10 of 210 rows are noise");
    let firm = model.probabilities();
    assert!(firm[..200].iter().all(|firm| *firm > 0.0 && *firm <= 1.0) && firm[200..].iter().all(|firm| *firm == 0.0));
    assert!(firm[..100].contains(&1.0) && firm[100..200].contains(&1.0));
    // The densities of the first are eight times as great.
    assert!(model.stability()[0] > 4.0 * model.stability()[1], "{:?}", model.stability());
    assert!(model.profiles(&features).unwrap().to_string().contains("cluster 1: 100 rows"));
}

#[test]
fn a_hierarchy_by_hand() {
    // Two pairs of pairs: 0 1 | 3 4 and 100 101 | 103 104, of which each four is a cluster of at least three.
    let x = vec![0.0, 1.0, 3.0, 4.0, 100.0, 101.0, 103.0, 104.0];
    let features = numbers([("x", x)]);
    let fit =
        |min_cluster| Hdbscan::params().min_cluster(min_cluster).neighbours(1).scaled(false).fit(&features).unwrap();
    let model = fit(3);
    assert_eq!(model.labels(), [0, 0, 0, 0, 1, 1, 1, 1]);
    // Born at 1/96; at 1/2 the four fall apart into pairs, which are too small: 4 * (1/2 - 1/96).
    model.stability().iter().for_each(|found| assert!((found - 4.0 * (0.5 - 1.0 / 96.0)).abs() < 1e-12, "{found}"));
    assert!(model.probabilities().iter().all(|firm| *firm == 1.0));
    // Pairs last from 1/2 to 1, which is 2 * 2 * 1/2 = 2 and more than the 1.96 of the four.
    assert_eq!(fit(2).labels(), [0, 0, 1, 1, 2, 2, 3, 3]);
}

#[test]
fn threads_do_not_matter_and_copies_do_no_harm() {
    let features = blobs(5, 3_000, 4, 6, 1.5);
    let params = Hdbscan::params().min_cluster(20);
    let model = params.fit(&features).unwrap();
    for threads in [1, 3] {
        let again = params.clone().threads(threads).fit(&features).unwrap();
        assert_eq!(again.labels(), model.labels());
        assert_eq!(bits(again.probabilities()), bits(model.probabilities()));
    }
    let rows: Vec<usize> = (0..6_000).map(|i| i % 3_000).collect();
    let twice = Hdbscan::params().min_cluster(40).neighbours(40).fit(&features.select_rows(&rows)).unwrap();
    assert_eq!(twice.labels()[..3_000], twice.labels()[3_000..]);
    assert!(adjusted_rand_index(&twice.labels()[..3_000], model.labels()).unwrap() > 0.9);
    let equal = Hdbscan::params().fit(&numbers([("x", vec![2.0; 30])])).unwrap();
    assert_eq!((equal.clusters(), equal.noise()), (0, 30));
    // More than half of the rows are copies of two: densities without bound, but no NaN.
    let mut x = even(&mut Random::new(1), 20);
    x.extend([[5.0; 15], [9.0; 15]].concat());
    let copies = Hdbscan::params().fit(&numbers([("x", x)])).unwrap();
    assert!(copies.labels()[20] >= 0 && copies.labels()[20] != copies.labels()[35], "{:?}", copies.labels());
    assert!(copies.probabilities().iter().all(|firm| (0.0..=1.0).contains(firm)));
}

#[test]
fn rows_that_have_no_density_are_refused() {
    let fit = |features: &FeatureMatrix| Hdbscan::params().fit(features).unwrap_err();
    let few = fit(&numbers([("x", vec![1.0; 4])]));
    assert!(matches!(few, Error::TooFewRows { expected: 5, found: 4, .. }), "{few}");
    assert!(matches!(fit(&codes(vec![1.0; 9])), Error::NoDistance { .. }));
    assert!(matches!(fit(&numbers([("x", vec![f64::NAN; 9])])), Error::Missing { row: 0, .. }));
    assert!(matches!(fit(&numbers([("x", vec![])])), Error::Empty { .. }));
    let params = Hdbscan::params;
    for (name, wrong) in [
        ("min_cluster", params().min_cluster(1)),
        ("neighbours", params().neighbours(0)),
        ("threads", params().threads(0)),
    ] {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
    let one = Hdbscan::params().min_cluster(2).neighbours(1).fit(&numbers([("x", vec![1.0])])).unwrap();
    assert_eq!(one.labels(), [-1]);
}
