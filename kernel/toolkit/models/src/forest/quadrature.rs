//! A number of points -> where they stand and what they weigh, for an integral from 0 to 1.

use std::f64::consts::PI;

/// Gauss and Legendre's points and weights on 0 to 1; exact up to degree `2 * points - 1`.
pub(super) struct Quadrature {
    pub(super) points: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

impl Quadrature {
    #[expect(clippy::cast_precision_loss, reason = "few points")]
    pub(super) fn new(count: usize) -> Self {
        let (mut points, mut weights) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for i in 0..count {
            // Newton's method from a good first guess at the root of the Legendre polynomial.
            let mut x = (PI * (i as f64 + 0.75) / (count as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut before, mut value) = (1.0, x);
                for n in 2..=count {
                    let n = n as f64;
                    (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
                }
                slope = count as f64 * (x * value - before) / (x * x - 1.0);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            points.push((1.0 + x) / 2.0);
            weights.push(1.0 / ((1.0 - x * x) * slope * slope));
        }
        Self { points, weights }
    }

    pub(super) fn len(&self) -> usize {
        self.points.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_exact_for_polynomials_of_its_degree() {
        for count in [1, 2, 3, 8, 20, 64, 128] {
            let rule = Quadrature::new(count);
            for degree in [0, 1, count, 2 * count - 1] {
                let terms = rule.points.iter().zip(&rule.weights);
                let integral: f64 = terms.map(|(point, weight)| weight * point.powi(degree as i32)).sum();
                let expected = 1.0 / (degree as f64 + 1.0);
                assert!((integral - expected).abs() < 1e-12, "{count} points, degree {degree}: {integral}");
            }
        }
    }
}
