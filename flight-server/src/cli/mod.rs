//! What goes in: words of the command line. What comes out: options, and help for who needs it.

pub mod audit;
pub mod cases;
pub mod certificate;
pub mod compact;
pub mod ingest;
pub(crate) mod machine;
pub mod model;
pub mod pipeline;
pub mod policy;
pub mod quality;
pub mod queue;
pub mod retrain;
pub mod score;
pub mod serve;
pub mod table;
pub mod user;
pub mod vacuum;
pub mod versions;

use clap::{Parser, Subcommand};

/// The customs data warehouse: load files into it, and answer SQL over Arrow Flight.
///
/// A warehouse is a directory. `ingest` loads CSV, Parquet and Arrow files into its tables; `serve`
/// lets notebooks and any other Flight SQL client (ADBC, JDBC, pyarrow) query them. All commands can
/// run at the same time: queries see a change when it is complete.
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
    /// Load CSV, Parquet or Arrow files into a table, or change and delete rows by files
    ///
    /// All files of one call are loaded together: queries see all of their rows or none, also when
    /// the program is killed or the power fails. A row that breaks a rule does not stop the load; it
    /// goes to the table `rejects` of the same schema, with file, line number and reason. A file that
    /// was loaded before is skipped. When another process has changed the same table meanwhile, the
    /// call fails without having changed anything, and can be made again.
    Ingest(ingest::Options),
    /// List the versions of a warehouse: number, time, what was done
    Versions(versions::Options),
    /// Merge small files, so that queries open fewer
    ///
    /// The rows stay the same, and so do the old versions until `vacuum` removes them. Queries and
    /// loads go on meanwhile.
    Compact(compact::Options),
    /// Remove old versions, and files that no version mentions
    ///
    /// Queries and loads go on meanwhile; a version that is being read stays.
    Vacuum(vacuum::Options),
    /// Make tables known that lie elsewhere and are read where they are
    Table(table::Options),
    /// Load files by a declared pipeline: sources, SQL steps, checks, target
    Pipeline(pipeline::Options),
    /// Check the data by rules, show how good it is, and decide about what was found
    Quality(quality::Options),
    /// Score the items of a day, or companies, decide on lanes, and keep both in the schema `risk`
    ///
    /// What is scored, by which SQL, rules and quotas, stands in a definition file. A day is one commit; the same
    /// day by the same model and definition is scored once.
    Score(score::Options),
    /// Train, list, show, promote and compare the models that score
    Model(model::Options),
    /// Answer SQL over Arrow Flight
    ///
    /// Prints `listening on ADDRESS` when it is ready. Without a policy the user is `haetae`; the
    /// password stands in the file server.secret in the warehouse directory, which only its owner can
    /// read. With a policy each of its users sees what their role shows, and all that is read is
    /// written to the audit. Clients change what the policy lets them. SIGTERM and Ctrl-C end the server when running queries have
    /// finished, at the latest after --drain-seconds.
    Serve(serve::Options),
    /// Check a policy file, or hash a password for one
    Policy(policy::Options),
    /// Add a user to a policy file
    User(user::Options),
    /// Verify the audit of a warehouse
    Audit(audit::Options),
    /// Make a certificate for TLS that is signed by itself
    Certificate(certificate::Options),
}
