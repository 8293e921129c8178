"""Forests, boosted trees and what they rest on, in cells beside scikit-learn and LightGBM on the same numbers."""

import json

import lightgbm
import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.preprocessing import OneHotEncoder


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


@pytest.fixture(scope="module")
def told(cells, fraud):
    """A forest, some rows, and what its scores of these rest on, as `forest`, `some` and `told` in the cells."""
    cells.kernel.ok(
        "let forest = RandomForest::params().trees(20).fit(&train, &target)?;\n"
        "let some = later.select_rows(&(0..40).collect::<Vec<_>>());\n"
        "let told = forest.contributions(&some)?;"
    )


def test_contributions_sum_to_the_score(cells, told):
    cells.kernel.ok(
        "let sums: Vec<f64> =\n"
        "    (0..40).map(|row| told.row(row, 0).iter().sum::<f64>() + told.expected(row, 0)).collect();"
    )
    assert np.allclose(cells.take("&sums"), cells.take("&forest.predict(&some)?"), atol=1e-10)


def test_contributions_are_drawn_and_told(cells, told):
    sentence = cells.kernel.ok("let linear = Logistic::params().fit(&train, &target)?.contributions(&later)?;\nlinear.sentence(7, 0, 2)")
    assert sentence.text.strip('"').startswith("The score is ") and "all else" in sentence.text
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
    ours = cells.take("&own.predict(&later)?")
    assert np.allclose(ours, theirs(own), rtol=0, atol=1e-6)
    # More rows than LightGBM is given at a time.
    cells.give(later_again=np.tile(later, (12, 1)))
    assert (cells.take("&own.predict(&later_again)?") == np.tile(ours, 12)).all()


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
