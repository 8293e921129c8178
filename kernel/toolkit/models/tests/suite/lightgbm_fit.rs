//! A fit that is watched and stopped, contributions, repetition, and the model as text.

use std::process::Command;

use haetae_features::FeatureMatrix;
use haetae_models::{Error, LightGbmModel, LightGbmParams, Logistic, Metric, Objective, Progress, Step, metrics};

use crate::data::{Random, assert_close, bits, even, numbers};
use crate::lightgbm::params;

/// A target that depends on `x` and `z` with much noise.
fn noisy(seed: u64, rows: usize) -> (FeatureMatrix, Vec<f64>) {
    let mut random = Random::new(seed);
    let (x, z, idle) = (even(&mut random, rows), even(&mut random, rows), even(&mut random, rows));
    let target = x.iter().zip(&z).map(|(x, z)| f64::from(random.unit() < 0.1 + 0.5 * x * x + 0.3 * z)).collect();
    (numbers([("x", x), ("z", z), ("idle", idle)]), target)
}

/// The metric after every tree of a fit, and its model.
fn watched(params: &LightGbmParams) -> (Vec<f64>, LightGbmModel) {
    let ((features, target), (valid, valid_target)) = (noisy(1, 300), noisy(2, 200));
    let mut curve = Vec::new();
    let checked = params.check().unwrap();
    let model = checked.fit_watched(&features, &target, Some((&valid, &valid_target)), &mut |progress| {
        curve.push(progress.metric.unwrap());
        Step::Go
    });
    (curve, model.unwrap())
}

#[test]
fn early_stopping_keeps_the_trees_up_to_the_best() {
    let (patience, trees) = (15, 400);
    for (metric, sign) in [(Metric::Auc, 1.0), (Metric::AveragePrecision, 1.0), (Metric::LogLoss, -1.0)] {
        let (curve, model) = watched(&params().trees(trees).patience(patience).metric(metric));
        let better = |a: f64, b: f64| sign * a > sign * b;
        let best = (0..curve.len()).fold(0, |best, i| if better(curve[i], curve[best]) { i } else { best }) + 1;
        assert_eq!((model.trees(), curve.len()), (best, best + patience), "{metric:?}");
        assert!(best > 1 && curve.len() < trees, "{metric:?}: noise must end the fit, after {best} trees");
        let ((features, target), (valid, valid_target)) = (noisy(1, 300), noisy(2, 200));
        let again = params().trees(trees).patience(patience).metric(metric);
        let again = again.fit_valid(&features, &target, &valid, &valid_target).unwrap();
        assert_eq!(again.text(), model.text());
    }
}

#[test]
fn the_metric_of_a_step_is_the_figure_of_the_trees_so_far() {
    let ((features, target), (valid, valid_target)) = (noisy(1, 300), noisy(2, 200));
    let loss = |target: &[f64], scores: &[f64]| {
        let loss = |(y, p): (&f64, &f64)| -(y * p.ln() + (1.0 - y) * (1.0 - p).ln());
        target.iter().zip(scores).map(loss).sum::<f64>() / target.len() as f64
    };
    // Leaves that are equal but for their last bit are a tie after the link function and none before it: the two ranks
    // can differ a little.
    type Figure = fn(&[f64], &[f64]) -> f64;
    let figures: [(Metric, Figure, f64); 3] = [
        (Metric::Auc, |target, scores| metrics::auc(target, scores).unwrap(), 5e-3),
        (Metric::AveragePrecision, |target, scores| metrics::average_precision(target, scores).unwrap(), 5e-3),
        (Metric::LogLoss, loss, 1e-6),
    ];
    for (metric, figure, tolerance) in figures {
        let (curve, _) = watched(&params().trees(12).metric(metric));
        for trees in [1, 5, 12] {
            let scores = params().trees(trees).fit(&features, &target).unwrap().predict(&valid).unwrap();
            assert_close(&format!("{metric:?}"), &[curve[trees - 1]], &[figure(&valid_target, &scores)], tolerance);
        }
    }
}

