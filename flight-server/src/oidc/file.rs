//! What goes in: the path of a file that the policy names. What comes out: what stands in it.

use std::io::Read as _;
use std::path::Path;

use super::fetch::ANSWER_BYTES;
use crate::files::open_guarded;

/// Fails where others than its owner can write the file: whoever puts a key there can sign tokens for anybody.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |reason: String| format!("cannot use {}: {reason}", path.display());
    let file = open_guarded(path).map_err(wrong)?;
    let mut text = Vec::new();
    // One byte more tells that there is more.
    file.take(ANSWER_BYTES as u64 + 1).read_to_end(&mut text).map_err(|error| wrong(error.to_string()))?;
    if text.len() > ANSWER_BYTES {
        return Err(wrong(format!("it has more than {ANSWER_BYTES} bytes")));
    }
    Ok(text)
}
