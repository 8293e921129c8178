//! What goes in: claims. What comes out: a JSON Web Token of them, signed with HS256 (RFC 7515, 7519),
//! and the claims of a token that was signed so.
//!
//! Written out here because so little of the standard is wanted: one algorithm, one header, compared
//! byte by byte, so that no token can choose how it is checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::secret::hmac;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const ISSUER: &str = "haetae";
/// A longer token is none of ours.
const LONGEST: usize = 4096;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Use {
    /// With requests.
    Access,
    /// Once, for a new pair of tokens.
    Refresh,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    /// The user.
    pub(crate) sub: String,
    #[serde(rename = "use")]
    pub(crate) purpose: Use,
    /// The session: one login and what was refreshed from it.
    pub(crate) sid: String,
    /// This token.
    pub(crate) jti: String,
    /// Seconds since 1970 at which it was made and at which it ends.
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    /// Stands for the password that was given: with another one, the token ends.
    pub(crate) cred: String,
}

impl Claims {
    pub(crate) fn issuer() -> String {
        ISSUER.to_owned()
    }
}

pub(crate) fn sign(key: &[u8; 32], claims: &Claims) -> Result<String, serde_json::Error> {
    let content = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?));
    let signature = URL_SAFE_NO_PAD.encode(mac(key, &content).finalize().into_bytes());
    Ok(format!("{content}.{signature}"))
}

/// Whether a token says that it is one of ours. It may still be forged.
pub(crate) fn is_ours(token: &str) -> bool {
    token.split('.').next() == Some(HEADER)
}

/// The claims of a token that was signed with `key` for `purpose` and has not ended at `now`.
pub(crate) fn open(key: &[u8; 32], token: &str, purpose: Use, now: u64) -> Option<Claims> {
    if token.len() > LONGEST {
        return None;
    }
    let (content, signature) = token.rsplit_once('.')?;
    let (header, payload) = content.split_once('.')?;
    if header != HEADER || payload.contains('.') {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    // verify_slice compares in constant time, and refuses a signature of another length.
    mac(key, content).verify_slice(&signature).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    (claims.iss == ISSUER && claims.purpose == purpose && claims.exp > now).then_some(claims)
}

fn mac(key: &[u8; 32], content: &str) -> Hmac<Sha256> {
    hmac(key).chain_update(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        let text = |text: &str| text.to_owned();
        Claims {
            iss: Claims::issuer(),
            sub: text("kim"),
            purpose: Use::Access,
            sid: text("s"),
            jti: text("j"),
            iat: 100,
            exp: 200,
            cred: text("c"),
        }
    }

    fn forged(header: &str, payload: &str, key: &[u8; 32]) -> String {
        let content = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(mac(key, &content).finalize().into_bytes());
        format!("{content}.{signature}")
    }

    #[test]
    fn a_token_opens_for_its_purpose_until_it_ends() {
        let key = [7; 32];
        let token = sign(&key, &claims()).unwrap();
        assert_eq!(open(&key, &token, Use::Access, 199), Some(claims()));
        assert_eq!(open(&key, &token, Use::Access, 200), None);
        assert_eq!(open(&key, &token, Use::Refresh, 150), None);
        assert_eq!(open(&[8; 32], &token, Use::Access, 150), None);
        for position in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(bytes).unwrap();
            // The last letter of 32 bytes in base64 has two bits to spare; the decoder refuses them set.
            assert_eq!(open(&key, &other, Use::Access, 150), None, "{position}");
        }
    }

    #[test]
    fn no_token_chooses_how_it_is_checked() {
        let key = [7; 32];
        let payload = serde_json::to_string(&claims()).unwrap();
        let right = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
        assert!(open(&key, &forged(right, &payload, &key), Use::Access, 150).is_some());
        for header in
            ["{\"alg\":\"none\",\"typ\":\"JWT\"}", "{\"typ\":\"JWT\",\"alg\":\"HS256\"}", "{\"alg\":\"HS512\"}", "{}"]
        {
            assert!(open(&key, &forged(header, &payload, &key), Use::Access, 150).is_none(), "{header}");
        }
        let extra = payload.replace("{\"iss\"", "{\"admin\":true,\"iss\"");
        assert!(open(&key, &forged(right, &extra, &key), Use::Access, 150).is_none());
        let unsigned = format!("{HEADER}.{}.", URL_SAFE_NO_PAD.encode(&payload));
        for token in ["", ".", "..", "a.b.c", HEADER, &unsigned, &"x".repeat(5000)] {
            assert!(open(&key, token, Use::Access, 150).is_none(), "{token}");
        }
    }
}
