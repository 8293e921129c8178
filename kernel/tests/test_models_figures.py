"""Figures of scores, drift and importance in cells beside scikit-learn, SciPy and their formulas on the same numbers."""

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.calibration import _SigmoidCalibration
from sklearn.inspection import permutation_importance
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler


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


def test_calibration_and_figures_are_equal(cells, fraud):
    target = fraud[3].astype(float)
    scores = np.round(fraud[2][:, 3] + target, 2)
    said = 1 / (1 + np.exp(-scores))
    cells.give(scores=scores, said=said)
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


def test_figures_of_the_rows_that_are_inspected_are_their_formulas(cells, fraud):
    random = np.random.default_rng(2)
    target = fraud[3]
    # Many scores are equal: the earlier row goes first.
    scores = np.round(fraud[2][:, 3] + target, 1)
    brings = target * np.exp(random.normal(8, 2, len(target)))
    cells.give(coarse=scores, brings=brings)
    order, best = np.lexsort((np.arange(len(scores)), -scores)), np.sort(brings)[::-1]
    calls, expected = [], []
    for rate in (0.01, 0.05, 0.1, 0.37):
        count = int(np.floor(len(target) * rate + 1e-9))
        top = order[:count]
        calls += [f"metrics::{name}_at(&truth, &coarse, {rate})?" for name in ("precision", "recall")]
        calls += [f"metrics::revenue_{name}(&brings, &coarse, {rate})?" for name in ("at", "of_oracle")]
        expected += [target[top].mean(), target[top].sum() / target.sum()]
        expected += [brings[top].sum() / brings.sum(), brings[top].sum() / best[:count].sum()]
    assert np.allclose(cells.take(f"&[{', '.join(calls)}]"), expected, rtol=1e-12, atol=0)


def index_of_stability(then, now):
    """The formula, from the shares of either side."""
    then, now = np.maximum(then, 1e-4), np.maximum(now, 1e-4)
    return float(np.sum((now - then) * np.log(now / then)))


def shares(values, bounds):
    """Of the values below the first bound, from each to the next, and of those that are missing."""
    counts, _ = np.histogram(values[~np.isnan(values)], [-np.inf, *bounds, np.inf])
    return np.append(counts, np.isnan(values).sum()) / len(values)


@pytest.mark.parametrize("moved", [0.0, 0.3, 2.0])
def test_the_index_of_stability_is_its_formula(cells, moved):
    random = np.random.default_rng(8)
    then, now = random.gamma(2, size=4_000), random.gamma(2, size=1_500) + moved
    # Some are missing, one value is frequent, and of the codes one is gone and one is new.
    then[:200], now[:15], then[200:1_400] = np.nan, np.nan, 1.5
    codes, codes_now = random.integers(0, 6, len(then)).astype(float), random.integers(1, 7, len(now)).astype(float)
    known = np.sort(then[~np.isnan(then)])
    bounds = np.unique(known[np.arange(1, 10) * len(known) // 10])
    expected = index_of_stability(shares(then, bounds), shares(now, bounds))
    cells.give(then=then, now=now, codes=codes, codes_now=codes_now)
    assert cells.number("psi(&then, &now, 10)?") == pytest.approx(expected, rel=1e-9)
    of_codes = index_of_stability(*(np.bincount(part.astype(int), minlength=7) / len(part) for part in (codes, codes_now)))
    cells.kernel.ok(
        "let rows_of = |amount: &Vec<f64>, code: &Vec<f64>| FeatureMatrix::new(\n"
        '    ["amount", "code"].map(str::to_owned).to_vec(), vec![amount.clone(), code.clone()], vec![false, true]);\n'
        "let far = drift(&rows_of(&then, &codes)?, &rows_of(&now, &codes_now)?, 10)?;"
    )
    assert np.allclose(cells.take('&far.numbers("psi")?'), sorted([expected, of_codes], reverse=True), rtol=1e-9)


def test_importance_by_exchanged_values_is_the_same(cells, fraud):
    """Both sides exchange values by chance: the means of as many repeats differ by chance alone, the rest is the same."""
    train, target, later, truth = fraud
    repeats = 30
    scaler = StandardScaler().fit(train)
    peer = LogisticRegression(C=0.02, l1_ratio=1, solver="saga", tol=1e-10, max_iter=100_000, random_state=1)
    peer.fit(scaler.transform(train), target)
    theirs = permutation_importance(
        peer, scaler.transform(later), truth, scoring="roc_auc", n_repeats=repeats, random_state=1
    ).importances
    cells.kernel.ok(
        "let judged = Logistic::params().penalty(Penalty::L1).c(0.02).fit(&train, &target)?;\n"
        f"let falls = permutation_importance(&|rows| judged.predict(rows), &later, &truth, {repeats}, 1)?;\n"
        'let order: Vec<f64> = falls.texts("feature")?.iter().map(|name| name[1..].parse().unwrap()).collect();'
    )
    order = cells.take("&order").astype(int)
    fall, deviation = cells.take('&falls.numbers("fall")?'), cells.take('&falls.numbers("deviation")?')
    assert (np.diff(fall) <= 0).all()
    mean, theirs_deviation = theirs.mean(axis=1)[order], theirs.std(axis=1, ddof=1)[order]
    # Four standard errors of the difference of the two means.
    margin = 4 * np.sqrt((deviation**2 + theirs_deviation**2) / repeats)
    assert (np.abs(fall - mean) <= margin + 1e-9).all()
    # What the model leaves out matters to neither, and some of the rest matters beyond doubt.
    assert ((fall == 0) == (peer.coef_[0][order] == 0)).all() and (fall == 0).any() and (mean > 10 * margin).any()
    spread = deviation[fall != 0] / theirs_deviation[fall != 0]
    assert (0.5 < spread).all() and (spread < 2).all()
    # Where two features lie apart by more than chance, they come in the same order.
    apart = (mean[:-1] - margin[:-1]) > (mean[1:] + margin[1:])
    assert apart.sum() >= 3
    for first in np.flatnonzero(apart):
        assert (mean[first] > mean[first + 1 :]).all()
