//! The program itself: its words, its exit codes, its end.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};

use haetae_flight_server::{SECRET_FILE, USER};

use crate::harness::{COURIERS, Place, ask, connect, password};

pub fn server() -> Command {
    Command::new(env!("CARGO_BIN_EXE_haetae-server"))
}

pub fn ingest(place: &Place, words: &[&str]) -> Output {
    server().arg("ingest").arg("--warehouse").arg(place.root()).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A server process and the address that it printed.
pub fn serve(place: &Place, listen: &str) -> (Child, SocketAddr) {
    let mut child = server()
        .args(["serve", "--listen", listen, "--warehouse"])
        .arg(place.root())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
    (child, address)
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn ingest_tells_what_it_did() {
    let place = Place::new();
    let file = place.file("more.csv", "courier_id,name\nC1,Again\nC7,New\n");
    let done = ingest(&place, &["dim_courier", file.to_str().unwrap()]);
    assert!(done.status.success());
    let expected = "loaded 1 rows into customs.dim_courier\n\
         refused 1 rows; to see them: select line_number, column_name, reason from customs.rejects where load_id = 2\n\
         load 2 is safe on the disk; the warehouse is at version 2\n";
    assert_eq!((text(&done.stdout), text(&done.stderr)), (expected, ""));

    let copy = place.file("copy.csv", COURIERS);
    let done = ingest(&place, &["dim_courier", copy.to_str().unwrap()]);
    assert!(done.status.success());
    let expected = format!(
        "skipped {}: load 1 has taken the same content\nnothing to load; the warehouse stays at version 2\n",
        copy.display()
    );
    assert_eq!(text(&done.stdout), expected);
}

#[test]
fn ingest_tells_why_it_did_nothing() {
    let place = Place::new();
    let file = place.file("bad.csv", "courier,name\n");
    let file = file.to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["dim_courier", file], "no column \"courier_id\", the unknown column \"courier\". Did you mean courier_id?"),
        (&["dim_couriers", file], "error: there is no table \"dim_couriers\" to load into; the tables are fact_item, "),
        (&["dim_courier", "/no/such/file"], "error: cannot open /no/such/file: No such file or directory"),
        (&[file], "expected a table and at least one file, found only"),
        (
            &["--schema", "custom", "dim_courier", file],
            "error: there is no schema \"custom\"; the schemas are customs, kcs",
        ),
    ];
    for (words, part) in cases {
        let done = ingest(&place, words);
        assert_eq!(done.status.code(), Some(1), "{words:?}");
        assert!(text(&done.stderr).contains(part), "{words:?}: {}", text(&done.stderr));
        assert_eq!(text(&done.stdout), "");
    }
}

#[test]
fn a_folder_is_loaded_as_one_commit() {
    let place = Place::new();
    let folder = place.root().parent().unwrap().join("tables");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("dim_courier.csv"), "courier_id,name\nC7,New\n").unwrap();
    std::fs::write(
        folder.join("dim_incoterm.csv"),
        "incoterm,name,freight_in_price,insurance_in_price\nFOB,On board,false,false\n",
    )
    .unwrap();
    std::fs::write(folder.join(".hidden"), "left out").unwrap();
    let words = ["--format", "folder", folder.to_str().unwrap()];
    let done = ingest(&place, &words);
    let expected = "loaded 1 rows into customs.dim_courier\nloaded 1 rows into customs.dim_incoterm\n\
         load 2 is safe on the disk; the warehouse is at version 2\n";
    assert_eq!((text(&done.stdout), text(&done.stderr)), (expected, ""));
    // Once more with a table more: what was taken is passed over.
    std::fs::write(folder.join("dim_procedure.csv"), "import_type,name\n11,General\n").unwrap();
    let done = ingest(&place, &words);
    let said = text(&done.stdout);
    assert!(said.contains("loaded 1 rows into customs.dim_procedure\n") && said.ends_with("at version 3\n"), "{said}");
    assert_eq!(said.matches("has taken the same content").count(), 2, "{said}");
    // One file that is no table: nothing of the others is loaded.
    std::fs::write(folder.join("dim_date.csv"), "day\n").unwrap();
    std::fs::write(folder.join("fact_itm.csv"), "item_no\n").unwrap();
    let done = ingest(&place, &words);
    assert_eq!(done.status.code(), Some(1));
    let said = text(&done.stderr);
    assert!(said.contains("there is no table \"fact_itm\". Did you mean fact_item? Nothing was loaded"), "{said}");
    let file = folder.join("dim_courier.csv");
    let done = ingest(&place, &["--format", "folder", file.to_str().unwrap()]);
    assert!(text(&done.stderr).contains("expected one folder of files"), "{}", text(&done.stderr));
}

