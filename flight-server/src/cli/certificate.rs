//! What goes in: names of a host. What comes out: a certificate for them, and its key.

use std::path::PathBuf;

use clap::Args;
use haetae_flight_server::make_certificate;

/// What `certificate` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  haetae-server certificate --out tls analytics.customs.example 10.0.0.5")]
pub struct Options {
    /// An existing folder for server.crt and server.pem
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Names and addresses that clients reach the server by
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

/// Makes the pair.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let made = make_certificate(&options.out, &options.names)?;
    println!(
        "made {} for clients to trust, and its key {}; both are good for a year",
        made.certificate.display(),
        made.key.display()
    );
    Ok(())
}
