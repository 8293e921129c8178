"""A net of each kind with data for it: how ours is fitted in a cell, and the same of PyTorch's layers on the same numbers."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import lightgbm
import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from torch.nn import functional
from torch_nets import Along, Cnn, Date, Fcnn, set_weights, weights_of
from torch_runs import Run


@dataclass
class Case:
    """A net of ours, fitted by `ours` and `fit`, which says `said` of the later rows; and the same of torch."""

    ours: str
    fit: str
    said: str
    cases: int
    clip: float  # A length that some gradients have, and some have not.
    make: Callable  # Share of dropout -> net.
    loss: Callable  # Net, cases -> their mean loss, and of how many losses.
    scores: Callable  # Net -> what it says of the later rows.
    quality: Callable  # What is said of the later rows -> how good that is, at most 1.
    scratch: Run  # A fit that is long enough to be good.
    folder: Path | None = None

    def net(self, weights, dropout=0.0):
        return set_weights(self.make(dropout).double(), weights)

    def weights(self, run):
        return weights_of(self.folder / f"{run}.model", self.make(0.0))

    def numbers(self, run, what):
        return np.fromfile(self.folder / f"{run}.{what}", "<f8")

    def said_by(self, net):
        net.eval()
        with torch.no_grad():
            return self.scores(net)


def inputs(columns, fitted, min_rows, widest):
    """Columns, and whether each is one of categories, as the inputs of nets: the numbers of each row, the places of its
    categories, and places and width of each table; `fitted` rows are those of training."""
    numbers, places, tables = [], [], []
    for values, categorical in columns:
        train = values[:fitted]
        missing = np.isnan(values)
        if categorical:
            codes, counts = np.unique(train[~np.isnan(train)], return_counts=True)
            known = {code: place for place, code in enumerate(codes[counts >= min_rows], 1)}
            many_missing = missing[:fitted].sum() >= min_rows
            count = 1 + len(known) + many_missing
            own = len(known) + 1 if many_missing else 0
            places.append([own if gone else known.get(value, 0) for value, gone in zip(values, missing)])
            tables.append((int(count), min(math.ceil(1.6 * count**0.56), widest)))
        else:
            scaled = np.clip((values - np.nanmean(train)) / np.nanstd(train), -10, 10)
            numbers.append(np.where(missing, 0.0, scaled))
            if missing[:fitted].any():
                numbers.append(missing.astype(float))
    # Ours reckon in 32 bits from here on.
    number = np.array(numbers).T.astype("f4").astype("f8") if numbers else np.zeros((len(columns[0][0]), 0))
    return torch.from_numpy(number), torch.tensor(np.array(places).T.reshape(len(number), len(places)), dtype=torch.long), tables


def give_features(cells, name, columns):
    """A `FeatureMatrix` of columns of numbers and of categories."""
    cells.give(**{f"{name}_{i}": values for i, (values, _) in enumerate(columns)})
    names = ", ".join(f'"x{i}".to_owned()' for i in range(len(columns)))
    values = ", ".join(f"{name}_{i}.clone()" for i in range(len(columns)))
    kinds = ", ".join(str(bool(categorical)).lower() for _, categorical in columns)
    cells.kernel.ok(f"let {name} = FeatureMatrix::new(vec![{names}], vec![{values}], vec![{kinds}])?;")


def declarations(random, rows):
    """Amounts of which some are missing and one is wrong, categories of which some are rare or missing; what fraud is by them, and
    what it brings."""
    amount, weight = random.normal(size=rows), random.normal(size=rows)
    office, goods = random.integers(0, 4, rows).astype(float), random.geometric(0.15, rows).astype(float)
    score = amount + 2 * (office == 2) - weight * (goods < 4) + random.normal(size=rows) / 2
    amount[5], weight[random.random(rows) < 0.2] = 30.0, np.nan
    goods[random.random(rows) < 0.1] = np.nan
    return [(amount, False), (office, True), (weight, False), (goods, True)], (score > 0.7).astype(float), np.exp(score / 2)


def said_of(sums, target, weights):
    return functional.binary_cross_entropy_with_logits(sums, target, weights)


def chances(sums):
    return torch.sigmoid(sums).numpy()


def fcnn(cells, norm):
    """With layers' norms: values are learnt. Without: chances, by weights of rows."""
    random, train, rows = np.random.default_rng(2), 240, 640
    columns, fraud, value = declarations(random, rows)
    own = 0.5 + random.random(train)
    target = value if norm else fraud
    give_features(cells, "declared", [(values[:train], categorical) for values, categorical in columns])
    give_features(cells, "to_come", [(values[train:], categorical) for values, categorical in columns])
    cells.give(wanted=target[:train], weighed=own)
    numbers, codes, tables = inputs(columns, train, min_rows=5, widest=6)
    mean, deviation = target[:train].mean(), target[:train].std()
    scaled, weights = torch.from_numpy((target - mean) / deviation if norm else target), torch.from_numpy(own / own.mean())

    def loss(net, which):
        sums = net(numbers[which], codes[which])
        mean = functional.mse_loss(sums, scaled[which]) if norm else said_of(sums, scaled[which], weights[which])
        return mean, len(which)

    def scores(net):
        sums = net(numbers[train:], codes[train:])
        return mean + deviation * sums.numpy() if norm else chances(sums)

    return Case(
        ours="Fcnn::params().hidden(&[12, 6]).min_rows(5).embedding(6)"
        + (".layer_norm(true).objective(Objective::Value)" if norm else ""),
        fit="fit(&declared, &wanted)" if norm else "fit_weighted(&declared, &wanted, &weighed)",
        said="net.predict(&to_come)?",
        cases=train,
        clip=0.4 if norm else 0.08,
        make=lambda dropout: Fcnn(numbers.shape[1], tables, [12, 6], norm, dropout),
        loss=loss,
        scores=scores,
        quality=lambda said: spearmanr(said, target[train:]).statistic if norm else roc_auc_score(target[train:], said),
        scratch=Run("AdamW", 0.01, decay=0.01, schedule="OneCycle", clip=1.0, epochs=20, batches=8, dropout=0.1),
    )


