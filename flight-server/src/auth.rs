//! What goes in: name and password, once; then a bearer token with every request. What comes out:
//! the principal, or a refusal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::{Result, random};

/// The one user of the embedded server.
pub const USER: &str = "haetae";

/// More tokens than this are never kept: the oldest go first.
const TOKENS_KEPT: usize = 10_000;

/// Knows the password and the tokens that were given out for it.
pub(crate) struct Auth {
    password: String,
    key: [u8; 64],
    life: Duration,
    /// By hash of the token: what is looked up says nothing about the tokens that exist.
    tokens: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Auth {
    pub(crate) fn new(password: String, life: Duration) -> Result<Self> {
        Ok(Self { password, key: random::bytes()?, life, tokens: Mutex::new(HashMap::new()) })
    }

    /// A new bearer token for the right name and password.
    pub(crate) fn log_in(&self, user: &str, password: &str) -> Result<String, Status> {
        // Both parts are always compared, and in constant time.
        let user_fits = self.equal(user, USER);
        let password_fits = self.equal(password, &self.password);
        if !(user_fits & password_fits) {
            return Err(Status::unauthenticated(
                "wrong user name or password; the user is haetae and the password stands in server.secret in the warehouse directory",
            ));
        }
        let random = random::bytes::<32>().map_err(|error| Status::internal(error.to_string()))?;
        let token = URL_SAFE_NO_PAD.encode(random);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        tokens.retain(|_, ends| *ends > now);
        if tokens.len() >= TOKENS_KEPT {
            let oldest = tokens.iter().min_by_key(|(_, ends)| **ends).map(|(hash, _)| *hash);
            oldest.map(|hash| tokens.remove(&hash));
        }
        tokens.insert(Sha256::digest(&token).into(), now + self.life);
        Ok(token)
    }

    /// The principal of a request, by its bearer token.
    pub(crate) fn principal(&self, headers: &MetadataMap) -> Result<String, Status> {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        let Some(token) = given.and_then(|value| strip_scheme(value, "Bearer")) else {
            return Err(Status::unauthenticated(
                "no bearer token; log in with user name and password first (Handshake)",
            ));
        };
        let hash: [u8; 32] = Sha256::digest(token).into();
        let ends = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).copied();
        match ends {
            Some(ends) if ends > Instant::now() => Ok(USER.to_owned()),
            _ => Err(Status::unauthenticated("the bearer token is unknown or has expired; log in again")),
        }
    }

    fn equal(&self, given: &str, right: &str) -> bool {
        let mac = |text: &str| {
            let mut mac = <Hmac<Sha256> as Mac>::new((&self.key).into());
            mac.update(text.as_bytes());
            mac
        };
        mac(given).verify(&mac(right).finalize().into_bytes()).is_ok()
    }
}

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
fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = value.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn bearer(token: &str) -> MetadataMap {
        let mut headers = MetadataMap::new();
        headers.insert("authorization", format!("bearer {token}").parse().unwrap());
        headers
    }

    #[test]
    fn a_token_is_good_until_it_ends() {
        let auth = Auth::new("right".into(), Duration::from_secs(60)).unwrap();
        for (user, password) in [("haetae", "wrong"), ("other", "right"), ("haetae", ""), ("haetae", "right ")] {
            assert_eq!(auth.log_in(user, password).unwrap_err().code(), tonic::Code::Unauthenticated);
        }
        let token = auth.log_in("haetae", "right").unwrap();
        assert_eq!(auth.principal(&bearer(&token)).unwrap(), "haetae");
        assert!(auth.principal(&bearer("forged")).is_err());
        assert!(auth.principal(&MetadataMap::new()).is_err());

        let short = Auth::new("right".into(), Duration::ZERO).unwrap();
        let token = short.log_in("haetae", "right").unwrap();
        assert!(short.principal(&bearer(&token)).is_err());
    }

    #[test]
    fn basic_headers_are_read() {
        let mut headers = MetadataMap::new();
        headers.insert("authorization", format!("Basic {}", STANDARD.encode("me:a:b")).parse().unwrap());
        assert_eq!(basic_credentials(&headers), Some(("me".into(), "a:b".into())));
        assert_eq!(basic_credentials(&MetadataMap::new()), None);
    }
}