#[test]
fn a_watcher_sees_every_tree_and_may_end_or_cancel() {
    let (features, target) = noisy(1, 200);
    let checked = params().trees(20).check().unwrap();
    let mut steps = Vec::new();
    let mut until = |at: usize, step: Step| {
        steps.clear();
        let result = checked.fit_watched(&features, &target, None, &mut |progress| {
            steps.push(*progress);
            if progress.done == at { step } else { Step::Go }
        });
        let expected = |done| Progress { done, of: 20, metric: None };
        assert_eq!(steps, (1..=at.min(20)).map(expected).collect::<Vec<_>>());
        result
    };
    let whole = until(99, Step::Go).unwrap();
    assert_eq!(whole.text(), checked.fit(&features, &target).unwrap().text());
    let stopped = until(7, Step::Stop).unwrap();
    let seven = params().trees(7).fit(&features, &target).unwrap();
    assert_eq!(stopped.trees(), 7);
    assert_eq!(bits(&stopped.predict(&features).unwrap()), bits(&seven.predict(&features).unwrap()));
    let error = until(3, Step::Cancel).unwrap_err();
    assert_eq!(error.to_string(), "cancelled after 3 of 20 trees; nothing of it was kept");
    assert!(matches!(error, Error::Cancelled { done: 3, of: 20, .. }));
}

#[test]
fn contributions_add_up_to_the_raw_score() {
    let (features, target) = noisy(3, 250);
    let classes: Vec<f64> = (0..250).map(|row| (features.value(row, 0) * 4.0).floor()).collect();
    for (objective, target, classes) in
        [(Objective::Binary, &target, 1), (Objective::Value, &target, 1), (Objective::Classes(4), &classes, 4)]
    {
        let model = params().objective(objective).trees(25).fit(&features, target).unwrap();
        let raw = model.predict_raw(&features).unwrap();
        let contributions = model.contributions(&features).unwrap();
        assert_eq!(
            (contributions.rows(), contributions.classes(), contributions.names()),
            (250, classes, model.names())
        );
        for row in 0..250 {
            for class in 0..classes {
                let sum = contributions.row(row, class).iter().sum::<f64>() + contributions.expected(row, class);
                let raw = raw[row * classes + class];
                assert!((sum - raw).abs() < 1e-6, "{objective:?}, row {row}, class {class}: {sum} and {raw}");
            }
        }
        assert_eq!(contributions.row(250, 0), [0.0; 0]);
        assert_eq!(contributions.row(0, classes), [0.0; 0]);
        assert!(contributions.expected(0, classes).is_nan() && contributions.expected(250, 0).is_nan());
    }
}

