"""All families of models on the same declarations: fitted on earlier ones, judged on later ones, in the three protocols.

`full` judges all later rows, `clean` those whose key is not in training, `grouped` all rows of both in folds that share no
key. Ours are fitted in cells of the kernel, with the parameters that stand below and no search; XGBoost and logistic
regression in Python, on the plain columns of the same rows. The best of either side is chosen on the judged rows, on both
sides alike.
"""

import json
import os
import time

import numpy as np
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from haetae_testing import Kernel

# Lines of the generator, of which it inspects some; the quick run has enough for every fold to hold both classes.
ITEMS, QUICK_ITEMS = 300_000, 60_000
FROM, UNTIL = "2021-01-01", "2021-07-01"
FOLDS = 5
COLUMNS = ["P@1 %", "P@5 %", "P@10 %", "AUC", "AP"]
PROTOCOLS = ["full", "clean", "grouped"]
# Tables, not models: what of the figures is no more than remembering.
BASELINES = ["lookup", "importer history"]
FAMILIES = [
    "LightGBM", "random forest", "logistic", "linear SVM", "SVM, Nystroem", "FCNN", "LSTM", "CNN", "k-means",
    "isolation forest", *BASELINES,
]

LOAD = f"""
let items = sql("
    select i.*, f.fraud
    from fact_item i
    left join fact_inspection f on f.declaration_id = i.declaration_id and f.item_no = i.item_no
    where i.declaration_date < date '{UNTIL}'
    order by i.declaration_date, i.declaration_id, i.item_no
")?;
let Split {{ before: train, after: valid }} = split_at(&items, "declaration_date", "{FROM}")?;
"""

SAME = "XGBoost, 200 trees of depth 3"

# The figures of `compared`, after the name of the data.
BEST = [("full", "P@5 %"), ("clean", "AUC"), ("clean", "AP"), ("grouped", "AUC")]
SHORT = {"P@5 %": "p5", "AUC": "auc", "AP": "ap"}
NAMES = [
    ("families", "families", ""),
    *((f"best_{protocol}_{SHORT[column]}", "share" if column == "P@5 %" else "area", ">= peer") for protocol, column in BEST),
]

