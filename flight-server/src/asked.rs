//! What goes in: SQL, or a Substrait plan. What comes out: a statement that has been planned, whichever it was.

use bytes::Bytes;
use haetae_warehouse::query::{Snapshot, Statement, check_plan_version, plan_shape, shape};
use tonic::Status;

use crate::seal::Claim;
use crate::{Result, status};

/// A query as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// As text.
    Sql(String),
    /// As the bytes of a Substrait plan.
    Plan(Bytes),
}

impl Asked {
    /// What a client sends as a plan. Fails when it says that it is of a version which is not read here.
    pub(crate) fn plan(sent: Option<arrow_flight::sql::SubstraitPlan>) -> Result<Self, Status> {
        let sent = sent.ok_or_else(|| Status::invalid_argument("the command has no Substrait plan"))?;
        if !sent.version.is_empty() {
            check_plan_version(&sent.version).map_err(|error| status::from_warehouse(&error))?;
        }
        Ok(Self::Plan(sent.plan))
    }

    /// What a ticket or a handle is for.
    pub(crate) fn of(claim: &Claim) -> Self {
        if claim.plan.is_empty() { Self::Sql(claim.sql.clone()) } else { Self::Plan(claim.plan.clone()) }
    }

    /// A claim that says this and no more.
    pub(crate) fn claim(&self) -> Claim {
        match self {
            Self::Sql(sql) => Claim { sql: sql.clone(), ..Claim::default() },
            Self::Plan(plan) => Claim { plan: plan.clone(), ..Claim::default() },
        }
    }

    /// For audits and logs: without values.
    pub(crate) fn shape(&self) -> String {
        match self {
            Self::Sql(sql) => shape(sql),
            Self::Plan(plan) => plan_shape(plan),
        }
    }

    /// Planned over what the user sees.
    pub(crate) async fn statement(&self, snapshot: &Snapshot) -> Result<Statement, haetae_warehouse::Error> {
        match self {
            Self::Sql(sql) => snapshot.statement(sql).await,
            Self::Plan(plan) => snapshot.substrait(plan).await,
        }
    }
}
