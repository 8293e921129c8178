//! What goes in: a Parquet or Arrow file from outside. What comes out: an error where it claims more than it
//! has, before a reader believes it: a claimed size is allocated, and a failed allocation ends the process.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::ipc::{RecordBatch, root_as_footer, root_as_message};
use parquet::file::metadata::ParquetMetaData;

use super::thrift::{self, Fault};

/// The largest piece that is unpacked at a time: a page of Parquet, a buffer of Arrow.
const PIECE_BYTES: u64 = 512 << 20;
/// The largest header of a page, the largest description of a message.
const HEADER_BYTES: u64 = 16 << 20;
/// How many groups of a schema may lie within one another: readers go into them by recursion, and a stack that is too
/// small for it ends the process.
const GROUPS: usize = 64;
/// What is read first of a header: most are smaller.
const FIRST_BYTES: u64 = 4 << 10;

type Checked<T = ()> = Result<T, String>;

/// What the readers do with bytes that nobody foresaw is an error of the file, not the end of the process.
pub(crate) fn no_panic<T, E: std::fmt::Display>(read: impl FnOnce() -> Result<T, E>) -> Checked<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("its parts contradict one another".to_owned()),
    }
}

fn bytes(file: &File, at: u64, count: u64) -> Checked<Vec<u8>> {
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    if at.checked_add(count).is_none_or(|end| end > size) {
        return Err(format!("it claims {count} bytes at {at}, and has {size} in all"));
    }
    let mut found = vec![0; count as usize];
    file.read_exact_at(&mut found, at).map_err(|error| error.to_string())?;
    Ok(found)
}

fn number(bytes: &[u8]) -> i32 {
    bytes.try_into().map_or(0, i32::from_le_bytes)
}

fn size(file: &File) -> Checked<u64> {
    Ok(file.metadata().map_err(|error| error.to_string())?.len())
}

/// Checks the footer of a Parquet file before it is parsed.
pub(crate) fn parquet_footer(file: &File) -> Checked {
    let end = size(file)?;
    let tail = bytes(file, end.saturating_sub(8), 8)?;
    if &tail[4..] != b"PAR1" {
        return Err("it does not end as one: it is cut off, or was never finished".to_owned());
    }
    let length = u64::try_from(number(&tail[..4])).map_err(|_| "a footer of negative length".to_owned())?;
    let start = (end - 8).checked_sub(length).ok_or_else(|| format!("a footer of {length} bytes in {end}"))?;
    let footer = thrift::read(&bytes(file, start, length)?).map_err(|fault| match fault {
        Fault::Short => "its footer ends too early".to_owned(),
        Fault::Wrong(what) => format!("its footer has {what}"),
    })?;
    schema(&footer.children)
}

/// Checks the schema of a footer: for each element, the number of those right below it.
fn schema(children: &[i32]) -> Checked {
    // Each but the root is below one.
    let mut left = children.len().saturating_sub(1);
    // How many elements are still to come in each group that the place is in.
    let mut open: Vec<usize> = Vec::new();
    for count in children {
        while open.pop_if(|to_come| *to_come == 0).is_some() {}
        if let Some(to_come) = open.last_mut() {
            *to_come -= 1;
        }
        let count = usize::try_from(*count).map_err(|_| format!("its schema has a group of {count} columns"))?;
        left = left.checked_sub(count).ok_or_else(|| {
            format!("its schema has a group of {count} columns, more than all its {} elements leave", children.len())
        })?;
        open.push(count);
        if open.len() > GROUPS {
            return Err(format!("its schema has groups nested more than {GROUPS} deep"));
        }
    }
    Ok(())
}

/// Checks the header of each page.
pub(crate) fn parquet_pages(file: &File, metadata: &ParquetMetaData) -> Checked {
    let end = size(file)?;
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let (start, length) = column.byte_range();
        let stop = start.checked_add(length).filter(|stop| *stop <= end);
        let stop = stop.ok_or_else(|| format!("a column of {length} bytes at {start}, and it has {end} in all"))?;
        let mut at = start;
        while at < stop {
            at = page(file, at, stop)?;
        }
    }
    Ok(())
}