# Rows without a label count in histories as rows; they are neither learnt from nor judged.
DEFINE = """
type Fallible<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Pair {
    before: DataFrame,
    after: DataFrame,
    y: Vec<f64>,
    truth: Vec<f64>,
    rich: (FeatureMatrix, FeatureMatrix),
    plain: (FeatureMatrix, FeatureMatrix),
    dense: (FeatureMatrix, FeatureMatrix),
    both: FeatureMatrix,
}

fn labelled_of(frame: &DataFrame) -> Fallible<DataFrame> {
    Ok(frame.clone().lazy().filter(col("fraud").is_not_null()).collect()?)
}

// Numbers only, what is missing by the mean of training, in deviations: for models of distances.
fn dense_of(x: &FeatureMatrix, of: &FeatureMatrix) -> Fallible<FeatureMatrix> {
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    for i in (0..x.columns()).filter(|&i| !x.is_categorical(i)) {
        let known: Vec<f64> = x.column(i).iter().copied().filter(|value| value.is_finite()).collect();
        let count = known.len().max(1) as f64;
        let mean = known.iter().sum::<f64>() / count;
        let spread = (known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        let spread = if spread > 0.0 { spread } else { 1.0 };
        let value = |value: &f64| if value.is_finite() { ((value - mean) / spread).clamp(-10.0, 10.0) } else { 0.0 };
        names.push(x.names()[i].clone());
        columns.push(of.column(i).iter().map(value).collect::<Vec<f64>>());
    }
    let numbers = vec![false; names.len()];
    Ok(FeatureMatrix::new(names, columns, numbers)?)
}

fn pair_of(train: &DataFrame, judged: &DataFrame) -> Fallible<Pair> {
    let (before, after) = (labelled_of(train)?, labelled_of(judged)?);
    let rich = FeatureBuilder::clearance().fit(train, "fraud", "declaration_date")?;
    let plain = FeatureBuilder::plain().fit(&before, "fraud", "declaration_date")?;
    let both = rich.transform(&before.vstack(&after)?)?;
    let rich = (rich.transform(&before)?, rich.transform(&after)?);
    let dense = (dense_of(&rich.0, &rich.0)?, dense_of(&rich.0, &rich.1)?);
    let plain = (plain.transform(&before)?, plain.transform(&after)?);
    let (y, truth) = (target(&before, "fraud")?, target(&after, "fraud")?);
    Ok(Pair { before, after, y, truth, rich, plain, dense, both })
}

fn lines_of(x: &FeatureMatrix) -> Fallible<Pictures> {
    let row = |row: usize| {
        let values: Vec<f64> = (0..x.columns()).map(|i| x.value(row, i)).collect();
        Some(Series::new("".into(), values))
    };
    let mut lists: ListChunked = (0..x.rows()).map(row).collect();
    lists.rename("line".into());
    let frame = DataFrame::new(lists.len(), vec![lists.into_series().into()])?;
    Ok(Pictures::from_frame(&frame, "line", 1, x.columns(), 1)?)
}

// The histories of importers go on from the rows of training into those that are judged.
fn histories_of(p: &Pair) -> Fallible<(Sequences, Sequences)> {
    let of = |x: &FeatureMatrix, frame: &DataFrame| Sequences::new(x, frame, &["importer_id"], "declaration_date");
    Ok((of(&p.rich.0, &p.before)?, of(&p.both, &p.before.vstack(&p.after)?)?))
}

fn scores_of(family: &str, p: &Pair) -> Fallible<Vec<f64>> {
    let rates = FeatureBuilder::clearance().rate_names();
    let balanced = ClassWeight::Balanced;
    Ok(match family {
        "LightGBM" => LightGbm::params().trees(200).depth(2).leaves(4).learning_rate(0.05).increasing(&rates)
            .fit(&p.rich.0, &p.y)?.predict(&p.rich.1)?,
        "random forest" => RandomForest::params().trees(300).min_rows_in_leaf(10).fit(&p.rich.0, &p.y)?
            .predict(&p.rich.1)?,
        "logistic" => Logistic::params().fit(&p.plain.0, &p.y)?.predict(&p.plain.1)?,
        "linear SVM" => LinearSvm::params().c(0.01).class_weight(balanced).fit(&p.plain.0, &p.y)?.decision(&p.plain.1)?,
        "SVM, Nystroem" => {
            let kernel = Nystroem::params().landmarks(300).scaled(false).fit(&p.dense.0)?;
            LinearSvm::params().scaled(false).c(0.1).class_weight(balanced).fit(&kernel.transform(&p.dense.0)?, &p.y)?
                .decision(&kernel.transform(&p.dense.1)?)?
        }
        "FCNN" => Fcnn::params().epochs(10).hidden(&[64, 32]).dropout(0.2).fit(&p.rich.0, &p.y)?.predict(&p.rich.1)?,
        "LSTM" => {
            let (before, both) = histories_of(p)?;
            let scores = Recurrent::params().epochs(5).window(64).fit(&before, &p.y)?.predict(&both)?;
            scores[p.before.height()..].to_vec()
        }
        "CNN" => Cnn::params().epochs(5).dropout(0.2).fit(&lines_of(&p.dense.0)?, &p.y)?.predict(&lines_of(&p.dense.1)?)?,
        // The share of fraud among the training rows of the cluster.
        "k-means" => {
            let model = KMeans::params().clusters(100).scaled(false).fit(&p.dense.0)?;
            let (mut rows, mut frauds) = (vec![10.0; 100], vec![10.0 * p.y.iter().sum::<f64>() / p.y.len() as f64; 100]);
            for (&label, y) in model.labels().iter().zip(&p.y) {
                rows[label as usize] += 1.0;
                frauds[label as usize] += y;
            }
            model.predict(&p.dense.1)?.iter().map(|&label| frauds[label as usize] / rows[label as usize]).collect()
        }
        // Without labels: what is strange.
        "isolation forest" => IsolationForest::params().trees(200).fit(&p.dense.0)?.predict(&p.dense.1)?,
        "lookup" => Lookup::fit(&p.before, &DECLARATION_KEY, "fraud")?.score(&p.after)?,
        "importer history" => {
            ImporterHistory::fit(&p.before, "importer_id", "fraud", "declaration_date")?.score(&p.after)?
        }
        other => return Err(format!("no family is called {other}").into()),
    })
}

fn say(family: &str, protocol: &str, truth: &[f64], scores: &[f64]) -> Fallible<()> {
    let at = |rate: f64| metrics::precision_at(truth, scores, rate);
    println!("{family};{protocol};{};{};{};{};{}", at(0.01)?, at(0.05)?, at(0.1)?, metrics::auc(truth, scores)?,
        metrics::average_precision(truth, scores)?);
    Ok(())
}

fn save_numbers(path: &str, values: &[f64]) -> Fallible<()> {
    Ok(std::fs::write(path, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?)
}
"""

