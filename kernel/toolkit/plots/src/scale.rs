//! What goes in: the smallest and the largest value. What comes out: an axis with round ticks.

/// An axis: where a value lies between its ends, and which values are written beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// An axis that ends on round numbers around `low` and `high`, with about `count` ticks.
    pub(crate) fn linear(low: f64, high: f64, count: usize, percent: bool) -> Self {
        let (low, high) =
            if low < high { (low, high) } else { (low - low.abs().max(1.0) / 2.0, high + high.abs().max(1.0) / 2.0) };
        let step = round_step((high - low) / count.max(1) as f64);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // Numbers at the edge of what a float holds have no round neighbours.
        if !(step > 0.0 && step.is_finite() && (1.0..=100.0).contains(&(last - first))) {
            let ticks = [low, high].map(|tick| (tick, number(tick, percent)));
            return Self { low, high, log: false, ticks: ticks.to_vec() };
        }
        let values: Vec<f64> = (0..=(last - first) as usize).map(|n| (first + n as f64) * step).collect();
        let texts = even_texts(&values, step, percent);
        Self { low: first * step, high: last * step, log: false, ticks: values.into_iter().zip(texts).collect() }
    }

    /// An axis on which equal distances are equal factors; both ends must be above zero.
    pub(crate) fn log(low: f64, high: f64, count: usize, percent: bool) -> Self {
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let last = last.max(first + 1);
        let decades = (last - first) as usize;
        let every = decades.div_ceil(count.max(1)).max(1);
        let within: &[f64] = if decades <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let powers = (first..=last).step_by(every);
        let values = powers.flat_map(|power| within.iter().map(move |factor| factor * 10f64.powi(power)));
        let high = 10f64.powi(last);
        let ticks = values.filter(|value| *value <= high * 1.0001).map(|value| (value, number(value, percent)));
        Self { low: 10f64.powi(first), high, log: true, ticks: ticks.collect() }
    }

    /// 0 at the lower end, 1 at the upper; `None` for what is no number, or not above zero on a
    /// logarithmic axis.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        let by = |value: f64| if self.log { value.log10() } else { value };
        // Halves: the distance between the ends may not be finite.
        let share = (by(value) / 2.0 - by(self.low) / 2.0) / (by(self.high) / 2.0 - by(self.low) / 2.0);
        Some(share)
    }

    /// Where bars begin: at zero, or at the end of the axis that is nearer to it.
    pub(crate) fn base(&self) -> f64 {
        self.place(0.0_f64.clamp(self.low, self.high)).unwrap_or(0.0)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `raw`.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| raw <= factor * power * 1.000_001);
    factor.unwrap_or(10.0) * power
}

const UNITS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")];

fn unit(size: f64) -> (f64, &'static str) {
    if size < 1e4 {
        return (1.0, "");
    }
    UNITS.into_iter().find(|(unit, _)| size >= *unit).unwrap_or((1.0, ""))
}

/// Ticks of one axis: the same unit and the same decimals for all.
fn even_texts(values: &[f64], step: f64, percent: bool) -> Vec<String> {
    let size = values.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    let (unit, suffix) = if percent { (0.01, "%") } else { unit(size) };
    let decimals = -(step / unit).log10().floor();
    if size >= 1e16 || decimals > 6.0 {
        return values.iter().map(|value| scientific(*value)).collect();
    }
    let decimals = decimals.max(0.0) as usize;
    values.iter().map(|value| with_minus(format!("{:.decimals$}", value / unit), suffix)).collect()
}

/// A number by itself, to three digits or as many as stand before the point.
pub(crate) fn number(value: f64, percent: bool) -> String {
    let size = value.abs();
    let (unit, suffix) = if percent { (0.01, "%") } else { unit(size) };
    let shown = size / unit;
    if shown != 0.0 && (shown < 1e-4 || size >= 1e16) {
        return scientific(value);
    }
    let decimals = if shown == 0.0 { 0 } else { (2.0 - shown.log10().floor()).clamp(0.0, 6.0) as usize };
    let text = format!("{:.decimals$}", value / unit);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    with_minus(text, suffix)
}

