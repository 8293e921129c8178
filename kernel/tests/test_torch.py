"""The toolkit's nets in cells beside PyTorch's on the same numbers: what the same weights say, their gradients, the steps of the
optimisers, and whether a fit from first weights of its own is as good.

PyTorch reckons in 64 bits and our nets in 32: what differs is the rounding of ours, and the tolerances are for it. Our weights come
from model files. Without PyTorch (`python/haetae_torch.py`) `make test` says that these tests are left out, and
`make release-test` fails.
"""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from haetae_matrices import Matrices
from haetae_torch import NO_TORCH, torch_of_machine

# These nets are too small to be shared among cores.
torch = torch_of_machine(threads=1)
if torch is None and os.environ.get("HAETAE_RUN_ALL"):
    pytest.fail(NO_TORCH, pytrace=False)
elif torch is None:
    pytest.skip(NO_TORCH, allow_module_level=True)

from torch_cases import CASES  # noqa: E402  (these need the PyTorch that has just been found)
from torch_nets import trained  # noqa: E402
from torch_runs import GRADIENT, START, follow, runs  # noqa: E402

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=CASES)
def case(request, kernel, tmp_path_factory):
    """A net of ours, fitted in each way: the model, the losses of its epochs, and what it says of the later rows."""
    folder = tmp_path_factory.mktemp(request.param)
    case = CASES[request.param](Matrices(kernel, folder))
    case.folder = folder
    fits = {"start": START, "gradient": GRADIENT, **runs(case.clip)}
    fits |= {f"scratch{seed}": replace(case.scratch, seed=seed) for seed in SEEDS}
    ways = [f"({json.dumps(str(folder / name))}, {case.ours}{run.ours(case.cases)})" for name, run in fits.items()]
    kernel.ok(
        f"let ways = [{', '.join(ways)}];\n"
        "for (path, params) in ways {\n"
        f"    let net = params.{case.fit}?;\n"
        '    net.save(&format!("{path}.model"), &ModelCard::new())?;\n'
        '    write_numbers(&format!("{path}.losses"), &net.epochs().iter().map(|epoch| epoch.loss).collect::<Vec<f64>>())?;\n'
        f'    write_numbers(&format!("{{path}}.said"), &{case.said})?;\n'
        "}"
    )
    return case


def near(ours, theirs, share, floor=0.0):
    """Apart by no more than a share of the greatest value, which counts as `floor` at least."""
    furthest = np.abs(ours - theirs).max() / max(np.abs(theirs).max(), floor)
    assert furthest < share, f"{furthest:.1e} of the greatest value apart, expected at most {share:.0e}"


def test_the_same_weights_say_the_same(case):
    # Nets with dropout too: where they score, they drop nothing.
    for run, dropout in (("start", 0.0), ("adam", 0.0), ("momentum", 0.0), ("scratch1", 0.5)):
        near(case.numbers(run, "said"), case.said_by(case.net(case.weights(run), dropout)), 1e-6)


def test_the_same_weights_have_the_same_gradients(case):
    start = case.weights("start")
    net = case.net(start)
    loss, _ = case.loss(net, range(case.cases))
    loss.backward()
    assert case.numbers("gradient", "losses") == pytest.approx([loss.item()], rel=1e-6)
    theirs = [weight.grad.numpy() for weight, _ in trained(net)]
    assert all(gradient.any() for gradient in theirs)
    # The bias of a score starts where its gradient is next to nothing: that is rounding of greater ones.
    floor = 0.1 * max(np.abs(gradient).max() for gradient in theirs)
    for gradient, before, after in zip(theirs, start, case.weights("gradient"), strict=True):
        near((before - after) / GRADIENT.rate, gradient, 1e-5, floor)


@pytest.mark.parametrize("name", runs(1.0))
def test_the_same_steps_lead_to_the_same_weights(case, name):
    run, start = runs(case.clip)[name], case.weights("start")
    net, losses, lengths = follow(case, case.net(start), run)
    assert run.clip is None or min(lengths) < run.clip < max(lengths)
    assert case.numbers(name, "losses") == pytest.approx(losses, rel=1e-5)
    for (weight, _), before, ours in zip(trained(net), start, case.weights(name), strict=True):
        # Measured by the way that the weights have gone, not by their size. AdamW divides by the gradients' own size, and
        # makes rounding of the smallest ones as long as a step.
        near(ours - before, weight.detach().numpy() - before, 1e-3)


def test_a_fit_from_first_weights_of_its_own_is_as_good(case):
    def theirs(seed):
        torch.manual_seed(seed)
        net, losses, _ = follow(case, case.make(case.scratch.dropout).double(), replace(case.scratch, seed=seed))
        return case.quality(case.said_by(net)), losses[-1]

    ours = lambda name: (case.quality(case.numbers(name, "said")), case.numbers(name, "losses")[-1])
    quality, loss = np.mean([ours(f"scratch{seed}") for seed in SEEDS], axis=0)
    peer_quality, peer_loss = np.mean([theirs(seed) for seed in SEEDS], axis=0)
    assert quality > peer_quality - 0.02
    assert loss < 1.1 * peer_loss + 0.01
