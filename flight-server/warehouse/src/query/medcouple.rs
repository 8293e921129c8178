//! What goes in: numbers. What comes out: their medcouple, a robust measure of skewness from -1 to 1, also as the SQL
//! aggregate `medcouple(x)`. Nulls, NaN and infinities do not count; of fewer than three numbers it is null.
//!
//! G. Brys, M. Hubert, A. Struyf, *A robust measure of skewness*, Journal of Computational and Graphical Statistics
//! 13 (2004): the median of ((a - m) - (m - b)) / (a - b) over all pairs a >= m >= b, where m is the median.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, AggregateUDF, Volatility, create_udaf};

/// Halvings of the interval from -1 to 1: beyond them a double does not change.
const HALVINGS: u32 = 60;

/// The medcouple of `values`, which are put in order; `None` of fewer than three.
///
/// Time: n log n to sort, then n for each of a fixed number of steps. Memory: none beside the values.
pub fn medcouple(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    if n < 3 {
        return None;
    }
    let middle = (values[(n - 1) / 2] + values[n / 2]) / 2.0;
    let below = values.partition_point(|value| *value < middle);
    let upto = values.partition_point(|value| *value <= middle);
    let pairs = Pairs { low: &values[..below], high: &values[upto..], middle, ties: upto - below };
    let count = (upto as u64) * ((n - below) as u64);
    // The median of an even number of pairs is the mean of the two in the middle.
    let (first, second) = (pairs.nth(count.div_ceil(2)), pairs.nth(count / 2 + 1));
    Some((first + second) / 2.0)
}

/// All pairs of a number that is not below the middle and one that is not above it.
struct Pairs<'a> {
    low: &'a [f64],
    high: &'a [f64],
    middle: f64,
    ties: usize,
}

impl Pairs<'_> {
    /// The `rank`-th smallest of all kernels, counted from 1, to the precision of a double.
    fn nth(&self, rank: u64) -> f64 {
        for exact in [-1.0, 0.0, 1.0] {
            // Where many are alike, the answer is exactly that.
            if self.below(exact, false) < rank && self.below(exact, true) >= rank {
                return exact;
            }
        }
        let (mut low, mut high) = (-1.0, 1.0);
        for _ in 0..HALVINGS {
            let half = (low + high) / 2.0;
            if self.below(half, true) >= rank { high = half } else { low = half }
        }
        high
    }

    /// How many kernels are less than `bound` (with `or_equal`: at most that).
    fn below(&self, bound: f64, or_equal: bool) -> u64 {
        let within = |kernel: f64| if or_equal { kernel <= bound } else { kernel < bound };
        let ties = self.ties as u64;
        // Among those that equal the middle, pairs are ordered by their places: as many are -1 as 1.
        let half = ties * ties.saturating_sub(1) / 2;
        let mut found = 0;
        found += if within(-1.0) { half + self.low.len() as u64 * ties } else { 0 };
        found += if within(0.0) { ties } else { 0 };
        found += if within(1.0) { half + self.high.len() as u64 * ties } else { 0 };
        // The kernel grows with both numbers: for each larger one, fewer smaller ones are within.
        let mut left = self.low.len();
        for a in self.high {
            while left > 0 && !within(self.kernel(*a, self.low[left - 1])) {
                left -= 1;
            }
            found += left as u64;
        }
        found
    }

    fn kernel(&self, a: f64, b: f64) -> f64 {
        ((a - self.middle) - (self.middle - b)) / (a - b)
    }
}

/// The SQL aggregate.
pub(super) fn aggregate() -> AggregateUDF {
    create_udaf(
        "medcouple",
        vec![DataType::Float64],
        Arc::new(DataType::Float64),
        Volatility::Immutable,
        Arc::new(|_| Ok(Box::new(Values::default()) as Box<dyn Accumulator>)),
        Arc::new(vec![DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))]),
    )
}

/// The numbers seen so far.
#[derive(Debug, Default)]
struct Values(Vec<f64>);

impl Values {
    fn add(&mut self, values: &ArrayRef) {
        let values = values.as_primitive::<Float64Type>().iter().flatten();
        self.0.extend(values.filter(|value| value.is_finite()));
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.iter().take(1).for_each(|values| self.add(values));
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in states.iter().take(1) {
            state.as_list::<i32>().iter().flatten().for_each(|values| self.add(&values));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = Float64Array::from(std::mem::take(&mut self.0));
        Ok(vec![SingleRowListArrayBuilder::new(Arc::new(values)).build_list_scalar()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(medcouple(&mut self.0)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.capacity() * size_of::<f64>()
    }
}
