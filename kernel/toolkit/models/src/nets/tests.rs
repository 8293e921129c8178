//! Layers by their definitions, and their gradients by finite differences.

use super::attention::SelfAttention;
use super::dense::{Dense, Dropout, LayerNorm, Relu};
use super::focus::Focus;
use super::front::{Encoder, Front, Inputs};
use super::layer::{Layer, Pass, Weights};
use super::matrix::Matrix;
use super::picture::{Conv, Pool, Size};
use super::steps::{Along, State, Steps};
use super::table::Table;
use crate::random::Random;
use haetae_features::FeatureMatrix;

fn drawn(random: &mut Random, rows: usize, columns: usize) -> Matrix<f64> {
    Matrix::new(rows, columns, (0..rows * columns).map(|_| 2.0 * random.unit() - 1.0).collect())
}

/// The same way through, whenever it is gone.
fn pass() -> Pass {
    Pass { training: true, random: Random::new(3) }
}

/// Compares the gradients of a random weighted sum of all outputs with central differences, for inputs and weights.
fn differences(name: &str, layer: &mut dyn Layer<f64>, input: &Matrix<f64>) {
    let mut random = Random::new(9);
    let output = layer.forward(input.clone(), &mut pass());
    let factors = drawn(&mut random, output.rows, output.columns);
    let by_input = layer.backward(factors.clone());
    let loss = |layer: &mut dyn Layer<f64>, input: &Matrix<f64>| -> f64 {
        layer.forward(input.clone(), &mut pass()).values.iter().zip(&factors.values).map(|(a, b)| a * b).sum()
    };
    let step = 1e-5;
    for at in 0..input.values.len() {
        let mut moved = input.clone();
        moved.values[at] += step;
        let above = loss(layer, &moved);
        moved.values[at] -= 2.0 * step;
        let slope = (above - loss(layer, &moved)) / (2.0 * step);
        assert!((slope - by_input.values[at]).abs() < 1e-7, "{name}, input {at}: {slope} {}", by_input.values[at]);
    }
    let mut gradients = Vec::new();
    layer.weights(&mut |weights| gradients.push(weights.gradient.clone()));
    for (list, gradient) in gradients.iter().enumerate() {
        assert!(gradient.iter().any(|&value| value != 0.0), "{name}: weights {list} have no gradient");
        for (at, &found) in gradient.iter().enumerate() {
            let mut moved = |by: f64| {
                let mut number = 0;
                layer.weights(&mut |weights| {
                    if number == list {
                        weights.values[at] += by;
                    }
                    number += 1;
                });
                loss(layer, input)
            };
            let slope = (moved(step) - moved(-2.0 * step)) / (2.0 * step);
            moved(step);
            assert!((slope - found).abs() < 1e-7, "{name}, weights {list}, {at}: {slope} {found}");
        }
    }
}

/// A layer along sequences, as one between matrices, and what it remembers before the first step.
struct Sequential(Along<f64>, Steps, State<f64>);

impl Sequential {
    /// Of sequences that have not begun.
    fn new(layer: Along<f64>, steps: Steps) -> Self {
        let start = State::new(steps.counts[0], layer.width());
        Self(layer, steps, start)
    }
}

impl Layer<f64> for Sequential {
    fn forward(&mut self, input: Matrix<f64>, pass: &mut Pass) -> Matrix<f64> {
        self.0.forward(input, &self.1, &mut self.2.clone(), pass)
    }

    fn backward(&mut self, gradient: Matrix<f64>) -> Matrix<f64> {
        self.0.backward(&gradient)
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f64>)) {
        self.0.weights(each);
    }
}

/// Embeddings, whose input is not a matrix.
struct Embedded(Front<f64>, Inputs, Vec<usize>);

impl Layer<f64> for Embedded {
    fn forward(&mut self, _: Matrix<f64>, pass: &mut Pass) -> Matrix<f64> {
        self.0.forward(&self.1, &self.2, pass.training)
    }

    fn backward(&mut self, gradient: Matrix<f64>) -> Matrix<f64> {
        self.0.backward(&gradient);
        Matrix::zeros(1, 1)
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f64>)) {
        self.0.weights(each);
    }
}

/// A table, whose input is a list of places.
struct Placed(Table<f64>, Vec<u32>);

impl Layer<f64> for Placed {
    fn forward(&mut self, _: Matrix<f64>, pass: &mut Pass) -> Matrix<f64> {
        self.0.forward(self.1.clone(), pass.training)
    }

