"""The toolkit's models in cells beside scikit-learn on the same numbers."""

import json
import os
import re
import subprocess

import lightgbm
import numpy as np
import pytest
import scipy.sparse
from haetae_matrices import Matrices
from scipy.stats import ks_2samp, spearmanr
from sklearn.calibration import _SigmoidCalibration
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.datasets import make_blobs, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import (
    accuracy_score,
    adjusted_rand_score,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC


@pytest.fixture(scope="module")
def cells(kernel, tmp_path_factory):
    return Matrices(kernel, tmp_path_factory.mktemp("matrices"))


@pytest.fixture(scope="module")
def blobs(cells):
    rows, _ = make_blobs(3_000, 4, centers=6, cluster_std=1.8, random_state=3)
    cells.give(blobs=rows)
    return rows


@pytest.fixture(scope="module")
def fraud(cells):
    """Training and later rows with a fifth of fraud; two features have few values, and one says nothing."""
    rows, target = make_classification(
        6_000, 12, n_informative=6, n_redundant=2, weights=[0.8], flip_y=0.05, class_sep=0.7, random_state=5
    )
    rows[:, :2] = np.round(rows[:, :2])
    train, later = slice(0, 3_000), slice(3_000, None)
    cells.give(train=rows[train], target=target[train].astype(float), later=rows[later])
    return rows[train], target[train], rows[later], target[later]


def test_k_means_from_the_same_start_ends_at_the_same_centers(cells, blobs):
    peer = KMeans(6, init=blobs[:6], n_init=1, tol=0, max_iter=10_000).fit(blobs)
    cells.kernel.ok(
        "let start: Vec<Vec<f64>> = (0..6).map(|row| (0..4).map(|i| blobs.value(row, i)).collect()).collect();\n"
        "let means = KMeans::params().clusters(6).scaled(false).tolerance(0.0).iterations(10_000)\n"
        "    .start_from(&start).fit(&blobs)?;"
    )
    assert cells.number("means.inertia()") == pytest.approx(peer.inertia_, rel=1e-10)
    assert np.allclose(cells.take("&means.centers().concat()"), peer.cluster_centers_.ravel(), rtol=1e-9)
    assert (cells.take("&labels_as_numbers(means.labels())") == peer.labels_).all()


def test_k_means_of_its_own_start_is_as_good(cells, blobs):
    peer = min(KMeans(6, n_init=3, random_state=seed).fit(blobs).inertia_ for seed in range(3))
    assert cells.number("KMeans::params().clusters(6).scaled(false).fit(&blobs)?.inertia()") <= 1.001 * peer


@pytest.mark.parametrize("distance, rows", [(0.6, 4), (1.0, 10), (2.0, 5)])
def test_dbscan_labels_are_equal(cells, blobs, distance, rows):
    peer = DBSCAN(eps=distance, min_samples=rows).fit(blobs).labels_
    fit = f"Dbscan::params().scaled(false).distance({distance}).min_rows({rows}).fit(&blobs)?"
    assert (cells.take(f"&labels_as_numbers({fit}.labels())") == peer).all()


@pytest.mark.parametrize("cluster, neighbours", [(5, 5), (15, 15), (50, 10)])
def test_hdbscan_clusters_are_equal(cells, blobs, cluster, neighbours):
    peer = HDBSCAN(min_cluster_size=cluster, min_samples=neighbours, copy=True).fit(blobs)
    cells.kernel.ok(
        f"let dense = Hdbscan::params().scaled(false).min_cluster({cluster}).neighbours({neighbours}).fit(&blobs)?;"
    )
    labels = cells.take("&labels_as_numbers(dense.labels())")
    # Connections of equal length may be cut in another order: a row between two clusters may then change sides.
    assert adjusted_rand_score(labels, peer.labels_) > 0.999
    assert labels.max() == peer.labels_.max()
    same = (labels < 0) == (peer.labels_ < 0)
    assert same.mean() > 0.999
    apart = np.abs(cells.take("dense.probabilities()") - peer.probabilities_)[same]
    assert np.mean(apart < 1e-9) > 0.995


@pytest.mark.parametrize("ours, theirs", [("Full", "full"), ("Diagonal", "diag")])
def test_a_mixture_is_as_likely(cells, blobs, ours, theirs):
    peer = GaussianMixture(6, covariance_type=theirs, random_state=1, tol=1e-8, max_iter=5_000).fit(blobs)
    cells.kernel.ok(
        f"let bells = GaussianMixture::params().bells(6).covariance(Covariance::{ours}).scaled(false)\n"
        "    .tolerance(1e-8).iterations(5_000).starts(3).fit(&blobs)?;"
    )
    # Either may have met a better optimum; at the same one they agree to the tolerance.
    likelihood = cells.number("bells.log_likelihood()")
    assert likelihood >= peer.score(blobs) - 1e-5
    densities = cells.take("&bells.log_densities(&blobs)?")
    assert densities.mean() == pytest.approx(likelihood, abs=1e-9)
    if abs(likelihood - peer.score(blobs)) < 1e-5:
        assert np.allclose(densities, peer.score_samples(blobs), atol=1e-2)
        assert adjusted_rand_score(cells.take("&labels_as_numbers(&bells.labels())"), peer.predict(blobs)) > 0.999


def test_measures_of_clusters_are_equal(cells, blobs):
    labels = KMeans(6, n_init=1, random_state=1).fit(blobs).labels_
    others = KMeans(4, n_init=1, random_state=1).fit(blobs).labels_
    cells.give(a=labels.astype(float), b=others.astype(float))
    cells.kernel.ok("let whole = |v: &Vec<f64>| v.iter().map(|x| *x as i32).collect::<Vec<i32>>();\n"
                    "let la: Vec<i32> = whole(&a); let lb: Vec<i32> = whole(&b);")
    assert cells.number("silhouette(&blobs, &la, false)?") == pytest.approx(silhouette_score(blobs, labels), abs=1e-12)
    assert cells.number("adjusted_rand_index(&la, &lb)?") == pytest.approx(adjusted_rand_score(labels, others), abs=1e-12)


def test_principal_components_are_equal(cells, fraud):
    train = fraud[0] * np.logspace(-2, 2, 12)
    cells.give(wide=train)
    peer = PCA(svd_solver="full").fit(train)
    cells.kernel.ok("let pca = Pca::params().scaled(false).fit(&wide)?;")
    # Features that depend on others leave rounding alone, which has neither digits nor a direction.
    rounding = 1e-12 * peer.singular_values_[0]
    assert np.allclose(cells.take("pca.singular_values()"), peer.singular_values_, rtol=1e-8, atol=rounding)
    assert np.allclose(cells.take("pca.explained_variance()"), peer.explained_variance_, rtol=1e-8, atol=rounding)
    assert np.allclose(cells.take("&pca.explained_share()"), peer.explained_variance_ratio_, rtol=1e-8, atol=1e-12)
    directions = cells.take("&pca.directions().concat()").reshape(12, 12)
    kept = peer.singular_values_ > 1e3 * rounding
    assert kept.sum() >= 10
    assert np.allclose(np.abs((directions * peer.components_).sum(1))[kept], 1, atol=1e-8)


def test_maps_keep_neighbours_as_well(cells):
    rows, groups = make_blobs(600, 8, centers=6, cluster_std=2.0, random_state=9)
    cells.give(mapped=rows)
    peer = TSNE(random_state=1).fit(rows)
    theirs = trustworthiness(rows, peer.embedding_, n_neighbors=10)
    cells.kernel.ok("let tsne = Tsne::params().scaled(false).fit(&mapped)?;", timeout=300)
    cells.kernel.ok("let umap = Umap::params().scaled(false).fit(&mapped)?;", timeout=300)
    for name, below in (("tsne", 0.01), ("umap", 0.04)):
        ours = np.column_stack([cells.take(f"{name}.x()"), cells.take(f"{name}.y()")])
        trust = trustworthiness(rows, ours, n_neighbors=10)
        assert cells.number(f"{name}.trustworthiness(&mapped, 10)?") == pytest.approx(trust, abs=1e-12), name
        assert trust > theirs - below, name
        # The groups are apart in the rows, and so they are in the map.
        assert silhouette_score(ours, groups) > 0.5, name
    assert cells.number("tsne.divergence().unwrap_or(f64::NAN)") < 1.05 * peer.kl_divergence_
    shown = cells.kernel.ok("tsne.clone()").of("execute_result")[0]["data"]
    assert {"application/vnd.plotly.v1+json", "image/svg+xml"} <= shown.keys()
    assert cells.kernel.ok("umap.frame()?.shape()").text == "(600, 2)"


def test_the_greatest_singular_values_of_sparse_rows_are_equal(cells):
    random = np.random.default_rng(4)
    rows = scipy.sparse.random(1_500, 400, 0.02, "csr", random_state=random)
    # Some rows have something in common, so that a few directions stand out.
    rows = scipy.sparse.csr_matrix(rows.multiply(random.exponential(size=400) ** 2))
    rows.sort_indices()
    cells.give(starts=rows.indptr.astype(float), places=rows.indices.astype(float), stored=rows.data)
    cells.kernel.ok(
        "let terms = SparseMatrix::new(400, starts.iter().map(|x| *x as usize).collect(),\n"
        "    places.iter().map(|x| *x as u32).collect(), stored.clone())?;\n"
        "let svd = TruncatedSvd::params().components(6).fit_sparse(&terms)?;"
    )
    _, values, directions = np.linalg.svd(rows.toarray())
    assert np.allclose(cells.take("svd.singular_values()"), values[:6], rtol=1e-8)
    ours = cells.take("&svd.directions().concat()").reshape(6, 400)
    assert np.allclose(np.abs((ours * directions[:6]).sum(1)), 1, atol=1e-6)
    along = cells.take("svd.transform_sparse(&terms)?.values()").reshape(6, 1_500)
    assert np.allclose(along, ours @ rows.T, atol=1e-10)


def test_a_forest_ranks_as_well(cells, fraud):
    train, target, later, later_target = fraud
    ours, theirs, bags = [], [], []
    for seed in range(3):
        peer = RandomForestClassifier(60, oob_score=True, random_state=seed, n_jobs=2).fit(train, target)
        theirs.append(roc_auc_score(later_target, peer.predict_proba(later)[:, 1]))
        cells.kernel.ok(
            f"let forest = RandomForest::params().trees(60).out_of_bag(true).seed({seed}).fit(&train, &target)?;"
        )
        ours.append(roc_auc_score(later_target, cells.take("&forest.predict(&later)?")))
        bags.append(cells.number("forest.out_of_bag().unwrap().accuracy()") - peer.oob_score_)
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.005)
    assert np.mean(bags) == pytest.approx(0, abs=0.01)
    cells.kernel.ok(
        "let shares: Vec<f64> = (0..12)\n"
        '    .map(|i| forest.importance().iter().find(|one| one.0 == format!("x{i}")).unwrap().1).collect();'
    )
    assert np.allclose(cells.take("&shares"), peer.feature_importances_, atol=0.03)


