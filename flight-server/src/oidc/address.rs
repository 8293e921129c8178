//! What goes in: an address in text. What comes out: a host, a port and a path that keys may be fetched from.

use std::net::IpAddr;

use hyper::Uri;

/// Where something is fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// With the query.
    pub(super) path: String,
}

impl Address {
    /// As the header `host` has it.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

/// Reads an address: https, or http of this machine itself. Who can change keys on their way can sign tokens.
pub(crate) fn address(text: &str) -> Result<Address, String> {
    let wrong = |reason: &str| format!("\"{text}\" {reason}; expected https://…");
    let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
    let host = uri.host().ok_or_else(|| wrong("names no host"))?.trim_start_matches('[').trim_end_matches(']');
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("has a user name in it"));
    }
    let own = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") if own => false,
        Some("http") => return Err(wrong("would be asked without TLS")),
        _ => return Err(wrong("is no address of the web")),
    };
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Address { secure, host: host.to_owned(), port, path })
}
