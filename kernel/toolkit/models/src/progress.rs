//! Steps of a fit -> said to whoever shows them, and an end where the stop button asks for one.

use crate::{Error, Result};
use haetae_display::{stop, work};

/// Called before each step.
pub(crate) fn step(what: &'static str, done: usize, of: usize) -> Result<()> {
    work::say(what, done, of);
    if stop::requested() { Err(Error::Cancelled { what, done, of }) } else { Ok(()) }
}
