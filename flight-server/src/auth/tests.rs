//! Tokens and passwords against a clock that the tests move.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use haetae_warehouse::query::policy::MaskKey;

use super::*;

fn bearer(token: &str) -> MetadataMap {
    let mut headers = MetadataMap::new();
    headers.insert("authorization", format!("bearer {token}").parse().unwrap());
    headers
}

fn refresh(auth: &Auth, token: &str) -> Result<Tokens, Status> {
    auth.refresh(&auth.refreshable(token)?)
}

fn clock() -> (Arc<AtomicU64>, Clock) {
    let time = Arc::new(AtomicU64::new(1_000_000_000_000));
    let read = Arc::clone(&time);
    (time, Arc::new(move || read.load(Ordering::SeqCst)))
}

/// Hashes of the shortest passwords that may be set.
fn write(path: &Path, users: &[(&str, &str)]) {
    let mut text = "[roles.reader]\ntables = [\"customs.*\"]\n[tokens]\naccess_minutes = 5\n".to_owned();
    for (user, password) in users {
        let hash = crate::policy::hash_password(password).unwrap();
        writeln!(text, "[users.{user}]\nrole = \"reader\"\npassword = \"{hash}\"").unwrap();
    }
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn a_token_is_good_until_it_ends() {
    let (time, clock) = clock();
    let users = Users::Owner("right".into());
    let auth = Auth::new(users, &Key::random().unwrap(), Revoked::in_memory(), clock).unwrap();
    for (user, password) in [("haetae", "wrong"), ("other", "right"), ("haetae", ""), ("haetae", "right ")] {
        let refused = auth.log_in(user, password, None).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    }
    let token = auth.log_in("haetae", "right", None).await.unwrap().access;
    let principal = auth.principal(&bearer(&token), None, None).await.unwrap();
    assert_eq!((principal.user.as_str(), principal.role.as_str()), ("haetae", "owner"));
    assert!(principal.access.is_none());
    assert!(auth.principal(&bearer("forged"), None, None).await.is_err());
    assert!(auth.principal(&MetadataMap::new(), None, None).await.is_err());
    time.fetch_add(24 * 3600 * 1000, Ordering::SeqCst);
    assert!(auth.principal(&bearer(&token), None, None).await.is_err());
}

#[tokio::test]
async fn tokens_of_a_policy_end_in_many_ways() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let ended = folder.path().join("ended");
    write(&path, &[("kim", "kim's password"), ("lee", "lee's password")]);
    let policies = Arc::new(Policies::load(&path, MaskKey::new([1; 32]), Default::default()).unwrap());
    let (time, clock) = clock();
    let key = Key::random().unwrap();
    let users = || Users::Policy(Arc::clone(&policies));
    let auth = Auth::new(users(), &key, Revoked::in_file(&ended, 0).unwrap(), clock.clone()).unwrap();
    assert!(auth.log_in("kim", "lee's password", None).await.is_err());
    assert!(auth.log_in("nobody", "kim's password", None).await.is_err());
    let good = async |token: &str| auth.principal(&bearer(token), None, None).await.is_ok();

    // By time, and by logging out; then also for a server that is started again.
    let kim = auth.log_in("kim", "kim's password", None).await.unwrap();
    let lee = auth.log_in("lee", "lee's password", None).await.unwrap();
    assert!(good(&kim.access).await && !good(&kim.refresh).await && kim.seconds == 300);
    auth.log_out(&auth.principal(&bearer(&kim.access), None, None).await.unwrap()).unwrap();
    assert!(!good(&kim.access).await && refresh(&auth, &kim.refresh).is_err() && good(&lee.access).await);
    let again = Auth::new(users(), &key, Revoked::in_file(&ended, 0).unwrap(), clock.clone()).unwrap();
    assert!(again.principal(&bearer(&kim.access), None, None).await.is_err());
    assert_eq!(again.principal(&bearer(&lee.access), None, None).await.unwrap().user, "lee");
    time.fetch_add(300_000, Ordering::SeqCst);
    assert!(!good(&lee.access).await);

    // A refresh token is good once; the second time ends the session.
    let second = refresh(&auth, &lee.refresh).unwrap();
    assert!(good(&second.access).await && second.session == lee.session);
    assert!(refresh(&auth, &lee.refresh).unwrap_err().message().contains("used before"));
    assert!(!good(&second.access).await && refresh(&auth, &second.refresh).is_err());

    // With the password, and with the user.
    let kim = auth.log_in("kim", "kim's password", None).await.unwrap();
    let lee = auth.log_in("lee", "lee's password", None).await.unwrap();
    write(&path, &[("kim", "another password")]);
    assert!(!good(&kim.access).await && !good(&lee.access).await);
    assert!(auth.log_in("kim", "another password", None).await.is_ok());
    assert!(auth.log_in("lee", "lee's password", None).await.is_err());
}

#[tokio::test]
async fn failed_logins_are_limited() {
    let (time, clock) = clock();
    let users = Users::Owner("right".into());
    let auth = Auth::new(users, &Key::random().unwrap(), Revoked::in_memory(), clock).unwrap();
    let peer = Some("192.0.2.1:5000".parse().unwrap());
    for _ in 0..10 {
        assert_eq!(auth.log_in(USER, "wrong", peer).await.unwrap_err().code(), tonic::Code::Unauthenticated);
    }
    // Also the right password has to wait: otherwise trying on would show it.
    let refused = auth.log_in(USER, "right", peer).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert_eq!(refused.message(), "too many logins have failed; try again in 6 seconds");
    time.fetch_add(6000, Ordering::SeqCst);
    assert!(auth.log_in(USER, "right", peer).await.is_ok());
}