    fn backward(&mut self, gradient: Matrix<f64>) -> Matrix<f64> {
        self.0.backward(&gradient);
        Matrix::zeros(1, 1)
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f64>)) {
        self.0.weights(each);
    }
}

/// Tokens and context of a case in one row: two tokens of three numbers, and then two numbers.
struct Focused(Focus<f64>);

fn parts(rows: &Matrix<f64>, from: usize, to: usize, width: usize) -> Matrix<f64> {
    let values: Vec<f64> = (0..rows.rows).flat_map(|row| rows.row(row)[from..to].to_vec()).collect();
    Matrix::new(values.len() / width, width, values)
}

impl Layer<f64> for Focused {
    fn forward(&mut self, input: Matrix<f64>, pass: &mut Pass) -> Matrix<f64> {
        self.0.forward(parts(&input, 0, 6, 3), &parts(&input, 6, 8, 2), pass.training)
    }

    fn backward(&mut self, gradient: Matrix<f64>) -> Matrix<f64> {
        let (tokens, context) = self.0.backward(&gradient);
        let row = |case: usize| [tokens.rows_of(2 * case, 2 * case + 2), context.row(case)].concat();
        Matrix::new(context.rows, 8, (0..context.rows).flat_map(row).collect())
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f64>)) {
        self.0.weights(each);
    }
}

fn size(height: usize, width: usize, channels: usize) -> Size {
    Size { height, width, channels }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let mut random = Random::new(1);
    let r = &mut random;
    let rows = drawn(r, 5, 4);
    differences("dense", &mut Dense::new(4, 3, r), &rows);
    differences("relu", &mut Relu::default(), &rows);
    differences("dropout", &mut Dropout::new(0.4), &rows);
    let mut norm = LayerNorm::new(4);
    norm.weights(&mut |weights| weights.values = drawn(&mut Random::new(5), 1, 4).values);
    differences("layer norm", &mut norm, &rows);
    let steps = Steps::of(&[7, 4, 4, 1]);
    let input = drawn(r, 7 + 4 + 4 + 1, 3);
    for (name, gru) in [("LSTM", false), ("GRU", true)] {
        let mut layer = Along::new(gru, 3, 5, r);
        differences(name, &mut Sequential::new(layer.clone(), steps.clone()), &input);
        // A window from the third step on, with what is remembered of the first two; one sequence has ended before it.
        let rows = |from: usize, to: usize| input.rows_of(steps.starts[from], steps.starts[to]).to_vec();
        let (before, after) = (rows(0, 2), rows(2, 7));
        let mut state = State::new(4, 5);
        layer.forward(Matrix::new(7, 3, before), &steps.window(0, 2), &mut state, &Pass::scoring());
        let mut window = Sequential(layer, steps.window(2, 7), state);
        differences(name, &mut window, &Matrix::new(9, 3, after));
    }
    let pictures = drawn(r, 2, 5 * 4 * 2);
    differences("conv2d", &mut Conv::new(size(5, 4, 2), (3, 3), 3, true, r), &pictures);
    differences("conv1d", &mut Conv::new(size(1, 20, 2), (1, 5), 2, true, r), &pictures);
    differences("greatest", &mut Pool::greatest(size(5, 4, 2), (2, 2)), &pictures);
    differences("greatest of a line", &mut Pool::greatest(size(1, 20, 2), (1, 3)), &pictures);
    differences("mean", &mut Pool::mean(size(5, 4, 2)), &pictures);
    let tokens = drawn(r, 6, 4);
    differences("attention", &mut SelfAttention::new(3, 4, 2, r), &tokens);
    differences("attention of one token", &mut SelfAttention::new(1, 4, 1, r), &tokens);
    let rows = drawn(r, 4, 8);
    differences("focus", &mut Focused(Focus::new(2, 3, 2, 5, r)), &rows);
    differences("table", &mut Placed(Table::new(4, 3, r), vec![0, 2, 2, 1]), &Matrix::zeros(1, 1));
    let names = vec!["x".to_owned(), "office".to_owned(), "goods".to_owned()];
    let columns = vec![vec![0.5, 1.0, 4.0], vec![0.0, 1.0, 0.0], vec![3.0, f64::NAN, 4.0]];
    let features = FeatureMatrix::new(names, columns, vec![false, true, true]).unwrap();
    let encoder = Encoder::fit(&features, &[0, 1, 2], 1, 3);
    let front = Front::new(encoder.numbers(), &encoder.embeddings(), r);
    differences(
        "embedding",
        &mut Embedded(front, encoder.encode(&features).unwrap(), vec![2, 0, 1, 2]),
        &Matrix::zeros(1, 1),
    );
}

