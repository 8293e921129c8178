//! What stewards decide: kept, counted for the row and the rule alone, and open again where it did not help.

use haetae_quality::queue::{self, Decided, Decision, Verdict};
use haetae_quality::rules::{self, Rules};
use haetae_quality::{Error, Options, Result};

use crate::place::{Place, item, options, runtime};

const RULES: &str = "dataset = \"fact_item\"\n\
    [[rule]]\nid = \"price\"\nfamily = \"validity\"\ncolumns = [\"item_price_krw\"]\nsays = \"Goods have a price.\"\n\
    check = \"range\"\nparameters = { above = 0 }\n\
    [[rule]]\nid = \"unit\"\nfamily = \"completeness\"\ncolumns = [\"quantity_unit\"]\nsays = \"There is a unit.\"\n\
    check = \"not_null\"\n";

fn rules() -> Rules {
    rules::parse([("rules.toml", RULES)]).unwrap()
}

fn line(id: &str, price: &str, unit: &str) -> String {
    item(&[("declaration_id", id), ("item_price_krw", price), ("quantity_unit", unit)])
}

/// Rows a, b and c without price; b without unit too.
fn place() -> Place {
    let place = Place::new();
    place.items(&[line("a", "0", "U"), line("b", "0", ""), line("c", "0", "U"), line("d", "4", "U")]);
    place.run(&rules(), &options()).unwrap();
    place
}

fn decide(place: &Place, rule: &str, rows: Option<&[&str]>, verdict: Verdict, reason: Option<&str>) -> Result<Decided> {
    let rows = rows.map(|rows| rows.iter().map(|row| (*row).to_owned()).collect());
    let (reason, by) = (reason.map(str::to_owned), "lee".to_owned());
    let decision = Decision { rule: rule.to_owned(), rows, verdict, reason, by };
    runtime().block_on(queue::decide(&place.store, &place.engine(), &decision))
}

fn assign(to: &str) -> Verdict {
    Verdict::Assign { to: to.to_owned() }
}

fn states(place: &Place) -> Vec<String> {
    let sql = format!("select rule, row_key, state, assignee, why from ({}) order by 1, 2", queue::sql());
    place.ask(&sql).into_iter().map(|row| row.join(" ").trim_end().to_owned()).collect()
}

#[test]
fn each_decision_is_kept_and_the_last_one_counts() {
    let place = place();
    assert_eq!(states(&place), ["price a/1 open", "price b/1 open", "price c/1 open", "unit b/1 open"]);
    let first = decide(&place, "price", Some(&["b/1", "a/1", "b/1"]), assign("kim"), None).unwrap();
    assert_eq!((first.rows, first.version), (2, 3));
    decide(&place, "price", Some(&["a/1"]), Verdict::Accept, Some("a gift")).unwrap();
    let last = decide(&place, "price", Some(&["b/1"]), assign("park"), Some("kim's away")).unwrap();
    let expected =
        ["price a/1 accepted  a gift", "price b/1 assigned park kim's away", "price c/1 open", "unit b/1 open"];
    assert_eq!(states(&place), expected);
    let kept = place
        .ask("select row_key, state, assignee, decided_by, run_id from quality.decisions order by change_id, row_key");
    let expected = [
        ["a/1", "assigned", "kim", "lee", "2"],
        ["b/1", "assigned", "kim", "lee", "2"],
        ["a/1", "accepted", "", "lee", "2"],
        ["b/1", "assigned", "park", "lee", "2"],
    ];
    assert_eq!(kept, expected);
    // The same once more is nothing new.
    let again = decide(&place, "price", Some(&["b/1"]), assign("park"), Some("kim's away")).unwrap();
    assert_eq!(again, Decided { change_id: None, version: last.version, rows: 0 });
}

#[test]
fn what_is_found_again_is_open_again_unless_it_was_accepted() {
    let place = place();
    decide(&place, "price", Some(&["a/1"]), Verdict::Accept, Some("a gift")).unwrap();
    decide(&place, "price", Some(&["b/1"]), Verdict::Correct, Some("asked the broker")).unwrap();
    let all = decide(&place, "price", None, assign("kim"), None).unwrap();
    assert_eq!(all.rows, 1, "what is settled stays so");
    place.items(&[line("e", "0", "U")]);
    let done = place.run(&rules(), &options()).unwrap();
    assert!(!done.repeated);
    let expected = [
        "price a/1 accepted  a gift",
        "price b/1 open  asked the broker",
        "price c/1 assigned kim",
        "price e/1 open",
        "unit b/1 open",
    ];
    assert_eq!(states(&place), expected);
}

#[test]
fn rows_that_are_right_now_leave_the_queue_and_later_runs_over_added_rows_join_it() {
    let place = place();
    place.items(&[line("e", "0", "U")]);
    place.run(&rules(), &Options { since: Some(1), ..options() }).unwrap();
    let five = ["price a/1 open", "price b/1 open", "price c/1 open", "price e/1 open", "unit b/1 open"];
    assert_eq!(states(&place), five);
    place.replace_items(&[line("b", "7", "U"), line("e", "0", "U")]);
    place.run(&rules(), &options()).unwrap();
    assert_eq!(states(&place), ["price e/1 open"]);
}

#[test]
fn a_decision_that_cannot_be_made_says_why() {
    let place = place();
    let version = place.store.current_version().unwrap();
    let message = |rule: &str, row: &str, verdict, reason| {
        decide(&place, rule, Some(&[row]), verdict, reason).unwrap_err().to_string()
    };
    let strange = message("price", "z/1", Verdict::Accept, Some("x"));
    assert!(strange.starts_with("the queue has no row \"z/1\" of the rule price; nothing was changed"), "{strange}");
    let slip = message("prices", "a/1", Verdict::Accept, Some("x"));
    assert_eq!(slip, "the queue has nothing of the rule \"prices\". Did you mean price?");
    let blank = message("price", "a/1", Verdict::Correct, Some(" "));
    assert_eq!(blank, "a violation is accepted or corrected for a reason; give it with --reason; nothing was changed");
    assert!(message("price", "a/1", assign(""), None).contains("name them with --to"));
    // Quotes are text and not SQL.
    let quoted = message("price' or 'a' = 'a", "a/1", Verdict::Accept, Some("x"));
    assert!(quoted.starts_with("the queue has nothing of the rule \"price' or"), "{quoted}");
    assert_eq!(place.store.current_version().unwrap(), version);
    let empty = Place::new();
    let none = decide(&empty, "price", None, Verdict::Accept, Some("x")).unwrap_err();
    assert!(
        matches!(&none, Error::NothingOf { .. }) && none.to_string().contains("`haetae-server quality run` fills it")
    );
}
