"""Clusters and mixtures in cells beside scikit-learn's on the same numbers."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture


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


@pytest.mark.parametrize("batch", [64, 512])
def test_k_means_in_batches_is_as_good(cells, blobs, batch):
    theirs = [MiniBatchKMeans(6, batch_size=batch, n_init=3, random_state=seed).fit(blobs).inertia_ for seed in range(5)]
    fit = f"KMeans::params().clusters(6).scaled(false).batch({batch}).seed(seed).fit(&blobs)"
    ours = cells.take(f"&(0..5).map(|seed| Ok({fit}?.inertia())).collect::<Result<Vec<f64>, Box<dyn std::error::Error>>>()?")
    assert np.median(ours) <= 1.01 * np.median(theirs)
    # Never better than all rows at a time, where that has found the best.
    best = min(KMeans(6, n_init=3, random_state=seed).fit(blobs).inertia_ for seed in range(3))
    assert min(ours) >= 0.999 * best


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
