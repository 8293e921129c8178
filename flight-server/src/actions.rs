//! What goes in: actions of Flight and Flight SQL. What comes out: their results.

use std::fmt::Display;

use arrow_flight::sql::{
    ActionBeginSavepointRequest, ActionBeginSavepointResult, ActionBeginTransactionRequest,
    ActionBeginTransactionResult, ActionCancelQueryRequest, ActionCancelQueryResult,
    ActionCreatePreparedStatementRequest, ActionCreatePreparedSubstraitPlanRequest, ActionEndSavepointRequest,
    ActionEndTransactionRequest, Command, EndTransaction, ProstMessageExt,
};
use arrow_flight::{
    Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo, RenewFlightEndpointRequest,
};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use crate::Result;
use crate::asked::Asked;
use crate::audit::Record;
use crate::auth::Principal;
use crate::command::{any, command};
use crate::service::{Caller, Service};
use crate::session_messages::{CloseSessionResult, SessionOptions};
use crate::writes::transaction;

const CREATE_PREPARED: &str = "CreatePreparedStatement";
const CREATE_PREPARED_PLAN: &str = "CreatePreparedSubstraitPlan";
const CLOSE_PREPARED: &str = "ClosePreparedStatement";
const CANCEL: &str = "CancelFlightInfo";
const CANCEL_QUERY: &str = "CancelQuery";
const RENEW: &str = "RenewFlightEndpoint";
const SET_OPTIONS: &str = "SetSessionOptions";
const GET_OPTIONS: &str = "GetSessionOptions";
const CLOSE_SESSION: &str = "CloseSession";
const BEGIN: &str = "BeginTransaction";
const END: &str = "EndTransaction";
const BEGIN_SAVEPOINT: &str = "BeginSavepoint";
const END_SAVEPOINT: &str = "EndSavepoint";
/// What is done with a savepoint; arrow-flight keeps the names to itself.
const RELEASE: i32 = 1;
const ROLLBACK: i32 = 2;
const REFRESH: &str = "haetae.RefreshToken";

/// Name and meaning of each action.
pub(crate) const ACTIONS: [(&str, &str); 14] = [
    (CREATE_PREPARED, "Prepares a statement; body: ActionCreatePreparedStatementRequest"),
    (CREATE_PREPARED_PLAN, "Prepares a Substrait plan; body: ActionCreatePreparedSubstraitPlanRequest"),
    (CLOSE_PREPARED, "Forgets a prepared statement; body: ActionClosePreparedStatementRequest"),
    (CANCEL, "Ends a query and its tickets; body: CancelFlightInfoRequest"),
    (CANCEL_QUERY, "The same, as older clients ask for it; body: ActionCancelQueryRequest"),
    (RENEW, "Gives a ticket that lasts longer; body: RenewFlightEndpointRequest"),
    (
        SET_OPTIONS,
        "Sets options of this login: query_seconds, query_class, ipc_compression, dictionaries, endpoints; body: SetSessionOptionsRequest",
    ),
    (GET_OPTIONS, "Gives the options of this login; body: GetSessionOptionsRequest"),
    (CLOSE_SESSION, "Ends this login, its tokens, its options and its transactions; body: CloseSessionRequest"),
    (BEGIN, "Begins a transaction; body: ActionBeginTransactionRequest"),
    (END, "Commits a transaction or drops it; body: ActionEndTransactionRequest"),
    (BEGIN_SAVEPOINT, "Marks a place in a transaction; body: ActionBeginSavepointRequest"),
    (END_SAVEPOINT, "Goes back to such a place, or forgets it; body: ActionEndSavepointRequest"),
    (REFRESH, "Gives new tokens as JSON; body: the refresh token of the login"),
];

