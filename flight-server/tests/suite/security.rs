//! Users of a policy: what each sees, how long tokens and tickets last, and what the audit keeps.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow_flight::sql::CommandGetTables;
use arrow_flight::{Action, BasicAuth, HandshakeRequest};
use futures::TryStreamExt;
use haetae_flight_server::audit::verify;
use haetae_flight_server::policy::hash_password;
use haetae_flight_server::{ServeOptions, Server, audit_key, make_certificate};
use prost::Message;
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use crate::harness::{Place, Raw, Running, ask, cells, fetch, options, status};

const PASSWORD: &str = "a long password";

static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD).unwrap());

/// kim sees couriers in part, lee audits, min sees everything.
fn policy(role: &str) -> String {
    format!(
        "[users.kim]\nrole = \"analyst\"\npassword = \"{0}\"\nattributes = {{ but = \"C2\" }}\n\
         [users.lee]\nrole = \"auditor\"\npassword = \"{0}\"\n\
         [users.min]\nrole = \"admin\"\npassword = \"{0}\"\n\
         [roles.auditor]\nauditor = true\n[roles.admin]\nadmin = true\n\
         [roles.analyst]\ntables = [\"customs.dim_courier\"]\nattributes = [\"but\"]\n{role}",
        *HASH
    )
}

const ANALYST: &str = "rows.\"customs.dim_courier\" = \"courier_id <> $but\"\n";
const CLEARED: &str = "clear = [\"identifier\"]\n";
const BOTH: &str = "select courier_id, name from dim_courier order by name";

/// By a statement that is planned once for each user and policy: it only looks a row up.
#[tokio::test]
async fn a_look_up_is_of_the_user_and_of_the_policy_in_use() {
    let server = Running::under(&policy(&format!("{ANALYST}{CLEARED}"))).await;
    let (mut kim, mut min) = (server.client_of("kim", PASSWORD).await, server.client_of("min", PASSWORD).await);
    let sql = "select courier_id, name from dim_courier where courier_id = ?".to_owned();
    let mut prepared = [kim.prepare(sql.clone(), None).await.unwrap(), min.prepare(sql, None).await.unwrap()];
    let mut look_up = async |user: usize, id: &str| {
        let id: ArrayRef = Arc::new(StringArray::from_iter_values([id]));
        prepared[user].set_parameters(RecordBatch::try_from_iter([("id", id)]).unwrap()).unwrap();
        let info = prepared[user].execute().await.unwrap();
        let client = if user == 0 { &mut kim } else { &mut min };
        cells(&fetch(client, info).await.unwrap())
    };
    for _ in 0..5 {
        assert_eq!(look_up(0, "C1").await, [["C1", "F**"]]);
        assert_eq!(look_up(1, "C1").await, [["C1", "Fast"]]);
        assert!(look_up(0, "C2").await.is_empty());
        assert_eq!(look_up(1, "C2").await, [["C2", ""]]);
    }
    server.place.write_policy(&policy(
        "rows.\"customs.dim_courier\" = \"courier_id = $but\"\nclear = [\"identifier\", \"name\"]\n",
    ));
    assert!(look_up(0, "C1").await.is_empty());
    assert_eq!(look_up(0, "C2").await, [["C2", ""]]);
    assert_eq!(look_up(1, "C1").await, [["C1", "Fast"]]);
    server.place.load("late.csv", "courier_id,name\nC4,Late\n");
    assert!(look_up(0, "C4").await.is_empty());
    assert_eq!(look_up(1, "C4").await, [["C4", "Late"]]);
}

