"""DATE beside boosted trees on generated declarations with planted undervaluation, misclassification, false origins and
quantity slips: who finds more fraud, and who finds more revenue, when 1, 5 or 10 % of the items are inspected.

Each world (a seed of the generator, and as seed of the models) is learnt from what inspections of 2020 found, and judged on
all items of the half-year after it by the truth that the generator keeps apart. Revenue is what a fraud kept back; a share
is that of the best choice of as many items (the oracle). The trees have their size, their steps and whether they see the
codes of importers and goods chosen in each world, by fits on the first nine months that are judged on the last three, and so
is which of their orders (probability, probability times revenue, revenue) is the peer; DATE goes as it comes (DATE-REV is
its probability times what it says that a fraud brings), but for its number of epochs, which it chooses by the last fifth of
the training rows. Its other defaults were chosen in the same way in worlds of other seeds. Ours run in cells of the kernel;
figures are worked out here, from their scores. A few items hold much of the money: how much, and how far a difference goes
when items are drawn anew, stands beside it. As a program it prints its figures alone.
"""

import json
import statistics
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from haetae_matrices import Matrices  # noqa: E402  (the path comes first)
from haetae_testing import kernel_before, make_warehouse  # noqa: E402

SEEDS, ITEMS, QUICK_ITEMS = (7, 8, 9), 200_000, 20_000
RATES = (0.01, 0.05, 0.10)
# Of the items, to see how far a difference goes when they are drawn anew.
DRAWS = 400

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
// Without the codes of importers and goods, but with their past rates: codes of thousands are learnt by heart.
let without_codes = builder.clone().without("importer_id").without("hs6");
let plain = without_codes.fit(&before, "fraud", "declaration_date")?;
let (plain_train, plain_later) = (plain.transform(&inspected)?, plain.transform(&after)?);
// Duty, and the tax of 10 % on price and duty.
let stake: Vec<f64> = after.numbers("item_price_krw")?.iter().zip(after.numbers("duty_rate")?)
    .map(|(price, rate)| price * (rate + 0.1 * (1.0 + rate))).collect();
let keys: Vec<String> = after.texts("declaration_id")?.iter().zip(after.numbers("item_no")?)
    .map(|(declaration, item)| format!("{declaration}/{item}")).collect();
std::fs::write(<keys>, keys.join("\\n"))?;
println!("{}", inspected.height());
"""
# Nested: fits on rows before October, judged on inspected rows after it, within 2020.
CHOICE = """
type Fallible<T> = std::result::Result<T, Box<dyn std::error::Error>>;
#[derive(Clone)]
struct Form { codes: bool, trees: haetae::models::LightGbmParams }

fn forms(seed: u32) -> Vec<Form> {
    let sizes = [(100, 16, 4, 0.1), (200, 4, 2, 0.05), (300, 8, 3, 0.05), (200, 16, 4, 0.05), (200, 31, 8, 0.03)];
    [false, true].into_iter().flat_map(|codes| sizes.map(|(trees, leaves, depth, rate)| {
        let trees = LightGbm::params().trees(trees).leaves(leaves).depth(depth).learning_rate(rate).seed(seed);
        Form { codes, trees }
    })).collect()
}

// The form whose figure on the later rows is greatest; the first of equal ones.
fn best(forms: Vec<Form>, figure: &dyn Fn(&Form) -> Fallible<f64>) -> Fallible<Form> {
    let mut found: Option<(f64, Form)> = None;
    for form in forms {
        let value = figure(&form)?;
        if found.as_ref().is_none_or(|(known, _)| value > *known) {
            found = Some((value, form));
        }
    }
    Ok(found.ok_or("no form")?.1)
}

