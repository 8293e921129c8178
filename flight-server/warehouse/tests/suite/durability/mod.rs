//! What survives a kill, a power cut, a full disk: every acknowledged row, once.
//!
//! `HAETAE_CRASH_ROUNDS` (1 unless set) says how many workloads are tried; `make crash-test` sets it.

mod disks;
mod errors;
mod kills;
mod power;
mod workload;

pub use disks::quiet;

/// How many workloads are tried.
fn rounds() -> u64 {
    std::env::var("HAETAE_CRASH_ROUNDS").map_or(1, |text| text.parse().unwrap())
}
