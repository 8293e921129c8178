//! What goes in: a token in its compact form (RFC 7515), keys, and what is expected of it. What comes out: its claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key::{Algorithm, Key};
use crate::policy::Provider;

/// A longer token is not looked at.
pub(crate) const LONGEST: usize = 16 << 10;

/// What a token says of itself, before anything of it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// What must be understood: nothing of it is here.
    crit: Option<Value>,
}

/// Why a token is refused, in words that tell nothing of others.
pub(super) type Reason = String;

pub(super) fn header(token: &str, provider: &Provider) -> Result<Header, Reason> {
    if token.len() > LONGEST {
        return Err(format!("it has {} bytes, more than {LONGEST}", token.len()));
    }
    let mut parts = token.split('.');
    let (Some(first), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("it is no signed JSON Web Token".to_owned());
    };
    let decoded = URL_SAFE_NO_PAD.decode(first).ok();
    let written: Option<Written> = decoded.and_then(|decoded| serde_json::from_slice(&decoded).ok());
    let written = written.ok_or("its header cannot be read")?;
    if written.crit.is_some() {
        return Err("it demands extensions (crit) that are not known here".to_owned());
    }
    let kinds = ["jwt", "at+jwt", "application/at+jwt"];
    if written.typ.is_some_and(|typ| !kinds.contains(&typ.to_ascii_lowercase().as_str())) {
        return Err("it is a token of another type".to_owned());
    }
    let known = Algorithm::named(&written.alg).filter(|known| provider.algorithms.contains(known));
    let Some(algorithm) = known else {
        let names: Vec<&str> = provider.algorithms.iter().map(|known| known.name()).collect();
        return Err(format!("it is not signed by one of the algorithms that the policy allows ({})", names.join(", ")));
    };
    Ok(Header { algorithm, kid: written.kid })
}

/// Those of `keys` that may have signed the token. One that names no key is taken where there is no choice.
pub(super) fn fitting<'a>(header: &Header, keys: &'a [Key]) -> Vec<&'a Key> {
    let fits = keys.iter().filter(|key| key.algorithm() == header.algorithm);
    match &header.kid {
        Some(kid) => fits.filter(|key| key.kid.as_ref() == Some(kid)).collect(),
        None => {
            let all: Vec<&Key> = fits.collect();
            if all.len() == 1 { all } else { Vec::new() }
        }
    }
}

/// The claims of a token that one of `keys` has signed, for this server, and that is good at `now`, in seconds.
pub(super) fn verified(
    token: &str,
    keys: &[&Key],
    provider: &Provider,
    now: u64,
) -> Result<Map<String, Value>, Reason> {
    let (content, signature) = token.rsplit_once('.').ok_or("it is no signed JSON Web Token")?;
    let payload = content.split_once('.').map(|(_, payload)| payload).ok_or("it is no signed JSON Web Token")?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "its signature cannot be read")?;
    if !keys.iter().any(|key| key.verifies(content.as_bytes(), &signature)) {
        return Err("its signature is wrong".to_owned());
    }
    let decoded = URL_SAFE_NO_PAD.decode(payload).map_err(|_| "its claims cannot be read")?;
    let claims: Map<String, Value> = serde_json::from_slice(&decoded).map_err(|_| "its claims cannot be read")?;
    if claims.get("iss").and_then(Value::as_str) != Some(provider.issuer.as_str()) {
        return Err("it is of another issuer".to_owned());
    }
    if !is_for(claims.get("aud"), &provider.audience) {
        return Err(format!("it is not for this server: its audience is not {}", provider.audience));
    }
    in_time(&claims, provider.skew, now)?;
    Ok(claims)
}

/// One audience, or a list of them (RFC 7519, section 4.1.3).
fn is_for(audience: Option<&Value>, wanted: &str) -> bool {
    match audience {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(wanted)),
        _ => false,
    }
}

fn in_time(claims: &Map<String, Value>, skew: u64, now: u64) -> Result<(), Reason> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        // Dates may have fractions of seconds.
        Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("its claim {name} is no time")),
    };
    let (now, skew) = (now as f64, skew as f64);
    let ends = time("exp")?.ok_or("it does not say when it ends (exp)")?;
    if now >= ends + skew {
        return Err("it has expired".to_owned());
    }
    for name in ["nbf", "iat"] {
        if time(name)?.is_some_and(|begins| now + skew < begins) {
            return Err(format!("it is not good yet ({name})"));
        }
    }
    Ok(())
}
