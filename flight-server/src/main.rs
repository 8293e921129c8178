//! `haetae-server`: what goes in is a command line, what comes out is a loaded warehouse or a
//! running server.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cli;

use std::process::ExitCode;

use clap::Parser;

use cli::{Arguments, Command};

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The messages carry their causes.
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Ingest(options) => cli::ingest::run(options)?,
        Command::Versions(options) => cli::versions::run(options)?,
        Command::Compact(options) => cli::compact::run(options)?,
        Command::Vacuum(options) => cli::vacuum::run(options)?,
        Command::Table(options) => cli::table::run(options)?,
        Command::Pipeline(options) => cli::pipeline::run(options)?,
        Command::Quality(options) => cli::quality::run(options)?,
        Command::Score(options) => cli::score::run(options)?,
        Command::Model(options) => cli::model::run(options)?,
        Command::Serve(options) => cli::serve::run(options)?,
        Command::Policy(options) => cli::policy::run(options)?,
        Command::User(options) => cli::user::run(options)?,
        Command::Audit(options) => cli::audit::run(options)?,
        Command::Certificate(options) => cli::certificate::run(options)?,
    }
    Ok(())
}