def test_a_forest_of_several_classes_is_as_good(cells):
    rows, target = make_classification(
        4_000, 10, n_informative=6, n_classes=5, n_clusters_per_class=1, class_sep=0.9, flip_y=0.05, random_state=8
    )
    train, later = slice(0, 2_000), slice(2_000, None)
    cells.give(many=rows[train], kinds=target[train].astype(float), others=rows[later])
    ours, theirs, bags = [], [], []
    for seed in range(3):
        peer = RandomForestClassifier(60, oob_score=True, random_state=seed, n_jobs=2).fit(rows[train], target[train])
        theirs.append(log_loss(target[later], peer.predict_proba(rows[later])))
        cells.kernel.ok(
            f"let classes = RandomForest::params().classes(5).trees(60).out_of_bag(true).seed({seed}).fit(&many, &kinds)?;"
        )
        ours.append(log_loss(target[later], cells.take("&classes.predict(&others)?").reshape(-1, 5)))
        bags.append(cells.number("classes.out_of_bag().unwrap().accuracy()") - peer.oob_score_)
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.05)
    assert np.mean(bags) == pytest.approx(0, abs=0.015)


def test_contributions_sum_to_the_score(cells, fraud):
    cells.kernel.ok(
        "let some = later.select_rows(&(0..40).collect::<Vec<_>>());\n"
        "let told = forest.contributions(&some)?;\n"
        "let sums: Vec<f64> =\n"
        "    (0..40).map(|row| told.row(row, 0).iter().sum::<f64>() + told.expected(row, 0)).collect();"
    )
    assert np.allclose(cells.take("&sums"), cells.take("&forest.predict(&some)?"), atol=1e-10)


