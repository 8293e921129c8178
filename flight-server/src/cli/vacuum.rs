//! What goes in: a warehouse with old versions. What comes out: room on the disk.

use std::path::PathBuf;

use clap::Args;
use haetae_warehouse::store::{Retention, Store, parse_time, vacuum};

/// What `vacuum` is told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server vacuum --warehouse wh                           only files that no version mentions\n  \
    haetae-server vacuum --warehouse wh --keep-versions 3\n  \
    haetae-server vacuum --warehouse wh --before 2026-03-01 --keep-versions 10\n\n\
    With both limits a version goes when both let it go. The newest version stays, and so does one that is being read.")]
pub struct Options {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// How many versions stay
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    keep_versions: Option<u64>,
    /// Every version stays that was the newest at this time or later (2026-03-01, or
    /// 2026-03-01T09:30:00Z; UTC unless a zone is given)
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
}

/// Removes old versions and prints what was done.
pub fn run(options: &Options) -> Result<(), haetae_warehouse::Error> {
    let before_ms = options.before.as_deref().map(parse_time).transpose()?;
    let store = Store::open(&options.warehouse)?;
    let done = vacuum(&store, &Retention { versions: options.keep_versions, before_ms })?;
    let numbers = |versions: &[u64]| versions.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    if !done.versions.is_empty() {
        println!("removed the versions {}", numbers(&done.versions));
    }
    if !done.in_use.is_empty() {
        println!("kept the versions {}, which are being read", numbers(&done.in_use));
    }
    println!("removed {} data files, {} bytes", done.files, done.bytes);
    Ok(())
}
