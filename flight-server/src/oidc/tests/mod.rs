//! Tokens of an issuer that the test makes, with keys that it shows on this machine; the clock is the test's.

mod changes;
mod closing;
mod files;
mod server;
mod signer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use serde_json::{Value, json};
use tonic::{Code, Status};

use self::server::Served;
use self::signer::Signer;
use super::claims::Person;
use super::*;
use crate::policy::{Provider, Source};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://login.example";

fn provider(keys: Source) -> Provider {
    let claim = |name: &str| vec![name.to_owned()];
    let role = |group: &str, role: &str| (group.to_owned(), role.to_owned());
    Provider {
        issuer: ISSUER.to_owned(),
        audience: "haetae".to_owned(),
        keys,
        ca: None,
        algorithms: vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa],
        user_claim: claim("preferred_username"),
        roles_claim: claim("groups"),
        roles: vec![role("leads", "admin"), role("desk", "analyst")],
        attributes: BTreeMap::from([("office".to_owned(), claim("office"))]),
        skew: 30,
        refresh: 3600,
        stale: 7200,
        revoked: BTreeSet::new(),
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "haetae", "sub": "s-1", "preferred_username": "kim", "exp": NOW + 300, "iat": NOW,
        "groups": ["desk"], "office": "40",
    })
}

/// The same with one of them changed; null takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The keys as a file.
fn file(folder: &Path, keys: &[Value]) -> Source {
    let path = folder.join("keys.json");
    std::fs::write(&path, set(keys)).unwrap();
    Source::File(path)
}

fn refusal(answer: Result<Person, Status>) -> String {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");
    status.message().to_owned()
}

