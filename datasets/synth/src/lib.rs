//! What goes in: a seed and a number of items. What comes out: a whole small customs administration as Parquet files:
//! `tables/` to be served, and `truth/`, which says where the fraud is and who stands behind it.
//!
//! Same seed and size, same bytes, on any number of threads: each day has its own stream of draws.
//!
//! ```no_run
//! let out = "data/demo".into();
//! let options = haetae_synth::Options { seed: 7, items: 100_000, out, ..haetae_synth::Options::default() };
//! let summary = haetae_synth::generate(&options, &|_| {})?;
//! println!("{} of {} lines are fraud", summary.frauds, summary.items);
//! # Ok::<(), haetae_synth::SynthError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod calendar;
mod columns;
mod companies;
mod defects;
mod dims;
mod error;
mod fraud;
mod goods;
mod importers;
mod inspections;
mod inventors;
mod items;
mod making;
mod mirror;
mod names;
mod reference;
mod rng;
mod rows;
mod star;
mod tariff;
mod truth;
mod world;
mod write;

use std::path::PathBuf;

pub use crate::error::SynthError;
use crate::making::Made;
use crate::rows::Ids;
use crate::star::Star;
use crate::world::World;
use crate::write::Output;

/// The most items of one data set: a day's declarations have six digits to be told apart.
pub const MOST_ITEMS: u64 = 200_000_000;

/// What to make.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Seed of all draws.
    pub seed: u64,
    /// Number of declared lines, 1..=`MOST_ITEMS`.
    pub items: u64,
    /// The folder to make. It appears when it is complete.
    pub out: PathBuf,
    /// Share of the lines (and of the names of companies) in which a slip of data entry is planted,
    /// 0..=0.5; the rest of the data does not depend on it. `truth/defects.parquet` lists the slips.
    pub defects: f64,
    /// Whether to leave out the tables around the lines; those that are made are the same.
    pub core: bool,
    /// Whether to replace a data set that stands there.
    pub force: bool,
    /// Number of threads; 0: one for each core. It changes the speed only.
    pub threads: usize,
}

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Declared lines.
    pub items: u64,
    /// Inspected lines.
    pub inspected: u64,
    /// Inspected lines on which fraud was found.
    pub found: u64,
    /// Fraudulent lines, found or not.
    pub frauds: u64,
    /// Importers in the register.
    pub importers: u64,
    /// Slips of data entry that were planted.
    pub defects: u64,
    /// Rows of all served tables.
    pub rows: u64,
}

/// How far the making has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being made.
    pub doing: &'static str,
    /// Declared lines written.
    pub items: u64,
    /// Rows of served tables written.
    pub rows: u64,
}

/// Makes a data set; `progress` is told from time to time what is being made, and how much has been written.
///
/// # Errors
/// An output folder that must not be touched, a disk that refuses, no items or too many.
pub fn generate(options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Summary, SynthError> {
    if !(1..=MOST_ITEMS).contains(&options.items) {
        return Err(SynthError::Items { items: options.items, most: MOST_ITEMS });
    }
    if !(0.0..=0.5).contains(&options.defects) {
        return Err(SynthError::Defects { share: options.defects });
    }
    let threads = options.threads;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| SynthError::Threads { threads, reason: e.to_string() })?;
    let output = Output::prepare(&options.out, options.force)?;
    let mut world = World::new(options.seed, options.items)?;
    world.plant(options.defects, options.items);
    let ids = Ids::new(&world);
    let star = (!options.core).then(|| Star::new(&world, options.items));
    let made = Made { world: &world, ids: &ids, star: star.as_ref(), output: &output };
    progress(Progress { doing: "registers", items: 0, rows: 0 });
    let mut rows = 0;
    made.registers(&mut rows)?;
    let mut summary = making::days(options, &made, &pool, &|items, more| {
        progress(Progress { doing: "declarations", items, rows: rows + more });
    })?;
    summary.rows += rows;
    summary.importers = world.companies.importers.len() as u64;
    output.commit()?;
    Ok(summary)
}
