//! k-means, DBSCAN and what is said of clusters, against slow programs that follow the definitions.

use haetae_features::FeatureMatrix;
use haetae_models::{Dbscan, KMeans, KMeansModel, Profiles, adjusted_rand_index, silhouette, silhouette_sampled};

use crate::data::{Random, assert_close, bits, numbers};

/// Rows around `places` corners of a cube, some of them twice.
pub fn blobs(seed: u64, rows: usize, columns: usize, places: u64, width: f64) -> FeatureMatrix {
    let mut random = Random::new(seed);
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); columns];
    for row in 0..rows {
        if row % 10 == 9 {
            all.iter_mut().for_each(|column| column.push(column[row - 1]));
            continue;
        }
        let place = random.below(places);
        for (i, column) in all.iter_mut().enumerate() {
            let noise: f64 = (0..4).map(|_| random.unit() - 0.5).sum();
            column.push(10.0 * (place >> i & 1) as f64 + width * noise);
        }
    }
    let names = (0..columns).map(|i| format!("x{i}")).collect();
    FeatureMatrix::new(names, all, vec![false; columns]).unwrap()
}

fn row(features: &FeatureMatrix, row: usize) -> Vec<f64> {
    (0..features.columns()).map(|i| features.value(row, i)).collect()
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Lloyd's rounds as in the books.
fn lloyd(features: &FeatureMatrix, mut centers: Vec<Vec<f64>>) -> (Vec<Vec<f64>>, Vec<i32>) {
    let rows: Vec<Vec<f64>> = (0..features.rows()).map(|i| row(features, i)).collect();
    let mut labels = vec![-1; rows.len()];
    loop {
        let nearest = |row: &Vec<f64>| {
            (0..centers.len()).min_by(|&a, &b| squared(row, &centers[a]).total_cmp(&squared(row, &centers[b]))).unwrap()
        };
        let next: Vec<i32> = rows.iter().map(|row| nearest(row) as i32).collect();
        if next == labels {
            return (centers, labels);
        }
        labels = next;
        for (label, center) in centers.iter_mut().enumerate() {
            let own: Vec<&Vec<f64>> =
                rows.iter().zip(&labels).filter(|(_, found)| **found == label as i32).map(|pair| pair.0).collect();
            let mean = |i: usize| own.iter().map(|row| row[i]).sum::<f64>() / own.len() as f64;
            *center = (0..center.len()).map(mean).collect();
        }
    }
}

#[test]
fn bounds_that_save_distances_change_no_cluster() {
    for (seed, columns, clusters, width) in [(1, 2, 4, 6.0), (2, 3, 9, 12.0), (3, 7, 17, 9.0)] {
        let features = blobs(seed, 5_000, columns, 1 << columns, width);
        // Rows that stand far apart in the list, so that no two are copies.
        let from: Vec<Vec<f64>> = (0..clusters).map(|i| row(&features, 11 * i)).collect();
        let (centers, labels) = lloyd(&features, from.clone());
        let params = KMeans::params().clusters(clusters).scaled(false).tolerance(0.0).iterations(10_000);
        let model = params.start_from(&from).fit(&features).unwrap();
        assert_eq!(model.labels(), labels, "{columns} columns");
        assert_close("centres", &model.centers().concat(), &centers.concat(), 1e-10);
        let inertia: f64 = (0..5_000).map(|i| squared(&row(&features, i), &centers[labels[i] as usize])).sum();
        assert_close("inertia", &[model.inertia()], &[inertia], 1e-10);
        assert_eq!(model.predict(&features).unwrap(), labels);
    }
}

fn same(a: &KMeansModel, b: &KMeansModel) -> bool {
    bits(&a.centers().concat()) == bits(&b.centers().concat()) && a.labels() == b.labels()
}

#[test]
fn clusters_are_the_same_on_any_number_of_threads() {
    let features = blobs(5, 20_000, 4, 16, 8.0);
    for params in [KMeans::params(), KMeans::params().batch(256)] {
        let one = params.clone().threads(1).fit(&features).unwrap();
        for threads in [2, 5] {
            assert!(same(&params.clone().threads(threads).fit(&features).unwrap(), &one), "{threads} threads");
        }
        assert!(!same(&params.seed(99).starts(1).fit(&features).unwrap(), &one));
    }
}

#[test]
fn clusters_far_apart_are_found_and_batches_come_close() {
    let features = blobs(7, 8_000, 3, 8, 2.0);
    let places: Vec<i32> =
        (0..8_000).map(|i| row(&features, i).iter().fold(0, |place, x| 2 * place + i32::from(*x > 5.0))).collect();
    let model = KMeans::params().fit(&features).unwrap();
    assert_eq!(adjusted_rand_index(model.labels(), &places).unwrap(), 1.0);
    let batch = KMeans::params().batch(512).fit(&features).unwrap();
    assert!(batch.inertia() < 1.02 * model.inertia(), "{} {}", batch.inertia(), model.inertia());
    assert_eq!((model.clusters(), model.centers().len()), (8, 8));
    assert!(format!("{model:?}").starts_with("k-means, 8 clusters, inertia "), "{model:?}");
}

#[test]
fn scaling_takes_the_units_away() {
    let features = blobs(9, 2_000, 2, 4, 2.0);
    let column = |i: usize, factor: f64| features.column(i).iter().map(|x| x * factor - 3.0).collect();
    let other = numbers([("x0", column(0, 1e6)), ("x1", column(1, 1e-6))]);
    let params = KMeans::params().clusters(4);
    let (a, b) = (params.fit(&features).unwrap(), params.fit(&other).unwrap());
    assert_eq!(adjusted_rand_index(a.labels(), b.labels()).unwrap(), 1.0);
    let raw = params.scaled(false).fit(&other).unwrap();
    assert!(adjusted_rand_index(a.labels(), raw.labels()).unwrap() < 0.9);
    // A constant feature says nothing and harms nothing.
    let with = numbers([("x0", column(0, 1.0)), ("x1", column(1, 1.0)), ("c", vec![0.1; 2_000])]);
    let c = KMeans::params().clusters(4).fit(&with).unwrap();
    assert_eq!(c.labels(), a.labels());
}

#[test]
fn a_center_without_rows_is_given_one() {
    let x: Vec<f64> = (0..60).map(|i| f64::from(i / 20 * 100 + i % 20)).collect();
    let features = numbers([("x", x)]);
    // Two centres far away from all rows.
    let from = [vec![50.0], vec![1e6], vec![2e6]];
    let model = KMeans::params().clusters(3).scaled(false).start_from(&from).fit(&features).unwrap();
    let mut used = model.labels().to_vec();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, [0, 1, 2]);
    assert!(model.centers().concat().iter().all(|center| (0.0..=219.0).contains(center)), "{:?}", model.centers());
}

