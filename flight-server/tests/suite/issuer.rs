//! Users whom an issuer outside vouches for (OpenID Connect): its tokens, its groups as roles, and what the audit tells.

use std::path::Path;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use haetae_flight_server::policy::{Policy, hash_password};
use haetae_flight_server::{Error, audit_key};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tonic::Code;

use crate::harness::{Place, Raw, Running, ask, status};

const ROLES: &str = "[roles.auditor]\nauditor = true\n[roles.admin]\nadmin = true\n\
     [roles.analyst]\ntables = [\"customs.dim_courier\"]\nclear = [\"identifier\", \"name\"]\nattributes = [\"but\"]\n\
     rows.\"customs.dim_courier\" = \"courier_id <> $but\"\n";

struct Issuer(EcdsaKeyPair);

impl Issuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Self(pair.unwrap())
    }

    fn keys(&self) -> String {
        let point = self.0.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": part(&point[1..33]), "y": part(&point[33..])});
        json!({ "keys": [key] }).to_string()
    }

    /// A token that is good for ten minutes; `changes` are claims that it has instead.
    fn token(&self, changes: Value) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": "https://login.example", "aud": "haetae", "sub": "s-1", "exp": now + 600, "groups": ["desk"],
            "office": "C2",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!("{}.{}", part(&json!({"alg": "ES256", "kid": "k"})), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), content.as_bytes()).unwrap();
        format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

fn policy(keys: &Path, more: &str) -> String {
    format!(
        "[users.lee]\nrole = \"auditor\"\npassword = \"{}\"\n\
         [oidc]\nissuer = \"https://login.example\"\naudience = \"haetae\"\njwks = \"{}\"\n\
         roles = {{ chiefs = \"admin\", desk = \"analyst\" }}\nattributes = {{ but = \"office\" }}\n{more}{ROLES}",
        hash_password("a long password").unwrap(),
        keys.display()
    )
}

async fn with(server: &Running, token: String) -> Raw {
    let mut client = server.stranger().await;
    client.set_token(token);
    client
}

