//! One Jupyter message <-> ZeroMQ frames. Bounds are checked first, then the signature, and only
//! then is anything parsed. Specification: Jupyter client documentation, "Messaging in Jupyter",
//! protocol 5.5.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use zeromq::ZmqMessage;

/// Protocol version that the kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.5";
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// A message, either way. Header, parent and content stay JSON: the kernel must carry over fields
/// that it does not know.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Routing prefix of the ZeroMQ peer, empty on iopub (or its topic).
    pub identities: Vec<Bytes>,
    /// `msg_id`, `session`, `username`, `date`, `msg_type`, `version`.
    pub header: Value,
    /// Header of the message that this one answers; `{}` where there is none.
    pub parent: Value,
    /// Front-end metadata.
    pub metadata: Value,
    /// What the message says.
    pub content: Value,
    /// Binary attachments.
    pub buffers: Vec<Bytes>,
}

impl Message {
    /// `msg_type` of the header.
    pub fn kind(&self) -> &str {
        self.header.get("msg_type").and_then(Value::as_str).unwrap_or("")
    }
}

/// Why frames are not a message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// No `<IDS|MSG>` frame.
    #[error("a message has no <IDS|MSG> frame among its {frames}")]
    NoDelimiter {
        /// Frames that came.
        frames: usize,
    },
    /// Fewer than signature, header, parent, metadata, content.
    #[error("a message has {found} frames after <IDS|MSG>, at least 5 are needed")]
    TooShort {
        /// Frames after the delimiter.
        found: usize,
    },
    /// The signature does not fit: another key, or a changed message.
    #[error("a message has a wrong signature")]
    BadSignature,
    /// The header does not say which message this is.
    #[error("the header of a message has no text as {field}")]
    Header {
        /// What is missing.
        field: &'static str,
    },
    /// A frame is not JSON.
    #[error("the {part} of a message is not a JSON object: {reason}")]
    NotJson {
        /// Which frame.
        part: &'static str,
        /// What the parser says.
        reason: String,
    },
}

/// Signs and checks with the key of the connection file; an empty key turns signing off.
#[derive(Clone)]
pub struct Signer(Option<Hmac<Sha256>>);

impl Signer {
    /// A signer for `key`.
    pub fn new(key: &str) -> Self {
        if key.is_empty() {
            return Self(None);
        }
        // An HMAC key may have any length, so this is never an error.
        Self(Hmac::new_from_slice(key.as_bytes()).ok())
    }

    fn mac(&self, frames: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = self.0.clone()?;
        for frame in frames {
            mac.update(frame);
        }
        Some(mac)
    }

    fn sign(&self, frames: &[&[u8]]) -> String {
        self.mac(frames)
            .map(|mac| mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect())
            .unwrap_or_default()
    }

    /// Compares in constant time.
    fn check(&self, frames: &[&[u8]], signature: &[u8]) -> bool {
        let Some(mac) = self.mac(frames) else { return self.0.is_none() };
        from_hex(signature).is_some_and(|bytes| mac.verify_slice(&bytes).is_ok())
    }
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Frames -> message.
pub fn parse(frames: ZmqMessage, signer: &Signer) -> Result<Message, EnvelopeError> {
    let mut frames = frames.into_vec();
    let delimiter = frames
        .iter()
        .position(|frame| &frame[..] == DELIMITER)
        .ok_or(EnvelopeError::NoDelimiter { frames: frames.len() })?;
    let mut rest = frames.split_off(delimiter + 1);
    if rest.len() < 5 {
        return Err(EnvelopeError::TooShort { found: rest.len() });
    }
    frames.truncate(delimiter);
    let buffers = rest.split_off(5);
    let signed: Vec<&[u8]> = rest[1..].iter().map(|frame| &frame[..]).collect();
    if !signer.check(&signed, &rest[0]) {
        return Err(EnvelopeError::BadSignature);
    }
    let object = |part: &'static str, frame: &[u8]| match serde_json::from_slice(frame) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(EnvelopeError::NotJson { part, reason: format!("found {other}") }),
        Err(error) => Err(EnvelopeError::NotJson { part, reason: error.to_string() }),
    };
    let header = object("header", &rest[1])?;
    // Every answer carries the header back: what clients could not look up must not reach them.
    for field in ["msg_id", "msg_type"] {
        if !header[field].is_string() {
            return Err(EnvelopeError::Header { field });
        }
    }
    Ok(Message {
        identities: frames,
        header,
        parent: object("parent header", &rest[2])?,
        metadata: object("metadata", &rest[3])?,
        content: object("content", &rest[4])?,
        buffers,
    })
}

