//! What goes in: encoded batches, as the buffers of their columns. What comes out: messages that are written to the
//! connection once, without being copied together before.
//!
//! A body that Arrow has in sixty buffers is copied three times on arrow-flight's way: into one piece, into the
//! message, and, where that grows, again. Here it is once, by [`Message::write`].

use arrow::buffer::Buffer;
use arrow::ipc::writer::EncodedData;
use arrow::ipc::{MessageHeader, root_as_message};
use bytes::{BufMut, Bytes};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use tonic::Status;

use crate::Result;

/// Numbers of the fields of `FlightData` in Flight.proto.
const DATA_HEADER: u32 = 2;
const APP_METADATA: u32 = 3;
const DATA_BODY: u32 = 1000;

/// One message of a result: what `FlightData` has, without a descriptor.
#[derive(Default)]
pub(crate) struct Message {
    header: Buffer,
    pub(crate) mark: Bytes,
    /// One after another.
    body: Vec<Buffer>,
    body_bytes: usize,
}

impl Message {
    /// The batch of what a stream of Arrow has for one: each message with its length before it. The schema, which comes
    /// before the first batch, is left out.
    pub(crate) fn of_stream(buffers: Vec<Buffer>) -> Result<Option<Self>, Status> {
        let mut buffers = buffers.into_iter().filter(|buffer| !buffer.is_empty());
        let mut found = None;
        while let Some(prefix) = buffers.next() {
            let length = prefix.get(4..8).and_then(|length| <[u8; 4]>::try_from(length).ok()).ok_or_else(broken)?;
            let header = buffers.next().ok_or_else(broken)?;
            // The length is that of the header with what fills it up.
            take(&mut buffers, (u32::from_le_bytes(length) as usize).checked_sub(header.len()).ok_or_else(broken)?)?;
            let message = root_as_message(&header).map_err(|_| broken())?;
            let body_bytes = usize::try_from(message.bodyLength()).map_err(|_| broken())?;
            let is_schema = message.header_type() == MessageHeader::Schema;
            let body = take(&mut buffers, body_bytes)?;
            if !is_schema {
                found = Some(Self { header, mark: Bytes::new(), body, body_bytes });
            }
        }
        Ok(found)
    }

    /// Bytes of header and body.
    pub(crate) fn bytes(&self) -> usize {
        self.header.len() + self.body_bytes
    }

    #[cfg(test)]
    pub(crate) fn parts(&self) -> usize {
        self.body.len()
    }

    /// How long [`Self::write`] makes it.
    pub(crate) fn encoded_len(&self) -> usize {
        let field =
            |tag, bytes: usize| if bytes == 0 { 0 } else { key_len(tag) + encoded_len_varint(bytes as u64) + bytes };
        field(DATA_HEADER, self.header.len()) + field(APP_METADATA, self.mark.len()) + field(DATA_BODY, self.body_bytes)
    }

    /// The message as protobuf has it.
    pub(crate) fn write(&self, to: &mut impl BufMut) {
        let mut begin = |tag, bytes: usize, parts: &[&[u8]]| {
            if bytes > 0 {
                encode_key(tag, WireType::LengthDelimited, to);
                encode_varint(bytes as u64, to);
                parts.iter().for_each(|part| to.put_slice(part));
            }
        };
        begin(DATA_HEADER, self.header.len(), &[&self.header]);
        begin(APP_METADATA, self.mark.len(), &[&self.mark]);
        let body: Vec<&[u8]> = self.body.iter().map(Buffer::as_slice).collect();
        begin(DATA_BODY, self.body_bytes, &body);
    }
}

/// So many bytes of what is left.
fn take(buffers: &mut impl Iterator<Item = Buffer>, bytes: usize) -> Result<Vec<Buffer>, Status> {
    let (mut taken, mut left) = (Vec::new(), bytes);
    while left > 0 {
        let buffer = buffers.next().ok_or_else(broken)?;
        left = left.checked_sub(buffer.len()).ok_or_else(broken)?;
        taken.push(buffer);
    }
    Ok(taken)
}

fn broken() -> Status {
    Status::internal("a batch was encoded as something that is no Arrow stream; this is a defect of the server")
}

impl From<EncodedData> for Message {
    fn from(data: EncodedData) -> Self {
        let body_bytes = data.arrow_data.len();
        let body = if body_bytes == 0 { Vec::new() } else { vec![Buffer::from(data.arrow_data)] };
        Self { header: Buffer::from(data.ipc_message), mark: Bytes::new(), body, body_bytes }
    }
}

#[cfg(test)]
impl From<Message> for arrow_flight::FlightData {
    fn from(message: Message) -> Self {
        let body: Vec<u8> = message.body.iter().flat_map(|part| part.iter().copied()).collect();
        let header = Bytes::copy_from_slice(&message.header);
        Self::new().with_data_header(header).with_app_metadata(message.mark).with_data_body(body)
    }
}

#[cfg(test)]
mod tests {
    use arrow_flight::FlightData;
    use prost::Message as _;

    use super::*;

    #[test]
    fn it_is_written_as_prost_writes_it() {
        let buffer = |bytes: &[u8]| Buffer::from(bytes);
        let long = vec![7; 100_000];
        for (header, mark, body) in [
            (&b"head"[..], &b""[..], vec![]),
            (&b"head"[..], &b"mark"[..], vec![buffer(b"one"), buffer(b"two"), buffer(&long)]),
            (&b""[..], &b""[..], vec![buffer(&long)]),
            (&b""[..], &b""[..], vec![]),
        ] {
            let body_bytes: usize = body.iter().map(Buffer::len).sum();
            let message =
                Message { header: buffer(header), mark: Bytes::copy_from_slice(mark), body: body.clone(), body_bytes };
            let mut written = Vec::new();
            message.write(&mut written);
            assert_eq!(written.len(), message.encoded_len());
            let expected = FlightData {
                flight_descriptor: None,
                data_header: header.to_vec().into(),
                app_metadata: mark.to_vec().into(),
                data_body: body.iter().flat_map(|part| part.to_vec()).collect::<Vec<u8>>().into(),
            };
            assert_eq!(written, expected.encode_to_vec());
            assert_eq!(FlightData::from(message), expected);
        }
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        for buffers in [vec![b"short".to_vec()], vec![vec![0xff; 8]], vec![vec![0, 0, 0, 0, 8, 0, 0, 0], vec![1; 8]]] {
            let buffers = buffers.into_iter().map(Buffer::from).collect();
            assert!(Message::of_stream(buffers).is_err());
        }
        assert!(Message::of_stream(Vec::new()).unwrap().is_none());
    }
}
