//! Nets on a device: the same net, seed and batches on our own layers and in the library of devices, which reckons with
//! candle's tensors. They need the library, which another workspace builds: `make device` runs them.

use haetae_display::stop;
use haetae_features::FeatureMatrix;
use haetae_models::{
    Cnn, Device, Error, Fcnn, Gates, ModelCard, ModelFile, Objective, Optimiser, Recurrent, Result, Schedule,
};

use crate::data::{Random, even};
use crate::date::{small, undervalued};
use crate::lightgbm_fit::{ALONE, alone};
use crate::nets::{histories, mixed, pictures};

/// The devices that are compared with our own layers: candle on the processor, and GPU 0 where there is one.
fn devices() -> Vec<Device> {
    let best = Device::best();
    eprintln!("{}", Device::report());
    [Device::CandleCpu].into_iter().chain((best != Device::Cpu).then_some(best)).collect()
}

/// What a fit says: the losses of its epochs, those of other rows, and scores.
type Said = Vec<f64>;

/// The greatest difference. What is no number would be passed over by it, and is refused before.
fn apart(name: &str, found: &[f64], here: &[f64]) -> f64 {
    assert!(
        found.iter().chain(here).all(|number| number.is_finite()),
        "{name}: not all of {found:?} and {here:?} are numbers"
    );
    found.iter().zip(here).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// `fit` gets a device. Nothing that it says may be further off than `tolerance`, and something must have been learnt.
fn compare(name: &str, tolerance: f64, fit: &dyn Fn(Device) -> Result<Said>) {
    let here = fit(Device::Cpu).unwrap();
    for device in devices() {
        let found = fit(device).unwrap();
        assert_eq!(found.len(), here.len());
        let apart = apart(name, &found, &here);
        eprintln!("{name} on {device}: at most {apart:e} apart");
        assert!(apart <= tolerance, "{name} on {device}: {apart:e} apart, expected at most {tolerance:e}");
    }
}

/// The losses of two epochs differ, and a device that did nothing would be noticed.
fn losses(epochs: &[haetae_models::Epoch]) -> Said {
    assert!(epochs.len() > 1 && epochs[0].loss != epochs[epochs.len() - 1].loss);
    epochs.iter().flat_map(|epoch| [epoch.loss, epoch.valid_loss.unwrap_or(0.0)]).collect()
}

/// Steps of a fixed length along the gradient: rounding stays small. AdamW divides by what may be nearly nothing.
const PLAIN: Optimiser = Optimiser::Sgd { momentum: 0.9, decay: 0.01 };
const ADAM: Optimiser = Optimiser::AdamW { decay: 0.01 };

#[test]
#[ignore = "needs the library of devices; `make device` builds it and runs this"]
fn an_fcnn_is_the_same_on_every_device() {
    let ((train, target), (later, truth)) = (mixed(1, 600), mixed(2, 200));
    for (optimiser, tolerance) in [(PLAIN, 1e-5), (ADAM, 1e-4)] {
        for (norm, dropout, objective) in [(false, 0.0, Objective::Binary), (true, 0.3, Objective::Value)] {
            let params = Fcnn::params().hidden(&[20, 10]).epochs(4).batch(50).learning_rate(0.01).dropout(dropout);
            let params = params.layer_norm(norm).objective(objective).optimiser(optimiser).patience(3);
            compare("FCNN", tolerance, &|device| {
                let model = params.clone().device(device).fit_valid(&train, &target, &later, &truth)?;
                Ok([losses(model.epochs()), model.predict(&later)?].concat())
            });
        }
    }
}

#[test]
#[ignore = "needs the library of devices; `make device` builds it and runs this"]
fn recurrent_nets_are_the_same_on_every_device() {
    let ((train, target), (later, truth)) = (mixed(3, 400), mixed(4, 150));
    let (past, later) = (histories(&train, 9), histories(&later, 7));
    for gates in [Gates::Lstm, Gates::Gru] {
        for (optimiser, tolerance) in [(PLAIN, 1e-5), (ADAM, 1e-4)] {
            let params = Recurrent::params().gates(gates).width(8).layers(2).epochs(3).batch(4).dropout(0.2);
            // Windows of 16 steps: their memory is handed on.
            let params = params.window(16).learning_rate(0.02).optimiser(optimiser);
            compare("recurrent net", tolerance, &|device| {
                let model = params.clone().device(device).fit_valid(&past, &target, &later, &truth)?;
                Ok([losses(model.epochs()), model.predict(&later)?].concat())
            });
        }
        let of_keys: Vec<f64> = (0..9).map(|key| f64::from(key % 2)).collect();
        let params = Recurrent::params().gates(gates).width(8).epochs(3).batch(4).window(16).per_key(true);
        compare("one target for each key", 1e-4, &|device| {
            let model = params.clone().device(device).fit(&past, &of_keys)?;
            Ok([losses(model.epochs()), model.predict(&past)?].concat())
        });
    }
}

#[test]
#[ignore = "needs the library of devices; `make device` builds it and runs this"]
fn a_cnn_is_the_same_on_every_device() {
    // Five lines of three pixels, a line of fifteen; most are dark, so that many windows hold equal numbers.
    let mut random = Random::new(5);
    let mut column = || even(&mut random, 200).into_iter().map(|x| if x > 0.6 { x } else { 0.0 }).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..15).map(|_| column()).collect();
    let target: Vec<f64> = (0..200).map(|row| f64::from(columns[3][row] > columns[7][row])).collect();
    let names = (0..15).map(|i| format!("x{i}")).collect();
    let features = FeatureMatrix::new(names, columns, vec![false; 15]).unwrap();
    for (optimiser, tolerance) in [(PLAIN, 1e-5), (ADAM, 1e-4)] {
        for (height, mean) in [(5, false), (5, true), (1, false)] {
            let pictures = pictures(&features, height);
            let params = Cnn::params().channels(&[6, 5]).hidden(12).epochs(3).batch(20).dropout(0.1);
            let params = params.learning_rate(0.01).optimiser(optimiser).mean_over_picture(mean);
            compare("CNN", tolerance, &|device| {
                let model = params.clone().device(device).fit(&pictures, &target)?;
                Ok([losses(model.epochs()), model.predict(&pictures)?].concat())
            });
        }
    }
}

