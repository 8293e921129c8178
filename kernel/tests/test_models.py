"""The toolkit's models in a notebook: shown, saved, refused, and started without a graphics card; and nets, beside
scikit-learn's where it has one."""

import os
import re
import subprocess

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


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


def test_what_cannot_be_fitted_says_why(kernel, blobs):
    kernel.fails("RandomForest::params().fit(&blobs, &vec![1.0; 3_000])?;", "Error", "found only 1 in 3000 rows")


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
