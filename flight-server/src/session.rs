//! What goes in: logins, refresh tokens, logouts. What comes out: tokens, and a record of each.

use std::net::SocketAddr;

use arrow_flight::HandshakeResponse;
use bytes::Bytes;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Response, Status};

use crate::Result;
use crate::audit::Record;
use crate::auth::{Principal, Tokens, basic_credentials, payload_credentials};
use crate::served::outcome;
use crate::service::Service;

/// The header of a handshake's answer that carries the refresh token.
const REFRESH_HEADER: &str = "x-haetae-refresh-token";
/// Longer names are cut in the audit; some people type their password there.
const NAME_LETTERS: usize = 64;

impl Service {
    pub(crate) async fn log_in(
        &self,
        headers: &MetadataMap,
        payload: &[u8],
        peer: Option<SocketAddr>,
    ) -> Result<Response<HandshakeResponse>, Status> {
        let (user, password) =
            basic_credentials(headers).or_else(|| payload_credentials(payload)).ok_or_else(|| {
                Status::unauthenticated(
                    "expected user name and password (Basic authentication) in the handshake, found none",
                )
            })?;
        self.auditable()?;
        let tokens = self.auth.log_in(&user, &password, peer).await;
        self.note("login", (&user, ""), peer, &tokens);
        let tokens = tokens?;
        let header = |text: String| {
            MetadataValue::try_from(text).map_err(|error| Status::internal(format!("cannot send the token: {error}")))
        };
        let (access, refresh) = (header(format!("Bearer {}", tokens.access))?, header(tokens.refresh)?);
        let mut response = Response::new(HandshakeResponse { protocol_version: 0, payload: tokens.access.into() });
        response.metadata_mut().insert("authorization", access);
        response.metadata_mut().insert(REFRESH_HEADER, refresh);
        Ok(response)
    }

    /// New tokens for the refresh token in `body`, as JSON.
    pub(crate) fn refresh(&self, body: &[u8], peer: Option<SocketAddr>) -> Result<Vec<Bytes>, Status> {
        let token = std::str::from_utf8(body).unwrap_or_default().trim();
        self.auditable()?;
        // A token that is none of ours is not recorded: a stranger could fill the disk with them.
        let claims = self.auth.refreshable(token)?;
        let tokens = self.auth.refresh(&claims);
        self.note("refresh", (&claims.sub, &claims.sid), peer, &tokens);
        let Tokens { access, refresh, seconds, .. } = tokens?;
        let answer = serde_json::json!({ "access_token": access, "refresh_token": refresh, "expires_in": seconds, "token_type": "Bearer" });
        Ok(vec![answer.to_string().into()])
    }

    pub(crate) fn log_out(&self, principal: &Principal) -> Result<Vec<Bytes>, Status> {
        self.sessions.close(&principal.session);
        self.transactions.close(&principal.session);
        let ended = self.auth.log_out(principal);
        self.audit(Record::of(principal, "logout", ""), &ended);
        ended.map(|()| Vec::new())
    }

    /// Records a login or a refresh of this user and session, as far as they are known.
    fn note(
        &self,
        event: &str,
        (user, session): (&str, &str),
        peer: Option<SocketAddr>,
        tokens: &Result<Tokens, Status>,
    ) {
        // What the limit turned away was not looked at; recording it would let a stranger fill the disk.
        if tokens.as_ref().is_err_and(|status| status.code() == tonic::Code::ResourceExhausted) {
            return;
        }
        let record = Record {
            event: event.to_owned(),
            user: user.chars().take(NAME_LETTERS).collect(),
            session: tokens.as_ref().map_or(session, |tokens| &tokens.session).to_owned(),
            peer: peer.map(|peer| peer.to_string()).unwrap_or_default(),
            ..Record::default()
        };
        self.runs.metrics().login(tokens.as_ref().map_or_else(outcome, |_| "ok".to_owned()));
        self.audit(record, tokens);
    }

    /// Records what has ended with `result`.
    pub(crate) fn audit<T>(&self, record: Record, result: &Result<T, Status>) {
        if let Some(audit) = &self.audit {
            let outcome = result.as_ref().map_or_else(outcome, |_| "ok".to_owned());
            audit.record(Record { outcome, ..record });
        }
    }

    /// Fails when nothing can be recorded: then nothing may be shown.
    pub(crate) fn auditable(&self) -> Result<(), Status> {
        match self.audit.as_ref().and_then(|audit| audit.failure()) {
            None => Ok(()),
            Some(_) => Err(Status::unavailable(
                "the server cannot write its audit and answers nothing until it can; tell whoever runs it",
            )),
        }
    }
}