#[test]
#[ignore = "needs the library of devices; `make device` builds it and runs this"]
fn date_is_the_same_on_every_device() {
    let ((train, target, revenue), (later, truth, brought)) = (undervalued(1, 500), undervalued(2, 200));
    for (optimiser, tolerance) in [(PLAIN, 1e-4), (ADAM, 1e-3)] {
        let params = small().batch(50).dropout(0.1).learning_rate(0.005).optimiser(optimiser);
        compare("DATE", tolerance, &|device| {
            let valid = (&later, truth.as_slice(), brought.as_slice());
            let model = params.clone().device(device).fit_valid(&train, &target, &revenue, valid)?;
            let (chances, amounts) = model.predict_both(&later)?;
            // Amounts are of any size: their logarithm is what was learnt.
            let amounts = amounts.into_iter().map(f64::ln_1p).collect();
            Ok([losses(model.epochs()), chances, amounts].concat())
        });
    }
}

#[test]
#[ignore = "needs the library of devices; `make device` builds it and runs this"]
fn a_model_that_a_device_has_trained_is_one_for_every_machine() {
    let (train, target) = mixed(6, 300);
    let params = Fcnn::params().epochs(2).device(Device::CandleCpu);
    let model = params.fit(&train, &target).unwrap();
    let bytes = model.to_bytes(&ModelCard::default());
    let read = haetae_models::FcnnModel::from_bytes(&bytes).unwrap();
    assert_eq!(read.size(), Fcnn::params().epochs(1).fit(&train, &target).unwrap().size());
    let (there, here) = (model.predict(&train).unwrap(), read.on_device(Device::Cpu).predict(&train).unwrap());
    let apart = apart("FCNN", &there, &here);
    assert!(apart < 1e-6, "{apart:e}");
    // The same fit again is the same to the last bit.
    assert_eq!(params.fit(&train, &target).unwrap().predict(&train).unwrap(), there);
}

#[test]
#[ignore = "needs the library of devices; `make device` builds it and runs this"]
fn a_loss_that_leaves_the_numbers_is_noticed_on_a_device_too() {
    let (train, target) = mixed(7, 200);
    let wild = Fcnn::params().optimiser(Optimiser::Sgd { momentum: 0.9, decay: 0.0 }).learning_rate(1e30).clip(None);
    for device in [Device::Cpu, Device::CandleCpu] {
        let wild = wild.clone().schedule(Schedule::Constant).device(device);
        assert!(matches!(wild.fit(&train, &target), Err(Error::Diverged { .. })), "{device}");
    }
}

#[test]
#[ignore = "needs the library of devices; `make device` builds it and runs this"]
fn the_stop_button_ends_a_fit_on_a_device() {
    if std::env::var_os(ALONE).is_none() {
        alone("device::the_stop_button_ends_a_fit_on_a_device");
        return;
    }
    let (train, target) = mixed(8, 200);
    let params = Fcnn::params().epochs(1).device(Device::CandleCpu);
    let model = params.fit(&train, &target).unwrap();
    stop::request();
    assert!(matches!(params.fit(&train, &target), Err(Error::Cancelled { .. })));
    assert!(matches!(model.predict(&train), Err(Error::Cancelled { .. })));
}

#[test]
fn a_device_that_cannot_be_had_is_an_error_that_says_what_to_do() {
    let (train, target) = mixed(9, 50);
    let none = Fcnn::params().epochs(1).device(Device::Cuda(4000)).fit(&train, &target).unwrap_err();
    let text = none.to_string();
    assert!(matches!(none, Error::Device { .. }) && text.starts_with("device cuda:4000: "), "{text}");
    // No library, one without CUDA, no driver, or no GPU of that number.
    let reasons = ["`make cuda` builds", "no NVIDIA driver", "there is no GPU 4000", "the NVIDIA driver found no GPU"];
    assert!(reasons.iter().any(|reason| text.contains(reason)), "{text}");
    assert!(Device::report().starts_with("nets use "), "{}", Device::report());
}
