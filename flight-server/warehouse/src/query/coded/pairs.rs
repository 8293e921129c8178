//! What goes in: pairs of small numbers. What comes out: for each pair its number, from 0 without gaps.

use std::mem::size_of;

use super::table::{NONE, Table};

/// Beyond so many cells the pairs are hashed: 64 MiB.
const MOST_CELLS: usize = 1 << 24;
/// So many cells are always allowed, and for each pair so many: where one key follows from the other, nearly all cells
/// of a square would be empty. Memory is reserved after each batch, so that this bounds what a batch can take before.
const FREE_CELLS: usize = 1 << 16;
const CELLS_OF_A_PAIR: usize = 16;
/// Beyond so many rows too, since each has a place of its own.
const MOST_ROWS: usize = 4096;
const FEWEST_CELLS: usize = 16;

/// Pairs and their numbers: a row of cells for each first number, so that those pairs lie together which are looked up
/// together, and no hash is computed.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    rows: Vec<Vec<u32>>,
    cells: usize,
    /// Whether a row is for a second number instead.
    turned: bool,
    hashed: Option<Table<u64>>,
    pairs: Vec<(u32, u32)>,
}

impl Pairs {
    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(super) fn size(&self) -> usize {
        self.rows.capacity() * size_of::<Vec<u32>>()
            + self.cells * size_of::<u32>()
            + self.hashed.as_ref().map_or(0, Table::size)
            + self.pairs.capacity() * size_of::<(u32, u32)>()
    }

    /// All of them, in the order of their numbers.
    pub(super) fn into_pairs(self) -> Vec<(u32, u32)> {
        self.pairs
    }

    #[inline]
    pub(super) fn number(&mut self, first: u32, second: u32) -> u32 {
        if let Some(table) = &mut self.hashed {
            let next = self.pairs.len() as u32;
            let number = table.number(key(first, second), next);
            if number == next {
                self.pairs.push((first, second));
            }
            return number;
        }
        let (row, cell) = if self.turned { (second, first) } else { (first, second) };
        match self.rows.get(row as usize).and_then(|row| row.get(cell as usize)) {
            Some(number) if *number != NONE => *number,
            _ => self.add(first, second),
        }
    }

    #[cold]
    fn add(&mut self, first: u32, second: u32) -> u32 {
        let number = self.pairs.len() as u32;
        self.pairs.push((first, second));
        if !self.put(first, second, number, most_cells(self.pairs.len())) && !self.turn() {
            self.hash();
        }
        number
    }

    /// Whether there is room for the pair within so many cells.
    fn put(&mut self, first: u32, second: u32, number: u32, most: usize) -> bool {
        let (row, cell) = if self.turned { (second, first) } else { (first, second) };
        let (row, cell) = (row as usize, cell as usize);
        if row >= MOST_ROWS {
            return false;
        }
        if row >= self.rows.len() {
            self.rows.resize_with(row + 1, Vec::new);
        }
        let cells = &mut self.rows[row];
        if cell >= cells.len() {
            let wanted = (cell + 1).next_power_of_two().max(FEWEST_CELLS);
            if self.cells - cells.len() + wanted > most {
                return false;
            }
            self.cells += wanted - cells.len();
            cells.resize(wanted, NONE);
        }
        cells[cell] = number;
        true
    }

    /// Makes rows of the second numbers, where these are fewer. Whether all pairs have found room.
    fn turn(&mut self) -> bool {
        if self.turned {
            return false;
        }
        (self.rows, self.cells, self.turned) = (Vec::new(), 0, true);
        let pairs = std::mem::take(&mut self.pairs);
        let most = most_cells(pairs.len());
        let mut numbered = pairs.iter().enumerate();
        let fit = numbered.all(|(number, (first, second))| self.put(*first, *second, number as u32, most));
        self.pairs = pairs;
        fit
    }

    fn hash(&mut self) {
        (self.rows, self.cells) = (Vec::new(), 0);
        let mut table = Table::new();
        for (number, (first, second)) in self.pairs.iter().enumerate() {
            table.number(key(*first, *second), number as u32);
        }
        self.hashed = Some(table);
    }
}

fn most_cells(pairs: usize) -> usize {
    (pairs * CELLS_OF_A_PAIR).clamp(FREE_CELLS, MOST_CELLS)
}

fn key(first: u32, second: u32) -> u64 {
    u64::from(first) << 32 | u64::from(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Pairs {
        let mut found = Pairs::default();
        for round in 0..2 {
            for (number, (first, second)) in pairs.clone().enumerate() {
                assert_eq!(found.number(first, second), number as u32, "round {round}: {first}, {second}");
            }
        }
        assert!(pairs.eq(found.pairs.iter().copied()));
        found
    }

    #[test]
    fn keys_that_follow_from_each_other_take_no_square_of_cells() {
        let found = numbered((0..4000).map(|n| (n, n)));
        assert!(found.hashed.is_some() && found.size() < 1 << 20, "{}", found.size());
    }

    #[test]
    fn few_values_with_few_have_cells() {
        let found = numbered((0..40 * 365).map(|n| (n % 40, n / 40)));
        assert!(found.hashed.is_none());
        // More first than second values: rows are for the second ones.
        let found = numbered((0..10_000).map(|n| (n, 0)).chain([(3, 1), (9_999, 2)]));
        assert!(found.hashed.is_none() && found.turned);
    }
}
