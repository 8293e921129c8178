//! What goes in: a warehouse directory, an address, a policy. What comes out: a Flight SQL server.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use haetae_warehouse::query::policy::MaskKey;
use haetae_warehouse::query::{Engine, EngineOptions};
use haetae_warehouse::store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::server::NamedService as _;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

use crate::audit::{self, Audit};
use crate::auth::{Auth, Users, system_clock};
use crate::bounds::Bounds;
use crate::lingering::Lingering;
use crate::metrics::{self, Metrics};
use crate::policy::{self, Kept, Policies};
use crate::revoked::Revoked;
use crate::running::{Aborted, Counted};
use crate::runs::Runs;
use crate::secret::{self, Key};
use crate::service::Service;
use crate::statements::Statements;
use crate::wire::Wire;
use crate::{Certificate, Error, Result, load_or_create_secret};

/// Tokens that have been ended before their time, below the warehouse directory.
const ENDED_TOKENS: &str = "server.tokens";

/// What a client may send in one message: SQL, tickets, parameter values.
pub(crate) const REQUEST_BYTES: usize = 16 << 20;

/// The default window of 64 KiB would make a sender of parameter values wait for each.
const STREAM_WINDOW: u32 = 8 << 20;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where to listen; without a certificate a loopback address. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The policy; `None` = `policy.toml` in the warehouse directory where there is one, otherwise
    /// one user who sees everything.
    pub policy: Option<PathBuf>,
    /// With a certificate, clients must use TLS.
    pub certificate: Option<Certificate>,
    /// How much of the machine queries may use.
    pub engine: EngineOptions,
    /// How long a query may run; `None` = for ever.
    pub query_life: Option<Duration>,
    /// How many queries run and wait.
    pub bounds: Bounds,
    /// Where metrics are shown, without a login: a loopback address; `None` = nowhere.
    pub metrics: Option<SocketAddr>,
    /// Whether each statement that ends is written to standard error, as a line of JSON.
    pub log: bool,
    /// How long running results may go on after the signal to end.
    pub drain: Duration,
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    metrics: Option<TcpListener>,
    service: Arc<Service>,
    builder: tonic::transport::Server,
    drain: Duration,
}

impl Server {
    /// Opens the warehouse in `root` (a new one where there is none), its password file or policy and
    /// audit, and the port. Fails when one of them cannot be used, or when the address is not a
    /// loopback address and there is no certificate.
    pub async fn bind(root: impl Into<PathBuf>, options: &ServeOptions) -> Result<Self> {
        let asked = options.listen;
        if !asked.ip().is_loopback() && options.certificate.is_none() {
            return Err(Error::NotLoopback { address: asked });
        }
        let mut builder = tonic::transport::Server::builder();
        if let Some(certificate) = &options.certificate {
            builder = certificate.used_by(builder)?;
        }
        if let Some(address) = options.metrics.filter(|address| !address.ip().is_loopback()) {
            return Err(Error::MetricsNotLoopback { address });
        }
        let store = Store::open(root)?;
        let runs = Runs::new(system_clock(), Arc::new(Metrics::default()), options.log);
        let (auth, audit) = gate(store.root(), options.policy.as_deref(), &runs)?;
        let models = Arc::new(haetae_scoring::Served::new(store.clone()));
        let engine = Engine::new(store, &options.engine)?.with_models(models).with_system(vec![runs.table(None)]);
        let statements = Statements::new(engine)?;
        // A warehouse that cannot be read is told to who starts the server, not to its clients.
        statements.check()?;
        let service = Arc::new(Service::new(auth, statements, audit, options.query_life, runs, &options.bounds));
        let listen_failed = |source| Error::Listen { address: asked, source };
        let listener = TcpListener::bind(asked).await.map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;
        let metrics = match options.metrics {
            Some(asked) => {
                let listener = TcpListener::bind(asked).await;
                Some(listener.map_err(|source| Error::Listen { address: asked, source })?)
            }
            None => None,
        };
        Ok(Self { listener, address, metrics, service, builder, drain: options.drain })
    }

    /// The address with the port that was taken. Clients can connect from now on; they are answered
    /// once [`run`](Self::run) is polled.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address that shows metrics, with the port that was taken; `None` where none was asked for.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// How many connections are open, now and whenever that changes.
    pub fn connections(&self) -> watch::Receiver<usize> {
        self.service.connections().subscribe()
    }

    /// How many results are being sent, now and whenever that changes.
    pub fn running(&self) -> watch::Receiver<usize> {
        self.service.running()
    }

    /// Answers requests until `shutdown` is done; then takes no new ones, lets results end for
    /// [`ServeOptions::drain`], and ends the others with a status that tells clients to try again.
    // Boxed, so that the server is compiled here and not again in each program that runs it.
    pub fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> BoxFuture<'static, Result<()>> {
        let shutdown: BoxFuture<'static, ()> = Box::pin(shutdown);
        Box::pin(self.run_until(shutdown))
    }

    async fn run_until(self, shutdown: BoxFuture<'static, ()>) -> Result<()> {
        let asked = watch::Sender::new(false);
        let mut ending = asked.subscribe();
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<FlightServiceServer<Service>>().await;
        let signal = async {
            shutdown.await;
            for service in ["", FlightServiceServer::<Service>::NAME] {
                health.set_service_status(service, ServingStatus::NotServing).await;
            }
            asked.send_replace(true);
        };
        let flight = Wire::new(Arc::clone(&self.service));
        let builder = self.builder;
        let connections = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let open = self.service.connections().clone();
        let connections = connections.map_ok(move |stream| Lingering::new(stream).counted(Counted::new(open.clone())));
        let counted = Arc::clone(&self.service);
        let _metrics = self
            .metrics
            .map(|listener| Aborted(tokio::spawn(metrics::serve(listener, Arc::new(move || counted.metrics())))));
        let serving = builder
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(4 * STREAM_WINDOW)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .add_service(flight)
            .add_service(health_service)
            .serve_with_incoming_shutdown(connections, signal);
        tokio::pin!(serving);
        let drained = async {
            // The sender lives as long as this function: waiting cannot fail.
            let _ = ending.wait_for(|asked| *asked).await;
            tokio::time::sleep(self.drain).await;
        };
        let failed = |source| Error::Transport { source };
        tokio::select! {
            served = &mut serving => return served.map_err(failed),
            () = drained => self.service.stop(),
        }
        // What remains are connections whose clients do not read any more.
        tokio::time::timeout(Duration::from_secs(1), serving).await.unwrap_or(Ok(())).map_err(failed)
    }
}

/// Who may come in, and where it is recorded what they do.
fn gate(root: &Path, policy: Option<&Path>, runs: &Runs) -> Result<(Auth, Option<Arc<Audit>>)> {
    let usual = root.join(policy::FILE_NAME);
    let Some(path) = policy.or_else(|| usual.exists().then_some(usual.as_path())) else {
        let users = Users::Owner(load_or_create_secret(root)?);
        return Ok((Auth::new(users, &Key::random()?, Revoked::in_memory(), system_clock())?, None));
    };
    let (key, clock) = (secret::key(root)?, system_clock());
    let audit = Arc::new(Audit::open(root, key.of("audit"), Arc::clone(&clock))?);
    let kept = Kept { audit: Some(audit::table(&audit)), runs: Some(runs.clone()) };
    let policies = Policies::load(path, MaskKey::new(key.of("masks")), kept)?;
    let revoked = Revoked::in_file(&root.join(ENDED_TOKENS), clock() / 1000)?;
    Ok((Auth::new(Users::Policy(Arc::new(policies)), &key, revoked, clock)?, Some(audit)))
}
