//! What goes in: a warehouse. What comes out: a server, until it is told to end.

use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use haetae_flight_server::{Bounds, Certificate, Error, ServeOptions, Server};
use haetae_warehouse::query::EngineOptions;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::machine;

/// What `serve` is told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server serve --warehouse wh\n  \
    haetae-server serve --warehouse wh --listen 127.0.0.1:0 --memory-mib 8192\n  \
    haetae-server serve --warehouse wh --policy policy.toml --listen 0.0.0.0:50051 \\\n    \
      --tls-cert server.crt --tls-key server.pem")]
pub struct Options {
    /// Address and port; port 0 takes any free port. Without a certificate, loopback addresses only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// Directory of the warehouse; it is created where it does not exist
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Who may log in and what they may see [default: policy.toml in the warehouse, where there is one]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Certificate for TLS in PEM form; clients must use TLS then
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Those who sign certificates of clients, in PEM form: users of the policy log in with theirs
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
    /// Memory for the sorts, joins and aggregates of all queries together, in MiB; beyond it they
    /// use temporary files
    #[arg(long, value_name = "MIB", default_value = "2048")]
    memory_mib: NonZero<usize>,
    /// The part of it that one query may have, in MiB [default: three quarters]
    #[arg(long, value_name = "MIB")]
    query_memory_mib: Option<NonZero<usize>>,
    /// Memory for columns of files that are kept decoded, in MiB; 0 keeps none. Queries come first: with what they use it is
    /// never more than the larger of this and --memory-mib [default: a quarter of the machine's memory]
    #[arg(long, value_name = "MIB")]
    columns_mib: Option<usize>,
    /// The most that the temporary files of all queries together may take, in MiB
    #[arg(long, value_name = "MIB", default_value = "32768")]
    spill_mib: NonZero<u64>,
    /// How many queries of the interactive class run at a time; others wait for their turn
    #[arg(long, value_name = "NUMBER", default_value = "16")]
    queries: NonZero<usize>,
    /// How many queries of the bulk class run at a time
    #[arg(long, value_name = "NUMBER", default_value = "2")]
    bulk_queries: NonZero<usize>,
    /// How many queries of each class may wait; more are refused
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    queue: usize,
    /// How long a query may wait for its turn
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    queue_seconds: u64,
    /// How long a result waits for a client that reads nothing; then the query ends
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    unread_seconds: NonZero<u64>,
    /// Show metrics for Prometheus at this loopback address, path /metrics; no login is needed
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Write a line of JSON to standard error for each statement that ends, without its values
    #[arg(long)]
    log_statements: bool,
    /// How long a query may run [default: for ever]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    query_seconds: Option<u64>,
    /// How long running queries may go on after the signal to end
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain_seconds: u64,
}

/// Serves until SIGTERM or SIGINT.
pub fn run(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::System)?;
    let served = runtime.block_on(serve(options));
    // A query that is deep in a computation is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Why the server did not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server says why.
    #[error(transparent)]
    Server(#[from] Error),
    /// The system refused something that the server cannot do without.
    #[error("cannot start: {0}")]
    System(io::Error),
}

async fn serve(options: &Options) -> Result<(), Failure> {
    let memory_bytes = bytes(options.memory_mib);
    let engine = EngineOptions {
        memory_bytes,
        // So that one query alone does not take the memory of all.
        query_memory_bytes: Some(options.query_memory_mib.map_or(memory_bytes - memory_bytes / 4, bytes)),
        columns_bytes: options.columns_mib.map_or_else(|| machine::memory() / 4, |mib| mib.saturating_mul(1 << 20)),
        spill_bytes: options.spill_mib.get().saturating_mul(1 << 20),
        ..EngineOptions::default()
    };
    let bounds = Bounds {
        interactive: options.queries,
        bulk: options.bulk_queries,
        waiting: options.queue,
        patience: Duration::from_secs(options.queue_seconds),
        unread: Duration::from_secs(options.unread_seconds.get()),
    };
    let drain = Duration::from_secs(options.drain_seconds);
    let pair = options.tls_cert.clone().zip(options.tls_key.clone());
    let certificate =
        pair.map(|(certificate, key)| Certificate { certificate, key, clients: options.client_ca.clone() });
    let (listen, policy) = (options.listen, options.policy.clone());
    let query_life = options.query_seconds.map(Duration::from_secs);
    let (metrics, log) = (options.metrics, options.log_statements);
    let serve = ServeOptions { listen, policy, certificate, engine, query_life, bounds, metrics, log, drain };
    let server = Server::bind(&options.warehouse, &serve).await?;
    // Before the address is printed: from then on a signal is expected to end the server in order.
    let ended = told_to_end().map_err(Failure::System)?;
    let mut out = io::stdout();
    writeln!(out, "listening on {}", server.address()).map_err(Failure::System)?;
    if let Some(address) = server.metrics_address() {
        writeln!(out, "metrics at http://{address}/metrics").map_err(Failure::System)?;
    }
    out.flush().map_err(Failure::System)?;
    Ok(server.run(ended).await?)
}

fn bytes(mib: NonZero<usize>) -> usize {
    mib.get().saturating_mul(1 << 20)
}

fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut terminate: Signal = signal(SignalKind::terminate())?;
    let mut interrupt: Signal = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
