//! What goes in: bytes as a command, an action, a message or a ticket. What comes out: an answer or a clear status, from
//! a real server on loopback that is there afterwards.

use std::num::NonZero;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{Action, Criteria, FlightData, FlightDescriptor, FlightEndpoint, Ticket};
use futures::{StreamExt, TryStreamExt, stream};
use haetae_flight_server::{Bounds, SECRET_FILE, ServeOptions, Server, USER};
use haetae_warehouse::query::EngineOptions;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Inputs for which a good ticket is used; it would not be good for ever.
const TICKET_INPUTS: u32 = 4096;
/// What is read of a result: one without an end is left in the middle.
const MESSAGES: usize = 32;
const PATIENCE: Duration = Duration::from_secs(2);
const ACTIONS: [&str; 14] = [
    "CreatePreparedStatement",
    "ClosePreparedStatement",
    "CancelFlightInfo",
    "CancelQuery",
    "RenewFlightEndpoint",
    "SetSessionOptions",
    "GetSessionOptions",
    "BeginTransaction",
    "EndTransaction",
    "BeginSavepoint",
    "EndSavepoint",
    "haetae.RefreshToken",
    "CreatePreparedSubstraitPlan",
    "no such action",
];

type Client = FlightServiceClient<Channel>;
type Answer = Result<(), Status>;

/// A server, and one who has logged in.
struct Wire {
    runtime: Runtime,
    client: Client,
    token: String,
    /// A ticket that is good, and how many inputs have used it.
    ticket: Mutex<(Vec<u8>, u32)>,
    /// The warehouse goes with it.
    _folder: TempDir,
}

static WIRE: LazyLock<Wire> = LazyLock::new(Wire::start);

impl Wire {
    fn start() -> Self {
        crate::panics::watch();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("warehouse");
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (client, token) = runtime.block_on(async {
            let server = Server::bind(&root, &options()).await.unwrap();
            let address = format!("http://{}", server.address());
            tokio::spawn(server.run(std::future::pending()));
            let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
            let password = std::fs::read_to_string(root.join(SECRET_FILE)).unwrap();
            let mut client = FlightSqlServiceClient::new(channel.clone());
            client.handshake(USER, password.trim()).await.unwrap();
            (FlightServiceClient::new(channel), client.token().unwrap().clone())
        });
        Self { runtime, client, token, ticket: Mutex::new((Vec::new(), TICKET_INPUTS)), _folder: folder }
    }

    /// A good ticket: the first and each later one are redeemed unchanged before they are used.
    fn good_ticket(&self) -> Vec<u8> {
        let mut held = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        if held.1 >= TICKET_INPUTS {
            *held = (self.runtime.block_on(self.fresh_ticket()), 0);
        }
        held.1 += 1;
        held.0.clone()
    }

    async fn fresh_ticket(&self) -> Vec<u8> {
        let mut client = FlightSqlServiceClient::new_from_inner(self.client.clone());
        client.set_token(self.token.clone());
        let info = client.execute("select 1".to_owned(), None).await.unwrap();
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        self.get(ticket.clone(), &self.token).await.expect("a ticket that nobody has changed is good");
        ticket.ticket.to_vec()
    }

    fn request<T>(&self, message: T) -> Request<T> {
        with_token(message, &self.token).unwrap()
    }

    async fn command(&self, kind: u8, bytes: &[u8]) -> Answer {
        let mut client = self.client.clone();
        let descriptor = FlightDescriptor::new_cmd(bytes.to_vec());
        match kind % 7 {
            0 => {
                let info = client.get_flight_info(self.request(descriptor)).await?.into_inner();
                self.redeem(info.endpoint).await
            }
            1 => client.get_schema(self.request(descriptor)).await.map(drop),
            2 => client.poll_flight_info(self.request(descriptor)).await.map(drop),
            3 => self.act(bytes).await,
            4 => {
                let rows = client.do_put(self.request(stream::iter(messages(bytes)))).await?.into_inner();
                rows.take(MESSAGES).try_for_each(|_| async { Ok(()) }).await
            }
            5 => {
                let rows = client.do_exchange(self.request(stream::iter(messages(bytes)))).await?.into_inner();
                rows.take(MESSAGES).try_for_each(|_| async { Ok(()) }).await
            }
            _ => {
                let flights = client.list_flights(self.request(Criteria { expression: bytes.to_vec().into() })).await?;
                flights.into_inner().take(MESSAGES).try_for_each(|_| async { Ok(()) }).await
            }
        }
    }

