//! Certificates of clients: who logs in with one, and who does not.

use std::time::Duration;

use arrow_flight::Action;
use arrow_flight::sql::EndTransaction;
use arrow_flight::sql::client::FlightSqlServiceClient;
use haetae_flight_server::make_certificate;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use sha2::{Digest, Sha256};
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

use crate::harness::{Place, Raw, Running, ask, status};
use crate::writes::{PASSWORD, policy};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = named("authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate with its key, and its fingerprint.
    fn identity(&self, name: &str) -> (Identity, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = named(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let digest = Sha256::digest(certificate.der());
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        (Identity::from_pem(certificate.pem(), key.serialize_pem()), format!("sha256:{digits}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_a_login() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let (ours, foreign) = (Authority::new(), Authority::new());
    let (cho, cho_is) = ours.identity("cho");
    let (dana, dana_is) = ours.identity("dana");
    let (forged, forged_is) = foreign.identity("forged");
    let users = format!(
        "[users.cho]\nrole = \"reader\"\ncertificate = \"{cho_is}\"\n[users.dana]\nrole = \"admin\"\ncertificate = \"{dana_is}\"\n\
         [users.eva]\nrole = \"admin\"\ncertificate = \"{forged_is}\"\n"
    );
    place.write_policy(&(users + &policy()));
    let mut certificate = make_certificate(folder.path(), &["localhost".to_owned()]).unwrap();
    let trusted = std::fs::read_to_string(&certificate.certificate).unwrap();
    let clients = folder.path().join("clients.crt");
    std::fs::write(&clients, &ours.pem).unwrap();
    certificate.clients = Some(clients);
    let server = Running::over(place, Duration::from_secs(1), Some(certificate)).await;
    let port = server.address.port();
    let connect = async |identity: Option<Identity>| -> Result<Raw, tonic::transport::Error> {
        let tls =
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(trusted.clone())).domain_name("localhost");
        let tls = identity.into_iter().fold(tls, ClientTlsConfig::identity);
        let channel = Channel::from_shared(format!("https://127.0.0.1:{port}")).unwrap().tls_config(tls)?;
        Ok(FlightSqlServiceClient::new(channel.connect().await?))
    };
    let names = "select name from dim_courier order by 1";
    let mut cho = connect(Some(cho)).await.unwrap();
    assert_eq!(ask(&mut cho, names).await.unwrap()[0], ["F**"]);
    let mut dana = connect(Some(dana)).await.unwrap();
    assert_eq!(ask(&mut dana, names).await.unwrap()[0], ["Fast"]);
    // The session is of the user at this address. Its end is that of what it has open; there is no token to end.
    let sessions = "select count(distinct session) from system.audit where session like 'certificate dana 127.0.0.1:%'";
    assert_eq!(ask(&mut dana, sessions).await.unwrap(), [["1"]]);
    let id = dana.begin_transaction().await.unwrap();
    let close = Action { r#type: "CloseSession".to_owned(), body: Vec::new().into() };
    dana.inner().clone().do_action(close).await.unwrap();
    assert_eq!(status(dana.end_transaction(id, EndTransaction::Commit)).await.code(), Code::NotFound);
    assert_eq!(ask(&mut dana, names).await.unwrap()[0], ["Fast"]);
    let ended = std::fs::read_to_string(server.place.root().join("server.tokens")).unwrap();
    assert!(!ended.contains("certificate"), "{ended}");
    // Of the same name and well signed, but not the one of the policy.
    let mut nobody = connect(Some(ours.identity("cho").0)).await.unwrap();
    let refused = status(ask(&mut nobody, names)).await;
    assert!(
        refused.code() == Code::Unauthenticated && refused.message().contains("no user of the policy"),
        "{refused}"
    );
    // In the policy, but signed by somebody else: there is no connection, or none that answers.
    if let Ok(mut forged) = connect(Some(forged)).await {
        assert!(ask(&mut forged, names).await.is_err());
    }
    // A password is as good as ever; a token that is none is not mended by a certificate.
    let mut kim = connect(None).await.unwrap();
    assert_eq!(status(ask(&mut kim, names)).await.code(), Code::Unauthenticated);
    kim.handshake("kim", PASSWORD).await.unwrap();
    assert_eq!(ask(&mut kim, names).await.unwrap()[0], ["Fast"]);
    cho.set_token("forged".to_owned());
    assert_eq!(status(ask(&mut cho, names)).await.code(), Code::Unauthenticated);
    let mut stranger = connect(None).await.unwrap();
    assert!(stranger.handshake("cho", "").await.is_err());
}
