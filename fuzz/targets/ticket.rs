//! Tickets and tokens to the server.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| haetae_fuzz::wire::ticket(input));