def test_contributions_are_drawn_and_told(cells, fraud):
    told = cells.kernel.ok("let linear = Logistic::params().fit(&train, &target)?.contributions(&later)?;\nlinear.sentence(7, 0, 2)")
    assert told.text.strip('"').startswith("The score is ") and "all else" in told.text
    for cell in ("told.chart(3, 5)", "linear.chart(7, 5)", "told.chart_of_all(5)"):
        [result] = cells.kernel.ok(cell).of("execute_result")
        assert {"application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"} <= set(result["data"]), cell


def test_strange_rows_are_the_same(cells):
    random = np.random.default_rng(7)
    rows = np.vstack([random.normal(size=(1_900, 5)), random.uniform(-5, 5, size=(100, 5))])
    cells.give(rows=rows)
    ours = cells.take("&IsolationForest::params().fit(&rows)?.predict(&rows)?")
    theirs = -IsolationForest(random_state=1).fit(rows).score_samples(rows)
    target = np.arange(2_000) >= 1_900
    assert roc_auc_score(target, ours) == pytest.approx(roc_auc_score(target, theirs), abs=0.02)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.01)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.97


def test_a_logistic_regression_has_the_same_probabilities(cells, fraud):
    train, target, later, _ = fraud
    scaler = StandardScaler().fit(train)
    peer = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(scaler.transform(train), target)
    expected = peer.predict_proba(scaler.transform(later))[:, 1]
    assert np.allclose(cells.take("&Logistic::params().c(0.5).fit(&train, &target)?.predict(&later)?"), expected, atol=1e-5)


