//! What goes in: pairs of small numbers. What comes out: for each pair its number, from 0 without gaps.

use std::mem::size_of;

use datafusion::error::Result;

use super::table::{NONE, Table};

/// Beyond so many cells, and so many for each pair, the pairs are hashed, which takes as much memory.
const MOST_CELLS: usize = 1 << 22;
const CELLS_OF_PAIR: usize = 8;
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

    pub(super) fn pair(&self, number: usize) -> (u32, u32) {
        self.pairs[number]
    }

    #[inline]
    pub(super) fn number(&mut self, first: u32, second: u32) -> Result<u32> {
        if let Some(table) = &mut self.hashed {
            let number = table.number(key(first, second))?;
            if number as usize == self.pairs.len() {
                self.pairs.push((first, second));
            }
            return Ok(number);
        }
        let (row, cell) = if self.turned { (second, first) } else { (first, second) };
        match self.rows.get(row as usize).and_then(|row| row.get(cell as usize)) {
            Some(number) if *number != NONE => Ok(*number),
            _ => self.add(first, second),
        }
    }

    #[cold]
    fn add(&mut self, first: u32, second: u32) -> Result<u32> {
        let number = self.pairs.len() as u32;
        self.pairs.push((first, second));
        if !self.put(first, second, number) && !self.turn() {
            self.hash()?;
        }
        Ok(number)
    }

    /// Whether there is room for the pair.
    fn put(&mut self, first: u32, second: u32, number: u32) -> bool {
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
            if self.cells - cells.len() + wanted > MOST_CELLS.max(CELLS_OF_PAIR * self.pairs.len()) {
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
        (0..self.pairs.len()).all(|number| {
            let (first, second) = self.pairs[number];
            self.put(first, second, number as u32)
        })
    }

    fn hash(&mut self) -> Result<()> {
        (self.rows, self.cells) = (Vec::new(), 0);
        let mut table = Table::new();
        for (first, second) in &self.pairs {
            table.number(key(*first, *second))?;
        }
        self.hashed = Some(table);
        Ok(())
    }
}

fn key(first: u32, second: u32) -> u64 {
    u64::from(first) << 32 | u64::from(second)
}
