//! Least distance and spread -> how far points belong together by their distance: `1 / (1 + a * distance^(2 b))`.

/// The two numbers of the curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    pub(super) a: f64,
    pub(super) b: f64,
}

/// Distances at which the curve is fitted, up to three times the spread.
const POINTS: u32 = 300;
const ROUNDS: usize = 500;

impl Curve {
    /// The curve that is nearest, in squares, to 1 up to the least distance and to an exponential of the spread beyond:
    /// Levenberg's and Marquardt's steps in the logarithms, as both numbers are above 0.
    pub(super) fn of(min_distance: f64, spread: f64) -> Self {
        let x: Vec<f64> = (1..POINTS).map(|i| 3.0 * spread * f64::from(i) / f64::from(POINTS - 1)).collect();
        let wanted = |x: f64| if x < min_distance { 1.0 } else { (-(x - min_distance) / spread).exp() };
        let (mut logs, mut damping) = ([0.0, 0.0], 1e-3);
        let loss = |logs: [f64; 2]| x.iter().map(|&x| (at(logs, x).0 - wanted(x)).powi(2)).sum::<f64>();
        let mut least = loss(logs);
        for _ in 0..ROUNDS {
            let (mut square, mut side) = ([[0.0; 2]; 2], [0.0; 2]);
            for &x in &x {
                let (value, slopes) = at(logs, x);
                for i in 0..2 {
                    side[i] += slopes[i] * (wanted(x) - value);
                    square[i][0] += slopes[i] * slopes[0];
                    square[i][1] += slopes[i] * slopes[1];
                }
            }
            let (p, q, r) = (square[0][0] * (1.0 + damping), square[0][1], square[1][1] * (1.0 + damping));
            let determinant = p * r - q * q;
            let next = [
                logs[0] + (side[0] * r - side[1] * q) / determinant,
                logs[1] + (side[1] * p - side[0] * q) / determinant,
            ];
            let found = loss(next);
            if found < least {
                let gained = least - found;
                (logs, least, damping) = (next, found, damping / 3.0);
                if gained < 1e-16 * least {
                    break;
                }
            } else if damping > 1e12 {
                break;
            } else {
                damping *= 4.0;
            }
        }
        Self { a: logs[0].exp(), b: logs[1].exp() }
    }

    /// What a pull along the way between two points is multiplied by, from the square of their distance.
    pub(super) fn pull(self, squared: f64) -> f64 {
        if squared > 0.0 {
            let power = squared.powf(self.b);
            -2.0 * self.a * self.b * power / (squared * (1.0 + self.a * power))
        } else {
            0.0
        }
    }

    /// The same for a push. Points on each other have no way between them.
    pub(super) fn push(self, squared: f64) -> f64 {
        if squared > 0.0 { 2.0 * self.b / ((0.001 + squared) * (1.0 + self.a * squared.powf(self.b))) } else { 0.0 }
    }
}

/// The value at a distance, and its slopes by the logarithms of `a` and `b`.
fn at(logs: [f64; 2], x: f64) -> (f64, [f64; 2]) {
    let (a, b) = (logs[0].exp(), logs[1].exp());
    let u = a * x.powf(2.0 * b);
    let value = 1.0 / (1.0 + u);
    let slope = -u * value * value;
    (value, [slope, slope * 2.0 * b * x.ln()])
}

#[cfg(test)]
mod tests {
    use super::Curve;

    #[test]
    fn the_curve_has_the_numbers_that_are_known() {
        // Of umap-learn 0.5, `find_ab_params`, by scipy's curve_fit on the same distances.
        for (spread, min_distance, a, b) in
            [(1.0, 0.1, 1.576_943_460, 0.895_060_878), (1.0, 0.5, 0.583_030_019, 1.334_167_399)]
        {
            let curve = Curve::of(min_distance, spread);
            assert!((curve.a - a).abs() < 1e-3 && (curve.b - b).abs() < 1e-3, "{curve:?}");
        }
        let wide = Curve::of(0.0, 3.0);
        assert!(wide.a > 0.0 && wide.b > 0.0 && wide.a.is_finite(), "{wide:?}");
    }
}