impl Service {
    pub(crate) async fn action(&self, caller: Caller<'_>, action: Action) -> Result<Vec<Bytes>, Status> {
        if action.r#type == REFRESH {
            return self.refresh(&action.body, caller.peer);
        }
        let principal = self.principal(&caller).await?;
        match action.r#type.as_str() {
            CREATE_PREPARED => self.prepare(&principal, &action.body).await,
            CREATE_PREPARED_PLAN => self.prepare_plan(&principal, &action.body).await,
            // The server keeps nothing that could be closed.
            CLOSE_PREPARED => Ok(Vec::new()),
            CANCEL => {
                let request: CancelFlightInfoRequest = message(&action.body, "a CancelFlightInfoRequest")?;
                let status = self.cancel(&principal, &request.info.unwrap_or_default())?;
                Ok(vec![CancelFlightInfoResult { status: status as i32 }.encode_to_vec().into()])
            }
            CANCEL_QUERY => {
                let request: ActionCancelQueryRequest = packed(&action.body, "an ActionCancelQueryRequest")?;
                let info: FlightInfo = message(&request.info, "a FlightInfo in the request")?;
                // Both results have the same numbers.
                let result = ActionCancelQueryResult { result: self.cancel(&principal, &info)? as i32 };
                Ok(vec![result.as_any().encode_to_vec().into()])
            }
            RENEW => {
                let request: RenewFlightEndpointRequest = message(&action.body, "a RenewFlightEndpointRequest")?;
                let ticket = request.endpoint.and_then(|endpoint| endpoint.ticket).unwrap_or_default().ticket;
                let endpoint = match command(&ticket)? {
                    Command::TicketStatementQuery(ticket) => {
                        self.statements.renewed(&principal, &ticket.statement_handle)?
                    }
                    _ => return Err(Status::invalid_argument("the ticket does not end; there is nothing to renew")),
                };
                Ok(vec![endpoint.encode_to_vec().into()])
            }
            SET_OPTIONS => {
                let asked: SessionOptions = message(&action.body, "a SetSessionOptionsRequest")?;
                Ok(vec![self.sessions.set(&principal.session, asked).encode_to_vec().into()])
            }
            GET_OPTIONS => Ok(vec![self.sessions.get(&principal.session).encode_to_vec().into()]),
            CLOSE_SESSION => {
                self.log_out(&principal)?;
                Ok(vec![CloseSessionResult::CLOSED.encode_to_vec().into()])
            }
            BEGIN => {
                let _: ActionBeginTransactionRequest = packed(&action.body, "an ActionBeginTransactionRequest")?;
                let transaction_id = self.begin_transaction(&principal).await?.into();
                Ok(vec![ActionBeginTransactionResult { transaction_id }.as_any().encode_to_vec().into()])
            }
            END => {
                let request: ActionEndTransactionRequest = packed(&action.body, "an ActionEndTransactionRequest")?;
                let commit = match request.action() {
                    EndTransaction::Commit => true,
                    EndTransaction::Rollback => false,
                    EndTransaction::Unspecified => {
                        return Err(Status::invalid_argument("expected to commit or to roll back, found neither"));
                    }
                };
                let id = transaction(Some(&request.transaction_id))?;
                self.end_transaction(&principal, &id, commit).await.map(|()| Vec::new())
            }
            BEGIN_SAVEPOINT => {
                let request: ActionBeginSavepointRequest = packed(&action.body, "an ActionBeginSavepointRequest")?;
                let id = transaction(Some(&request.transaction_id))?;
                let savepoint_id = self.transactions.set_savepoint(&principal, &id).await?.into();
                Ok(vec![ActionBeginSavepointResult { savepoint_id }.as_any().encode_to_vec().into()])
            }
            END_SAVEPOINT => {
                let request: ActionEndSavepointRequest = packed(&action.body, "an ActionEndSavepointRequest")?;
                let back = match request.action {
                    ROLLBACK => true,
                    RELEASE => false,
                    _ => {
                        return Err(Status::invalid_argument("expected to release or to roll back, found neither"));
                    }
                };
                let name = transaction(Some(&request.savepoint_id))?;
                self.transactions.end_savepoint(&principal, &name, back).await.map(|()| Vec::new())
            }
            other => Err(Status::unimplemented(format!("this server has no action \"{other}\""))),
        }
    }

    async fn prepare(&self, principal: &Principal, body: &[u8]) -> Result<Vec<Bytes>, Status> {
        let request: ActionCreatePreparedStatementRequest = packed(body, "an ActionCreatePreparedStatementRequest")?;
        let id = transaction(request.transaction_id.as_ref())?;
        let version = self.version(principal, &id)?;
        self.prepared(principal, Asked::Sql(request.query), id, version).await
    }

    async fn prepare_plan(&self, principal: &Principal, body: &[u8]) -> Result<Vec<Bytes>, Status> {
        let request: ActionCreatePreparedSubstraitPlanRequest =
            packed(body, "an ActionCreatePreparedSubstraitPlanRequest")?;
        let id = transaction(request.transaction_id.as_ref())?;
        let version = self.version(principal, &id)?;
        self.prepared(principal, Asked::plan(request.plan)?, id, version).await
    }

    async fn prepared(
        &self,
        principal: &Principal,
        asked: Asked,
        id: String,
        version: Option<u64>,
    ) -> Result<Vec<Bytes>, Status> {
        let prepared = self.statements.prepare(principal, &asked, id, version).await;
        self.refused(principal, || asked.shape(), &prepared);
        Ok(vec![prepared?.as_any().encode_to_vec().into()])
    }

    /// Cancels the queries of a flight. Answers to metadata are made at once, so that there is nothing to cancel.
    fn cancel(&self, principal: &Principal, info: &FlightInfo) -> Result<CancelStatus, Status> {
        let mut claims = Vec::new();
        for endpoint in &info.endpoint {
            let ticket = endpoint.ticket.as_ref().map(|ticket| ticket.ticket.as_ref()).unwrap_or_default();
            if let Command::TicketStatementQuery(ticket) = command(ticket)? {
                claims.push(self.statements.ticket(principal, &ticket.statement_handle)?);
            }
        }
        if claims.is_empty() {
            return Ok(CancelStatus::NotCancellable);
        }
        for claim in claims {
            self.queries.cancel(&claim.query);
            self.audit(Record::of(principal, "cancel", Asked::of(&claim).shape()), &Ok(()));
        }
        Ok(CancelStatus::Cancelled)
    }
}

fn message<M: Message + Default>(bytes: &[u8], what: impl Display) -> Result<M, Status> {
    M::decode(bytes).map_err(|error| Status::invalid_argument(format!("expected {what}: {error}")))
}

/// A message in an `Any`.
fn packed<M: ProstMessageExt>(bytes: &[u8], what: impl Display) -> Result<M, Status> {
    any(bytes)?.unpack().ok().flatten().ok_or_else(|| Status::invalid_argument(format!("expected {what}")))
}
