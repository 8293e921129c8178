"""The taxpayer score on German credit data beside optbinning and scikit-learn.

Ours runs in cells of the kernel, theirs in Python, on the same rows in the same folds: 10 of them, drawn 5 times
(StratifiedKFold). A figure is that of all rows of one draw, each scored by a fit that has not seen it; the mean over the
draws is reported. AUC and KS of all are worked out here, by scikit-learn.
"""

import csv
import json
import os
import statistics
import warnings
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from haetae_testing import Kernel

NO_DATA = "HAETAE_GERMAN_DIR names no folder with germancredit.csv (UCI Statlog German Credit)"
DRAWS, FOLDS, TARGET = 5, 10, "creditability"
AIMS = {"auc": ">= 0.785", "ks": ">= 0.45"}

# One text a line: a file for each column, and one for each draw with the number of each row's fold.
SETUP = """
const FOLDER: &str = <folder>;
fn lines(name: &str) -> Vec<String> {
    std::fs::read_to_string(format!("{FOLDER}/{name}")).expect("the file was written").lines().map(str::to_owned).collect()
}
fn save(name: &str, values: &[f64]) {
    let text: Vec<String> = values.iter().map(|value| value.to_string()).collect();
    std::fs::write(format!("{FOLDER}/{name}"), text.join("\\n")).expect("the folder is there");
}
fn frame() -> DataFrame {
    let column = |name: String| {
        let texts = lines(&format!("column.{name}"));
        match texts.iter().map(|text| text.parse::<f64>()).collect::<Result<Vec<f64>, _>>() {
            Ok(numbers) => Column::new(name.as_str().into(), numbers),
            Err(_) => Column::new(name.as_str().into(), texts),
        }
    };
    let columns: Vec<Column> = lines("names").into_iter().map(column).collect();
    DataFrame::new(columns[0].len(), columns).expect("columns of one length")
}
let data = frame();
"""
# The forest's probabilities of the rows that are fitted come from out of their bags.
DRAW = """
let fold: Vec<usize> = lines("fold").iter().map(|text| text.parse().expect("a number")).collect();
let (mut card, mut blend) = (vec![0.0; data.height()], vec![0.0; data.height()]);
for held_out in 0..10 {
    let part = |inside: bool| (0..fold.len()).filter(|&row| (fold[row] == held_out) == inside).collect::<Vec<usize>>();
    let (train, test) = (rows(&data, &part(false))?, rows(&data, &part(true))?);
    let scorecard = haetae::risk::Scorecard::params().fit(&train, "bad")?.unseen(haetae::risk::Unseen::Average);
    let matrix = FeatureMatrix::from_frame(&data.drop("bad")?)?;
    let forest = RandomForest::params().trees(300).min_rows_in_leaf(3).out_of_bag(true)
        .fit(&matrix.select_rows(&part(false)), &target(&train, "bad")?)?;
    let unseen = forest.out_of_bag().expect("asked for").scores().to_vec();
    let blended = haetae::risk::Taxpayer::params().unseen(haetae::risk::Unseen::Average)
        .fit_blended(&train, "bad", &unseen)?;
    let scored = blended.score_blended(&test, &forest.predict(&matrix.select_rows(&part(true)))?)?.numbers("score")?;
    let points = scorecard.score(&test)?;
    for (place, row) in part(true).into_iter().enumerate() {
        card[row] = points[place] as f64;
        blend[row] = scored[place];
    }
}
save("card", &card);
save("blend", &blend);
"""


def ks(target, scores):
    false, true, _ = roc_curve(target, scores)
    return float(np.max(np.abs(true - false)))


