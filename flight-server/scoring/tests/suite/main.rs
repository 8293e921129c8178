//! Scoring from the outside: rows and a definition in; models, scores, lanes and a log out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod companies;
mod feedback;
mod functions;
mod place;
mod refused;
mod scored;
mod tampered;
