//! What goes in: a user's name and role, and a password. What comes out: the user in a policy file.

use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use haetae_flight_server::policy::{Policy, hash_password};
use haetae_flight_server::replace_file;

/// What `user` is told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a user; the password is read from the terminal or standard input
    Add {
        /// The policy file
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The role, which the file has already
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// What `$NAME` in the role's filters is for this user
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = pair)]
        attributes: Vec<(String, String)>,
        /// The user's name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// Adds the user. The file is as before unless the new one is right.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let What::Add { policy: file, role, attributes, name } = &options.what;
    let text = fs::read_to_string(file).map_err(|error| anyhow!("cannot read {}: {error}", file.display()))?;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let header = format!("[users.{}]", quoted(name));
    if [header.as_str(), &format!("[users.{name}]")]
        .iter()
        .any(|header| text.lines().any(|line| line.trim() == *header))
    {
        bail!(
            "{} has a user {name} already; to change the password, put a new hash there (`haetae-server policy hash`)",
            file.display()
        );
    }
    let hash = hash_password(&ask_password()?)?;
    let pairs: Vec<String> =
        attributes.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect();
    let attributes =
        if pairs.is_empty() { String::new() } else { format!("attributes = {{ {} }}\n", pairs.join(", ")) };
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let text = format!("{text}{end}\n{header}\nrole = {}\npassword = {}\n{attributes}", quoted(role), quoted(&hash));
    let policy = Policy::parse(file, &text)?;
    let written = fs::metadata(file).and_then(|meta| replace_file(file, text.as_bytes(), meta.mode() & 0o777));
    written.map_err(|error| anyhow!("cannot write {}: {error}", file.display()))?;
    println!("{name} can log in as {role}; the policy is at version {}", policy.version);
    Ok(())
}

/// A password, not shown while it is typed. Where standard input is no terminal: its first line.
pub fn ask_password() -> anyhow::Result<String> {
    let shown = io::stdin().is_terminal();
    if shown {
        eprint!("password: ");
        echo(false);
    }
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if shown {
        echo(true);
        eprintln!();
    }
    read.map_err(|error| anyhow!("cannot read the password: {error}"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn echo(on: bool) {
    // Without stty the password is seen while it is typed; that is no reason to refuse it.
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).status();
}
