//! What goes in: keys of a fixed width, and the next number. What comes out: for each key its number, which is that one
//! where the key is new.

use std::hash::BuildHasher;
use std::mem::size_of;

/// No number: those that are given are lower.
pub(super) const NONE: u32 = u32::MAX;

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
    seeds: (u64, u64),
}

impl<K: Key> Table<K> {
    pub(super) fn new() -> Self {
        // Nobody who writes rows knows them, so that nobody can choose values that fall into one slot.
        let random = std::hash::RandomState::new();
        let seeds = (random.hash_one(1u8) | 1, random.hash_one(2u8) | 1);
        Self { slots: vec![(K::default(), NONE); FEWEST_SLOTS], used: 0, seeds }
    }

    pub(super) fn size(&self) -> usize {
        self.slots.capacity() * size_of::<(K, u32)>()
    }

    /// The number of a key, which is `next` from now on where it is new.
    #[inline]
    pub(super) fn number(&mut self, key: K, next: u32) -> u32 {
        let mask = self.slots.len() - 1;
        let mut place = key.mix(self.seeds) as usize & mask;
        loop {
            let (found, number) = self.slots[place];
            if number == NONE {
                self.add(key, next, place);
                return next;
            }
            if found == key {
                return number;
            }
            place = (place + 1) & mask;
        }
    }

    #[cold]
    fn add(&mut self, key: K, number: u32, place: usize) {
        self.slots[place] = (key, number);
        self.used += 1;
        if self.used * 4 > self.slots.len() * 3 {
            self.grow();
        }
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
