"""The harness of the tests and of the benchmarks leaves nothing behind, and writes down what was measured."""

import json
import signal
from pathlib import Path

import pytest
from haetae_testing import Server, make_warehouse


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "bench"))


def test_a_server_that_does_not_end_is_killed(tmp_path, monkeypatch):
    server = Server(make_warehouse(tmp_path, items=200))
    monkeypatch.setattr(server, "PATIENCE", 0.2)
    # SIGTERM waits until the process goes on.
    server.process.send_signal(signal.SIGSTOP)
    with pytest.raises(RuntimeError, match="was killed"):
        server.stop()
    assert server.process.returncode == -signal.SIGKILL


def test_the_page_has_the_tables_of_figures_and_keeps_areas_that_were_not_measured(bench, tmp_path):
    import page

    told = tmp_path / "page.md"
    told.write_text("# Benchmarks\n\n## synth\n\nas it was\n\n## models\n\nold\n")
    table = {"columns": ["model", "protocol", "AUC"], "rows": [["LightGBM", "full", 0.9], ["a|b", "clean", 0.8]]}
    figure = {
        "name": "models.families", "value": 1234, "unit": "families", "n": 1, "peer": None, "peer_value": None, "note": "of all",
        "aim": "", "table": table,
    }
    machine = {"cores": 2, "memory_gb": 24, "gpu": None}
    result = {"area": "models", "commit": "abc", "machine": machine, "figures": [figure]}
    (tmp_path / "models.json").write_text(json.dumps(result))
    for _ in range(2):  # what is written is read again
        page.write_page(tmp_path, ["synth", "models"], lambda figure: "", told)
    text = told.read_text()
    assert "## synth\n\nas it was\n" in text and "old" not in text and text.count("## synth") == 1
    lines = "| model | protocol | AUC |\n|---|---|---:|\n| LightGBM | full | 0.9 |\n| a\\|b | clean | 0.8 |\n"
    assert f"### models.families\n\n{lines}" in text
    assert "| models.families | 1,234 | families |" in text and "- models.families: of all" in text


def test_growth_is_that_of_the_worst_pair_of_sizes(bench):
    from score_all import growth_of

    sizes = lambda *pairs: [{"items": items, "minutes": minutes} for items, minutes in pairs]
    growth, note = growth_of(sizes((1_000, 1.0), (10_000, 8.0), (20_000, 24.0)))
    assert growth == pytest.approx(1.5) and "20,000 beside 10,000" in note
    growth, note = growth_of(sizes((1_000, 1.0), (10_000, 10.5), (20_000, 22.0)))
    assert growth == pytest.approx(1.1) and "20,000 beside 1,000" in note
    assert growth_of(sizes((1_000, 1.0)))[0] is None
