//! The Jupyter protocol: envelopes in and out ([`envelope`]), sockets ([`sockets`]), and what this
//! kernel says of itself ([`about`]).

pub mod about;
pub mod envelope;
pub mod sockets;
