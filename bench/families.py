"""All families of models on the same declarations: fitted on earlier ones, judged on later ones, in the three protocols.

`full` judges all later rows, `clean` those whose key is not in training, `grouped` all rows of both in folds that share no
key. Ours are fitted in cells of the kernel, with the parameters that stand in `family_cells.py`: of the mean of two
LightGBM models they were chosen within training, of all others without a search. XGBoost and logistic regression are fitted in
Python, on the plain columns of the same rows, and XGBoost on our features too. The best of either side is chosen on the judged
rows, on both sides alike; beside XGBoost on our features stands how far the difference of the two may be chance.
`families.py [kcs|generated] [FAMILY...]` as a program measures these alone.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import xgboost
from sklearn.metrics import average_precision_score, roc_auc_score

import family_cells
from peers import boosted, logistic

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from haetae_testing import Kernel  # noqa: E402  (the path comes first)

# Lines of the generator, of which it inspects some; the quick run has enough for every fold to hold both classes.
ITEMS, QUICK_ITEMS = 300_000, 60_000
FROM, UNTIL = "2021-01-01", "2021-07-01"
FOLDS = 5
# Draws of the judged rows, to see how far a difference may be chance.
DRAWS, QUICK_DRAWS = 200, 20
# What `revenue@5 %` is a share of.
MONEY = "revenue is what inspections found to be missing, as a share of the best choice of as many lines"
DECLARED = "the files do not say what a fraud kept back: revenue is the duty and tax declared on lines of fraud, as a share of the best choice"
PROTOCOLS = ["full", "clean", "grouped"]
# Tables, not models: what of the figures is no more than remembering.
BASELINES = ["lookup", "importer history"]
FAMILIES = [
    "LightGBM", "LightGBM, mean of two", "random forest", "GBDT+LR", "DATE", "logistic", "linear SVM", "SVM, Nystroem",
    "SVM, RBF, 8000 rows", "FCNN", "LSTM", "CNN", "k-means", "Gaussian mixture", "isolation forest", *BASELINES,
]
# Families that put the rows in order in more than one way.
HEADS = {"DATE": ["DATE, fraud", "DATE, revenue"]}

SAME = "XGBoost, 200 trees of depth 3"

# The figures of `compared`, after the name of the data.
BEST = [("full", "P@5 %"), ("clean", "AUC"), ("clean", "AP"), ("grouped", "AUC")]
SHORT = {"P@5 %": "p5", "AUC": "auc", "AP": "ap"}
NAMES = [
    ("families", "families", ""),
    *(
        (f"{kind}_{protocol}_{SHORT[column]}", "share" if column == "P@5 %" else "area", ">= peer")
        for kind in ("best", "same_features") for protocol, column in BEST
    ),
]


def first(scores, rate):
    """The rows that are inspected; ties by the order of the rows, as ours."""
    return np.argsort(-scores, kind="stable")[: max(1, int(len(scores) * rate + 1e-9))]


# Of the truth and scores.
FIGURES = {
    "P@1 %": lambda truth, scores: truth[first(scores, 0.01)].mean(),
    "P@5 %": lambda truth, scores: truth[first(scores, 0.05)].mean(),
    "P@10 %": lambda truth, scores: truth[first(scores, 0.1)].mean(),
    "AUC": roc_auc_score,
    "AP": average_precision_score,
}
COLUMNS = [*FIGURES, "revenue@5 %"]


class Plain:
    """The plain columns of the rows that the cells work on, and our features of them, as files of the cells."""

    def __init__(self, folder, categorical):
        self.folder, self.codes = folder, [i for i, mark in enumerate(categorical) if mark]
        self.amounts = [i for i, mark in enumerate(categorical) if not mark]
        self.unseen = np.fromfile(folder / "unseen", "<f8").astype(int)

    def part(self, name):
        target = np.fromfile(self.folder / f"{name}.y", "<f8")
        values = np.fromfile(self.folder / f"{name}.x", "<f8").reshape(-1, len(target)).T.copy()
        # A missing code is one of its own, a missing amount none at all.
        values[:, self.codes] = np.nan_to_num(values[:, self.codes], nan=-1)
        values[:, self.amounts] = np.nan_to_num(values[:, self.amounts])
        return values, target

    def ours(self, name):
        target = np.fromfile(self.folder / f"{name}.y", "<f8")
        return np.fromfile(self.folder / f"{name}.rich", "<f8").reshape(-1, len(target)).T, target

    def models(self):
        seed = {"random_state": 1, "n_jobs": os.cpu_count()}
        return {
            "XGBoost as it comes": xgboost.XGBClassifier(**seed),
            SAME: boosted(3, 200, 0.05, **seed),
            "XGBoost, 150 trees of depth 4": boosted(4, 150, 0.08, **seed),
            "scikit-learn logistic, one-hot": logistic(self.codes, self.amounts),
        }

    def judged(self, model, part=None):
        """Seconds of fit and scores on the split, and in each protocol the figures and the scores."""
        part = part or self.part
        begun = time.monotonic()
        full = self.scored(model, part, "split")
        seconds = time.monotonic() - begun
        folds = [self.scored(model, part, f"fold{number}") for number in range(FOLDS)]
        grouped = [np.concatenate(side) for side in zip(*folds)]
        pairs = {"full": full, "clean": [side[self.unseen] for side in full], "grouped": grouped}
        figures = {protocol: figures_of(*pair) for protocol, pair in pairs.items()}
        return seconds, figures, {protocol: scores for protocol, (_, _, scores) in pairs.items()}

    def truths(self):
        """Of the judged rows in each protocol."""
        of = lambda name: np.fromfile(self.folder / f"{name}.judged.y", "<f8")
        return self.protocols(of("split"), np.concatenate([of(f"fold{number}") for number in range(FOLDS)]))

    def protocols(self, split, folds):
        return {"full": split, "clean": split[self.unseen], "grouped": folds}

    def scores_of(self, name, head):
        """What a cell left of a family."""
        return self.protocols(*(np.fromfile(self.folder / f"{name}.{head}.{part}", "<f8") for part in ("split", "folds")))

    def scored(self, model, part, name):
        """Of the judged rows: the truth, what they brought, and the scores."""
        (x, y), (later, truth) = part(f"{name}.train"), part(f"{name}.judged")
        brought = np.fromfile(self.folder / f"{name}.judged.revenue", "<f8")
        return truth, brought, model.fit(x, y).predict_proba(later)[:, 1]


def figures_of(truth, brought, scores):
    """In the order of COLUMNS."""
    best = brought[first(brought, 0.05)].sum()
    revenue = brought[first(scores, 0.05)].sum() / best if best else float("nan")
    return [*(float(figure(truth, scores)) for figure in FIGURES.values()), float(revenue)]


def chance(truth, mine, theirs, column, draws):
    """Of the difference of two orders of the same rows, what lies within 95 % of so many draws of these."""
    random = np.random.default_rng(1)
    value = lambda rows, scores: FIGURES[column](truth[rows], scores[rows])
    drawn = [random.integers(0, len(truth), len(truth)) for _ in range(draws)]
    return np.percentile([value(rows, mine) - value(rows, theirs) for rows in drawn], [2.5, 97.5])


def of_family(kernel, plain, family):
    """For each of its heads: seconds of fit and scores on the split, and in each protocol the figures and the scores, by a
    cell."""
    cell = family_cells.FAMILY.replace("<family>", json.dumps(family)).replace("<folder>", json.dumps(str(plain.folder)))
    lines = kernel.ok(cell, timeout=6 * 3600).stdout.splitlines()
    heads = HEADS.get(family, [family])
    made = {name: (float(lines[0]), {}, plain.scores_of(family, head)) for head, name in enumerate(heads)}
    for head, protocol, *values in (line.split(";") for line in lines[1:]):
        list(made.values())[int(head)][1][protocol] = [float(value) for value in values]
    print(f"  {family}: {float(lines[0]):.1f} s", flush=True)
    return made


def compared(context, data, kernel, folder, what, families=FAMILIES):
    """The table of the families on `train` and `valid` of the kernel, and the best of either side; `data` names them."""
    folder.mkdir()
    kernel.ok(family_cells.DEFINE)
    cell = family_cells.PAIRS.replace("<folder>", json.dumps(str(folder))).replace("<folds>", str(FOLDS))
    counts, marks = kernel.ok(cell, timeout=1800).stdout.splitlines()
    trained, judged, unseen = counts.split(";")
    plain = Plain(folder, [mark == "1" for mark in marks.split(",")])
    ours = {name: figures for family in families for name, figures in of_family(kernel, plain, family).items()}
    models = plain.models()
    theirs = {name: plain.judged(model) for name, model in models.items()}
    # A peer of its own: what of the difference is the features'.
    alike = {f"{SAME}, on our features": plain.judged(models[SAME], plain.ours)}
    shown = {**theirs, **alike}
    rows = [
        [name, protocol, *(round(value, 3) for value in figures[protocol]), round(seconds, 1)]
        for protocol in PROTOCOLS
        for name, (seconds, figures, _) in {**ours, **{f"{name} (Python)": one for name, one in shown.items()}}.items()
    ]
    table = {"columns": ["model", "protocol", *COLUMNS, "time, s"], "rows": rows}
    note = (
        f"{what}: {trained} labelled rows of training, {judged} judged, {unseen} of them with a key that training has not; "
        f"{FOLDS} folds without a common key; peers are fitted on the plain columns; seconds are of features to scores on the split"
    )
    count = sum(family not in BASELINES for family in families)
    made = [context.figure(f"models.{data}_families", count, "families", note=note, table=table)]
    made += [best(context, f"{data}_best", *what, ours, theirs) for what in BEST]
    return made + [best(context, f"{data}_same_features", *what, ours, alike, plain.truths()) for what in BEST]


def best(context, name, protocol, column, ours, theirs, truths=None):
    """The best of our families beside the best model in Python, both chosen on the judged rows; with the `truths` of these, how
    far their difference may be chance."""
    place = COLUMNS.index(column)
    value = lambda side: lambda name: side[name][1][protocol][place]
    own = [name for name in ours if name not in BASELINES]
    mine = max(own, key=value(ours))
    peer = max(theirs, key=value(theirs))
    short = SHORT[column]
    rest = ", ".join(f"{name} {value(ours)(name):.3f}" for name in BASELINES if name in ours)
    if truths:
        scores = [side[name][2][protocol] for side, name in ((ours, mine), (theirs, peer))]
        low, high = chance(truths[protocol], *scores, column, QUICK_DRAWS if context.quick else DRAWS)
        rest += f"; 95 % of draws of the judged rows have a difference of {low:+.4f} to {high:+.4f}"
    return context.figure(
        f"models.{name}_{protocol}_{short}", value(ours)(mine), "share" if short == "p5" else "area", aim=">= peer",
        peer=f"{peer} (best of {len(theirs)})" if len(theirs) > 1 else peer, peer_value=value(theirs)(peer),
        note=f"{mine}, the best of {len(own)} orders of ours; baselines: {rest}",
    )


def generated(context, families=FAMILIES):
    """On lines of the generator: those until the cut, and those of the months after it."""
    items = QUICK_ITEMS if context.quick else ITEMS
    kernel = Kernel(context.server(items))
    try:
        kernel.ok(family_cells.LOAD.replace("<from>", FROM).replace("<until>", UNTIL), timeout=600)
        what = f"{items} generated lines, judged from {FROM} to {UNTIL}"
        return compared(context, "generated", kernel, context.folder / "families", f"{what}; {MONEY}", families)
    finally:
        kernel.stop()


def of_kcs(context, kernel, families=FAMILIES):
    """On the declarations of the Korea Customs Service, which the kernel has as `train` and `valid`."""
    what = f"declarations of the Korea Customs Service; {DECLARED}"
    return compared(context, "kcs_valid", kernel, context.folder / "kcs-families", what, families)


def kcs(context, families=FAMILIES):
    """As `of_kcs`, in a warehouse and a kernel of their own."""
    from haetae_testing import kernel_before, load_kcs
    from kcs import LOAD

    warehouse = context.folder / "kcs-alone"
    load_kcs(warehouse, os.environ["HAETAE_KCS_DIR"])
    with kernel_before(warehouse) as kernel:
        kernel.ok(LOAD, timeout=600)
        return of_kcs(context, kernel, families)


if __name__ == "__main__":
    from run import alone

    data, families = (sys.argv[1] if len(sys.argv) > 1 else "kcs"), sys.argv[2:] or FAMILIES
    alone(lambda context: {"kcs": kcs, "generated": generated}[data](context, families))