/// Checks the page at a place and returns the place of the next.
fn page(file: &File, at: u64, stop: u64) -> Checked<u64> {
    let header = match thrift::read(&bytes(file, at, FIRST_BYTES.min(stop - at))?) {
        Err(Fault::Short) => thrift::read(&bytes(file, at, HEADER_BYTES.min(stop - at))?),
        done => done,
    };
    let header = header.map_err(|fault| match fault {
        Fault::Short => format!("the page at {at} ends too early"),
        Fault::Wrong(what) => format!("the page at {at} has {what}"),
    })?;
    let claim = |path: &[i16]| header.get(path).and_then(|value| u64::try_from(value).ok());
    let (Some(unpacked), Some(packed)) = (claim(&[2]), claim(&[3])) else {
        return Err(format!("the page at {at} has no size"));
    };
    if unpacked > PIECE_BYTES {
        return Err(format!("the page at {at} claims {unpacked} bytes; at most {PIECE_BYTES} are unpacked at a time"));
    }
    // Field 7 is the header of a dictionary, whose values have at least one byte each.
    if claim(&[7, 1]).is_some_and(|values| values > unpacked) {
        return Err(format!("the dictionary at {at} claims more values than bytes"));
    }
    let next = (at + header.bytes as u64).checked_add(packed).filter(|next| *next <= stop);
    next.ok_or_else(|| format!("the page at {at} claims {packed} bytes, more than its column has"))
}

/// Checks the messages of an Arrow stream.
pub(super) fn arrow_stream(file: &File) -> Checked {
    let end = size(file)?;
    let mut at = 0;
    while at + 8 <= end {
        let head = bytes(file, at, 8)?;
        let length = number(&head[4..]);
        if head[..4] != [0xFF; 4] {
            return Err(format!("no message begins at {at}"));
        }
        if length == 0 {
            return Ok(());
        }
        at = message(file, at + 8, i64::from(length), end)?;
    }
    if at == end { Ok(()) } else { Err(format!("it breaks off in the message at {at}")) }
}

/// Checks the footer of an Arrow file, and the messages that it points to.
pub(super) fn arrow_file(file: &File) -> Checked {
    let end = size(file)?;
    let tail = bytes(file, end.saturating_sub(10), 10)?;
    if &tail[4..] != b"ARROW1" {
        return Err("it does not end as one: it is cut off, or was never finished".to_owned());
    }
    let length = u64::try_from(number(&tail[..4])).map_err(|_| "a footer of negative length".to_owned())?;
    let start = (end - 10).checked_sub(length).ok_or_else(|| format!("a footer of {length} bytes in {end}"))?;
    let footer = bytes(file, start, length)?;
    let footer = root_as_footer(&footer).map_err(|error| format!("its footer cannot be read: {error}"))?;
    let lists = [footer.dictionaries(), footer.recordBatches()];
    for block in lists.into_iter().flatten().flat_map(|list| list.iter()) {
        let at = u64::try_from(block.offset()).map_err(|_| "a message before its start".to_owned())?;
        let claimed = u64::try_from(block.bodyLength()).ok().zip(u64::try_from(block.metaDataLength()).ok());
        let Some((body, meta)) = claimed.filter(|(body, meta)| body.checked_add(*meta).is_some_and(|all| all <= end))
        else {
            return Err(format!("the message at {at} claims more bytes than the file has"));
        };
        let head = bytes(file, at, 8)?;
        // Before version 0.15 of the format a message had no marker before its length.
        let skip = if head[..4] == [0xFF; 4] { 8 } else { 4 };
        let length = meta.checked_sub(skip).ok_or_else(|| format!("the message at {at} has no description"))?;
        let after = message(file, at + skip, length as i64, end)?;
        if after != at + meta + body {
            return Err(format!("the message at {at} is not as long as the footer says"));
        }
    }
    Ok(())
}

