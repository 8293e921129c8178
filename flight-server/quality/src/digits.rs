//! What goes in: an SQL expression for a number with a check digit. What comes out: SQL that is true
//! where the digit is right. No text makes it fail: digits are looked up and not cast.

/// A rule by which the last digit follows from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Korean business registration number: ten digits, also written 000-00-00000
    /// (weights 1 3 7 1 3 7 1 3 5; of the last product the tens count too).
    KrBusinessNumber,
    /// Container number, ISO 6346: three letters of the owner, U, J or Z, six digits, check digit.
    Iso6346,
    /// IMO ship number: seven digits, also with IMO before them.
    Imo,
}

/// Values of letters and digits in ISO 6346: the place in this text. Multiples of 11 are left out.
const ISO6346: &str = "0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ";
const DIGITS: &str = "0123456789";

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 3] = [Self::KrBusinessNumber, Self::Iso6346, Self::Imo];

    /// The name in rule files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KrBusinessNumber => "kr_business_number",
            Self::Iso6346 => "iso6346",
            Self::Imo => "imo",
        }
    }

    /// What is expected, for messages.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::KrBusinessNumber => "a Korean business registration number with a right check digit",
            Self::Iso6346 => "a container number of ISO 6346 with a right check digit",
            Self::Imo => "an IMO ship number with a right check digit",
        }
    }

    /// True where `text` is such a number with a right check digit; null where it is null.
    pub fn sql(self, text: &str) -> String {
        let compact = format!("upper(translate({text}, ' -', ''))");
        match self {
            Self::KrBusinessNumber => {
                let sum = sum(&compact, DIGITS, &[1, 3, 7, 1, 3, 7, 1, 3, 5]);
                let (ninth, last) = (value(&compact, DIGITS, 9), value(&compact, DIGITS, 10));
                let tens = format!("cast(floor({ninth} * 5 / 10.0) as int)");
                form(&compact, "[0-9]{10}", &format!("(10 - ({sum} + {tens}) % 10) % 10 = {last}"))
            }
            Self::Iso6346 => {
                let sum = sum(&compact, ISO6346, &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
                let last = value(&compact, DIGITS, 11);
                form(&compact, "[A-Z]{3}[UJZ][0-9]{7}", &format!("{sum} % 11 % 10 = {last}"))
            }
            Self::Imo => {
                let number = format!("replace({compact}, 'IMO', '')");
                let sum = sum(&number, DIGITS, &[7, 6, 5, 4, 3, 2]);
                let last = value(&number, DIGITS, 7);
                form(&number, "[0-9]{7}", &format!("{sum} % 10 = {last}"))
            }
        }
    }
}

fn form(text: &str, pattern: &str, holds: &str) -> String {
    format!("(regexp_like({text}, '^{pattern}$') and {holds})")
}

/// What the character at a place, from 1, stands for; -1 where the alphabet does not have it.
fn value(text: &str, alphabet: &str, place: usize) -> String {
    format!("(strpos('{alphabet}', substr({text}, {place}, 1)) - 1)")
}

fn sum(text: &str, alphabet: &str, weights: &[u32]) -> String {
    let products =
        weights.iter().zip(1..).map(|(weight, place)| format!("{} * {weight}", value(text, alphabet, place)));
    format!("({})", products.collect::<Vec<_>>().join(" + "))
}
