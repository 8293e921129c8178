//! `haetae-kernel`: the Jupyter kernel of the workbench. `run` serves one notebook, `install`
//! stages the toolkit and writes the kernelspec, `doctor` says what is missing.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod catalogue;
mod compiler;
mod complete;
mod crates;
mod doctor;
mod evaluator;
mod history;
mod index;
mod inference;
mod install;
mod keep;
mod magics;
mod outcome;
mod output;
mod panics;
mod plot;
mod processes;
mod protocol;
mod rows;
mod session;
mod settings;
mod sql;
mod syntax;
mod toolkit;
mod warnings;
mod worker;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

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
        #[command(flatten)]
        place: Place,
        /// What `cargo build --workspace --message-format=json` printed [default: what `make build` kept]
        #[arg(long)]
        artifacts: Option<PathBuf>,
    },
    /// Remove what `install` has put there.
    Uninstall {
        #[command(flatten)]
        place: Place,
    },
    /// Say what is missing for the kernel to work, and how to mend it.
    Doctor,
}

/// Where Jupyter finds the kernel.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// A Python environment, for instance `.venv`.
    #[arg(long, alias = "sys-prefix")]
    prefix: Option<PathBuf>,
    /// The user's own folder, for every Jupyter of this user.
    #[arg(long)]
    user: bool,
}

impl Place {
    fn folder(&self) -> Result<PathBuf> {
        match &self.prefix {
            Some(prefix) => Ok(prefix.clone()),
            None => {
                let home = std::env::var_os("HOME").context("HOME is not set; name a folder with --prefix")?;
                Ok(PathBuf::from(home).join(".local"))
            }
        }
    }
}

fn main() -> Result<ExitCode> {
    if let Some(done) = compiler::called() {
        return Ok(done);
    }
    if std::env::var_os(worker::IS_WORKER).is_some() {
        worker::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    match Arguments::parse().command {
        Action::Run { connection_file } => run(&connection_file),
        Action::Install { place, artifacts } => install::install(&place.folder()?, artifacts.as_deref()),
        Action::Uninstall { place } => install::uninstall(&place.folder()?),
        Action::Doctor => doctor::examine(),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn run(connection_file: &std::path::Path) -> Result<()> {
    let text = std::fs::read_to_string(connection_file)
        .with_context(|| format!("cannot read the connection file {}", connection_file.display()))?;
    let connection = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a connection file", connection_file.display()))?;
    let folder = tempfile::Builder::new().prefix("haetae-kernel-").tempdir()?;
    let no_sources = folder.path().join("no-sources");
    std::fs::create_dir_all(no_sources.join("core"))?;
    let path = compiler::stage(&folder.path().join("tools"))?;
    // SAFETY: no other thread has been started yet. Each kernel compiles in a folder of its own
    // and takes no settings from a stand-alone evcxr. evcxr's analyzer, which is asked for types that
    // the kernel has written into the cell, need not read the standard library's sources for that.
    unsafe {
        std::env::set_var(compiler::PATH_VARIABLE, std::env::var_os("PATH").unwrap_or_default());
        std::env::set_var("PATH", path);
        std::env::set_var("RUST_SRC_PATH", &no_sources);
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
