"""Fits of our own models in cells of the kernel beside scikit-learn's: the same generated numbers, the same threads,
by turns, after one fit of each that is not counted. A time is that of the fit alone, from a matrix in memory; how its memory is
measured, `pairs.py` says."""

import statistics

import numpy as np
import scipy.sparse
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.datasets import make_blobs, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import adjusted_rand_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

import nets
from haetae_matrices import Matrices
from haetae_testing import Kernel
from pairs import THREADS, Pairs

SKLEARN = "scikit-learn 1.9"


def mean(values):
    return f"{statistics.fmean(values):.4f}"


def forest(pairs):
    rows, target = make_classification(
        40_000, 20, n_informative=10, n_redundant=5, weights=[0.8], flip_y=0.05, class_sep=0.8, random_state=1
    )
    rows[:, :4] = np.round(rows[:, :4] * 2)
    train, later = rows[:20_000], rows[20_000:]
    pairs.cells.give(train=train, target=target[:20_000].astype(float), later=later)
    ours = lambda seed: f"RandomForest::params().trees(100).seed({seed}).fit(&train, &target)?"
    theirs = lambda seed: RandomForestClassifier(100, n_jobs=THREADS, random_state=seed).fit(train, target[:20_000])

    def quality(n, _):
        auc = lambda scores: roc_auc_score(target[20_000:], scores)
        mine = [auc(pairs.cells.take(f"&{ours(seed)}.predict(&later)?")) for seed in range(n)]
        peer = [auc(theirs(seed).predict_proba(later)[:, 1]) for seed in range(n)]
        return f"AUC on as many other rows, mean of {n} seeds: {mean(mine)}, theirs {mean(peer)}"

    return pairs.figures("forest", "<= 0.8", 5, ours, theirs, "20000 rows, 20 features, 100 trees", quality)


def kmeans(pairs):
    rows, _ = make_blobs(100_000, 16, centers=20, cluster_std=4.0, random_state=1)
    pairs.cells.give(rows=rows)
    ours = lambda seed: f"KMeans::params().clusters(20).scaled(false).starts(3).seed({seed}).fit(&rows)?"
    theirs = lambda seed: KMeans(20, n_init=3, random_state=seed).fit(rows)

    def quality(n, _):
        mine = [pairs.cells.number(f"{ours(seed)}.inertia()") for seed in range(n)]
        peer = [theirs(seed).inertia_ for seed in range(n)]
        return f"mean inertia {statistics.fmean(mine):.6g}, theirs {statistics.fmean(peer):.6g}"

    return pairs.figures(
        "kmeans", "<= 1.0", 7, ours, theirs, "100000 rows, 16 features, 20 clusters, best of 3 starts", quality
    )


def dbscan(pairs):
    rows, _ = make_blobs(30_000, 5, centers=12, cluster_std=1.0, random_state=2)
    pairs.cells.give(rows=rows)
    ours = lambda _: "Dbscan::params().scaled(false).distance(0.8).min_rows(10).fit(&rows)?"
    theirs = lambda _: DBSCAN(eps=0.8, min_samples=10, n_jobs=THREADS).fit(rows)

    def quality(_, peer):
        same = (pairs.cells.take("&labels_as_numbers(fitted.labels())") == peer.labels_).all()
        return "all labels are equal" if same else "LABELS DIFFER"

    return pairs.figures("dbscan", "<= 1.0", 7, ours, theirs, "30000 rows, 5 features, distance 0.8, 10 rows", quality)


def mixture(pairs):
    rows, _ = make_blobs(50_000, 10, centers=5, cluster_std=3.0, random_state=3)
    rows = rows @ np.random.default_rng(0).normal(size=(10, 10))
    pairs.cells.give(rows=rows)
    ours = lambda seed: f"GaussianMixture::params().bells(5).scaled(false).seed({seed}).fit(&rows)?"
    theirs = lambda seed: GaussianMixture(5, random_state=seed).fit(rows)

    def quality(n, _):
        mine = [pairs.cells.number(f"{ours(seed)}.log_likelihood()") for seed in range(n)]
        peer = [theirs(seed).score(rows) for seed in range(n)]
        return f"mean log-likelihood of a row {mean(mine)}, theirs {mean(peer)}"

    return pairs.figures("gmm", "<= 1.0", 7, ours, theirs, "50000 rows, 10 features, 5 full bells", quality)


def logistic(pairs):
    rows, target = make_classification(100_000, 30, n_informative=15, flip_y=0.1, random_state=1)
    train, later = rows[:50_000], rows[50_000:]
    pairs.cells.give(train=train, target=target[:50_000].astype(float), later=later)
    ours = lambda _: "Logistic::params().c(1.0).fit(&train, &target)?"
    theirs = lambda _: make_pipeline(StandardScaler(), LogisticRegression(C=1.0)).fit(train, target[:50_000])

    def quality(_, peer):
        apart = np.abs(pairs.cells.take("&fitted.predict(&later)?") - peer.predict_proba(later)[:, 1]).max()
        return f"scaling included on both sides; probabilities of other rows differ by {apart:.1g} at most"

    return pairs.figures("logistic", "<= 1.0", 7, ours, theirs, "50000 rows, 30 features", quality)