/// Message -> frames.
pub fn frames(message: &Message, signer: &Signer) -> ZmqMessage {
    let parts: Vec<Vec<u8>> = [&message.header, &message.parent, &message.metadata, &message.content]
        .map(|value| value.to_string().into_bytes())
        .into();
    let signed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let signature = signer.sign(&signed);
    let mut all: Vec<Bytes> = message.identities.clone();
    all.push(Bytes::from_static(DELIMITER));
    all.push(Bytes::from(signature));
    all.extend(parts.into_iter().map(Bytes::from));
    all.extend(message.buffers.iter().cloned());
    ZmqMessage::try_from(all).unwrap_or_else(|_| ZmqMessage::from(""))
}

/// A new message of this kernel.
pub fn new_message(kind: &str, session: &str, parent: &Value, content: Value) -> Message {
    Message {
        identities: Vec::new(),
        header: json!({
            "msg_id": uuid::Uuid::new_v4().to_string(),
            "session": session,
            "username": "haetae",
            "date": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            "msg_type": kind,
            "version": PROTOCOL_VERSION,
        }),
        parent: parent.clone(),
        metadata: Value::Object(Map::new()),
        content,
        buffers: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let mut message = new_message("execute_request", "s", &json!({}), json!({"code": "1"}));
        message.identities = vec![Bytes::from_static(b"peer")];
        message.buffers = vec![Bytes::from_static(b"raw")];
        message
    }

    #[test]
    fn a_message_survives_the_way() {
        let signer = Signer::new("key");
        let back = parse(frames(&message(), &signer), &signer).unwrap();
        assert_eq!(back.kind(), "execute_request");
        assert_eq!(back.content, json!({"code": "1"}));
        assert_eq!((back.identities.len(), back.buffers.len()), (1, 1));
    }

    #[test]
    fn bounds_come_before_the_signature_and_that_before_json() {
        let signer = Signer::new("key");
        let parts = |parts: &[&[u8]]| {
            let parts: Vec<Bytes> = parts.iter().map(|p| Bytes::copy_from_slice(p)).collect();
            parse(ZmqMessage::try_from(parts).unwrap(), &signer).unwrap_err()
        };
        assert_eq!(parts(&[b"x"]), EnvelopeError::NoDelimiter { frames: 1 });
        assert_eq!(parts(&[DELIMITER]), EnvelopeError::TooShort { found: 0 });
        assert_eq!(parts(&[DELIMITER, b"", b"{}", b"{}", b"{}"]), EnvelopeError::TooShort { found: 4 });
        assert_eq!(parts(&[DELIMITER, b"zz", b"{}", b"{}", b"{}", b"{}"]), EnvelopeError::BadSignature);
        let good = signer.sign(&[b"[]", b"{}", b"{}", b"{}"]);
        let error = parts(&[DELIMITER, good.as_bytes(), b"[]", b"{}", b"{}", b"{}"]);
        assert!(matches!(error, EnvelopeError::NotJson { part: "header", .. }));
        let header = br#"{"msg_id": ["1"], "msg_type": "a"}"#;
        let good = signer.sign(&[header, b"{}", b"{}", b"{}"]);
        let error = parts(&[DELIMITER, good.as_bytes(), header, b"{}", b"{}", b"{}"]);
        assert_eq!(error, EnvelopeError::Header { field: "msg_id" });
    }

    #[test]
    fn another_key_is_refused_and_an_empty_key_signs_nothing() {
        let frames_of = |key: &str| frames(&message(), &Signer::new(key));
        assert_eq!(parse(frames_of("a"), &Signer::new("b")).unwrap_err(), EnvelopeError::BadSignature);
        assert!(parse(frames_of(""), &Signer::new("")).is_ok());
    }
}
