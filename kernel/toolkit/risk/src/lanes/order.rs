//! A seed and the key of an item -> a number of its own, by which ties and draws fall.

use haetae_models::Random;

/// What the number is for: draws and ties do not fall together.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Draw = 1,
    Tie = 2,
    /// How many are drawn in an office on a day, where the share of the quota is no whole number.
    Share = 3,
}

/// A number as one from 0 up to 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
pub(super) fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// The same for the same item whatever else is in the frame, and in whatever order.
pub(super) fn number(seed: u64, purpose: Purpose, office: &str, day: &str, key: &str) -> u64 {
    // FNV-1a (Fowler, Noll and Vo) makes a number of the texts, SplitMix64 spreads it.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in [office, day, key] {
        // An end that no text has, so that `a`, `bc` is not `ab`, `c`.
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    Random::stream(seed, hash ^ (purpose as u64)).next()
}
