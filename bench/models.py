"""Our own models beside scikit-learn's on generated numbers (`classic.py`), all families on the generator's declarations
(`families.py`), DATE beside trees (`dual_task.py`), the cells of a data scientist's notebook (`notebook.py`), and fraud
models on the declarations of the Korea Customs Service: fitted on 2020, judged on the first quarter of 2021.

Ours run in cells of the kernel, on rows that come from the server; the peers are fitted in Python on the same rows.
In these declarations whole tuples return, label included. So there are three protocols: `full`, all rows of the
quarter; `clean`, those whose key is not in 2020; `grouped`, all rows of both, in folds that share no key.
"""

import os
import statistics

import numpy as np

import classic
import dual_task
import families
import notebook
from kcs import analyst
from pairs import Pairs, unmeasured
from peers import Declarations, figures_of, plain_models, plain_scores
from peers import lightgbm_fit, lightgbm_parameters, lightgbm_scores

OURS = "LightGBM"
BASELINES = ["logistic", "importer history", "lookup"]
COLUMNS = {"p5": "precision_at_5", "p10": "precision_at_10", "auc": "auc", "ap": "average_precision"}
RATES = {"p5": 0.05, "p10": 0.1}
UNITS = {"p5": "share", "p10": "share", "auc": "area", "ap": "area"}
QUALITY = [
    ("full", "p5"), ("full", "p10"), ("clean", "auc"), ("clean", "ap"), ("clean", "p5"), ("clean", "p10"),
    ("grouped", "auc"), ("grouped", "p5"), ("grouped", "p10"),
]
LOOKUP = "models.kcs_valid_lookup_full_p5"
# What is measured beside LightGBM from Python, and the aim.
TIMED = ("lightgbm", "lightgbm_predict")
FAST = "<= 1.05"
NO_DATA = "HAETAE_KCS_DIR names no folder with the declarations of the Korea Customs Service"


def name_of(protocol, short, against=""):
    return f"models.kcs_valid_{protocol}_{short}{against}"


def without_data(context):
    against = ("", "_vs_lightgbm")
    names = {name_of(*what, peer): (UNITS[what[1]], ">= peer") for peer in against for what in QUALITY}
    names |= {f"models.kcs_valid_{name}": (unit, aim) for name, unit, aim in families.NAMES}
    names |= {LOOKUP: ("share", "")}
    made = [context.figure(name, None, unit, note=NO_DATA, aim=aim) for name, (unit, aim) in names.items()]
    return made + [figure for name in TIMED for figure in unmeasured(context, name, "python", FAST, NO_DATA)]


def judged_by(score, split, folds, clean):
    """Protocol -> figures, where `score` fits on a pair and returns the scores of its judged rows."""
    scores = score(split)
    target = np.concatenate([pair.judged.target for pair in folds])
    return {
        "full": figures_of(split.judged.target, scores),
        "clean": figures_of(split.judged.target[clean], scores[clean]),
        "grouped": figures_of(target, np.concatenate([score(pair) for pair in folds])),
    }


def mean_of(several):
    """The mean of figures that `judged_by` returned for several models."""
    return {
        protocol: {name: statistics.fmean(one[protocol][name] for one in several) for name in figures}
        for protocol, figures in several[0].items()
    }


def notes(evaluation, folds, clean):
    """(protocol, figure) -> what has to stand beside it: how many rows, what leaks, the baselines, and chance."""
    rows, all_rows = len(clean), sum(len(pair.judged.ids) for pair in folds)
    seen = 100 * (1 - clean.mean())
    leakage = {
        "full": f"{seen:.1f} % of the {rows} rows have their key in training",
        "clean": f"the {clean.sum()} of {rows} rows whose key is not in training",
        "grouped": f"{all_rows} rows in {len(folds)} folds, none with its key in training",
    }
    made = {}
    for protocol, short in QUALITY:
        ours = evaluation[protocol, OURS]
        baselines = [f"{name} {evaluation[protocol, name][COLUMNS[short]]:.3f}" for name in BASELINES]
        fraud = f"share of fraud {ours['positive'] / ours['rows']:.3f}"
        parts = [leakage[protocol], f"baselines: {', '.join(baselines)}", fraud, *chance(ours, short)]
        made[protocol, short] = "; ".join(parts)
    return made


def chance(figures, short):
    """How far a precision is off by chance alone, among so few rows."""
    if short not in RATES:
        return []
    share, rows = figures[COLUMNS[short]], int(figures["rows"] * RATES[short])
    return [f"standard error {(share * (1 - share) / rows) ** 0.5:.3f}"]


