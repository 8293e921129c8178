//! What goes in: a file. What comes out: its chunks, which another thread reads and checks while this one works at
//! those before.

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
        // One chunk is made, one waits, one is worked at: memory has a bound.
        let (send, receive) = sync_channel(1);
        scope.spawn(move || {
            // Nobody listens any longer where `each` has failed.
            let read = chunks(path, layout, |checked| send.send(Ok(checked)).is_ok());
            if let Err(error) = read {
                drop(send.send(Err(error)));
            }
        });
        receive.into_iter().try_for_each(|checked| each(checked?))
    })
}

fn chunks(path: &Path, layout: &Layout, mut give: impl FnMut(Checked) -> bool) -> Result<()> {
    let mut file = Opened::open(path, layout)?;
    while let Some(mut chunk) = file.next_chunk()? {
        let failures = check(layout, &mut chunk)?;
        if !give(Checked { chunk, failures, progress: file.progress() }) {
            break;
        }
    }
    Ok(())
}
