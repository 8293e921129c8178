"""Logistic regressions and support vector machines in cells beside scikit-learn's on the same numbers."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC


def test_a_logistic_regression_has_the_same_probabilities(cells, fraud):
    train, target, later, _ = fraud
    scaler = StandardScaler().fit(train)
    peer = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(scaler.transform(train), target)
    expected = peer.predict_proba(scaler.transform(later))[:, 1]
    assert np.allclose(cells.take("&Logistic::params().c(0.5).fit(&train, &target)?.predict(&later)?"), expected, atol=1e-5)


def test_a_logistic_regression_with_an_absolute_penalty_leaves_the_same_features_out(cells, fraud):
    train, target, later, _ = fraud
    scaler = StandardScaler().fit(train)
    peer = LogisticRegression(C=0.01, l1_ratio=1, solver="saga", tol=1e-10, max_iter=100_000, random_state=1)
    peer.fit(scaler.transform(train), target)
    cells.kernel.ok("let few = Logistic::params().penalty(Penalty::L1).c(0.01).fit(&train, &target)?;")
    weights = cells.take("few.weights()")
    assert ((weights == 0) == (peer.coef_[0] == 0)).all() and (weights == 0).any()
    assert np.allclose(weights, peer.coef_[0], atol=1e-5)
    assert np.allclose(cells.take("&few.predict(&later)?"), peer.predict_proba(scaler.transform(later))[:, 1], atol=1e-5)


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
    peer = LogisticRegression(C=0.01, l1_ratio=1, solver="saga", tol=1e-10, max_iter=100_000, random_state=1)
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
    target = (rows @ random.normal(size=(300, 3)) + random.normal(size=(1_500, 3))).argmax(1)
    cells.give_sparse(words=rows)
    cells.give(which=target.astype(float))
    peer = LogisticRegression(tol=1e-12, max_iter=100_000).fit(rows, target)
    fit = "MultinomialLogistic::params().c(1.0).tolerance(1e-9).fit_sparse(&words, &which)?"
    chances = cells.take(f"&{fit}.predict_sparse(&words)?").reshape(-1, 3)
    assert np.allclose(chances, peer.predict_proba(rows), rtol=0, atol=1e-6)


@pytest.mark.parametrize("ours, theirs", [("SquaredHinge", "squared_hinge"), ("Hinge", "hinge")])
@pytest.mark.parametrize("weight, balance", [("Equal", None), ("Balanced", "balanced")])
def test_a_linear_margin_has_the_same_weights(cells, fraud, ours, theirs, weight, balance):
    train, target, _, _ = fraud
    peer = LinearSVC(C=0.05, loss=theirs, tol=1e-8, max_iter=1_000_000, class_weight=balance, dual=True, random_state=1)
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
    target = rows @ random.normal(size=columns) + random.normal(size=2_000) > 0
    cells.give_sparse(sparse=rows)
    cells.give(sides=target.astype(float))
    fit = f"LinearSvm::params().loss(MarginLoss::{ours}).tolerance(1e-7).iterations(100_000).fit_sparse(&sparse, &sides)?"
    peer = LinearSVC(loss=theirs, tol=1e-7, max_iter=100_000, dual=True, random_state=1).fit(rows, target)
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
    scaled, scaled_later = scaler.transform(train), scaler.transform(later)
    whole = SVC().fit(scaled, target).decision_function(scaled_later)
    kernel = rbf_kernel(scaled_later[:1_000], gamma=1 / 12)
    near = lambda features: np.linalg.norm(features @ features.T - kernel) / np.linalg.norm(kernel)
    ours, theirs, far, far_theirs = [], [], [], []
    for seed in range(3):
        peer = Nystroem(n_components=300, gamma=1 / 12, random_state=seed).fit(scaled)
        plane = LinearSVC(dual=False).fit(peer.transform(scaled), target)
        theirs.append(roc_auc_score(later_target, plane.decision_function(peer.transform(scaled_later))))
        far_theirs.append(near(peer.transform(scaled_later[:1_000])))
        cells.kernel.ok(
            f"let landmarks = Nystroem::params().landmarks(300).seed({seed}).fit(&train)?;\n"
            "let found = landmarks.transform(&later)?;\n"
            "let plane = LinearSvm::params().scaled(false).fit(&landmarks.transform(&train)?, &target)?;"
        )
        ours.append(roc_auc_score(later_target, cells.take("&plane.decision(&found)?")))
        far.append(near(cells.take("found.values()").reshape(-1, len(later)).T[:1_000]))
    # Other rows are drawn, and the kernel is as near.
    assert np.mean(far) == pytest.approx(np.mean(far_theirs), rel=0.05)
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.003)
    assert np.mean(ours) > roc_auc_score(later_target, whole) - 0.01


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
