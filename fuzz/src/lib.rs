//! What goes in: bytes that a fuzzer has made up. What comes out: nothing, or the end of the process, where a file, a
//! message, a command or a ticket did what none may do.
//!
//! `make fuzz` runs it; without a fuzzer nothing calls it. A panic of our own code ends the process at once, caught or
//! not. One of a library does where nothing catches it: the readers and the server turn those into errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod panics;
pub mod readers;
pub mod wire;