fn scientific(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { with_minus(format!("{value:.1e}").replace(".0e", "e"), "") }
}

/// With a true minus sign, but none before zero; zero has no unit either.
fn with_minus(text: String, suffix: &str) -> String {
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let zero = digits.chars().all(|digit| matches!(digit, '0' | '.'));
    match (zero, digits.len() < text.len()) {
        (true, _) if suffix != "%" => "0".to_owned(),
        (false, true) => format!("−{digits}{suffix}"),
        _ => format!("{digits}{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(texts(&Scale::linear(0.0, 9.3, 5, false)), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(texts(&Scale::linear(-0.13, 0.31, 5, false)), ["−0.2", "−0.1", "0", "0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(texts(&Scale::linear(0.0, 1.3e9, 5, false)), ["0", "0.5B", "1.0B", "1.5B"]);
        assert_eq!(texts(&Scale::linear(0.0, 24_000.0, 5, false)), ["0", "5k", "10k", "15k", "20k", "25k"]);
        assert_eq!(texts(&Scale::linear(0.0, 0.05, 5, true)), ["0%", "1%", "2%", "3%", "4%", "5%"]);
        assert_eq!(texts(&Scale::linear(0.0, 0.004, 4, true)), ["0.0%", "0.1%", "0.2%", "0.3%", "0.4%"]);
        assert_eq!(texts(&Scale::linear(0.0, 3e-8, 3, false)), ["0", "1e-8", "2e-8", "3e-8"]);
        assert_eq!(texts(&Scale::linear(2020.0, 2024.0, 4, false)), ["2020", "2021", "2022", "2023", "2024"]);
    }

    #[test]
    fn an_axis_holds_what_it_was_made_for() {
        let extremes =
            [(0.0, 0.0), (5.0, 5.0), (-3.0, -3.0), (1e-310, 2e-310), (f64::MIN, f64::MAX), (1e16, 1e16 + 2.0)];
        for (low, high) in extremes {
            let scale = Scale::linear(low, high, 6, false);
            assert!((2..=102).contains(&scale.ticks.len()), "{low} {high}: {scale:?}");
            for value in [low, high] {
                let place = scale.place(value).unwrap();
                assert!((0.0..=1.0).contains(&place), "{value} in {scale:?}: {place}");
            }
        }
        assert_eq!(Scale::linear(0.0, 1.0, 5, false).place(f64::NAN), None);
    }

    #[test]
    fn logarithmic_ticks_are_powers() {
        assert_eq!(texts(&Scale::log(3.0, 40.0, 6, false)), ["1", "2", "5", "10", "20", "50", "100"]);
        assert_eq!(texts(&Scale::log(1.0, 5e6, 6, false)), ["1", "100", "10k", "1M"]);
        let scale = Scale::log(1.0, 1000.0, 6, false);
        assert_eq!(texts(&scale), ["1", "10", "100", "1000"]);
        assert_eq!((scale.place(0.0), scale.base()), (None, 0.0));
        assert!((scale.place(10.0).unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(texts(&Scale::log(0.001, 0.1, 6, true)), ["0.1%", "0.2%", "0.5%", "1%", "2%", "5%", "10%"]);
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 1234.5, -0.123_456, 1_234_567.0, 2e-9, 1e20, f64::MAX].map(|value| number(value, false));
        assert_eq!(texts, ["0", "1234", "−0.123", "1.23M", "2e-9", "1e20", "1.8e308"]);
        assert_eq!(number(0.0512, true), "5.12%");
    }

    #[test]
    fn bars_begin_at_zero_or_at_the_near_end() {
        assert_eq!(Scale::linear(-10.0, 10.0, 4, false).base(), 0.5);
        assert_eq!(Scale::linear(5.0, 10.0, 4, false).base(), 0.0);
    }
}
