"""The declarations of the Korea Customs Service in a warehouse of their own, and a kernel whose cells do with
them what an analyst would. What the cells leave in files is what a peer needs to be fitted on the same rows."""

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haetae_matrices import Matrices
from haetae_testing import kernel_before, load_kcs

# The folder may hold the quarter after the validation quarter as well: nothing here is to see it.
LOAD = """
let items = sql("
    select i.*, f.fraud
    from kcs.fact_item i
    join kcs.fact_inspection f on f.declaration_id = i.declaration_id and f.item_no = i.item_no
    where i.declaration_date < date '2021-04-01'
    order by i.declaration_date, i.declaration_id, i.item_no
")?;
let Split { before: train, after: valid } = split_at(&items, "declaration_date", "2021-01-01")?;
"""
RUN = "let run = Clearance::new().run(&train, &valid)?;"
EVALUATION = """
let evaluation = run.evaluation.frame()?;
for name in evaluation.get_column_names() {
    let values: Vec<String> = match name.as_str() {
        "protocol" | "model" => evaluation.texts(name)?,
        _ => evaluation.numbers(name)?.iter().map(|value| value.to_string()).collect(),
    };
    println!("{name},{}", values.join(","));
}
"""
AUDIT = 'println!("{}", run.evaluation.audit());'

ITEMS = """
const FOLDER: &str = <folder>;
fn save(name: &str, values: &[f64]) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(8 * values.len());
    for value in values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    std::fs::write(format!("{FOLDER}/{name}"), bytes)
}
fn save_rows(name: &str, fitted: &FittedFeatures, frame: &DataFrame) -> Result<(), Box<dyn std::error::Error>> {
    save(&format!("{name}.features"), fitted.transform(frame)?.values())?;
    save(&format!("{name}.target"), &target(frame, "fraud")?)?;
    std::fs::write(format!("{FOLDER}/{name}.ids"), frame.texts("declaration_id")?.join("\\n"))?;
    Ok(())
}
fn save_pair(name: &str, train: &DataFrame, judged: &DataFrame) -> Result<(), Box<dyn std::error::Error>> {
    let fitted = FeatureBuilder::clearance().fit(train, "fraud", "declaration_date")?;
    save_rows(&format!("{name}.train"), &fitted, train)?;
    save_rows(&format!("{name}.judged"), &fitted, judged)
}
"""
# As `Clearance::run` does it: the folds are over both frames, and the features are fitted anew for each.
SAVE = """
save_pair("split", &train, &valid)?;
let known = Lookup::fit(&train, &DECLARATION_KEY, "fraud")?.knows(&valid)?;
save("known", &known.iter().map(|&seen| f64::from(seen)).collect::<Vec<_>>())?;
save("scores", &run.model.score(&valid)?)?;
std::fs::write(format!("{FOLDER}/model"), run.model.trees().text())?;
let both = train.vstack(&valid)?;
let folds = group_folds(&both, &DECLARATION_KEY, 5)?;
for (number, fold) in folds.iter().enumerate() {
    let mut held_out = vec![false; both.height()];
    fold.iter().for_each(|&row| held_out[row] = true);
    let others: Vec<usize> = (0..both.height()).filter(|&row| !held_out[row]).collect();
    save_pair(&format!("fold{number}"), &rows(&both, &others)?, &rows(&both, fold)?)?;
}
println!("{}", folds.len());
"""
# The parameters of `Clearance::new`, which the first fit proves: the same trees to the last digit.
FIT_SETUP = """
let builder = FeatureBuilder::clearance();
let matrix = builder.fit(&train, "fraud", "declaration_date")?.transform(&train)?;
let labels = target(&train, "fraud")?;
let params: haetae::models::LightGbmParams =
    LightGbm::params().trees(200).depth(2).leaves(4).learning_rate(0.05).increasing(&builder.rate_names());
let model = params.fit(&matrix, &labels)?;
assert!(model.text() == run.model.trees().text(), "not the model of Clearance::new");
"""


@dataclass
class Rows:
    """Declarations: their ids, their features (column-major, as a cell had them) and whether fraud was found."""

    ids: list[str]
    features: np.ndarray
    target: np.ndarray


@dataclass
class Pair:
    """What a model is fitted on, and what it is judged on."""

    train: Rows
    judged: Rows


class Analyst:
    """A kernel in whose cells the clearance model has been fitted and judged; `folder` takes the files."""

    def __init__(self, kernel, folder):
        self.kernel = kernel
        self.folder = folder
        for code in (LOAD, RUN, ITEMS.replace("<folder>", json.dumps(str(folder)))):
            kernel.ok(code, timeout=600)
        self.folds = int(kernel.ok(SAVE, timeout=600).stdout)
        self.audit = kernel.ok(AUDIT).stdout.strip()

    def evaluation(self):
        """(protocol, model) -> the columns of the evaluation's frame by their names."""
        lines = [line.split(",") for line in self.kernel.ok(EVALUATION).stdout.splitlines()]
        columns = {name: values for name, *values in lines}
        keys = zip(columns.pop("protocol"), columns.pop("model"), strict=True)
        figures = [dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]
        return dict(zip(keys, figures, strict=True))

    def ready_to_fit(self):
        """The training rows as `matrix` and `labels`, the parameters as `params`, and what they fit as `model`, in the cells; they
        take arrays."""
        self.kernel.ok(FIT_SETUP, timeout=600)
        return Matrices(self.kernel, self.folder)

    def numbers(self, name):
        return np.fromfile(self.folder / name, "<f8")

    def rows(self, name):
        target = self.numbers(f"{name}.target")
        features = self.numbers(f"{name}.features").reshape(-1, len(target)).T
        return Rows((self.folder / f"{name}.ids").read_text().split("\n"), features, target)

    def pair(self, name):
        """`split` (2020, and the quarter after it) or `fold0`, `fold1` …"""
        return Pair(self.rows(f"{name}.train"), self.rows(f"{name}.judged"))

    def fold_pairs(self):
        return [self.pair(f"fold{number}") for number in range(self.folds)]

    def parameters(self):
        """The parameters of the fitted trees by LightGBM's names, from the end of the model's text."""
        text = (self.folder / "model").read_text()
        section = text.split("\nparameters:\n")[1].split("\nend of parameters")[0]
        pairs = (line.strip("[]").split(": ", 1) for line in section.splitlines() if ": " in line)
        return {name: value for name, value in pairs}


@contextmanager
def analyst(folder, declarations):
    """An `Analyst` on a fresh warehouse in `folder` with the files of the folder `declarations`."""
    warehouse, files = Path(folder) / "warehouse", Path(folder) / "files"
    files.mkdir(parents=True)
    load_kcs(warehouse, declarations)
    with kernel_before(warehouse) as kernel:
        yield Analyst(kernel, files)
