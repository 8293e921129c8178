//! What goes in: names of a host, or files. What comes out: a certificate for TLS and its key.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chrono::Datelike;
use haetae_warehouse::ingest::hexadecimal;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use sha2::{Digest, Sha256};
use tonic::Request;
use tonic::transport::{Certificate as Authority, Identity, Server, ServerTlsConfig};

use crate::{Error, Result};

/// Days that a certificate made here is good. Clients of Apple refuse more than 825.
const DAYS: i64 = 365;

/// Where a certificate and its key are, as PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, and those that lead to its issuer.
    pub certificate: PathBuf,
    /// Its private key; nobody but its owner may be able to read it.
    pub key: PathBuf,
    /// Those who may sign certificates of clients, as PEM; `None` = clients need none, and have none.
    pub clients: Option<PathBuf>,
}

impl Certificate {
    /// A server that shows this certificate. Fails when the files are none, or do not belong together.
    pub(crate) fn used_by(&self, server: Server) -> Result<Server> {
        let read = |path: &Path| {
            let failed = |reason: String| Error::Certificate { path: path.to_owned(), reason };
            let pem = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
            if pem.contains("-----BEGIN ") { Ok(pem) } else { Err(failed("it is not in PEM form".to_owned())) }
        };
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        let meta = std::fs::metadata(&self.key).map_err(|error| self.wrong_key(&error.to_string()))?;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let remedy = format!("run `chmod 600 {}`", self.key.display());
            return Err(self.wrong_key(&format!("others can read it (mode {mode:04o}); {remedy}")));
        }
        let mut config = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
        if let Some(clients) = &self.clients {
            // Who has none logs in with a password.
            config = config.client_ca_root(Authority::from_pem(read(clients)?)).client_auth_optional(true);
        }
        server.tls_config(config).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            self.wrong_key(&format!("it cannot be used with {}: {cause}", self.certificate.display()))
        })
    }

    fn wrong_key(&self, reason: &str) -> Error {
        Error::Certificate { path: self.key.clone(), reason: reason.to_owned() }
    }
}

/// The fingerprint of the certificate that a client has shown, which has been verified: `sha256:` and 64 hexadecimal
/// digits. `None` where it has shown none.
pub(crate) fn fingerprint<T>(request: &Request<T>) -> Option<String> {
    let shown = request.peer_certs()?;
    Some(format!("sha256:{}", hexadecimal(&Sha256::digest(shown.first()?))))
}

/// A new key and a certificate for `names` (names or addresses of the host) that it has signed
/// itself, good for a year, as `server.crt` and `server.pem` in `folder`. Clients have to be told to
/// trust it. Fails where one of the files is there already.
pub fn make(folder: &Path, names: &[String]) -> Result<Certificate> {
    let made = Certificate { certificate: folder.join("server.crt"), key: folder.join("server.pem"), clients: None };
    let failed = |reason: String| Error::Certificate { path: made.certificate.clone(), reason };
    let wrong = |error: rcgen::Error| failed(error.to_string());
    let key = KeyPair::generate().map_err(wrong)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(wrong)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, names.first().map_or("haetae-server", String::as_str));
    params.distinguished_name = subject;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = chrono::Utc::now().date_naive();
    let day = |day: chrono::NaiveDate| date_time_ymd(day.year(), day.month() as u8, day.day() as u8);
    params.not_before = day(today);
    params.not_after = day(today + chrono::TimeDelta::days(DAYS));
    let certificate = params.self_signed(&key).map_err(wrong)?;
    for (path, mode, pem) in [(&made.key, 0o600, key.serialize_pem()), (&made.certificate, 0o644, certificate.pem())] {
        let failed = |error: std::io::Error| Error::Certificate { path: path.clone(), reason: error.to_string() };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
        file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    Ok(made)
}