# The folds are over both frames, and features are fitted anew for each.
PAIRS = """
let whole = pair_of(&train, &valid)?;
let known_key = Lookup::fit(&whole.before, &DECLARATION_KEY, "fraud")?.knows(&whole.after)?;
let unseen: Vec<usize> = (0..known_key.len()).filter(|&row| !known_key[row]).collect();
let every = train.vstack(&valid)?;
let mut folded = Vec::new();
for fold in group_folds(&every, &DECLARATION_KEY, <folds>)? {
    let mut held_out = vec![false; every.height()];
    fold.iter().for_each(|&row| held_out[row] = true);
    let others: Vec<usize> = (0..every.height()).filter(|&row| !held_out[row]).collect();
    folded.push(pair_of(&rows(&every, &others)?, &rows(&every, &fold)?)?);
}
for (name, p) in folded.iter().enumerate().map(|(i, p)| (format!("fold{i}"), p)).chain([("split".to_owned(), &whole)]) {
    for (part, (x, rich, y)) in [("train", (&p.plain.0, &p.rich.0, &p.y)), ("judged", (&p.plain.1, &p.rich.1, &p.truth))] {
        save_numbers(&format!("{}/{name}.{part}.x", <folder>), x.values())?;
        save_numbers(&format!("{}/{name}.{part}.rich", <folder>), rich.values())?;
        save_numbers(&format!("{}/{name}.{part}.y", <folder>), y)?;
    }
}
save_numbers(&format!("{}/unseen", <folder>), &unseen.iter().map(|&row| row as f64).collect::<Vec<_>>())?;
println!("{};{};{}", whole.y.len(), whole.truth.len(), unseen.len());
println!("{}", (0..whole.plain.0.columns()).map(|i| u8::from(whole.plain.0.is_categorical(i)).to_string()).collect::<Vec<_>>().join(","));
"""

FAMILY = """
{
    let begun = std::time::Instant::now();
    let scores = scores_of(<family>, &whole)?;
    println!("{}", begun.elapsed().as_secs_f64());
    let of = |values: &[f64]| unseen.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    say(<family>, "full", &whole.truth, &scores)?;
    say(<family>, "clean", &of(&whole.truth), &of(&scores))?;
    let (mut truth, mut scores) = (Vec::new(), Vec::new());
    for p in &folded {
        scores.extend(scores_of(<family>, p)?);
        truth.extend(&p.truth);
    }
    say(<family>, "grouped", &truth, &scores)?;
}
"""


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
        one_hot = OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist")
        columns = make_column_transformer((one_hot, self.codes), (MinMaxScaler(), self.amounts))
        return {
            "XGBoost as it comes": xgboost.XGBClassifier(**seed),
            SAME: xgboost.XGBClassifier(
                max_depth=3, n_estimators=200, learning_rate=0.05, subsample=0.9, **seed
            ),
            "XGBoost, 150 trees of depth 4": xgboost.XGBClassifier(
                max_depth=4, n_estimators=150, learning_rate=0.08, subsample=0.9, **seed
            ),
            "scikit-learn logistic, one-hot": make_pipeline(columns, LogisticRegression(C=0.1, max_iter=1000)),
        }

    def judged(self, model, part=None):
        """Seconds of fit and scores on the split, and the figures in each protocol."""
        part = part or self.part
        begun = time.monotonic()
        truth, scores = scored(model, part, "split")
        seconds = time.monotonic() - begun
        folds = [scored(model, part, f"fold{number}") for number in range(FOLDS)]
        grouped = [np.concatenate(side) for side in zip(*folds)]
        pairs = {"full": (truth, scores), "clean": (truth[self.unseen], scores[self.unseen]), "grouped": grouped}
        return seconds, {protocol: figures_of(*pair) for protocol, pair in pairs.items()}


