//! `haetae-kernel`: the Jupyter kernel of the workbench. `run` serves one notebook, `install`
//! stages the toolkit and writes the kernelspec.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod complete;
mod evaluator;
mod inference;
mod install;
mod magics;
mod outcome;
mod output;
mod protocol;
mod session;
mod sql;
mod toolkit;
mod worker;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// A Jupyter kernel for Rust and SQL on the customs warehouse.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Serve one notebook; called by Jupyter.
    Run {
        /// The connection file that Jupyter wrote.
        #[arg(long)]
        connection_file: PathBuf,
    },
    /// Stage the toolkit and install the kernelspec `haetae`.
    Install {
        /// Environment to install into, for instance `.venv`.
        #[arg(long)]
        sys_prefix: PathBuf,
        /// What `cargo build --workspace --message-format=json` printed.
        #[arg(long)]
        artifacts: PathBuf,
    },
}

fn main() -> Result<()> {
    if std::env::var_os(worker::IS_WORKER).is_some() {
        return worker::run();
    }
    match Arguments::parse().command {
        Action::Run { connection_file } => run(&connection_file),
        Action::Install { sys_prefix, artifacts } => install::install(&sys_prefix, &artifacts),
    }
}

fn run(connection_file: &std::path::Path) -> Result<()> {
    let text = std::fs::read_to_string(connection_file)
        .with_context(|| format!("cannot read the connection file {}", connection_file.display()))?;
    let connection = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a connection file", connection_file.display()))?;
    let folder = tempfile::Builder::new().prefix("haetae-kernel-").tempdir()?;
    // SAFETY: no other thread has been started yet. Each kernel compiles in a folder of its own
    // and takes no settings from a stand-alone evcxr.
    unsafe {
        std::env::set_var("EVCXR_TMPDIR", folder.path().join("cells"));
        std::env::set_var("EVCXR_CONFIG_DIR", folder.path().join("no-config"));
    }
    std::fs::create_dir_all(folder.path().join("cells"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(session::serve(connection, folder.path()));
    // Waiting for a cell that still runs would keep the process; Jupyter has asked it to go.
    runtime.shutdown_background();
    result
}
