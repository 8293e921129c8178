//! What goes in: calls as HTTP/2 brings them. What comes out: the same, answered: DoGet by messages that are written once,
//! every other call as arrow-flight does it.
//!
//! The generated service takes `FlightData`, whose body is one piece, and copies it into the message. Most bytes of a
//! server go out through this one call.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow_flight::Ticket;
use arrow_flight::flight_service_server::FlightServiceServer;
use futures::stream::BoxStream;
use prost::Message as _;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service as _, http};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};

use crate::Result;
use crate::message::Message;
use crate::server::REQUEST_BYTES;
use crate::service::Service;

const DO_GET: &str = "/arrow.flight.protocol.FlightService/DoGet";

/// The Flight service of a server.
#[derive(Clone)]
pub(crate) struct Wire {
    service: Arc<Service>,
    others: FlightServiceServer<Service>,
}

impl Wire {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        let others = FlightServiceServer::from_arc(Arc::clone(&service)).max_decoding_message_size(REQUEST_BYTES);
        Self { service, others }
    }
}

impl NamedService for Wire {
    const NAME: &'static str = FlightServiceServer::<Service>::NAME;
}

impl tonic::codegen::Service<http::Request<Body>> for Wire {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != DO_GET {
            return self.others.call(request);
        }
        let rows = Rows(Arc::clone(&self.service));
        Box::pin(async move {
            let mut call = Grpc::new(Tickets).max_decoding_message_size(REQUEST_BYTES);
            Ok(call.server_streaming(rows, request).await)
        })
    }
}

struct Rows(Arc<Service>);

impl ServerStreamingService<Ticket> for Rows {
    type Response = Message;
    type ResponseStream = BoxStream<'static, Result<Message, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Ticket>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.answer(request).await.map(Response::new) })
    }
}

/// Tickets come in, messages go out.
struct Tickets;

impl Codec for Tickets {
    type Encode = Message;
    type Decode = Ticket;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Tickets {
    type Item = Message;
    type Error = Status;

    fn encode(&mut self, message: Message, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // At once: a buffer that grows is copied each time.
        to.reserve(message.encoded_len());
        message.write(to);
        Ok(())
    }
}

impl Decoder for Tickets {
    type Item = Ticket;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Ticket>, Status> {
        Ticket::decode(from).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