#[test]
fn rows_are_changed_and_versions_listed_merged_and_removed() {
    let place = Place::new();
    let file = |name: &str, content: &str| place.file(name, content).to_str().unwrap().to_owned();
    let changed = file("changed.csv", "courier_id,name\nC2,Known\nC9,New\n");
    let words = ["--change", "upsert", "--key", "monday", "dim_courier", &changed];
    let expected = "loaded 2 rows into customs.dim_courier\nremoved 1 rows\n\
         load 2 is safe on the disk; the warehouse is at version 2\n";
    assert_eq!(text(&ingest(&place, &words).stdout), expected);
    let again = "nothing to do; the same call with this key has made version 2\n";
    assert_eq!(text(&ingest(&place, &words).stdout), again);
    let gone = file("gone.csv", "courier_id\nC1\n");
    let said = text(&ingest(&place, &["--change", "delete", "dim_courier", &gone]).stdout).to_owned();
    assert!(said.starts_with("removed 1 rows\nload 3 is safe"), "{said}");

    let run = |words: &[&str]| {
        let done = server().args(words).arg("--warehouse").arg(place.root()).output().unwrap();
        (done.status.success(), text(&done.stdout).to_owned() + text(&done.stderr))
    };
    let (_, listed) = run(&["versions"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("version  committed (UTC)") && lines.len() == 4, "{listed}");
    assert!(lines[2].ends_with("Z  yes   upsert customs.dim_courier, +2 rows, -1 rows [key monday]"), "{listed}");
    assert!(lines[3].ends_with("Z  yes   delete customs.dim_courier, -1 rows"), "{listed}");
    let merged = "customs.dim_courier: 2 files have become 1, 3 rows written again\n\
         the warehouse is at version 4; `vacuum` removes the files of old versions\n";
    assert_eq!(run(&["compact"]), (true, merged.to_owned()));
    let (ok, removed) = run(&["vacuum", "--keep-versions", "1"]);
    assert!(ok && removed.starts_with("removed the versions 1, 2, 3\nremoved 4 data files, "), "{removed}");
    assert!(run(&["versions"]).1.contains("  no    append customs.dim_courier, +3 rows\n"));
    for (words, part) in [
        (&["vacuum", "--before", "yesterday"][..], "error: \"yesterday\" is no time; expected a date"),
        (&["vacuum", "--keep-versions", "0"], "0 is not in 1.."),
        (&["compact", "--table", "fact_item"], "expected a schema and a table like customs.fact_item"),
    ] {
        let (ok, message) = run(words);
        assert!(!ok && message.contains(part), "{words:?}: {message}");
    }
}

#[test]
fn a_kcs_file_goes_to_the_schema_kcs() {
    let place = Place::new();
    let header = "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,Declarant ID,\
         Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,\
         Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud";
    let line = "85945189,2020-01-01,40,B,11,21,11,40,SWF9S4X,7JD1S2X,8WDKMC6,,10129,CN,DE,8.0,A,Y,11352.0,375751.2,1,1";
    let file = place.file("kcs.csv", format!("{header}\n{line}\n"));
    let done = ingest(&place, &["--format", "kcs", file.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    for part in [
        "loaded 1 rows into kcs.fact_item\n",
        "loaded 1 rows into kcs.fact_inspection\n",
        "loaded 2 rows into kcs.dim_country\n",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn the_help_says_what_a_user_needs() {
    let help = |words: &[&str]| text(&server().args(words).arg("--help").output().unwrap().stdout).to_owned();
    let all = help(&[]);
    assert!(
        all.contains("Load CSV, Parquet or Arrow files into a table") && all.contains("Answer SQL over Arrow Flight"),
        "{all}"
    );
    let ingest = help(&["ingest"]);
    assert!(
        ingest.contains("haetae-server ingest --warehouse DIR --format kcs FILE...") && ingest.contains("`rejects`"),
        "{ingest}"
    );
    let serve = help(&["serve"]);
    assert!(serve.contains("[default: 127.0.0.1:50051]") && serve.contains("server.secret"), "{serve}");
}

#[test]
fn serve_refuses_what_is_not_safe() {
    let place = Place::new();
    let fails = |listen: &str| {
        let done = server().args(["serve", "--listen", listen, "--warehouse"]).arg(place.root()).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        text(&done.stderr).to_owned()
    };
    let open = fails("0.0.0.0:0");
    assert!(open.contains("error: will not listen on 0.0.0.0:0: without TLS"), "{open}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let message = fails(&address);
    assert!(message.starts_with(&format!("error: cannot listen on {address}: ")), "{message}");
    std::fs::set_permissions(place.root().join(SECRET_FILE), PermissionsExt::from_mode(0o644)).unwrap();
    let shared = fails("127.0.0.1:0");
    assert!(shared.contains("expected mode 0600, found 0644: others can read it. Run `chmod 600"), "{shared}");
}

fn told(words: &[&str], input: &str) -> Output {
    let mut child =
        server().args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn policies_are_written_and_checked() {
    let place = Place::new();
    let hash = told(&["policy", "hash"], "a long password\nsomething else\n");
    assert!(text(&hash.stdout).starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash:?}");
    let short = told(&["policy", "hash"], "short\n");
    assert_eq!(text(&short.stderr), "error: the password cannot be used: it is shorter than 12 characters\n");

    let file = place.file("policy.toml", "[roles.all]\nadmin = true\n");
    let name = file.to_str().unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let empty = told(&["policy", "check", name], "");
    assert!(text(&empty.stderr).contains("line 1: there are no users"), "{empty:?}");
    let add = ["user", "add", "--policy", name, "--role", "all", "kim"];
    let added = told(&add, "a long password\n");
    assert!(text(&added.stdout).starts_with("kim can log in as all; the policy is at version "), "{added:?}");
    let checked = told(&["policy", "check", name], "");
    assert!(text(&checked.stdout).contains("1 users, 1 roles, version "), "{checked:?}");
    let twice = told(&add, "a long password\n");
    assert!(text(&twice.stderr).contains("has a user kim already"), "{twice:?}");
    let before = std::fs::read(&file).unwrap();
    let wrong = told(&["user", "add", "--policy", name, "--role", "some", "lee"], "a long password\n");
    assert!(text(&wrong.stderr).contains("there is no role \"some\"; the roles are all"), "{wrong:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);

    // The server says the same, and refuses a file that others can write.
    let serve = |place: &Place| {
        let words = ["serve", "--listen", "127.0.0.1:0", "--policy", name, "--warehouse"];
        let done = server().args(words).arg(place.root()).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        text(&done.stderr).to_owned()
    };
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    assert!(serve(&place).contains("others can write the file (mode 0666)"));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&file, "[roles.all]\nadmim = true\n").unwrap();
    assert!(serve(&place).contains("line 2: there is no setting \"admim\" here"));
}

#[tokio::test]
async fn it_serves_and_ends_on_sigterm() {
    let place = Place::new();
    let (mut child, address) = serve(&place, "127.0.0.1:0");
    let secret = std::fs::metadata(place.root().join(SECRET_FILE)).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    let mut client = connect(address).await;
    client.handshake(USER, &password(&place.root())).await.unwrap();
    assert_eq!(ask(&mut client, "select count(*) from dim_courier").await.unwrap(), [["3"]]);
    // The client is still connected; that does not hold the server.
    signal(&child, "-TERM");
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(ended.success(), "{ended}");
    assert!(ask(&mut client, "select 1").await.is_err());
}
