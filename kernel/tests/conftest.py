"""A running kernel, a running server with a small warehouse, and rows for models, for the tests of this folder."""

from contextlib import ExitStack

import numpy as np
import pytest
from haetae_matrices import Matrices
from haetae_testing import Kernel, Server, make_warehouse


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory):
    """Keeps every kernel that a test starts, also the one of the conformance suite, off the user's history."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAETAE_DATA_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(make_warehouse(tmp_path_factory.mktemp("server"), items=2_000))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kernel(server, data_folder):
    """For tests that leave nothing behind but variables and history."""
    kernel = Kernel(server.environment)
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module")
def own(server, data_folder):
    """The kernel of one file, for tests that end its worker or fill its queues."""
    kernel = Kernel(server.environment)
    yield kernel
    kernel.stop()


@pytest.fixture
def start(data_folder):
    """Starts kernels that end with the test."""
    with ExitStack() as running:

        def start(environment=None):
            kernel = Kernel(environment)
            running.callback(kernel.stop)
            return kernel

        yield start


@pytest.fixture(scope="module")
def cells(kernel, tmp_path_factory):
    """Takes arrays to the cells of the kernel and back."""
    return Matrices(kernel, tmp_path_factory.mktemp("matrices"))


@pytest.fixture(scope="module")
def blobs(cells):
    """Rows in six heaps, as `blobs` in the cells."""
    from sklearn.datasets import make_blobs  # takes a second, and most files do not need it

    rows, _ = make_blobs(3_000, 4, centers=6, cluster_std=1.8, random_state=3)
    cells.give(blobs=rows)
    return rows


def in_halves(cells, names, rows, target):
    """The first half of the rows, its target, the second half and its target: as they are, and under these names in the cells."""
    half = len(rows) // 2
    parts = rows[:half], target[:half], rows[half:], target[half:]
    cells.give(**{name: part.astype(float) for name, part in zip(names, parts, strict=True)})
    return parts


@pytest.fixture(scope="module")
def fraud(cells):
    """Training rows and later ones with a fifth of fraud; two features have few values, and one says nothing."""
    from sklearn.datasets import make_classification

    rows, target = make_classification(
        6_000, 12, n_informative=6, n_redundant=2, weights=[0.8], flip_y=0.05, class_sep=0.7, random_state=5
    )
    rows[:, :2] = np.round(rows[:, :2])
    return in_halves(cells, ("train", "target", "later", "truth"), rows, target)


@pytest.fixture(scope="module")
def lanes(cells):
    """Training rows and later ones of three classes, the last of which is rare."""
    from sklearn.datasets import make_classification

    rows, target = make_classification(
        4_000, 10, n_informative=6, n_classes=3, n_clusters_per_class=1, weights=[0.5, 0.4], flip_y=0.1, random_state=2
    )
    return in_halves(cells, ("entries", "lane", "entering", "lane_later"), rows, target)
