//! The commands `score` and `model`, and who may read what they write.

use std::process::{Command, Output};

use haetae_flight_server::policy::hash_password;

use crate::harness::{Place, Running, ask, status};

#[allow(dead_code, reason = "the tests of scoring use all of it")]
#[path = "../../scoring/tests/suite/place.rs"]
mod world;

fn place() -> Place {
    let place = Place::new();
    place.load_table("fact_item", "items.csv", &world::items());
    place.load_table("fact_inspection", "inspections.csv", &world::inspections(world::fraud));
    place
}

fn call(place: &Place, words: &[&str]) -> Output {
    let (command, words) = words.split_at(if words[0] == "model" || words[1] == "verify" { 2 } else { 1 });
    let mut program = Command::new(env!("CARGO_BIN_EXE_haetae-server"));
    program.args(command).arg("--warehouse").arg(place.root()).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn said(place: &Place, words: &[&str]) -> String {
    let done = call(place, words);
    assert!(done.status.success(), "{words:?}: {done:?}");
    text(&done.stdout).to_owned()
}

#[test]
fn a_model_is_trained_promoted_and_scores() {
    let place = place();
    let file = place.file("import.toml", world::text());
    let file = file.to_str().unwrap();
    assert_eq!(said(&place, &["model", "list"]), "");
    assert!(said(&place, &["score", "verify"]).starts_with("the log is whole: 0 records"));
    let trained = said(&place, &["model", "train", "--definition", file, "--as-of", "2026-02-06"]);
    assert!(trained.starts_with("import-1: ") && trained.contains("on rows that were held back"), "{trained}");
    let early = call(&place, &["score", "--definition", file, "--date", "2026-02-08"]);
    assert_eq!(early.status.code(), Some(1));
    assert!(text(&early.stderr).starts_with("error: there is no promoted model for the definition `import`"));
    assert_eq!(
        said(&place, &["model", "promote", "--by", "kim", "--why", "the first", "import-1"]),
        "import-1 is the champion from now on\n"
    );
    assert!(said(&place, &["model", "list"]).contains("champion"));
    let shown = said(&place, &["model", "show", "import-1"]);
    assert!(shown.contains("file_sha256") && shown.contains("the first"), "{shown}");

    let scored = said(&place, &["score", "--definition", file, "--date", "2026-02-08", "--to", "2026-02-09"]);
    let lines: Vec<&str> = scored.lines().collect();
    assert!(lines[0].starts_with("2026-02-08: 60 items, 6 yellow, 12 red, 3 blue by import-1/"), "{scored}");
    assert!(lines[1].starts_with("2026-02-09: 60 items"), "{scored}");
    let head = lines[2].strip_prefix("the log goes to ").unwrap().split(';').next().unwrap();
    let again = said(&place, &["score", "--definition", file, "--date", "2026-02-08"]);
    assert!(again.starts_with("2026-02-08: nothing to do, run "), "{again}");
    let whole = said(&place, &["score", "verify", "--head", head]);
    assert!(whole.starts_with("the log is whole: 120 records"), "{whole}");
    let other = call(&place, &["score", "verify", "--head", "120:00"]);
    assert!(text(&other.stderr).contains("is not what was kept"), "{other:?}");

    let version = lines[0].split(" by ").nth(1).unwrap().split(';').next().unwrap();
    let days = ["--from", "2026-02-08", "--to", "2026-02-09", "--known-on", "2026-02-15"];
    let compared = said(&place, &[&["model", "compare"][..], &days, &[version]].concat());
    assert!(compared.contains("stake") && compared.contains(version), "{compared}");
    let nothing = call(&place, &["score", "--definition", file, "--date", "2026-02-08", "--to", "2026-02-01"]);
    assert!(text(&nothing.stderr).contains("--to is 2026-02-01, before --date"), "{nothing:?}");
}

#[tokio::test]
async fn scores_are_shown_to_roles_that_are_given_them_by_name() {
    let place = place();
    let file = place.file("import.toml", world::text());
    let file = file.to_str().unwrap();
    said(&place, &["model", "train", "--definition", file, "--as-of", "2026-02-06"]);
    said(&place, &["model", "promote", "--by", "kim", "--why", "the first", "import-1"]);
    said(&place, &["score", "--definition", file, "--date", "2026-02-08"]);
    let hash = hash_password("a long password").unwrap();
    place.write_policy(&format!(
        "[users.kim]\nrole = \"analyst\"\npassword = \"{hash}\"\n\
         [users.lee]\nrole = \"officer\"\npassword = \"{hash}\"\nattributes = {{ office = \"20\" }}\n\
         [roles.analyst]\ntables = [\"*\"]\n\
         [roles.officer]\ntables = [\"risk.*\"]\nattributes = [\"office\"]\n\
         rows = {{ \"risk.scores\" = \"office_id = $office\", \"risk.lanes\" = \"office_id = $office\" }}\n"
    ));
    let server = Running::over(place, std::time::Duration::from_secs(10), None).await;
    let mut kim = server.client_of("kim", "a long password").await;
    for table in ["scores", "lanes", "decisions", "taxpayer_scores", "models"] {
        let asked = status(ask(&mut kim, &format!("select * from risk.{table}"))).await;
        assert_eq!(asked.code(), tonic::Code::NotFound, "{table}");
    }
    let mut lee = server.client_of("lee", "a long password").await;
    assert_eq!(ask(&mut lee, "select office_id, count(*) from risk.scores group by 1").await.unwrap(), [["20", "20"]]);
    assert_eq!(ask(&mut lee, "select count(*) from risk.lanes where office_id <> '20'").await.unwrap(), [["0"]]);
    // The importer is a hash, the record of the log is raw text.
    let hashed = "select count(*) from risk.scores where importer_id like 'I%' and length(importer_id) = 3";
    assert_eq!(ask(&mut lee, hashed).await.unwrap(), [["0"]]);
    assert_eq!(ask(&mut lee, "select count(line) from risk.decisions").await.unwrap(), [["0"]]);
    let secret = "select table_name, column_name from meta.columns where schema_name = 'risk' and class <> 'internal' order by 1, 2";
    let expected = [
        ["decisions", "line"],
        ["lanes", "importer_id"],
        ["scores", "importer_id"],
        ["taxpayer_scores", "importer_id"],
    ];
    assert_eq!(ask(&mut lee, secret).await.unwrap(), expected);
}
