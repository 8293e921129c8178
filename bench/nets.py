"""Fits of our nets in cells of the kernel beside PyTorch's: the same generated numbers, layers, batches and optimiser,
by turns, after one fit of each that is not counted. On the processor with the same threads; and on the first GPU, where
there is one that both can use.

PyTorch is no part of the test environment (its wheels for this machine take some gigabytes): `HAETAE_TORCH_DIR` names a
folder that `pip install --target` has put it into. Without it the figures are empty.
"""

import os
import statistics
import sys
import time

import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score

from machine import gpu

THREADS = os.cpu_count()
AIM, UNIT = "<= 3", "ours/peer time"
GPU_AIM = "<= 1.5"
NO_GPU = "no GPU: neither this machine nor one that could be had has one"
NO_TORCH = "PyTorch is not there: its wheels are too large for the test environment; HAETAE_TORCH_DIR may name them"


def torch_of_machine():
    folder = os.environ.get("HAETAE_TORCH_DIR")
    if folder:
        sys.path.append(folder)
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(THREADS)
    return torch


class Pair:
    """Ours and theirs by turns, as for the other models."""

    def __init__(self, context, cells, torch):
        self.context, self.cells, self.torch = context, cells, torch

    def figure(self, name, n, ours, theirs, rows, quality, aim=AIM, where=f"{THREADS} threads"):
        timed = lambda turn: self.cells.number(
            f"{{ let begun = std::time::Instant::now(); let fitted = {ours(turn)}; "
            "let seconds = begun.elapsed().as_secs_f64(); drop(fitted); seconds }"
        )
        timed(0), theirs(0)
        n = self.context.repeat(n)
        pairs = []
        for turn in range(n):
            mine = timed(turn)
            begun = time.monotonic()
            theirs(turn)
            pairs.append((mine, time.monotonic() - begun))
        ratio = statistics.median(mine / peer for mine, peer in pairs)
        mine, peer = (statistics.median(side) for side in zip(*pairs))
        note = f"{rows}, {where}; ours {mine:.3f} s, theirs {peer:.3f} s; {quality()}"
        torch = f"PyTorch {self.torch.__version__.split('+')[0]}"
        return self.context.figure(name, ratio, UNIT, n=n, aim=aim, peer=torch, peer_value=1.0, note=note)


