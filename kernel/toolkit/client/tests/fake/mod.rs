//! A Flight SQL server of a few lines, on a free port, that can be killed and started again. The
//! real one is tested with this client in its own folder; this one does what a real one should not.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetTables, CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult,
    ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage, SchemaAsIpc,
    Ticket,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

pub const PASSWORD: &str = "open sesame";

/// A running server; dropped, it is gone like a killed process.
pub struct Fake {
    pub address: SocketAddr,
    /// Results that are being sent, now and whenever that changes.
    pub running: watch::Receiver<usize>,
    pub state: Arc<State>,
    runtime: Option<Runtime>,
}

#[derive(Default)]
pub struct State {
    token: String,
    running: watch::Sender<usize>,
    bound: Mutex<Option<RecordBatch>>,
    pub logins: Mutex<usize>,
    pub closed: Mutex<usize>,
}

impl Fake {
    /// `token` is what it gives out: another one stands for a server that was restarted.
    pub fn start(address: SocketAddr, token: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let state = Arc::new(State { token: token.to_owned(), ..State::default() });
        let running = state.running.subscribe();
        let service = FlightServiceServer::new(Service(Arc::clone(&state)));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = TcpIncoming::from(listener);
        runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        Self { address, running, state, runtime: Some(runtime) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // Waits until every task is gone, and with them the sockets.
        drop(self.runtime.take());
    }
}

struct Service(Arc<State>);

impl Service {
    fn check(&self, headers: &MetadataMap) -> Result<(), Status> {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        match given == Some(&format!("Bearer {}", self.0.token)) {
            true => Ok(()),
            false => Err(Status::unauthenticated("the token is unknown")),
        }
    }
}

fn numbers(values: &[i64]) -> RecordBatch {
    let parity: DictionaryArray<Int32Type> = values.iter().map(|n| if n % 2 == 0 { "even" } else { "odd" }).collect();
    let values: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
    RecordBatch::try_from_iter([("n", values), ("parity", Arc::new(parity) as ArrayRef)]).unwrap()
}

fn tables() -> RecordBatch {
    let texts = |texts: [&str; 2]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
    RecordBatch::try_from_iter([
        ("catalog_name", texts(["haetae", "haetae"])),
        ("db_schema_name", texts(["customs", "kcs"])),
        ("table_name", texts(["fact_item", "rejects"])),
        ("table_type", texts(["TABLE", "TABLE"])),
    ])
    .unwrap()
}

fn info(schema: &Schema, tickets: &[&str]) -> Response<FlightInfo> {
    let mut info = FlightInfo::new().try_with_schema(schema).unwrap();
    for ticket in tickets {
        let ticket = TicketStatementQuery { statement_handle: ticket.as_bytes().to_vec().into() };
        info = info.with_endpoint(FlightEndpoint::new().with_ticket(Ticket::new(ticket.as_any().encode_to_vec())));
    }
    Response::new(info)
}

/// Counts itself for as long as it is kept.
struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl FlightSqlService for Service {
    type FlightService = Service;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Answers<HandshakeResponse>>, Status> {
        *self.0.logins.lock().unwrap() += 1;
        let right = format!("Basic {}", STANDARD.encode(format!("haetae:{PASSWORD}")));
        if request.metadata().get("authorization").and_then(|value| value.to_str().ok()) != Some(&right) {
            return Err(Status::unauthenticated("wrong user name or password"));
        }
        let payload = self.0.token.clone().into_bytes().into();
        let answer = HandshakeResponse { protocol_version: 0, payload };
        Ok(Response::new(stream::iter([Ok(answer)]).boxed()))
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        let schema = numbers(&[]).schema();
        match query.query.as_str() {
            "numbers" => Ok(info(&schema, &["1 2", "3", "4 5 6"])),
            "nothing" => Ok(info(&schema, &[])),
            "endless" => Ok(info(&schema, &["endless"])),
            "silent" => Err(Status::unknown("")),
            sql => Err(Status::invalid_argument(format!("cannot parse {sql:?}"))),
        }
    }

    async fn get_flight_info_tables(
        &self,
        _: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        Ok(info(&tables().schema(), &["tables"]))
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        if query.prepared_statement_handle != "bound" {
            return Err(Status::invalid_argument("nothing was bound"));
        }
        let bound = self.0.bound.lock().unwrap();
        Ok(info(&bound.as_ref().unwrap().schema(), &["bound"]))
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        let text = String::from_utf8(ticket.statement_handle.to_vec()).unwrap();
        let batch = match text.as_str() {
            "tables" => tables(),
            "endless" => numbers(&[1]),
            "bound" => self.0.bound.lock().unwrap().clone().unwrap(),
            text => numbers(&text.split(' ').map(|n| n.parse().unwrap()).collect::<Vec<_>>()),
        };
        let messages = FlightDataEncoderBuilder::new()
            .with_dictionary_handling(DictionaryHandling::Resend)
            .build(stream::iter([Ok(batch)]))
            .map_err(Status::from);
        self.0.running.send_modify(|count| *count += 1);
        let counted = Counted(self.0.running.clone());
        let rest = match text.as_str() {
            "endless" => stream::pending().boxed(),
            _ => stream::empty().boxed(),
        };
        let messages = messages.chain(rest).inspect(move |_| {
            let _held = &counted;
        });
        Ok(Response::new(messages.boxed()))
    }

    async fn do_action_create_prepared_statement(
        &self,
        request: ActionCreatePreparedStatementRequest,
        action: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        self.check(action.metadata())?;
        let fields =
            (1..=request.query.matches('?').count()).map(|n| Field::new(format!("${n}"), DataType::Null, true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let options = IpcWriteOptions::default();
        let IpcMessage(parameter_schema) = SchemaAsIpc::new(&schema, &options).try_into().unwrap();
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: "unbound".into(),
            parameter_schema,
            ..Default::default()
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        _: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        self.check(request.metadata())?;
        let values = FlightRecordBatchStream::new_from_flight_data(request.into_inner().map_err(Into::into));
        let values: Vec<RecordBatch> = values.try_collect().await?;
        *self.0.bound.lock().unwrap() = values.first().cloned();
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some("bound".into()) })
    }

    async fn do_action_close_prepared_statement(
        &self,
        _: ActionClosePreparedStatementRequest,
        _: Request<Action>,
    ) -> Result<(), Status> {
        *self.0.closed.lock().unwrap() += 1;
        Ok(())
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}
