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
    let (command, words) = words.split_at(if words[0] == "model" || !words[1].starts_with('-') { 2 } else { 1 });
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
    let day = ["--definition", file, "--date", "2026-02-08"];
    let similar = said(&place, &[&["score", "similar"][..], &day, &["--declaration", "d3801", "--most", "2"]].concat());
    assert_eq!(
        similar.lines().filter(|line| line.contains(", same hs6 and origin, distance ")).count(),
        2,
        "{similar}"
    );
    let kept = said(&place, &[&["score", "similar"][..], &day].concat());
    assert!(kept.starts_with("2026-02-08: past cases of 21 items; "), "{kept}");
    let again = said(&place, &[&["score", "similar"][..], &day].concat());
    assert!(again.contains("nothing to do"), "{again}");
    let words = [
        "--declaration",
        "d3801",
        "--version",
        version,
        "--verdict",
        "unsure",
        "--comment",
        "an old client",
        "--by",
        "lee",
    ];
    let kept = said(&place, &[&["score", "comment"][..], &words].concat());
    assert!(kept.starts_with("kept in risk.comments; "), "{kept}");

    let monthly = place.file("monthly.toml", world::text() + "\n[retrain]\nevery_days = 4\n");
    let monthly = ["model", "retrain", "--definition", monthly.to_str().unwrap(), "--date"];
    let early = said(&place, &[&monthly[..], &["2026-02-09"]].concat());
    assert!(
        early.starts_with("nothing to do: import-1 is the newest model of import, the next one is due on 2026-02-10"),
        "{early}"
    );
    let due = said(&place, &[&monthly[..], &["2026-02-11"]].concat());
    assert!(due.starts_with("due, as of 2026-02-10\nimport-2: "), "{due}");
    assert!(said(&place, &[&monthly[..], &["2026-02-11"]].concat()).starts_with("nothing to do: import-2 "));

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
        ["comments", "comment"],
        ["decisions", "line"],
        ["lanes", "importer_id"],
        ["scores", "importer_id"],
        ["similar", "additional_duty_krw"],
        ["similar", "fraud"],
        ["taxpayer_scores", "importer_id"],
    ];
    assert_eq!(ask(&mut lee, secret).await.unwrap(), expected);
}

