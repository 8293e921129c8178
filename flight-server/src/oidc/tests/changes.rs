//! A policy that changes while somebody waits for the keys of an issuer.

use std::path::Path;

use haetae_warehouse::query::policy::MaskKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tonic::metadata::MetadataMap;

use super::*;
use crate::auth::{Auth, Refused, Users};
use crate::policy::Policies;
use crate::revoked::Revoked;

fn write(path: &Path, keys: &str, more: &str) {
    let text = format!(
        "[users.lee]\nrole = \"analyst\"\npassword = \"{}\"\n{more}[roles.analyst]\ntables = [\"customs.*\"]\n[roles.reader]\ntables = [\"kcs.*\"]\n",
        crate::policy::hash_password("a long password").unwrap()
    );
    std::fs::write(path, text.replace("KEYS", keys)).unwrap();
}

fn section(roles: &str, more: &str) -> String {
    format!(
        "[oidc]\nissuer = \"{ISSUER}\"\naudience = \"haetae\"\njwks = \"KEYS\"\nroles = {{ desk = \"{roles}\" }}\n{more}\n"
    )
}

/// What the request of a token is answered while the policy, which gives `desk` the role analyst, becomes another one: the
/// role, the version of the policy that decided, and that of the newest.
async fn meanwhile(more: &str) -> Result<(String, String, String), Refused> {
    let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::p256());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = format!("http://{}/keys", listener.local_addr().unwrap());
    let path = folder.path().join("policy.toml");
    write(&path, &keys, &section("analyst", ""));
    let policies = Arc::new(Policies::load(&path, MaskKey::new([1; 32]), Default::default()).unwrap());
    let users = Users::Policy(Arc::clone(&policies));
    let clock: crate::auth::Clock = Arc::new(|| NOW * 1000);
    let auth = Auth::new(users, &crate::secret::Key::random().unwrap(), Revoked::in_memory(), clock).unwrap();
    let mut headers = MetadataMap::new();
    headers.insert("authorization", format!("Bearer {}", signer.token("p", &claims())).parse().unwrap());
    let body = set(&[signer.key("p")]);
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _request = stream.read(&mut [0; 4096]).await.unwrap();
        write(&path, &keys, more);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let (found, ()) = tokio::join!(auth.principal(&headers, None, None), serving);
    found.map(|principal| (principal.role, principal.policy, policies.current().version.clone()))
}

#[tokio::test]
async fn the_newest_policy_decides_on_a_token_that_waited_for_keys() {
    // Nothing of the section has changed: it is looked at once, and the newest policy is what holds.
    for role in ["analyst", "reader"] {
        let (found, version, newest) = meanwhile(&section(role, "# written anew")).await.unwrap();
        assert_eq!((found.as_str(), version), (role, newest));
    }
    let refused = meanwhile(&section("analyst", "revoked = [\"s-1\"]")).await.unwrap_err().status;
    assert!(refused.message().ends_with("it has been revoked"), "{refused}");
    let refused = meanwhile(&section("analyst", "").replace("\"haetae\"", "\"other\"")).await.unwrap_err().status;
    assert!(refused.message().contains("its audience is not other"), "{refused}");
    // Without a section, no token of an issuer is known.
    let refused = meanwhile("").await.unwrap_err();
    assert_eq!((refused.status.code(), refused.record.is_none()), (Code::Unauthenticated, true));
}
