//! What goes in: a warehouse. What comes out: whether its audit is whole.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use haetae_flight_server::audit::verify;
use haetae_flight_server::audit_key;

/// What `audit` is told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Find lines that were changed, left out, moved or cut off
    ///
    /// Prints the number and the hash of the last record. Whoever writes them down elsewhere can tell
    /// later whether anything before them was changed, even by somebody who has the server's key.
    Verify {
        /// Directory of the warehouse
        #[arg(long, value_name = "DIR")]
        warehouse: PathBuf,
    },
}

/// Verifies; fails when the audit is not whole.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let What::Verify { warehouse } = &options.what;
    let found = verify(warehouse, &audit_key(warehouse)?)?;
    for fault in &found.faults {
        println!("{fault}");
    }
    if !found.faults.is_empty() {
        bail!("the audit is not whole: {} faults", found.faults.len());
    }
    println!("{} records, whole; the last has the hash {}", found.records, found.hash);
    Ok(())
}