def read(folder):
    with open(Path(folder) / "germancredit.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != TARGET]
    columns = {}
    for name in names:
        texts = [row[name] for row in rows]
        try:
            columns[name] = np.array(texts, float)
        except ValueError:
            columns[name] = np.array(texts, object)
    return columns, np.array([row[TARGET] == "bad" for row in rows], float)


def draws(target):
    """The number of each row's fold, for each draw."""
    for seed in range(DRAWS):
        folds = np.zeros(len(target), int)
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        for number, (_, test) in enumerate(splitter.split(target, target)):
            folds[test] = number
        yield folds


def ours(context, columns, target):
    """Scores of the scorecard alone and of the blend with a forest, for each draw."""
    folder = context.folder / "german"
    folder.mkdir()
    columns = {**columns, "bad": target}
    (folder / "names").write_text("\n".join(columns))
    for name, values in columns.items():
        (folder / f"column.{name}").write_text("\n".join(map(str, values)))
    kernel = Kernel()
    try:
        kernel.ok(SETUP.replace("<folder>", json.dumps(str(folder))), timeout=600)
        for folds in draws(target):
            (folder / "fold").write_text("\n".join(map(str, folds)))
            kernel.ok(DRAW, timeout=600)
            yield tuple(np.array((folder / name).read_text().split(), float) for name in ("card", "blend"))
    finally:
        kernel.stop()


def theirs(columns, target, fit):
    """Scores of a peer for each draw; `fit(train)` returns a function from rows to scores."""
    for folds in draws(target):
        scores = np.zeros(len(target))
        for number in range(FOLDS):
            train, test = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
            scores[test] = fit(train)(test)
        yield scores


def logistic(columns, target):
    numbers = [place for place, values in enumerate(columns.values()) if values.dtype != object]
    names = [place for place in range(len(columns)) if place not in numbers]
    rows = np.column_stack([values.astype(object) for values in columns.values()])

    def fit(train):
        prepare = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), names))
        model = make_pipeline(prepare, LogisticRegression(C=0.1, max_iter=1000)).fit(rows[train], target[train])
        return lambda held_out: model.decision_function(rows[held_out])

    return fit


def optbinning(columns, target):
    """Their scorecard with the same penalty, or None where the package is not installed: it brings 20 others and 600 MB,
    so `make setup` leaves it out. `.venv/bin/pip install optbinning==1.0.0` puts it in."""
    try:
        import pandas
        from optbinning import BinningProcess, Scorecard
    except ImportError:
        return None
    frame = pandas.DataFrame(columns)
    names = [name for name in columns if columns[name].dtype == object]

    def fit(train):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            binning = BinningProcess(
                list(columns), categorical_variables=names, selection_criteria={"iv": {"min": 0.01}}, min_bin_size=0.05
            )
            card = Scorecard(binning_process=binning, estimator=LogisticRegression(C=0.1, max_iter=1000))
            card.fit(frame.iloc[train], target[train].astype(int))
        return lambda rows: card.predict_proba(frame.iloc[rows])[:, 1]

    return fit


def german(context):
    names = {"auc": (roc_auc_score, "area"), "ks": (ks, "share")}
    folder = os.environ.get("HAETAE_GERMAN_DIR")
    if not folder:
        return [context.figure(f"risk.german_{name}", None, names[name][1], note=NO_DATA, aim=AIMS[name]) for name in names]
    columns, target = read(folder)
    cards, blends = zip(*ours(context, columns, target))
    peers = {"logistic regression (scikit-learn)": list(theirs(columns, target, logistic(columns, target)))}
    if fit := optbinning(columns, target):
        peers["optbinning 1.0 scorecard"] = list(theirs(columns, target, fit))
    made = []
    for name, (figure, unit) in names.items():
        mean = lambda scores: statistics.fmean(figure(target, one) for one in scores)
        values = {peer: mean(scores) for peer, scores in peers.items()}
        best = max(values, key=values.get)
        beside = "; ".join(f"{peer} {value:.4f}" for peer, value in values.items())
        deviation = statistics.stdev(figure(target, one) for one in blends)
        note = f"scorecard alone {mean(cards):.4f}, blended with a forest {mean(blends):.4f} (deviation {deviation:.4f}); {beside}"
        made.append(context.figure(
            f"risk.german_{name}", mean(blends), unit, n=DRAWS, peer=best, peer_value=values[best], note=note, aim=AIMS[name]
        ))
        made.append(context.figure(
            f"risk.german_card_{name}", mean(cards), unit, n=DRAWS, peer=best, peer_value=values[best], aim=AIMS[name],
            note="the scorecard alone, in whole points",
        ))
    return made
