//! A check to the text that stands in a cell, and back.
//!
//! The seal keeps a solution from being read by accident, as a folded page does. It is no secret: the key is
//! here. What counts for a certificate is graded by checks that a trainee's file does not hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::says::Language;

/// Where a check's queries want the trainee's number.
pub const TRAINEE: &str = "{trainee}";

/// What a right answer to an exercise is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Name of the exercise, and of the saved query that answers it.
    pub exercise: String,
    /// The query whose result is right; holds [`TRAINEE`].
    pub query: String,
    /// Columns that tell rows apart. Without any, rows are compared as they are, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// How the rows of an answer have to be ordered; empty where any order will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<Order>,
    /// Numbers that were rounded to so many decimals are right, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Typical wrong answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traps: Vec<Trap>,
    /// The language of the notebook that it stands in.
    #[serde(default, skip_serializing_if = "Language::is_english")]
    pub language: Language,
}

/// A column by which rows are ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its name.
    pub column: String,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// A typical wrong answer, and what is said to whoever gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trap {
    /// The query of the wrong answer; holds [`TRAINEE`].
    pub query: String,
    /// What is said.
    pub says: String,
}

/// A text that holds no check.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text of a cell was changed.
    #[error("the text of this check is damaged ({reason}); take the cell from a fresh copy of the exercise")]
    Damaged {
        /// At which step.
        reason: String,
    },
}

impl Check {
    /// The text for a cell.
    ///
    /// # Errors
    /// Never in practice: a check is plain data.
    pub fn seal(&self) -> Result<String, Error> {
        let plain = serde_json::to_vec(self).map_err(|error| Error::Damaged { reason: error.to_string() })?;
        let sum = checksum(&plain).to_le_bytes();
        Ok(STANDARD_NO_PAD.encode(fold(sum.into_iter().chain(plain))))
    }

    /// The check of such a text.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a single letter of it was changed.
    pub fn open(text: &str) -> Result<Self, Error> {
        let damaged = |reason: &str| Error::Damaged { reason: reason.to_owned() };
        let sealed = STANDARD_NO_PAD.decode(text.trim()).map_err(|_| damaged("a letter that is none of its own"))?;
        let plain = fold(sealed.into_iter());
        let (sum, plain) = plain.split_at_checked(4).ok_or_else(|| damaged("too short"))?;
        if sum != checksum(plain).to_le_bytes() {
            return Err(damaged("its sum does not fit"));
        }
        serde_json::from_slice(plain).map_err(|error| Error::Damaged { reason: error.to_string() })
    }
}

/// Its own inverse.
fn fold(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut state: u32 = 0x9E37_79B9;
    let next = |byte: u8| {
        // Numerical Recipes' linear congruential generator; its upper bits are the better ones.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        byte ^ (state >> 24) as u8
    };
    bytes.map(next).collect()
}

/// FNV-1a, 32 bits.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
