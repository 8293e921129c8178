//! What goes in: SQL, Substrait plans, tickets, handles, parameter values. What comes out: plans' columns and
//! sealed tickets, prepared handles, result streams.
//!
//! A statement is planned twice: for its columns when the client asks for the ticket, and for its
//! rows when it redeems it. The ticket names the versions of the warehouse and of the policy, so that
//! both see the same. A prepared handle names neither: each use of it is planned with what the warehouse has and
//! the policy shows then; the warehouse keeps plans of look-ups by version and access.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::sql::{
    ActionCreatePreparedStatementResult, DoPutPreparedStatementResult, ProstMessageExt, TicketStatementQuery,
};
use arrow_flight::{FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket};
use bytes::Bytes;
use futures::Stream;
use haetae_warehouse::query::{Engine, QueryStream, Snapshot, Statement, Usage};
use haetae_warehouse::store::Store;
use haetae_warehouse::{Error, SqlFault};
use prost::Message;
use prost_types::Timestamp;
use tonic::Status;

use crate::asked::Asked;
use crate::auth::Principal;
use crate::lock::lock;
use crate::parameters::{collected, read_parameters, write_parameters};
use crate::seal::{Claim, Purpose, Sealer};
use crate::{Result, random, status};

/// How long a ticket can be redeemed.
const TICKET_LIFE: Duration = Duration::from_secs(3600);

/// How long a prepared statement can be used.
const HANDLE_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Programs send few different statements; who writes values into them fills these, and they start anew.
const SHAPES_KEPT: usize = 1024;
const DESCRIBED_KEPT: usize = 64;

/// Of a longer statement nothing is kept.
const KEPT_SQL_BYTES: usize = 4096;

/// How a result is to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) dictionaries: bool,
    /// As many where the result can be divided.
    pub(crate) endpoints: usize,
}

/// Plans and runs statements. What it keeps between two calls is worked out anew where it has gone.
pub(crate) struct Statements {
    engine: Engine,
    sealer: Sealer,
    /// Columns of look-ups as clients get them described; the newest last.
    described: Mutex<Vec<(SchemaRef, Bytes)>>,
    shapes: Mutex<HashMap<String, String>>,
}

impl Statements {
    pub(crate) fn new(engine: Engine) -> Result<Self> {
        Ok(Self { engine, sealer: Sealer::new()?, described: Mutex::default(), shapes: Mutex::default() })
    }

    /// A statement without its values.
    pub(crate) fn shape(&self, asked: &Asked) -> String {
        let Asked::Sql(sql) = asked else { return asked.shape() };
        if sql.len() > KEPT_SQL_BYTES {
            return asked.shape();
        }
        if let Some(known) = lock(&self.shapes).get(sql) {
            return known.clone();
        }
        let found = asked.shape();
        let mut shapes = lock(&self.shapes);
        if shapes.len() >= SHAPES_KEPT {
            shapes.clear();
        }
        shapes.insert(sql.clone(), found.clone());
        found
    }

    /// Columns as clients get them described. Those of look-ups are kept, because the same come again and again.
    fn described(&self, schema: &SchemaRef, look_up: bool) -> Result<Bytes, Status> {
        let known = |kept: &Vec<(SchemaRef, Bytes)>| {
            kept.iter().find(|(known, _)| known == schema).map(|(_, described)| described.clone())
        };
        if let Some(described) = look_up.then(|| known(&lock(&self.described))).flatten() {
            return Ok(described);
        }
        let described = schema_message(schema)?;
        if look_up {
            let mut kept = lock(&self.described);
            if kept.len() >= DESCRIBED_KEPT {
                kept.remove(0);
            }
            kept.push((Arc::clone(schema), described.clone()));
        }
        Ok(described)
    }

    /// Fails when the warehouse cannot be read.
    pub(crate) fn check(&self) -> Result<()> {
        self.engine.current()?;
        Ok(())
    }

    /// What queries use of the machine now.
    pub(crate) fn usage(&self) -> Usage {
        self.engine.usage()
    }

    pub(crate) fn store(&self) -> &Store {
        self.engine.store()
    }

    /// A version of the warehouse, as the principal sees it.
    pub(crate) fn at(&self, principal: &Principal, version: u64) -> Result<Snapshot, Status> {
        seen_by(self.version_at(version)?, principal)
    }

