"""What the toolkit's models are in a notebook: shown, saved, refused, and started without a graphics card."""

import os
import re
import subprocess


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
