//! What goes in: a token that an issuer outside has signed (OpenID Connect), and its public keys. What comes out: who the
//! user is, and which of the issuer's groups they are in.
//!
//! The token chooses nothing: which algorithms may be used and where keys come from stands in the policy (RFC 8725).

mod address;
mod claims;
mod fetch;
mod file;
mod issuer;
mod key;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use address::address;
pub(crate) use issuer::Issuer;
pub(crate) use key::Algorithm;
