"""DATE beside boosted trees on generated declarations with planted undervaluation, misclassification, false origins and
quantity slips: who finds more fraud, and who finds more revenue, when 1, 5 or 10 % of the items are inspected.

Each world (a seed of the generator, and as seed of the models) is learnt from what inspections of 2020 found, and judged
on all items of the half-year after it by the truth that the generator keeps apart. Revenue is what a fraud kept back; a
share is that of the best choice of as many items (the oracle). Ours run in cells of the kernel; figures are worked out
here, from their scores.
"""

import json
import statistics

import numpy as np

from haetae_matrices import Matrices
from haetae_testing import Kernel, Server, make_warehouse

SEEDS, ITEMS, QUICK_ITEMS = (7, 8, 9), 200_000, 20_000
RATES = (0.01, 0.05, 0.10)

ROWS = """
let items = sql("
    select i.*, f.fraud, f.additional_duty_krw
    from fact_item i
    left join fact_inspection f on f.declaration_id = i.declaration_id and f.item_no = i.item_no
    order by i.declaration_date, i.declaration_id, i.item_no
")?;
let Split { before, after } = split_at(&items, "declaration_date", "2021-01-01")?;
let builder = FeatureBuilder::clearance().categorical("importer_id").categorical("hs6");
let fitted = builder.fit(&before, "fraud", "declaration_date")?;
let inspected = rows(&before, &haetae::features::labelled_rows(&before, "fraud")?)?;
let (train, later) = (fitted.transform(&inspected)?, fitted.transform(&after)?);
let found = target(&inspected, "fraud")?;
let revenue: Vec<f64> = inspected.numbers("additional_duty_krw")?;
// Trees get no codes of importers and goods, but their past rates: codes of thousands are learnt by heart.
let plain = builder.clone().without("importer_id").without("hs6").fit(&before, "fraud", "declaration_date")?;
let (plain_train, plain_later) = (plain.transform(&inspected)?, plain.transform(&after)?);
// Duty, and the tax of 10 % on price and duty.
let stake: Vec<f64> = after.numbers("item_price_krw")?.iter().zip(after.numbers("duty_rate")?)
    .map(|(price, rate)| price * (rate + 0.1 * (1.0 + rate))).collect();
let keys: Vec<String> = after.texts("declaration_id")?.iter().zip(after.numbers("item_no")?)
    .map(|(declaration, item)| format!("{declaration}/{item}")).collect();
std::fs::write(<keys>, keys.join("\\n"))?;
let some: Vec<f64> = revenue.iter().copied().filter(|amount| *amount > 0.0).collect();
let unit = some.iter().sum::<f64>() / some.len() as f64;
let scaled: Vec<f64> = revenue.iter().map(|amount| (amount / unit).ln_1p()).collect();
println!("{}", inspected.height());
"""
MODELS = """
let trees = LightGbm::params().trees(100).leaves(16).depth(4).seed(<seed>);
let gbdt = trees.fit(&plain_train, &found)?.predict(&plain_later)?;
let leaves = LeafLogistic::params().trees(trees.clone()).fit(&plain_train, &found)?.predict(&plain_later)?;
let amounts = trees.clone().objective(Objective::Value).fit(&plain_train, &scaled)?.predict(&plain_later)?;
let begun = std::time::Instant::now();
let date = DateNet::params().seed(<seed>).fit(&train, &found, &revenue)?;
let seconds = begun.elapsed().as_secs_f64();
let (chances, brought) = date.predict_both(&later)?;
"""
SCORES = {
    "stake": "&stake",
    "GBDT": "&gbdt",
    "GBDT+LR": "&leaves",
    "GBDT of revenue": "&amounts",
    "GBDT x stake": "&gbdt.iter().zip(&stake).map(|(a, b)| a * b).collect::<Vec<f64>>()",
    "DATE-CLS": "&chances",
    "DATE-REV": "&brought",
    "DATE-CLS x stake": "&chances.iter().zip(&stake).map(|(a, b)| a * b).collect::<Vec<f64>>()",
}