def test_a_logistic_regression_with_an_absolute_penalty_leaves_the_same_features_out(cells, fraud):
    train, target, later, _ = fraud
    scaler = StandardScaler().fit(train)
    peer = LogisticRegression(C=0.01, l1_ratio=1, solver="saga", tol=1e-10, max_iter=100_000)
    peer.fit(scaler.transform(train), target)
    cells.kernel.ok("let few = Logistic::params().penalty(Penalty::L1).c(0.01).fit(&train, &target)?;")
    weights = cells.take("few.weights()")
    assert ((weights == 0) == (peer.coef_[0] == 0)).all() and (weights == 0).any()
    assert np.allclose(weights, peer.coef_[0], atol=1e-5)
    assert np.allclose(cells.take("&few.predict(&later)?"), peer.predict_proba(scaler.transform(later))[:, 1], atol=1e-5)


@pytest.fixture(scope="module")
def lanes(cells):
    """Rows of three classes, the last of which is rare, and later ones."""
    rows, target = make_classification(
        4_000, 10, n_informative=6, n_classes=3, n_clusters_per_class=1, weights=[0.5, 0.4], flip_y=0.1, random_state=2
    )
    train, later = slice(0, 2_000), slice(2_000, None)
    cells.give(entries=rows[train], lane=target[train].astype(float), entering=rows[later])
    return rows[train], target[train], rows[later], target[later]


@pytest.mark.parametrize("weight, balance", [("Equal", None), ("Balanced", "balanced")])
def test_a_logistic_regression_of_three_classes_has_the_same_weights(cells, lanes, weight, balance):
    train, target, later, _ = lanes
    scaler = StandardScaler().fit(train)
    peer = LogisticRegression(C=0.5, tol=1e-12, max_iter=100_000, class_weight=balance)
    peer.fit(scaler.transform(train), target)
    cells.kernel.ok(
        f"let three = MultinomialLogistic::params().c(0.5).class_weight(ClassWeight::{weight}).tolerance(1e-9)\n"
        "    .fit(&entries, &lane)?;"
    )
    chances = cells.take("&three.predict(&entering)?").reshape(-1, 3)
    assert np.allclose(chances, peer.predict_proba(scaler.transform(later)), rtol=0, atol=1e-6)
    for class_ in range(3):
        assert np.allclose(cells.take(f"three.weights({class_})"), peer.coef_[class_], rtol=0, atol=1e-5)
        # The same number more on all intercepts changes nothing.
        intercept = peer.intercept_[class_] - peer.intercept_.mean()
        assert cells.number(f"three.intercept({class_})") == pytest.approx(intercept, abs=1e-5)


def test_a_logistic_regression_of_three_classes_leaves_the_same_features_out(cells, lanes):
    train, target, later, _ = lanes
    scaler = StandardScaler().fit(train)
    peer = LogisticRegression(C=0.01, l1_ratio=1, solver="saga", tol=1e-10, max_iter=100_000)
    peer.fit(scaler.transform(train), target)
    cells.kernel.ok("let few = MultinomialLogistic::params().penalty(Penalty::L1).c(0.01).fit(&entries, &lane)?;")
    weights = np.stack([cells.take(f"few.weights({class_})") for class_ in range(3)])
    assert ((weights == 0) == (peer.coef_ == 0)).all() and (weights == 0).any()
    assert np.allclose(weights, peer.coef_, rtol=0, atol=1e-5)
    chances = cells.take("&few.predict(&entering)?").reshape(-1, 3)
    assert np.allclose(chances, peer.predict_proba(scaler.transform(later)), rtol=0, atol=1e-5)


def test_a_logistic_regression_of_three_classes_on_sparse_rows_has_the_same_probabilities(cells):
    random = np.random.default_rng(6)
    rows = scipy.sparse.random(1_500, 300, 0.02, "csr", random_state=random, data_rvs=random.standard_normal)
    rows.sort_indices()
    target = (rows @ random.normal(size=(300, 3)) + random.normal(size=(1_500, 3))).argmax(1)
    cells.give(starts=rows.indptr.astype(float), places=rows.indices.astype(float), stored=rows.data)
    cells.give(which=target.astype(float))
    cells.kernel.ok(
        "let words = SparseMatrix::new(300, starts.iter().map(|x| *x as usize).collect(),\n"
        "    places.iter().map(|x| *x as u32).collect(), stored.clone())?;"
    )
    peer = LogisticRegression(tol=1e-12, max_iter=100_000).fit(rows, target)
    fit = "MultinomialLogistic::params().c(1.0).tolerance(1e-9).fit_sparse(&words, &which)?"
    chances = cells.take(f"&{fit}.predict_sparse(&words)?").reshape(-1, 3)
    assert np.allclose(chances, peer.predict_proba(rows), rtol=0, atol=1e-6)


