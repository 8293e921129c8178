//! Rows of the kernel that were used last, within a number of bytes.

use std::sync::Arc;

const NONE: u32 = u32::MAX;

/// A row of the kernel, shared with whoever works with it.
pub(super) type Row = Arc<Vec<f32>>;

/// Rows by position, and the order in which they were used.
pub(super) struct Cache {
    rows: Vec<Option<Row>>,
    /// The row that was used before this one, and after it.
    before: Vec<u32>,
    after: Vec<u32>,
    first: u32,
    last: u32,
    left: usize,
}

impl Cache {
    /// Room for `bytes` of rows, of which there are `count`. Two rows have room in any case.
    pub(super) fn new(count: usize, bytes: usize) -> Self {
        let room = (bytes / 4).max(2 * (count + 16));
        let links = vec![NONE; count];
        Self { rows: vec![None; count], before: links.clone(), after: links, first: NONE, last: NONE, left: room }
    }

    /// The row at `position`; `make` computes one of `width` numbers where it is not there.
    pub(super) fn get(&mut self, position: usize, width: usize, make: impl FnOnce(&mut [f32])) -> Row {
        if let Some(row) = self.rows.get(position).cloned().flatten() {
            self.unlink(position);
            self.link(position);
            return row;
        }
        while self.left < width && self.first != NONE {
            self.drop_row(self.first as usize);
        }
        let mut row = vec![0.0; width];
        make(&mut row);
        let row = Arc::new(row);
        self.left = self.left.saturating_sub(width);
        self.rows[position] = Some(row.clone());
        self.link(position);
        row
    }

    /// Keeps the rows at `kept` (rising), and of each the numbers there, with `width` numbers in all.
    pub(super) fn keep(&mut self, kept: &[u32], width: usize) {
        let mut used = Vec::new();
        let mut at = self.first;
        while at != NONE {
            used.push(at as usize);
            at = self.after[at as usize];
        }
        let mut moved = vec![NONE; self.rows.len()];
        for (place, &old) in (0_u32..).zip(kept) {
            moved[old as usize] = place;
        }
        let mut rows: Vec<Option<Row>> = vec![None; kept.len()];
        let mut order = Vec::new();
        for old in used {
            let Some(row) = self.rows[old].take() else { continue };
            self.left += row.len();
            if moved[old] == NONE {
                continue;
            }
            let mut own: Vec<f32> = Vec::with_capacity(width);
            own.extend(kept.iter().map(|&i| row[i as usize]));
            own.resize(width, 0.0);
            self.left = self.left.saturating_sub(width);
            rows[moved[old] as usize] = Some(Arc::new(own));
            order.push(moved[old] as usize);
        }
        self.rows = rows;
        self.before = vec![NONE; kept.len()];
        self.after = vec![NONE; kept.len()];
        (self.first, self.last) = (NONE, NONE);
        order.into_iter().for_each(|position| self.link(position));
    }

    fn drop_row(&mut self, position: usize) {
        self.unlink(position);
        if let Some(row) = self.rows[position].take() {
            self.left += row.len();
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
    fn link(&mut self, position: usize) {
        (self.before[position], self.after[position]) = (self.last, NONE);
        match self.last {
            NONE => self.first = position as u32,
            last => self.after[last as usize] = position as u32,
        }
        self.last = position as u32;
    }

    fn unlink(&mut self, position: usize) {
        let (before, after) = (self.before[position], self.after[position]);
        match before {
            NONE => self.first = after,
            before => self.after[before as usize] = after,
        }
        match after {
            NONE => self.last = before,
            after => self.before[after as usize] = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a row of four numbers that are its position; whether it had to be made.
    fn ask(cache: &mut Cache, position: usize) -> bool {
        let mut made = false;
        let row = cache.get(position, 4, |row| {
            made = true;
            row.fill(position as f32);
        });
        assert_eq!(row[3], position as f32);
        made
    }

    #[test]
    fn the_row_that_was_used_longest_ago_goes_first() {
        let mut cache = Cache::new(4, 0);
        cache.left = 12;
        assert!([0, 1, 2].into_iter().all(|position| ask(&mut cache, position)));
        assert!(!ask(&mut cache, 0));
        assert!(ask(&mut cache, 3));
        assert!([0, 2, 3].into_iter().all(|position| !ask(&mut cache, position)));
        assert!(ask(&mut cache, 1));
    }

    #[test]
    fn kept_rows_have_the_kept_numbers_alone() {
        let mut cache = Cache::new(4, 1 << 20);
        for position in 0..4 {
            cache.get(position, 4, |row| row.iter_mut().enumerate().for_each(|(i, x)| *x = (10 * position + i) as f32));
        }
        let before = cache.left;
        cache.keep(&[1, 3], 2);
        assert_eq!(cache.left, before + 16 - 4);
        assert_eq!(*cache.get(1, 2, |_| panic!("it is there")), [31.0, 33.0]);
        assert_eq!(*cache.get(0, 2, |_| panic!("it is there")), [11.0, 13.0]);
    }
}
