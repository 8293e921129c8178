//! A server on a free port in front of a small warehouse, and arrow-flight's own client.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use arrow_flight::FlightInfo;
use arrow_flight::error::{FlightError, Result};
use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use haetae_flight_server::{Bounds, Certificate, SECRET_FILE, ServeOptions, Server, USER};
use haetae_warehouse::ingest::{Format, ingest};
use haetae_warehouse::query::EngineOptions;
use haetae_warehouse::store::Store;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::Channel;

pub type Raw = FlightSqlServiceClient<Channel>;

pub const COURIERS: &str = "courier_id,name\nC1,Fast\nC2,\nC3,느린 택배\n";

/// A warehouse directory with three couriers in it.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self::empty();
        place.load("couriers.csv", COURIERS);
        place
    }

    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("warehouse")
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn write_policy(&self, policy: &str) {
        // Replaced as an editor does it, so that a server sees the old or the new one.
        let fresh = self.root().join("policy.new");
        std::fs::write(&fresh, policy).unwrap();
        std::fs::rename(fresh, self.root().join("policy.toml")).unwrap();
    }

    pub fn load(&self, name: &str, couriers: &str) {
        self.load_table("dim_courier", name, couriers);
    }

    pub fn load_table(&self, table: &str, name: &str, rows: &str) {
        let file = self.file(name, rows);
        let store = Store::open(self.root()).unwrap();
        ingest(&store, "customs", &Format::Table(table.into()), &[file], &mut |_| {}).unwrap();
    }
}

pub fn password(root: &Path) -> String {
    std::fs::read_to_string(root.join(SECRET_FILE)).unwrap().trim().to_owned()
}

/// How long a server that is told to end waits for results; no test waits as long where nothing is wrong.
const DRAIN: Duration = Duration::from_secs(120);

/// Any port of a loopback address where no servers are but those that come back: a port there that has become free is not given
/// to any of the many others.
pub const TO_COME_BACK_TO: &str = "127.0.0.2:0";

/// On any free port, without a policy of its own.
pub fn options() -> ServeOptions {
    ServeOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        policy: None,
        certificate: None,
        engine: EngineOptions::default(),
        query_life: None,
        bounds: Bounds::default(),
        metrics: None,
        log: false,
        drain: DRAIN,
    }
}

/// A server in this process.
pub struct Running {
    pub place: Place,
    pub address: SocketAddr,
    pub results: watch::Receiver<usize>,
    pub connections: watch::Receiver<usize>,
    pub metrics: Option<SocketAddr>,
    end: Option<oneshot::Sender<()>>,
    task: JoinHandle<haetae_flight_server::Result<()>>,
}

impl Running {
    pub async fn start() -> Self {
        Self::start_with(DRAIN).await
    }

    pub async fn start_with(drain: Duration) -> Self {
        Self::over(Place::new(), drain, None).await
    }

    /// With a policy in the warehouse.
    pub async fn under(policy: &str) -> Self {
        let place = Place::new();
        place.write_policy(policy);
        Self::over(place, DRAIN, None).await
    }

    pub async fn over(place: Place, drain: Duration, certificate: Option<Certificate>) -> Self {
        Self::serving(place, &ServeOptions { certificate, drain, ..options() }).await
    }

    pub async fn serving(place: Place, options: &ServeOptions) -> Self {
        let server = Server::bind(place.root(), options).await.unwrap();
        let (address, metrics) = (server.address(), server.metrics_address());
        let (results, connections) = (server.running(), server.connections());
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(server.run(async { drop(ended.await) }));
        Self { place, address, results, connections, metrics, end: Some(end), task }
    }

    /// A client that has logged in.
    pub async fn client(&self) -> Raw {
        let mut client = self.stranger().await;
        client.handshake(USER, &password(&self.place.root())).await.unwrap();
        client
    }

    /// A client that has logged in as a user of the policy.
    pub async fn client_of(&self, user: &str, password: &str) -> Raw {
        let mut client = self.stranger().await;
        client.handshake(user, password).await.unwrap();
        client
    }

    /// A client that has not.
    pub async fn stranger(&self) -> Raw {
        connect(self.address).await
    }

    /// Tells the server to end.
    pub fn end(&mut self) {
        drop(self.end.take());
    }

    /// Waits until it has ended.
    pub async fn ended(self) -> haetae_flight_server::Result<()> {
        self.task.await.unwrap()
    }
}

pub async fn connect(address: SocketAddr) -> Raw {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    FlightSqlServiceClient::new(channel)
}

/// The batches of a flight; each has the schema that the flight announced.
pub async fn fetch(client: &mut Raw, info: FlightInfo) -> Result<Vec<RecordBatch>> {
    let schema = info.clone().try_decode_schema()?;
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let stream = client.do_get(ticket).await?;
    let batches: Vec<RecordBatch> = stream.try_collect().await?;
    for batch in &batches {
        assert_eq!(*batch.schema(), schema);
    }
    Ok(batches)
}

/// The cells of an answer as text; null is an empty text.
pub async fn ask(client: &mut Raw, sql: &str) -> Result<Vec<Vec<String>>> {
    let info = client.execute(sql.to_owned(), None).await?;
    Ok(cells(&fetch(client, info).await?))
}

pub fn cells(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let row = |batch: &RecordBatch, row: usize| {
        batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap()).collect()
    };
    batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |index| row(batch, index)).collect::<Vec<_>>())
        .collect()
}

/// The status with which a call failed.
pub async fn status<T>(call: impl Future<Output = Result<T>>) -> Status {
    match call.await {
        Err(FlightError::Tonic(status)) => *status,
        Err(other) => panic!("expected a status, found {other}"),
        Ok(_) => panic!("expected a status, found an answer"),
    }
}