#[tokio::test]
async fn each_user_sees_what_is_theirs() {
    let server = Running::under(&policy(&format!("{ANALYST}{CLEARED}"))).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    assert_eq!(ask(&mut kim, BOTH).await.unwrap(), [["C1", "F**"], ["C3", "느**"]]);
    assert_eq!(ask(&mut kim, "select count(*) from dim_courier").await.unwrap(), [["2"]]);
    let refused = status(ask(&mut kim, "select * from fact_item")).await;
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(refused.message(), "there is no table \"fact_item\" in the schema customs. The tables are dim_courier.");
    let info = kim.get_tables(CommandGetTables::default()).await.unwrap();
    let listed = cells(&fetch(&mut kim, info).await.unwrap());
    assert_eq!(listed[0], ["haetae", "customs", "dim_courier", "TABLE"]);
    let about = haetae_schema::meta_tables().len();
    assert!(listed[1..=about].iter().all(|table| table[1] == "meta"), "{listed:?}");
    assert_eq!(listed[1 + about..], [["haetae", "system", "queries", "TABLE"]]);
    let info = kim.get_db_schemas(Default::default()).await.unwrap();
    assert_eq!(
        cells(&fetch(&mut kim, info).await.unwrap()),
        [["haetae", "customs"], ["haetae", "meta"], ["haetae", "system"]]
    );

    let mut min = server.client_of("min", PASSWORD).await;
    assert_eq!(ask(&mut min, BOTH).await.unwrap(), [["C1", "Fast"], ["C3", "느린 택배"], ["C2", ""]]);
    assert_eq!(ask(&mut min, "select max(value) from generate_series(1, 3)").await.unwrap(), [["3"]]);
    let mut lee = server.client_of("lee", PASSWORD).await;
    assert_eq!(status(ask(&mut lee, BOTH)).await.code(), Code::NotFound);

    // The owner of a server without a policy is nobody here.
    let refused = server.stranger().await.handshake("haetae", PASSWORD).await.unwrap_err().to_string();
    assert!(refused.contains("wrong user name or password") && !refused.contains("server.secret"), "{refused}");
}

const OFFENCES: &str = "offence_id,person_id,offence_kind,offence_date,decision_date,declaration_id,penalty_krw\n\
                        O1,P1,smuggling,2015-03-01,2015-09-01,,5000000\n";
const PERSONS: &str = "person_id,name,name_local,nationality,birth_date,region,address,phone\n\
                       P1,Kim Min-seo,김민서,KR,1970-02-03,Seoul,1 Jong-daero,010-0000-0001\n";
const AUDITED: &str = "declaration_id,item_no,audit_id,checked_on,fraud,additional_duty_krw\n\
                       20001000001,1,A1,2020-09-01,true,120000\n";

#[tokio::test]
async fn offences_and_findings_of_audits_are_seen_by_those_alone_who_are_cleared_for_them() {
    let place = Place::new();
    place.load_table("bridge_person_offence", "offences.csv", OFFENCES);
    place.load_table("dim_person", "persons.csv", PERSONS);
    place.load_table("fact_audit_line", "audited.csv", AUDITED);
    let roles = |clear: &str| {
        let persons = "\"customs.bridge_person_offence\", \"customs.dim_person\"";
        format!(
            "[users.kim]\nrole = \"analyst\"\npassword = \"{0}\"\n[users.lee]\nrole = \"investigator\"\npassword = \"{0}\"\n\
             [roles.analyst]\ntables = [\"customs.*\", {persons}]\nclear = [\"identifier\", \"name\", \"raw_text\"]\n\
             [roles.investigator]\ntables = [\"customs.*\", {persons}]\nclear = [{clear}]\n",
            *HASH
        )
    };
    place.write_policy(&roles("\"criminal_history\""));
    let server = Running::over(place, Duration::from_secs(10), None).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let sql = "select * from bridge_person_offence";
    assert_eq!(ask(&mut kim, sql).await.unwrap(), [[""; 7]]);
    // Nor is anybody told whose the rows are, by joining or by asking.
    for sql in [
        "select count(*) from dim_person p join bridge_person_offence o on o.person_id = p.person_id",
        "select count(*) from bridge_person_offence where person_id = 'P1' or penalty_krw > 0 or offence_date is not null",
    ] {
        assert_eq!(ask(&mut kim, sql).await.unwrap(), [["0"]], "{sql}");
    }
    let sql = "select declaration_id, fraud, additional_duty_krw from fact_audit_line";
    assert_eq!(ask(&mut kim, sql).await.unwrap(), [["20001000001", "", ""]]);
    let sql = "select count(*) from meta.columns where schema_name = 'customs' and table_name = 'bridge_person_offence' \
               and class = 'secret'";
    assert_eq!(ask(&mut kim, sql).await.unwrap(), [["7"]]);

    let mut lee = server.client_of("lee", PASSWORD).await;
    let sql = "select person_id, offence_kind, penalty_krw from bridge_person_offence";
    assert_eq!(ask(&mut lee, sql).await.unwrap(), [["P1", "smuggling", "5000000.0"]]);
    // Whoever may see offences does not see persons by that.
    let shown =
        ask(&mut lee, "select person_id, name, name_local, birth_date, address, phone from dim_person").await.unwrap();
    let secrets = ["P1", "Kim Min-seo", "김민서", "1970-02-03", "1 Jong-daero", "010-0000-0001"];
    assert!(shown[0].iter().zip(secrets).all(|(shown, secret)| shown != secret), "{shown:?}");
}

