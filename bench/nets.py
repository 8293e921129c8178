"""Fits of our nets in cells of the kernel beside PyTorch's: the same generated numbers, layers, batches and optimiser,
by turns, after one fit of each that is not counted. On the processor with the same threads; and on the first GPU, where
there is one that both can use.

Without PyTorch (`python/haetae_torch.py`) the figures are empty.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np
from haetae_torch import NO_TORCH, torch_of_machine
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score

from machine import gpu
from pairs import THREADS, Pairs, unmeasured

AIM, GPU_AIM = "<= 3", "<= 1.5"
# Ours scale their numbers in the fit, which takes time and memory.
SCALED = ", theirs on numbers that were scaled before"
# How torch and our parameters call a device.
PROCESSOR, GPU = ("cpu", "Device::Cpu"), ("cuda", "Device::Cuda(0)")
NO_GPU = "no GPU: neither this machine nor one that could be had has one"


def trained(torch, net, batches, epochs, loss_of):
    """A net after so many epochs of AdamW; `batches` gives those of one epoch."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
    net.train()
    for _ in range(epochs):
        for batch in batches():
            optimiser.zero_grad(set_to_none=True)
            loss_of(net, batch).backward()
            optimiser.step()
    # A GPU's work is only put into a queue: the fit is over when it is done.
    if next(net.parameters()).is_cuda:
        torch.cuda.synchronize()
    return net.eval()


@dataclass
class Task:
    """Rows of which each has a target, and a net for them. The cells have the rows as `NAME_train` and `NAME_later`, and the
    target as `NAME_target`."""

    name: str
    rows: str  # What a row is, in the plural.
    train: np.ndarray
    target: np.ndarray
    later: np.ndarray
    truth: np.ndarray
    scaled_over: int | None  # The axis: columns have scales of their own, pixels one for all.
    shape: tuple[int, ...]  # Of a row, for torch.
    ours: str
    theirs: Callable  # torch.nn -> layers
    epochs: int
    batch: int
    words: str


def numbers(cells, name, counts, hidden, epochs, batch):
    (count, later), (wide, narrow) = counts, hidden
    rows, target = make_classification(
        count + later, 30, n_informative=12, n_redundant=6, weights=[0.8], flip_y=0.05, class_sep=0.8, random_state=1
    )
    train, later, target, truth = rows[:count], rows[count:], target[:count].astype(float), target[count:]
    cells.give(**{f"{name}_train": train, f"{name}_target": target, f"{name}_later": later})
    layers = lambda nn: [nn.Linear(30, wide), nn.ReLU(), nn.Linear(wide, narrow), nn.ReLU(), nn.Linear(narrow, 1)]
    return Task(
        name, "rows", train, target, later, truth, 0, (30,), f"Fcnn::params().hidden(&[{wide}, {narrow}])", layers, epochs, batch,
        f"{count} rows, 30 features, layers of {wide} and {narrow}",
    )


def beside_torch(torch, pairs, task, device, aim):
    """Both fitted on a device. Ours take numbers as they are in memory: scaling them, and bringing them to a GPU, is part of the
    fit. So it is of theirs on a GPU; on the processor they have them ready."""
    at, called = device
    mean, deviation = task.train.mean(axis=task.scaled_over), task.train.std(axis=task.scaled_over)
    brought = lambda rows: torch.tensor((rows - mean) / deviation, dtype=torch.float32, device=at).reshape(-1, *task.shape)
    y = torch.tensor(task.target, dtype=torch.float32, device=at)
    ready = brought(task.train) if device == PROCESSOR else None
    loss = torch.nn.BCEWithLogitsLoss()

    def theirs(seed):
        torch.manual_seed(seed)
        x = brought(task.train) if ready is None else ready
        batches = lambda: torch.randperm(len(x), device=at).split(task.batch)
        of = lambda net, which: loss(net(x[which]).squeeze(1), y[which])
        return trained(torch, torch.nn.Sequential(*task.theirs(torch.nn)).to(at), batches, task.epochs, of)

    ours = lambda seed: (
        f"{task.ours}.epochs({task.epochs}).batch({task.batch}).schedule(Schedule::Constant).clip(None).device({called})"
        f".seed({seed}).fit(&{task.name}_train, &{task.name}_target)?"
    )

    def quality(_, net):
        mine = roc_auc_score(task.truth, pairs.cells.take(f"&fitted.predict(&{task.name}_later)?"))
        with torch.no_grad():
            scores = net(brought(task.later)).squeeze(1).cpu().numpy()
        return f"AUC on {len(task.truth)} other {task.rows}: {mine:.4f}, theirs {roc_auc_score(task.truth, scores):.4f}"

    size = f"{task.words}, {task.epochs} epochs in batches of {task.batch}"
    size += SCALED if device == PROCESSOR else ""
    return pairs.figures(task.name, aim, 5, ours, theirs, size, quality)


def histories(random, count):
    """Sequences of 20 to 99 rows; a target depends on the last three rows of its key."""
    sequences = [random.standard_normal((length, 16)) for length in random.integers(20, 100, count)]
    past = lambda values: values + np.concatenate([[0], values[:-1]]) + np.concatenate([[0, 0], values[:-2]])
    targets = [(past(rows[:, 0] * rows[:, 1]) > 1).astype(float) for rows in sequences]
    return sequences, targets


