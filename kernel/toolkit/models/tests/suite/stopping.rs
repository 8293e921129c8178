//! The stop button ends every fit, and what was asked before is as it was.

use haetae_features::FeatureMatrix;
use haetae_models::{
    Cnn, Dbscan, Error, Fcnn, GaussianMixture, Hdbscan, IsolationForest, KMeans, LeafLogistic, LightGbm, LinearSvm,
    Logistic, MarginLoss, MultinomialLogistic, Nystroem, Pca, RandomForest, Recurrent, Result, SparseMatrix, Svm,
    Tfidf, TruncatedSvd, Tsne, Umap, bootstrap, metrics, permutation_importance, silhouette,
};
use polars::prelude::*;

use crate::clusters::blobs;
use crate::lightgbm_fit::{ALONE, alone};
use crate::nets::{histories, series};

#[test]
fn the_stop_button_ends_every_fit() {
    // The wish is one of the whole process, and other tests are to go on.
    if std::env::var_os(ALONE).is_none() {
        alone("stopping::the_stop_button_ends_every_fit");
        return;
    }
    let features = blobs(1, 400, 3, 8, 3.0);
    let target: Vec<f64> = (0..400).map(|i| f64::from(features.value(i, 0) > 5.0)).collect();
    let labels: Vec<i32> = target.iter().map(|target| *target as i32).collect();
    let forest = RandomForest::params().trees(5).fit(&features, &target).unwrap();
    let svm = Svm::params().fit(&features, &target).unwrap();
    let landmarks = Nystroem::params().landmarks(5).fit(&features).unwrap();
    let centers = KMeans::params().clusters(3).fit(&features).unwrap();
    let bells = GaussianMixture::params().fit(&features).unwrap();
    let strange = IsolationForest::params().trees(5).fit(&features).unwrap();
    let trees = LightGbm::params().trees(5).fit(&features, &target).unwrap();
    let along = TruncatedSvd::params().fit(&features).unwrap();
    let goods = df!("goods" => ["steel pipe"; 400]).unwrap();
    let words = Tfidf::params().fit(&goods, "goods").unwrap();
    let starts: Vec<usize> = (0..=400).collect();
    let sparse = SparseMatrix::new(1, starts, vec![0; 400], features.column(0).to_vec()).unwrap();
    let (past, lines) = (histories(&features, 7), series(&features));
    let net = Fcnn::params().epochs(1).fit(&features, &target).unwrap();
    let chain = Recurrent::params().epochs(1).fit(&past, &target).unwrap();
    let (items, fraud, amounts) = crate::date::undervalued(1, 400);
    let date = crate::date::small().epochs(1);
    type Work<'a> = Box<dyn Fn(&FeatureMatrix) -> Result<()> + 'a>;
    let works: Vec<(&str, Work)> = vec![
        ("forest", Box::new(|x| RandomForest::params().trees(5).fit(x, &target).map(drop))),
        ("scores", Box::new(|x| forest.predict(x).map(drop))),
        ("contributions", Box::new(|x| forest.contributions(x).map(drop))),
        ("importance", Box::new(|x| permutation_importance(&|x| Ok(x.column(0).to_vec()), x, &target, 1, 1).map(drop))),
        ("k-means", Box::new(|x| KMeans::params().fit(x).map(drop))),
        ("batches", Box::new(|x| KMeans::params().clusters(1).batch(10).fit(x).map(drop))),
        ("DBSCAN", Box::new(|x| Dbscan::params().fit(x).map(drop))),
        ("mixture", Box::new(|x| GaussianMixture::params().bells(1).fit(x).map(drop))),
        ("isolation forest", Box::new(|x| IsolationForest::params().fit(x).map(drop))),
        ("PCA", Box::new(|x| Pca::params().fit(x).map(drop))),
        ("LightGBM", Box::new(|x| LightGbm::params().trees(5).fit(x, &target).map(drop))),
        ("logistic", Box::new(|x| Logistic::params().fit(x, &target).map(drop))),
        ("multinomial", Box::new(|x| MultinomialLogistic::params().classes(2).fit(x, &target).map(drop))),
        ("linear SVM", Box::new(|x| LinearSvm::params().fit(x, &target).map(drop))),
        ("hinge", Box::new(|x| LinearSvm::params().loss(MarginLoss::Hinge).fit(x, &target).map(drop))),
        ("sparse SVM", Box::new(|_| LinearSvm::params().fit_sparse(&sparse, &target).map(drop))),
        ("SVM", Box::new(|x| Svm::params().fit(x, &target).map(drop))),
        ("decisions", Box::new(|x| svm.decision(x).map(drop))),
        ("Nystroem", Box::new(|x| Nystroem::params().fit(x).map(drop))),
        ("landmarks", Box::new(|x| landmarks.transform(x).map(drop))),
        ("GBDT+LR", Box::new(|x| LeafLogistic::params().fit(x, &target).map(drop))),
        ("DATE", Box::new(|_| date.fit(&items, &fraud, &amounts).map(drop))),
        ("FCNN", Box::new(|x| Fcnn::params().epochs(1).fit(x, &target).map(drop))),
        ("probabilities", Box::new(|x| net.predict(x).map(drop))),
        ("histories", Box::new(|_| chain.predict(&past).map(drop))),
        ("recurrent net", Box::new(|_| Recurrent::params().epochs(1).fit(&past, &target).map(drop))),
        ("CNN", Box::new(|_| Cnn::params().epochs(1).fit(&lines, &target).map(drop))),
        ("t-SNE", Box::new(|x| Tsne::params().iterations(5).fit(x).map(drop))),
        ("UMAP", Box::new(|x| Umap::params().epochs(5).fit(x).map(drop))),
        ("HDBSCAN", Box::new(|x| Hdbscan::params().fit(x).map(drop))),
        ("truncated SVD", Box::new(|x| TruncatedSvd::params().fit(x).map(drop))),
        ("labels of later rows", Box::new(|x| centers.predict(x).map(drop))),
        ("densities", Box::new(|x| bells.log_densities(x).map(drop))),
        ("strangeness", Box::new(|x| strange.predict(x).map(drop))),
        ("scores of trees", Box::new(|x| trees.predict(x).map(drop))),
        ("contributions to trees", Box::new(|x| trees.contributions(x).map(drop))),
        ("TF-IDF", Box::new(|_| Tfidf::params().fit(&goods, "goods").map(drop))),
        ("texts", Box::new(|_| words.transform(&goods).map(drop))),
        ("rows along directions", Box::new(|x| along.transform(x).map(drop))),
        ("silhouette", Box::new(|x| silhouette(x, &labels, true).map(drop))),
        ("bootstrap", Box::new(|x| bootstrap(&metrics::auc, &target, x.column(0), 20, 0.9, 1).map(drop))),
    ];
    for (name, work) in works {
        haetae_display::stop::request();
        let error = work(&features).unwrap_err();
        let Error::Cancelled { what, .. } = error else { panic!("{name}: {error}") };
        // The same words for fits and for scores: a prediction loses no model.
        let said = error.to_string();
        assert!(said.starts_with("cancelled after ") && said.ends_with("; nothing of it was kept"), "{name}: {said}");
        // Nets do not read the features of all rows first.
        if ["FCNN", "probabilities", "recurrent net", "histories"].contains(&name) {
            assert_eq!(what, "features", "{name}");
        }
        haetae_display::stop::clear();
        assert!(work(&features).is_ok(), "{name}");
    }
}

#[test]
fn the_stop_button_ends_a_net_within_an_epoch() {
    if std::env::var_os(ALONE).is_none() {
        alone("stopping::the_stop_button_ends_a_net_within_an_epoch");
        return;
    }
    // One epoch of as many steps as there are rows: nothing else could end it, and it does not end before it is looked at.
    let (features, target) = crate::nets::mixed(1, 200_000);
    let fit = std::thread::spawn(move || Fcnn::params().hidden(&[4]).epochs(1).batch(1).fit(&features, &target));
    while haetae_display::work::now().is_none_or(|work| work.what != "epochs") {
        assert!(!fit.is_finished(), "it is over before it has begun");
        std::thread::yield_now();
    }
    haetae_display::stop::request();
    let found = fit.join().unwrap();
    assert!(matches!(found, Err(Error::Cancelled { what: "epochs", done: 0, of: 1 })), "{found:?}");
}
