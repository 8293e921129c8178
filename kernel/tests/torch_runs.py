"""Steps of the weights: as parameters of our nets, and with PyTorch's optimisers, schedules and clipping on the same batches."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch_nets import trained


@dataclass
class Run:
    """How a net is trained; `batches` None is one batch of all cases."""

    optimiser: str
    rate: float
    decay: float = 0.0
    momentum: float = 0.0
    schedule: str = "Constant"
    clip: float | None = None
    epochs: int = 1
    batches: int | None = None
    dropout: float = 0.0
    seed: int = 7

    def batch(self, cases):
        return cases if self.batches is None else math.ceil(cases / self.batches)

    def ours(self, cases):
        """Methods of our parameters."""
        momentum = f"momentum: {float(self.momentum)}, " if self.optimiser == "Sgd" else ""
        clip = "None" if self.clip is None else f"Some({float(self.clip)})"
        return (
            f".optimiser(Optimiser::{self.optimiser} {{ {momentum}decay: {float(self.decay)} }}).learning_rate({self.rate!r})"
            f".schedule(Schedule::{self.schedule}).clip({clip}).epochs({self.epochs}).batch({self.batch(cases)})"
            f".dropout({float(self.dropout)}).seed({self.seed})"
        )

    def scheduled(self, optimiser, steps):
        """As ours of the same name."""
        schedules = torch.optim.lr_scheduler
        if self.schedule == "Constant":
            return schedules.ConstantLR(optimiser, 1.0)
        if self.schedule == "Cosine":
            return schedules.CosineAnnealingLR(optimiser, steps)
        warm = 3 * steps // 10
        assert 10 * warm == 3 * steps, "torch's rises over whole steps"
        rising = schedules.LinearLR(optimiser, 1 / (warm + 1), 1.0, warm)
        return schedules.SequentialLR(optimiser, [rising, schedules.CosineAnnealingLR(optimiser, steps - warm)], [warm])


# How a fit starts: with steps of no length.
START = Run("Sgd", 1e-300)
# One step of this length: what it takes off the first weights is their gradient, but for rounding.
GRADIENT = Run("Sgd", 1024.0)


def runs(clip):
    """Steps to be compared; some of their gradients are longer than `clip`, and some are not."""
    return {
        "adam": Run("AdamW", 0.01, decay=0.1, schedule="OneCycle", clip=clip, epochs=5, batches=4),
        "adam_cosine": Run("AdamW", 0.01, decay=0.01, schedule="Cosine", epochs=10),
        "momentum": Run("Sgd", 0.05, decay=0.1, momentum=0.9, schedule="Cosine", clip=clip, epochs=5, batches=4),
    }


def orders(seed, cases, epochs):
    """The order of the cases in each epoch of ours: SplitMix64 by the seed and the number of the epoch, and a shuffle of Fisher and
    Yates."""
    mask = 2**64 - 1

    def source(state):
        while True:
            state = (state + 0x9E3779B97F4A7C15) & mask
            mixed = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
            mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & mask
            yield mixed ^ mixed >> 31

    order = list(range(cases))
    for epoch in range(1, epochs + 1):
        random = source(next(source(next(source(seed)) ^ epoch * 0xD1342543DE82EF95 & mask)))
        for last in range(cases - 1, 0, -1):
            other = next(random) * (last + 1) >> 64
            order[last], order[other] = order[other], order[last]
        yield list(order)


def follow(case, net, run):
    """Torch's net after the steps of a run; the mean losses of its epochs, and the lengths of its gradients before they were
    clipped."""
    learnt = [weight for weight, _ in trained(net)]
    # Of ours, all but biases and gains decay.
    decaying, others = ([weight for weight in learnt if (weight.ndim > 1) == many] for many in (True, False))
    if run.optimiser == "AdamW":
        groups = [{"params": decaying, "weight_decay": run.decay}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, run.rate)
    else:
        optimiser = torch.optim.SGD(learnt, run.rate, run.momentum)
    batch = run.batch(case.cases)
    schedule = run.scheduled(optimiser, run.epochs * math.ceil(case.cases / batch))
    losses, lengths = [], []
    net.train()
    for order in orders(run.seed, case.cases, run.epochs):
        sums = np.zeros(2)
        for begin in range(0, case.cases, batch):
            optimiser.zero_grad()
            loss, count = case.loss(net, order[begin : begin + batch])
            loss.backward()
            sums += [loss.item() * count, count]
            lengths.append(torch.nn.utils.clip_grad_norm_(learnt, run.clip or math.inf).item())
            if run.optimiser == "Sgd":
                # Ours takes the decay off the weights, as AdamW does; torch's own would add it to the gradients.
                with torch.no_grad():
                    for weight in decaying:
                        weight *= 1 - schedule.get_last_lr()[0] * run.decay
            optimiser.step()
            schedule.step()
        losses.append(sums[0] / sums[1])
    return net, losses, lengths