#[tokio::test]
async fn functions_and_comments_are_for_roles_that_see_the_scores() {
    let place = place();
    let file = place.file("import.toml", world::text());
    let file = file.to_str().unwrap();
    said(&place, &["model", "train", "--definition", file, "--as-of", "2026-02-06"]);
    said(&place, &["model", "promote", "--by", "kim", "--why", "the first", "import-1"]);
    let scored = said(&place, &["score", "--definition", file, "--date", "2026-02-08"]);
    let version = scored.split(" by ").nth(1).unwrap().split(';').next().unwrap();
    let hash = hash_password("a long password").unwrap();
    place.write_policy(&format!(
        "[users.kim]\nrole = \"analyst\"\npassword = \"{hash}\"\n\
         [users.lee]\nrole = \"officer\"\npassword = \"{hash}\"\nattributes = {{ office = \"20\" }}\n\
         [users.park]\nrole = \"owner\"\npassword = \"{hash}\"\n\
         [roles.analyst]\ntables = [\"*\"]\n\
         [roles.officer]\ntables = [\"customs.fact_item\", \"risk.*\"]\nattributes = [\"office\"]\nwrite = [\"risk.comments\"]\n\
         rows = {{ \"risk.scores\" = \"office_id = $office\", \"risk.comments\" = \"office_id = $office\" }}\n\
         [roles.owner]\ntables = [\"*\", \"risk.*\"]\nclear = [\"raw_text\"]\n"
    ));
    let server = Running::over(place, std::time::Duration::from_secs(10), None).await;
    let mut kim = server.client_of("kim", "a long password").await;
    let mut lee = server.client_of("lee", "a long password").await;
    let mut park = server.client_of("park", "a long password").await;
    let item = "select declaration_id, risk_score(declaration_id, item_no) as score from fact_item \
                where declaration_date = date '2026-02-08'";
    let counted = format!("select count(*), count(score) from ({item})");
    let hidden = status(ask(&mut kim, &counted)).await;
    assert_eq!(hidden.code(), tonic::Code::PermissionDenied);
    assert_eq!(
        hidden.message(),
        "calling risk_score is not allowed: it reads risk.scores and risk.runs, which your role does not show"
    );
    assert_eq!(status(ask(&mut kim, "select risk_model_version()")).await.code(), tonic::Code::PermissionDenied);
    // The filter of the scores holds for the function: an item of another office has none.
    assert_eq!(ask(&mut lee, &counted).await.unwrap(), [["60", "20"]]);
    assert_eq!(ask(&mut park, &counted).await.unwrap(), [["60", "60"]]);
    let kept = "select count(*) from (select probability, risk_score(declaration_id, item_no) as said from risk.scores) \
                where said = probability";
    assert_eq!(ask(&mut lee, kept).await.unwrap(), [["20"]]);
    // Who sees a part of the scores could compute the others.
    let part = status(ask(&mut lee, "select risk_score_of(named_struct('duty_rate', 0.1))")).await;
    assert_eq!(part.code(), tonic::Code::PermissionDenied);
    assert!(part.message().contains("it needs all of risk.scores as it is"), "{part}");
    let whole = status(ask(&mut park, "select risk_score_of(named_struct('duty_rate', 0.1))")).await;
    assert_eq!(whole.code(), tonic::Code::InvalidArgument);
    assert!(whole.message().contains("the model import-1 needs declarant_rate, goods_rate"), "{whole}");

    let columns = "insert into risk.comments (declaration_id, item_no, version, verdict, comment)";
    let say =
        |id: &str, verdict: &str| format!("{columns} values ('{id}', 1, '{version}', '{verdict}', 'has a ruling')");
    assert_eq!(lee.execute_update(say("d3801", "wrong"), None).await.unwrap(), 1);
    let seen = "select officer, office_id, declaration_id, verdict, comment from risk.comments";
    assert_eq!(ask(&mut park, seen).await.unwrap(), [["lee", "20", "d3801", "wrong", "has a ruling"]]);
    assert_eq!(ask(&mut lee, "select count(*), count(comment) from risk.comments").await.unwrap(), [["1", "0"]]);
    let other = status(lee.execute_update(say("d3800", "wrong"), None)).await;
    assert_eq!(other.code(), tonic::Code::InvalidArgument, "{other}");
    assert!(
        other.message().starts_with("d3800/1: import-1/") && other.message().contains("has not scored it"),
        "{other}"
    );
    assert!(
        status(lee.execute_update(say("d3804", "bad"), None)).await.message().contains("expected right, wrong, unsure")
    );
    let forged = format!(
        "insert into risk.comments (declaration_id, item_no, version, verdict, comment, officer) \
         values ('d3804', 1, '{version}', 'wrong', 'x', 'park')"
    );
    assert!(status(lee.execute_update(forged, None)).await.message().contains("officer is filled in by the server"));
    let many = "insert into risk.comments (declaration_id, item_no, version, verdict, comment) \
                select a.declaration_id, a.item_no, a.version, 'wrong', 'x' from risk.scores a cross join risk.scores b";
    let refused = status(lee.execute_update(many.to_owned(), None)).await;
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
    assert!(refused.message().ends_with("expected at most 100 in one statement, found more"), "{refused}");
    for change in ["delete from risk.comments", "update risk.comments set verdict = 'right'"] {
        let refused = status(lee.execute_update(change.to_owned(), None)).await;
        assert_eq!(refused.code(), tonic::Code::PermissionDenied, "{refused}");
        assert!(refused.message().contains("what was said stays"), "{refused}");
    }
    assert_eq!(status(park.execute_update(say("d3801", "right"), None)).await.code(), tonic::Code::PermissionDenied);
    assert_eq!(ask(&mut park, "select count(*) from risk.comments").await.unwrap(), [["1"]]);
}
