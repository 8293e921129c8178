"""Principal components, singular values and maps in cells beside scikit-learn's and NumPy's on the same numbers."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import silhouette_score


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
    cells.give_sparse(terms=rows)
    cells.kernel.ok("let svd = TruncatedSvd::params().components(6).fit_sparse(&terms)?;")
    _, values, directions = np.linalg.svd(rows.toarray())
    assert np.allclose(cells.take("svd.singular_values()"), values[:6], rtol=1e-8)
    ours = cells.take("&svd.directions().concat()").reshape(6, 400)
    assert np.allclose(np.abs((ours * directions[:6]).sum(1)), 1, atol=1e-6)
    along = cells.take("svd.transform_sparse(&terms)?.values()").reshape(6, 1_500)
    assert np.allclose(along, ours @ rows.T, atol=1e-10)