/// Checks the message whose description of `length` bytes is at a place; returns where its body ends.
fn message(file: &File, at: u64, length: i64, end: u64) -> Checked<u64> {
    let length = u64::try_from(length).map_err(|_| format!("the message at {at} has a negative length"))?;
    if length > HEADER_BYTES {
        return Err(format!("the message at {at} claims a description of {length} bytes"));
    }
    let described = bytes(file, at, length)?;
    let message =
        root_as_message(&described).map_err(|error| format!("the message at {at} cannot be read: {error}"))?;
    let body = u64::try_from(message.bodyLength()).unwrap_or(u64::MAX);
    let start = at + length;
    let after = start.checked_add(body).filter(|after| *after <= end);
    let after = after.ok_or_else(|| format!("the message at {at} claims a body that the file does not have"))?;
    let dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    if let Some(batch) = message.header_as_record_batch().or(dictionary) {
        buffers(file, &batch, start, body)?;
    }
    Ok(after)
}

/// Checks the buffers of a batch. A compressed one begins with the size that it claims to have unpacked.
fn buffers(file: &File, batch: &RecordBatch<'_>, start: u64, body: u64) -> Checked {
    let mut unpacked = 0_u64;
    for buffer in batch.buffers().into_iter().flat_map(|buffers| buffers.iter()) {
        let place = u64::try_from(buffer.offset()).ok().zip(u64::try_from(buffer.length()).ok());
        let inside = place.filter(|(offset, length)| offset.checked_add(*length).is_some_and(|stop| stop <= body));
        let Some((offset, length)) = inside else {
            return Err(format!("a buffer of the message before {start} lies outside of it"));
        };
        if batch.compression().is_some() && length >= 8 {
            let claimed: [u8; 8] = bytes(file, start + offset, 8)?.try_into().unwrap_or_default();
            // Minus one means that it is not compressed.
            unpacked = unpacked.saturating_add(u64::try_from(i64::from_le_bytes(claimed)).unwrap_or(length));
        }
    }
    if unpacked > PIECE_BYTES {
        return Err(format!(
            "the message before {start} claims {unpacked} bytes; at most {PIECE_BYTES} are unpacked at a time"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn checked(header: &[u8]) -> Checked<u64> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(header).unwrap();
        page(&file, 0, header.len() as u64)
    }

    #[test]
    fn groups_of_a_schema_are_not_nested_without_end() {
        let chain = |depth: usize| [vec![1; depth - 1], vec![0]].concat();
        assert_eq!(schema(&chain(GROUPS)), Ok(()));
        assert_eq!(schema(&chain(GROUPS + 1)), Err("its schema has groups nested more than 64 deep".to_owned()));
        // Groups beside one another are not within one another.
        assert_eq!(schema(&[&[200][..], &[1, 0].repeat(200)].concat()), Ok(()));
        assert_eq!(schema(&[]), Ok(()));
        assert!(schema(&[2, 1, 0]).is_err_and(|what| what.contains("a group of 1 columns, more than all its 3")));
        assert!(schema(&[i32::MAX, 0]).is_err_and(|what| what.contains("a group of 2147483647 columns")));
        assert!(schema(&[-1]).is_err_and(|what| what.contains("a group of -1 columns")));
    }

    #[test]
    fn a_page_is_as_large_as_it_is() {
        // Fields 1 to 3: kind 0, sizes 1 and 1, and one byte of content.
        assert_eq!(checked(&[0x15, 0x00, 0x15, 0x02, 0x15, 0x02, 0x00, 0xAA]), Ok(8));
        let bomb = checked(&[0x15, 0x00, 0x15, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0x15, 0x02, 0x00, 0xAA]);
        assert!(bomb.is_err_and(|what| what.starts_with("the page at 0 claims 2147483647 bytes; at most")));
        let dictionary = checked(&[0x15, 0x04, 0x15, 0x02, 0x15, 0x02, 0x4C, 0x15, 0x7E, 0x00, 0x00, 0xAA]);
        assert_eq!(dictionary, Err("the dictionary at 0 claims more values than bytes".to_owned()));
        let outside = checked(&[0x15, 0x00, 0x15, 0x02, 0x15, 0x04, 0x00, 0xAA]);
        assert!(outside.is_err_and(|what| what.ends_with("more than its column has")));
        assert!(checked(&[0x15, 0x00]).is_err_and(|what| what == "the page at 0 ends too early"));
    }
}
