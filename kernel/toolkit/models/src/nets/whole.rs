//! Whole nets: in `f64` the gradient of the loss by every weight, against differences; and a training with a pause.

use super::cnn::{Form, Stages};
use super::date::{Cases, Leafy, Said};
use super::fcnn::Mlp;
use super::front::Encoder;
use super::layer::Pass;
use super::matrix::Matrix;
use super::optimiser::{Memory, Optimiser, clip};
use super::picture::Size;
use super::recurrent::{Chain, Gates, Recurrent};
use super::training::log_loss;
use super::weights::{Net, with_weights};
use crate::file::{In, Stored};
use crate::random::Random;
use haetae_features::FeatureMatrix;

fn pass() -> Pass {
    Pass { training: true, random: Random::new(3) }
}

/// `run` goes forward, and backward where it is asked to, and gives the loss.
fn compare<N: Net<f64>>(name: &str, mut net: N, run: &dyn Fn(&mut N, bool) -> f64) {
    run(&mut net, true);
    let mut gradients = Vec::new();
    net.weights(&mut |weights| gradients.push(std::mem::take(&mut weights.gradient)));
    for (list, gradient) in gradients.iter().enumerate() {
        assert!(gradient.iter().any(|&value| value != 0.0), "{name}: weights {list} have no gradient");
        for (at, &found) in gradient.iter().enumerate() {
            let mut moved = |by: f64| {
                let mut number = 0;
                net.weights(&mut |weights| {
                    if number == list {
                        weights.values[at] += by;
                    }
                    number += 1;
                });
                run(&mut net, false)
            };
            let slope = (moved(1e-5) - moved(-2e-5)) / 2e-5;
            moved(1e-5);
            assert!((slope - found).abs() < 1e-7, "{name}, weights {list}, {at}: {slope} {found}");
        }
    }
}

#[test]
fn every_weight_of_every_net_has_a_gradient_and_it_is_that_of_the_loss() {
    let mut random = Random::new(8);
    let mut column = |below: usize| (0..12).map(|_| random.below(below) as f64).collect::<Vec<f64>>();
    let mut columns = vec![column(100), column(3), column(4)];
    columns[0][2] = f64::NAN;
    let target: Vec<f64> = (0..12).map(|row| f64::from(row % 3 == 0)).collect();
    let weights: Vec<f64> = (0..12).map(|row| 0.5 + f64::from(row % 2)).collect();
    let names = ["x", "office", "goods"].map(str::to_owned).to_vec();
    let features = FeatureMatrix::new(names, columns, vec![false, true, true]).unwrap();
    let all: Vec<usize> = (0..12).collect();
    let encoder = Encoder::fit(&features, &all, 1, 4);
    let inputs = encoder.encode(&features).unwrap();
    for norm in [false, true] {
        compare("FCNN", Mlp::new(&encoder, &[5, 4], norm, 0.3, 1), &|net, back| {
            let mut sums = net.forward(&inputs, &all, &mut pass());
            let loss = log_loss(&mut sums.values, &target, &weights, 12.0) / 12.0;
            if back {
                net.backward(sums);
            }
            loss
        });
    }
    let codes = vec![features.column(1).to_vec(), features.column(2).to_vec()];
    let codes = FeatureMatrix::new(features.names()[1..].to_vec(), codes, vec![true, true]).unwrap();
    let known = Encoder::fit(&codes, &all, 1, 4);
    // Three trees of two, three and two leaves.
    let places = (0..12).flat_map(|row| [row % 2, 2 + row % 3, 5 + row / 6]).collect();
    let cases = Cases { trees: 3, places, entities: known.encode(&codes).unwrap(), starts: Vec::new() };
    let revenue: Vec<f64> = target.iter().map(|target| target * (1.0 + random.unit())).collect();
    // Amounts of frauds alone, and of all rows.
    let learnt = [target.iter().map(|target| 0.7 * target).collect(), vec![0.7; 12]];
    let entities = known.embeddings().iter().map(|&(places, _)| places).collect();
    let form = super::date::Form { trees: 3, leaves: 7, entities, width: 4, heads: 2, hidden: 5 };
    for alphas in learnt {
        let said = Said { fraud: target.clone(), revenue: revenue.clone(), weights: weights.clone(), alphas };
        compare("DATE", Leafy::new(&form, 0.2, 1), &|net, back| {
            let mut sums = net.forward(cases.of(&all), &cases.entities, &all, &mut pass());
            let loss = said.loss(&all, &mut sums, 12.0) / 12.0;
            if back {
                net.backward(sums);
            }
            loss
        });
    }
    let sequences: [&[usize]; 3] = [&[3, 0, 7, 9, 1, 2], &[4, 5, 6, 8], &[11, 10]];
    for gates in [Gates::Lstm, Gates::Gru] {
        let params = Recurrent::params().gates(gates).width(3).layers(2).dropout(0.2);
        compare("recurrent", Chain::new(&encoder, &params, 1), &|net, back| {
            let mut loss = 0.0;
            net.along(&inputs, &sequences, 100, &mut pass(), &mut |rows, mut sums| {
                let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
                loss += log_loss(&mut sums.values, &of(&target), &of(&weights), 12.0) / 12.0;
                back.then_some(sums)
            });
            loss
        });
    }
    for size in [Size { height: 5, width: 6, channels: 2 }, Size { height: 1, width: 30, channels: 2 }] {
        let pictures: Vec<f64> = (0..4 * size.values()).map(|_| random.unit() - 0.5).collect();
        let pictures = Matrix::new(4, size.values(), pictures);
        for mean in [false, true] {
            let form = Form { size, channels: vec![3, 4], window: 3, hidden: 12, mean };
            compare("CNN", Stages::new(&form, 0.2, 2), &|net, back| {
                let mut sums = net.forward(pictures.clone(), &mut pass());
                let loss = log_loss(&mut sums.values, &target[..4], &weights[..4], 4.0) / 4.0;
                if back {
                    net.backward(sums);
                }
                loss
            });
        }
    }
}