// Features with and without the codes, of rows that were inspected.
struct Rows { coded: FeatureMatrix, plain: FeatureMatrix, fraud: Vec<f64>, revenue: Vec<f64> }
impl Rows {
    fn of(&self, form: &Form) -> &FeatureMatrix {
        if form.codes { &self.coded } else { &self.plain }
    }
    // What a fraud brings, by the logarithm, learnt from frauds alone.
    fn frauds(&self, form: &Form) -> (FeatureMatrix, Vec<f64>) {
        let some: Vec<usize> = (0..self.fraud.len()).filter(|&row| self.fraud[row] == 1.0).collect();
        (self.of(form).select_rows(&some), some.iter().map(|&row| self.revenue[row].ln_1p()).collect())
    }
}
fn chance(form: &Form, past: &Rows, rows: &Rows) -> Fallible<Vec<f64>> {
    Ok(form.trees.fit(past.of(form), &past.fraud)?.predict(rows.of(form))?)
}
fn amount(form: &Form, past: &Rows, rows: &Rows, scaled: &[f64]) -> Fallible<Vec<f64>> {
    Ok(form.trees.clone().objective(Objective::Value).fit(past.of(form), scaled)?.predict(rows.of(form))?)
}
fn if_fraud(form: &Form, past: &Rows, rows: &Rows) -> Fallible<Vec<f64>> {
    let (features, logarithms) = past.frauds(form);
    let trees = form.trees.clone().objective(Objective::Value).fit(&features, &logarithms)?;
    Ok(trees.predict(rows.of(form))?.iter().map(|amount| amount.exp_m1().max(0.0)).collect())
}
fn by_logarithm(revenue: &[f64]) -> Vec<f64> {
    let some: Vec<f64> = revenue.iter().copied().filter(|amount| *amount > 0.0).collect();
    let unit = some.iter().sum::<f64>() / some.len() as f64;
    revenue.iter().map(|amount| (amount / unit).ln_1p()).collect()
}
fn times(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}
fn rows_of(lines: &DataFrame, coded: &FittedFeatures, plain: &FittedFeatures) -> Fallible<Rows> {
    let found = rows(lines, &haetae::features::labelled_rows(lines, "fraud")?)?;
    let revenue = found.numbers("additional_duty_krw")?;
    Ok(Rows { coded: coded.transform(&found)?, plain: plain.transform(&found)?, fraud: target(&found, "fraud")?, revenue })
}
"""
CHOOSE = """
let (gbdt_form, amounts_form, if_fraud_form, held_money) = {
    let Split { before: first, after: last } = split_at(&before, "declaration_date", "2020-10-01")?;
    let coded = builder.fit(&first, "fraud", "declaration_date")?;
    let plain = without_codes.fit(&first, "fraud", "declaration_date")?;
    let (past, held) = (rows_of(&first, &coded, &plain)?, rows_of(&last, &coded, &plain)?);
    let money = |scores: &[f64]| metrics::revenue_of_oracle(&held.revenue, scores, 0.05);
    let scaled = by_logarithm(&past.revenue);
    let gbdt = best(forms(<seed>), &|form| Ok(metrics::average_precision(&held.fraud, &chance(form, &past, &held)?)?))?;
    let amounts = best(forms(<seed>), &|form| Ok(money(&amount(form, &past, &held, &scaled)?)?))?;
    let chances = chance(&gbdt, &past, &held)?;
    let one = best(forms(<seed>), &|form| Ok(money(&times(&chances, &if_fraud(form, &past, &held)?))?))?;
    // In the order of BASELINES.
    let held_money = [
        money(&chances)?,
        money(&times(&chances, &if_fraud(&one, &past, &held)?))?,
        money(&amount(&amounts, &past, &held, &scaled)?)?,
    ];
    (gbdt, amounts, one, held_money)
};
println!("{}", held_money.map(|money| money.to_string()).join(" "));
println!("{:?}", [&gbdt_form, &amounts_form, &if_fraud_form].map(|form| {
    forms(<seed>).iter().position(|one| one.trees == form.trees && one.codes == form.codes)
}));
"""
MODELS = """
let past = Rows { coded: train.clone(), plain: plain_train.clone(), fraud: found.clone(), revenue: revenue.clone() };
// What is judged has no labels here.
let judged = Rows { coded: later.clone(), plain: plain_later.clone(), fraud: Vec::new(), revenue: Vec::new() };
let gbdt = chance(&gbdt_form, &past, &judged)?;
let leaves = LeafLogistic::params().trees(gbdt_form.trees.clone()).fit(past.of(&gbdt_form), &found)?.predict(judged.of(&gbdt_form))?;
let amounts = amount(&amounts_form, &past, &judged, &by_logarithm(&revenue))?;
let expected = times(&gbdt, &if_fraud(&if_fraud_form, &past, &judged)?);
let begun = std::time::Instant::now();
let date = DateNet::params().seed(<seed>).fit(&train, &found, &revenue)?;
let seconds = begun.elapsed().as_secs_f64();
let epochs = date.epochs().len();
let (chances, brought) = date.predict_both(&later)?;
"""
SCORES = {
    "stake": "&stake",
    "GBDT": "&gbdt",
    "GBDT+LR": "&leaves",
    "GBDT of revenue": "&amounts",
    "GBDT x revenue if fraud": "&expected",
    "GBDT x stake": "&gbdt.iter().zip(&stake).map(|(a, b)| a * b).collect::<Vec<f64>>()",
    "DATE-CLS": "&chances",
    "DATE-REV": "&brought",
    "DATE-CLS x stake": "&chances.iter().zip(&stake).map(|(a, b)| a * b).collect::<Vec<f64>>()",
}
# Of them the peer is that which brought most in the months held back.
BASELINES = ["GBDT", "GBDT x revenue if fraud", "GBDT of revenue"]


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


def apart(revenue, ours, theirs):
    """How much more of the oracle's revenue `ours` finds than `theirs` where 5 % are inspected: the difference, and where 95 % of
    the differences lie when items are drawn anew."""
    size = len(revenue)
    orders = [np.argsort(-scores, kind="stable") for scores in (ours, theirs, revenue)]

    def found(order, times):
        # The first of those drawn, each as often as it was.
        drawn = times[order]
        return (revenue[order] * np.clip(int(size * 0.05 + 1e-9) - (np.cumsum(drawn) - drawn), 0, drawn)).sum()

    def share(times):
        mine, peer, best = (found(order, times) for order in orders)
        return (mine - peer) / best

    random = np.random.default_rng(1)
    drawn = [share(np.bincount(random.integers(0, size, size), minlength=size)) for _ in range(DRAWS)]
    return share(np.ones(size, dtype=int)), *np.quantile(drawn, [0.025, 0.975])


def world(context, seed):
    """Model -> figures, the seconds of DATE's fit, the rows that it had, the name of the peer, how far DATE is from it, and the
    share of the oracle's revenue that ten items hold."""
    folder = context.folder / f"dual-{seed}"
    (folder / "cells").mkdir(parents=True)
    with kernel_before(make_warehouse(folder, QUICK_ITEMS if context.quick else ITEMS, seed)) as kernel:
        cells, keys = Matrices(kernel, folder / "cells"), folder / "cells" / "keys"
        count = int(kernel.ok(ROWS.replace("<keys>", json.dumps(str(keys))), timeout=600).stdout)
        kernel.ok(CHOICE)
        held, chosen = kernel.ok(CHOOSE.replace("<seed>", str(seed)), timeout=3600).stdout.strip().split("\n")
        held = dict(zip(BASELINES, map(float, held.split()), strict=True))
        peer = max(held, key=held.get)
        kernel.ok(MODELS.replace("<seed>", str(seed)), timeout=6 * 3600)
        fraud, revenue = truth(folder, keys.read_text().split("\n"))
        scores = {name: cells.take(expression) for name, expression in SCORES.items()}
        made = {name: judged(fraud, revenue, one) for name, one in scores.items()}
        far = apart(revenue, scores["DATE-REV"], scores[peer])
        best = np.sort(revenue)[::-1][: int(len(revenue) * 0.05 + 1e-9)]
        print(f"  world {seed}: forms {chosen}, peer {peer} of {held}, DATE {cells.number('epochs'):.0f} epochs", flush=True)
        return made, cells.number("seconds"), count, peer, far, best[:10].sum() / best.sum()


