//! What goes in: a Substrait plan as bytes. What comes out: the same kind of plan that SQL gives, to be checked and run
//! as that is.
//!
//! A plan comes from outside and says less than SQL of what its author meant, and more of what the engine is to do. So
//! only its relations and expressions are taken over, by [`reader`]; where rows come from, which columns there are and
//! what of them is shown is what the user's own catalogue says.

mod names;
mod reader;
mod shape;

use std::panic::AssertUnwindSafe;

use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion_substrait::extensions::Extensions;
use datafusion_substrait::logical_plan::consumer::from_substrait_plan_with_consumer;
use datafusion_substrait::serializer::deserialize_bytes;
use datafusion_substrait::substrait::proto::plan_rel::RelType;
use datafusion_substrait::substrait::proto::rel::RelType as Step;
use datafusion_substrait::substrait::proto::{Plan, Version};
use datafusion_substrait::substrait::version as newest;
use futures::FutureExt;
use prost::Message;

use self::reader::Reader;
use super::faults::explain;
use super::policy::Access;
use crate::{Error, Result, SqlFault};

pub use shape::plan_shape;

/// The most bytes of a plan: it travels in tickets, and clients take no message above four mebibytes by default.
pub const PLAN_BYTES: usize = 1 << 20;

/// (major, minor, patch) of the oldest plans that are read: functions have names with signatures since then.
const OLDEST: (u32, u32, u32) = (0, 32, 0);

/// The oldest and the newest version of Substrait that plans may be of.
pub fn plan_versions() -> (String, String) {
    let text = |(major, minor, patch): (u32, u32, u32)| format!("{major}.{minor}.{patch}");
    let newest = (newest::SUBSTRAIT_MAJOR_VERSION, newest::SUBSTRAIT_MINOR_VERSION, newest::SUBSTRAIT_PATCH_VERSION);
    (text(OLDEST), text(newest))
}

/// Fails when plans of the version, such as 0.85.0, are not read.
pub fn check_plan_version(text: &str) -> Result<()> {
    // What stands behind the numbers names a build.
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Option<Vec<u32>> = numbers.trim_start_matches('v').split('.').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([major, minor, patch]) => known_version((*major, *minor, *patch)),
        _ => Err(invalid(
            "expected a version of Substrait such as 0.85.0 beside the plan, found something else".to_owned(),
        )),
    }
}

/// Reads a plan as far as its form goes.
pub(super) fn decoded(bytes: &[u8]) -> Result<Box<Plan>> {
    if bytes.len() > PLAN_BYTES {
        let found = bytes.len();
        let message = format!("a Substrait plan can have {PLAN_BYTES} bytes, found {found}; ask for less, or by SQL");
        return Err(Error::Sql { fault: SqlFault::Resources, message });
    }
    let plan = deserialize_bytes(bytes).map_err(|error| {
        let text = error.message().into_owned();
        let deep = text.contains("recursion limit");
        let hint = if deep { "; messages can lie 100 deep in one another" } else { "" };
        Error::Sql { fault: SqlFault::Syntax, message: format!("this is no Substrait plan: {text}{hint}") }
    })?;
    let numbers = |version: &Version| (version.major_number, version.minor_number, version.patch_number);
    let version = plan.version.as_ref().map_or((0, 0, 0), numbers);
    known_version(version)?;
    all_known(&plan, version, bytes.len())?;
    let [only] = plan.relations.as_slice() else {
        let found = plan.relations.len();
        return Err(invalid(format!("expected a Substrait plan with one tree of relations, found {found}")));
    };
    let top = match &only.rel_type {
        Some(RelType::Rel(rel)) => rel.rel_type.as_ref(),
        Some(RelType::Root(root)) => root.input.as_ref().and_then(|rel| rel.rel_type.as_ref()),
        None => None,
    };
    match top {
        None => return Err(invalid("the Substrait plan has a root without a relation".to_owned())),
        Some(Step::Write(_) | Step::Update(_) | Step::Ddl(_)) => {
            let message =
                "a Substrait plan that changes something is not allowed; send INSERT, DELETE or UPDATE as SQL";
            return Err(Error::Sql { fault: SqlFault::ReadOnly, message: message.to_owned() });
        }
        Some(_) => {}
    }
    if !plan.parameter_bindings.is_empty() {
        return Err(invalid("the plan binds its parameters itself; bind values to the prepared statement".to_owned()));
    }
    Ok(plan)
}

/// Whether plans of a version may be read. One without a version is taken.
fn known_version(found: (u32, u32, u32)) -> Result<()> {
    if found == (0, 0, 0) || (found >= OLDEST && found.0 == newest::SUBSTRAIT_MAJOR_VERSION) {
        return Ok(());
    }
    let ((oldest, newest), (major, minor, patch)) = (plan_versions(), found);
    Err(invalid(format!(
        "the plan is of Substrait {major}.{minor}.{patch}; this server reads plans of {oldest} to {newest}"
    )))
}

/// A newer plan may say what is not known here, and would be answered as if it did not. What is not known is lost when
/// the plan is read, so that written again it is shorter.
fn all_known(plan: &Plan, (major, minor, patch): (u32, u32, u32), bytes: usize) -> Result<()> {
    let newest = (newest::SUBSTRAIT_MAJOR_VERSION, newest::SUBSTRAIT_MINOR_VERSION);
    if (major, minor) <= newest || plan.encoded_len() == bytes {
        return Ok(());
    }
    let newest = plan_versions().1;
    Err(invalid(format!(
        "the plan is of Substrait {major}.{minor}.{patch} and says what {newest}, the newest that this server knows, does not have"
    )))
}

/// The plan over what the user sees.
pub(super) async fn logical(state: &SessionState, access: Option<&Access>, plan: &Plan) -> Result<LogicalPlan> {
    let extensions = Extensions::try_from(&plan.extensions).map_err(|error| explain(&error, access))?;
    if !extensions.type_variations.is_empty() {
        return Err(invalid("the plan declares variations of types, which are not known here".to_owned()));
    }
    let reader = Reader::new(&extensions, state);
    // The library takes for granted that no part is missing that has to be there, and panics where one is.
    let read = AssertUnwindSafe(from_substrait_plan_with_consumer(&reader, plan)).catch_unwind().await;
    let read = read.map_err(|_| invalid("the Substrait plan lacks a part that it must have".to_owned()))?;
    read.map_err(|error| match error.find_root() {
        DataFusionError::Internal(text) => invalid(format!("the Substrait plan cannot be read: {text}")),
        _ => explain(&error, access),
    })
}

fn invalid(message: String) -> Error {
    Error::Sql { fault: SqlFault::Invalid, message }
}