#[tokio::test]
async fn persons_are_shown_by_no_star_and_what_is_private_by_no_number() {
    const TIES: &str = "person_id,other_person_id,relation\nP1,P2,spouse\n";
    const PARTS: &str = "company_id,person_id,role,valid_from,valid_to,share_rate\nC1,P1,representative,2015-03-01,,\n";
    let place = Place::new();
    place.load_table("dim_person", "persons.csv", PERSONS);
    place.load_table("bridge_person_person", "ties.csv", TIES);
    place.load_table("bridge_company_person", "parts.csv", PARTS);
    place.load_table("bridge_person_offence", "offences.csv", OFFENCES);
    let clear = "clear = [\"identifier\", \"name\", \"raw_text\", \"criminal_history\"]";
    place.write_policy(&format!(
        "[users.kim]\nrole = \"starred\"\npassword = \"{0}\"\n[users.lee]\nrole = \"named\"\npassword = \"{0}\"\n\
         [users.min]\nrole = \"cleared\"\npassword = \"{0}\"\n[roles.starred]\ntables = [\"customs.*\", \"*\"]\n{clear}\n\
         [roles.named]\ntables = [\"customs.dim_person\", \"*.bridge_person_person\"]\n{clear}\n\
         [roles.cleared]\ntables = [\"customs.dim_person\", \"customs.bridge_person_person\"]\nclear = [\"personal\"]\n",
        *HASH
    ));
    let server = Running::over(place, Duration::from_secs(10), None).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    for table in ["dim_person", "bridge_person_person", "bridge_company_person", "bridge_person_offence"] {
        ask(&mut kim, &format!("select * from {table}")).await.unwrap_err();
    }
    let sql = "select count(*) from meta.columns where table_name like '%person%'";
    assert_eq!(ask(&mut kim, sql).await.unwrap(), [["0"]]);
    let (private, ties) =
        ("select birth_date, region, address, phone from dim_person", "select * from bridge_person_person");
    let mut lee = server.client_of("lee", PASSWORD).await;
    assert_eq!(ask(&mut lee, private).await.unwrap(), [[""; 4]]);
    assert_eq!(ask(&mut lee, ties).await.unwrap(), [[""; 3]]);
    assert_eq!(ask(&mut lee, "select name from dim_person").await.unwrap(), [["Kim Min-seo"]]);
    let mut min = server.client_of("min", PASSWORD).await;
    assert_eq!(ask(&mut min, private).await.unwrap(), [["1970-02-03", "Seoul", "1 Jong-daero", "010-0000-0001"]]);
    assert_eq!(ask(&mut min, ties).await.unwrap(), [["P1", "P2", "spouse"]]);
}

#[tokio::test]
async fn a_changed_policy_holds_for_what_comes_next() {
    let server = Running::under(&policy(&format!("{ANALYST}{CLEARED}"))).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let mut min = server.client_of("min", PASSWORD).await;
    let mut prepared = kim.prepare("select count(*) from dim_courier".to_owned(), None).await.unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(cells(&fetch(&mut kim, info.clone()).await.unwrap()), [["2"]]);
    // A ticket is of its user.
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    assert_eq!(status(min.do_get(ticket.clone())).await.code(), Code::PermissionDenied);

    server.place.write_policy(&policy("rows.\"customs.dim_courier\" = \"courier_id = $but\"\n"));
    let refused = status(kim.do_get(ticket)).await;
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().starts_with("the policy has been changed since the ticket was made"), "{refused}");
    // A prepared statement shows what is to be seen when it is run.
    let info = prepared.execute().await.unwrap();
    assert_eq!(cells(&fetch(&mut kim, info).await.unwrap()), [["1"]]);
    let hashed = ask(&mut kim, "select courier_id from dim_courier").await.unwrap();
    assert!(hashed[0][0].len() == 32 && hashed[0][0] != "C2", "{hashed:?}");

    // A policy that is wrong changes nothing.
    server.place.write_policy("[roles.analyst]\ntables = [\"nothing\"]\n");
    assert_eq!(ask(&mut kim, "select count(*) from dim_courier").await.unwrap(), [["1"]]);
    // Without her user, a token is good no more.
    server.place.write_policy(&policy(ANALYST).replace("users.kim", "users.kam"));
    assert_eq!(status(ask(&mut kim, "select 1")).await.code(), Code::Unauthenticated);
    assert_eq!(ask(&mut min, "select 1").await.unwrap(), [["1"]]);
}

