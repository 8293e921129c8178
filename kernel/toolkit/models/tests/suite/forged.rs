//! Model files of another program's make: their sum fits, and their body is not what Haetae writes. A reason or an answer,
//! never the end of the process and never memory without end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use haetae_models::Error;
use sha2::{Digest, Sha256};

use crate::files::{Kind, kinds};

/// Where the body begins.
fn body(bytes: &[u8]) -> usize {
    28 + u64::from_le_bytes(bytes[12..20].try_into().unwrap()) as usize
}

/// The file with another body, whose length and sum fit.
fn forged(bytes: &[u8], body_of: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let from = body(bytes);
    let mut inner = bytes[from..bytes.len() - 32].to_vec();
    body_of(&mut inner);
    let mut forged = bytes[..from - 8].to_vec();
    forged.extend((inner.len() as u64).to_le_bytes());
    forged.extend(inner);
    let sum = Sha256::digest(&forged);
    forged.extend_from_slice(&sum);
    forged
}

/// Says so where a file ended in a panic.
fn asked(kind: &Kind, what: &str, bytes: &[u8], ended: &mut Vec<String>) {
    let answer = catch_unwind(AssertUnwindSafe(|| (kind.read)(bytes).map(drop)));
    match answer {
        Err(_) => ended.push(format!("{}, {what}", kind.name)),
        Ok(Err(Error::ModelFile { reason })) => {
            assert!(reason.contains("though its sum fits") || reason.contains("longer than"))
        }
        Ok(_) => {}
    }
}

#[test]
fn a_number_of_the_body_may_be_any() {
    let mut ended = Vec::new();
    for kind in kinds() {
        let length = kind.bytes.len() - 32 - body(&kind.bytes);
        let step = (length / 40).max(1);
        // The first numbers are lengths, tags and sizes; behind them a sample.
        for at in (0..length).filter(|at| *at < 64 || at % step == 0) {
            // LightGBM's trees are a text.
            let texts = ["LightGBM", "GBDT+LR", "DATE", "clearance model"].contains(&kind.name);
            for value in if texts { [b'9', b'-', b' ', b'\n', 0xff] } else { [0, 1, 2, 0x7f, 0xff] } {
                let bytes = forged(&kind.bytes, |inner| inner[at] = value);
                asked(&kind, &format!("byte {at} is {value}"), &bytes, &mut ended);
            }
            for value in [u64::MAX, 1 << 33, 0, f64::NAN.to_bits()] {
                if at + 8 <= length {
                    let bytes = forged(&kind.bytes, |inner| inner[at..at + 8].copy_from_slice(&value.to_le_bytes()));
                    asked(&kind, &format!("the number at {at} is {value:x}"), &bytes, &mut ended);
                }
            }
        }
    }
    assert!(ended.is_empty(), "{ended:#?}");
}

#[test]
fn a_body_may_be_short_or_long_or_of_another_kind() {
    let (kinds, mut ended) = (kinds(), Vec::new());
    for (number, kind) in kinds.iter().enumerate() {
        let length = kind.bytes.len() - 32 - body(&kind.bytes);
        for keep in (0..length).step_by((length / 20).max(1)) {
            let bytes = forged(&kind.bytes, |inner| inner.truncate(keep));
            asked(kind, &format!("{keep} bytes"), &bytes, &mut ended);
            assert!((kind.read)(&bytes).is_err(), "{}, {keep} bytes", kind.name);
        }
        let bytes = forged(&kind.bytes, |inner| inner.extend([0; 5]));
        let error = (kind.read)(&bytes).unwrap_err().to_string();
        assert!(error.contains("its body is 5 bytes longer than its kind says"), "{}: {error}", kind.name);
        let other = &kinds[(number + 7) % kinds.len()];
        let from = body(&other.bytes);
        let inner = &other.bytes[from..other.bytes.len() - 32];
        asked(kind, other.name, &forged(&kind.bytes, |own| *own = inner.to_vec()), &mut ended);
    }
    assert!(ended.is_empty(), "{ended:#?}");
}