def trained(torch, net, batches, epochs, loss_of):
    """A net after so many epochs of AdamW; `batches` gives those of one epoch."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
    net.train()
    for _ in range(epochs):
        for batch in batches():
            optimiser.zero_grad(set_to_none=True)
            loss_of(net, batch).backward()
            optimiser.step()
    return net.eval()


def fcnn(pair):
    torch, epochs, batch = pair.torch, 10, 256
    rows, target = make_classification(
        30_000, 30, n_informative=12, n_redundant=6, weights=[0.8], flip_y=0.05, class_sep=0.8, random_state=1
    )
    train, later, truth = rows[:20_000], rows[20_000:], target[20_000:]
    pair.cells.give(train=train, target=target[:20_000].astype(float), later=later)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    x = torch.tensor((train - mean) / deviation, dtype=torch.float32)
    y = torch.tensor(target[:20_000], dtype=torch.float32)
    loss = torch.nn.BCEWithLogitsLoss()

    def theirs(seed):
        torch.manual_seed(seed)
        layers = torch.nn.Linear(30, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
        batches = lambda: torch.randperm(len(x)).split(batch)
        of = lambda net, which: loss(net(x[which]).squeeze(1), y[which])
        return trained(torch, torch.nn.Sequential(*layers), batches, epochs, of)

    ours = lambda seed: (
        f"Fcnn::params().hidden(&[128, 64]).epochs({epochs}).batch({batch}).schedule(Schedule::Constant).clip(None)"
        f".seed({seed}).fit(&train, &target)?"
    )

    def quality():
        mine = roc_auc_score(truth, pair.cells.take(f"&{ours(1)}.predict(&later)?"))
        net = theirs(1)
        with torch.no_grad():
            scores = net(torch.tensor((later - mean) / deviation, dtype=torch.float32)).squeeze(1).numpy()
        return f"AUC on 10000 other rows: {mine:.4f}, theirs {roc_auc_score(truth, scores):.4f}"

    size = f"20000 rows, 30 features, layers of 128 and 64, {epochs} epochs in batches of {batch}"
    return pair.figure("models.fcnn_vs_torch", 5, ours, theirs, size, quality)


def histories(random, count):
    """Sequences of 20 to 99 rows; a target depends on the last three rows of its key."""
    sequences = [random.standard_normal((length, 16)) for length in random.integers(20, 100, count)]
    past = lambda values: values + np.concatenate([[0], values[:-1]]) + np.concatenate([[0, 0], values[:-2]])
    targets = [(past(rows[:, 0] * rows[:, 1]) > 1).astype(float) for rows in sequences]
    return sequences, targets


def lstm(pair):
    torch, epochs, batch, width = pair.torch, 3, 32, 64
    random = np.random.default_rng(1)
    (train, targets), (later, truth) = histories(random, 800), histories(random, 300)
    for name, sequences in (("train", train), ("later", later)):
        key = np.repeat(np.arange(len(sequences)), [len(rows) for rows in sequences]).astype(float)
        pair.cells.give(**{f"{name}_rows": np.concatenate(sequences), f"{name}_key": key})
        pair.cells.kernel.ok(
            f"let {name}_histories = {{ let rows = {name}_key.len(); let day: Vec<f64> = (0..rows).map(|i| i as f64).collect();"
            f' let frame = DataFrame::new(rows, vec![Column::new("key".into(), {name}_key.clone()), Column::new("day".into(), day)])?;'
            f' Sequences::new(&{name}_rows, &frame, &["key"], "day")? }};'
        )
    pair.cells.give(targets=np.concatenate(targets))
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
        f".seed({seed}).fit(&train_histories, &targets)?"
    )

    def quality():
        mine = roc_auc_score(np.concatenate(truth), pair.cells.take(f"&{ours(1)}.predict(&later_histories)?"))
        net = theirs(1)
        with torch.no_grad():
            scores = np.concatenate([net(pack([rows])).numpy() for rows in scaled(later)])
        return f"AUC on 300 other histories: {mine:.4f}, theirs {roc_auc_score(np.concatenate(truth), scores):.4f}"

    size = f"800 histories of 20 to 99 rows, 16 features, width {width}, {epochs} epochs in batches of {batch}"
    return pair.figure("models.lstm_vs_torch", 3, ours, theirs, size, quality)


def waited(torch, fit):
    """A fit after which nothing is left to do on the GPU: its work is only put into a queue."""
    def theirs(seed):
        net = fit(seed)
        torch.cuda.synchronize()
        return net

    return theirs


def gpu_fcnn(pair, where):
    torch, epochs, batch, count = pair.torch, 3, 4096, 200_000
    rows, target = make_classification(
        count + 20_000, 30, n_informative=12, n_redundant=6, weights=[0.8], flip_y=0.05, class_sep=0.8, random_state=1
    )
    train, later, truth = rows[:count], rows[count:], target[count:]
    pair.cells.give(gpu_train=train, gpu_target=target[:count].astype(float), gpu_later=later)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    scaled = lambda rows: torch.tensor((rows - mean) / deviation, dtype=torch.float32, device="cuda")
    y = torch.tensor(target[:count], dtype=torch.float32, device="cuda")
    loss = torch.nn.BCEWithLogitsLoss()

    def fit(seed):
        torch.manual_seed(seed)
        # As ours, numbers come from the frame: they are scaled and brought to the GPU within the fit.
        x = scaled(train)
        layers = torch.nn.Linear(30, 512), torch.nn.ReLU(), torch.nn.Linear(512, 256), torch.nn.ReLU(), torch.nn.Linear(256, 1)
        batches = lambda: torch.randperm(count, device="cuda").split(batch)
        of = lambda net, which: loss(net(x[which]).squeeze(1), y[which])
        return trained(torch, torch.nn.Sequential(*layers).cuda(), batches, epochs, of)

    ours = lambda seed: (
        f"Fcnn::params().hidden(&[512, 256]).epochs({epochs}).batch({batch}).schedule(Schedule::Constant).clip(None)"
        f".device(Device::Cuda(0)).seed({seed}).fit(&gpu_train, &gpu_target)?"
    )

    def quality():
        mine = roc_auc_score(truth, pair.cells.take(f"&{ours(1)}.predict(&gpu_later)?"))
        net = fit(1)
        with torch.no_grad():
            scores = net(scaled(later)).squeeze(1).cpu().numpy()
        return f"AUC on 20000 other rows: {mine:.4f}, theirs {roc_auc_score(truth, scores):.4f}"

    size = f"{count} rows, 30 features, layers of 512 and 256, {epochs} epochs in batches of {batch}"
    return pair.figure("models.gpu_fcnn_vs_torch", 5, ours, waited(torch, fit), size, quality, GPU_AIM, where)


def crosses(random, count, side):
    """Noise with a bright cross, or with the same light elsewhere."""
    pictures, target = random.random((count, side, side)), random.integers(0, 2, count)
    for picture, cross in zip(pictures, target):
        y, x = random.integers(1, side - 1, 2)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)) if cross else ((0, 0), (0, 1), (1, 0), (1, 1), (-1, -1)):
            picture[y + dy, x + dx] = 3
    return pictures.reshape(count, -1), target.astype(float)


def gpu_cnn(pair, where):
    torch, epochs, batch, side = pair.torch, 3, 128, 64
    random = np.random.default_rng(1)
    (train, target), (later, truth) = crosses(random, 4000, side), crosses(random, 1000, side)
    pair.cells.give(scans_target=target)
    for name, rows in (("scans_train", train), ("scans_later", later)):
        pair.cells.give(**{f"{name}_rows": rows})
        pair.cells.kernel.ok(
            f"let {name} = {{ let rows: ListChunked = (0..{name}_rows.rows()).map(|row| Some(Series::new(\"\".into(),"
            f" (0..{side * side}).map(|i| {name}_rows.value(row, i)).collect::<Vec<f64>>()))).collect();"
            f' let frame = DataFrame::new(rows.len(), vec![rows.with_name("scan".into()).into_series().into()])?;'
            f' Pictures::from_frame(&frame, "scan", {side}, {side}, 1)? }};'
        )
    mean, deviation = train.mean(), train.std()
    shaped = lambda rows: torch.tensor((rows - mean) / deviation, dtype=torch.float32, device="cuda").reshape(-1, 1, side, side)
    y = torch.tensor(target, dtype=torch.float32, device="cuda")
    loss = torch.nn.BCEWithLogitsLoss()

    def fit(seed):
        torch.manual_seed(seed)
        x = shaped(train)
        stage = lambda before, after: [torch.nn.Conv2d(before, after, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        last = torch.nn.Flatten(), torch.nn.Linear(64 * (side // 4) ** 2, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
        net = torch.nn.Sequential(*stage(1, 32), *stage(32, 64), *last).cuda()
        batches = lambda: torch.randperm(len(x), device="cuda").split(batch)
        return trained(torch, net, batches, epochs, lambda net, which: loss(net(x[which]).squeeze(1), y[which]))

    ours = lambda seed: (
        f"Cnn::params().channels(&[32, 64]).hidden(64).epochs({epochs}).batch({batch}).schedule(Schedule::Constant)"
        f".clip(None).device(Device::Cuda(0)).seed({seed}).fit(&scans_train, &scans_target)?"
    )

    def quality():
        mine = roc_auc_score(truth, pair.cells.take(f"&{ours(1)}.predict(&scans_later)?"))
        net = fit(1)
        with torch.no_grad():
            scores = net(shaped(later)).squeeze(1).cpu().numpy()
        return f"AUC on 1000 other pictures: {mine:.4f}, theirs {roc_auc_score(truth, scores):.4f}"

    size = f"4000 pictures of {side} x {side}, stages of 32 and 64 channels, {epochs} epochs in batches of {batch}"
    return pair.figure("models.gpu_cnn_vs_torch", 5, ours, waited(torch, fit), size, quality, GPU_AIM, where)


def gpu_figures(pair):
    """On the first GPU, or why not."""
    names = ("models.gpu_fcnn_vs_torch", "models.gpu_cnn_vs_torch")
    none = lambda why: [pair.context.figure(name, None, UNIT, note=why, aim=GPU_AIM) for name in names]
    if gpu() is None:
        return none(NO_GPU)
    if pair.torch is None or not pair.torch.cuda.is_available():
        return none(f"{NO_TORCH}, built for CUDA")
    if pair.cells.number("if Device::best() == Device::Cpu { 0.0 } else { 1.0 }") == 0:
        return none("the toolkit found no GPU that it can use: `make cuda` builds its library, `Device::report()` says more")
    return [gpu_fcnn(pair, gpu()), gpu_cnn(pair, gpu())]


def figures(context, cells):
    pair = Pair(context, cells, torch_of_machine())
    if pair.torch is None:
        names = ("models.fcnn_vs_torch", "models.lstm_vs_torch")
        return [*(context.figure(name, None, UNIT, note=NO_TORCH, aim=AIM) for name in names), *gpu_figures(pair)]
    return [fcnn(pair), lstm(pair), *gpu_figures(pair)]
