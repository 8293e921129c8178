//! Work on as many threads as asked for.

use crate::{Error, Result};

/// Runs `work` on a pool of so many threads; on the common one where none are asked for.
pub(crate) fn with_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T> {
    let Some(threads) = threads else { return Ok(work()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Threads { threads, reason: error.to_string() })?;
    Ok(pool.install(work))
}