def along(cells, gru):
    """Histories with categories. Without gru: two layers, a target of each row, windows. With: one of each history."""
    random, train, count, window = np.random.default_rng(3), 40, 120, 1000 if gru else 4
    lengths = random.integers(2, 13, count)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    rows, split = starts[-1], starts[train]
    amount, kind = random.normal(size=rows), random.integers(0, 3, rows).astype(float)
    before = np.concatenate([[0.0], amount[:-1]])
    before[starts[:-1]] = 0.0
    target = (amount + before * (kind > 0) > 0.3).astype(float)
    columns = [(amount, False), (kind, True)]
    key = np.repeat(np.arange(count), lengths).astype(float)
    for name, part in (("past", slice(split)), ("next", slice(split, None))):
        give_features(cells, f"{name}_rows", [(values[part], categorical) for values, categorical in columns])
        cells.give(**{f"{name}_key": key[part]})
        cells.kernel.ok(
            f"let {name} = {{ let day: Vec<f64> = (0..{name}_key.len()).map(|row| row as f64).collect();"
            f' let frame = DataFrame::new(day.len(), vec![Column::new("key".into(), {name}_key.clone()),'
            f' Column::new("day".into(), day)])?; Sequences::new(&{name}_rows, &frame, &["key"], "day")? }};'
        )
    ends = starts[1:] - 1
    cells.give(wanted=target[ends[:train]] if gru else target[:split])
    numbers, codes, tables = inputs(columns, split, min_rows=2, widest=3)
    wanted = torch.from_numpy(target)

    def said(net, which):
        """What is said of each history's rows, or of its last one; and the same rows' targets."""
        which = sorted(which, key=lambda number: -lengths[number])
        parts = [slice(starts[number], starts[number + 1]) for number in which]
        sums = net([(numbers[part], codes[part]) for part in parts], window)
        last = slice(-1, None) if gru else slice(None)
        return which, [one[last] for one in sums], torch.cat([wanted[part][last] for part in parts])

    def loss(net, which):
        _, sums, target = said(net, which)
        return said_of(torch.cat(sums), target, None), len(target)

    def scores(net):
        which, sums, _ = said(net, range(train, count))
        return np.concatenate([chances(one) for _, one in sorted(zip(which, sums), key=lambda pair: pair[0])])

    truth = target[ends[train:]] if gru else target[split:]
    form = (6, 1) if gru else (5, 2)
    return Case(
        ours=f"Recurrent::params().gates(Gates::{'Gru' if gru else 'Lstm'}).width({form[0]}).layers({form[1]}).min_rows(2)"
        f".embedding(3).window({window}).per_key({str(gru).lower()})",
        fit="fit(&past, &wanted)",
        said="net.predict(&next)?",
        cases=train,
        clip=0.15 if gru else 0.05,
        make=lambda dropout: Along(gru, numbers.shape[1], tables, *form, dropout),
        loss=loss,
        scores=scores,
        quality=lambda said: roc_auc_score(truth, said),
        scratch=Run("AdamW", 0.03, decay=0.01, schedule="OneCycle", clip=1.0, epochs=30, batches=5, dropout=0.1),
    )


