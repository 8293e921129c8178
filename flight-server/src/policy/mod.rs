//! What goes in: the policy file. What comes out: who may log in, and what each of them may see.

mod file;
mod oidc;
mod password;
mod reload;
mod role;
mod sections;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use haetae_warehouse::query::policy::{Access, MaskKey, Rights, SystemTable, work_space};

pub(crate) use oidc::{Provider, Source};
pub use password::hash as hash_password;
pub(crate) use password::make_dummy;
pub(crate) use password::verify as verify_password;
pub(crate) use reload::Policies;
pub(crate) use role::Role;

use crate::bounds::RoleBounds;
use crate::runs::Runs;
use crate::{Error, Result};

/// The name of the file in the warehouse directory that is taken where `--policy` names none.
pub const FILE_NAME: &str = "policy.toml";

/// A policy file that has been read and found right.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The first 16 hexadecimal digits of the SHA-256 of the file.
    pub version: String,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) access_minutes: u64,
    pub(crate) refresh_hours: u64,
    /// Whose tokens are taken beside those of this server.
    pub(crate) oidc: Option<Arc<Provider>>,
}

/// What the server itself keeps and shows in the schema `system`.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    /// For auditors.
    pub(crate) audit: Option<SystemTable>,
    /// For everyone.
    pub(crate) runs: Option<Runs>,
}

/// One user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) role: String,
    /// An argon2id hash in PHC form; empty for who logs in with a certificate alone.
    pub(crate) password: String,
    /// The fingerprint of the certificate that the user logs in with.
    pub(crate) certificate: Option<String>,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// One thing that is wrong with a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub what: String,
}

impl Policy {
    /// Reads and checks a whole policy. Fails with everything that is wrong with it.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Result<Self> {
        let mut problems = Vec::new();
        let policy = file::read(text, &mut problems);
        match policy {
            Some(policy) if problems.is_empty() => Ok(policy),
            _ => {
                problems.sort_by_key(|problem: &Problem| problem.line);
                Err(Error::Policy { path: path.into(), problems })
            }
        }
    }

    /// The number of users and roles.
    pub fn size(&self) -> (usize, usize) {
        (self.users.len(), self.roles.len())
    }

    /// What holds for the queries of a role.
    pub(crate) fn bounds(&self, role: &str) -> RoleBounds {
        self.roles.get(role).map(|role| role.bounds).unwrap_or_default()
    }

    /// What a user may see; `None` where there is no such user.
    pub(crate) fn access(&self, user: &str, key: &MaskKey, kept: &Kept) -> Option<Arc<Access>> {
        let found = self.users.get(user)?;
        let id = format!("{}/{user}", self.version);
        self.access_as(id, user, &found.role, &found.attributes, key, kept)
    }

    /// What somebody with this role and these attributes may see, under an id that says all of this; `None` where there is
    /// no such role.
    pub(crate) fn access_as(
        &self,
        id: String,
        user: &str,
        role: &str,
        attributes: &BTreeMap<String, String>,
        key: &MaskKey,
        kept: &Kept,
    ) -> Option<Arc<Access>> {
        let role = self.roles.get(role)?;
        let rights = if role.admin {
            Rights::All
        } else {
            let (tables, attributes) = (role.tables.clone(), attributes.clone());
            Rights::Limited { tables, attributes, key: key.clone() }
        };
        let all = role.admin || role.auditor;
        let audit = kept.audit.clone().filter(|_| role.auditor);
        // Their own statements, unless they may see those of others.
        let queries = kept.runs.as_ref().map(|runs| runs.table((!all).then_some(user)));
        let system = audit.into_iter().chain(queries).collect();
        let (work, writes) = (role.work().then(|| work_space(user)), role.writes.clone());
        Some(Arc::new(Access { id, rights, system, work, writes, clearance: role.clearance.clone() }))
    }
}
