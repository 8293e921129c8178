//! Arithmetic on eight numbers side by side, compiled once for every machine and once for those with AVX2.
//!
//! Both give the same bits: lanes are summed in the same order, and no multiplication is fused with an addition.

/// Numbers that are worked on side by side.
pub(crate) const LANES: usize = 8;

/// `LANES` numbers.
pub(crate) type Lanes = [f64; LANES];

/// Defines a function whose body is also compiled for AVX2, which is called where the machine has it.
macro_rules! wide {
    ($(#[$doc:meta])* $see:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $see fn $name($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                fn on_avx2($($arg: $type),*) $(-> $result)? {
                    body($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the machine has been asked for AVX2 in the line above.
                    return unsafe { on_avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use wide;

/// Adds the squared distances between `row` and eight points; `block` holds, coordinate after coordinate, theirs.
#[inline(always)]
pub(crate) fn squared_distances(row: &[f64], block: &[Lanes]) -> Lanes {
    let mut sums = [0.0; LANES];
    for (x, others) in row.iter().zip(block) {
        for (sum, other) in sums.iter_mut().zip(others) {
            let difference = x - other;
            *sum += difference * difference;
        }
    }
    sums
}

/// The squared distance between two points.
#[inline(always)]
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Points (row-major, of `columns` coordinates) in blocks of eight; what is left of the last block is NaN, which is
/// near to nothing.
pub(crate) fn blocks(points: &[f64], columns: usize) -> Vec<Lanes> {
    let count = points.len() / columns.max(1);
    let mut blocks = vec![[f64::NAN; LANES]; count.div_ceil(LANES) * columns];
    for (number, point) in points.chunks_exact(columns.max(1)).enumerate() {
        for (i, &value) in point.iter().enumerate() {
            blocks[number / LANES * columns + i][number % LANES] = value;
        }
    }
    blocks
}
