//! The server from the outside: real sockets, real clients, the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod certificates;
mod course;
mod ending;
mod exchange;
mod harness;
mod issuer;
mod killed;
mod limits;
mod load;
mod login;
mod metadata;
mod others_scripts;
mod our_client;
mod plans;
mod policy_file;
mod prepared;
mod program;
mod protocol;
mod quality;
mod score;
#[path = "../../warehouse/tests/suite/script.rs"]
mod script;
mod security;
mod sql;
mod statements;
mod transactions;
mod updates;
mod writes;
