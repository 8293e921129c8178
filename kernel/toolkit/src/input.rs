//! Questions to the analyst: a prompt in, the typed line out.

use crate::{Result, cell};

/// Asks for a line of text in a field below the cell, and waits for it.
///
/// # Errors
/// [`crate::Error::Input`] where nobody can be asked: in a run without an analyst (`nbconvert`, tests),
/// outside of a notebook, or when the cell is stopped.
pub fn input(prompt: &str) -> Result<String> {
    cell::ask(prompt, false)
}

/// As [`input`], for what nobody should read over the analyst's shoulder; it is not stored in the notebook.
///
/// # Errors
/// As [`input`].
pub fn password(prompt: &str) -> Result<String> {
    cell::ask(prompt, true)
}