def scored(model, part, name):
    (x, y), (later, truth) = part(f"{name}.train"), part(f"{name}.judged")
    return truth, model.fit(x, y).predict_proba(later)[:, 1]


def figures_of(truth, scores):
    """In the order of COLUMNS; ties by the order of the rows, as ours."""
    order = np.argsort(-scores, kind="stable")
    precision = [float(truth[order[: max(1, int(len(order) * rate + 1e-9))]].mean()) for rate in (0.01, 0.05, 0.1)]
    return [*precision, float(roc_auc_score(truth, scores)), float(average_precision_score(truth, scores))]


def of_family(kernel, family):
    """Seconds of fit and scores on the split, and the figures in each protocol, by a cell."""
    lines = kernel.ok(FAMILY.replace("<family>", json.dumps(family)), timeout=3600).stdout.splitlines()
    said = [line.split(";") for line in lines[1:]]
    return float(lines[0]), {protocol: [float(value) for value in values] for _, protocol, *values in said}


def compared(context, data, kernel, folder, what):
    """The table of all families on `train` and `valid` of the kernel, and the best of either side; `data` names them."""
    folder.mkdir()
    kernel.ok(DEFINE)
    cell = PAIRS.replace("<folder>", json.dumps(str(folder))).replace("<folds>", str(FOLDS))
    counts, marks = kernel.ok(cell, timeout=1800).stdout.splitlines()
    trained, judged, unseen = counts.split(";")
    plain = Plain(folder, [mark == "1" for mark in marks.split(",")])
    ours = {family: of_family(kernel, family) for family in FAMILIES}
    models = plain.models()
    theirs = {name: plain.judged(model) for name, model in models.items()}
    # Shown, but no peer: what of the difference is the features'.
    shown = {**theirs, f"{SAME}, on our features": plain.judged(models[SAME], plain.ours)}
    rows = [
        [name, protocol, *(round(value, 3) for value in figures[protocol]), round(seconds, 1)]
        for protocol in PROTOCOLS
        for name, (seconds, figures) in {**ours, **{f"{name} (Python)": one for name, one in shown.items()}}.items()
    ]
    table = {"columns": ["model", "protocol", *COLUMNS, "s"], "rows": rows}
    note = (
        f"{what}: {trained} labelled rows of training, {judged} judged, {unseen} of them with a key that training has not; "
        f"{FOLDS} folds without a common key; peers are fitted on the plain columns; seconds are of features to scores on the split"
    )
    count = len(FAMILIES) - len(BASELINES)
    made = [context.figure(f"models.{data}_families", count, "families", note=note, table=table)]
    return made + [best(context, data, *what, ours, theirs) for what in BEST]


def best(context, data, protocol, column, ours, theirs):
    """The best of our families beside the best model in Python, both chosen on the judged rows."""
    place = COLUMNS.index(column)
    value = lambda side: lambda name: side[name][1][protocol][place]
    mine = max((name for name in ours if name not in BASELINES), key=value(ours))
    peer = max(theirs, key=value(theirs))
    short = SHORT[column]
    rest = ", ".join(f"{name} {value(ours)(name):.3f}" for name in BASELINES)
    return context.figure(
        f"models.{data}_best_{protocol}_{short}", value(ours)(mine), "share" if short == "p5" else "area", aim=">= peer",
        peer=f"{peer} (best of {len(theirs)})", peer_value=value(theirs)(peer), note=f"{mine}; baselines: {rest}",
    )


def generated(context):
    """On lines of the generator: those until the cut, and those of the months after it."""
    items = QUICK_ITEMS if context.quick else ITEMS
    kernel = Kernel(context.server(items))
    try:
        kernel.ok(LOAD, timeout=600)
        what = f"{items} generated lines, judged from {FROM} to {UNTIL}"
        return compared(context, "generated", kernel, context.folder / "families", what)
    finally:
        kernel.stop()
