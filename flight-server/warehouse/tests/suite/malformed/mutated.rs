//! Thousands of files made of good ones by a few changes each, drawn from a seed: the same in every run.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a reader may trip over, put in at any place.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\"\"",
    b",",
    b",,,,",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xC3\x28",
    b"\xF0\x9F\x92\xA9",
    b"1e400",
    b"-1e-400",
    b"NaN",
    b"9223372036854775808",
    b"0000-00-00",
    b"9999-12-31",
    b"\xFF\xFF\xFF\xFF",
    b"\xFF\xFF\xFF\x7F",
    b"\x00\x00\x00\x80",
    b"PAR1",
    b"ARROW1",
    b"\x15\x00\x15\xFF\xFF\xFF\xFF\x0F",
];

/// `good` with one to four changes.
pub fn mutated(good: &[u8], seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        change(&mut bytes, &mut rng);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    if bytes.is_empty() {
        bytes.extend(PIECES[rng.random_range(0..PIECES.len())]);
        return;
    }
    let at = rng.random_range(0..bytes.len());
    let until = (at + 1 + rng.random_range(0..64)).min(bytes.len());
    let piece = PIECES[rng.random_range(0..PIECES.len())];
    match rng.random_range(0..8) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => bytes[at] = rng.random_range(0..=255),
        2 => drop(bytes.splice(at..at, piece.iter().copied())),
        3 => drop(bytes.splice(at..until, piece.iter().copied())),
        4 => drop(bytes.drain(at..until)),
        5 => {
            let again = bytes[at..until].to_vec();
            drop(bytes.splice(at..at, again));
        }
        6 => {
            let from = rng.random_range(0..bytes.len());
            let moved: Vec<u8> = bytes[from..].iter().copied().take(until - at).collect();
            bytes[at..at + moved.len().min(until - at)].copy_from_slice(&moved);
        }
        _ => bytes.truncate(at),
    }
}
