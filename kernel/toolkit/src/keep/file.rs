//! A frame and a note <-> an Arrow IPC stream in a file. Reading maps the file into memory: the frame's
//! buffers are those of the file.

use crate::{Error, Result, frame};
use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use polars::frame::DataFrame;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

/// Key of the note among the schema's metadata.
const NOTE: &str = "haetae";

pub(super) fn write(path: &Path, frame: &DataFrame, note: &str) -> Result<()> {
    let failed = |source| Error::Handover { path: path.display().to_string(), source };
    let (schema, batches) = frame::to_batches(frame)?;
    let schema = schema.with_metadata(HashMap::from([(NOTE.to_owned(), note.to_owned())]));
    let file = BufWriter::with_capacity(1 << 20, File::create(path).map_err(failed)?);
    let mut writer = StreamWriter::try_new(file, &schema)?;
    for batch in batches {
        writer.write(&batch?)?;
    }
    writer.finish()?;
    Ok(())
}

/// The frame in a file of this process's kernel, and its note.
pub(crate) fn read(path: &Path) -> Result<(DataFrame, String)> {
    let failed = |source| Error::Handover { path: path.display().to_string(), source };
    let file = File::open(path).map_err(failed)?;
    // SAFETY: kernel and worker alone write into this folder, and neither changes a file once it has its name.
    let map = Arc::new(unsafe { memmap2::Mmap::map(&file) }.map_err(failed)?);
    let mut rest = match NonNull::new(map.as_ptr().cast_mut()) {
        // SAFETY: the buffer owns the mapping, which is as long as this and never moves.
        Some(start) => unsafe { Buffer::from_custom_allocation(start, map.len(), map.clone()) },
        None => Buffer::from(Vec::<u8>::new()),
    };
    // SAFETY: the file is a whole one that Arrow's own writer made; checking its texts would read all of it.
    let mut decoder = unsafe { StreamDecoder::new().with_skip_validation(true) };
    let mut batches = Vec::new();
    while !rest.is_empty() {
        batches.extend(decoder.decode(&mut rest)?);
    }
    decoder.finish()?;
    let schema = decoder
        .schema()
        .ok_or_else(|| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, "the file is empty")))?;
    let note = schema.metadata().get(NOTE).cloned().unwrap_or_default();
    Ok((frame::of_layout(&schema, &batches)?, note))
}
