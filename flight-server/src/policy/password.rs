//! What goes in: passwords. What comes out: argon2id hashes of them, and whether one fits a hash.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{Error, Result, random};

/// 19 MiB, two passes, one lane: the first choice of the OWASP Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// A hash that costs more than this to check is refused: it would stop the server.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;

/// Passwords shorter than this are refused where they are set.
const SHORTEST: usize = 12;

/// The argon2id hash of a password, in PHC form, with a random salt. Fails for a password of fewer
/// than twelve characters.
pub fn hash(password: &str) -> Result<String> {
    let failed = |reason: String| Error::Password { reason };
    if password.chars().count() < SHORTEST {
        return Err(failed(format!("it is shorter than {SHORTEST} characters")));
    }
    let salt = SaltString::encode_b64(&random::bytes::<16>()?).map_err(|error| failed(error.to_string()))?;
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| failed(error.to_string()))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| failed(error.to_string()))
}

/// A hash that no known password has, so that an unknown user costs as much time as a known one.
pub(crate) fn make_dummy() -> Result<String> {
    hash(&random::id()?)
}

/// What is wrong with a hash in a policy.
pub(super) fn check(text: &str) -> Result<(), String> {
    let remedy = "make one with `haetae-server policy hash`";
    let hash = PasswordHash::new(text).map_err(|_| format!("the password is no hash in PHC form; {remedy}"))?;
    if hash.algorithm != argon2::ARGON2ID_IDENT {
        return Err(format!("the password is hashed with {}, expected argon2id; {remedy}", hash.algorithm));
    }
    let params =
        Params::try_from(&hash).map_err(|error| format!("the password's hash is wrong ({error}); {remedy}"))?;
    if hash.hash.is_none() || params.m_cost() < 8 * 1024 {
        return Err(format!("the password's hash is too weak or incomplete; {remedy}"));
    }
    if params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES {
        return Err(format!("the password's hash takes too much memory or time to check; {remedy}"));
    }
    Ok(())
}

/// Whether a password fits a hash. Compares in constant time.
pub(crate) fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_alone() {
        let hash = hash("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify("correct horse battery", &hash) && !verify("correct horse batterz", &hash));
        assert_eq!(check(&hash), Ok(()));
        assert!(!verify("", "no hash"));
        assert!(super::hash("short").unwrap_err().to_string().contains("shorter than 12"));
        for (wrong, part) in [
            ("secret", "no hash in PHC form"),
            ("$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "expected argon2id"),
            ("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "too weak"),
            ("$argon2id$v=19$m=999999,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "too much memory"),
        ] {
            let reason = check(wrong).unwrap_err();
            assert!(reason.contains(part), "{wrong}: {reason}");
        }
    }
}
