//! What goes in: the section `oidc` of a policy file. What comes out: whose tokens are taken, and what they are worth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Role;
use super::sections::{Complaints, Entry, Section};
use crate::oidc::{Algorithm, address};

const SETTINGS: [&str; 13] = [
    "issuer",
    "audience",
    "jwks",
    "ca",
    "algorithms",
    "user_claim",
    "roles_claim",
    "roles",
    "attributes",
    "skew_seconds",
    "refresh_minutes",
    "stale_hours",
    "revoked",
];

/// An issuer of tokens whose users may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) keys: Source,
    /// Those who may have signed the certificate of its server; `None` = those that the system trusts.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) algorithms: Vec<Algorithm>,
    /// Where the name of the user stands: the names of claims within one another.
    pub(crate) user_claim: Vec<String>,
    pub(crate) roles_claim: Vec<String>,
    /// (group of the claim, role of the policy), the first that fits being the user's.
    pub(crate) roles: Vec<(String, String)>,
    /// Attribute of roles -> claim.
    pub(crate) attributes: BTreeMap<String, Vec<String>>,
    /// Seconds by which clocks may differ.
    pub(crate) skew: u64,
    /// Seconds after which keys are fetched again.
    pub(crate) refresh: u64,
    /// Seconds for which keys are good after that, while they cannot be fetched.
    pub(crate) stale: u64,
    /// Tokens (`jti`) and subjects that are refused.
    pub(crate) revoked: BTreeSet<String>,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Where its discovery document says.
    Discovery,
    Address(String),
    File(PathBuf),
}

pub(super) fn read(section: Section<'_>, roles: &BTreeMap<String, Role>, complaints: &mut Complaints<'_>) -> Provider {
    let claim = |name: &str| vec![name.to_owned()];
    let mut provider = Provider {
        issuer: String::new(),
        audience: String::new(),
        keys: Source::Discovery,
        ca: None,
        algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
        user_claim: claim("sub"),
        roles_claim: claim("groups"),
        roles: Vec::new(),
        attributes: BTreeMap::new(),
        skew: 30,
        refresh: 3600,
        stale: 24 * 3600,
        revoked: BTreeSet::new(),
    };
    for entry in complaints.entries(section, Some(&SETTINGS)) {
        match entry.key {
            "issuer" => provider.issuer = complaints.text(entry).unwrap_or_default().to_owned(),
            "audience" => provider.audience = complaints.text(entry).unwrap_or_default().to_owned(),
            "jwks" => provider.keys = source(entry, complaints),
            "ca" => provider.ca = complaints.text(entry).map(PathBuf::from),
            "algorithms" => provider.algorithms = algorithms(entry, complaints),
            "user_claim" => provider.user_claim = path(entry, complaints),
            "roles_claim" => provider.roles_claim = path(entry, complaints),
            "roles" => provider.roles = mapped(entry, roles, complaints),
            "attributes" => {
                let Some(section) = complaints.section(entry) else { continue };
                for entry in complaints.entries(section, None) {
                    let claim = path(entry, complaints);
                    provider.attributes.insert(entry.key.to_owned(), claim);
                }
            }
            "skew_seconds" => provider.skew = complaints.number(entry, 0, 300).unwrap_or_default(),
            "refresh_minutes" => provider.refresh = complaints.number(entry, 1, 24 * 60).unwrap_or(60) * 60,
            "stale_hours" => provider.stale = complaints.number(entry, 0, 7 * 24).unwrap_or_default() * 3600,
            _ => provider.revoked = complaints.list(entry).into_iter().map(str::to_owned).collect(),
        }
    }
    check(section.line, &provider, roles, complaints);
    provider
}

/// What is missing or does not fit together.
fn check(line: usize, provider: &Provider, roles: &BTreeMap<String, Role>, complaints: &mut Complaints<'_>) {
    for (name, value) in [("issuer", &provider.issuer), ("audience", &provider.audience)] {
        if value.is_empty() {
            complaints.add(line, format!("oidc has no {name}; write {name} = \"…\" as the tokens have it"));
        }
    }
    if provider.keys == Source::Discovery
        && !provider.issuer.is_empty()
        && let Err(reason) = address(&provider.issuer)
    {
        complaints.add(line, format!("the issuer cannot be asked for its keys: {reason}; or write jwks = \"…\""));
    }
    if provider.roles.is_empty() {
        complaints.add(line, "oidc gives no role to anybody; write roles = { \"a group\" = \"a role\" }");
    }
    let wanted: BTreeSet<&String> =
        provider.roles.iter().filter_map(|(_, role)| roles.get(role)).flat_map(|role| &role.attributes).collect();
    for attribute in wanted {
        if !provider.attributes.contains_key(attribute) {
            complaints.add(
                line,
                format!("no claim gives the attribute {attribute}, which a role uses; write attributes = {{ {attribute} = \"a claim\" }}"),
            );
        }
    }
}

fn source(entry: Entry<'_>, complaints: &mut Complaints<'_>) -> Source {
    let text = complaints.text(entry).unwrap_or_default();
    if text.starts_with('/') {
        return Source::File(PathBuf::from(text));
    }
    if let Err(reason) = address(text) {
        complaints.add(entry.line, format!("jwks must be an address or the whole path of a file: {reason}"));
    }
    Source::Address(text.to_owned())
}

fn algorithms(entry: Entry<'_>, complaints: &mut Complaints<'_>) -> Vec<Algorithm> {
    let names = complaints.list(entry);
    let mut found = Vec::new();
    for name in &names {
        match Algorithm::named(name) {
            Some(known) => found.push(known),
            None => complaints.add(
                entry.line,
                format!("tokens cannot be signed by \"{name}\" here; the algorithms are {}", Algorithm::NAMES),
            ),
        }
    }
    if names.is_empty() {
        complaints.add(entry.line, "there is no algorithm, so that no token could be right");
    }
    found
}

/// A claim by its name, or by the names that lead to it.
fn path(entry: Entry<'_>, complaints: &mut Complaints<'_>) -> Vec<String> {
    let names = if entry.is_text() { complaints.text(entry).into_iter().collect() } else { complaints.list(entry) };
    if names.is_empty() || names.iter().any(|name| name.is_empty()) {
        complaints.add(entry.line, format!("{} names no claim", entry.key));
    }
    names.into_iter().map(str::to_owned).collect()
}

/// In the order of the file.
fn mapped(entry: Entry<'_>, roles: &BTreeMap<String, Role>, complaints: &mut Complaints<'_>) -> Vec<(String, String)> {
    let Some(section) = complaints.section(entry) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in complaints.entries(section, None) {
        let Some(role) = complaints.text(entry) else { continue };
        if !roles.contains_key(role) {
            let known: Vec<&str> = roles.keys().map(String::as_str).collect();
            complaints.add(entry.line, format!("there is no role \"{role}\"; the roles are {}", known.join(", ")));
        }
        found.push((entry.key.to_owned(), role.to_owned()));
    }
    found
}
