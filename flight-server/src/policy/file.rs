//! What goes in: the text of a policy file. What comes out: the policy, or all that is wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haetae_warehouse::ingest::hexadecimal;
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::role::{self, Lines};
use super::sections::{Complaints, Section, root};
use super::{Policy, Problem, Role, User, oidc, password};

/// How long a token is good where the file does not say.
const ACCESS_MINUTES: u64 = 60;
const REFRESH_HOURS: u64 = 12;

/// `None` where the text is no TOML; otherwise `problems` says whether the policy can be used.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Policy> {
    let parsed = DeTable::parse(text);
    let mut complaints = Complaints::new(text, problems);
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = error.span().map_or(1, |span| complaints.line(span.start));
            complaints.add(line, format!("this is not valid TOML: {}", error.message()));
            return None;
        }
    };
    let mut policy = Policy {
        version: hexadecimal(&Sha256::digest(text)[..8]),
        users: BTreeMap::new(),
        roles: BTreeMap::new(),
        access_minutes: ACCESS_MINUTES,
        refresh_hours: REFRESH_HOURS,
        oidc: None,
    };
    let mut lines: BTreeMap<String, Lines> = BTreeMap::new();
    let (mut users, mut issuer): (Option<Section<'_>>, Option<Section<'_>>) = (None, None);
    for entry in complaints.entries(root(&parsed), Some(&["users", "roles", "tokens", "oidc"])) {
        let Some(section) = complaints.section(entry) else { continue };
        match entry.key {
            "roles" => {
                for entry in complaints.entries(section, None) {
                    let Some(section) = complaints.section(entry) else { continue };
                    let (role, found) = role::read(section, &mut complaints);
                    policy.roles.insert(entry.key.to_owned(), role);
                    lines.insert(entry.key.to_owned(), found);
                }
            }
            "users" => users = Some(section),
            "oidc" => issuer = Some(section),
            _ => tokens(section, &mut policy, &mut complaints),
        }
    }
    if let Some(section) = issuer {
        policy.oidc = Some(Arc::new(oidc::read(section, &policy.roles, &mut complaints)));
    }
    match users {
        Some(section) => read_users(section, &mut policy, &mut complaints),
        None if policy.oidc.is_some() => {}
        None => complaints.add(1, "there are no users: nobody could log in; add one with `haetae-server user add`"),
    }
    for (name, role) in &policy.roles {
        let Some(lines) = lines.get(name) else { continue };
        for fault in role.check() {
            let line = lines.of(&fault.schema, &fault.table, fault.column.as_deref());
            let column = fault.column.map(|column| format!(".{column}")).unwrap_or_default();
            complaints.add(line, format!("{}.{}{column}: {}", fault.schema, fault.table, fault.reason));
        }
    }
    Some(policy)
}

fn tokens(section: Section<'_>, policy: &mut Policy, complaints: &mut Complaints<'_>) {
    for entry in complaints.entries(section, Some(&["access_minutes", "refresh_hours"])) {
        match entry.key {
            "access_minutes" => {
                policy.access_minutes = complaints.number(entry, 1, 24 * 60).unwrap_or(ACCESS_MINUTES);
            }
            _ => policy.refresh_hours = complaints.number(entry, 1, 24 * 30).unwrap_or(REFRESH_HOURS),
        }
    }
}

fn read_users(section: Section<'_>, policy: &mut Policy, complaints: &mut Complaints<'_>) {
    for entry in complaints.entries(section, None) {
        let (name, line) = (entry.key, entry.line);
        if !is_name(name) {
            complaints.add(line, format!("\"{name}\" is no user name; use letters, digits, . _ @ and -, 64 at most"));
        }
        let Some(section) = complaints.section(entry) else { continue };
        let (mut role, mut hash, mut certificate, mut attributes) = (None, None, None, BTreeMap::new());
        for entry in complaints.entries(section, Some(&["role", "password", "certificate", "attributes"])) {
            match entry.key {
                "role" => {
                    let Some(found) = complaints.text(entry) else { continue };
                    if !policy.roles.contains_key(found) {
                        let known: Vec<&str> = policy.roles.keys().map(String::as_str).collect();
                        complaints.add(
                            entry.line,
                            format!("there is no role \"{found}\"; the roles are {}", known.join(", ")),
                        );
                    }
                    role = Some(found.to_owned());
                }
                "password" => {
                    let Some(found) = complaints.text(entry) else { continue };
                    if let Err(reason) = password::check(found) {
                        complaints.add(entry.line, reason);
                    }
                    hash = Some(found.to_owned());
                }
                "certificate" => {
                    let Some(found) = complaints.text(entry) else { continue };
                    if policy.users.values().any(|other| other.certificate.as_deref() == Some(found)) {
                        complaints.add(entry.line, format!("the certificate {found} is of another user too"));
                    }
                    let digits = found.strip_prefix("sha256:").unwrap_or_default();
                    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
                        let expected = "expected sha256: and 64 small hexadecimal digits";
                        complaints.add(entry.line, format!("\"{found}\" is no fingerprint; {expected}"));
                    }
                    certificate = Some(found.to_owned());
                }
                _ => {
                    let Some(section) = complaints.section(entry) else { continue };
                    for entry in complaints.entries(section, None) {
                        let value = complaints.text(entry).unwrap_or_default();
                        attributes.insert(entry.key.to_owned(), value.to_owned());
                    }
                }
            }
        }
        if role.is_none() {
            complaints.add(line, format!("the user {name} has no role; write role = \"…\""));
        }
        if hash.is_none() && certificate.is_none() {
            complaints.add(line, format!("the user {name} has no password; make one with `haetae-server policy hash`, or write certificate = \"sha256:…\""));
        }
        let (role, password) = (role.unwrap_or_default(), hash.unwrap_or_default());
        check_attributes(name, line, policy.roles.get(&role), &attributes, complaints);
        policy.users.insert(name.to_owned(), User { role, password, certificate, attributes });
    }
}

fn check_attributes(
    user: &str,
    line: usize,
    role: Option<&Role>,
    attributes: &BTreeMap<String, String>,
    complaints: &mut Complaints<'_>,
) {
    let Some(role) = role else { return };
    for wanted in &role.attributes {
        if !attributes.contains_key(wanted) {
            complaints.add(line, format!("the user {user} has no attribute {wanted}, which the role's filters use"));
        }
    }
    for found in attributes.keys().filter(|found| !role.attributes.contains(*found)) {
        complaints
            .add(line, format!("the user {user} has an attribute {found} that the role does not list in `attributes`"));
    }
}

fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '@' | '-');
    !name.is_empty() && name.chars().count() <= 64 && name.chars().all(fits)
}