/// DBSCAN as in the paper: clusters grow from core row to core row, in the order of the rows.
fn dbscan(features: &FeatureMatrix, distance: f64, min_rows: usize) -> (Vec<i32>, Vec<bool>) {
    let rows: Vec<Vec<f64>> = (0..features.rows()).map(|i| row(features, i)).collect();
    let near =
        |i: usize| (0..rows.len()).filter(|&j| squared(&rows[i], &rows[j]) <= distance * distance).collect::<Vec<_>>();
    let neighbours: Vec<Vec<usize>> = (0..rows.len()).map(near).collect();
    let core: Vec<bool> = neighbours.iter().map(|near| near.len() >= min_rows).collect();
    let mut labels = vec![-1; rows.len()];
    let mut next = 0;
    for first in 0..rows.len() {
        if labels[first] >= 0 || !core[first] {
            continue;
        }
        let mut open = vec![first];
        while let Some(at) = open.pop() {
            if labels[at] >= 0 {
                continue;
            }
            labels[at] = next;
            if core[at] {
                open.extend(&neighbours[at]);
            }
        }
        next += 1;
    }
    (labels, core)
}

#[test]
fn dense_places_are_those_of_the_definition() {
    for (seed, columns, width) in [(1, 1, 20.0), (2, 2, 6.0), (3, 2, 12.0), (4, 3, 10.0), (5, 6, 7.0)] {
        let features = blobs(seed, 900, columns, 1 << columns, width);
        for distance in [0.05, 0.4, 1.1, 2.5, 9.0, 100.0] {
            for min_rows in [1, 2, 5, 20] {
                let (labels, core) = dbscan(&features, distance, min_rows);
                let params = Dbscan::params().scaled(false).distance(distance).min_rows(min_rows);
                for threads in [1, 3] {
                    let model = params.clone().threads(threads).fit(&features).unwrap();
                    let what = format!("{columns} columns, {distance}, {min_rows} rows, {threads} threads");
                    assert_eq!(model.core(), core, "{what}");
                    assert_eq!(model.labels(), labels, "{what}");
                    assert_eq!(model.clusters() as i32, labels.iter().max().unwrap() + 1, "{what}");
                }
            }
        }
    }
}

#[test]
fn rows_on_a_lattice_are_neighbours_at_exactly_the_distance() {
    // Every row is at distance 1 from two to four others, and no rounding may hide one.
    let (x, y): (Vec<f64>, Vec<f64>) = (0..400).map(|i| (f64::from(i % 20), f64::from(i / 20))).unzip();
    let features = numbers([("x", x), ("y", y)]);
    let model = |distance: f64| Dbscan::params().scaled(false).min_rows(5).distance(distance).fit(&features).unwrap();
    let found = model(1.0);
    assert_eq!((found.clusters(), found.core().iter().filter(|core| **core).count(), found.noise()), (1, 324, 4));
    assert_eq!((model(0.999).clusters(), model(0.999).noise()), (0, 400));
    assert_eq!(format!("{found:?}"), "DBSCAN, 1 clusters, 4 of 400 rows are noise");
}

