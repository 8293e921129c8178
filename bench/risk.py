"""The taxpayer score on German credit data beside optbinning and scikit-learn, policies of inspection on generated items
with and without drift, and a month of items scored, laned and logged by the server's program.

Ours runs in cells of the kernel, theirs in Python, on the same rows in the same folds: 10 of them, drawn 5 times
(StratifiedKFold). A figure is that of all rows of one draw, each scored by a fit that has not seen it; the mean over the
draws is reported. AUC and KS of all are worked out here, by scikit-learn.
"""

import csv
import json
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from haetae_testing import Kernel, Server, run, timed

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
# One line a policy: drift, rate and policy, then mean and interval of its revenue as a share of the oracle's less that of
# exploitation, and of its precision; revenue and recall; the first again for the last 90 days.
REPLAY = """
use haetae::risk::{Drift, DriftingItems, Policy, Replay, TradeItems, paired_difference};
let seeds: u64 = <seeds>;
let policies = [
    Policy::Exploit, Policy::Gate { share: 0.2 }, Policy::Gate { share: 0.1 }, Policy::Adaptive, Policy::Hybrid { share: 0.2 },
    Policy::Hybrid { share: 0.1 }, Policy::Explore, Policy::Ranked { by: "stake" }, Policy::Ranked { by: "rules" },
    Policy::History { of: "importer" },
];
type Frame<'a> = &'a dyn Fn(u64) -> haetae::risk::Result<DataFrame>;
fn say(world: &str, rate: f64, seeds: u64, policies: &[Policy], frame: Frame<'_>) -> haetae::risk::Result<()> {
    let none = vec![0.0; seeds as usize];
    let mut found: Vec<(Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>)> = vec![Default::default(); policies.len()];
    // The share was chosen on seeds 1 to 10.
    for seed in 11..11 + seeds {
        let items = frame(seed)?;
        for (figures, policy) in found.iter_mut().zip(policies) {
            let done = Replay::new().rate(rate).seed(seed).run(&items, *policy)?;
            figures.0.push(done.of_oracle());
            figures.1.push(done.precision());
            figures.2.push(done.recall());
            figures.3.push(done.last(90).of_oracle());
        }
    }
    for ((revenue, precision, recall, end), policy) in found.iter().zip(policies) {
        let (less, hits) = (paired_difference(revenue, &found[0].0)?, paired_difference(precision, &none)?);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let ends = paired_difference(end, &found[0].3)?;
        println!("{world};{rate};{};{} {} {} {} {} {} {} {} {} {} {}", policy.name(), less.mean, less.low, less.high,
            hits.mean, hits.low, hits.high, mean(revenue), mean(recall), ends.mean, ends.low, ends.high);
    }
    Ok(())
}
for drift in [Drift::NewSchemes, Drift::Gradual, Drift::None] {
    for rate in [0.01, 0.05, 0.1] {
        say(drift.name(), rate, seeds, &policies, &|seed| TradeItems { drift, ..TradeItems::default() }.frame(seed))?;
    }
}
say("goods", 0.1, seeds, &policies[..7], &|seed| DriftingItems::default().frame(seed))?;
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


WORLDS = {
    "new schemes": "schemes end and others begin among importers and goods that were clean, every 20 days",
    "gradual": "schemes wane and others grow, each over 80 days",
    "none": "the schemes of the first day go on",
    "goods": "fraud moves from goods to goods every 60 days (DriftingItems)",
}
HYBRID = "gate 0.2"
REPLAY_SEEDS = 20


def replays(seeds):
    """(drift, rate) -> the lines of `REPLAY` by policy, as numbers."""
    kernel = Kernel()
    try:
        text = kernel.ok(REPLAY.replace("<seeds>", str(seeds)), timeout=3600).stdout
    finally:
        kernel.stop()
    found = {}
    for line in text.splitlines():
        world, rate, policy, numbers = line.split(";")
        found.setdefault((world, float(rate)), {})[policy] = list(map(float, numbers.split()))
    return found


def policies(context):
    seeds = 2 if context.quick else REPLAY_SEEDS
    made = []
    for (world, rate), found in replays(seeds).items():
        told = (world, rate) == ("new schemes", 0.05)
        (less, low, high), ends = found[HYBRID][:3], found[HYBRID][8:]
        end = "" if told else f"_{world.replace(' ', '_')}_{rate:.0%}".rstrip("%")
        beside = "; ".join(f"{policy} {one[6]:.3f} ({one[0]:+.3f}, {one[1]:+.3f} to {one[2]:+.3f})" for policy, one in found.items())
        note = (
            f"{WORLDS[world]}; {rate:.0%} inspected, {seeds} seeds in pairs; {HYBRID} minus exploit, 95 % interval {low:+.3f} to "
            f"{high:+.3f}, in the last 90 days {ends[0]:+.3f} ({ends[1]:+.3f} to {ends[2]:+.3f}); share of the oracle's revenue (minus "
            f"exploit): {beside}"
        )
        made.append(context.figure(f"risk.hybrid_minus_exploit{end}", less, "share", n=seeds, aim="> 0" if told else "", note=note))
        if world == "new schemes":
            hits = "; ".join(f"{policy} {one[3]:.3f} ({one[4]:.3f} to {one[5]:.3f}), recall {one[7]:.3f}" for policy, one in found.items())
            made.append(context.figure(
                f"risk.simulated_hit_rate_{rate:.0%}".rstrip("%"), found[HYBRID][3], "share", n=seeds, peer="importer history",
                peer_value=found["history of importer"][3],
                note=f"found of inspected under {HYBRID}, {WORLDS[world]}; {seeds} seeds, 95 % intervals; explore is at random: {hits}",
            ))
    return made


MONTH_ITEMS, QUICK_ITEMS = 1_400_000, 20_000
FIRST, DAYS = np.datetime64("2026-01-01"), 30
LOOKUPS = 200


def two_months(folder, items):
    """A warehouse in which generated declarations of 18 months lie within 60 days: a month of `items` behind another one.

    Days keep their order; a finding comes as many days after its declaration as it was generated."""
    import pyarrow
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    demo, warehouse = folder / "demo", folder / "wh"
    run("haetae-synth", "--seed", 7, "--items", 2 * items, "--core", "--out", demo)
    table = lambda name: parquet.read_table(demo / "tables" / f"{name}.parquet")
    put = lambda rows, column, days: rows.set_column(
        rows.column_names.index(column), column, compute.cast(days, rows.schema.field(column).type)
    )
    declared, inspected = table("fact_item"), table("fact_inspection")
    before = declared["declaration_date"].to_numpy().astype("datetime64[D]")
    days, counts = np.unique(before, return_counts=True)
    # The day within the 60 by how many items were declared before it.
    moved = FIRST + (2 * DAYS * (np.cumsum(counts) - counts) // counts.sum())
    after = moved[np.searchsorted(days, before)]
    key = lambda rows: compute.binary_join_element_wise(rows["declaration_id"], compute.cast(rows["item_no"], "string"), "/")
    place = compute.index_in(key(inspected), key(declared)).to_numpy()
    delay = inspected["inspection_date"].to_numpy().astype("datetime64[D]") - before[place]
    date = lambda values: pyarrow.array(values.astype("datetime64[D]"))
    parquet.write_table(put(declared, "declaration_date", date(after)), demo / "tables" / "fact_item.parquet")
    parquet.write_table(put(inspected, "inspection_date", date(after[place] + delay)), demo / "tables" / "fact_inspection.parquet")
    for file in sorted((demo / "tables").glob("*.parquet")):
        run("haetae-server", "ingest", "--warehouse", warehouse, file.stem, file)
    return warehouse, int((after >= FIRST + DAYS).sum())


def lookups(warehouse, n):
    """Seconds of `n` bound queries of one declaration's score and its summands, by ADBC from Python."""
    server, seconds = Server(warehouse), []
    try:
        with server.cursor() as cursor:
            cursor.execute(f"select declaration_id from risk.scores order by declaration_id limit {n}")
            names = [row[0] for row in cursor.fetchall()]
            sql = (
                "select item_no, version, probability, expected_revenue_krw, feature_1, value_1, feature_2, value_2 "
                "from risk.scores where declaration_id = ?"
            )
            cursor.adbc_prepare(sql)
            for name in names:
                begun = time.monotonic()
                cursor.execute(sql, (name,))
                if not cursor.fetchall():
                    raise RuntimeError(f"{name} has no score")
                seconds.append(time.monotonic() - begun)
    finally:
        server.stop()
    return seconds


