//! What goes in: keys of a fixed width. What comes out: for each its number, from 0 without gaps, in the order in which
//! the keys were seen first.

use std::hash::BuildHasher;
use std::mem::size_of;

use datafusion::error::{DataFusionError, Result};

/// No number: [`Table`] holds fewer keys than this.
pub(super) const NONE: u32 = u32::MAX;

const MOST_KEYS: usize = 1 << 31;
const FEWEST_SLOTS: usize = 64;

/// What can be a key.
pub(super) trait Key: Copy + Eq + Default {
    /// Bits that are spread evenly for any keys, unless these were chosen by who knows the seeds.
    fn mix(self, seeds: (u64, u64)) -> u64;
}

impl Key for u64 {
    #[inline]
    fn mix(self, seeds: (u64, u64)) -> u64 {
        fold(self ^ seeds.0, seeds.1)
    }
}

impl Key for u128 {
    #[inline]
    fn mix(self, seeds: (u64, u64)) -> u64 {
        fold(self as u64 ^ seeds.0, (self >> 64) as u64 ^ seeds.1)
    }
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Keys and their numbers side by side, so that a look-up goes to one place in memory.
#[derive(Debug)]
pub(super) struct Table<K> {
    slots: Vec<(K, u32)>,
    used: usize,
    /// How many numbers are given: as many as keys, and those that are found elsewhere.
    given: usize,
    seeds: (u64, u64),
}

impl<K: Key> Table<K> {
    pub(super) fn new() -> Self {
        // Nobody who writes rows knows them, so that nobody can choose values that fall into one slot.
        let random = std::hash::RandomState::new();
        let seeds = (random.hash_one(1u8) | 1, random.hash_one(2u8) | 1);
        Self { slots: vec![(K::default(), NONE); FEWEST_SLOTS], used: 0, given: 0, seeds }
    }

    /// How many numbers are given.
    pub(super) fn len(&self) -> usize {
        self.given
    }

    pub(super) fn size(&self) -> usize {
        self.slots.capacity() * size_of::<(K, u32)>()
    }

    /// The number of a key, which is the next one where it is new.
    #[inline]
    pub(super) fn number(&mut self, key: K) -> Result<u32> {
        let mask = self.slots.len() - 1;
        let mut place = key.mix(self.seeds) as usize & mask;
        loop {
            let (found, number) = self.slots[place];
            if number == NONE {
                return self.add(key, place);
            }
            if found == key {
                return Ok(number);
            }
            place = (place + 1) & mask;
        }
    }

    /// Gives the next number to what is found elsewhere.
    pub(super) fn reserve(&mut self) -> Result<u32> {
        if self.given >= MOST_KEYS {
            let message = "more than 2,147,483,648 groups in one part of the rows; group by fewer values".to_owned();
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        self.given += 1;
        Ok((self.given - 1) as u32)
    }

    #[cold]
    fn add(&mut self, key: K, place: usize) -> Result<u32> {
        let number = self.reserve()?;
        self.slots[place] = (key, number);
        self.used += 1;
        if self.used * 4 > self.slots.len() * 3 {
            self.grow();
        }
        Ok(number)
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let old = std::mem::replace(&mut self.slots, vec![(K::default(), NONE); mask + 1]);
        for (key, number) in old.into_iter().filter(|(_, number)| *number != NONE) {
            let mut place = key.mix(self.seeds) as usize & mask;
            while self.slots[place].1 != NONE {
                place = (place + 1) & mask;
            }
            self.slots[place] = (key, number);
        }
    }
}