def words(worlds, name):
    mean = lambda what, rate: statistics.fmean(made[name][what, rate] for made, *_ in worlds)
    parts = [
        f"at {rate:.0%} P {mean('P', rate):.3f}, R {mean('R', rate):.3f}, hits of the oracle {mean('hits', rate):.3f}, "
        f"revenue {mean('revenue', rate):.3f}"
        for rate in RATES
    ]
    return "; ".join(parts)


def table(worlds):
    """Means over the worlds, a row for each order of the items."""
    kinds = [(what, rate) for what in ("P", "revenue") for rate in RATES]
    mean = lambda name, kind: round(statistics.fmean(made[name][kind] for made, *_ in worlds), 3)
    columns = ["model", *(f"{what}@{rate:.0%}".replace("%", " %") for what, rate in kinds)]
    return {"columns": columns, "rows": [[name, *(mean(name, kind) for kind in kinds)] for name in SCORES]}


def figures(context):
    seeds = SEEDS[: context.repeat(len(SEEDS))]
    worlds = [world(context, seed) for seed in seeds]
    each = lambda name: [made[name]["revenue", 0.05] for made, *_ in worlds]
    mean = lambda name: statistics.fmean(each(name))
    rows, seconds = worlds[0][2], statistics.fmean(one[1] for one in worlds)
    # The peer of each world, chosen in its past.
    names, peers = [one[3] for one in worlds], [made[peer]["revenue", 0.05] for made, _, _, peer, *_ in worlds]
    far = ", ".join("{:+.3f} ({:+.3f} to {:+.3f})".format(*one[4]) for one in worlds)
    largest = ", ".join(f"{one[5]:.2f}" for one in worlds)
    note = (
        f"{len(seeds)} generated worlds, about {rows} inspected items of 2020 to learn from, all items of the half-year after to judge; "
        f"difference in each world, and where 95 % of them lie when items are drawn anew: {far}; ten items hold {largest} of the "
        f"oracle's revenue; DATE's fit, the search for its epochs among it, {seconds:.0f} s. The peer is in each world "
        f"the one of {', '.join(BASELINES)} that brought most in the last three months of 2020 ({', '.join(names)}); over the worlds, by "
        f"the same effort of choosing: probability {mean('GBDT'):.3f}, times what trees say that a fraud brings "
        f"{mean('GBDT x revenue if fraud'):.3f}, trees of revenue {mean('GBDT of revenue'):.3f}. What is declared says much here: "
        f"probability times stake {mean('GBDT x stake'):.3f}, the stake alone {mean('stake'):.3f}"
    )
    made = [context.figure(
        "models.date_revenue_at_5", mean("DATE-REV"), "share of the oracle's", n=len(seeds), aim=">= peer",
        peer="best trees, chosen in the past", peer_value=statistics.fmean(peers), note=note, table=table(worlds),
    )]
    for name in SCORES:
        short = name.lower().replace("+", "_").replace("-", "_").replace(" ", "_")
        made.append(context.figure(
            f"models.dual_{short}_revenue_at_5", mean(name), "share of the oracle's", n=len(seeds), note=words(worlds, name)
        ))
    return made


if __name__ == "__main__":
    from run import alone

    alone(figures)