def test_logistic_regressions_weigh_rows_alike(cells, fraud, lanes):
    random = np.random.default_rng(8)
    for (train, target, later, _), names in [(fraud, "&train, &target"), (lanes, "&entries, &lane")]:
        # Some rows weigh nothing.
        weights = np.maximum(random.normal(2, 2, len(target)), 0)
        cells.give(weighs=weights)
        scaler = StandardScaler().fit(train)
        peer = LogisticRegression(C=0.5, tol=1e-10, max_iter=100_000)
        chances = peer.fit(scaler.transform(train), target, weights).predict_proba(scaler.transform(later))
        kind, rows = ("Logistic", "later") if target.max() == 1 else ("MultinomialLogistic", "entering")
        ours = cells.take(f"&{kind}::params().c(0.5).fit_weighted({names}, &weighs)?.predict(&{rows})?")
        assert np.allclose(ours, chances[:, 1] if kind == "Logistic" else chances.ravel(), rtol=0, atol=1e-5), kind
        plain = cells.take(f"&{kind}::params().c(0.5).fit({names})?.predict(&{rows})?")
        assert np.abs(ours - plain).max() > 0.01


def test_figures_of_several_classes_are_equal(cells, lanes):
    truth = lanes[3]
    chances = np.random.default_rng(1).dirichlet([1, 1, 1], len(truth)) * 0.5 + 0.5 * np.eye(3)[truth]
    # Of the last class few are found, and some are taken for each other.
    chances[::3] = np.roll(chances[::3], 1, axis=1)
    found = chances.argmax(1)
    cells.give(classes=truth.astype(float), chances=chances.ravel())
    assert (cells.take("&metrics::likeliest(&chances, 3)?") == found).all()
    cells.kernel.ok("let taken = metrics::likeliest(&chances, 3)?;\nlet table = metrics::confusion(&classes, &taken, 3)?;")
    assert cells.number("metrics::accuracy(&classes, &taken)?") == pytest.approx(accuracy_score(truth, found), abs=1e-12)
    loss = cells.number("metrics::log_loss_of_classes(&classes, &chances, 3)?")
    assert loss == pytest.approx(log_loss(truth, chances), abs=1e-12)
    precision, recall, _, rows = precision_recall_fscore_support(truth, found)
    expected = dict(zip([f"as_{class_}" for class_ in range(3)], confusion_matrix(truth, found).T))
    expected |= {"precision": precision, "recall": recall, "rows": rows}
    for name, values in expected.items():
        assert np.allclose(cells.take(f'&table.numbers("{name}")?'), values, rtol=0, atol=1e-12), name


@pytest.mark.parametrize("ours, theirs", [("SquaredHinge", "squared_hinge"), ("Hinge", "hinge")])
@pytest.mark.parametrize("weight, balance", [("Equal", None), ("Balanced", "balanced")])
def test_a_linear_margin_has_the_same_weights(cells, fraud, ours, theirs, weight, balance):
    train, target, _, _ = fraud
    peer = LinearSVC(C=0.05, loss=theirs, tol=1e-8, max_iter=1_000_000, class_weight=balance, dual=True)
    peer.fit(StandardScaler().fit_transform(train), target)
    cells.kernel.ok(
        f"let plane = LinearSvm::params().c(0.05).loss(MarginLoss::{ours}).class_weight(ClassWeight::{weight})\n"
        "    .tolerance(1e-8).iterations(1_000_000).fit(&train, &target)?;"
    )
    assert np.allclose(cells.take("plane.weights()"), peer.coef_[0], atol=1e-5)
    assert cells.number("plane.intercept()") == pytest.approx(peer.intercept_[0], abs=1e-5)


