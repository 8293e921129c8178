//! What goes in: claims that have been verified. What comes out: a user of this server, or why they are none.

use std::collections::BTreeMap;

use haetae_warehouse::ingest::hexadecimal;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::token::Reason;
use crate::policy::Provider;

/// What stands before the names of users of an issuer, so that none is taken for a user of the policy.
const PREFIX: &str = "oidc:";

/// Longer names are refused: a name is part of directories' names.
const NAME_BYTES: usize = 100;

/// A user that an issuer vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The name here.
    pub(crate) user: String,
    /// `sub`.
    pub(crate) subject: String,
    /// The token.
    pub(crate) session: String,
    /// The role of the policy; `None` where no group gives one.
    pub(crate) role: Option<String>,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Person {
    pub(super) fn of(token: &str, claims: &Map<String, Value>, provider: &Provider) -> Result<Self, Reason> {
        let subject = text(claims, "sub").ok_or("it names no subject (sub)")?;
        let token_id = match claims.get("jti") {
            None => None,
            Some(Value::String(id)) => Some(id.as_str()),
            Some(_) => return Err("its name (jti) is no text".to_owned()),
        };
        if provider.revoked.contains(subject) || token_id.is_some_and(|id| provider.revoked.contains(id)) {
            return Err("it has been revoked".to_owned());
        }
        let name = at(claims, &provider.user_claim).and_then(Value::as_str);
        let name = name.ok_or_else(|| format!("it has no text in the claim {}", provider.user_claim.join(".")))?;
        if name.is_empty() || name.len() > NAME_BYTES || !name.chars().all(is_of_name) {
            return Err(format!("the name in the claim {} cannot be used here", provider.user_claim.join(".")));
        }
        let groups = groups(at(claims, &provider.roles_claim), provider)?;
        let role = provider.roles.iter().find(|(group, _)| groups.contains(&group.as_str()));
        let role = role.map(|(_, role)| role.clone());
        let mut attributes = BTreeMap::new();
        for (attribute, claim) in &provider.attributes {
            // A text without content is none: as the beginning of what a row filter looks for, it would fit every row.
            let value = at(claims, claim).and_then(Value::as_str).filter(|value| !value.trim().is_empty());
            if let Some(value) = value {
                attributes.insert(attribute.clone(), value.to_owned());
            }
        }
        let session = format!("oidc {}", hexadecimal(&Sha256::digest(token)[..12]));
        Ok(Self { user: format!("{PREFIX}{name}"), subject: subject.to_owned(), session, role, attributes })
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '_' | '@' | '-' | '|' | ':' | '+' | '/' | '=')
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A claim by the names that lead to it.
fn at<'a>(claims: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(first)?, |value, name| value.as_object()?.get(name))
}

/// A text is one group, whatever stands in it; a list has one in each place. Anything else is refused, rather than
/// guessed at.
fn groups<'a>(claim: Option<&'a Value>, provider: &Provider) -> Result<Vec<&'a str>, Reason> {
    let wrong = || format!("its claim {} is neither a text nor a list of texts", provider.roles_claim.join("."));
    match claim {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(several)) => several.iter().map(|one| one.as_str().ok_or_else(wrong)).collect(),
        Some(_) => Err(wrong()),
    }
}