    fn version_at(&self, version: u64) -> Result<Snapshot, Status> {
        let snapshot = self.engine.at(version).map_err(|error| status::from_warehouse(&error))?;
        snapshot.ok_or_else(|| {
            Status::not_found(
                "the version of the warehouse that the ticket was made for is no longer kept; run the query again",
            )
        })
    }

    /// The version that a statement sees: the newest where none is given.
    fn version(&self, principal: &Principal, version: Option<u64>) -> Result<Snapshot, Status> {
        version.map_or_else(|| self.snapshot(principal), |version| self.at(principal, version))
    }

    /// The newest version of the warehouse, as the principal sees it.
    pub(crate) fn snapshot(&self, principal: &Principal) -> Result<Snapshot, Status> {
        let snapshot = self.engine.current().map_err(|error| status::from_warehouse(&error))?;
        seen_by(snapshot, principal)
    }

    /// What a handle stands for.
    pub(crate) fn handled(&self, principal: &Principal, handle: &[u8]) -> Result<Claim, Status> {
        self.sealer.open(Purpose::Handle, &principal.user, handle)
    }

    /// The columns of a statement with what was bound to it, and a ticket for its rows; the statement.
    pub(crate) async fn info(
        &self,
        principal: &Principal,
        asked: &Asked,
        parameters: Bytes,
        version: Option<u64>,
        sent: Sent,
    ) -> Result<(FlightInfo, Statement), Status> {
        let snapshot = self.version(principal, version)?;
        let values = read_parameters(&parameters)?;
        let statement = asked.statement(&snapshot).await.map_err(|error| status::from_warehouse(&error))?;
        let statement = statement.with_dictionaries(sent.dictionaries);
        let schema = statement.schema(values.as_ref()).await.map_err(|error| status::from_warehouse(&error))?;
        let claim = Claim {
            principal: principal.user.clone(),
            parameters,
            version: snapshot.version(),
            ends: 0,
            policy: principal.policy.clone(),
            query: random::id().map_err(|error| Status::internal(error.to_string()))?,
            dictionaries: sent.dictionaries,
            ..asked.claim()
        };
        let divided = statement.divisible().filter(|_| sent.endpoints > 1);
        let endpoints = match divided {
            None => vec![self.endpoint(claim)],
            Some((schema, table)) => {
                let (divided, parts) = (format!("{schema}.{table}"), sent.endpoints as u64);
                let part = |part| self.endpoint(Claim { divided: divided.clone(), part, parts, ..claim.clone() });
                (0..parts).map(part).collect()
            }
        };
        let described = self.described(&schema, statement.looks_up())?;
        Ok((info_of(described, endpoints), statement))
    }

    /// An endpoint whose ticket lasts from now on.
    fn endpoint(&self, claim: Claim) -> FlightEndpoint {
        let claim = Claim { ends: self.sealer.ends_in(TICKET_LIFE), ..claim };
        let ticket = TicketStatementQuery { statement_handle: self.sealer.seal(Purpose::Ticket, &claim) };
        FlightEndpoint::new()
            .with_ticket(Ticket::new(ticket.as_any().encode_to_vec()))
            .with_expiration_time(in_time(TICKET_LIFE))
    }

    /// The same endpoint with a ticket that lasts longer.
    pub(crate) fn renewed(&self, principal: &Principal, ticket: &[u8]) -> Result<FlightEndpoint, Status> {
        Ok(self.endpoint(self.ticket(principal, ticket)?))
    }

    /// What a ticket stands for.
    pub(crate) fn ticket(&self, principal: &Principal, ticket: &[u8]) -> Result<Claim, Status> {
        self.sealer.open(Purpose::Ticket, &principal.user, ticket)
    }

    /// The rows of a ticket, of the version of the warehouse that it was made for.
    pub(crate) async fn fetch(&self, principal: &Principal, claim: &Claim) -> Result<QueryStream, Status> {
        if claim.policy != principal.policy {
            return Err(Status::not_found(
                "the policy has been changed since the ticket was made; run the query again",
            ));
        }
        let snapshot = match claim.divided.split_once('.') {
            None => self.at(principal, claim.version)?,
            Some(table) => {
                let (part, parts) = (claim.part as usize, claim.parts as usize);
                let whole = self.version_at(claim.version)?;
                let part = self.engine.part(&whole, table, part, parts);
                seen_by(part.map_err(|error| status::from_warehouse(&error))?, principal)?
            }
        };
        let values = read_parameters(&claim.parameters)?;
        let statement = Asked::of(claim).statement(&snapshot).await;
        let statement = statement.map_err(|error| status::from_warehouse(&error))?;
        let statement = statement.with_dictionaries(claim.dictionaries);
        statement.execute(values.as_ref()).await.map_err(|error| status::from_warehouse(&error))
    }

