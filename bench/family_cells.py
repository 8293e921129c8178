"""The cells in which `families.py` lets each family learn and score: rows -> the figures of each protocol, as lines."""

LOAD = """
let items = sql("
    select i.*, f.fraud, f.additional_duty_krw
    from fact_item i
    left join fact_inspection f on f.declaration_id = i.declaration_id and f.item_no = i.item_no
    where i.declaration_date < date '<until>'
    order by i.declaration_date, i.declaration_id, i.item_no
")?;
let Split { before: train, after: valid } = split_at(&items, "declaration_date", "<from>")?;
"""

# Rows without a label count in histories as rows; they are neither learnt from nor judged.
DEFINE = """
type Fallible<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Pair {
    before: DataFrame,
    after: DataFrame,
    y: Vec<f64>,
    truth: Vec<f64>,
    revenue: Vec<f64>,
    brought: Vec<f64>,
    rich: (FeatureMatrix, FeatureMatrix),
    plain: (FeatureMatrix, FeatureMatrix),
    dense: (FeatureMatrix, FeatureMatrix),
    named: (FeatureMatrix, FeatureMatrix),
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

// What a fraud kept back, and 0 where there was none. Where nothing says so, the duty and the tax of 10 % that were declared.
fn revenue_of(frame: &DataFrame) -> Fallible<Vec<f64>> {
    let fraud = target(frame, "fraud")?;
    let amounts = if frame.column("additional_duty_krw").is_ok() {
        frame.numbers("additional_duty_krw")?
    } else {
        frame.numbers("item_price_krw")?.iter().zip(frame.numbers("duty_rate")?)
            .map(|(price, rate)| price * (rate + 0.1 * (1.0 + rate))).collect()
    };
    let of = |(amount, fraud): (&f64, &f64)| if *fraud == 1.0 && amount.is_finite() { amount.max(0.0) } else { 0.0 };
    Ok(amounts.iter().zip(&fraud).map(of).collect())
}

fn pair_of(train: &DataFrame, judged: &DataFrame) -> Fallible<Pair> {
    let (before, after) = (labelled_of(train)?, labelled_of(judged)?);
    let rich = FeatureBuilder::clearance().fit(train, "fraud", "declaration_date")?;
    let plain = FeatureBuilder::plain().fit(&before, "fraud", "declaration_date")?;
    let both = rich.transform(&before.vstack(&after)?)?;
    let rich = (rich.transform(&before)?, rich.transform(&after)?);
    let dense = (dense_of(&rich.0, &rich.0)?, dense_of(&rich.0, &rich.1)?);
    let plain = (plain.transform(&before)?, plain.transform(&after)?);
    let named = FeatureBuilder::clearance().categorical("importer_id").categorical("hs6").fit(train, "fraud", "declaration_date")?;
    let named = (named.transform(&before)?, named.transform(&after)?);
    let (y, truth) = (target(&before, "fraud")?, target(&after, "fraud")?);
    let (revenue, brought) = (revenue_of(&before)?, revenue_of(&after)?);
    Ok(Pair { before, after, y, truth, revenue, brought, rich, plain, dense, named, both })
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

// Each way to put the judged rows in order: those of DATE are the probability of fraud, and that times what a fraud like it
// brings, as it comes.
fn scores_of(family: &str, p: &Pair) -> Fallible<Vec<Vec<f64>>> {
    if family == "DATE" {
        let (chances, expected) = DateNet::params().fit(&p.named.0, &p.y, &p.revenue)?.predict_both(&p.named.1)?;
        return Ok(vec![chances, expected]);
    }
    Ok(vec![one_of(family, p)?])
}

fn one_of(family: &str, p: &Pair) -> Fallible<Vec<f64>> {
    let rates = FeatureBuilder::clearance().rate_names();
    let balanced = ClassWeight::Balanced;
    Ok(match family {
        "LightGBM" => LightGbm::params().trees(200).depth(2).leaves(4).learning_rate(0.05).increasing(&rates)
            .fit(&p.rich.0, &p.y)?.predict(&p.rich.1)?,
        // Chosen on the last two quarters of training: the mean of the two did better there than either, on these data and others.
        "LightGBM, mean of two" => {
            let whole = LightGbm::params().trees(200).depth(3).leaves(8).learning_rate(0.03).increasing(&rates);
            let drawn = whole.clone().row_share(0.7).feature_share(0.5).l2(10.0);
            let of = |params: &LightGbmParams| params.fit(&p.rich.0, &p.y)?.predict(&p.rich.1);
            of(&whole)?.into_iter().zip(of(&drawn)?).map(|(one, other)| f64::midpoint(one, other)).collect()
        }
        "random forest" => RandomForest::params().trees(300).min_rows_in_leaf(10).fit(&p.rich.0, &p.y)?
            .predict(&p.rich.1)?,
        "GBDT+LR" => LeafLogistic::params().fit(&p.rich.0, &p.y)?.predict(&p.rich.1)?,
        "logistic" => Logistic::params().fit(&p.plain.0, &p.y)?.predict(&p.plain.1)?,
        "linear SVM" => LinearSvm::params().c(0.01).class_weight(balanced).fit(&p.plain.0, &p.y)?.decision(&p.plain.1)?,
        "SVM, Nystroem" => {
            let kernel = Nystroem::params().landmarks(300).scaled(false).fit(&p.dense.0)?;
            LinearSvm::params().scaled(false).c(0.1).class_weight(balanced).fit(&kernel.transform(&p.dense.0)?, &p.y)?
                .decision(&kernel.transform(&p.dense.1)?)?
        }
        // Its time grows with the square of the rows: on every so many of them.
        "SVM, RBF, 8000 rows" => {
            let every = p.y.len().div_ceil(8000);
            let drawn: Vec<usize> = (0..p.y.len()).step_by(every).collect();
            let y: Vec<f64> = drawn.iter().map(|&row| p.y[row]).collect();
            Svm::params().scaled(false).class_weight(balanced).fit(&p.dense.0.select_rows(&drawn), &y)?.decision(&p.dense.1)?
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
        "Gaussian mixture" => {
            let model = GaussianMixture::params().bells(8).regularisation(1e-3).scaled(false).fit(&p.dense.0)?;
            model.log_densities(&p.dense.1)?.iter().map(|density| -density).collect()
        }
        "isolation forest" => IsolationForest::params().trees(200).fit(&p.dense.0)?.predict(&p.dense.1)?,
        "lookup" => Lookup::fit(&p.before, &DECLARATION_KEY, "fraud")?.score(&p.after)?,
        "importer history" => {
            ImporterHistory::fit(&p.before, "importer_id", "fraud", "declaration_date")?.score(&p.after)?
        }
        other => return Err(format!("no family is called {other}").into()),
    })
}

fn say(head: usize, protocol: &str, truth: &[f64], brought: &[f64], scores: &[f64]) -> Fallible<()> {
    let at = |rate: f64| metrics::precision_at(truth, scores, rate);
    println!("{head};{protocol};{};{};{};{};{};{}", at(0.01)?, at(0.05)?, at(0.1)?, metrics::auc(truth, scores)?,
        metrics::average_precision(truth, scores)?, metrics::revenue_of_oracle(brought, scores, 0.05)?);
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
    for (part, (x, rich, y, revenue)) in [
        ("train", (&p.plain.0, &p.rich.0, &p.y, &p.revenue)), ("judged", (&p.plain.1, &p.rich.1, &p.truth, &p.brought))
    ] {
        save_numbers(&format!("{}/{name}.{part}.x", <folder>), x.values())?;
        save_numbers(&format!("{}/{name}.{part}.rich", <folder>), rich.values())?;
        save_numbers(&format!("{}/{name}.{part}.y", <folder>), y)?;
        save_numbers(&format!("{}/{name}.{part}.revenue", <folder>), revenue)?;
    }
}
save_numbers(&format!("{}/unseen", <folder>), &unseen.iter().map(|&row| row as f64).collect::<Vec<_>>())?;
println!("{};{};{}", whole.y.len(), whole.truth.len(), unseen.len());
println!("{}", (0..whole.plain.0.columns()).map(|i| u8::from(whole.plain.0.is_categorical(i)).to_string()).collect::<Vec<_>>().join(","));
"""

FAMILY = """
{
    let begun = std::time::Instant::now();
    let heads = scores_of(<family>, &whole)?;
    println!("{}", begun.elapsed().as_secs_f64());
    let of = |values: &[f64]| unseen.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let (mut truth, mut brought, mut grouped) = (Vec::new(), Vec::new(), vec![Vec::new(); heads.len()]);
    for p in &folded {
        truth.extend(&p.truth);
        brought.extend(&p.brought);
        scores_of(<family>, p)?.into_iter().zip(&mut grouped).for_each(|(scores, all)| all.extend(scores));
    }
    for (head, scores) in heads.iter().enumerate() {
        say(head, "full", &whole.truth, &whole.brought, scores)?;
        say(head, "clean", &of(&whole.truth), &of(&whole.brought), &of(scores))?;
        say(head, "grouped", &truth, &brought, &grouped[head])?;
        save_numbers(&format!("{}/{}.{head}.split", <folder>, <family>), scores)?;
        save_numbers(&format!("{}/{}.{head}.folds", <folder>, <family>), &grouped[head])?;
    }
}
"""