/// glibc's checks of its heap: a block that was written beyond its end is found where it is given back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const CHECKED_HEAP: [(&str, &str); 2] = [("LD_PRELOAD", "libc_malloc_debug.so.0"), ("MALLOC_CHECK_", "3")];

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn contributions_of_classes_stay_within_their_buffer() {
    let run = |test: &str| program_of(test).envs(CHECKED_HEAP).output().unwrap();
    for test in ["contributions_add_up_to_the_raw_score", "every_kind_of_prediction_is_the_same_in_blocks"] {
        let output = run(&format!("lightgbm_fit::{test}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !stderr.contains("cannot be preloaded"), "{:?}: {stderr}", output.status);
    }
    // That the checks find one byte beyond a buffer.
    let output = run("lightgbm_fit::a_byte_beyond_a_buffer");
    assert!(output.status.code().is_none(), "{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "damages the heap, on purpose: for the test above"]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_byte_beyond_a_buffer() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    let mut buffer = vec![0_u8; 24];
    // SAFETY: none: the process is there to be ended by the checks of the heap, and has no other work.
    unsafe { std::ptr::write_volatile(buffer.as_mut_ptr().add(24), 1) };
    drop(std::hint::black_box(buffer));
}

#[test]
fn a_stump_owes_everything_to_its_feature() {
    // 60 rows of 0 and 40 of 1: before anything is known, the score is the mean of the leaves over the rows.
    let x: Vec<f64> = (0..100).map(|i| f64::from(i >= 60)).collect();
    let target: Vec<f64> = (0..100).map(|i| f64::from(i % 10 == 0 || i >= 70)).collect();
    let idle: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 100)).collect();
    let model = params().trees(1).leaves(2).fit(&numbers([("idle", idle), ("x", x)]), &target).unwrap();
    let asked = numbers([("idle", vec![5.0, 5.0]), ("x", vec![0.0, 1.0])]);
    let raw = model.predict_raw(&asked).unwrap();
    let expected = 0.6 * raw[0] + 0.4 * raw[1];
    let contributions = model.contributions(&asked).unwrap();
    for (row, score) in raw.iter().enumerate() {
        assert_close("expected", &[contributions.expected(row, 0)], &[expected], 1e-6);
        assert_close("contributions", contributions.row(row, 0), &[0.0, score - expected], 1e-6);
    }
    // A reason raises the score: the row with 0 has none.
    assert!(contributions.reasons(0, 0, 5).is_empty() && contributions.reasons(1, 0, 0).is_empty());
    let reasons = contributions.reasons(1, 0, 5);
    assert_eq!(reasons.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x"]);
    let frame = contributions.to_frame(0).unwrap();
    assert_eq!(frame.get_column_names(), ["idle", "x", "expected"]);
    assert_eq!(frame.column("x").unwrap().f64().unwrap().get(1), Some(reasons[0].1));
    let importance = model.importance().unwrap();
    assert_eq!((importance[0].0.as_str(), importance[1].0.as_str(), importance[1].1), ("x", "idle", 0.0));
    assert!(importance[0].1 > 0.0);
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_one_does_not() {
    let (features, target) = noisy(4, 400);
    let drawn = |seed: u32| {
        let params = params().row_share(0.6).feature_share(0.7).trees(40).seed(seed);
        let model = params.fit(&features, &target).unwrap();
        (model.text().to_owned(), bits(&model.predict(&features).unwrap()))
    };
    let first = drawn(1);
    assert!(first == drawn(1), "the same seed gave another model");
    let other = drawn(2);
    assert!(first.0 != other.0 && first.1 != other.1, "the seed changes nothing");
}

#[test]
fn text_holds_the_whole_model() {
    let (features, target) = noisy(5, 300);
    let model = params().trees(30).fit(&features, &target).unwrap();
    let again = LightGbmModel::from_text(model.text()).unwrap();
    assert_eq!((again.names(), again.trees(), again.classes()), (model.names(), 30, 1));
    assert_eq!(again.names(), ["x", "z", "idle"]);
    assert_eq!(again.text(), model.text());
    assert_eq!(bits(&again.predict(&features).unwrap()), bits(&model.predict(&features).unwrap()));
    assert_eq!(again.contributions(&features).unwrap(), model.contributions(&features).unwrap());
    assert_eq!(again.importance().unwrap(), model.importance().unwrap());
    assert_eq!(format!("{again:?}"), "LightGBM, 30 trees on 3 features");
}

#[test]
fn names_in_other_scripts_survive() {
    let (x, target): (Vec<f64>, Vec<f64>) = (0..100).map(|i| (f64::from(i), f64::from(i > 40))).unzip();
    let model = params().trees(3).fit(&numbers([("세율", x.clone()), ("ставка<%>", x)]), &target).unwrap();
    assert_eq!(LightGbmModel::from_text(model.text()).unwrap().names(), ["세율", "ставка<%>"]);
}

#[test]
fn many_rows_are_scored_as_few_are() {
    let (features, target) = noisy(6, 300);
    let model = params().trees(5).fit(&features, &target).unwrap();
    // More than are handed over at a time.
    let many: Vec<usize> = (0..70_000).map(|i| i % 300).collect();
    let few = bits(&model.predict(&features).unwrap());
    let found = bits(&model.predict(&features.select_rows(&many)).unwrap());
    assert_eq!(found.len(), 70_000);
    assert!(found.iter().zip(&many).all(|(found, &row)| *found == few[row]));
    assert_eq!(model.predict(&features.select_rows(&[])).unwrap(), [0.0; 0]);
    std::thread::scope(|scope| {
        let at_once: Vec<_> = (0..4).map(|_| scope.spawn(|| bits(&model.predict(&features).unwrap()))).collect();
        assert!(at_once.into_iter().all(|thread| thread.join().unwrap() == few));
    });
}

#[test]
fn every_kind_of_prediction_is_the_same_in_blocks() {
    let mut random = Random::new(8);
    let columns: Vec<Vec<f64>> = (0..40).map(|_| even(&mut random, 300)).collect();
    let target: Vec<f64> = columns[0].iter().map(|x| (x * 3.0).floor()).collect();
    let names = (0..40).map(|i| format!("x{i}")).collect();
    let features = FeatureMatrix::new(names, columns, vec![false; 40]).unwrap();
    let params = params().objective(Objective::Classes(3)).trees(2).leaves(6);
    let model = params.fit(&features, &target).unwrap();
    let explained = |x: &FeatureMatrix| {
        let explained = model.contributions(x).unwrap();
        let places = (0..x.rows()).flat_map(|row| (0..3).map(move |class| (row, class)));
        let of = |(row, class)| [explained.row(row, class), &[explained.expected(row, class)]].concat();
        places.flat_map(of).collect()
    };
    type Kind<'a> = (&'a str, Box<dyn Fn(&FeatureMatrix) -> Vec<f64> + 'a>);
    let kinds: [Kind<'_>; 4] = [
        ("scores", Box::new(|x| model.predict(x).unwrap())),
        ("raw scores", Box::new(|x| model.predict_raw(x).unwrap())),
        ("leaves", Box::new(|x| model.leaves(x).unwrap().into_iter().map(f64::from).collect())),
        ("contributions", Box::new(explained)),
    ];
    for (name, kind) in kinds {
        // Few enough to be handed over at once.
        let few = bits(&kind(&features));
        let width = few.len() / 300;
        assert_eq!((few.len() % 300, width > 0), (0, true));
        // Up to 64 rows of 40 features are scored on this thread; a block has at most 819, or 64 where they are explained.
        for rows in [0, 1, 64, 65, 819, 820, 1_639, 4_001] {
            let many: Vec<usize> = (0..rows).map(|i| i * 7 % 300).collect();
            let expected: Vec<u64> = many.iter().flat_map(|row| &few[row * width..][..width]).copied().collect();
            assert!(bits(&kind(&features.select_rows(&many))) == expected, "{name} of {rows} rows");
        }
    }
}

#[test]
fn models_of_different_threads_learn_and_score_at_the_same_time() {
    // Were one to write where another has no room, the process would end; what the environment says is not to count.
    if std::env::var_os(ALONE).is_none() {
        let test = "lightgbm_fit::models_of_different_threads_learn_and_score_at_the_same_time";
        passed(program_of(test).env("OMP_NUM_THREADS", "1"));
        return;
    }
    let mut random = Random::new(9);
    let columns: Vec<Vec<f64>> = (0..25).map(|_| even(&mut random, 200)).collect();
    let target: Vec<f64> = columns[0].iter().map(|x| f64::from(random.unit() < *x)).collect();
    let names = (0..25).map(|i| format!("x{i}")).collect();
    let features = FeatureMatrix::new(names, columns, vec![false; 25]).unwrap();
    let fit = |threads: usize| {
        let params = params().trees(5).leaves(6).row_share(0.6).threads(threads);
        let model = params.fit(&features, &target).unwrap();
        let few = features.select_rows(&[3, 1]);
        let scores =
            [model.predict(&features), model.predict(&few), Ok(model.contributions(&few).unwrap().row(1, 0).to_vec())];
        (model.text().to_owned(), scores.map(|scores| bits(&scores.unwrap())))
    };
    let threads = [1, 2, 5, 8];
    let one_by_one = threads.map(fit);
    for (threads, (text, _)) in threads.iter().zip(&one_by_one) {
        assert!(text.contains(&format!("\n[num_threads: {threads}]\n")), "{text}");
    }
    std::thread::scope(|scope| {
        for (threads, alone) in threads.into_iter().zip(&one_by_one) {
            scope.spawn(move || assert!((0..60).all(|_| fit(threads) == *alone), "{threads} threads"));
        }
    });
}

/// One test of this program, to be run in a process of its own.
fn program_of(test: &str) -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", test, "--include-ignored", "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    program
}

/// Runs one test of this program in a process of its own; what it wrote to stdout.
pub fn alone(test: &str) -> String {
    passed(&mut program_of(test))
}

fn passed(program: &mut Command) -> String {
    let output = program.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{stderr}");
    stdout
}

/// Set where a test runs in a process of its own.
pub const ALONE: &str = "HAETAE_TEST_ALONE";

#[test]
fn the_stop_button_ends_a_fit_that_nobody_watches() {
    // The wish is one of the whole process, and other tests are to go on.
    if std::env::var_os(ALONE).is_none() {
        alone("lightgbm_fit::the_stop_button_ends_a_fit_that_nobody_watches");
        return;
    }
    let (features, target) = noisy(7, 200);
    haetae_display::stop::request();
    let error = params().trees(9).fit(&features, &target).unwrap_err();
    assert!(matches!(error, Error::Cancelled { what: "trees", done: 1, of: 9 }), "{error}");
    let error = Logistic::params().fit(&features, &target).unwrap_err();
    assert!(matches!(error, Error::Cancelled { what: "Newton steps", done: 0, of: 100 }), "{error}");
    haetae_display::stop::clear();
    assert_eq!(params().trees(9).fit(&features, &target).unwrap().trees(), 9);
    assert!(Logistic::params().fit(&features, &target).is_ok());
}

#[test]
fn the_library_writes_nothing_to_stdout() {
    // The harness does not catch what C code writes, so a process of its own is listened to.
    for test in ["lightgbm::a_feature_that_says_nothing_gives_the_base_rate", "lightgbm_text::text_that_is_no_model"] {
        let stdout = alone(test);
        assert!(!stdout.contains("LightGBM"), "{stdout}");
    }
}

#[test]
fn a_row_of_weight_two_counts_as_two_rows() {
    let (features, target) = noisy(3, 400);
    // Few values, so that twice the rows have the same bins.
    let coarse: Vec<Vec<f64>> =
        (0..3).map(|i| features.column(i).iter().map(|value| (value * 20.0).floor()).collect()).collect();
    let features = FeatureMatrix::new(features.names().to_vec(), coarse, vec![false; 3]).unwrap();
    let weights: Vec<f64> = (0..400).map(|row| f64::from(row % 3)).collect();
    let repeated: Vec<usize> = (0..400).flat_map(|row| vec![row; row % 3]).collect();
    let twice = features.select_rows(&repeated);
    let params = params().trees(10).leaves(6).min_rows_in_leaf(1);
    let raw = |model: LightGbmModel| model.predict_raw(&features).unwrap();
    for objective in [Objective::Binary, Objective::Value] {
        let params = params.clone().objective(objective);
        let by_weight = raw(params.fit_weighted(&features, &target, &weights).unwrap());
        let labels: Vec<f64> = repeated.iter().map(|&row| target[row]).collect();
        assert_close("weights", &by_weight, &raw(params.fit(&twice, &labels).unwrap()), 1e-4);
        let plain = raw(params.fit(&features, &target).unwrap());
        assert!(by_weight.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 0.01));
    }
    let refused = |weights: &[f64]| params.fit_weighted(&features, &target, weights).unwrap_err();
    assert!(matches!(refused(&weights[1..]), Error::Rows { what: "weights", expected: 400, found: 399 }));
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        let mut weights = weights.clone();
        weights[7] = wrong;
        assert!(matches!(refused(&weights), Error::Weight { row: 7, .. }), "{wrong}");
    }
    assert!(matches!(refused(&target), Error::OneClass { found: 1.0, .. }));
}

