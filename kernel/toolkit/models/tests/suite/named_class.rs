//! Probabilities are those of target 1, however rare it is: a model that goes by counts or by order would name the other.

use haetae_features::FeatureMatrix;
use haetae_models::{
    DateNet, Fcnn, Isotonic, LeafLogistic, LightGbm, LinearSvm, Logistic, Platt, RandomForest, Svm, metrics,
};

use crate::data::{Random, even};

/// `share` of the rows have target 1, which is likelier where `x` is great; the first row has target `first`.
fn rare(share: f64, first: f64) -> (FeatureMatrix, Vec<f64>, Vec<f64>) {
    let mut random = Random::new(3);
    let rows = 800;
    let (mut x, z) = (even(&mut random, rows), even(&mut random, rows));
    let mut target: Vec<f64> = (0..rows).map(|_| f64::from(random.unit() < share)).collect();
    target[0] = first;
    x.iter_mut().zip(&target).for_each(|(x, target)| *x += 0.7 * target);
    let code = (0..rows).map(|row| (row % 4) as f64).collect();
    let names = ["x", "z", "importer_id"].map(str::to_owned).to_vec();
    let features = FeatureMatrix::new(names, vec![x, z, code], vec![false, false, true]).unwrap();
    let revenue = target.iter().map(|target| 100.0 * target).collect();
    (features, target, revenue)
}

#[test]
fn probabilities_are_of_target_1_however_rare_it_is() {
    for (share, first) in [(0.05, 0.0), (0.05, 1.0), (0.95, 0.0), (0.95, 1.0)] {
        let (features, target, revenue) = rare(share, first);
        let numbers = FeatureMatrix::new(
            features.names()[..2].to_vec(),
            vec![features.column(0).to_vec(), features.column(1).to_vec()],
            vec![false; 2],
        )
        .unwrap();
        let trees = LightGbm::params().trees(20).leaves(4).threads(1);
        let svm = Svm::params().fit(&numbers, &target).unwrap().decision(&numbers).unwrap();
        let linear = LinearSvm::params().fit(&features, &target).unwrap().decision(&features).unwrap();
        let date = DateNet::params().entities(&["importer_id"]).trees(trees.clone().trees(5)).revenue_trees(2).width(4);
        let date = date.heads(1).hidden(8).epochs(10).held_out(0.0).fit(&features, &target, &revenue).unwrap();
        let scores: [(&str, Vec<f64>); 8] = [
            ("LightGBM", trees.fit(&features, &target).unwrap().predict(&features).unwrap()),
            ("forest", RandomForest::params().trees(30).fit(&features, &target).unwrap().predict(&features).unwrap()),
            ("logistic", Logistic::params().fit(&features, &target).unwrap().predict(&features).unwrap()),
            (
                "GBDT+LR",
                LeafLogistic::params().trees(trees).fit(&features, &target).unwrap().predict(&features).unwrap(),
            ),
            (
                "FCNN",
                Fcnn::params().hidden(&[8]).epochs(30).fit(&features, &target).unwrap().predict(&features).unwrap(),
            ),
            ("DATE", date.predict(&features).unwrap()),
            ("Platt", Platt::fit(&svm, &target).unwrap().predict(&svm)),
            ("isotonic", Isotonic::fit(&linear, &target).unwrap().predict(&linear)),
        ];
        for (name, scores) in scores {
            let auc = metrics::auc(&target, &scores).unwrap();
            assert!(auc > 0.7, "{name}, share {share}, first {first}: {auc}");
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            assert!((mean - share).abs() < 0.05, "{name}, share {share}, first {first}: {mean}");
        }
    }
}