#[tokio::test]
async fn who_is_vouched_for_sees_what_the_role_shows() {
    let (place, issuer) = (Place::new(), Issuer::new());
    let keys = place.file("keys.json", issuer.keys());
    place.write_policy(&policy(&keys, ""));
    let mut server = Running::over(place, std::time::Duration::from_secs(1), None).await;
    let sql = "select courier_id from dim_courier order by courier_id";
    let mut desk = with(&server, issuer.token(json!({}))).await;
    assert_eq!(ask(&mut desk, sql).await.unwrap(), [["C1"], ["C3"]]);
    // Another token of the same user may be worth something else.
    let mut other = with(&server, issuer.token(json!({"office": "C1"}))).await;
    assert_eq!(ask(&mut other, sql).await.unwrap(), [["C2"], ["C3"]]);
    let mut chief = with(&server, issuer.token(json!({"groups": ["desk", "chiefs"], "sub": "s-2"}))).await;
    assert_eq!(ask(&mut chief, "select count(*) from dim_courier").await.unwrap(), [["3"]]);
    // A ticket is of its user.
    let info = desk.execute(sql.to_owned(), None).await.unwrap();
    let stolen = status(chief.do_get(info.endpoint[0].ticket.clone().unwrap())).await;
    assert_eq!(stolen.code(), Code::PermissionDenied);

    let mut nobody = with(&server, issuer.token(json!({"groups": "admin,desk", "sub": "s-3"}))).await;
    let refused = status(ask(&mut nobody, sql)).await;
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().starts_with("oidc:s-3 has no role here: no group in the claim groups"), "{refused}");
    for office in [json!(7), json!(""), json!("  ")] {
        let mut placeless = with(&server, issuer.token(json!({ "office": office }))).await;
        let refused = status(ask(&mut placeless, sql)).await;
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert!(refused.message().contains("the token has no text for the attribute but"), "{refused}");
    }
    for (changes, reason) in [
        (json!({"exp": 1}), "has expired"),
        (json!({"aud": "other"}), "is not for this server"),
        (json!({"iss": "https://login.example.evil"}), "another issuer"),
    ] {
        let mut client = with(&server, issuer.token(changes)).await;
        let refused = status(ask(&mut client, sql)).await;
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert!(refused.message().contains(reason), "{refused}");
    }
    let mut forged = with(&server, Issuer::new().token(json!({}))).await;
    assert!(status(ask(&mut forged, sql)).await.message().contains("its signature is wrong"));

    let mut lee = server.client_of("lee", "a long password").await;
    let sql = "select user_name, role, statement, outcome from system.audit where event = 'login' and outcome = 'ok' order by seq";
    let told = |subject: &str| format!("issuer https://login.example, subject {subject}");
    let logins = ask(&mut lee, sql).await.unwrap();
    assert_eq!(logins.len(), 4, "{logins:?}");
    assert_eq!(logins[0], ["oidc:s-1", "analyst", &told("s-1"), "ok"]);
    assert_eq!(logins[2], ["oidc:s-2", "admin", &told("s-2"), "ok"]);
    let sql =
        "select user_name, outcome, statement from system.audit where event = 'login' and outcome <> 'ok' order by seq";
    let refused = ask(&mut lee, sql).await.unwrap();
    let users: Vec<&str> = refused.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(users, ["oidc:s-3", "oidc:s-1", "oidc:s-1", "oidc:s-1", "", "", "", ""]);
    assert!(refused[0][2].starts_with("issuer https://login.example: oidc:s-3 has no role here"), "{refused:?}");
    let why = "issuer https://login.example: the token of https://login.example is refused: its signature is wrong";
    assert_eq!(refused[7], ["", "Unauthenticated", why]);
    let sql =
        "select count(*) from system.audit where event = 'query' and user_name = 'oidc:s-1' and session like 'oidc %'";
    assert_eq!(ask(&mut lee, sql).await.unwrap(), [["2"]]);

    // Who is revoked is out with the next request, with the keys that are there.
    server.place.write_policy(&policy(&keys, "revoked = [\"s-1\"]\n"));
    let refused = status(ask(&mut desk, "select 1")).await;
    assert!(refused.message().ends_with("it has been revoked"), "{refused}");
    assert_eq!(ask(&mut chief, "select 1").await.unwrap(), [["1"]]);
    // And without the section, all of them.
    server.place.write_policy("[users.lee]\nrole = \"auditor\"\ncertificate = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n[roles.auditor]\nauditor = true\n");
    assert_eq!(status(ask(&mut chief, "select 1")).await.code(), Code::Unauthenticated);
    server.end();
    let text = std::fs::read_to_string(server.place.root().join("audit/audit.jsonl")).unwrap();
    assert!(!text.contains("eyJ"), "no token is in the audit");
    assert!(audit_key(&server.place.root()).is_ok());
}

#[tokio::test]
async fn a_claim_fits_its_own_letters_alone() {
    let (place, issuer) = (Place::new(), Issuer::new());
    let keys = place.file("keys.json", issuer.keys());
    let text = policy(&keys, "");
    place.write_policy(&text);
    let server = Running::over(place, std::time::Duration::from_secs(1), None).await;
    let (sql, all) = ("select courier_id from dim_courier order by courier_id", "C1 C2 C3");
    // (filter, the claim and what is seen with it)
    let cases = [
        (
            "courier_id like $but || '%'",
            vec![("C", all), ("C2", "C2"), ("%", ""), ("_", ""), ("C_", ""), ("C%", ""), ("\\", "")],
        ),
        ("courier_id ilike '%' || ($but || '_')", vec![("c", all), ("%", ""), ("_", ""), ("2", "")]),
        ("courier_id not like $but", vec![("C2", "C1 C3"), ("C_", all), ("%", all)]),
        ("starts_with(courier_id, $but)", vec![("C3", "C3"), ("%", ""), ("C_", "")]),
        ("'C%_' || courier_id like $but || 'C_'", vec![("C%_", all), ("C%%", ""), ("C__", ""), ("%", "")]),
    ];
    for (filter, claims) in cases {
        assert!(text.contains("courier_id <> $but"));
        server.place.write_policy(&text.replace("courier_id <> $but", filter));
        for (office, seen) in claims {
            let mut desk = with(&server, issuer.token(json!({ "office": office }))).await;
            assert_eq!(ask(&mut desk, sql).await.unwrap().concat().join(" "), seen, "{filter}, {office}");
        }
    }
}