fn weights_of(layer: &mut dyn Layer<f64>) -> Vec<Vec<f64>> {
    let mut all = Vec::new();
    layer.weights(&mut |weights| all.push(weights.values.clone()));
    all
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One sequence by the formulas of LSTM and GRU, number by number. Weights are rows by columns.
#[allow(clippy::needless_range_loop)]
fn by_formula(gru: bool, all: &[Vec<f64>], sequence: &[Vec<f64>], width: usize) -> Vec<Vec<f64>> {
    let gates = if gru { 3 } else { 4 };
    let sum = |weights: &[f64], from: &[f64], gate: usize, i: usize| -> f64 {
        from.iter().enumerate().map(|(j, x)| x * weights[j * gates * width + gate * width + i]).sum()
    };
    let (mut h, mut c) = (vec![0.0; width], vec![0.0; width]);
    let mut said = Vec::new();
    for x in sequence {
        let past = h.clone();
        for i in 0..width {
            let of_input = |gate: usize| sum(&all[0], x, gate, i) + all[2][gate * width + i];
            let of_past = |gate: usize| sum(&all[1], &past, gate, i) + if gru { all[3][gate * width + i] } else { 0.0 };
            if gru {
                let (reset, keep) = (sigmoid(of_input(0) + of_past(0)), sigmoid(of_input(1) + of_past(1)));
                let news = (of_input(2) + reset * of_past(2)).tanh();
                h[i] = (1.0 - keep) * news + keep * past[i];
            } else {
                let gate = |gate: usize| of_input(gate) + of_past(gate);
                c[i] = sigmoid(gate(1)) * c[i] + sigmoid(gate(0)) * gate(3).tanh();
                h[i] = sigmoid(gate(2)) * c[i].tanh();
            }
        }
        said.push(h.clone());
    }
    said
}

#[test]
fn recurrent_layers_follow_their_formulas_whatever_lies_beside_a_sequence() {
    for gru in [false, true] {
        let mut random = Random::new(2);
        let mut layer = Along::new(gru, 3, 4, &mut random);
        layer.weights(&mut |weights| weights.values.iter_mut().for_each(|value| *value += random.unit() - 0.5));
        let lengths = [9, 6, 6, 2, 1];
        let steps = Steps::of(&lengths);
        assert_eq!((steps.counts.as_slice(), steps.starts[9]), (&[5, 4, 3, 3, 3, 3, 1, 1, 1][..], 24));
        let mut random = Random::new(4);
        let input = drawn(&mut random, lengths.iter().sum(), 3);
        let go = |layer: &mut Along<f64>, input: Matrix<f64>, steps: &Steps| {
            let mut state = State::new(steps.counts[0], 4);
            layer.forward(input, steps, &mut state, &Pass::scoring())
        };
        let together = go(&mut layer, input.clone(), &steps);
        let all = weights_of(&mut Sequential::new(layer.clone(), steps.clone()));
        for (number, &length) in lengths.iter().enumerate() {
            let rows: Vec<Vec<f64>> = (0..length).map(|step| input.row(steps.starts[step] + number).to_vec()).collect();
            let alone = go(&mut layer, Matrix::new(length, 3, rows.concat()), &Steps::of(&[length]));
            let right = by_formula(gru, &all, &rows, 4);
            for (step, right) in right.iter().enumerate() {
                let row = together.row(steps.starts[step] + number);
                assert_eq!(row, alone.row(step), "GRU {gru}, sequence {number}");
                row.iter().zip(right).for_each(|(found, right)| assert!((found - right).abs() < 1e-13));
            }
        }
        // In windows, with the state handed on, it is the same.
        let mut state = State::new(5, 4);
        let mut said = Vec::new();
        for (from, to) in [(0, 1), (1, 4), (4, 9)] {
            let rows = input.rows_of(steps.starts[from], steps.starts[to]).to_vec();
            let window = steps.window(from, to);
            let input = Matrix::new(rows.len() / 3, 3, rows);
            said.extend(layer.forward(input, &window, &mut state, &Pass::scoring()).values);
        }
        assert_eq!(said, together.values);
    }
}

#[test]
fn attention_follows_its_formula_whatever_lies_beside_a_case() {
    let (tokens, width, heads) = (3, 4, 2);
    let mut layer = SelfAttention::new(tokens, width, heads, &mut Random::new(5));
    let all = weights_of(&mut layer);
    let input = drawn(&mut Random::new(6), 2 * tokens, width);
    let found = layer.forward(input.clone(), &mut Pass::scoring());
    let projected = |row: usize, which: usize, i: usize| -> f64 {
        (0..width).map(|j| input.row(row)[j] * all[0][j * 3 * width + which * width + i]).sum()
    };
    for case in 0..2 {
        let alone = Matrix::new(tokens, width, input.rows_of(case * tokens, (case + 1) * tokens).to_vec());
        assert_eq!(
            layer.forward(alone, &mut Pass::scoring()).values,
            found.rows_of(case * tokens, (case + 1) * tokens)
        );
        for token in 0..tokens {
            let row = case * tokens + token;
            let mut mixed = vec![0.0; width];
            for (i, mixed) in mixed.iter_mut().enumerate() {
                let of_head: Vec<usize> = (0..width).filter(|j| j / 2 == i / 2).collect();
                let score = |other: usize| -> f64 {
                    let product = |&j: &usize| projected(row, 0, j) * projected(case * tokens + other, 1, j);
                    (of_head.iter().map(product).sum::<f64>() / 2.0_f64.sqrt()).exp()
                };
                let all: f64 = (0..tokens).map(score).sum();
                *mixed = (0..tokens).map(|other| score(other) / all * projected(case * tokens + other, 2, i)).sum();
            }
            for i in 0..width {
                let right = input.row(row)[i] + (0..width).map(|j| mixed[j] * all[1][j * width + i]).sum::<f64>();
                assert!((found.row(row)[i] - right).abs() < 1e-12, "{case} {token} {i}");
            }
        }
    }
}

#[test]
fn windows_and_pools_follow_their_definitions() {
    let mut random = Random::new(6);
    for (size, window) in [(size(5, 7, 2), (3, 3)), (size(1, 9, 3), (1, 5)), (size(2, 2, 1), (5, 3))] {
        let mut conv = Conv::new(size, window, 3, false, &mut random);
        conv.weights(&mut |weights| weights.values = drawn(&mut random, 1, weights.values.len()).values);
        let all = weights_of(&mut conv);
        let picture = drawn(&mut random, 2, size.values());
        let found = conv.forward(picture.clone(), &mut pass());
        let pixel = |number: usize, y: isize, x: isize, channel: usize| {
            let outside = y < 0 || x < 0 || y >= size.height as isize || x >= size.width as isize;
            let at = |y: usize, x: usize| (y * size.width + x) * size.channels + channel;
            if outside { 0.0 } else { picture.row(number)[at(y as usize, x as usize)] }
        };
        for (place, &found) in found.values.iter().enumerate() {
            let (pixel_number, to) = (place / 3, place % 3);
            let (y, x) = (pixel_number / size.width % size.height, pixel_number % size.width);
            let number = pixel_number / size.width / size.height;
            let mut right = all[1][to];
            for line in 0..window.0 {
                for column in 0..window.1 {
                    for channel in 0..size.channels {
                        let weight = all[0][((line * window.1 + column) * size.channels + channel) * 3 + to];
                        let (dy, dx) = (line as isize - window.0 as isize / 2, column as isize - window.1 as isize / 2);
                        right += weight * pixel(number, y as isize + dy, x as isize + dx, channel);
                    }
                }
            }
            assert!((found - right).abs() < 1e-13, "{size:?} {place}");
        }
    }
    // 1 2 3 | 4 5 6 | 7 8 9: windows of two by two, smaller ones at the edges. The gradient goes to the greatest alone,
    // undiminished.
    let picture = Matrix::new(1, 9, (1..=9).map(f64::from).collect());
    let mut pool = Pool::greatest(size(3, 3, 1), (2, 2));
    assert_eq!(pool.forward(picture.clone(), &mut pass()).values, [5.0, 6.0, 8.0, 9.0]);
    let gradient = pool.backward(Matrix::new(1, 4, vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(gradient.values, [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 3.0, 4.0]);
    assert_eq!(Pool::mean(size(3, 3, 1)).forward(picture, &mut pass()).values, [5.0]);
    // The first of equal numbers has the whole gradient; what is no number is passed on.
    let equal = Matrix::new(1, 9, vec![1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 5.0, 4.0, f64::NAN]);
    let found = pool.forward(equal, &mut pass()).values;
    assert_eq!(found[..3], [1.0, 2.0, 5.0]);
    assert!(found[3].is_nan());
    let gradient = pool.backward(Matrix::new(1, 4, vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(gradient.values, [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 4.0]);
}