#[tokio::test]
async fn a_token_of_each_algorithm_says_who_somebody_is() {
    let folder = tempfile::tempdir().unwrap();
    let signers = [Signer::rsa(), Signer::p256(), Signer::ed25519()];
    let keys: Vec<Value> = signers.iter().map(|signer| signer.key(signer.algorithm())).collect();
    let provider = Arc::new(provider(file(folder.path(), &keys)));
    let issuer = Issuer::default();
    for signer in &signers {
        let person = issuer.person(&signer.token(signer.algorithm(), &claims()), &provider, NOW).await.unwrap();
        assert_eq!((person.user.as_str(), person.subject.as_str()), ("oidc:kim", "s-1"));
        assert_eq!((person.role.as_deref(), person.attributes["office"].as_str()), (Some("analyst"), "40"));
        // Where there is one key of the kind, a token need not name it.
        let unnamed = signer.signed(&json!({"alg": signer.algorithm()}), &claims());
        assert_eq!(issuer.person(&unnamed, &provider, NOW).await.unwrap().user, "oidc:kim");
        let good = [
            with("aud", json!(["other", "haetae"])),
            with("nbf", json!(NOW + 30)),
            // 30 seconds by which clocks may differ, and a fraction of one.
            with("exp", json!(NOW as f64 - 29.5)),
        ];
        for claims in good {
            issuer.person(&signer.token(signer.algorithm(), &claims), &provider, NOW).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_not_right_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (rsa, p256, stranger) = (Signer::rsa(), Signer::p256(), Signer::p256());
    // A secret among the keys must not become one that verifies.
    let secret = json!({"kty": "oct", "kid": "secret", "k": URL_SAFE_NO_PAD.encode([7; 32])});
    let provider = Arc::new(provider(file(folder.path(), &[rsa.key("r"), p256.key("p"), secret])));
    let issuer = Issuer::default();
    let ask = async |token: &str| issuer.person(token, &provider, NOW).await;
    let of_claims = [
        ("exp", json!(NOW - 30), "has expired"),
        ("exp", Value::Null, "does not say when it ends"),
        ("exp", json!("tomorrow"), "exp is no time"),
        ("nbf", json!(NOW + 31), "not good yet (nbf)"),
        ("iat", json!(NOW + 31), "not good yet (iat)"),
        ("iss", json!("https://login.example/"), "another issuer"),
        ("iss", Value::Null, "another issuer"),
        ("aud", json!("haetae2"), "not for this server"),
        ("aud", json!(["other"]), "not for this server"),
        ("aud", json!({"haetae": true}), "not for this server"),
        ("aud", Value::Null, "not for this server"),
        ("sub", Value::Null, "names no subject"),
        ("preferred_username", json!(7), "no text in the claim preferred_username"),
        ("preferred_username", json!("a\nb"), "cannot be used here"),
        ("preferred_username", json!("x".repeat(101)), "cannot be used here"),
        ("groups", json!({"desk": true}), "neither a text nor a list"),
        ("groups", json!(["desk", ["leads"]]), "neither a text nor a list"),
    ];
    for (name, value, reason) in of_claims {
        let message = refusal(ask(&p256.token("p", &with(name, value.clone()))).await);
        assert!(message.starts_with("the token of https://login.example is refused: "), "{message}");
        assert!(message.contains(reason), "{name} = {value}: {message}");
    }
    let public = rsa.key("r").to_string();
    let confused = {
        use hmac::Mac as _;
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!("{}.{}", part(json!({"alg": "HS256", "kid": "r"})), part(claims()));
        let mac = <hmac::Hmac<sha2::Sha256> as hmac::Mac>::new_from_slice(public.as_bytes()).unwrap();
        format!("{content}.{}", URL_SAFE_NO_PAD.encode(mac.chain_update(&content).finalize().into_bytes()))
    };
    let header = |header: Value| p256.signed(&header, &claims());
    let token = p256.token("p", &claims());
    let (content, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = content.split_once('.').unwrap();
    let other = URL_SAFE_NO_PAD.encode(with("groups", json!(["leads"])).to_string());
    let of_tokens = [
        (confused, "not signed by one of the algorithms"),
        (header(json!({"alg": "none"})), "not signed by one of the algorithms"),
        (header(json!({"alg": "NONE", "kid": "p"})), "not signed by one of the algorithms"),
        (header(json!({"alg": "RS256", "kid": "p"})), "signed by no key that the issuer shows"),
        (header(json!({"alg": "RS256", "kid": "r"})), "its signature is wrong"),
        (header(json!({"alg": "ES256", "kid": "secret"})), "signed by no key that the issuer shows"),
        (header(json!({"alg": "ES256", "kid": "p", "crit": ["b64"]})), "extensions (crit)"),
        (header(json!({"alg": "ES256", "kid": "p", "typ": "logout+jwt"})), "another type"),
        (header(json!({"alg": "ES256", "kid": "p", "jwk": stranger.key("p")})), ""),
        (stranger.token("p", &claims()), "its signature is wrong"),
        (format!("{head}.{other}.{signature}"), "its signature is wrong"),
        (format!("{content}."), "its signature is wrong"),
        (format!("{content}.{signature}.{signature}"), "no signed JSON Web Token"),
        ("forged".to_owned(), "no signed JSON Web Token"),
        (format!("{token}{}", "x".repeat(20_000)), "more than 16384"),
    ];
    for (token, reason) in of_tokens {
        let answer = ask(&token).await;
        if reason.is_empty() {
            // What a header says of keys is not looked at: this one is signed by the right one.
            assert_eq!(answer.unwrap().user, "oidc:kim");
        } else {
            let message = refusal(answer);
            assert!(message.contains(reason), "{token}: {message}");
        }
    }
    // An algorithm that the policy does not allow.
    let narrow = Arc::new(Provider { algorithms: vec![Algorithm::Rs256], ..Provider::clone(&provider) });
    let message = refusal(issuer.person(&token, &narrow, NOW).await);
    assert!(message.ends_with("the algorithms that the policy allows (RS256)"), "{message}");
}

#[tokio::test]
async fn groups_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::p256();
    let mut provider = provider(file(folder.path(), &[signer.key("p")]));
    let issuer = Issuer::default();
    let cases = [
        (json!(["desk", "leads"]), Some("admin")),
        (json!("leads"), Some("admin")),
        // One group of that name, which the policy does not know.
        (json!("desk,leads"), None),
        (json!("desk leads"), None),
        (json!(["desk,leads", "admin", "analyst", "Leads"]), None),
        (json!([]), None),
        (Value::Null, None),
    ];
    for (groups, role) in cases {
        let token = signer.token("p", &with("groups", groups.clone()));
        let person = issuer.person(&token, &Arc::new(provider.clone()), NOW).await.unwrap();
        assert_eq!(person.role.as_deref(), role, "{groups}");
    }
    // Within another claim; a claim whose name has a point is another one.
    provider.roles_claim = vec!["realm_access".to_owned(), "roles".to_owned()];
    let mut nested = with("realm_access", json!({"roles": ["leads"]}));
    nested["realm_access.roles"] = json!(["desk"]);
    let person = issuer.person(&signer.token("p", &nested), &Arc::new(provider.clone()), NOW).await.unwrap();
    assert_eq!(person.role.as_deref(), Some("admin"));
    // What is revoked, by its own name or its subject's; the keys stay.
    provider.revoked = BTreeSet::from(["t-9".to_owned(), "s-2".to_owned()]);
    let provider = Arc::new(provider);
    for (name, value) in [("jti", "t-9"), ("sub", "s-2")] {
        let message = refusal(issuer.person(&signer.token("p", &with(name, json!(value))), &provider, NOW).await);
        assert!(message.ends_with("it has been revoked"), "{message}");
    }
    assert!(issuer.person(&signer.token("p", &with("jti", json!("t-8"))), &provider, NOW).await.is_ok());
}

#[tokio::test]
async fn an_attribute_without_content_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::p256();
    let provider = Arc::new(provider(file(folder.path(), &[signer.key("p")])));
    let issuer = Issuer::default();
    for (value, found) in [
        (json!("40"), Some("40")),
        (json!(" 40"), Some(" 40")),
        (json!(""), None),
        (json!(" \t\u{3000}"), None),
        (json!(40), None),
        (json!(["40"]), None),
        (Value::Null, None),
    ] {
        let token = signer.token("p", &with("office", value.clone()));
        let person = issuer.person(&token, &provider, NOW).await.unwrap();
        assert_eq!(person.attributes.get("office").map(String::as_str), found, "{value}");
    }
}

#[tokio::test]
async fn keys_are_fetched_again_when_they_change_and_not_too_often() {
    let (first, second) = (Signer::p256(), Signer::p256());
    let served = Served::start(None).await;
    served.put("/keys", 200, set(&[first.key("1")]));
    let provider = Arc::new(provider(Source::Address(format!("http://{}/keys", served.address))));
    let issuer = Issuer::default();
    let late = |seconds: u64| with("exp", json!(NOW + seconds + 300));
    let ask = async |signer: &Signer, kid: &str, after: u64| {
        issuer.person(&signer.token(kid, &late(after)), &provider, NOW + after).await
    };
    ask(&first, "1", 0).await.unwrap();
    assert_eq!(served.asked(), 1);
    // A storm of tokens with keys that nobody knows is one question, and only after a while.
    for (after, questions) in [(5, 1), (31, 2), (40, 2), (62, 3)] {
        let storm = (0..50).map(|number| {
            let (token, issuer, provider) = (first.token(&format!("x{number}"), &late(after)), &issuer, &provider);
            async move { issuer.person(&token, provider, NOW + after).await }
        });
        for answer in join_all(storm).await {
            refusal(answer);
        }
        assert_eq!(served.asked(), questions, "{after}");
    }
    // A new key: the first token that names it brings it; the old one is gone.
    served.put("/keys", 200, set(&[second.key("2")]));
    ask(&first, "1", 99).await.unwrap();
    ask(&second, "2", 100).await.unwrap();
    assert_eq!(served.asked(), 4);
    refusal(ask(&first, "1", 101).await);
    assert_eq!(served.asked(), 4);
    // In the course of time they are fetched without a reason.
    ask(&second, "2", 100 + 3599).await.unwrap();
    assert_eq!(served.asked(), 4);
    ask(&second, "2", 100 + 3600).await.unwrap();
    assert_eq!(served.asked(), 5);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_stay_good_for_a_while() {
    let signer = Signer::p256();
    let served = Served::start(None).await;
    let provider = Arc::new(provider(Source::Address(format!("http://{}/keys", served.address))));
    let issuer = Issuer::default();
    let ask = async |after: u64| {
        let token = signer.token("1", &with("exp", json!(NOW + after + 300)));
        issuer.person(&token, &provider, NOW + after).await
    };
    // There are none yet, and nobody is told why: that is for who runs the server.
    let none = ask(0).await.unwrap_err();
    assert_eq!(none.code(), Code::Unavailable);
    assert!(none.message().starts_with("the keys of https://login.example cannot be fetched"), "{none}");
    served.put("/keys", 200, set(&[signer.key("1")]));
    ask(31).await.unwrap();
    let bad = [(503, String::new()), (200, "<html>".to_owned()), (200, set(&[])), (302, String::new())];
    for ((status, body), after) in bad.into_iter().zip([0, 40, 80, 120]) {
        let asked = served.asked();
        served.put("/keys", status, body);
        ask(31 + 3600 + after).await.unwrap();
        assert_eq!(served.asked(), asked + 1);
    }
    served.put("/keys", 503, "");
    ask(31 + 3600 + 7199).await.unwrap();
    assert_eq!(ask(31 + 3600 + 7230).await.unwrap_err().code(), Code::Unavailable);
    served.put("/keys", 200, set(&[signer.key("1")]));
    ask(31 + 3600 + 7300).await.unwrap();
}

#[tokio::test]
async fn an_issuer_says_where_its_keys_are_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = crate::make_certificate(folder.path(), &["localhost".to_owned()]).unwrap();
    let served = Served::start(Some(&certificate)).await;
    let base = format!("https://localhost:{}", served.address.port());
    let signer = Signer::ed25519();
    let document = |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys}).to_string();
    served.put("/keys", 200, set(&[signer.key("e")]));
    served.put("/.well-known/openid-configuration", 200, document(&base, &format!("{base}/keys")));
    let provider =
        Provider { issuer: base.clone(), ca: Some(certificate.certificate.clone()), ..provider(Source::Discovery) };
    let token = signer.token("e", &with("iss", json!(base)));
    let ask = async |provider: Provider| Issuer::default().person(&token, &Arc::new(provider), NOW).await;
    assert_eq!(ask(provider.clone()).await.unwrap().user, "oidc:kim");
    assert_eq!(served.asked(), 2);
    // Whoever shows another certificate is not believed.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = crate::make_certificate(elsewhere.path(), &["localhost".to_owned()]).unwrap();
    let refused = ask(Provider { ca: Some(other.certificate), ..provider.clone() }).await.unwrap_err();
    assert_eq!((refused.code(), served.asked()), (Code::Unavailable, 2));
    // Neither is a document of another issuer, or one that sends on without TLS.
    for (issuer, keys) in [(ISSUER, format!("{base}/keys")), (base.as_str(), "http://192.0.2.1/keys".to_owned())] {
        served.put("/.well-known/openid-configuration", 200, document(issuer, &keys));
        assert_eq!(ask(provider.clone()).await.unwrap_err().code(), Code::Unavailable);
    }
}

#[test]
fn addresses_are_of_tls_or_of_this_machine() {
    for good in ["https://a.example/x?y", "http://127.0.0.1:80/keys", "http://[::1]:9/", "http://localhost/keys"] {
        assert!(address(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "keys",
        "http://a.example/keys",
        "http://127.0.0.1.example/",
        "file:///etc/passwd",
        "ftp://a.example",
        "https://kim:secret@a.example/",
    ] {
        assert!(address(bad).is_err(), "{bad}");
    }
}
