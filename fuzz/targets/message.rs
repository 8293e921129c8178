//! XML messages of import declarations.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| haetae_fuzz::readers::message(input));
