//! What goes in: whole numbers, and the next number to give. What comes out: for each its number, without hashing as long
//! as they are close to each other.

use std::mem::size_of;

use super::table::NONE;

/// Whole numbers between which there is no more than this have a place.
const WIDEST: usize = 1 << 16;

/// A place for each whole number between the lowest and the highest.
#[derive(Debug, Default)]
pub(super) struct Window {
    base: i64,
    numbers: Vec<u32>,
    /// Whether some value lies outside: then it is as wide as it ever becomes.
    left: bool,
}

impl Window {
    pub(super) fn size(&self) -> usize {
        self.numbers.capacity() * size_of::<u32>()
    }

    /// The number of a value, which is `next` from now on where it is new; `None` where it has no place.
    #[inline]
    pub(super) fn number(&mut self, value: i64, next: u32) -> Option<u32> {
        match self.numbers.get(value.wrapping_sub(self.base) as usize) {
            Some(number) if *number != NONE => Some(*number),
            _ => self.add(value, next),
        }
    }

    #[cold]
    fn add(&mut self, value: i64, number: u32) -> Option<u32> {
        let place = self.place(value)?;
        self.numbers[place] = number;
        Some(number)
    }

    /// Where a value has its number, in a window that is made wide enough; `None` where it cannot be.
    fn place(&mut self, value: i64) -> Option<usize> {
        let (base, end) = (i128::from(self.base), i128::from(self.base) + self.numbers.len() as i128);
        let value = i128::from(value);
        if (base..end).contains(&value) {
            return usize::try_from(value - base).ok();
        }
        let (from, to) =
            if self.numbers.is_empty() { (value, value + 1) } else { (base.min(value), end.max(value + 1)) };
        if self.left || to - from > WIDEST as i128 {
            self.left = true;
            return None;
        }
        // Twice as wide as it must be, to that side where it was too narrow.
        let room = (to - from).min(WIDEST as i128 - (to - from));
        let (from, to) = if value < base { (from - room, to) } else { (from, to + room) };
        let (Ok(first), true) = (i64::try_from(from), to <= i128::from(i64::MAX)) else {
            self.left = true;
            return None;
        };
        let mut numbers = vec![NONE; usize::try_from(to - from).ok()?];
        if !self.numbers.is_empty() {
            let moved = usize::try_from(base - from).ok()?;
            numbers[moved..moved + self.numbers.len()].copy_from_slice(&self.numbers);
        }
        (self.base, self.numbers) = (first, numbers);
        usize::try_from(value - from).ok()
    }
}
