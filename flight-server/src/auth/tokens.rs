//! What goes in: a user, or a token that was made here. What comes out: new tokens, or what the token says while it is good.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;
use tonic::Status;

use super::{Auth, CERTIFICATE, Principal, Tokens, USER, Users, internal, unknown};
use crate::jwt::{self, Claims, Use};
use crate::lock::lock;
use crate::{Result, random};

/// How long a token of the owner of the warehouse is good.
const EMBEDDED_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Seconds after which no token of a session is good any more: the most that a policy may say.
const LONGEST_SESSION: u64 = 30 * 24 * 3600;

/// Of so many access tokens it is kept that their signatures are right.
const OPENED_KEPT: usize = 1024;

impl Auth {
    /// New tokens for a refresh token, which is good once. One that comes again has been stolen, or
    /// its successor has: then the whole session ends (RFC 9700, section 4.14.2).
    pub(crate) fn refresh(&self, claims: &Claims) -> Result<Tokens, Status> {
        let now = (self.clock)() / 1000;
        if !self.revoked.end(&claims.jti, claims.exp, now).map_err(internal)? {
            self.revoked.end(&claims.sid, now + LONGEST_SESSION, now).map_err(internal)?;
            return Err(Status::unauthenticated(
                "the refresh token has been used before; the session has been ended, log in again",
            ));
        }
        self.tokens(&claims.sub, claims.sid.clone())
    }

    /// What a refresh token says, if it is one of ours and its session goes on.
    pub(crate) fn refreshable(&self, token: &str) -> Result<Claims, Status> {
        self.open(token, Use::Refresh)
    }

    /// Ends the session of a request: its tokens are good no more. A certificate has none, and the token of an issuer is the
    /// issuer's.
    pub(crate) fn log_out(&self, principal: &Principal) -> Result<(), Status> {
        if principal.session.starts_with(CERTIFICATE) || principal.vouched.is_some() {
            return Ok(());
        }
        let now = (self.clock)() / 1000;
        self.revoked.end(&principal.session, now + LONGEST_SESSION, now).map(drop).map_err(internal)
    }

    /// The claims of a token whose user is still there, with the same password, and whose session
    /// has not been ended.
    pub(super) fn open(&self, token: &str, purpose: Use) -> Result<Claims, Status> {
        let claims = self.claims(token, purpose).ok_or_else(unknown)?;
        let credential = self.credential(&claims.sub).ok_or_else(unknown)?;
        if !self.equal(&credential, &claims.cred) || self.revoked.has(&claims.sid) {
            return Err(unknown());
        }
        Ok(claims)
    }

    /// What a token says that has not ended. Its signature is checked once: it stays right, whatever happens to its
    /// user and its session.
    fn claims(&self, token: &str, purpose: Use) -> Option<Claims> {
        let now = (self.clock)() / 1000;
        if purpose != Use::Access {
            return jwt::open(&self.signing, token, purpose, now);
        }
        if let Some(claims) = lock(&self.opened).get(token) {
            return (claims.exp > now).then(|| claims.clone());
        }
        let claims = jwt::open(&self.signing, token, purpose, now)?;
        let mut opened = lock(&self.opened);
        if opened.len() >= OPENED_KEPT {
            opened.clear();
        }
        opened.insert(token.to_owned(), claims.clone());
        Some(claims)
    }

    pub(super) fn tokens(&self, user: &str, session: String) -> Result<Tokens, Status> {
        let cred = self.credential(user).ok_or_else(unknown)?;
        let iat = (self.clock)() / 1000;
        let (seconds, refresh_seconds) = self.lives();
        let token = |purpose: Use, life: u64| -> Result<String, Status> {
            let claims = Claims {
                iss: Claims::issuer(),
                sub: user.to_owned(),
                purpose,
                sid: session.clone(),
                jti: random::id().map_err(internal)?,
                iat,
                exp: iat + life,
                cred: cred.clone(),
            };
            jwt::sign(&self.signing, &claims).map_err(|error| Status::internal(format!("cannot make a token: {error}")))
        };
        let (access, refresh) = (token(Use::Access, seconds)?, token(Use::Refresh, refresh_seconds)?);
        Ok(Tokens { session, access, refresh, seconds })
    }

    /// Seconds that access and refresh tokens are good.
    fn lives(&self) -> (u64, u64) {
        match &self.users {
            Users::Owner(_) => (EMBEDDED_LIFE.as_secs(), EMBEDDED_LIFE.as_secs()),
            Users::Policy(policies) => {
                let policy = policies.current();
                (policy.access_minutes * 60, policy.refresh_hours * 3600)
            }
        }
    }

    /// What stands for a user's password in tokens; `None` where there is no such user.
    fn credential(&self, user: &str) -> Option<String> {
        let secret = match &self.users {
            Users::Owner(password) => (user == USER).then(|| password.clone())?,
            Users::Policy(policies) => policies.current().users.get(user)?.password.clone(),
        };
        let digest = self.mac(&secret).finalize().into_bytes();
        Some(URL_SAFE_NO_PAD.encode(&digest[..12]))
    }
}
