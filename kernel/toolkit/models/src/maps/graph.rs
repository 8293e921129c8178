//! Weights from each row to its neighbours -> weights that hold both ways.

use crate::clustering::Neighbours;

/// Sparse weights between rows, the same in both directions; the rows of each in ascending order.
pub(super) struct Graph {
    starts: Vec<usize>,
    to: Vec<u32>,
    weights: Vec<f64>,
}

impl Graph {
    /// `joined` makes one weight of the two directions, in which 0 stands for none; it takes them in any order.
    pub(super) fn both_ways(neighbours: &Neighbours, weights: &[f64], joined: fn(f64, f64) -> f64) -> Self {
        let rows = neighbours.rows.len() / neighbours.each.max(1);
        let mut met: Vec<Vec<(u32, f64)>> = vec![Vec::with_capacity(2 * neighbours.each); rows];
        for (at, (&other, &weight)) in neighbours.rows.iter().zip(weights).enumerate() {
            let row = at / neighbours.each;
            met[row].push((other, weight));
            #[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32 rows")]
            met[other as usize].push((row as u32, weight));
        }
        let mut graph = Self { starts: vec![0], to: Vec::new(), weights: Vec::new() };
        for mut own in met {
            own.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            for same in own.chunk_by(|a, b| a.0 == b.0) {
                let back = same.get(1).map_or(0.0, |&(_, weight)| weight);
                graph.to.push(same[0].0);
                graph.weights.push(joined(same[0].1, back));
            }
            graph.starts.push(graph.to.len());
        }
        graph
    }

    pub(super) fn scale(&mut self, factor: f64) {
        self.weights.iter_mut().for_each(|weight| *weight *= factor);
    }

    pub(super) fn greatest(&self) -> f64 {
        self.weights.iter().copied().fold(0.0, f64::max)
    }

    /// The others of a row, with the weights.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[row]..self.starts[row + 1];
        self.to[range.clone()].iter().map(|&other| other as usize).zip(self.weights[range].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_hold_both_ways() {
        // 0 -> 1, 1 -> 2, 2 -> 1.
        let neighbours = Neighbours { each: 1, rows: vec![1, 2, 1], distances: vec![1.0; 3] };
        let graph = Graph::both_ways(&neighbours, &[0.5, 0.2, 0.4], |a, b| a + b - a * b);
        let rows: Vec<Vec<(usize, f64)>> = (0..3).map(|row| graph.row(row).collect()).collect();
        assert_eq!(rows[0], [(1, 0.5)]);
        assert_eq!((rows[1][0], rows[1][1].0, rows[2][0].0), ((0, 0.5), 2, 1));
        assert!((rows[1][1].1 - 0.52).abs() < 1e-15 && rows[2][0].1 == rows[1][1].1);
        assert!((graph.greatest() - 0.52).abs() < 1e-15);
    }
}
