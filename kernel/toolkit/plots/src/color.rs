//! The colours of both representations. Chosen to be told apart on white and on black, also by most
//! colour-blind readers: hue and lightness change from one to the next.

/// The series, in order.
pub(crate) const SERIES: [&str; 8] =
    ["#3b7dd8", "#e07b39", "#2e9e68", "#c94f7c", "#8a6fd1", "#b08d2e", "#2fa3b5", "#7f868f"];

/// From little to much.
const RAMP: [[u8; 3]; 5] = [[236, 243, 251], [170, 205, 237], [99, 157, 218], [43, 101, 176], [12, 45, 98]];

/// The colour of the series at `index`; they repeat.
pub(crate) fn series(index: usize) -> &'static str {
    SERIES[index % SERIES.len()]
}

/// A colour of the ramp, as red, green, blue; `share` is between 0 and 1.
pub(crate) fn ramp(share: f64) -> [u8; 3] {
    // `as` and `max` turn NaN into 0.
    let place = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let below = (place as usize).min(RAMP.len() - 2);
    let rest = (place - below as f64).max(0.0);
    std::array::from_fn(|channel| {
        let (from, to) = (f64::from(RAMP[below][channel]), f64::from(RAMP[below + 1][channel]));
        (from + (to - from) * rest).round() as u8
    })
}

/// `#rrggbb`.
pub(crate) fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The stops of the ramp, for a colour scale.
pub(crate) fn stops() -> impl Iterator<Item = (f64, String)> {
    let last = (RAMP.len() - 1) as f64;
    RAMP.iter().enumerate().map(move |(at, color)| (at as f64 / last, hex(*color)))
}

/// A colour for text on top of `color`.
pub(crate) fn text_on([red, green, blue]: [u8; 3]) -> &'static str {
    let light = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
    if light > 140.0 { "#1d2228" } else { "#ffffff" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_runs_from_end_to_end() {
        assert_eq!((hex(ramp(0.0)), hex(ramp(1.0))), ("#ecf3fb".to_owned(), "#0c2d62".to_owned()));
        assert_eq!((ramp(-1.0), ramp(2.0)), (ramp(0.0), ramp(1.0)));
        assert_eq!(ramp(f64::NAN), ramp(0.0));
        assert_eq!((text_on(ramp(0.0)), text_on(ramp(1.0))), ("#1d2228", "#ffffff"));
    }
}
