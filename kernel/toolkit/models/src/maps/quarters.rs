//! Points of a picture -> a tree of squares, each cut into quarters, that gives the push of all points on one.
//!
//! Source: Barnes and Hut, *A hierarchical O(N log N) force-calculation algorithm*, Nature 324, 1986; van der Maaten,
//! *Accelerating t-SNE using tree-based algorithms*, JMLR 15, 2014.

use super::Point;

/// Points of a square that is not cut.
const LEAF: usize = 8;
/// Cuts at most: points that are still together lie on each other.
const DEEPEST: u32 = 40;

struct Square {
    /// The mean of its points.
    middle: Point,
    squared_width: f64,
    from: u32,
    to: u32,
    /// The first of its quarters that hold points, and how many do; none for a leaf.
    children: u32,
    quarters: u32,
}

pub(super) struct Quarters {
    squares: Vec<Square>,
    /// In the order of the tree.
    points: Vec<Point>,
}

/// What a square is cut by.
#[derive(Clone, Copy)]
struct Frame {
    corner: Point,
    width: f64,
    depth: u32,
}

impl Frame {
    fn around(points: &[Point]) -> Self {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in points {
            for i in 0..2 {
                low[i] = low[i].min(point[i]);
                high[i] = high[i].max(point[i]);
            }
        }
        Self { corner: low, width: (high[0] - low[0]).max(high[1] - low[1]), depth: 0 }
    }

    fn quarter_of(&self, point: Point) -> usize {
        let half = self.width / 2.0;
        usize::from(point[0] >= self.corner[0] + half) + 2 * usize::from(point[1] >= self.corner[1] + half)
    }

    fn quarter(&self, number: usize) -> Self {
        let half = self.width / 2.0;
        let along = |i: usize| if number >> i & 1 == 1 { self.corner[i] + half } else { self.corner[i] };
        Self { corner: [along(0), along(1)], width: half, depth: self.depth + 1 }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "fewer than 2^31 points, and not many more squares")]
impl Quarters {
    pub(super) fn new(points: &[Point]) -> Self {
        let mut points = points.to_vec();
        let mut spare = points.clone();
        let frame = Frame::around(&points);
        let mut squares = vec![Square::of(&points, 0, frame)];
        let mut open = vec![(0, frame)];
        while let Some((at, frame)) = open.pop() {
            let (from, to) = (squares[at].from as usize, squares[at].to as usize);
            if to - from <= LEAF || frame.depth == DEEPEST {
                continue;
            }
            let ends = sort_by_quarter(&mut points[from..to], &mut spare, frame);
            squares[at].children = squares.len() as u32;
            let mut start = from;
            for (number, end) in ends.into_iter().enumerate() {
                let end = from + end;
                if start < end {
                    let frame = frame.quarter(number);
                    open.push((squares.len(), frame));
                    squares[at].quarters += 1;
                    squares.push(Square::of(&points[start..end], start, frame));
                }
                start = end;
            }
        }
        Self { squares, points }
    }

    /// The sum of `q^2 * (point - other)` and that of `q` over all points, `q = 1 / (1 + distance^2)`; the point itself is
    /// one of them where it is one of the tree's. A square as wide as `angle` times its distance, or less, counts as so
    /// many points in its middle; `angle` is below `sqrt(1/2)`, so that no point is in such a square of its own.
    pub(super) fn push(&self, point: Point, angle: f64, open: &mut Vec<u32>) -> (Point, f64) {
        let (mut push, mut total) = ([0.0; 2], 0.0);
        let squared_angle = angle * angle;
        let mut meet = |other: Point, count: f64| {
            let (dx, dy) = (point[0] - other[0], point[1] - other[1]);
            let q = 1.0 / (1.0 + dx * dx + dy * dy);
            total += count * q;
            let force = count * q * q;
            push[0] += force * dx;
            push[1] += force * dy;
        };
        open.clear();
        open.push(0);
        while let Some(at) = open.pop() {
            let square = &self.squares[at as usize];
            let (dx, dy) = (point[0] - square.middle[0], point[1] - square.middle[1]);
            if square.squared_width < squared_angle * (dx * dx + dy * dy) {
                meet(square.middle, f64::from(square.to - square.from));
            } else if square.quarters == 0 {
                self.points[square.from as usize..square.to as usize].iter().for_each(|&other| meet(other, 1.0));
            } else {
                open.extend(square.children..square.children + square.quarters);
            }
        }
        (push, total)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "fewer than 2^31 points")]
impl Square {
    fn of(points: &[Point], from: usize, frame: Frame) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let count = points.len() as f64;
        let sum = points.iter().fold([0.0; 2], |sum, point| [sum[0] + point[0], sum[1] + point[1]]);
        Self {
            middle: [sum[0] / count, sum[1] / count],
            squared_width: frame.width * frame.width,
            from: from as u32,
            to: (from + points.len()) as u32,
            children: 0,
            quarters: 0,
        }
    }
}

/// Orders points by the quarter that they lie in, and says where each quarter ends.
fn sort_by_quarter(points: &mut [Point], spare: &mut [Point], frame: Frame) -> [usize; 4] {
    let mut counts = [0; 4];
    points.iter().for_each(|&point| counts[frame.quarter_of(point)] += 1);
    let mut places = [0, counts[0], counts[0] + counts[1], counts[0] + counts[1] + counts[2]];
    let spare = &mut spare[..points.len()];
    for &point in points.iter() {
        let place = &mut places[frame.quarter_of(point)];
        spare[*place] = point;
        *place += 1;
    }
    points.copy_from_slice(spare);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn drawn(count: usize) -> Vec<Point> {
        let mut random = Random::new(3);
        let mut points: Vec<Point> = (0..count).map(|_| [random.unit() * 30.0, random.unit() * 20.0]).collect();
        // Many on one spot.
        points.extend(std::iter::repeat_n([1.0, 2.0], 50));
        points
    }

    fn exact(points: &[Point], own: Point) -> (Point, f64) {
        points.iter().fold(([0.0; 2], 0.0), |(push, total), other| {
            let (dx, dy) = (own[0] - other[0], own[1] - other[1]);
            let q = 1.0 / (1.0 + dx * dx + dy * dy);
            ([push[0] + q * q * dx, push[1] + q * q * dy], total + q)
        })
    }

    #[test]
    fn the_push_is_that_of_all_points() {
        let points = drawn(700);
        let (tree, mut open) = (Quarters::new(&points), Vec::new());
        for &own in points.iter().step_by(29) {
            let (push, total) = exact(&points, own);
            let (whole, sum) = tree.push(own, 0.0, &mut open);
            assert!(
                (sum - total).abs() < 1e-9 && (whole[0] - push[0]).abs() < 1e-9 && (whole[1] - push[1]).abs() < 1e-9
            );
            let (about, sum) = tree.push(own, 0.5, &mut open);
            assert!((sum / total - 1.0).abs() < 0.02, "{sum} {total}");
            let size = push[0].hypot(push[1]).max(0.5);
            assert!((about[0] - push[0]).hypot(about[1] - push[1]) < 0.1 * size, "{about:?} {push:?}");
        }
        let one = Quarters::new(&[[1.0, 1.0]; 20]);
        assert_eq!(one.push([1.0, 1.0], 0.5, &mut open), ([0.0, 0.0], 20.0));
    }
}
