//! A seed -> numbers that look random and are the same on every machine.
//!
//! Source: SplitMix64, Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014.

/// A source of numbers that belongs to whoever draws: nothing is shared between threads.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The source that belongs to a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The source of part `number` of what is drawn under `seed`, so that parts can be drawn in any order.
    pub fn stream(seed: u64, number: u64) -> Self {
        let start = Self(seed).next();
        Self(Self(start ^ number.wrapping_mul(0xd134_2543_de82_ef95)).next())
    }

    /// 64 bits.
    #[expect(clippy::should_implement_trait, reason = "it has no end, and is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `bound`; 0 where `bound` is 0.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half of the product is below the bound")]
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// 0 up to, not including, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Puts a list in an order of its own; every order is as likely.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}
