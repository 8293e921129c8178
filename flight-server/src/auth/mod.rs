//! What goes in: name and password, once; then a bearer token with every request. What comes out:
//! the principal, or a refusal.

mod credentials;
mod refused;
#[cfg(test)]
mod tests;
mod tokens;
mod vouched;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use haetae_warehouse::query::policy::Access;
use haetae_warehouse::store::{Clock as _, SystemClock};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::metadata::MetadataMap;

pub(crate) use credentials::{basic_credentials, payload_credentials};
pub(crate) use refused::Refused;

use self::credentials::strip_scheme;
use crate::bounds::RoleBounds;
use crate::jwt::{self, Claims, Use};
use crate::limits::Limits;
use crate::lock::lock;
use crate::oidc::Issuer;
use crate::policy::{Policies, User, make_dummy, verify_password};
use crate::revoked::Revoked;
use crate::secret::{Key, hmac};
use crate::{Error, Result, random};

/// The one user of a server without a policy.
pub const USER: &str = "haetae";

/// Passwords that are checked at the same time; each check takes 19 MiB.
const CHECKS_AT_ONCE: usize = 2;

/// What the session of a certificate begins with; that of a login has no space.
const CERTIFICATE: &str = "certificate ";

/// Milliseconds since 1970.
pub(crate) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

pub(crate) fn system_clock() -> Clock {
    Arc::new(|| SystemClock.now_ms().unsigned_abs())
}

/// Who makes a request.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) user: String,
    pub(crate) role: String,
    /// The session: one login and what was refreshed from it.
    pub(crate) session: String,
    /// The address that the connection comes from.
    pub(crate) peer: String,
    /// The version of the policy; empty where there is none.
    pub(crate) policy: String,
    /// What may be seen; `None` = everything.
    pub(crate) access: Option<Arc<Access>>,
    /// What its role says of its queries.
    pub(crate) bounds: RoleBounds,
    /// Who vouches for the user, and by what name, where that is an issuer outside.
    pub(crate) vouched: Option<Arc<str>>,
}

/// What a login or a refresh gives.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) session: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// Seconds that the access token is good.
    pub(crate) seconds: u64,
}

/// Who may log in.
pub(crate) enum Users {
    /// The owner of the warehouse alone, with this password.
    Owner(String),
    /// Those of a policy.
    Policy(Arc<Policies>),
}

/// Checks passwords and tokens.
pub(crate) struct Auth {
    users: Users,
    issuer: Issuer,
    signing: [u8; 32],
    comparing: [u8; 32],
    clock: Clock,
    limits: Mutex<Limits>,
    /// Refused tokens of the issuer by peer: no more than these are recorded.
    refusals: Mutex<Limits>,
    revoked: Revoked,
    checks: Semaphore,
    dummy: String,
    /// Access tokens whose signatures were right.
    opened: Mutex<HashMap<String, Claims>>,
}

impl Auth {
    pub(crate) fn new(users: Users, key: &Key, revoked: Revoked, clock: Clock) -> Result<Self> {
        let dummy = match &users {
            Users::Owner(_) => String::new(),
            Users::Policy(_) => make_dummy()?,
        };
        Ok(Self {
            users,
            issuer: Issuer::default(),
            signing: key.of("tokens"),
            comparing: key.of("credentials"),
            clock,
            limits: Mutex::default(),
            refusals: Mutex::default(),
            revoked,
            checks: Semaphore::new(CHECKS_AT_ONCE),
            dummy,
            opened: Mutex::default(),
        })
    }

    /// New tokens for the right name and password.
    pub(crate) async fn log_in(&self, user: &str, password: &str, peer: Option<SocketAddr>) -> Result<Tokens, Status> {
        let peer = peer.map(|peer| peer.ip().to_string()).unwrap_or_default();
        let attempt = lock(&self.limits).attempt(user, &peer, (self.clock)());
        attempt.map_err(|seconds| {
            Status::resource_exhausted(format!("too many logins have failed; try again in {seconds} seconds"))
        })?;
        if !self.fits(user, password).await? {
            return Err(self.wrong());
        }
        lock(&self.limits).succeeded(user, &peer);
        self.tokens(user, random::id().map_err(internal)?)
    }

