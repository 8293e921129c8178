//! The greatest singular values of dense and sparse rows, beside those of all directions.

use haetae_features::FeatureMatrix;
use haetae_models::{Error, ModelCard, ModelFile, Pca, SparseMatrix, TruncatedSvd, TruncatedSvdModel};

use crate::data::{Random, assert_close, bits, numbers};

/// Rows of 40 features whose spread falls from feature to feature, each with mean 0: centring changes nothing.
fn centred(rows: usize) -> FeatureMatrix {
    let mut random = Random::new(4);
    let columns: Vec<Vec<f64>> = (0..40)
        .map(|i| {
            let own: Vec<f64> = (0..rows).map(|_| (random.unit() - 0.5) * 0.9_f64.powi(i)).collect();
            let mean = own.iter().sum::<f64>() / rows as f64;
            own.iter().map(|value| value - mean).collect()
        })
        .collect();
    FeatureMatrix::new((0..40).map(|i| format!("x{i}")).collect(), columns, vec![false; 40]).unwrap()
}

fn sparse(features: &FeatureMatrix) -> SparseMatrix {
    let (mut starts, mut positions, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in 0..features.rows() {
        for i in (0..features.columns()).filter(|&i| features.value(row, i) != 0.0) {
            positions.push(i as u32);
            values.push(features.value(row, i));
        }
        starts.push(values.len());
    }
    SparseMatrix::new(features.columns(), starts, positions, values).unwrap()
}

#[test]
fn the_greatest_directions_are_those_of_all() {
    let features = centred(2_500);
    let all = Pca::params().scaled(false).fit(&features).unwrap();
    let model = TruncatedSvd::params().components(5).fit(&features).unwrap();
    assert_close("values", model.singular_values(), &all.singular_values()[..5], 1e-8);
    for (found, expected) in model.directions().iter().zip(all.directions()) {
        let dot: f64 = found.iter().zip(expected).map(|(a, b)| a * b).sum();
        assert!((dot - 1.0).abs() < 1e-8, "{dot}");
    }
    let rows = model.transform(&features).unwrap();
    let length: f64 = rows.column(0).iter().map(|value| value * value).sum::<f64>().sqrt();
    assert_close("length", &[length], &all.singular_values()[..1], 1e-8);
    let other = TruncatedSvd::params().components(5).fit_sparse(&sparse(&features)).unwrap();
    assert_close("sparse", other.singular_values(), model.singular_values(), 1e-10);
    let along = other.transform_sparse(&sparse(&features)).unwrap();
    assert_close("sparse rows", along.column(3), rows.column(3), 1e-6);
    let again = TruncatedSvdModel::from_bytes(&model.to_bytes(&ModelCard::new())).unwrap();
    assert_eq!(bits(again.transform(&features).unwrap().values()), bits(rows.values()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let third = pool.install(|| TruncatedSvd::params().components(5).fit(&features)).unwrap();
    assert_eq!(bits(third.singular_values()), bits(model.singular_values()));
}

#[test]
fn rows_of_low_rank_and_odd_shapes() {
    // Three times the same direction: one value, the others 0, and no number that is none.
    let equal = numbers([("x", vec![1.0, 2.0, 2.0]), ("y", vec![2.0, 4.0, 4.0])]);
    let model = TruncatedSvd::params().fit(&equal).unwrap();
    assert_close("rank one", model.singular_values(), &[45.0_f64.sqrt(), 0.0], 1e-12);
    let none = numbers([("x", vec![0.0; 4]), ("y", vec![0.0; 4])]);
    assert_eq!(TruncatedSvd::params().fit(&none).unwrap().singular_values(), [0.0, 0.0]);
    let error = TruncatedSvd::params().components(3).fit(&equal).unwrap_err();
    assert!(matches!(error, Error::TooFewRows { expected: 3, found: 2, .. }), "{error}");
    let error = TruncatedSvd::params().components(5).iterations(1).fit(&centred(100)).unwrap_err();
    assert!(matches!(error, Error::NotSteady { iterations: 1, .. }), "{error}");
    let empty = SparseMatrix::new(3, vec![0], vec![], vec![]).unwrap();
    assert!(matches!(TruncatedSvd::params().fit_sparse(&empty), Err(Error::Empty { .. })));
    assert!(matches!(model.transform_sparse(&empty), Err(Error::Columns { expected: 0, found: 3 })));
    let params = TruncatedSvd::params;
    for (name, wrong) in [
        ("components", params().components(0)),
        ("iterations", params().iterations(0)),
        ("tolerance", params().tolerance(0.0)),
    ] {
        assert!(matches!(wrong.check(), Err(Error::Parameter { name: found, .. }) if found == name), "{name}");
    }
}
