//! What goes in: what a call, its session, the role of its user and the server say. What comes out: what holds for the
//! query of the call.

use std::time::Duration;

use tonic::Status;

use crate::Result;
use crate::auth::Principal;
use crate::bounds::Class;
use crate::deadline::Deadline;
use crate::encode::Compression;
use crate::running::Cut;
use crate::service::{Caller, Service};

/// Says how one result is to be compressed.
const COMPRESSION_HEADER: &str = "x-haetae-compression";
/// Says of which class the query of one call is.
const CLASS_HEADER: &str = "x-haetae-class";

impl Service {
    /// What ends a result of this call before its time.
    pub(crate) fn cut(&self, caller: &Caller<'_>, principal: &Principal) -> Cut {
        let deadline = Deadline::of(caller.headers, self.life(principal));
        Cut { deadline, unread: Some(self.unread), ..Cut::default() }
    }

    /// What the role says, or else the call, or else the session.
    pub(crate) fn class(&self, caller: &Caller<'_>, principal: &Principal) -> Result<Class, Status> {
        if let Some(class) = principal.bounds.class {
            return Ok(class);
        }
        let Some(asked) = caller.headers.get(CLASS_HEADER) else {
            return Ok(self.sessions.class(&principal.session));
        };
        asked.to_str().ok().and_then(Class::of).ok_or_else(|| {
            Status::invalid_argument(format!("the header {CLASS_HEADER} must be one of {}", Class::NAMES))
        })
    }

    /// What the call says, or else the session.
    pub(crate) fn compression(&self, caller: &Caller<'_>, principal: &Principal) -> Result<Compression, Status> {
        let Some(asked) = caller.headers.get(COMPRESSION_HEADER) else {
            return Ok(self.sessions.compression(&principal.session));
        };
        asked.to_str().ok().and_then(Compression::of).ok_or_else(|| {
            Status::invalid_argument(format!("the header {COMPRESSION_HEADER} must be one of {}", Compression::NAMES))
        })
    }

    /// The shorter one of what the server and the session say.
    pub(crate) fn life(&self, principal: &Principal) -> Option<Duration> {
        let session = self.sessions.life(&principal.session);
        match (self.query_life, session) {
            (Some(server), Some(session)) => Some(server.min(session)),
            (server, session) => server.or(session),
        }
    }
}
