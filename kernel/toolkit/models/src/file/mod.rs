//! A model <-> the bytes of a file: one form for all of them.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the mark `HAETAE\r\n`, which a transfer as text would spoil |
//! | 4 | version of the form, 3 |
//! | 8 | length of the card; then the card, JSON in UTF-8 |
//! | 8 | length of the body; then the body, which only its kind can read |
//! | 32 | SHA-256 of all before |
//!
//! In earlier forms the bodies of some kinds were others: such a file says so, and its card can still be read. Those of the
//! other kinds are read as ever.
//!
//! Numbers have their lowest byte first. Whoever can write a file can also write its sum: it tells of damage, not of
//! forgery.

mod card;
mod kinds;
mod origin;

pub use card::ModelCard;
pub(crate) use haetae_features::codec::{In, Stored, Taken};
pub(crate) use haetae_features::stored;
pub use kinds::ModelFile;
pub(crate) use kinds::{About, Described};
pub(crate) use origin::Origin;

use crate::{Error, Result};
use sha2::{Digest, Sha256};

const MARK: &[u8; 8] = b"HAETAE\r\n";
const VERSION: u32 = 3;
/// Kinds whose body has changed, and the form that it has since.
const SINCE: [(&str, u32); 6] =
    [("CNN", 2), ("DATE", 3), ("FCNN", 2), ("logistic regression", 2), ("random forest", 2), ("recurrent net", 2)];
/// Bytes of the sum at the end.
const SUM: usize = 32;

fn fail<T>(reason: String) -> Result<T> {
    Err(Error::ModelFile { reason })
}

fn pack(card: &ModelCard, body: &[u8]) -> Vec<u8> {
    let card = card.to_json();
    let mut bytes = Vec::with_capacity(body.len() + card.len() + 64);
    bytes.extend_from_slice(MARK);
    VERSION.put(&mut bytes);
    card.put(&mut bytes);
    body.len().put(&mut bytes);
    bytes.extend_from_slice(body);
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The form, the card and the body of a file that is whole.
fn unpack(bytes: &[u8]) -> Result<(u32, ModelCard, &[u8])> {
    let Some(rest) = bytes.strip_prefix(MARK) else {
        let cut = MARK.starts_with(bytes);
        return fail(if cut { cut_off(bytes.len()) } else { "it does not begin as a model file does".to_owned() });
    };
    let mut rest = In(rest);
    let Ok(version) = u32::take(&mut rest) else { return fail(cut_off(bytes.len())) };
    match version {
        1..=VERSION => {}
        0 => return fail("it has form 0, which there is not: it was not written by Haetae".to_owned()),
        _ => {
            return fail(format!(
                "it has form {version}, and this version of Haetae reads forms up to {VERSION}; update Haetae"
            ));
        }
    }
    let (Some(card), Some(body)) = (part(&mut rest), part(&mut rest)) else { return fail(cut_off(bytes.len())) };
    match rest.0.len().checked_sub(SUM) {
        None => return fail(cut_off(bytes.len())),
        Some(0) => {}
        Some(more) => return fail(format!("it has {more} bytes more than a model file of its kind")),
    }
    if Sha256::digest(&bytes[..bytes.len() - SUM]).as_slice() != rest.0 {
        return fail("its sum does not fit: a byte has changed since it was written; take another copy".to_owned());
    }
    match ModelCard::from_json(card) {
        Some(card) => Ok((version, card, body)),
        None => fail("its card cannot be read, though its sum fits: it was not written by Haetae".to_owned()),
    }
}

fn cut_off(bytes: usize) -> String {
    format!("it is cut off after {bytes} bytes; take another copy")
}

/// Bytes behind their number.
fn part<'a>(rest: &mut In<'a>) -> Option<&'a [u8]> {
    let length = usize::take(rest).ok()?;
    let (part, behind) = rest.0.split_at_checked(length)?;
    rest.0 = behind;
    Some(part)
}

impl ModelCard {
    /// The card of a model file, whatever its kind; the whole file is checked.
    ///
    /// # Errors
    /// [`Error::ModelFile`] where it is no model file, of a newer form, cut off or damaged.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        unpack(bytes).map(|(_, card, _)| card)
    }
}