@pytest.mark.parametrize("ours, theirs", [("SquaredHinge", "squared_hinge"), ("Hinge", "hinge")])
@pytest.mark.parametrize("columns", [500, 6_000])
def test_a_margin_of_sparse_rows_has_the_same_decisions(cells, ours, theirs, columns):
    random = np.random.default_rng(3)
    rows = scipy.sparse.random(2_000, columns, 0.01, "csr", random_state=random, data_rvs=random.standard_normal)
    rows.sort_indices()
    target = rows @ random.normal(size=columns) + random.normal(size=2_000) > 0
    cells.give(starts=rows.indptr.astype(float), places=rows.indices.astype(float), stored=rows.data)
    cells.give(sides=target.astype(float))
    cells.kernel.ok(
        f"let sparse = SparseMatrix::new({columns}, starts.iter().map(|x| *x as usize).collect(),\n"
        "    places.iter().map(|x| *x as u32).collect(), stored.clone())?;"
    )
    fit = f"LinearSvm::params().loss(MarginLoss::{ours}).tolerance(1e-7).iterations(100_000).fit_sparse(&sparse, &sides)?"
    peer = LinearSVC(loss=theirs, tol=1e-7, max_iter=100_000, dual=True).fit(rows, target)
    assert np.allclose(cells.take(f"&{fit}.decision_sparse(&sparse)?"), peer.decision_function(rows), atol=1e-4)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        ("kernel(Kernel::Rbf)", dict(kernel="rbf")),
        ("kernel(Kernel::Rbf).gamma(0.3).c(20.0)", dict(kernel="rbf", gamma=0.3, C=20)),
        ("kernel(Kernel::Polynomial { degree: 3, constant: 1.0 })", dict(kernel="poly", degree=3, coef0=1.0)),
        ("kernel(Kernel::Linear).c(0.5)", dict(kernel="linear", C=0.5)),
        ("class_weight(ClassWeight::Balanced).cache_mb(1)", dict(class_weight="balanced")),
    ],
)
def test_a_kernel_margin_has_the_same_decisions(cells, fraud, ours, theirs):
    train, target, later, _ = fraud
    scaler = StandardScaler().fit(train)
    peer = SVC(tol=1e-5, **theirs).fit(scaler.transform(train), target)
    cells.kernel.ok(f"let margin = Svm::params().tolerance(1e-5).{ours}.fit(&train, &target)?;")
    expected = peer.decision_function(scaler.transform(later))
    assert np.allclose(cells.take("&margin.decision(&later)?"), expected, atol=1e-3)
    assert cells.number("margin.intercept()") == pytest.approx(peer.intercept_[0], abs=1e-3)
    assert abs(cells.number("margin.support().len()") - len(peer.support_)) <= 3


def test_landmarks_come_near_the_kernel(cells, fraud):
    train, target, later, later_target = fraud
    scaler = StandardScaler().fit(train)
    peer = SVC().fit(scaler.transform(train), target).decision_function(scaler.transform(later))
    cells.kernel.ok(
        "let landmarks = Nystroem::params().landmarks(300).fit(&train)?;\n"
        "let plane = LinearSvm::params().scaled(false).fit(&landmarks.transform(&train)?, &target)?;"
    )
    ours = cells.take("&plane.decision(&landmarks.transform(&later)?)?")
    assert roc_auc_score(later_target, ours) > roc_auc_score(later_target, peer) - 0.01


def test_calibration_and_figures_are_equal(cells, fraud):
    target = fraud[3].astype(float)
    scores = np.round(fraud[2][:, 3] + target, 2)
    said = 1 / (1 + np.exp(-scores))
    cells.give(truth=target, scores=scores, said=said)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(scores, target)
    assert np.allclose(cells.take("&Isotonic::fit(&scores, &truth)?.predict(&scores)"), isotonic.predict(scores), atol=1e-12)
    sigmoid = _SigmoidCalibration().fit(scores, target)
    assert np.allclose(cells.take("&Platt::fit(&scores, &truth)?.predict(&scores)"), sigmoid.predict(scores), atol=1e-4)
    assert cells.number("metrics::auc(&truth, &scores)?") == pytest.approx(roc_auc_score(target, scores), abs=1e-12)
    average = average_precision_score(target, scores)
    assert cells.number("metrics::average_precision(&truth, &scores)?") == pytest.approx(average, abs=1e-12)
    ks = ks_2samp(scores[target == 1], scores[target == 0]).statistic
    assert cells.number("metrics::ks(&truth, &scores)?") == pytest.approx(ks, abs=1e-12)
    assert cells.number("metrics::brier(&truth, &said)?") == pytest.approx(brier_score_loss(target, said), abs=1e-12)
    assert cells.number("metrics::log_loss(&truth, &said)?") == pytest.approx(log_loss(target, said), abs=1e-12)


def test_results_are_shown_as_tables_and_sentences(cells, blobs):
    shown = lambda code: cells.kernel.ok(code).of("execute_result")[0]["data"]
    profiles = shown("KMeans::params().clusters(3).fit(&blobs)?.profiles(&blobs)?")
    assert profiles["text/plain"].startswith("cluster 0: ") and "deviations" in profiles["text/plain"]
    assert profiles["text/html"].count("<li>") == 3
    assert "<table" in shown("Pca::params().fit(&blobs)?")["text/html"]
    assert "came_true" in shown("reliability(&[0.0, 1.0, 1.0], &[0.1, 0.6, 0.8], 3)?")["text/html"]
    assert "interval" in shown("bootstrap(&metrics::auc, &[0.0, 1.0, 1.0], &[0.1, 0.6, 0.8], 50, 0.9, 1)?")["text/plain"]


