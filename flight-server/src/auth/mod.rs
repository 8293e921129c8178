//! What goes in: name and password, once; then a bearer token with every request. What comes out:
//! the principal, or a refusal.

mod credentials;
mod refused;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
use crate::audit::Record;
use crate::bounds::RoleBounds;
use crate::jwt::{self, Claims, Use};
use crate::limits::Limits;
use crate::lock::lock;
use crate::oidc::Issuer;
use crate::policy::{Policies, Provider, User, make_dummy, verify_password};
use crate::revoked::Revoked;
use crate::secret::{Key, hmac};
use crate::{Error, Result, random};

/// The one user of a server without a policy.
pub const USER: &str = "haetae";

/// How long a token of that user is good.
const EMBEDDED_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Seconds after which no token of a session is good any more: the most that a policy may say.
const LONGEST_SESSION: u64 = 30 * 24 * 3600;

/// Passwords that are checked at the same time; each check takes 19 MiB.
const CHECKS_AT_ONCE: usize = 2;

/// Of so many access tokens it is kept that their signatures are right.
const OPENED_KEPT: usize = 1024;

/// How often a token is looked at again because the policy has changed meanwhile.
const LOOKS: usize = 3;

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

    /// The user of a token that an issuer has signed; `None` where the policy names no issuer. Keys are waited for, and the
    /// policy may be another one then: what one issuer says is never worth what another one's section gives.
    async fn vouched(
        &self,
        token: &str,
        policies: &Policies,
        peer: Option<SocketAddr>,
    ) -> Result<Option<Principal>, Refused> {
        for _ in 0..LOOKS {
            let Some(provider) = policies.current().oidc.clone() else { return Ok(None) };
            let found = self.vouched_by(token, &provider, policies, peer).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Err(Status::unavailable("the policy has changed again and again while the token was looked at; try again")
            .into())
    }

    /// The user of a token of this issuer; `None` where the policy says something else of issuers by now. The session is the
    /// token.
    async fn vouched_by(
        &self,
        token: &str,
        provider: &Arc<Provider>,
        policies: &Policies,
        peer: Option<SocketAddr>,
    ) -> Result<Option<Principal>, Refused> {
        let person = self.issuer.person(token, provider, (self.clock)() / 1000).await;
        let person = person.map_err(|status| self.refused("", provider, peer, status))?;
        let refused = |reason: String| {
            let status = Status::permission_denied(format!("{} {reason}", person.user));
            self.refused(&person.user, provider, peer, status)
        };
        let claim = provider.roles_claim.join(".");
        let Some(role) = person.role.clone() else {
            return Err(refused(format!(
                "has no role here: no group in the claim {claim} of the token is one that the policy gives a role; ask whoever keeps the policy"
            )));
        };
        let Some((policy, access)) = policies.access_of(&person.user, &role, &person.attributes) else {
            return Err(refused("has no role here any more; ask whoever keeps the policy".to_owned()));
        };
        if policy.oidc.as_ref() != Some(provider) {
            return Ok(None);
        }
        let wanted = policy.roles.get(&role).map(|role| &role.attributes).into_iter().flatten();
        if let Some(missing) = wanted.into_iter().find(|wanted| !person.attributes.contains_key(*wanted)) {
            return Err(refused(format!(
                "cannot have the role {role}: the token has no text for the attribute {missing}; ask whoever runs the issuer"
            )));
        }
        Ok(Some(Principal {
            bounds: policy.bounds(&role),
            policy: policy.version.clone(),
            vouched: Some(format!("issuer {}, subject {}", provider.issuer, person.subject).into()),
            user: person.user,
            role,
            session: person.session,
            peer: peer.map(|peer| peer.to_string()).unwrap_or_default(),
            access: Some(access),
        }))
    }

    /// A token of the issuer that is refused, with what is recorded of it: nothing of the token but the user, once it is
    /// known. Every request brings one, so that only some of a peer's are recorded: a stranger could fill the disk.
    fn refused(&self, user: &str, provider: &Provider, peer: Option<SocketAddr>, status: Status) -> Refused {
        let address = peer.map(|peer| peer.ip().to_string()).unwrap_or_default();
        let recorded = lock(&self.refusals).attempt(&address, &address, (self.clock)()).is_ok();
        let record = recorded.then(|| Record {
            event: "login".to_owned(),
            user: user.to_owned(),
            peer: peer.map(|peer| peer.to_string()).unwrap_or_default(),
            statement: format!("issuer {}: {}", provider.issuer, status.message()),
            ..Record::default()
        });
        Refused { status, record: record.map(Box::new) }
    }

    /// What an audit says of a principal whom it has not met: who vouches for it.
    pub(crate) fn introduced<'a>(&self, principal: &'a Principal) -> Option<&'a str> {
        let vouched = principal.vouched.as_deref()?;
        self.issuer.is_new(&principal.session).then_some(vouched)
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

    /// The claims of a token whose user is still there, with the same password, and whose session
    /// has not been ended.
    fn open(&self, token: &str, purpose: Use) -> Result<Claims, Status> {
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

    fn tokens(&self, user: &str, session: String) -> Result<Tokens, Status> {
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