def quality(context, evaluation, plain, note, audit):
    """Our model beside the best of the models in Python on the plain columns."""
    made = []
    for protocol, short in QUALITY:
        column = COLUMNS[short]
        peer = max(plain, key=lambda name: plain[name][protocol][column])
        made.append(context.figure(
            name_of(protocol, short), evaluation[protocol, OURS][column], UNITS[short], aim=">= peer",
            peer=f"{peer} (best of {len(plain)})", peer_value=plain[peer][protocol][column], note=note[protocol, short],
        ))
    value = evaluation["full", "lookup"]["precision_at_5"]
    return [*made, context.figure(LOOKUP, value, "share", note=f"no model, but a table of the keys of 2020. {audit}")]


def against_lightgbm(context, evaluation, theirs, difference, note):
    """Our model beside LightGBM from Python on the same features with the same parameters."""
    equal = "the scores of the quarter are equal to the last bit" if difference == 0 else (
        f"scores of the quarter differ by {difference:.2g} at most"
    )
    return [
        context.figure(
            name_of(protocol, short, "_vs_lightgbm"), evaluation[protocol, OURS][COLUMNS[short]], UNITS[short],
            aim=">= peer", peer="lightgbm (Python), same features and parameters",
            peer_value=theirs[protocol][COLUMNS[short]], note=f"{equal}; {note[protocol, short]}",
        )
        for protocol, short in QUALITY
    ]


def times(context, cells, split, parameters):
    """Fits by turns, and then scores of the same rows by the one model that both have."""
    peer = "lightgbm (Python), same matrix and parameters"
    pairs = Pairs(context, cells.ready_to_fit(), "python", peer, f"{parameters['num_threads']} threads")
    features = split.train.features
    size = f"{features.shape[0]} rows, {features.shape[1]} features, {parameters['num_iterations']} trees"
    fitted = lambda _: lightgbm_fit(split.train, parameters)[1]
    # Either has the rows in the order that it reads fastest: the peer row by row, ours column by column.
    model, by_rows = fitted(0), np.ascontiguousarray(features)
    apart = lambda code, scores: f"scores of these rows differ by {np.abs(pairs.cells.take(code) - scores).max():.2g} at most"
    tasks = [
        ("params.fit(&matrix, &labels)?", fitted, lambda _, peer: apart("&fitted.predict(&matrix)?", peer.predict(features))),
        ("model.predict(&matrix)?", lambda _: model.predict(by_rows), lambda _, scores: apart("&fitted", scores)),
    ]
    return [
        figure for name, (ours, theirs, alike) in zip(TIMED, tasks, strict=True)
        for figure in pairs.figures(name, FAST, 7, lambda _: ours, theirs, size, alike)
    ]


def clean_rows(cells, declarations, split, folds):
    """The rows of the clean protocol. The files have to agree on them, and on folds that share no key."""
    known = cells.numbers("known") == 1.0
    if (known != declarations.known(split)).any():
        raise RuntimeError("the cells and the files do not agree on which rows have their key in training")
    if any(declarations.known(pair).any() for pair in folds):
        raise RuntimeError("expected no row of a fold to have its key in the other folds")
    return ~known


def measured(context, cells, declarations):
    split, folds = cells.pair("split"), cells.fold_pairs()
    clean = clean_rows(cells, declarations, split, folds)
    evaluation = cells.evaluation()
    parameters = lightgbm_parameters(cells.parameters())
    judge = lambda score: judged_by(score, split, folds, clean)
    plain = {
        name: mean_of([judge(lambda pair: plain_scores(declarations, model, pair)) for model in models])
        for name, models in plain_models(declarations, int(parameters["num_threads"]), context.repeat(5)).items()
    }
    theirs = judge(lambda pair: lightgbm_scores(pair, parameters))
    difference = np.abs(lightgbm_scores(split, parameters) - cells.numbers("scores")).max()
    note = notes(evaluation, folds, clean)
    return [
        *quality(context, evaluation, plain, note, cells.audit),
        *against_lightgbm(context, evaluation, theirs, difference, note),
        *times(context, cells, split, parameters),
        *families.of_kcs(context, cells.kernel),
    ]


def declarations_of_kcs(context):
    folder = os.environ.get("HAETAE_KCS_DIR")
    if not folder:
        return without_data(context)
    with analyst(context.folder / "kcs", folder) as cells:
        return measured(context, cells, Declarations(folder))


def figures(context):
    return [
        *classic.figures(context), *families.generated(context), *dual_task.figures(context),
        *notebook.figures(context), *declarations_of_kcs(context),
    ]
