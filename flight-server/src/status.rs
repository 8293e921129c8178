//! What goes in: the errors of the warehouse and of Arrow, and panics. What comes out: gRPC
//! statuses, in this one place. The message is meant for people; the code is for programs.

use std::any::Any;

use haetae_warehouse::{Error, SqlFault, WORK};
use tonic::Status;

/// The status for a failure of the warehouse.
pub(crate) fn from_warehouse(error: &Error) -> Status {
    let message = error.to_string();
    match error {
        Error::Sql { fault, .. } => match fault {
            SqlFault::UnknownTable => Status::not_found(message),
            SqlFault::ReadOnly => Status::permission_denied(message),
            SqlFault::Resources => Status::resource_exhausted(message),
            SqlFault::Failed => Status::internal(message),
            _ => Status::invalid_argument(message),
        },
        // As its owner knows it: `work-…` is a name of the manifest.
        Error::Conflict { schema, table, base, current } if schema.starts_with(WORK) => {
            let (schema, table, base, current) = (WORK.to_owned(), table.clone(), *base, *current);
            Status::aborted(Error::Conflict { schema, table, base, current }.to_string())
        }
        Error::Conflict { .. } => Status::aborted(message),
        Error::KeyReused { .. } | Error::Exists { .. } => Status::already_exists(message),
        Error::UnknownTable { .. } | Error::UnknownSchema { .. } => Status::not_found(message),
        Error::Misfit { .. }
        | Error::CannotMake { .. }
        | Error::Refused { .. }
        | Error::Unreadable { .. }
        | Error::BadKey { .. } => Status::invalid_argument(message),
        // What is wrong with the policy is for whoever keeps it, not for its users.
        Error::Policy { .. } => Status::internal("the policy cannot be used; ask whoever runs the server"),
        _ => Status::internal(message),
    }
}

/// The status for a failure of Arrow or Flight on the server's own data.
pub(crate) fn internal(doing: &str) -> impl FnOnce(arrow::error::ArrowError) -> Status {
    move |error| Status::internal(format!("cannot {doing}: {error}"))
}

/// The status for a panic in a handler. The server goes on.
pub(crate) fn from_panic(doing: &str, panic: &(dyn Any + Send)) -> Status {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Status::internal(format!(
        "{doing} failed because of a defect in the server ({}); the server goes on, please report it",
        text.unwrap_or("no message")
    ))
}