def lstm(torch, pairs):
    epochs, batch, width = 3, 32, 64
    random = np.random.default_rng(1)
    (train, targets), (later, truth) = histories(random, 800), histories(random, 300)
    for name, sequences in (("train", train), ("later", later)):
        key = np.repeat(np.arange(len(sequences)), [len(rows) for rows in sequences]).astype(float)
        pairs.cells.give(**{f"{name}_rows": np.concatenate(sequences), f"{name}_key": key})
        pairs.cells.kernel.ok(
            f"let {name}_histories = {{ let rows = {name}_key.len(); let day: Vec<f64> = (0..rows).map(|i| i as f64).collect();"
            f' let frame = DataFrame::new(rows, vec![Column::new("key".into(), {name}_key.clone()), Column::new("day".into(), day)])?;'
            f' Sequences::new(&{name}_rows, &frame, &["key"], "day")? }};'
        )
    pairs.cells.give(targets=np.concatenate(targets))
    every = np.concatenate(train)
    mean, deviation = every.mean(axis=0), every.std(axis=0)
    scaled = lambda sequences: [torch.tensor((rows - mean) / deviation, dtype=torch.float32) for rows in sequences]
    x, y = scaled(train), [torch.tensor(target, dtype=torch.float32) for target in targets]
    pack = torch.nn.utils.rnn.pack_sequence
    loss = torch.nn.BCEWithLogitsLoss()

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.along, self.score = torch.nn.LSTM(16, width), torch.nn.Linear(width, 1)

        def forward(self, packed):
            return self.score(self.along(packed)[0].data).squeeze(1)

    def theirs(seed):
        torch.manual_seed(seed)

        def of(net, which):
            which = sorted(which.tolist(), key=lambda number: -len(x[number]))
            return loss(net(pack([x[number] for number in which])), pack([y[number] for number in which]).data)

        return trained(torch, Net(), lambda: torch.randperm(len(x)).split(batch), epochs, of)

    ours = lambda seed: (
        f"Recurrent::params().width({width}).epochs({epochs}).batch({batch}).schedule(Schedule::Constant).clip(None)"
        f".device({PROCESSOR[1]}).seed({seed}).fit(&train_histories, &targets)?"
    )

    def quality(_, net):
        mine = roc_auc_score(np.concatenate(truth), pairs.cells.take("&fitted.predict(&later_histories)?"))
        with torch.no_grad():
            scores = np.concatenate([net(pack([rows])).numpy() for rows in scaled(later)])
        return f"AUC on 300 other histories: {mine:.4f}, theirs {roc_auc_score(np.concatenate(truth), scores):.4f}"

    size = f"800 histories of 20 to 99 rows, 16 features, width {width}, {epochs} epochs in batches of {batch}{SCALED}"
    return pairs.figures("lstm", AIM, 3, ours, theirs, size, quality)


def crosses(random, count, side):
    """Noise with a bright cross, or with the same light elsewhere."""
    pictures, target = random.random((count, side, side)), random.integers(0, 2, count)
    for picture, cross in zip(pictures, target):
        y, x = random.integers(1, side - 1, 2)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)) if cross else ((0, 0), (0, 1), (1, 0), (1, 1), (-1, -1)):
            picture[y + dy, x + dx] = 3
    return pictures.reshape(count, -1), target.astype(float)


def pictures(cells, name, counts, side, epochs, batch):
    random = np.random.default_rng(1)
    (train, target), (later, truth) = (crosses(random, count, side) for count in counts)
    cells.give(**{f"{name}_target": target})
    for part, rows in ((f"{name}_train", train), (f"{name}_later", later)):
        cells.give_pictures(part, rows.reshape(-1, side, side, 1))
    stage = lambda nn, before, after: [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    last = lambda nn: [nn.Flatten(), nn.Linear(64 * (side // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, 1)]
    layers = lambda nn: [*stage(nn, 1, 32), *stage(nn, 32, 64), *last(nn)]
    return Task(
        name, "pictures", train, target, later, truth, None, (1, side, side), "Cnn::params().channels(&[32, 64]).hidden(64)",
        layers, epochs, batch, f"{len(train)} pictures of {side} x {side}, stages of 32 and 64 channels",
    )


def gpu_figures(context, cells, torch, peer):
    """On the first GPU, or why not. Its memory is not that of a process."""
    why = None
    if gpu() is None:
        why = NO_GPU
    elif torch is None or not torch.cuda.is_available():
        why = f"{NO_TORCH}, built for CUDA"
    elif cells.number("if Device::best() == Device::Cpu { 0.0 } else { 1.0 }") == 0:
        why = "the toolkit found no GPU that it can use: `make cuda` builds its library, `Device::report()` says more"
    if why:
        names = ("gpu_fcnn", "gpu_cnn")
        return [figure for name in names for figure in unmeasured(context, name, "torch", GPU_AIM, why, peaks=False)]
    pairs = Pairs(context, cells, "torch", peer, gpu(), peaks=False)
    tasks = [
        numbers(cells, "gpu_fcnn", (200_000, 20_000), (512, 256), epochs=3, batch=4096),
        pictures(cells, "gpu_cnn", (4000, 1000), side=64, epochs=3, batch=128),
    ]
    return [figure for task in tasks for figure in beside_torch(torch, pairs, task, GPU, GPU_AIM)]


def figures(context, cells):
    torch = torch_of_machine(THREADS)
    peer = torch and f"PyTorch {torch.__version__.split('+')[0]}"
    pairs = Pairs(context, cells, "torch", peer)
    if torch is None:
        made = [figure for name in ("fcnn", "lstm") for figure in unmeasured(context, name, "torch", AIM, NO_TORCH)]
    else:
        small = numbers(cells, "fcnn", (20_000, 10_000), (128, 64), epochs=10, batch=256)
        made = [*beside_torch(torch, pairs, small, PROCESSOR, AIM), *lstm(torch, pairs)]
    return [*made, *gpu_figures(context, cells, torch, peer)]