#[tokio::test]
async fn refused_tokens_do_not_fill_the_audit() {
    let (place, issuer) = (Place::new(), Issuer::new());
    let keys = place.file("keys.json", issuer.keys());
    place.write_policy(&policy(&keys, ""));
    let server = Running::over(place, std::time::Duration::from_secs(1), None).await;
    let mut stranger = with(&server, Issuer::new().token(json!({}))).await;
    for _ in 0..60 {
        assert_eq!(status(ask(&mut stranger, "select 1")).await.code(), Code::Unauthenticated);
    }
    // Those who are let in are not held up by it, from the same address.
    let mut desk = with(&server, issuer.token(json!({}))).await;
    assert_eq!(ask(&mut desk, "select 1").await.unwrap(), [["1"]]);
    let mut lee = server.client_of("lee", "a long password").await;
    let sql = "select count(*) from system.audit where event = 'login' and outcome = 'Unauthenticated'";
    let recorded: u64 = ask(&mut lee, sql).await.unwrap()[0][0].parse().unwrap();
    // Ten, and one more for every six seconds that the sixty took.
    assert!((10..60).contains(&recorded), "{recorded}");
}

#[test]
fn what_is_wrong_with_the_section_is_named() {
    let said = |oidc: &str| match Policy::parse("policy.toml", &format!("[oidc]\n{oidc}\n{ROLES}")) {
        Err(Error::Policy { problems, .. }) => problems.into_iter().map(|problem| problem.what).collect::<Vec<_>>(),
        Ok(_) => Vec::new(),
        other => panic!("{other:?}"),
    };
    let good = "issuer = \"https://login.example\"\naudience = \"haetae\"\nroles = { desk = \"analyst\" }\nattributes = { but = [\"a\", \"b\"] }";
    assert!(said(good).is_empty(), "{:?}", said(good));
    let cases = [
        ("issuer = \"https://login.example\"", "issuer = \"http://login.example\"", "would be asked without TLS"),
        ("issuer = \"https://login.example\"\n", "", "oidc has no issuer"),
        ("audience = \"haetae\"\n", "", "oidc has no audience"),
        (
            "audience",
            "jwks = \"http://10.0.0.1/keys\"\naudience",
            "jwks must be an address or the whole path of a file",
        ),
        ("audience", "algorithms = [\"HS256\"]\naudience", "tokens cannot be signed by \"HS256\" here"),
        ("audience", "algorithms = [\"none\"]\naudience", "the algorithms are RS256, ES256, EdDSA"),
        ("audience", "skew_seconds = 3600\naudience", "skew_seconds must be a whole number from 0 to 300"),
        ("\"analyst\"", "\"analyser\"", "there is no role \"analyser\"; the roles are admin, analyst, auditor"),
        ("roles = { desk = \"analyst\" }\n", "", "oidc gives no role to anybody"),
        ("{ but = [\"a\", \"b\"] }", "{ bat = \"a\" }", "no claim gives the attribute but, which a role uses"),
        ("audience", "client_secret = \"x\"\naudience", "there is no setting \"client_secret\" here"),
    ];
    for (old, new, reason) in cases {
        let found = said(&good.replacen(old, new, 1));
        assert!(found.iter().any(|what| what.contains(reason)), "{new}: {found:?}");
    }
}