def cnn(cells, line):
    """Scans with an empty ground, so that the greatest of a window stands in it more than once, and with sides that windows do not
    divide. Of one line: the mean over the picture, and both classes weigh the same."""
    random, train, count = np.random.default_rng(4), 60, 200
    size = (1, 21, 2) if line else (9, 7, 2)
    pictures = (random.random((count, *size)) < 0.06).astype(float)
    target = (random.random(count) < 0.4).astype(float)
    for picture, marked in zip(pictures, target):
        y, x = random.integers(0, max(size[0] - 2, 1)), random.integers(0, size[1] - 3)
        picture[y : y + 3, x : x + 3, 0] += marked
    cells.give_pictures("seen", pictures[:train])
    cells.give_pictures("unseen", pictures[train:])
    cells.give(wanted=target[:train])
    mean, deviation = pictures[:train].mean((0, 1, 2)), pictures[:train].std((0, 1, 2))
    scaled = torch.from_numpy(((pictures - mean) / deviation).astype("f4").astype("f8"))
    wanted, share = torch.from_numpy(target), target[:train].mean()
    weights = torch.where(wanted == 1, 1 / share, 1 / (1 - share)) / 2 if line else torch.ones(count)
    return Case(
        ours=f"Cnn::params().channels(&[3, 4]).hidden(6).window({5 if line else 3})"
        + (".mean_over_picture(true).class_weight(ClassWeight::Balanced)" if line else ""),
        fit="fit(&seen, &wanted)",
        said="net.predict(&unseen)?",
        cases=train,
        clip=0.25 if line else 1.0,
        make=lambda dropout: Cnn(size, [3, 4], 5 if line else 3, 6, line, dropout),
        loss=lambda net, which: (said_of(net(scaled[which]), wanted[which], weights[which]), len(which)),
        scores=lambda net: chances(net(scaled[train:])),
        quality=lambda said: roc_auc_score(target[train:], said),
        scratch=Run("AdamW", 0.02, decay=0.01, schedule="OneCycle", clip=1.0, epochs=30, batches=5, dropout=0.1),
    )


def date(cells):
    """The categories are entities; of the numbers there are trees, and the leaves of rows are found by LightGBM. Amounts are learnt
    from frauds alone, beside what the trees of revenue say of them."""
    random, train, rows = np.random.default_rng(5), 240, 640
    columns, fraud, value = declarations(random, rows)
    revenue = np.where(fraud == 1, value, 0.0)
    give_features(cells, "declared", [(values[:train], categorical) for values, categorical in columns])
    give_features(cells, "to_come", [(values[train:], categorical) for values, categorical in columns])
    cells.give(wanted=fraud[:train], brought=revenue[:train])
    ours = (
        'DateNet::params().trees(LightGbm::params().trees(6).leaves(4)).revenue_trees(3).entities(&["x1", "x3"]).width(8).heads(2)'
        ".hidden(6).alpha(0.7).min_rows(5).held_out(0.0)"
    )
    fit = "fit(&declared, &wanted, &brought)"
    texts = [cells.folder / f"trees{i}.txt" for i in (0, 1)]
    cells.kernel.ok(
        f"let net = {ours}.epochs(1).{fit}?; std::fs::write({json.dumps(str(texts[0]))}, net.trees().text())?;"
        f" std::fs::write({json.dumps(str(texts[1]))}, net.revenue_trees().unwrap().text())?;"
    )
    plain = np.array([values for values, categorical in columns if not categorical]).T
    boosters = [lightgbm.Booster(model_file=str(text)) for text in texts]
    leaves = np.concatenate([booster.predict(plain, pred_leaf=True).astype(int) for booster in boosters], axis=1)
    lines = "".join(text.read_text() for text in texts).splitlines()
    counts = [int(line.split("=")[1]) for line in lines if line.startswith("num_leaves=")]
    places = torch.from_numpy(leaves + np.concatenate([[0], np.cumsum(counts)[:-1]]))
    _, codes, tables = inputs([column for column in columns if column[1]], train, min_rows=5, widest=1)
    found = np.flatnonzero(fraud[:train])
    unit = revenue[found].mean() / 1000
    deviation = np.log1p(revenue[found] / unit).std()
    starts = boosters[1].predict(plain)
    wanted, brought = torch.from_numpy(fraud), torch.from_numpy(np.log1p(revenue / unit) / deviation - starts)

    def loss(net, which):
        chance, amount = net(places[which], codes[which])
        of_frauds = (wanted[which] * (amount - brought[which]) ** 2).mean()
        return said_of(chance, wanted[which], None) + 0.7 * of_frauds, len(which)

    def scores(net):
        chance, amount = net(places, codes)
        amounts = unit * np.expm1(np.maximum((amount.numpy() + starts) * deviation, 0.0))
        expected = chances(chance) * amounts * revenue[found].sum() / amounts[found].sum()
        return np.concatenate([chances(chance)[train:], expected[train:]])

    def quality(said):
        chance, amount = np.split(said, 2)
        return (roc_auc_score(fraud[train:], chance) + spearmanr(amount, revenue[train:]).statistic) / 2

    return Case(
        ours=ours,
        fit=fit,
        said="{ let (chance, amount) = net.predict_both(&to_come)?; [chance, amount].concat() }",
        cases=train,
        clip=0.12,
        make=lambda dropout: Date(sum(counts), [places for places, _ in tables], 8, 2, 6, dropout),
        loss=loss,
        scores=scores,
        quality=quality,
        scratch=Run("AdamW", 0.01, decay=0.01, schedule="OneCycle", clip=1.0, epochs=10, batches=8, dropout=0.1),
    )


CASES = {
    "fcnn": lambda cells: fcnn(cells, norm=False),
    "fcnn_with_norms": lambda cells: fcnn(cells, norm=True),
    "lstm": lambda cells: along(cells, gru=False),
    "gru": lambda cells: along(cells, gru=True),
    "cnn": lambda cells: cnn(cells, line=False),
    "cnn_of_lines": lambda cells: cnn(cells, line=True),
    "date": date,
}