#[test]
fn a_loss_of_ones_own_is_learnt() {
    let (features, target) = noisy(4, 500);
    let params = params().trees(15).leaves(6);
    // The logarithmic loss by hand: as the library's own, but for the start, which is 0 here.
    let log_loss = |scores: &[f64], target: &[f64]| {
        let chances: Vec<f64> = scores.iter().map(|score| 1.0 / (1.0 + (-score).exp())).collect();
        let gradients = chances.iter().zip(target).map(|(chance, target)| chance - target).collect();
        (gradients, chances.iter().map(|chance| chance * (1.0 - chance)).collect())
    };
    let own = params.fit_own(&features, &target, &log_loss).unwrap();
    let theirs = params.fit(&features, &target).unwrap();
    let scores = own.predict(&features).unwrap();
    let auc = |scores: &[f64]| metrics::auc(&target, scores).unwrap();
    assert!((auc(&scores) - auc(&theirs.predict(&features).unwrap())).abs() < 0.02);
    assert_eq!(bits(&scores), bits(&own.predict_raw(&features).unwrap()));
    assert!(scores.iter().any(|score| *score < 0.0), "scores are no probabilities");
    // Half of the absolute difference to a quantile of 0.9: most targets lie below what is said.
    let (prices, _) = noisy(5, 500);
    let values: Vec<f64> = prices.column(0).iter().map(|x| 100.0 * x - 50.0).collect();
    let quantile = |scores: &[f64], values: &[f64]| {
        let slope = |(score, value): (&f64, &f64)| if value > score { -0.9 } else { 0.1 };
        (scores.iter().zip(values).map(slope).collect(), vec![1.0; scores.len()])
    };
    let idle = numbers([("idle", prices.column(2).to_vec())]);
    let params = params.trees(600).leaves(2).learning_rate(1.0).min_rows_in_leaf(20);
    let said = params.fit_own(&idle, &values, &quantile).unwrap().predict(&idle).unwrap();
    let below = values.iter().zip(&said).filter(|(value, said)| value <= said).count();
    assert!((430..=470).contains(&below), "{below} of 500");
    let wrong = |loss: haetae_models::OwnLoss<'_>| params.fit_own(&features, &target, loss).unwrap_err().to_string();
    let message = wrong(&|scores, _| (vec![f64::NAN; scores.len()], vec![1.0; scores.len()]));
    assert!(
        message.contains("`loss`: expected finite gradients") && message.contains("NaN and 1 in row 0"),
        "{message}"
    );
    // Finite here, and infinite in the 32 bits that the library takes.
    let message = wrong(&|scores, _| (vec![0.0; scores.len()], vec![1e39; scores.len()]));
    assert!(message.contains("in 32 bits") && message.contains("in row 0"), "{message}");
    let message = wrong(&|scores, _| (vec![0.0; scores.len() - 1], vec![1.0; scores.len()]));
    assert!(message.contains("gradients: expected 500 rows"), "{message}");
}
