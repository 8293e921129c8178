//! What goes in: a file. What comes out: its chunks, which another thread reads and checks while this one works at
//! those before.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::check::check;
use super::chunk::{Chunk, Failure};
use super::layout::Layout;
use super::source::Opened;
use crate::Result;

/// A chunk whose rows have been held against the rules.
pub(super) struct Checked {
    pub(super) chunk: Chunk,
    /// For each row the first rule that it breaks.
    pub(super) failures: Vec<Option<Failure>>,
    /// How much of the file is read, and of how much.
    pub(super) progress: (u64, u64),
}

/// Gives the chunks of a file to `each` in their order.
pub(super) fn read(path: &Path, layout: &Layout, mut each: impl FnMut(Checked) -> Result<()>) -> Result<()> {
    thread::scope(|scope| {
        // One chunk is made while one is worked at: memory has a bound.
        let (send, receive) = sync_channel(0);
        // Nobody listens any longer where `each` has failed.
        let ahead = move || chunks(path, layout, |checked| Ok(send.send(checked).is_ok()));
        let Ok(reader) = thread::Builder::new().spawn_scoped(scope, ahead) else {
            // No thread is to be had: first one, then the other.
            return chunks(path, layout, |checked| each(checked).map(|()| true));
        };
        let worked = receive.into_iter().try_for_each(&mut each);
        // Before an error is returned: the scope would put a panic in its place.
        let read = reader.join();
        worked?;
        read.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Reads on as long as `give` returns true.
fn chunks(path: &Path, layout: &Layout, mut give: impl FnMut(Checked) -> Result<bool>) -> Result<()> {
    let mut file = Opened::open(path, layout)?;
    while let Some(mut chunk) = file.next_chunk()? {
        let failures = check(layout, &mut chunk)?;
        if !give(Checked { chunk, failures, progress: file.progress() })? {
            break;
        }
    }
    Ok(())
}
