//! What a run writes: once, by the warehouse's own commits, and in the order of keys.

use haetae_quality::rules::{self, Rules};
use haetae_quality::{Error, Options};

use crate::place::{Place, item, options};

const RULES: &str = "dataset = \"fact_item\"\n\
    [[rule]]\nid = \"price\"\nfamily = \"validity\"\ncolumns = [\"item_price_krw\"]\nweight = 3\nsays = \"Goods have a price.\"\n\
    check = \"range\"\nparameters = { above = 0 }\n\
    [[rule]]\nid = \"unit\"\nfamily = \"completeness\"\ncolumns = [\"quantity_unit\"]\nsays = \"There is a unit.\"\n\
    check = \"not_null\"\n\
    [[rule]]\nid = \"never\"\nfamily = \"text\"\ncolumns = [\"hs10\"]\nsays = \"Nobody asks.\"\nwhen = \"t.hs6 = 'none'\"\n\
    check = \"not_null\"\n\
    [[rule]]\nid = \"once\"\nfamily = \"uniqueness\"\ncolumns = [\"importer_id\", \"item_price_krw\"]\n\
    says = \"The same goods come once.\"\nwhen = \"t.item_price_krw > 0\"\ncheck = \"near_duplicate\"\n\
    parameters = { date = \"declaration_date\", within_days = 3 }\n";

fn rules() -> Rules {
    rules::parse([("rules.toml", RULES)]).unwrap()
}

fn line(id: &str, price: &str, unit: &str) -> String {
    item(&[("declaration_id", id), ("item_price_krw", price), ("quantity_unit", unit)])
}

fn place() -> Place {
    let place = Place::new();
    place.items(&[line("a", "1", "U"), line("b", "0", "U"), line("c", "0", ""), line("d", "4", "U")]);
    place
}

#[test]
fn results_are_tables_and_the_same_rows_are_checked_once() {
    let place = place();
    let done = place.run(&rules(), &options()).unwrap();
    assert_eq!((done.repeated, done.version, done.run_id), (false, 2, 2));
    let results = place.ask(
        "select rule, family, dataset, checked, violations, kept, passed from quality.results where run_id = 2 order by rule",
    );
    let expected = [
        ["never", "text", "customs.fact_item", "0", "0", "0", ""],
        ["once", "uniqueness", "customs.fact_item", "2", "0", "0", "1.0"],
        ["price", "validity", "customs.fact_item", "4", "2", "2", "0.5"],
        ["unit", "completeness", "customs.fact_item", "4", "1", "1", "0.75"],
    ];
    assert_eq!(results, expected);
    let rows = place.ask("select rule, row_key, declaration_id, item_no, found, reason from quality.violations");
    let reason = "expected item_price_krw to be more than 0";
    let expected = [
        ["price", "b/1", "b", "1", "item_price_krw = 0.0", reason],
        ["price", "c/1", "c", "1", "item_price_krw = 0.0", reason],
        ["unit", "c/1", "c", "1", "quantity_unit = null", "quantity_unit is missing"],
    ];
    assert_eq!(rows, expected);
    // (3 * 0.5 + 0.75 + 1) / 5: the rule that applied to no row does not count.
    let scores = place.ask("select family, score, previous, change from quality.scores order by family");
    let expected = [
        ["all", "65.0", "", ""],
        ["completeness", "75.0", "", ""],
        ["uniqueness", "100.0", "", ""],
        ["validity", "50.0", "", ""],
    ];
    assert_eq!(scores, expected);
    let run = place.ask("select version, since_version, rules, checked, violations, scope from quality.runs");
    assert_eq!(run, [["1", "", "4", "10", "3", "all"]]);

    let again = place.run(&rules(), &options()).unwrap();
    assert_eq!((again.repeated, again.version, again.run_id), (true, 2, 2));
    assert_eq!(place.store.current_version().unwrap(), 2, "nothing is written twice");
}

#[test]
fn a_new_load_is_a_new_run_with_a_trend() {
    let place = place();
    place.run(&rules(), &options()).unwrap();
    place.items(&[line("e", "5", "U"), line("f", "6", "U"), line("g", "7", "U"), line("h", "8", "U")]);
    let done = place.run(&rules(), &options()).unwrap();
    assert!(!done.repeated);
    let sql =
        format!("select family, score, previous, change from quality.scores where run_id = {} order by 1", done.run_id);
    let expected = [
        ["all", "82.5", "65.0", "17.5"],
        ["completeness", "87.5", "75.0", "12.5"],
        ["uniqueness", "100.0", "100.0", "0.0"],
        ["validity", "75.0", "50.0", "25.0"],
    ];
    assert_eq!(place.ask(&sql), expected);
}

#[test]
fn only_added_rows_are_judged_but_beside_all_of_them() {
    let place = place();
    place.items(&[line("e", "0", "U"), line("f", "4", "U"), line("g", "9", "U")]);
    let since = Options { since: Some(1), ..options() };
    let done = place.run(&rules(), &since).unwrap();
    let found: Vec<(String, u64, Vec<String>)> = done
        .outcomes
        .iter()
        .map(|o| (o.rule.clone(), o.checked, o.kept.iter().map(|row| row.row_key.clone()).collect()))
        .collect();
    let expected = [
        ("price".to_owned(), 3, vec!["e/1".to_owned()]),
        ("unit".to_owned(), 3, vec![]),
        ("never".to_owned(), 0, vec![]),
        // Its twin d is an old row.
        ("once".to_owned(), 2, vec!["f/1".to_owned()]),
    ];
    assert_eq!(found, expected);
    assert_eq!(place.ask("select scope, since_version from quality.runs"), [["added", "1"]]);
    let gone = place.run(&rules(), &Options { since: Some(77), ..options() }).unwrap_err();
    assert!(matches!(gone, Error::NotKept { version: 77 }), "{gone}");
}

#[test]
fn all_are_counted_and_the_first_by_key_are_kept() {
    let place = Place::new();
    place.items(&(0..50).rev().map(|n| line(&format!("x{n:02}"), "0", "U")).collect::<Vec<_>>());
    let done = place.run(&rules(), &Options { keep: 3, ..options() }).unwrap();
    let price = &done.outcomes[0];
    assert_eq!(price.violations, 50);
    assert_eq!(price.kept.iter().map(|row| row.row_key.as_str()).collect::<Vec<_>>(), ["x00/1", "x01/1", "x02/1"]);
    assert_eq!(place.ask("select violations, kept from quality.results where rule = 'price'"), [["50", "3"]]);
    let none = place.run(&rules(), &Options { keep: 0, ..options() }).unwrap();
    assert_eq!(none.outcomes[0].violations, 50);
}

#[test]
fn what_is_not_there_is_named() {
    let place = place();
    let error = place.run(&rules(), &Options { dataset: Some("dim_hs".into()), ..options() }).unwrap_err();
    assert_eq!(error.to_string(), "no rule is about \"dim_hs\"; there are rules about fact_item");
    let error = place.run(&rules(), &Options { schema: "quality".into(), ..options() }).unwrap_err();
    assert_eq!(error.to_string(), "there is no schema \"quality\"; the schemas are customs, kcs");
}

#[test]
fn the_shipped_rules_run_over_an_empty_warehouse() {
    let place = Place::new();
    let done = place.run(&haetae_quality::shipped().unwrap(), &options()).unwrap();
    assert!(done.outcomes.iter().all(|outcome| outcome.checked == 0 && outcome.violations == 0));
}
