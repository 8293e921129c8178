//! What goes in: the headers or the payload of a request. What comes out: what a client says of itself.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use tonic::metadata::MetadataMap;

/// Go clients, ADBC's among them, leave the padding out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Name and password of a Basic `authorization` header, if there is one.
pub(crate) fn basic_credentials(headers: &MetadataMap) -> Option<(String, String)> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let decoded = LENIENT.decode(strip_scheme(value, "Basic")?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Name and password of the payload of a Flight handshake (`BasicAuth` of Flight.proto).
pub(crate) fn payload_credentials(payload: &[u8]) -> Option<(String, String)> {
    let auth = <arrow_flight::BasicAuth as prost::Message>::decode(payload).ok()?;
    (!auth.username.is_empty()).then_some((auth.username, auth.password))
}

/// What follows the name of an authentication scheme, which is not case-sensitive.
pub(super) fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = value.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn basic_headers_are_read() {
        let mut headers = MetadataMap::new();
        headers.insert("authorization", format!("Basic {}", STANDARD.encode("me:a:b")).parse().unwrap());
        assert_eq!(basic_credentials(&headers), Some(("me".into(), "a:b".into())));
        assert_eq!(basic_credentials(&MetadataMap::new()), None);
    }
}
