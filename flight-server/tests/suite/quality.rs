//! The commands of `quality`, and who may read what they found.

use std::process::{Command, Output};

use haetae_flight_server::policy::hash_password;

use crate::harness::{Place, Running, ask, status};

fn quality(place: Option<&Place>, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haetae-server"));
    command.arg("quality").args(words);
    if let Some(place) = place {
        command.arg("--warehouse").arg(place.root());
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const RULES: &str = "dataset = \"dim_courier\"\n[[rule]]\nid = \"courier.named\"\nfamily = \"completeness\"\n\
    columns = [\"name\"]\nsays = \"A courier has a name.\"\ncheck = \"not_null\"\n";

#[test]
fn rules_are_run_listed_and_shown() {
    let place = Place::new();
    let rules = place.file("rules.toml", RULES);
    let rules = rules.to_str().unwrap();
    let early = quality(Some(&place), &["show"]);
    assert!(text(&early.stderr).contains("the rules have not been run yet; `haetae-server quality run` does it"));
    let listed = quality(None, &["list", "--rules", rules]);
    assert!(text(&listed.stdout).starts_with("courier.named"), "{listed:?}");
    let shipped = quality(None, &["list"]);
    assert!(text(&shipped.stdout).lines().count() >= 30, "{shipped:?}");

    let ran = quality(Some(&place), &["run", "--rules", rules]);
    assert!(ran.status.success(), "{ran:?}");
    assert!(text(&ran.stdout).ends_with("run 2: 1 rules, 1 of them broken by 1 rows; the warehouse is at version 2\n"));
    let again = quality(Some(&place), &["run", "--rules", rules]);
    assert!(text(&again.stdout).starts_with("nothing to do: run 2 has checked the same rows by the same rules"));
    let shown = quality(Some(&place), &["show"]);
    assert!(
        text(&shown.stdout).contains("| courier.named | completeness | 3       | 1          | 66.667         |"),
        "{shown:?}"
    );
    let broken = quality(Some(&place), &["show", "--rule", "courier.named"]);
    assert_eq!(text(&broken.stdout).lines().nth(3).unwrap(), "| C2      | name is missing | name = null |");
    let none = quality(Some(&place), &["show", "--run", "9"]);
    assert_eq!(text(&none.stderr), "error: there is no run 9; the runs are 2\n");

    let bad = place.file("bad.toml", RULES.replace("not_null", "not_nul"));
    let refused = quality(Some(&place), &["run", "--rules", bad.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("rule courier.named: there is no check \"not_nul\". Did you mean not_null?")
    );
}

#[test]
fn a_steward_works_the_queue() {
    let place = Place::new();
    let rules = place.file("rules.toml", RULES);
    assert!(quality(Some(&place), &["run", "--rules", rules.to_str().unwrap()]).status.success());
    let rule = ["--rule", "courier.named", "--by", "lee"];
    let with = |words: &[&str]| quality(Some(&place), &[&words[..1], &rule, &words[1..]].concat());
    let assigned = with(&["assign", "--row", "C2", "--to", "kim"]);
    let said = "1 rows of courier.named are assigned; change 6 is safe on the disk, the warehouse is at version 3\n";
    assert_eq!(text(&assigned.stdout), said, "{assigned:?}");
    let again = with(&["assign", "--row", "C2", "--to", "kim"]);
    assert!(text(&again.stdout).starts_with("nothing to do: that was decided before"), "{again:?}");
    let listed = quality(Some(&place), &["queue", "--state", "assigned", "--assignee", "kim"]);
    let rows = text(&listed.stdout);
    assert!(rows.contains("| courier.named | customs.dim_courier | C2      | assigned | kim "), "{rows}");
    let accepted = with(&["accept", "--all", "--reason", "it has none"]);
    assert!(text(&accepted.stdout).starts_with("1 rows of courier.named are accepted"), "{accepted:?}");
    let none = quality(Some(&place), &["queue", "--state", "open"]);
    assert!(!text(&none.stdout).contains("courier.named"), "{none:?}");
    let strange = with(&["correct", "--row", "C9", "--reason", "x"]);
    assert_eq!(strange.status.code(), Some(1));
    assert!(text(&strange.stderr).contains("the queue has no row \"C9\" of the rule courier.named"), "{strange:?}");
    let neither = with(&["correct", "--reason", "x"]);
    assert!(!neither.status.success() && text(&neither.stderr).contains("--row"), "{neither:?}");
}

#[tokio::test]
async fn what_was_found_is_shown_to_roles_that_are_given_it_by_name() {
    let place = Place::new();
    let rules = place.file("rules.toml", RULES);
    assert!(quality(Some(&place), &["run", "--rules", rules.to_str().unwrap()]).status.success());
    let hash = hash_password("a long password").unwrap();
    place.write_policy(&format!(
        "[users.kim]\nrole = \"analyst\"\npassword = \"{hash}\"\n[users.lee]\nrole = \"steward\"\npassword = \"{hash}\"\n\
         [roles.analyst]\ntables = [\"*\"]\n[roles.steward]\ntables = [\"quality.*\"]\n"
    ));
    let server = Running::over(place, std::time::Duration::from_secs(10), None).await;
    let mut kim = server.client_of("kim", "a long password").await;
    assert_eq!(status(ask(&mut kim, "select * from quality.results")).await.code(), tonic::Code::NotFound);
    let mut lee = server.client_of("lee", "a long password").await;
    assert_eq!(ask(&mut lee, "select violations from quality.results").await.unwrap(), [["1"]]);
    // Keys and values are raw text, for which the role is not cleared.
    assert_eq!(
        ask(&mut lee, "select rule, row_key, found from quality.violations").await.unwrap(),
        [["courier.named", "", ""]]
    );
    // So is the key once more in columns of its own: with the rule it tells what a row holds.
    let secret = "select column_name from meta.columns where table_name = 'violations' and class = 'secret' order by 1";
    assert_eq!(ask(&mut lee, secret).await.unwrap(), [["declaration_id"], ["found"], ["item_no"], ["row_key"]]);
    assert_eq!(
        ask(&mut lee, "select count(*) from meta.datasets where schema_name = 'customs'").await.unwrap(),
        [["0"]]
    );
}
