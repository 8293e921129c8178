//! CSV files.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| haetae_fuzz::readers::table(input, haetae_fuzz::readers::is_text));