#[test]
fn silhouettes_are_those_of_the_definition() {
    let features = blobs(11, 300, 3, 4, 9.0);
    let mut random = Random::new(12);
    let mut labels: Vec<i32> = (0..300).map(|_| random.below(4) as i32 - 1).collect();
    labels[7] = 50;
    let rows: Vec<Vec<f64>> = (0..300).map(|i| row(&features, i)).collect();
    let mean = |i: usize, label: i32| {
        let others: Vec<usize> = (0..300).filter(|&j| j != i && labels[j] == label).collect();
        others.iter().map(|&j| squared(&rows[i], &rows[j]).sqrt()).sum::<f64>() / others.len() as f64
    };
    let one = |i: usize| {
        let others = [-1, 0, 1, 2, 50].into_iter().filter(|&label| label != labels[i]);
        let (a, b) = (mean(i, labels[i]), others.map(|label| mean(i, label)).fold(f64::INFINITY, f64::min));
        if a.is_nan() { 0.0 } else { (b - a) / a.max(b) }
    };
    let expected = (0..300).map(one).sum::<f64>() / 300.0;
    assert_close("silhouette", &[silhouette(&features, &labels, false).unwrap()], &[expected], 1e-12);
    assert_close("all", &[silhouette_sampled(&features, &labels, false, 999, 1).unwrap()], &[expected], 1e-12);
    let model = KMeans::params().clusters(8).fit(&blobs(7, 8_000, 3, 8, 2.0)).unwrap();
    let apart = blobs(7, 8_000, 3, 8, 2.0);
    let whole = silhouette(&apart, model.labels(), true).unwrap();
    let sampled = silhouette_sampled(&apart, model.labels(), true, 1_500, 3).unwrap();
    assert!(whole > 0.6 && (whole - sampled).abs() < 0.02, "{whole} {sampled}");
}

#[test]
fn agreement_is_counted_by_pairs() {
    let mut random = Random::new(13);
    let a: Vec<i32> = (0..200).map(|_| random.below(5) as i32).collect();
    let b: Vec<i32> = a.iter().map(|a| if random.percent(70) { a + 10 } else { random.below(3) as i32 }).collect();
    let (mut both, mut only_a, mut only_b, mut none) = (0.0, 0.0, 0.0, 0.0);
    for i in 0..200 {
        for j in 0..i {
            match (a[i] == a[j], b[i] == b[j]) {
                (true, true) => both += 1.0,
                (true, false) => only_a += 1.0,
                (false, true) => only_b += 1.0,
                (false, false) => none += 1.0,
            }
        }
    }
    let expected: f64 =
        2.0 * (both * none - only_a * only_b) / ((both + only_a) * (only_a + none) + (both + only_b) * (only_b + none));
    assert_close("index", &[adjusted_rand_index(&a, &b).unwrap()], &[expected], 1e-12);
    let renamed: Vec<i32> = a.iter().map(|a| 9 - a).collect();
    assert_eq!(adjusted_rand_index(&a, &renamed).unwrap(), 1.0);
    assert_eq!(adjusted_rand_index(&[1, 1, 1], &[2, 2, 2]).unwrap(), 1.0);
}

#[test]
fn a_profile_says_which_features_stand_out() {
    let price = vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0];
    let mass = vec![4.0, 6.0, 4.0, 6.0, 4.0, 6.0, 5.0, 5.0];
    let features = numbers([("price", price), ("mass", mass), ("constant", vec![2.0; 8])]);
    let labels = [0, 0, 0, 0, 0, 0, 0, 1];
    let profiles = Profiles::of(&features, &labels).unwrap();
    let text = profiles.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "cluster 0: 7 rows (87.5 %); like all rows");
    assert_eq!(lines[1], "cluster 1: 1 rows (12.5 %); price 2.6 deviations above the mean");
    let one = &profiles.clusters()[1];
    assert_close("means", &one.means, &[9.0, 5.0, 2.0], 0.0);
    assert_close("differences", &one.differences, &[7.0_f64.sqrt(), 0.0, 0.0], 1e-12);
    let frame = profiles.frame().unwrap();
    assert_eq!(frame.get_column_names(), ["cluster", "rows", "share", "price", "mass", "constant", "words"]);
    assert!(profiles.html().starts_with("<ul class=\"haetae-profiles\"><li>cluster 0: 7 rows"), "{}", profiles.html());
    let noise = Profiles::of(&features, &[-1; 8]).unwrap().to_string();
    assert_eq!(noise, "noise: 8 rows (100.0 %); like all rows");
}
