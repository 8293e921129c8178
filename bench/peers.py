"""Models in Python beside ours: LightGBM on our features, XGBoost and logistic regression on the plain columns."""

import time
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xgboost
from pyarrow import csv
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

# All other columns of the files are codes, the tax rate among them.
AMOUNTS = ["Net Mass", "Item Price"]
NEITHER = ["Declaration ID", "Date", "Fraud", "Critical Fraud"]
KEY = ["HS6 Code", "Country of Departure", "Country of Origin", "Tax Rate", "Tax Type", "Net Mass"]
# What LightGBM is told, of all that the text of a model lists.
TOLD = [
    "objective", "num_iterations", "num_leaves", "max_depth", "learning_rate", "min_data_in_leaf", "bagging_fraction",
    "bagging_freq", "feature_fraction", "lambda_l1", "lambda_l2", "max_bin", "seed", "num_threads",
    "monotone_constraints",
]
# Written as 0 and 1 in the text, and read as false and true.
SWITCHES = ["deterministic", "force_row_wise"]


def figures_of(target, scores):
    """The figures of an evaluation, by the names of our frame's columns."""
    order = np.argsort(-scores, kind="stable")
    precision = lambda rate: float(target[order[: int(len(order) * rate + 1e-9)]].mean())
    return {
        "precision_at_5": precision(0.05),
        "precision_at_10": precision(0.10),
        "auc": float(roc_auc_score(target, scores)),
        "average_precision": float(average_precision_score(target, scores)),
    }


class Declarations:
    """The plain columns of the training year and the validation quarter, straight from the files."""

    def __init__(self, folder):
        files = [Path(folder) / f"df_syn_{part}_eng.csv" for part in ("train", "valid")]
        table = pa.concat_tables(map(csv.read_csv, files)).combine_chunks()
        names = [name for name in table.schema.names if name not in NEITHER + AMOUNTS]
        self.codes = len(names)
        columns = [codes(table[name]) for name in names] + [table[name].to_numpy() for name in AMOUNTS]
        self.values = np.column_stack(columns).astype(float)
        self.keys = np.column_stack([codes(table[name]) for name in KEY])
        self.ids = pc.cast(table["Declaration ID"], pa.string()).combine_chunks()

    def positions(self, ids):
        """Where the declarations of these ids are."""
        found = pc.index_in(pa.array(ids), value_set=self.ids)
        if found.null_count:
            raise RuntimeError(f"{found.null_count} of {len(ids)} declarations of the warehouse are not in the files")
        return found.to_numpy()

    def known(self, pair):
        """For every judged row: is there a training row with the same key?"""
        seen = set(map(tuple, self.keys[self.positions(pair.train.ids)].tolist()))
        return np.array([tuple(key) in seen for key in self.keys[self.positions(pair.judged.ids)].tolist()])


def codes(column):
    """Values -> 0, 1, 2 … in the order of their first row; an empty field is a value of its own."""
    return column.combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()


def lightgbm_parameters(parameters):
    switches = {name: parameters[name] == "1" for name in SWITCHES}
    return {**{name: parameters[name] for name in TOLD}, **switches, "verbosity": -1}


def lightgbm_fit(train, parameters):
    """Seconds, and the model. Both fits are timed with the binning, and with reading the model back from its text."""
    told = {name: value for name, value in parameters.items() if name != "num_iterations"}
    begun = time.monotonic()
    data = lightgbm.Dataset(train.features, train.target)
    model = lightgbm.train(told, data, num_boost_round=int(parameters["num_iterations"]))
    return time.monotonic() - begun, model


def lightgbm_scores(pair, parameters):
    return lightgbm_fit(pair.train, parameters)[1].predict(pair.judged.features)


def logistic(codes, amounts):
    """Logistic regression on columns of codes, one-hot, and of amounts."""
    one_hot = OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist")
    columns = make_column_transformer((one_hot, codes), (MinMaxScaler(), amounts))
    return make_pipeline(columns, LogisticRegression(C=0.1, max_iter=1000))


def boosted(depth, trees, rate, **more):
    return xgboost.XGBClassifier(max_depth=depth, n_estimators=trees, learning_rate=rate, subsample=0.9, **more)


def plain_models(declarations, threads, seeds):
    """Name -> models on the plain columns whose figures are averaged: those that draw rows have several seeds."""
    drawn = lambda *form: [boosted(*form, random_state=seed, n_jobs=threads) for seed in range(seeds)]
    width = declarations.codes
    return {
        "XGBoost as it comes": [xgboost.XGBClassifier(n_jobs=threads)],
        f"XGBoost, 200 trees of depth 3, mean of {seeds} seeds": drawn(3, 200, 0.05),
        f"XGBoost, 150 trees of depth 4, mean of {seeds} seeds": drawn(4, 150, 0.08),
        "scikit-learn logistic regression, one-hot": [logistic(slice(0, width), slice(width, width + len(AMOUNTS)))],
    }


def plain_scores(declarations, model, pair):
    train, judged = declarations.positions(pair.train.ids), declarations.positions(pair.judged.ids)
    # In the order of the files, as published figures are: XGBoost fits a little differently in another.
    order = np.argsort(train)
    model.fit(declarations.values[train[order]], pair.train.target[order])
    return model.predict_proba(declarations.values[judged])[:, 1]
