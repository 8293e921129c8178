//! Whole nets in `f64`: the gradient of the loss by every weight against finite differences; optimisers by their formulas;
//! what a caller is told.

use crate::abi::{self, List, Rows};
use crate::batch::Batch;
use crate::form::Form;
use crate::layers::{Pool, by_index, by_product};
use crate::nets::made;
use crate::optimiser::{gradients, share};
use crate::place::Place;
use crate::trainer::Trainer;
use crate::weights::Feed;
use candle_core::{DType, Device, Tensor};

/// Numbers that look random, from -1 to 1.
fn drawn(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn codes(seed: u64, count: usize, below: &[u32]) -> Vec<u32> {
    let draw = |(i, x): (usize, f32)| (((x + 1.0) * 500.0) as u32) % below[i % below.len()];
    drawn(seed, count).into_iter().enumerate().map(draw).collect()
}

fn wide() -> Place {
    Place { device: Device::Cpu, dtype: DType::F64 }
}

/// The length of each list of weights of a net.
fn lengths(layers: &str) -> Vec<usize> {
    let form = Form::read(&format!(r#"{{"layers": {layers}, "heads": [], "decays": []}}"#)).unwrap();
    let (place, many) = (wide(), drawn(1, 5000));
    let mut feed = Feed::new(&place, &many);
    made(&form.layers, &mut feed).unwrap();
    feed.lengths
}

fn form(layers: &str, heads: &str, lists: usize, optimiser: &str) -> String {
    let decays: Vec<bool> = (0..lists).map(|list| list % 2 == 0).collect();
    format!(
        r#"{{"layers": {layers}, "heads": {heads}, "decays": {decays:?},
            "learning": {{"optimiser": {optimiser}, "clip": null}}}}"#
    )
}

const ADAM: &str = r#"{"adam_w": {"decay": 0.1}}"#;

/// The gradient of the loss by every weight, against central differences. Each list of weights must have one.
fn compare(name: &str, layers: &str, heads: &str, batch: &Batch<'_>) {
    let lengths = lengths(layers);
    let all = lengths.iter().sum();
    let start: Vec<f32> = drawn(3, all).into_iter().map(|x| 0.7 * x).collect();
    let of = batch.rows as f64;
    let mut trainer = Trainer::new(&form(layers, heads, lengths.len(), ADAM), &start, wide()).unwrap();
    trainer.learn(batch, of).unwrap();
    let found: Vec<f64> = gradients(&mut trainer.net.weights()).unwrap().to_vec1().unwrap();
    let mut from = 0;
    for (list, length) in lengths.iter().enumerate() {
        let some = found[from..from + length].iter().any(|&value| value != 0.0);
        assert!(some, "{name}: weights {list} have no gradient");
        from += length;
    }
    let start: Vec<f64> = start.into_iter().map(f64::from).collect();
    let mut loss = |at: usize, by: f64| -> f64 {
        let mut moved = start.clone();
        moved[at] += by;
        share(&Tensor::new(moved, &Device::Cpu).unwrap(), &mut trainer.net.weights()).unwrap();
        let loss = trainer.learn(batch, of).unwrap().to_scalar::<f64>().unwrap() / of;
        gradients(&mut trainer.net.weights()).unwrap();
        loss
    };
    for (at, found) in found.iter().enumerate() {
        let slope = (loss(at, 1e-5) - loss(at, -1e-5)) / 2e-5;
        assert!((slope - found).abs() < 1e-7, "{name}, weight {at}: {slope} {found}");
    }
}

/// Targets of 0 and 1 and weights, of one head.
fn said(rows: usize) -> Vec<f32> {
    let target = (0..rows).map(|row| if row % 3 == 0 { 1.0 } else { 0.0 });
    target.chain((0..rows).map(|row| if row % 2 == 0 { 0.5 } else { 1.5 })).collect()
}

fn factors(count: usize) -> Vec<f32> {
    drawn(17, count).into_iter().map(|x| if x < -0.5 { 0.0 } else { 1.25 }).collect()
}

#[test]
fn gradients_of_fcnn_are_those_of_finite_differences() {
    let (numbers, places, said) = (drawn(5, 12 * 2), codes(6, 12 * 2, &[3, 4]), said(12));
    for norm in [false, true] {
        for (heads, masks) in [(r#"["chance"]"#, factors(12 * 9)), (r#"["value"]"#, Vec::new())] {
            let layers = format!(
                r#"{{"fcnn": {{"numbers": 2, "tables": [[3, 2], [4, 3]], "hidden": [5, 4], "layer_norm": {norm}}}}}"#
            );
            let batch =
                Batch { rows: 12, inputs: &numbers, codes: &places, masks: &masks, said: &said, ..Batch::default() };
            compare("FCNN", &layers, heads, &batch);
        }
    }
    // Nothing to learn before the first layer.
    for hidden in ["[]", "[4]"] {
        let layers = format!(r#"{{"fcnn": {{"numbers": 2, "tables": [], "hidden": {hidden}, "layer_norm": false}}}}"#);
        let batch = Batch { rows: 12, inputs: &numbers, said: &said, ..Batch::default() };
        compare("numbers alone", &layers, r#"["chance"]"#, &batch);
    }
}

#[test]
fn gradients_along_sequences_are_those_of_finite_differences() {
    let counts = [4, 3, 3, 1, 1];
    let (numbers, places, said, masks) = (drawn(5, 12 * 2), codes(6, 12, &[3]), said(12), factors(12 * 3));
    for gru in [false, true] {
        let layers = format!(
            r#"{{"recurrent": {{"numbers": 2, "tables": [[3, 2]], "gru": {gru}, "width": 3, "layers": 2, "window": 9}}}}"#
        );
        let batch = Batch {
            rows: 12,
            inputs: &numbers,
            codes: &places,
            places: &counts,
            masks: &masks,
            said: &said,
            ..Batch::default()
        };
        compare("recurrent", &layers, r#"["chance"]"#, &batch);
    }
}

#[test]
fn gradients_over_pictures_are_those_of_finite_differences() {
    let said = said(4);
    for (height, width, window) in [(5, 6, "[3, 3]"), (1, 15, "[1, 5]")] {
        let (pictures, masks) = (drawn(5, 4 * height * width * 2), factors(4 * 5));
        for mean in [false, true] {
            let layers = format!(
                r#"{{"cnn": {{"height": {height}, "width": {width}, "channels": 2, "stages": [3, 4], "window": {window},
                    "hidden": 5, "mean": {mean}}}}}"#
            );
            let batch = Batch { rows: 4, inputs: &pictures, masks: &masks, said: &said, ..Batch::default() };
            compare("CNN", &layers, r#"["chance"]"#, &batch);
        }
    }
}

#[test]
fn gradients_of_date_are_those_of_finite_differences() {
    let layers = r#"{"date": {"trees": 3, "leaves": 7, "entities": [3, 4], "width": 4, "heads": 2, "hidden": 5}}"#;
    let leaves: Vec<u32> = (0..12).flat_map(|row| [row % 2, 2 + row % 3, 5 + row / 6]).collect();
    let (entities, masks) = (codes(6, 24, &[3, 4]), factors(12 * 5));
    let both = [said(12), drawn(9, 12), vec![0.7; 12]].concat();
    let batch = Batch { rows: 12, codes: &entities, places: &leaves, masks: &masks, said: &both, ..Batch::default() };
    compare("DATE", layers, r#"["chance", "value"]"#, &batch);
}

#[test]
fn the_first_of_equal_numbers_gets_the_whole_gradient() {
    let mut pool = Pool::greatest((2, 2));
    let picture = [1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 5.0, 4.0, 2.0];
    let picture = Tensor::from_slice(&picture, (1, 3, 3, 1), &Device::Cpu).unwrap();
    let flat = |tensor: Tensor| tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    assert_eq!(flat(pool.forward(&picture, true).unwrap()), [1.0, 2.0, 5.0, 2.0]);
    let gradient = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], (1, 2, 2, 1), &Device::Cpu).unwrap();
    assert_eq!(flat(pool.backward(&gradient).unwrap()), [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 4.0]);
}

#[test]
fn rows_are_added_up_by_place_in_either_way() {
    let chosen = Tensor::new(vec![4_u32, 0, 4, 4, 1], &Device::Cpu).unwrap();
    let gradient: Vec<f64> = (0..10).map(f64::from).collect();
    let gradient = Tensor::from_slice(&gradient, (5, 2), &Device::Cpu).unwrap();
    let onto = Tensor::zeros((6, 2), DType::F64, &Device::Cpu).unwrap();
    let right = [2.0, 3.0, 8.0, 9.0, 0.0, 0.0, 0.0, 0.0, 10.0, 13.0, 0.0, 0.0];
    for way in [by_index, by_product] {
        assert_eq!(way(&onto, &chosen, &gradient).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap(), right);
    }
}

/// The layers of one weight and one bias.
const LINE: &str = r#"{"fcnn": {"numbers": 1, "tables": [], "hidden": [], "layer_norm": false}}"#;

#[test]
fn optimisers_follow_their_formulas_and_gradients_are_clipped() {
    for (optimiser, adam) in [(ADAM, true), (r#"{"sgd": {"momentum": 0.9, "decay": 0.1}}"#, false)] {
        for clip in [None, Some(0.4)] {
            let text = form(LINE, r#"["value"]"#, 2, optimiser);
            let text = text.replace("null", &clip.map_or("null".to_owned(), |most: f64| most.to_string()));
            let mut trainer = Trainer::new(&text, &[2.0, -1.0], wide()).unwrap();
            let mut right = [(2.0, 0.0, 0.0), (-1.0, 0.0, 0.0)];
            let (mut loss, mut lengths) = (0.0, 0.0);
            for step in 1..=6 {
                let (x, y) = (0.3 * step as f32 - 1.0, 0.5);
                let batch = Batch { rows: 1, inputs: &[x], said: &[y, 1.0], ..Batch::default() };
                trainer.step(&batch, 0.01, 1.0).unwrap();
                let (x, y) = (f64::from(x), f64::from(y));
                let difference = right[0].0 * x + right[1].0 - y;
                let mut by = [2.0 * difference * x, 2.0 * difference];
                let length = by[0].hypot(by[1]);
                (loss, lengths) = (loss + difference * difference, lengths + length);
                by.iter_mut().for_each(|by| *by *= clip.map_or(1.0, |most| (most / length).min(1.0)));
                for (number, (value, first, second)) in right.iter_mut().enumerate() {
                    let decayed = *value * (1.0 - if number == 0 { 0.01 * 0.1 } else { 0.0 });
                    *value = if adam {
                        *first = 0.9 * *first + 0.1 * by[number];
                        *second = 0.999 * *second + 0.001 * by[number] * by[number];
                        let (a, b) = (*first / (1.0 - 0.9_f64.powi(step)), *second / (1.0 - 0.999_f64.powi(step)));
                        decayed - 0.01 * a / (b.sqrt() + 1e-8)
                    } else {
                        *first = 0.9 * *first + by[number];
                        decayed - 0.01 * *first
                    };
                }
            }
            for (found, right) in trainer.weights().unwrap().iter().zip(right) {
                assert!((f64::from(*found) - right.0).abs() < 1e-6, "{optimiser}, {clip:?}: {found} {right:?}");
            }
            let sums = trainer.losses().unwrap();
            assert!((sums[0] - loss).abs() < 1e-9 && (sums[1] - lengths).abs() < 1e-9, "{sums:?} {loss} {lengths}");
            assert_eq!(trainer.losses().unwrap(), [0.0; 2], "they are those since the last call");
        }
    }
}

#[test]
fn a_long_sequence_needs_no_deep_stack() {
    let (steps, layers) =
        (4000, r#"{"recurrent": {"numbers": 1, "tables": [], "gru": false, "width": 2, "layers": 1, "window": 4000}}"#);
    let weights = drawn(4, lengths(layers).iter().sum());
    let (numbers, said, counts) = (drawn(2, steps), said(steps), vec![1; steps]);
    let work = move || {
        let batch = Batch { rows: steps, inputs: &numbers, places: &counts, said: &said, ..Batch::default() };
        let text = form(layers, r#"["chance"]"#, 5, ADAM);
        let mut trainer = Trainer::new(&text, &weights, Place::named("cpu").unwrap()).unwrap();
        trainer.step(&batch, 0.01, 1.0).unwrap();
        trainer.losses().unwrap()
    };
    let small = std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap();
    assert!(small.join().unwrap().iter().all(|sum| sum.is_finite() && *sum > 0.0));
}

#[test]
fn windows_hand_their_memory_on_and_those_without_a_target_are_passed_over() {
    let layers = |window: usize| {
        format!(
            r#"{{"recurrent": {{"numbers": 1, "tables": [], "gru": true, "width": 2, "layers": 2, "window": {window}}}}}"#
        )
    };
    let counts = [3, 2, 2, 1];
    let weights = drawn(4, lengths(&layers(1)).iter().sum());
    let numbers = drawn(2, 8);
    let trainer = |window: usize| {
        let text = form(&layers(window), r#"["chance"]"#, 10, ADAM);
        Trainer::new(&text, &weights, Place::named("cpu").unwrap()).unwrap()
    };
    let batch = Batch { rows: 8, inputs: &numbers, places: &counts, ..Batch::default() };
    let whole = trainer(9).score(&batch).unwrap();
    for window in [1, 2, 3] {
        for (found, right) in trainer(window).score(&batch).unwrap().iter().zip(&whole) {
            assert!((found - right).abs() < 1e-6, "{window}");
        }
    }
    // A target of the last row alone, as where there is one for each sequence.
    let said: Vec<f32> = [[0.0; 7].as_slice(), &[1.0], &[0.0; 7], &[1.0]].concat();
    let batch = Batch { said: &said, ..batch };
    let mut net = trainer(3);
    net.step(&batch, 0.1, 1.0).unwrap();
    assert!(net.losses().unwrap()[0] > 0.0 && net.weights().unwrap() != weights);
}

fn list<T>(values: &[T]) -> List<T> {
    List { data: values.as_ptr(), length: values.len() }
}

fn text(text: &str) -> List<u8> {
    list(text.as_bytes())
}

fn message() -> String {
    let mut bytes = vec![0; 1000];
    // SAFETY: there is room for as many bytes.
    let length = unsafe { abi::haetae_device_message(bytes.as_mut_ptr(), bytes.len()) };
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn a_caller_trains_through_the_c_functions_and_is_told_what_is_wrong() {
    assert_eq!(abi::haetae_device_abi(), abi::ABI);
    // SAFETY: texts and lists live as long as the calls, and the net until it is freed.
    unsafe {
        assert_eq!(abi::haetae_device_find(text("cpu")), 0);
        assert!(message().contains("processor"), "{}", message());
        assert_eq!(abi::haetae_device_find(text("tpu")), 1);
        assert_eq!(message(), "device `tpu`: expected `cpu` or `cuda:` and a number");
        assert_eq!(abi::haetae_device_find(text("cuda:x")), 1);
        let mut net = std::ptr::null_mut();
        let whole = form(LINE, r#"["value"]"#, 2, ADAM);
        let mut refused = |form: &str, weights: &[f32], said: &str| {
            assert_eq!(abi::haetae_device_net(text("cpu"), text(form), list(weights), &mut net), 1);
            assert!(message().contains(said), "{said}: {}", message());
        };
        refused("{", &[1.0, 2.0], "the description of the net cannot be read");
        refused(&whole.replace("hidden", "hiden"), &[1.0, 2.0], "hiden");
        refused(&whole, &[1.0], "weights 1: expected 1 numbers, found 0");
        refused(&whole, &[1.0, 2.0, 3.0], "1 numbers are left over");
        refused(&form(LINE, r#"["value"]"#, 3, ADAM), &[1.0, 2.0], "expected 2 of them");
        assert_eq!(abi::haetae_device_net(text("cpu"), text(&whole), list(&[1.0, 2.0]), &mut net), 0);
        let (x, said) = ([1.0, 2.0], [3.0, 5.0, 1.0, 1.0]);
        let none = List { data: std::ptr::null(), length: 0 };
        let rows = Rows { rows: 2, inputs: list(&x), codes: none, places: none, masks: list(&[]), said: list(&said) };
        assert_eq!(abi::haetae_device_step(net, Rows { said: list(&[]), ..rows }, 0.1, 2.0), 1);
        assert!(message().contains("expected a target and a weight of each"), "{}", message());
        assert_eq!(abi::haetae_device_step(net, Rows { rows: 3, ..rows }, 0.1, 2.0), 1);
        let mut scores = [0.0; 2];
        assert_eq!(abi::haetae_device_score(net, rows, scores.as_mut_ptr(), 2), 0);
        assert_eq!(scores, [3.0, 4.0]);
        assert_eq!(abi::haetae_device_score(net, rows, scores.as_mut_ptr(), 1), 1);
        assert_eq!(abi::haetae_device_step(net, rows, 0.1, 2.0), 0);
        let mut sums = [0.0; 2];
        assert_eq!(abi::haetae_device_losses(net, sums.as_mut_ptr()), 0);
        assert_eq!(sums[0], 1.0, "(3 - 3)^2 + (4 - 5)^2");
        let mut weights = [0.0; 2];
        assert_eq!(abi::haetae_device_weights(net, weights.as_mut_ptr(), 2), 0);
        assert!(weights[0] > 1.0 && weights[1] > 2.0, "{weights:?}");
        abi::haetae_device_free(net);
        assert_eq!(abi::haetae_device_step(std::ptr::null_mut(), rows, 0.1, 2.0), 1);
        assert_eq!(message(), "there is no net");
    }
}

#[test]
fn a_place_that_is_not_there_is_refused_before_the_device_reads_it() {
    let layers = r#"{"fcnn": {"numbers": 0, "tables": [[3, 2]], "hidden": [], "layer_norm": false}}"#;
    let mut trainer =
        Trainer::new(&form(layers, r#"["chance"]"#, 3, ADAM), &drawn(1, 9), Place::named("cpu").unwrap()).unwrap();
    let error = trainer.score(&Batch { rows: 2, codes: &[2, 3], ..Batch::default() }).unwrap_err();
    assert_eq!(abi::plain(error), "a table of 3 rows has no row 3");
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_library_for_the_processor_says_how_to_get_one_for_a_gpu() {
    let error = abi::plain(Place::named("cuda:0").unwrap_err());
    assert!(error.contains("`make cuda`"), "{error}");
}
