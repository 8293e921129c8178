//! What goes in: Flight calls. What comes out: Flight answers.
//!
//! The Flight service is written out here, not generated from arrow-flight's `FlightSqlService`,
//! because that one lets nobody answer GetSchema, and names actions that the server does not have.

use std::pin::Pin;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tonic::{Request, Response, Status, Streaming};

use crate::actions::ACTIONS;
use crate::auth::basic_credentials;
use crate::certificate::fingerprint;
use crate::message::Message;
use crate::running::guarded;
use crate::service::{Caller, Service};
use crate::statements::schema_message;
use crate::{Result, status};

type Answers<T> = Pin<Box<dyn futures::Stream<Item = Result<T, Status>> + Send>>;
type Reply<T> = Result<Response<T>, Status>;

impl Service {
    /// Fails for a stranger.
    async fn known<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let caller =
            Caller { headers: request.metadata(), peer: request.remote_addr(), certificate: fingerprint(request) };
        self.principal(&caller).await.map(drop)
    }
}

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<arrow_flight::Result>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    async fn handshake(&self, request: Request<Streaming<HandshakeRequest>>) -> Reply<Self::HandshakeStream> {
        guarded("the login", async {
            let peer = request.remote_addr();
            let (headers, _, mut messages) = request.into_parts();
            // Clients that log in by header need not send a message.
            let payload = if basic_credentials(&headers).is_some() { None } else { messages.message().await? };
            let response = self.log_in(&headers, &payload.unwrap_or_default().payload, peer).await?;
            Ok(response.map(|answer| stream::iter([Ok(answer)]).boxed() as Self::HandshakeStream))
        })
        .await
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Reply<FlightInfo> {
        let (peer, certificate) = (request.remote_addr(), fingerprint(&request));
        let (headers, _, descriptor) = request.into_parts();
        guarded("planning the query", self.info(Caller { headers: &headers, peer, certificate }, &descriptor))
            .await
            .map(Response::new)
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Reply<SchemaResult> {
        let (peer, certificate) = (request.remote_addr(), fingerprint(&request));
        let (headers, _, descriptor) = request.into_parts();
        guarded("planning the query", async {
            let schema =
                self.info(Caller { headers: &headers, peer, certificate }, &descriptor).await?.try_decode_schema();
            let schema = schema.map_err(status::internal("describe the columns"))?;
            Ok(Response::new(SchemaResult { schema: schema_message(&schema.into())? }))
        })
        .await
    }

    async fn do_get(&self, _request: Request<Ticket>) -> Reply<Self::DoGetStream> {
        Err(past_the_wire())
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Reply<Self::DoPutStream> {
        let (peer, certificate) = (request.remote_addr(), fingerprint(&request));
        let (headers, _, data) = request.into_parts();
        let app_metadata =
            guarded("taking over the values", self.put(Caller { headers: &headers, peer, certificate }, data)).await?;
        Ok(Response::new(stream::iter([Ok(PutResult { app_metadata })]).boxed()))
    }

    async fn do_action(&self, request: Request<Action>) -> Reply<Self::DoActionStream> {
        let (peer, certificate) = (request.remote_addr(), fingerprint(&request));
        let (headers, _, action) = request.into_parts();
        let results =
            guarded("the action", self.action(Caller { headers: &headers, peer, certificate }, action)).await?;
        let results = results.into_iter().map(|body| Ok(arrow_flight::Result { body }));
        Ok(Response::new(stream::iter(results.collect::<Vec<_>>()).boxed()))
    }

    async fn list_actions(&self, request: Request<Empty>) -> Reply<Self::ListActionsStream> {
        self.known(&request).await?;
        let known =
            ACTIONS.map(|(name, text)| Ok(ActionType { r#type: name.to_owned(), description: text.to_owned() }));
        Ok(Response::new(stream::iter(known).boxed()))
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Reply<Self::ListFlightsStream> {
        self.known(&request).await?;
        Err(Status::unimplemented("there are no named flights; ask for tables with CommandGetTables, or query them"))
    }

    /// A statement is only planned before its ticket is redeemed, which takes no polling: the first answer is
    /// the last one.
    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Reply<PollInfo> {
        let (peer, certificate) = (request.remote_addr(), fingerprint(&request));
        let (headers, _, descriptor) = request.into_parts();
        let info =
            guarded("planning the query", self.info(Caller { headers: &headers, peer, certificate }, &descriptor))
                .await?;
        let expiration_time = info.endpoint.first().and_then(|endpoint| endpoint.expiration_time);
        Ok(Response::new(PollInfo { info: Some(info), flight_descriptor: None, progress: Some(1.0), expiration_time }))
    }

    async fn do_exchange(&self, _request: Request<Streaming<FlightData>>) -> Reply<Self::DoExchangeStream> {
        Err(past_the_wire())
    }
}

impl Service {
    /// The rows of a ticket, as they are written to the connection.
    pub(crate) async fn answer(
        &self,
        request: Request<Ticket>,
    ) -> Result<BoxStream<'static, Result<Message, Status>>, Status> {
        let (peer, certificate) = (request.remote_addr(), fingerprint(&request));
        let (headers, _, ticket) = request.into_parts();
        guarded("the query", self.rows(Caller { headers: &headers, peer, certificate }, &ticket.ticket)).await
    }
}

/// For what `Wire` answers, so that no such call comes here.
fn past_the_wire() -> Status {
    Status::internal("the call has come past the place where it is answered; this is a defect of the server")
}
