//! What goes in: words of the command line. What comes out: options, and help for who needs it.

pub mod ingest;
pub mod serve;

use clap::{Parser, Subcommand};

/// The customs data warehouse: load files into it, and answer SQL over Arrow Flight.
///
/// A warehouse is a directory. `ingest` loads CSV and Parquet files into its tables; `serve` lets
/// notebooks and any other Flight SQL client (ADBC, JDBC, pyarrow) query them. Both can run at the
/// same time: queries see a load when it is complete.
#[derive(Debug, Parser)]
#[command(name = "haetae-server", version, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The things that the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load CSV or Parquet files into a table
    ///
    /// All files of one call are loaded together: queries see all of their rows or none, also when
    /// the program is killed or the power fails. A row that breaks a rule does not stop the load; it
    /// goes to the table `rejects` of the same schema, with file, line number and reason. A file that
    /// was loaded before is skipped.
    Ingest(ingest::Options),
    /// Answer SQL over Arrow Flight
    ///
    /// Prints `listening on ADDRESS` when it is ready. The user is `haetae`; the password stands in
    /// the file server.secret in the warehouse directory, which only its owner can read. SQL can read
    /// everything and change nothing. SIGTERM and Ctrl-C end the server when running queries have
    /// finished, at the latest after --drain-seconds.
    Serve(serve::Options),
}