    async fn act(&self, bytes: &[u8]) -> Answer {
        let (first, body) = bytes.split_first().unwrap_or((&0, &[]));
        let action = Action::new(ACTIONS[usize::from(*first) % ACTIONS.len()], body.to_vec());
        let results = self.client.clone().do_action(self.request(action)).await?.into_inner();
        results.take(MESSAGES).try_for_each(|_| async { Ok(()) }).await
    }

    async fn redeem(&self, endpoints: Vec<FlightEndpoint>) -> Answer {
        for endpoint in endpoints.into_iter().take(2) {
            self.get(endpoint.ticket.unwrap_or_default(), &self.token).await?;
        }
        Ok(())
    }

    async fn get(&self, ticket: Ticket, token: &str) -> Answer {
        let rows = self.client.clone().do_get(with_token(ticket, token)?).await?.into_inner();
        rows.take(MESSAGES).try_for_each(|_| async { Ok(()) }).await
    }
}

/// As small as the machine of a fuzzer.
fn options() -> ServeOptions {
    ServeOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        policy: None,
        certificate: None,
        engine: EngineOptions {
            memory_bytes: 256 << 20,
            columns_bytes: 1 << 20,
            query_memory_bytes: None,
            spill_bytes: 64 << 20,
            partitions: NonZero::new(1),
        },
        query_life: Some(PATIENCE),
        bounds: Bounds::default(),
        metrics: None,
        log: false,
        drain: Duration::ZERO,
    }
}

fn with_token<T>(message: T, token: &str) -> Result<Request<T>, Status> {
    let header = format!("Bearer {token}").parse().map_err(|_| Status::unauthenticated("no header"))?;
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", header);
    request.set_timeout(PATIENCE * 2);
    Ok(request)
}

/// The messages of a stream: a descriptor for the first, then headers and bodies, each with its length in front.
fn messages(bytes: &[u8]) -> Vec<FlightData> {
    let mut rest = bytes;
    let mut descriptor = Some(FlightDescriptor::new_cmd(piece(&mut rest)));
    let mut messages = Vec::new();
    while messages.len() < 8 && (!rest.is_empty() || descriptor.is_some()) {
        let (data_header, data_body) = (piece(&mut rest).into(), piece(&mut rest).into());
        messages.push(FlightData {
            flight_descriptor: descriptor.take(),
            data_header,
            data_body,
            ..FlightData::default()
        });
    }
    messages
}

/// The next piece: two bytes of its length, and itself.
fn piece(rest: &mut &[u8]) -> Vec<u8> {
    let Some((length, after)) = rest.split_at_checked(2) else {
        return std::mem::take(rest).to_vec();
    };
    let length = usize::from(u16::from_le_bytes([length[0], length[1]])).min(after.len());
    let (found, after) = after.split_at(length);
    *rest = after;
    found.to_vec()
}

/// No status is without words, and none says that the connection is gone.
fn check(answer: &Answer) {
    if let Err(status) = answer {
        assert!(!status.message().is_empty(), "{status:?}");
        assert!(!matches!(status.code(), Code::Unknown | Code::Unavailable), "{status:?}");
    }
}

/// Sends a command, an action or a stream of messages; the first byte says which.
pub fn command(input: &[u8]) {
    let Some((first, bytes)) = input.split_first() else { return };
    check(&WIRE.runtime.block_on(WIRE.command(*first, bytes)));
}

/// Sends a ticket that was made up, and a good ticket or a good token of which some bytes were changed: neither is good
/// any more.
pub fn ticket(input: &[u8]) {
    let Some((first, bytes)) = input.split_first() else { return };
    let wire = &*WIRE;
    let answer = match first % 3 {
        0 => wire.runtime.block_on(wire.get(Ticket::new(bytes.to_vec()), &wire.token)),
        1 => {
            let good = wire.good_ticket();
            let changed = changed(&good, bytes);
            let answer = wire.runtime.block_on(wire.get(Ticket::new(changed.clone()), &wire.token));
            assert!(answer.is_err() || changed == good, "a ticket that was changed is good: {changed:?}");
            answer
        }
        _ => {
            let changed = changed(wire.token.as_bytes(), bytes);
            let Ok(token) = String::from_utf8(changed) else { return };
            let answer = wire.runtime.block_on(wire.get(Ticket::new(wire.good_ticket()), &token));
            assert!(answer.is_err() || token == wire.token, "a token that was changed is good: {token}");
            answer
        }
    };
    check(&answer);
}

/// `good` with bytes changed: two say where, one says how.
fn changed(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2];
    }
    bytes
}
