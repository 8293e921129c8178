//! What goes in: the bytes of a descriptor, a ticket or an action. What comes out: the command of Flight SQL that they hold.

use arrow_flight::sql::{Any, Command};
use prost::Message as _;
use tonic::Status;

use crate::Result;

pub(crate) fn any(bytes: &[u8]) -> Result<Any, Status> {
    Any::decode(bytes).map_err(|error| {
        Status::invalid_argument(format!(
            "expected a Flight SQL command, found something else ({error}); is this a Flight SQL client?"
        ))
    })
}

pub(crate) fn command(bytes: &[u8]) -> Result<Command, Status> {
    Command::try_from(any(bytes)?)
        .map_err(|error| Status::invalid_argument(format!("cannot read the Flight SQL command: {error}")))
}

pub(crate) fn unsupported(command: &Command) -> Status {
    let name = command.type_url().rsplit('.').next().unwrap_or_default();
    Status::unimplemented(format!(
        "this server does not support {}",
        if name.is_empty() { "an empty command" } else { name }
    ))
}