    async fn fits(&self, user: &str, password: &str) -> Result<bool, Status> {
        match &self.users {
            // Both parts are always compared, and in constant time.
            Users::Owner(right) => Ok(self.equal(user, USER) & self.equal(password, right)),
            Users::Policy(policies) => {
                let hash = policies.current().users.get(user).map(|user| user.password.clone());
                // Who has a certificate alone has no password that could be right.
                let hash = hash.filter(|hash| !hash.is_empty());
                let known = hash.is_some();
                let (hash, password) = (hash.unwrap_or_else(|| self.dummy.clone()), password.to_owned());
                let _turn = self.checks.acquire().await.map_err(|_| Status::unavailable("the server is ending"))?;
                let checked = tokio::task::spawn_blocking(move || verify_password(&password, &hash)).await;
                Ok(checked.map_err(|_| Status::internal("the password could not be checked"))? & known)
            }
        }
    }

    fn wrong(&self) -> Status {
        Status::unauthenticated(match &self.users {
            Users::Owner(_) => {
                "wrong user name or password; the user is haetae and the password stands in server.secret in the warehouse directory"
            }
            Users::Policy(_) => "wrong user name or password",
        })
    }

    /// The principal of a request, by its bearer token, or else by the certificate of its connection.
    pub(crate) async fn principal(
        &self,
        headers: &MetadataMap,
        peer: Option<SocketAddr>,
        certificate: Option<&str>,
    ) -> Result<Principal, Refused> {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        if let (None, Some(certificate)) = (given, certificate) {
            return Ok(self.certified(certificate, peer)?);
        }
        let Some(token) = given.and_then(|value| strip_scheme(value, "Bearer")) else {
            return Err(Status::unauthenticated(
                "no bearer token; log in with user name and password first (Handshake)",
            )
            .into());
        };
        if !jwt::is_ours(token)
            && let Users::Policy(policies) = &self.users
            && let Some(principal) = self.vouched(token, policies, peer).await?
        {
            return Ok(principal);
        }
        let claims = self.open(token, Use::Access)?;
        let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
        let (user, session) = (claims.sub, claims.sid);
        match &self.users {
            Users::Owner(_) => {
                let (role, policy) = ("owner".to_owned(), String::new());
                let bounds = RoleBounds::default();
                Ok(Principal { user, role, session, peer, policy, access: None, bounds, vouched: None })
            }
            Users::Policy(policies) => {
                let (policy, access) = policies.access(&user).ok_or_else(unknown)?;
                let role = policy.users.get(&user).map(|user| user.role.clone()).unwrap_or_default();
                let (bounds, policy) = (policy.bounds(&role), policy.version.clone());
                Ok(Principal { user, role, session, peer, policy, access: Some(access), bounds, vouched: None })
            }
        }
    }

    /// The user of a certificate. The session is the user at the address of the connection. Nobody says here when a
    /// connection ends, so that what the session has open ends with `CloseSession` or when its time is over.
    fn certified(&self, certificate: &str, peer: Option<SocketAddr>) -> Result<Principal, Status> {
        let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
        if let Users::Policy(policies) = &self.users {
            let shown = |user: &User| user.certificate.as_deref() == Some(certificate);
            let found = policies.current().users.iter().find(|(_, user)| shown(user)).map(|(name, _)| name.clone());
            // The policy may have been changed since: the newer one decides.
            if let Some(user) = found
                && let Some((policy, access)) = policies.access(&user)
                && let Some(entry) = policy.users.get(&user).filter(|entry| shown(entry))
            {
                let (role, session) = (entry.role.clone(), format!("{CERTIFICATE}{user} {peer}"));
                let bounds = policy.bounds(&role);
                return Ok(Principal {
                    user,
                    role,
                    session,
                    peer,
                    policy: policy.version.clone(),
                    access: Some(access),
                    bounds,
                    vouched: None,
                });
            }
        }
        Err(Status::unauthenticated(format!(
            "no user of the policy has the certificate {certificate}; log in with a password, or ask whoever keeps the policy"
        )))
    }

    fn equal(&self, given: &str, right: &str) -> bool {
        self.mac(given).verify(&self.mac(right).finalize().into_bytes()).is_ok()
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        hmac(&self.comparing).chain_update(text)
    }
}

fn unknown() -> Status {
    Status::unauthenticated("the bearer token is unknown or has expired; log in again")
}

fn internal(error: Error) -> Status {
    Status::internal(error.to_string())
}
