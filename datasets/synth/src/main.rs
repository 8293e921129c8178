//! What goes in: the command line. What comes out: a data set, and on stdout what it holds.

mod progress;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use haetae_synth::{Options, generate};

/// Makes a whole small customs administration as Parquet files, with fraud planted in it.
#[derive(Debug, Parser)]
#[command(name = "haetae-synth", version, about)]
struct Arguments {
    /// Seed: the same seed and number of items give the same bytes.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Number of declared lines: 1 to 200000000.
    #[arg(long, default_value_t = 100_000, allow_negative_numbers = true)]
    items: u64,
    /// Folder to make; DIR/tables is to be served, DIR/truth says where the fraud is.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Share of the lines, and of the names of companies, in which a slip of data entry is planted, 0 to 0.5;
    /// DIR/truth/defects.parquet lists the slips.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", allow_negative_numbers = true)]
    defects: f64,
    /// Leave out the tables around the declared lines: headers, taxes, payments, audits, documents, persons. The others
    /// are the same without them.
    #[arg(long)]
    core: bool,
    /// Replace a data set that stands in DIR.
    #[arg(long)]
    force: bool,
    /// Number of threads, 0 for one each core; the output does not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> Result<()> {
    let Arguments { seed, items, out, defects, core, force, threads } = Arguments::parse();
    let options = Options { seed, items, out, defects, core, force, threads };
    let progress = progress::Progress::start(items);
    let made = generate(&options, &|done| progress.show(done));
    progress.end();
    let s = made?;
    println!(
        "{}: {} items by {} importers; {} inspected, {} of them found to be fraud; {} frauds in truth",
        options.out.display(),
        s.items,
        s.importers,
        s.inspected,
        s.found,
        s.frauds
    );
    println!("{} rows in all tables of {}/tables", s.rows, options.out.display());
    if s.defects > 0 {
        println!("{} slips of data entry planted: {}/truth/defects.parquet", s.defects, options.out.display());
    }
    Ok(())
}
