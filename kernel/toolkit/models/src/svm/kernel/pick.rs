//! Forces and pulls of all rows -> the pair whose forces are moved next. Both loops take eight rows at a time; of equal
//! rows the first is taken.

use crate::lanes::{LANES, wide};

/// The pulls, and where forces may still go; in whole blocks of eight.
pub(super) struct Pulls {
    /// What a row's sum lacks to its side: the slope of the goal along its force.
    pub(super) pull: Vec<f64>,
    /// 0 where the force may grow, else negative infinity.
    pub(super) up: Vec<f64>,
    /// 0 where the force may fall, else infinity.
    pub(super) down: Vec<f64>,
    /// The kernel of each row with itself.
    pub(super) own: Vec<f64>,
}

/// The row that is pulled up most, and the two pulls between which the conditions of the best margin are violated.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    pub(super) row: usize,
    pub(super) most: f64,
    pub(super) least: f64,
}

wide! {
    /// Moves all pulls by the change of two forces, by `step` and back, and finds the row of the greatest pull.
    pub(super) fn move_and_pick(pulls: &mut Pulls, grown: &[f32], fallen: &[f32], step: f64) -> First {
        let (mut most, mut least, mut at) = ([f64::NEG_INFINITY; LANES], [f64::INFINITY; LANES], [0_u64; LANES]);
        let rows = pulls.pull.chunks_exact_mut(LANES).zip(pulls.up.chunks_exact(LANES));
        let rows = rows.zip(pulls.down.chunks_exact(LANES));
        let kernels = grown.chunks_exact(LANES).zip(fallen.chunks_exact(LANES));
        for ((number, ((pull, up), down)), (grown, fallen)) in (0_u64..).zip(rows).zip(kernels) {
            for i in 0..LANES {
                pull[i] -= step * (f64::from(grown[i]) - f64::from(fallen[i]));
                let (upward, downward) = (pull[i] + up[i], pull[i] + down[i]);
                let better = upward > most[i];
                most[i] = if better { upward } else { most[i] };
                at[i] = if better { number } else { at[i] };
                least[i] = if downward < least[i] { downward } else { least[i] };
            }
        }
        let (row, most) = first_of(&most, &at);
        First { row, most, least: least.iter().copied().fold(f64::INFINITY, f64::min) }
    }
}

wide! {
    /// The row with which the first one gains most by the second-order estimate; none where no pull is below its own.
    pub(super) fn pick_second(pulls: &Pulls, first: First, kernel: &[f32]) -> Option<usize> {
        let (mut best, mut at) = ([0.0; LANES], [0_u64; LANES]);
        let own = pulls.own[first.row];
        let rows = pulls.pull.chunks_exact(LANES).zip(pulls.down.chunks_exact(LANES));
        let rows = rows.zip(pulls.own.chunks_exact(LANES)).zip(kernel.chunks_exact(LANES));
        for (number, (((pull, down), owns), kernel)) in (0_u64..).zip(rows) {
            for i in 0..LANES {
                let apart = first.most - (pull[i] + down[i]);
                let bend = own + owns[i] - 2.0 * f64::from(kernel[i]);
                let bend = if bend > FLAT { bend } else { FLAT };
                let gain = if apart > 0.0 { apart * apart / bend } else { 0.0 };
                let better = gain > best[i];
                best[i] = if better { gain } else { best[i] };
                at[i] = if better { number } else { at[i] };
            }
        }
        let (row, gain) = first_of(&best, &at);
        (gain > 0.0).then_some(row)
    }
}

/// What stands for the bend of a parabola that has none.
pub(super) const FLAT: f64 = 1e-12;

/// The greatest of eight, and its row; of equal ones the first row.
#[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
fn first_of(best: &[f64; LANES], at: &[u64; LANES]) -> (usize, f64) {
    let mut found = (at[0] as usize * LANES, best[0]);
    for i in 1..LANES {
        let row = at[i] as usize * LANES + i;
        if best[i] > found.1 || (best[i] == found.1 && row < found.0) {
            found = (row, best[i]);
        }
    }
    found
}
