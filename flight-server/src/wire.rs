//! What goes in: calls as HTTP/2 brings them. What comes out: the same, answered: DoGet and
//! DoExchange by messages that are written once, every other call as arrow-flight does it.
//!
//! The generated service takes `FlightData`, whose body is one piece, and copies it into the message. Most bytes of a
//! server go out through these two calls. An exchange also holds the service, which it asks again for each answer.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow_flight::flight_service_server::FlightServiceServer;
use arrow_flight::{FlightData, Ticket};
use futures::stream::BoxStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, http};
use tonic::server::{Grpc, NamedService, ServerStreamingService, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use crate::Result;
use crate::message::Message;
use crate::server::REQUEST_BYTES;
use crate::service::Service;

const DO_GET: &str = "/arrow.flight.protocol.FlightService/DoGet";
const DO_EXCHANGE: &str = "/arrow.flight.protocol.FlightService/DoExchange";

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
        let service = Arc::clone(&self.service);
        match request.uri().path() {
            DO_GET => Box::pin(async move { Ok(calls::<Ticket>().server_streaming(Rows(service), request).await) }),
            DO_EXCHANGE => {
                Box::pin(async move { Ok(calls::<FlightData>().streaming(Exchanges(service), request).await) })
            }
            _ => tonic::codegen::Service::call(&mut self.others, request),
        }
    }
}

fn calls<T: prost::Message + Default + 'static>() -> Grpc<Messages<T>> {
    Grpc::new(Messages(PhantomData)).max_decoding_message_size(REQUEST_BYTES)
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

struct Exchanges(Arc<Service>);

impl StreamingService<FlightData> for Exchanges {
    type Response = Message;
    type ResponseStream = BoxStream<'static, Result<Message, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<FlightData>>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.exchanged(request).await.map(Response::new) })
    }
}

/// `T` comes in, messages go out.
struct Messages<T>(PhantomData<T>);

impl<T: prost::Message + Default + 'static> Codec for Messages<T> {
    type Encode = Message;
    type Decode = T;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(PhantomData)
    }

    fn decoder(&mut self) -> Self {
        Self(PhantomData)
    }
}

impl<T: prost::Message> Encoder for Messages<T> {
    type Item = Message;
    type Error = Status;

    fn encode(&mut self, message: Message, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // At once: a buffer that grows is copied each time.
        to.reserve(message.encoded_len());
        message.write(to);
        Ok(())
    }
}

impl<T: prost::Message + Default> Decoder for Messages<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        T::decode(from).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
