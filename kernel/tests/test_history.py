"""Cells that were run, of one kernel and of several that share a history."""

import pytest
from haetae_testing import Kernel


def entries(kernel, **content):
    reply = kernel.ask("history_request", {"output": False, "raw": True, **content})
    assert reply["status"] == "ok"
    return reply["history"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A kernel whose history is new and holds four cells."""
    kernel = Kernel({"HAETAE_DATA_DIR": str(tmp_path_factory.mktemp("history"))})
    for code in ["// alpha", "6 * 7", "// alpha", "// beta[0]"]:
        kernel.ok(code)
    kernel.ok("// hidden by silence", silent=True)
    kernel.ok("// hidden on request", store_history=False)
    yield kernel
    kernel.stop()


ALL = [[1, 1, "// alpha"], [1, 2, "6 * 7"], [1, 3, "// alpha"], [1, 4, "// beta[0]"]]


def test_the_tail_is_the_end_in_order(written):
    assert entries(written, hist_access_type="tail", n=2) == ALL[2:]
    assert entries(written, hist_access_type="tail", n=100) == ALL


def test_silent_and_unstored_cells_are_in_no_history(written):
    assert entries(written, hist_access_type="tail") == ALL
    assert entries(written, hist_access_type="search", pattern="*hidden*") == []


def test_a_range_is_from_its_start_to_before_its_stop(written):
    assert entries(written, hist_access_type="range", session=0, start=2, stop=4) == ALL[1:3]
    assert entries(written, hist_access_type="range", session=0, start=3) == ALL[2:]
    assert entries(written, hist_access_type="range", session=1, start=1, stop=2) == ALL[:1]
    assert entries(written, hist_access_type="range", session=77, start=0) == []


def test_outputs_stand_beside_inputs_on_request(written):
    found = entries(written, hist_access_type="range", session=0, start=2, stop=4, output=True)
    assert found == [[1, 2, ["6 * 7", "42"]], [1, 3, ["// alpha", None]]]
    assert entries(written, hist_access_type="tail", n=1, output=True) == [[1, 4, ["// beta[0]", None]]]


def test_a_search_takes_a_pattern_for_the_whole_text(written):
    assert entries(written, hist_access_type="search", pattern="// *") == [ALL[0], ALL[2], ALL[3]]
    assert entries(written, hist_access_type="search", pattern="alpha") == []
    assert entries(written, hist_access_type="search", pattern="? * ?") == [ALL[1]]
    # Brackets mean themselves: the protocol knows * and ? alone.
    assert entries(written, hist_access_type="search", pattern="// beta[0]") == [ALL[3]]


def test_a_search_gives_the_last_ones_and_each_once_on_request(written):
    assert entries(written, hist_access_type="search", pattern="// *", n=2) == ALL[2:]
    assert entries(written, hist_access_type="search", pattern="*alpha", unique=True) == [ALL[2]]
    assert entries(written, hist_access_type="search", pattern="*", unique=True, n=2) == ALL[2:]


def test_a_later_kernel_finds_the_cells_of_an_earlier_one(start, tmp_path):
    environment = {"HAETAE_DATA_DIR": str(tmp_path)}
    first = start(environment)
    first.ok("// of the first")
    # The answer comes behind the writing, so that stopping the kernel cannot cut it off.
    assert entries(first, hist_access_type="tail") == [[1, 1, "// of the first"]]
    first.stop()
    second = start(environment)
    second.ok("// of the second")
    assert entries(second, hist_access_type="range", session=-1) == [[1, 1, "// of the first"]]
    assert entries(second, hist_access_type="tail") == [[1, 1, "// of the first"], [2, 1, "// of the second"]]


def test_kernels_that_run_at_once_share_a_history_and_keep_their_sessions(start, tmp_path):
    environment = {"HAETAE_DATA_DIR": str(tmp_path)}
    kernels = []
    for _ in range(2):
        kernels.append(start(environment))
        # The answer comes behind the number of the session, so that the first kernel has the first.
        assert entries(kernels[-1], hist_access_type="tail") == []
    for turn in ["one", "two"]:
        for i, kernel in enumerate(kernels, 1):
            kernel.ok(f"// kernel {i} {turn}")
            # Asked for, so that the turns are written one after the other.
            assert entries(kernel, hist_access_type="range", session=0)[-1][2] == f"// kernel {i} {turn}"
    for i, kernel in enumerate(kernels, 1):
        both = [[i, 1, f"// kernel {i} one"], [i, 2, f"// kernel {i} two"]]
        assert entries(kernel, hist_access_type="range", session=0, start=1) == both
        assert len(entries(kernel, hist_access_type="search", pattern="// kernel *")) == 4
