//! The layers of DATE: leaves and entities -> one row a case -> the sums of both heads.

use crate::nets::attention::SelfAttention;
use crate::nets::dense::{Dense, Dropout, LayerNorm, Relu};
use crate::nets::device;
use crate::nets::focus::Focus;
use crate::nets::front::{Front, Inputs};
use crate::nets::layer::{Layer, Pass, Weights};
use crate::nets::matrix::Matrix;
use crate::nets::real::Real;
use crate::nets::table::Table;
use crate::nets::weights::{Net, lengths_of_dense};
use crate::random::Random;
use serde_json::json;

/// What the layers are like.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::nets) struct Form {
    /// Trees, and the leaves of all of them.
    pub(in crate::nets) trees: usize,
    pub(in crate::nets) leaves: usize,
    /// Places of each entity.
    pub(in crate::nets) entities: Vec<usize>,
    pub(in crate::nets) width: usize,
    pub(in crate::nets) heads: usize,
    pub(in crate::nets) hidden: usize,
}

impl Form {
    /// What the layer before the heads takes: the leaves, each entity, and the products of all pairs.
    fn joined(&self) -> usize {
        (self.entities.len() + 2) * self.width
    }

    /// The net as a device knows it.
    pub(super) fn there(&self) -> device::Form {
        let Self { trees, leaves, entities, width, heads, hidden } = self;
        let own = json!({
            "trees": trees, "leaves": leaves, "entities": entities, "width": width, "heads": heads, "hidden": hidden,
        });
        device::Form::of_two(json!({"date": own}))
    }

    /// Lengths of all weights, in their order.
    pub(super) fn lengths(&self) -> Vec<usize> {
        let Self { leaves, width, hidden, .. } = *self;
        let square = width.saturating_mul(width);
        let mut lengths = vec![leaves.saturating_mul(width), square.saturating_mul(3), square, width, width];
        lengths.extend(self.entities.iter().map(|places| places.saturating_mul(width)));
        lengths.extend([square, square.saturating_mul(self.entities.len()), width, width]);
        lengths.extend(lengths_of_dense(&[self.joined(), hidden]));
        lengths.extend(lengths_of_dense(&[hidden, 1]).chain(lengths_of_dense(&[hidden, 1])));
        lengths
    }
}

/// The layers.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Leafy<T> {
    leaves: Table<T>,
    attention: SelfAttention<T>,
    norm: LayerNorm<T>,
    entities: Front<T>,
    focus: Focus<T>,
    hidden: Dense<T>,
    relu: Relu<T>,
    dropout: Dropout<T>,
    pub(super) fraud: Dense<T>,
    pub(super) revenue: Dense<T>,
    width: usize,
    /// What was joined in the last pass forward.
    parts: Matrix<T>,
}

impl<T: Real> Leafy<T> {
    pub(in crate::nets) fn new(form: &Form, dropout: f64, seed: u64) -> Self {
        let mut random = Random::stream(seed, 0);
        let Form { trees, width, hidden, .. } = *form;
        let tables: Vec<(usize, usize)> = form.entities.iter().map(|&places| (places, width)).collect();
        Self {
            leaves: Table::new(form.leaves, width, &mut random),
            attention: SelfAttention::new(trees, width, form.heads, &mut random),
            norm: LayerNorm::new(width),
            entities: Front::new(0, &tables, &mut random),
            focus: Focus::new(trees, width, tables.len() * width, width, &mut random),
            hidden: Dense::new(form.joined(), hidden, &mut random),
            relu: Relu::default(),
            dropout: Dropout::new(dropout),
            fraud: Dense::small(hidden, 1, &mut random),
            revenue: Dense::small(hidden, 1, &mut random),
            width,
            parts: Matrix::default(),
        }
    }

    /// The sums of the head of fraud and of that of revenue.
    pub(in crate::nets) fn forward(
        &mut self,
        places: Vec<u32>,
        entities: &Inputs,
        rows: &[usize],
        pass: &mut Pass,
    ) -> [Matrix<T>; 2] {
        let mut tokens = self.leaves.forward(places, pass.training);
        tokens = self.attention.forward(tokens, pass);
        tokens = self.norm.forward(tokens, pass);
        let context = self.entities.forward(entities, rows, pass.training);
        let leaves = self.focus.forward(tokens, &context, pass.training);
        let parts = beside(&leaves, &context);
        let joined = with_pairs(&parts, self.width);
        if pass.training {
            self.parts = parts;
        }
        let mut matrix = self.hidden.forward(joined, pass);
        matrix = self.relu.forward(matrix, pass);
        matrix = self.dropout.forward(matrix, pass);
        [self.fraud.forward(matrix.clone(), pass), self.revenue.forward(matrix, pass)]
    }

