//! What goes in: nothing. What comes out: bytes that nobody can guess.

use std::fs::File;
use std::io::Read;

use crate::{Error, Result};

/// Random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut source = File::open("/dev/urandom").map_err(|source| Error::Random { source })?;
    source.read_exact(&mut bytes).map_err(|source| Error::Random { source })?;
    Ok(bytes)
}
