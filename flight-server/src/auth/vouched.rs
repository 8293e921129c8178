//! What goes in: a token that an issuer outside has signed, and the policy. What comes out: the principal that the policy
//! makes of it, or a refusal, some of which are recorded.

use std::net::SocketAddr;
use std::sync::Arc;

use tonic::Status;

use super::{Auth, Principal, Refused};
use crate::audit::Record;
use crate::lock::lock;
use crate::policy::{Policies, Provider};

/// How often a token is looked at again because the policy has changed meanwhile.
const LOOKS: usize = 3;

impl Auth {
    /// The user of a token that an issuer has signed; `None` where the policy names no issuer. Keys are waited for, and the
    /// policy may be another one then: what one issuer says is never worth what another one's section gives.
    pub(super) async fn vouched(
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
}