def test_a_model_goes_through_a_file(cells, fraud, tmp_path):
    path = str(tmp_path / "fraud.model")
    cells.kernel.ok(
        "let saved = RandomForest::params().trees(10).fit(&train, &target)?;\n"
        f'saved.save("{path}", &ModelCard::new().trained_on("day 1").metric("auc", 0.9))?;\n'
        f'let loaded = RandomForestModel::load("{path}")?;'
    )
    assert (cells.take("&loaded.predict(&later)?") == cells.take("&saved.predict(&later)?")).all()
    card = cells.kernel.ok(f'model_card("{path}")?').text
    assert "kind: random forest" in card and "trained on: day 1" in card and "metrics: auc 0.9" in card
    cells.kernel.fails(f'KMeansModel::load("{path}")?;', "Error", "of the kind `random forest`, expected `k-means`")
    whole = open(path, "rb").read()
    open(path, "wb").write(whole[:-1])
    cells.kernel.fails(f'RandomForestModel::load("{path}")?;', "Error", f"cut off after {len(whole) - 1} bytes")


def test_what_cannot_be_fitted_says_why(cells, kernel):
    kernel.fails("RandomForest::params().fit(&blobs, &vec![1.0; 3_000])?;", "Error", "found only 1 in 3000 rows")


def test_weights_of_leaves_are_those_of_a_logistic_regression_on_lightgbms_leaves(cells, fraud, tmp_path):
    train, target, later, _ = fraud
    text = tmp_path / "trees.txt"
    cells.kernel.ok("let leafy = LeafLogistic::params().trees(LightGbm::params().trees(20).leaves(8)).c(0.05).fit(&train, &target)?;")
    cells.kernel.ok(f"std::fs::write({json.dumps(str(text))}, leafy.trees().text())?;")
    leaves = lightgbm.Booster(model_file=str(text)).predict(np.vstack([train, later]), pred_leaf=True)
    mine = cells.take("&leafy.trees().leaves(&later)?.iter().map(|leaf| f64::from(*leaf)).collect::<Vec<f64>>()")
    assert (mine.reshape(len(later), -1) == leaves[len(train):]).all()
    ones = OneHotEncoder().fit_transform(leaves)
    peer = LogisticRegression(C=0.05, tol=1e-10, max_iter=10_000).fit(ones[: len(train)], target)
    theirs = peer.predict_proba(ones[len(train):])[:, 1]
    assert np.abs(cells.take("&leafy.predict(&later)?") - theirs).max() < 1e-5


def test_weights_of_rows_and_a_loss_of_ones_own_give_lightgbms_trees(cells, fraud):
    train, target, later, _ = fraud
    weights = 1.0 + np.arange(len(target)) % 3
    cells.give(weighed=weights)
    cells.kernel.ok("let few = LightGbm::params().trees(30).leaves(8).threads(1);")
    told = {"num_leaves": 8, "seed": 7, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}

    def theirs(objective, **data):
        model = lightgbm.train({**told, "objective": objective}, lightgbm.Dataset(train, target, **data), 30)
        return model.predict(later)

    ours = cells.take("&few.fit_weighted(&train, &target, &weighed)?.predict(&later)?")
    assert np.allclose(ours, theirs("binary", weight=weights), rtol=0, atol=1e-9)
    assert np.abs(ours - theirs("binary")).max() > 1e-3
    # Squared differences of which those above the target count twice.
    own = lambda said, data: (lambda off: (np.where(off > 0, 2, 1) * off, np.where(off > 0, 2.0, 1.0)))(said - data.get_label())
    cells.kernel.ok(
        "let own = few.fit_own(&train, &target, &|said, target| {\n"
        "    let off: Vec<f64> = said.iter().zip(target).map(|(said, target)| said - target).collect();\n"
        "    let factor: Vec<f64> = off.iter().map(|off| if *off > 0.0 { 2.0 } else { 1.0 }).collect();\n"
        "    (off.iter().zip(&factor).map(|(off, factor)| off * factor).collect(), factor)\n"
        "})?;"
    )
    assert np.allclose(cells.take("&own.predict(&later)?"), theirs(own), rtol=0, atol=1e-6)


def test_trees_of_three_classes_and_what_they_rest_on_are_lightgbms(cells, lanes):
    train, target, later, _ = lanes
    told = {"objective": "multiclass", "num_class": 3, "num_leaves": 8, "seed": 7, "num_threads": 1, "deterministic": True}
    peer = lightgbm.train({**told, "force_row_wise": True, "verbosity": -1}, lightgbm.Dataset(train, target), 20)
    cells.kernel.ok(
        "let grown = LightGbm::params().objective(Objective::Classes(3)).trees(20).leaves(8).threads(1).fit(&entries, &lane)?;\n"
        "let owed = grown.contributions(&entering)?;\n"
        "let parts: Vec<f64> = (0..owed.rows()).flat_map(|row| (0..3).map(move |class| (row, class)))\n"
        "    .flat_map(|(row, class)| [owed.row(row, class), &[owed.expected(row, class)]].concat()).collect();"
    )
    assert np.allclose(cells.take("&grown.predict(&entering)?").reshape(-1, 3), peer.predict(later), rtol=0, atol=1e-9)
    shares = peer.predict(later, pred_contrib=True)
    assert np.allclose(cells.take("&parts").reshape(shares.shape), shares, rtol=0, atol=1e-6)