def service(context):
    items = QUICK_ITEMS if context.quick else MONTH_ITEMS
    with tempfile.TemporaryDirectory(prefix="haetae-risk-") as folder:
        folder = Path(folder)
        warehouse, month = two_months(folder, items)
        text = (context.root / "flight-server" / "scoring" / "definitions" / "import.toml").read_text()
        definition = folder / "import.toml"
        definition.write_text(text.replace("days = 180", "days = 24").replace("delay_days = 14", "delay_days = 3"))
        first, last = FIRST + DAYS, FIRST + 2 * DAYS - 1
        trained, training = timed("haetae-server", "model", "train", "--warehouse", warehouse, "--definition", definition, "--as-of", first)
        run("haetae-server", "model", "promote", "--warehouse", warehouse, "--by", "bench", "--why", "the only one", "import-1")
        words = ["score", "--warehouse", warehouse, "--definition", definition, "--date", first, "--to", last]
        said, seconds = timed("haetae-server", *words)
        version = said.split(" by ")[1].split(";")[0]
        _, verifying = timed("haetae-server", "score", "verify", "--warehouse", warehouse)
        again, repeated = timed("haetae-server", *words)
        if "nothing to do" not in again:
            raise RuntimeError(f"a day was scored twice: {again}")
        compared = run(
            "haetae-server", "model", "compare", "--warehouse", warehouse, "--from", first, "--to", last, "--known-on", last + 10, version
        )
        print("    " + compared.replace("\n", "\n    "))
        run("haetae-server", "compact", "--warehouse", warehouse, "--all")
        found = lookups(warehouse, 20 if context.quick else LOOKUPS)
    note = (
        f"{month:,} items behind as many of the month before, by 11 features in SQL as of each day, 100 trees, summands, lanes and log; "
        f"training {training:.0f} s ({trained.splitlines()[0]}); verifying the log {verifying:.0f} s, the same days again {repeated:.0f} s"
    )
    return [
        context.figure("risk.month_min", seconds / 60, "min", note=note, aim="<= 5"),
        context.figure(
            "risk.single_p50_ms", 1000 * statistics.median(found), "ms", n=len(found), aim="<= 10",
            note="the kept score of one declaration with its greatest summands, by a bound query over Flight from ADBC; not computed anew",
        ),
    ]


def figures(context):
    return [*german(context), *policies(context), *service(context)]
