//! What goes in: the rows of a result, and what a role may fetch. What comes out: the rows, or an error before the
//! first one that is too many.

use std::borrow::Borrow;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tonic::Status;

use crate::Result;
use crate::auth::Principal;
use crate::encode::bytes_of;

/// Ends a result that is larger than the role of its reader allows.
pub(crate) fn limited<S, B>(batches: S, principal: &Principal) -> BoxStream<'static, Result<B, Status>>
where
    S: Stream<Item = Result<B, Status>> + Send + 'static,
    B: Borrow<RecordBatch> + Send + 'static,
{
    let (bounds, role) = (principal.bounds, principal.role.clone());
    if !bounds.limits_results() {
        return batches.boxed();
    }
    let (mut rows, mut bytes) = (0_u64, 0_u64);
    let checked = batches.map(move |batch| {
        let batch = batch?;
        rows += batch.borrow().num_rows() as u64;
        bytes += bytes_of(batch.borrow()) as u64;
        match (bounds.rows, bounds.bytes) {
            (Some(most), _) if rows > most => Err(too_large(&format!("{most} rows"), &role, "max_rows")),
            (_, Some(most)) if bytes > most => Err(too_large(&format!("{} MiB", most >> 20), &role, "max_mib")),
            _ => Ok(batch),
        }
    });
    checked.boxed()
}

fn too_large(most: &str, role: &str, setting: &str) -> Status {
    Status::resource_exhausted(format!(
        "the result is larger than the {most} that the role {role} may fetch at a time; count, group or filter in the \
         query, or ask whoever keeps the policy ({setting})"
    ))
}