async fn act(client: &Raw, name: &str, body: &str) -> Result<String, tonic::Status> {
    let mut request = tonic::Request::new(Action::new(name, body.to_owned()));
    if let Some(token) = client.token() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut flight = client.inner().clone();
    let results: Vec<_> = flight.do_action(request).await?.into_inner().try_collect().await?;
    Ok(results.iter().map(|result| String::from_utf8_lossy(&result.body).into_owned()).collect())
}

/// The refresh token that a login gives.
async fn refresh_token(stranger: &Raw) -> String {
    let auth = BasicAuth { username: "kim".to_owned(), password: PASSWORD.to_owned() };
    let message = HandshakeRequest { protocol_version: 0, payload: auth.encode_to_vec().into() };
    let answer = stranger.inner().clone().handshake(futures::stream::iter([message])).await.unwrap();
    answer.metadata().get("x-haetae-refresh-token").unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn tokens_are_refreshed_and_ended() {
    let server = Running::under(&policy(ANALYST)).await;
    let stranger = server.stranger().await;
    let refresh = refresh_token(&stranger).await;

    let fresh = act(&stranger, "haetae.RefreshToken", &refresh).await.unwrap();
    let (_, rest) = fresh.split_once("\"access_token\":\"").unwrap();
    let mut client = server.stranger().await;
    client.set_token(rest.split('"').next().unwrap().to_owned());
    assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);
    // As a token of its own it is none.
    let mut thief = server.stranger().await;
    thief.set_token(refresh.clone());
    assert_eq!(status(ask(&mut thief, "select 1")).await.code(), Code::Unauthenticated);

    act(&client, "CloseSession", "").await.unwrap();
    assert_eq!(status(ask(&mut client, "select 1")).await.code(), Code::Unauthenticated);
    assert_eq!(act(&stranger, "haetae.RefreshToken", "no token").await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_is_recorded_with_its_user() {
    let server = Running::under(&policy(ANALYST)).await;
    let stranger = server.stranger().await;
    let refresh = refresh_token(&stranger).await;
    act(&stranger, "haetae.RefreshToken", &refresh).await.unwrap();
    let stolen = act(&stranger, "haetae.RefreshToken", &refresh).await.unwrap_err();
    assert!(stolen.message().contains("used before"), "{stolen}");
    for _ in 0..3 {
        act(&stranger, "haetae.RefreshToken", "no token").await.unwrap_err();
    }
    let mut lee = server.client_of("lee", PASSWORD).await;
    let sql = "select user_name, outcome from system.audit where event = 'refresh' order by seq";
    assert_eq!(ask(&mut lee, sql).await.unwrap(), [["kim", "ok"], ["kim", "Unauthenticated"]]);
    let sql = "select count(distinct session) from system.audit where event = 'refresh' and session <> ''";
    assert_eq!(ask(&mut lee, sql).await.unwrap(), [["1"]]);
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        make_certificate(&folder, &["localhost".to_owned()]).unwrap()
    };
    let (one, other) = (made("one"), made("other"));
    let mixed = haetae_flight_server::Certificate { key: other.key, ..one };
    let options = ServeOptions { certificate: Some(mixed), ..options() };
    let place = Place::new();
    let refused = Server::bind(place.root(), &options).await.unwrap_err().to_string();
    assert!(refused.contains("cannot be used with") && refused.contains("server.pem"), "{refused}");
}

#[tokio::test]
async fn no_byte_of_what_is_hidden_is_sent() {
    let place = Place::new();
    place.load("more.csv", "courier_id,name\nC8,CANARY GmbH\nC9,CANARYMASKED\n");
    place.write_policy(&policy("rows.\"customs.dim_courier\" = \"courier_id not in ('C8', $but)\"\n"));
    let server = Running::over(place, Duration::from_secs(1), None).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    for sql in [
        "select * from dim_courier",
        "select name from dim_courier limit 2",
        "select arrow_cast(name, 'Utf8View') as v, arrow_cast(name, 'Dictionary(Int32, Utf8)') as d from dim_courier",
        "select array_agg(name) as l from dim_courier",
        "explain analyze select * from dim_courier where name like 'C%'",
        "select * from information_schema.columns",
    ] {
        let info = kim.execute(sql.to_owned(), None).await.unwrap();
        let mut request = tonic::Request::new(info.endpoint[0].ticket.clone().unwrap());
        let token = kim.token().unwrap();
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let mut flight = kim.inner().clone();
        let messages: Vec<_> = flight.do_get(request).await.unwrap().into_inner().try_collect().await.unwrap();
        assert!(messages.len() >= 2, "{sql}");
        for message in messages {
            let bytes =
                [message.data_header.as_ref(), message.data_body.as_ref(), message.app_metadata.as_ref()].concat();
            assert!(!bytes.windows(6).any(|part| part == b"CANARY"), "{sql}");
        }
    }
}

#[tokio::test]
async fn the_audit_says_who_read_what() {
    let mut server = Running::under(&policy(ANALYST)).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    ask(&mut kim, "select name from dim_courier where name like 'SECRET%' or courier_id <> 'C9'").await.unwrap();
    status(ask(&mut kim, "select 'SECRET' from fact_item")).await;
    server.stranger().await.handshake("kim", "wrong password").await.unwrap_err();
    let refused = status(ask(&mut kim, "select * from system.audit")).await;
    assert_eq!(refused.code(), Code::NotFound);

    let mut lee = server.client_of("lee", PASSWORD).await;
    let sql = "select event, user_name, role, statement, tables, columns, rows, outcome from system.audit order by seq";
    let rows = ask(&mut lee, sql).await.unwrap();
    let statement = "select name from dim_courier where name like ? or courier_id <> ?";
    let columns = "customs.dim_courier.courier_id,customs.dim_courier.name";
    let expected = [
        ["login", "kim", "", "", "", "", "0", "ok"],
        ["query", "kim", "analyst", statement, "customs.dim_courier", columns, "2", "ok"],
        ["plan", "kim", "analyst", "select ? from fact_item", "", "", "0", "NotFound"],
        ["login", "kim", "", "", "", "", "0", "Unauthenticated"],
        ["plan", "kim", "analyst", "select * from system.audit", "", "", "0", "NotFound"],
        ["login", "lee", "", "", "", "", "0", "ok"],
    ];
    assert_eq!(rows, expected);
    let sql = "select count(*) from system.audit where peer like '127.0.0.1:%' and bytes > 0 and version = 1 and session <> ''";
    // kim's query, and lee's own before this one.
    assert_eq!(ask(&mut lee, sql).await.unwrap(), [["2"]]);
    server.end();
    drop((kim, lee));
    // The folder lives until the end of the test; the server has ended, and written its last record, before it is read.
    let place = std::mem::replace(&mut server.place, Place::empty());
    server.ended().await.unwrap();
    let root = place.root();
    let text = std::fs::read_to_string(root.join("audit/audit.jsonl")).unwrap();
    assert!(!text.contains("SECRET") && !text.contains("Bearer") && !text.contains(PASSWORD), "{text}");
    let found = verify(&root, &audit_key(&root).unwrap()).unwrap();
    assert!(found.faults.is_empty() && found.records >= 6, "{found:?}");
}

#[tokio::test]
async fn a_certificate_makes_tls() {
    let place = Place::new();
    let folder = place.root().parent().unwrap().to_owned();
    let made = make_certificate(&folder, &["localhost".to_owned()]).unwrap();
    assert!(make_certificate(&folder, &["localhost".to_owned()]).is_err());
    let pem = std::fs::read_to_string(&made.certificate).unwrap();
    let server = Running::over(place, Duration::from_secs(1), Some(made)).await;
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)).domain_name("localhost");
    let url = format!("https://{}", server.address);
    let channel = Channel::from_shared(url).unwrap().tls_config(tls).unwrap().connect().await.unwrap();
    let mut client = Raw::new(channel);
    client.handshake("haetae", &crate::harness::password(&server.place.root())).await.unwrap();
    assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);
    // In the clear there is no answer.
    let plain = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await;
    if let Ok(channel) = plain {
        assert!(Raw::new(channel).handshake("haetae", "x").await.is_err());
    }
}
