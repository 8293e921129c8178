//! What goes in: where the keys of an issuer are. What comes out: the keys.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Address, address};
use super::file::file;
use super::key::{Key, keys};
use crate::policy::{Provider, Source};

/// What a request of the issuer may take in all.
const PATIENCE: Duration = Duration::from_secs(5);

/// A longer answer is none, and neither is a longer file.
pub(super) const ANSWER_BYTES: usize = 1 << 20;

/// Below the issuer's address (OpenID Connect Discovery, section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Where systems keep those whom they trust.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// The keys as they are now. Fails with the reason, for whoever runs the server.
pub(super) async fn fetched(provider: &Provider) -> Result<Vec<Key>, String> {
    let text = match &provider.keys {
        Source::File(path) => {
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || file(&path)).await;
            read.map_err(|error| format!("the file of keys was not read: {error}"))??
        }
        Source::Address(at) => get(at, provider).await?,
        Source::Discovery => {
            let document = format!("{}{DISCOVERY}", provider.issuer.trim_end_matches('/'));
            let text = get(&document, provider).await?;
            let found: Document = serde_json::from_slice(&text)
                .map_err(|error| format!("{document} is no discovery document: {error}"))?;
            if found.issuer != provider.issuer {
                return Err(format!("{document} is of another issuer"));
            }
            get(&found.jwks_uri, provider).await?
        }
    };
    keys(&text)
}

async fn get(at: &str, provider: &Provider) -> Result<Vec<u8>, String> {
    let to = address(at)?;
    let answered = tokio::time::timeout(PATIENCE, asked(&to, provider.ca.as_deref())).await;
    let answered = answered.unwrap_or_else(|_| Err(format!("no answer within {} seconds", PATIENCE.as_secs())));
    answered.map_err(|reason| format!("cannot fetch {at}: {reason}"))
}

async fn asked(to: &Address, ca: Option<&Path>) -> Result<Vec<u8>, String> {
    let stream = TcpStream::connect((to.host.as_str(), to.port)).await.map_err(|error| error.to_string())?;
    if !to.secure {
        return exchanged(to, stream).await;
    }
    let name = ServerName::try_from(to.host.clone()).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(tls(ca)?));
    let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
    exchanged(to, stream).await
}

/// One request, whose answer is taken as it is: who is sent elsewhere is sent there by whoever keeps the policy.
pub(super) async fn exchanged(
    to: &Address,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Vec<u8>, String> {
    let failed = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = Request::get(&to.path)
        .header(header::HOST, to.authority())
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("haetae-server/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(failed)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the answer is {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
        body.map(|body| body.to_bytes().to_vec()).map_err(|error| error.to_string())
    };
    let mut answer = std::pin::pin!(answer);
    // The connection is driven beside the request. It may fail while it closes, when all of the answer has come: what came
    // is taken, however the connection ended, and an answer that is not whole knows that it is none.
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}

fn tls(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let system = || SYSTEM_ROOTS.into_iter().map(Path::new).find(|path| path.exists());
    let path = ca.or_else(system).ok_or("the system has no list of those who sign certificates; write ca = \"…\"")?;
    let unreadable = |reason: String| format!("cannot use {}: {reason}", path.display());
    let pem = match ca {
        Some(ca) => file(ca)?,
        // The system's own list is for the system to keep.
        None => std::fs::read(path).map_err(|error| unreadable(error.to_string()))?,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        // A system may have some that are not understood.
        let added = roots.add(certificate);
        if let (Err(error), Some(_)) = (added, ca) {
            return Err(unreadable(error.to_string()));
        }
    }
    if roots.is_empty() {
        return Err(unreadable("it has no certificate".to_owned()));
    }
    let config =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