    /// A handle for a statement, with its columns and parameters as far as they are known.
    pub(crate) async fn prepare(
        &self,
        principal: &Principal,
        asked: &Asked,
        transaction: String,
        version: Option<u64>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let snapshot = self.version(principal, version)?;
        let (columns, parameters) = match (asked.statement(&snapshot).await, asked) {
            (Ok(statement), _) => (statement.unbound_schema(), Arc::clone(statement.parameters())),
            // Clients know by a result without columns that it is to be run as an update.
            (Err(Error::Sql { fault: SqlFault::ReadOnly, .. }), Asked::Sql(sql)) => {
                let update = snapshot.update(sql).await.map_err(|error| status::from_warehouse(&error))?;
                (Schema::empty().into(), Arc::clone(update.parameters()))
            }
            (Err(error), _) => return Err(status::from_warehouse(&error)),
        };
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: self.handle(principal, Claim { transaction, ..asked.claim() }),
            dataset_schema: schema_message(&columns)?,
            parameter_schema: schema_message(&parameters)?,
        })
    }

    /// A new handle, of the same statement with `values` bound to it.
    pub(crate) async fn bind(
        &self,
        principal: &Principal,
        handle: &[u8],
        values: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let claim = self.handled(principal, handle)?;
        let bound = collected(values).await?;
        let handle = self.handle(principal, Claim { parameters: write_parameters(&bound)?, ..claim });
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) })
    }

    /// Says why a plan is not run as an update: what is wrong with it, or that it is a query.
    pub(crate) async fn no_update(&self, principal: &Principal, asked: &Asked) -> Status {
        let snapshot = match self.snapshot(principal) {
            Ok(snapshot) => snapshot,
            Err(status) => return status,
        };
        match asked.statement(&snapshot).await {
            Ok(_) => Status::invalid_argument("the Substrait plan is a query and changes no rows; send it as a query"),
            Err(error) => status::from_warehouse(&error),
        }
    }

    fn handle(&self, principal: &Principal, claim: Claim) -> Bytes {
        let (principal, ends) = (principal.user.clone(), self.sealer.ends_in(HANDLE_LIFE));
        self.sealer.seal(Purpose::Handle, &Claim { principal, ends, ..claim })
    }
}

/// The time of the clock after `life` from now on.
fn in_time(life: Duration) -> Timestamp {
    let since = (SystemTime::now() + life).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        // Below a thousand million.
        nanos: since.subsec_nanos().cast_signed(),
    }
}

fn seen_by(snapshot: Snapshot, principal: &Principal) -> Result<Snapshot, Status> {
    match &principal.access {
        None => Ok(snapshot),
        Some(access) => snapshot.seen_by(access).map_err(|error| status::from_warehouse(&error)),
    }
}

/// One endpoint with a ticket that does not end.
pub(crate) fn flight_info(schema: &Schema, ticket: Vec<u8>) -> Result<FlightInfo, Status> {
    let described = schema_message(&Arc::new(schema.clone()))?;
    Ok(info_of(described, vec![FlightEndpoint::new().with_ticket(Ticket::new(ticket))]))
}

/// Endpoints whose rows come one after another, fetched over the connection that asked.
fn info_of(schema: Bytes, endpoints: Vec<FlightEndpoint>) -> FlightInfo {
    let info = FlightInfo { schema, ..FlightInfo::new() };
    let info = info.with_ordered(endpoints.len() > 1).with_descriptor(FlightDescriptor::default());
    endpoints.into_iter().fold(info, FlightInfo::with_endpoint)
}

pub(crate) fn schema_message(schema: &SchemaRef) -> Result<Bytes, Status> {
    let options = IpcWriteOptions::default();
    let IpcMessage(message) =
        SchemaAsIpc::new(schema, &options).try_into().map_err(status::internal("describe the columns"))?;
    Ok(message)
}