/// Trains in one go, and with weights and memory put away as bytes and taken back between two steps.
#[test]
fn a_training_that_was_stored_goes_on_with_the_same_bytes() {
    let mut random = Random::new(2);
    let columns = vec![(0..40).map(|_| random.unit()).collect(), (0..40).map(|_| random.below(5) as f64).collect()];
    let features = FeatureMatrix::new(["x", "office"].map(str::to_owned).to_vec(), columns, vec![false, true]).unwrap();
    let all: Vec<usize> = (0..40).collect();
    let encoder = Encoder::fit(&features, &all, 1, 4);
    let inputs = encoder.encode(&features).unwrap();
    let target: Vec<f64> = (0..40).map(|row| f64::from(row % 3 == 0)).collect();
    let new = |seed: u64| Mlp::<f32>::new(&encoder, &[6, 4], true, 0.3, seed);
    let weights = |net: &mut Mlp<f32>| {
        let mut all = Vec::new();
        net.weights(&mut |weights| all.push(weights.values.clone()));
        all
    };
    for optimiser in [Optimiser::AdamW { decay: 0.1 }, Optimiser::Sgd { momentum: 0.9, decay: 0.1 }] {
        let trained = |pause: Option<u64>| {
            let (mut net, mut memory) = (new(1), Memory::<f32>::default());
            for number in 0..8 {
                if pause == Some(number) {
                    let (mut of_weights, mut of_memory) = (Vec::new(), Vec::new());
                    weights(&mut net).put(&mut of_weights);
                    memory.put(&mut of_memory);
                    net = with_weights(new(2), &Vec::<Vec<f32>>::take(&mut In(&of_weights)).unwrap());
                    memory = Memory::take(&mut In(&of_memory)).unwrap();
                }
                let mut pass = Pass { training: true, random: Random::stream(5, number) };
                let mut sums = net.forward(&inputs, &all, &mut pass);
                log_loss(&mut sums.values, &target, &[1.0; 40], 40.0);
                net.backward(sums);
                clip(Some(0.1), &mut |each| net.weights(each));
                memory.step(optimiser, 0.05, &mut |each| net.weights(each));
            }
            weights(&mut net).into_iter().flatten().map(f32::to_bits).collect::<Vec<u32>>()
        };
        let whole = trained(None);
        for pause in [1, 5] {
            assert_eq!(trained(Some(pause)), whole, "{optimiser:?}, {pause}");
        }
    }
}
