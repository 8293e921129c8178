//! Numbers of any size -> a power of two to divide them by, so that squares and products of what comes of it neither leave
//! the numbers nor become 0. Dividing by a power of two rounds nothing.

use std::borrow::Cow;

/// What numbers are divided by before they are squared and summed: 1, unless the greatest is too large or small for that.
pub(crate) fn unit(values: impl Iterator<Item = f64>) -> f64 {
    let greatest = greatest(values);
    if (1e-120..=1e120).contains(&greatest) { 1.0 } else { power_of_two(greatest) }
}

/// Weights of a size at which products of them and of rows are finite and above 0, and what they were divided by.
pub(crate) fn sized(weights: &[f64]) -> (Cow<'_, [f64]>, f64) {
    let greatest = greatest(weights.iter().copied());
    if weights.is_empty() || (1e-50..=1e50).contains(&greatest) {
        return (Cow::Borrowed(weights), 1.0);
    }
    let unit = power_of_two(greatest);
    (Cow::Owned(weights.iter().map(|weight| weight / unit).collect()), unit)
}

fn greatest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |most, value| most.max(value.abs()))
}

/// That below a number or at it, as far as dividing by it is in order; 1 for 0.
pub(crate) fn power_of_two(number: f64) -> f64 {
    if number > 0.0 { number.log2().floor().clamp(-1000.0, 1000.0).exp2() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_1_or_a_power_of_two_near_the_greatest() {
        assert_eq!(unit([].into_iter()), 1.0);
        assert_eq!(unit([0.0, -0.0].into_iter()), 1.0);
        assert_eq!(unit([1e-200, -3.0].into_iter()), 1.0);
        for number in [1e-300, 3e-121, 7e121, f64::MAX, 5e-324] {
            let unit = unit([number / 3.0, -number].into_iter());
            let left = number / unit;
            // A subnormal number has no power of two of its own: one over it would be infinite.
            assert!(
                (left.abs() >= 1.0 || number < 1e-301) && left.abs() < 4.0 * 2.0_f64.powi(24),
                "{number:e}: {unit:e}"
            );
            assert!((left * unit).to_bits() == number.to_bits() && (1.0 / unit).is_finite(), "{number:e}: {unit:e}");
        }
        let (small, unit) = sized(&[2e-308, 0.0, 1e-308]);
        assert!(small[0] > 1e-50 && small[1] == 0.0 && (small[0] / small[2] - 2.0).abs() < 1e-12 && unit < 1e-300);
        assert!(matches!(sized(&[1.0, 0.0]), (Cow::Borrowed(_), unit) if unit == 1.0));
        assert!(matches!(sized(&[]), (Cow::Borrowed(_), unit) if unit == 1.0));
    }
}
