//! What goes in: the name that a table is to have, words of a path. What comes out: whether SQL can have it, and what
//! percent signs of a path stand for.

use crate::{Error, Result};

/// The longest name.
const LETTERS: usize = 64;

/// Fails where SQL could not write the name plainly.
pub fn check(name: &str) -> Result<()> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if (1..=LETTERS).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(|l: char| l.is_ascii_digit())
    {
        return Ok(());
    }
    let reason = format!(
        "a name has small letters a to z, digits and _, does not begin with a digit, {LETTERS} letters at most"
    );
    Err(Error::CannotMake { table: name.to_owned(), reason })
}

/// A name that is none of SQL's business, made of any text.
pub(super) fn plain(text: &str) -> String {
    let letters = text.chars().filter(|letter| letter.is_ascii_lowercase() || *letter == '_').take(LETTERS);
    let name: String = letters.collect();
    if name.is_empty() { "table".to_owned() } else { name }
}

/// `a%20b` -> `a b` (RFC 3986). `None` where what follows a percent sign is no byte, or the bytes are no text.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_stand_for_bytes() {
        assert_eq!(decoded("a%20b%2Fc").as_deref(), Some("a b/c"));
        assert_eq!(decoded("%EA%B4%80").as_deref(), Some("관"));
        assert_eq!([decoded("%"), decoded("%2"), decoded("%zz"), decoded("%ff")], [None, None, None, None]);
    }

    #[test]
    fn names_are_plain() {
        assert!(check("trade_2026").is_ok());
        for name in ["", "2026", "Trade", "a b", "a\"b", "a@3", &"a".repeat(65)] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