def truth(folder, keys):
    """Whether each item is fraud, and what it kept back."""
    import pyarrow.parquet as parquet

    rows = parquet.read_table(folder / "data" / "truth" / "fraud.parquet").to_pylist()
    kept_back = {f"{row['declaration_id']}/{row['item_no']}": row["additional_duty_krw"] for row in rows}
    return np.array([key in kept_back for key in keys]), np.array([kept_back.get(key, 0.0) for key in keys])


def judged(fraud, revenue, scores):
    """(what, rate) -> figure; `hits` and `revenue` are shares of what the oracle finds."""
    order, best = np.argsort(-scores, kind="stable"), np.sort(revenue)[::-1]
    figures = {}
    for rate in RATES:
        top = order[: int(len(scores) * rate + 1e-9)]
        hits = fraud[top].sum()
        figures["P", rate], figures["R", rate] = hits / len(top), hits / fraud.sum()
        figures["hits", rate] = hits / min(len(top), fraud.sum())
        figures["revenue", rate] = revenue[top].sum() / best[: len(top)].sum()
    return figures


def world(context, seed):
    """Model -> figures, and the seconds of DATE's fit and the rows that it had."""
    folder = context.folder / f"dual-{seed}"
    (folder / "cells").mkdir(parents=True)
    server = Server(make_warehouse(folder, QUICK_ITEMS if context.quick else ITEMS, seed))
    try:
        kernel = Kernel(server.environment)
        try:
            cells, keys = Matrices(kernel, folder / "cells"), folder / "cells" / "keys"
            count = int(kernel.ok(ROWS.replace("<keys>", json.dumps(str(keys))), timeout=600).stdout)
            kernel.ok(MODELS.replace("<seed>", str(seed)), timeout=3600)
            fraud, revenue = truth(folder, keys.read_text().split("\n"))
            made = {name: judged(fraud, revenue, cells.take(scores)) for name, scores in SCORES.items()}
            return made, cells.number("seconds"), count
        finally:
            kernel.stop()
    finally:
        server.stop()


def words(worlds, name):
    mean = lambda what, rate: statistics.fmean(made[name][what, rate] for made, _, _ in worlds)
    parts = [
        f"at {rate:.0%} P {mean('P', rate):.3f}, R {mean('R', rate):.3f}, hits of the oracle {mean('hits', rate):.3f}, "
        f"revenue {mean('revenue', rate):.3f}"
        for rate in RATES
    ]
    return "; ".join(parts)


def figures(context):
    seeds = SEEDS[: context.repeat(len(SEEDS))]
    worlds = [world(context, seed) for seed in seeds]
    each = lambda name: [made[name]["revenue", 0.05] for made, _, _ in worlds]
    mean = lambda name: statistics.fmean(each(name))
    rows, seconds = worlds[0][2], statistics.fmean(one[1] for one in worlds)
    apart = ", ".join(f"{date - gbdt:+.3f}" for date, gbdt in zip(each("DATE-REV"), each("GBDT")))
    note = (
        f"{len(seeds)} generated worlds, about {rows} inspected items of 2020 to learn from, all items of the half-year after to judge; "
        f"difference in each world {apart}; DATE's fit {seconds:.0f} s. Not the best way to the money: GBDT's probability times "
        f"the stake finds {mean('GBDT x stake'):.3f}, the stake alone {mean('stake'):.3f}, trees of revenue {mean('GBDT of revenue'):.3f}"
    )
    made = [context.figure(
        "models.date_revenue_at_5", mean("DATE-REV"), "share of the oracle's", n=len(seeds), aim=">= peer",
        peer="GBDT by its probability", peer_value=mean("GBDT"), note=note,
    )]
    for name in SCORES:
        short = name.lower().replace("+", "_").replace("-", "_").replace(" ", "_")
        made.append(context.figure(
            f"models.dual_{short}_revenue_at_5", mean(name), "share of the oracle's", n=len(seeds), note=words(worlds, name)
        ))
    return made