def test_nothing_of_a_graphics_driver_is_needed_to_start(kernel):
    """The loader finds every library without a search path, and none of them is one that only a driver brings."""
    worker = int(kernel.ok('println!("{}", std::process::id());').stdout)
    programs = {os.path.realpath(f"/proc/{worker}/exe")}
    with open(f"/proc/{worker}/maps") as maps:
        programs |= {line.split()[-1] for line in maps if line.strip().endswith("/libhaetae.so")}
    assert any(path.endswith("/libhaetae.so") for path in programs)
    for path in programs:
        found = subprocess.run(["ldd", path], capture_output=True, text=True)
        # The standard library of the compiler that cells are compiled with is the one thing that the kernel adds itself.
        missing = [line for line in found.stdout.splitlines() if "not found" in line and "libstd-" not in line]
        assert found.returncode == 0 and not missing, found.stdout
        assert not re.search(r"libcud|libnv|libcublas", found.stdout), found.stdout


def test_date_in_a_cell_learns_both_tasks(cells):
    random = np.random.default_rng(11)
    rows = 3_000
    importer, price, unit = random.integers(0, 30, rows), np.exp(random.normal(10, 2, rows)), random.normal(size=rows)
    fraud = random.random(rows) < np.where(importer < 6, 0.6, 0.03)
    unit -= fraud
    cells.give(importer=importer.astype(float), price=price, unit=unit, fraud=fraud.astype(float), revenue=fraud * price * 0.1)
    cells.kernel.ok(
        'let lines = FeatureMatrix::new(["importer_id", "price", "unit"].map(str::to_owned).to_vec(),\n'
        "    vec![importer.clone(), price.clone(), unit.clone()], vec![true, false, false])?;\n"
        "let first = lines.select_rows(&(0..1500).collect::<Vec<usize>>());\n"
        "let second = lines.select_rows(&(1500..3000).collect::<Vec<usize>>());\n"
        'let date = DateNet::params().entities(&["importer_id"]).epochs(8)\n'
        "    .fit(&first, &fraud[..1500], &revenue[..1500])?;\n"
        "let (chances, brought) = date.predict_both(&second)?;"
    )
    chances, brought = cells.take("&chances"), cells.take("&brought")
    later = fraud[1500:]
    assert roc_auc_score(later, chances) > 0.85
    # Among frauds the revenue is in the order of the price.
    assert spearmanr(brought[later], price[1500:][later]).statistic > 0.6


def test_an_fcnn_is_as_good_as_scikit_learns(cells, fraud):
    train, target, later, truth = fraud
    scaler = StandardScaler().fit(train)
    peer = MLPClassifier((64, 32), batch_size=64, max_iter=20, random_state=1)
    with pytest.warns(match="Maximum iterations"):
        peer.fit(scaler.transform(train), target)
    expected = roc_auc_score(truth, peer.predict_proba(scaler.transform(later))[:, 1])
    found = roc_auc_score(truth, cells.take("&Fcnn::params().batch(64).fit(&train, &target)?.predict(&later)?"))
    assert found > expected - 0.01
    assert expected > 0.8


def test_a_recurrent_net_in_a_cell_scores_by_the_past(cells):
    """The target of a row is whether the row before it in its history is above 0; first rows have 0."""
    random = np.random.default_rng(4)
    rows = random.standard_normal((1_000, 1))
    key = np.arange(1_000) % 20
    before = np.concatenate([np.full((20, 1), -1.0), rows[:-20]])[:, 0]
    cells.give(history=rows, who=key.astype(float), above=(before > 0).astype(float))
    cells.kernel.ok(
        "let day: Vec<f64> = (0..1_000).map(f64::from).collect();\n"
        'let frame = DataFrame::new(1_000, vec![Column::new("who".into(), who.clone()), Column::new("day".into(), day)])?;\n'
        'let histories = Sequences::new(&history, &frame, &["who"], "day")?;\n'
        "let net = Recurrent::params().gates(Gates::Gru).width(8).epochs(40).batch(4).learning_rate(0.02)"
        ".fit(&histories, &above)?;"
    )
    assert roc_auc_score(before > 0, cells.take("&net.predict(&histories)?")) > 0.97