def linear_svm(pairs):
    """Rows of 20 categories among 20000, as coded declarations are; the rarer a category, the less it says."""
    random = np.random.default_rng(5)
    count, columns, each = 60_000, 20_000, 20
    places = np.minimum(random.zipf(1.3, size=(count, each)), columns // each) - 1 + np.arange(each) * (columns // each)
    rows = scipy.sparse.csr_matrix((np.ones(count * each), places.ravel(), np.arange(count + 1) * each), (count, columns))
    sums = rows @ random.normal(size=columns)
    target = sums + random.normal(size=count) * sums.std() > np.quantile(sums, 0.8)
    half = count // 2
    train, later = rows[:half], rows[half:]
    pairs.cells.give_sparse(train=train, later=later)
    pairs.cells.give(target=target[:half].astype(float))
    ours = lambda _: "LinearSvm::params().c(0.1).fit_sparse(&train, &target)?"
    # The faster of its two solvers for these rows.
    theirs = lambda _: LinearSVC(C=0.1, dual=True).fit(train, target[:half])

    def quality(_, peer):
        sides = pairs.cells.take("&fitted.decision_sparse(&later)?"), peer.decision_function(later)
        auc = [roc_auc_score(target[half:], scores) for scores in sides]
        return f"decisions on other rows differ by {np.abs(np.subtract(*sides)).max():.1g} at most, AUC {auc[0]:.4f}, theirs {auc[1]:.4f}"

    return pairs.figures(
        "linear_svm", "<= 1.0", 7, ours, theirs, f"{half} sparse rows of {each} ones in {columns} columns, c 0.1", quality
    )


def kernel_svm(pairs, name="kernel_svm", count=8_000, **how):
    rows, target = make_classification(count + 4_000, 30, n_informative=15, flip_y=0.1, class_sep=0.8, random_state=4)
    rows = StandardScaler().fit_transform(rows)
    train, later = rows[:count], rows[count:]
    pairs.cells.give(train=train, target=target[:count].astype(float), later=later)
    ours = lambda _: "Svm::params().scaled(false).fit(&train, &target)?"
    theirs = lambda _: SVC().fit(train, target[:count])

    def quality(_, peer):
        apart = np.abs(pairs.cells.take("&fitted.decision(&later)?") - peer.decision_function(later)).max()
        return f"decisions on other rows differ by {apart:.1g} at most; LIBSVM works on one thread"

    return pairs.figures(name, "<= 1.1", 3, ours, theirs, f"{count} rows, 30 features, RBF, c 1", quality, **how)


def kernel_svm_of_many(pairs):
    """Takes minutes, so each is fitted once; a quick run leaves it out."""
    return [] if pairs.context.quick else kernel_svm(pairs, "kernel_svm_50k", 50_000, once=True)


def hdbscan(pairs):
    rows, _ = make_blobs(20_000, 8, centers=20, cluster_std=1.5, random_state=6)
    pairs.cells.give(rows=rows)
    ours = lambda _: "Hdbscan::params().scaled(false).min_cluster(25).fit(&rows)?"
    theirs = lambda _: HDBSCAN(min_cluster_size=25, n_jobs=THREADS, copy=True).fit(rows)

    def quality(_, peer):
        same = adjusted_rand_score(pairs.cells.take("&labels_as_numbers(fitted.labels())"), peer.labels_)
        return f"adjusted Rand index of the two {same:.5f}"

    return pairs.figures("hdbscan", "<= 1.5", 3, ours, theirs, "20000 rows, 8 features, clusters of 25 rows", quality)


def tsne(pairs):
    rows, _ = make_blobs(2_000, 16, centers=10, cluster_std=3.0, random_state=8)
    pairs.cells.give(rows=rows)
    ours = lambda seed: f"Tsne::params().scaled(false).seed({seed}).fit(&rows)?"
    theirs = lambda seed: TSNE(random_state=seed, n_jobs=THREADS).fit(rows)

    def quality(_, peer):
        mine = np.column_stack([pairs.cells.take("fitted.x()"), pairs.cells.take("fitted.y()")])
        trust = lambda points: f"{trustworthiness(rows, points, n_neighbors=10):.4f}"
        divergence = pairs.cells.number("fitted.divergence().unwrap_or(f64::NAN)")
        return (
            f"divergence {divergence:.3f}, theirs {peer.kl_divergence_:.3f}; "
            f"trustworthiness {trust(mine)}, theirs {trust(peer.embedding_)}"
        )

    return pairs.figures("tsne", "", 3, ours, theirs, "2000 rows, 16 features, perplexity 30, 1000 steps", quality)


TASKS = [forest, kmeans, dbscan, hdbscan, mixture, logistic, linear_svm, kernel_svm, kernel_svm_of_many, tsne]


def figures(context):
    folder = context.folder / "classic"
    folder.mkdir()
    kernel = Kernel()
    try:
        cells = Matrices(kernel, folder)
        pairs = Pairs(context, cells, "sklearn", SKLEARN)
        known = [figure for one in TASKS for figure in one(pairs)]
        return [*known, *nets.figures(context, cells)]
    finally:
        kernel.stop()
