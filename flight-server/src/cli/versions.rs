//! What goes in: a warehouse. What comes out: its versions, one a line.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use haetae_warehouse::store::{Kind, Operation, Store, Version, time_text};

/// What `versions` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  haetae-server versions --warehouse wh")]
pub struct Options {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
}

/// Prints the list.
pub fn run(options: &Options) -> Result<(), haetae_warehouse::Error> {
    print!("{}", table(&Store::open(&options.warehouse)?.versions()?));
    Ok(())
}

fn table(versions: &[Version]) -> String {
    let mut text = format!("{:>7}  {:24}  {:4}  what was done\n", "version", "committed (UTC)", "kept");
    for Version { commit, kept } in versions {
        let done: Vec<String> = commit.operations.iter().map(words).collect();
        let key = commit.key.as_ref().map_or(String::new(), |key| format!(" [key {}]", key.name));
        let kept = if *kept { "yes" } else { "no" };
        let time = time_text(commit.time_ms);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:>7}  {time:24}  {kept:4}  {}{key}", commit.version, done.join("; "));
    }
    text
}

fn words(done: &Operation) -> String {
    let mut text = format!("{} {}.{}", done.kind, done.schema, done.table);
    let added = if done.kind == Kind::Delete { 0 } else { done.accepted };
    for (sign, rows, what) in [("+", added, "rows"), ("-", done.removed, "rows"), ("", done.rejected, "refused")] {
        if rows > 0 {
            let _ = write!(text, ", {sign}{rows} {what}");
        }
    }
    text
}