    /// What dropout multiplies with in a pass over so many rows.
    pub(super) fn drawn(&self, rows: usize, random: &mut Random) -> Vec<T> {
        self.dropout.drawn(rows * self.hidden.outputs(), random)
    }

    pub(in crate::nets) fn backward(&mut self, [fraud, revenue]: [Matrix<T>; 2]) {
        let mut gradient = self.fraud.backward(fraud);
        let by_revenue = self.revenue.backward(revenue);
        gradient.values.iter_mut().zip(&by_revenue.values).for_each(|(into, &value)| *into += value);
        gradient = self.dropout.backward(gradient);
        gradient = self.relu.backward(gradient);
        gradient = self.hidden.backward(gradient);
        let parts = by_parts(&gradient, &self.parts, self.width);
        let (leaves, mut context) = apart(&parts, self.width);
        let (mut tokens, by_focus) = self.focus.backward(&leaves);
        context.values.iter_mut().zip(&by_focus.values).for_each(|(into, &value)| *into += value);
        self.entities.backward(&context);
        tokens = self.norm.backward(tokens);
        tokens = self.attention.backward(tokens);
        self.leaves.backward(&tokens);
    }
}

impl<T: Real> Net<T> for Leafy<T> {
    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        self.leaves.weights(each);
        self.attention.weights(each);
        self.norm.weights(each);
        self.entities.weights(each);
        self.focus.weights(each);
        self.hidden.weights(each);
        self.fraud.weights(each);
        self.revenue.weights(each);
    }
}

/// Rows of both, one beside the other.
fn beside<T: Real>(left: &Matrix<T>, right: &Matrix<T>) -> Matrix<T> {
    let row = |row: usize| [left.row(row), right.row(row)].concat();
    let values = (0..left.rows).flat_map(row).collect();
    Matrix::new(left.rows, left.columns + right.columns, values)
}

/// The first `width` columns, and the others.
fn apart<T: Real>(rows: &Matrix<T>, width: usize) -> (Matrix<T>, Matrix<T>) {
    let part = |from: usize, to: usize| {
        let values = (0..rows.rows).flat_map(|row| &rows.row(row)[from..to]).copied().collect();
        Matrix::new(rows.rows, to - from, values)
    };
    (part(0, width), part(width, rows.columns))
}

/// Behind the parts, `width` columns each, the products of all pairs of them, summed: half of the squared sum without
/// the squares. Source: Rendle, *Factorization machines*, 2010.
fn with_pairs<T: Real>(parts: &Matrix<T>, width: usize) -> Matrix<T> {
    let half = T::of(0.5);
    let mut values = Vec::with_capacity(parts.rows * (parts.columns + width));
    for row in 0..parts.rows {
        let row = parts.row(row);
        values.extend_from_slice(row);
        for i in 0..width {
            let one = row.iter().skip(i).step_by(width);
            let (sum, squares) = one.fold((T::ZERO, T::ZERO), |(sum, squares), &x| (sum + x, squares + x * x));
            values.push((sum * sum - squares) * half);
        }
    }
    Matrix::new(parts.rows, parts.columns + width, values)
}

/// The gradient by parts and pairs -> that by parts.
fn by_parts<T: Real>(gradient: &Matrix<T>, parts: &Matrix<T>, width: usize) -> Matrix<T> {
    let mut result = Matrix::zeros(parts.rows, parts.columns);
    for row in 0..parts.rows {
        let (own, pairs) = gradient.row(row).split_at(parts.columns);
        let known = parts.row(row);
        let mut sums = vec![T::ZERO; width];
        known.iter().enumerate().for_each(|(i, &value)| sums[i % width] += value);
        for (i, into) in result.row_mut(row).iter_mut().enumerate() {
            *into = own[i] + pairs[i % width] * (sums[i % width] - known[i]);
        }
    }
    result
}
