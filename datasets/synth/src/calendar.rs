//! What goes in: a number of items. What comes out: how many of them fall on each of the 547 days
//! from 2020-01-01 to 2021-06-30, by season, weekday, holiday and trend.

/// Number of days.
pub const DAYS: usize = 547;
/// 2020-01-01 as Arrow Date32 (days since 1970-01-01).
pub const FIRST_DATE: i32 = 18_262;
/// Index of 2021-01-01.
pub const DAY_2021: i32 = 366;
/// Index of 2020-01-01 counted as a weekday, Monday = 0.
pub const FIRST_WEEKDAY: usize = 2;

const MONTH: [f64; 12] = [1.10, 0.84, 1.03, 1.01, 0.94, 1.00, 1.03, 0.95, 1.00, 0.97, 1.04, 1.09];
const WEEKDAY: [f64; 7] = [1.45, 1.10, 1.02, 1.02, 1.05, 0.18, 0.09];

/// Public holidays as (year, month, day): offices take few declarations.
const HOLIDAYS: [(i32, usize, usize); 26] = [
    (2020, 1, 1),
    (2020, 1, 24),
    (2020, 1, 27),
    (2020, 4, 15),
    (2020, 4, 30),
    (2020, 5, 1),
    (2020, 5, 5),
    (2020, 8, 17),
    (2020, 9, 30),
    (2020, 10, 1),
    (2020, 10, 2),
    (2020, 10, 9),
    (2020, 12, 25),
    (2021, 1, 1),
    (2021, 2, 11),
    (2021, 2, 12),
    (2021, 3, 1),
    (2021, 5, 5),
    (2021, 5, 19),
    (2020, 3, 1),
    (2020, 6, 6),
    (2020, 8, 15),
    (2020, 10, 3),
    (2021, 6, 6),
    (2021, 2, 13),
    (2020, 1, 25),
];

/// Year, month (1..=12) and day of the month of a day's index.
pub fn ymd(day: usize) -> (i32, usize, usize) {
    let (mut year, mut left) = (2020, day);
    let leap = |year: i32| year % 4 == 0;
    while left >= 365 + usize::from(leap(year)) {
        left -= 365 + usize::from(leap(year));
        year += 1;
    }
    let february = 28 + usize::from(leap(year));
    for (i, length) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate() {
        if left < length {
            return (year, i + 1, left + 1);
        }
        left -= length;
    }
    (year, 12, 31)
}

/// Day of the year, from 1.
pub fn day_of_year(day: usize) -> usize {
    if day < 366 { day + 1 } else { day - 365 }
}

/// Share of all items that falls on each day; the shares add up to 1.
pub fn shares() -> Vec<f64> {
    let mut shares: Vec<f64> = (0..DAYS).map(weight).collect();
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|s| *s /= total);
    shares
}

/// Day of the week, Monday = 0.
pub fn weekday(day: usize) -> usize {
    (day + FIRST_WEEKDAY) % 7
}

/// Whether a day is a public holiday.
pub fn holiday(day: usize) -> bool {
    HOLIDAYS.contains(&ymd(day))
}

fn weight(day: usize) -> f64 {
    let date = ymd(day);
    let holiday = if holiday(day) { 0.12 } else { 1.0 };
    let trend = 1.0 + 0.10 * day as f64 / DAYS as f64;
    // Trade fell in the spring of 2020.
    let slump = if date.0 == 2020 && (4..=5).contains(&date.1) { 0.90 } else { 1.0 };
    MONTH[date.1 - 1] * WEEKDAY[weekday(day)] * holiday * trend * slump
}

/// Number of items on each day: whole numbers that add up to `items`.
pub fn allocate(items: u64) -> Vec<u64> {
    let mut done = 0;
    let mut cumulative = 0.0;
    let shares = shares();
    let last = shares.len() - 1;
    let upto = |(i, s): (usize, &f64)| {
        cumulative += s;
        let until = if i == last { items } else { ((cumulative * items as f64).round() as u64).min(items) };
        let n = until - done;
        done = until;
        n
    };
    shares.iter().enumerate().map(upto).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_calendar_are_right() {
        assert_eq!(ymd(0), (2020, 1, 1));
        assert_eq!(ymd(59), (2020, 2, 29));
        assert_eq!(ymd(366), (2021, 1, 1));
        assert_eq!(ymd(DAYS - 1), (2021, 6, 30));
        assert_eq!((day_of_year(365), day_of_year(366)), (366, 1));
    }

    #[test]
    fn allocation_is_exact() {
        for items in [0, 1, 10, 547, 100_003] {
            assert_eq!(allocate(items).iter().sum::<u64>(), items);
        }
    }

    #[test]
    fn sundays_are_quiet() {
        let shares = shares();
        let sunday: f64 = shares.iter().skip(4).step_by(7).sum();
        assert!(sunday < 0.03, "{sunday}");
    }
}
