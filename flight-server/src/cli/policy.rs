//! What goes in: a policy file, or a password. What comes out: what is wrong with the file, or a hash.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use haetae_flight_server::policy::{Policy, hash_password};

use super::user::ask_password;

/// What `policy` is told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check a policy file as the server does, and name all that is wrong with it
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Read a password from the terminal or standard input, and print its argon2id hash
    Hash,
}

/// Checks or hashes.
pub fn run(options: &Options) -> anyhow::Result<()> {
    match &options.what {
        What::Check { file } => {
            let policy = Policy::read(file)?;
            for warning in policy.warnings() {
                eprintln!("warning: line {}: {}", warning.line, warning.what);
            }
            let (users, roles) = policy.size();
            println!("{}: {users} users, {roles} roles, version {}", file.display(), policy.version);
        }
        What::Hash => println!("{}", hash_password(&ask_password()?)?),
    }
    Ok(())
}
