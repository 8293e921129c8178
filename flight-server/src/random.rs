//! What goes in: nothing. What comes out: bytes and names that nobody can guess.

use std::fs::File;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, Result};

/// Random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut source = File::open("/dev/urandom").map_err(|source| Error::Random { source })?;
    source.read_exact(&mut bytes).map_err(|source| Error::Random { source })?;
    Ok(bytes)
}

/// A name that nobody can guess: sixteen letters of base 64.
pub(crate) fn id() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<12>()?))
}
