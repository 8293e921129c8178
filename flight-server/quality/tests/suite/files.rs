//! What a wrong rule file is answered with, and that the shipped ones are right.

use haetae_quality::{Error, rules, shipped};

use crate::place::{Place, options};

const GOOD: &str = "dataset = \"fact_item\"\n\n[[rule]]\nid = \"a.b\"\nfamily = \"validity\"\ncolumns = [\"hs6\"]\n\
    says = \"It is so.\"\ncheck = \"not_null\"\n";

fn wrong(text: &str) -> String {
    match rules::parse([("house.toml", text)]) {
        Err(error @ Error::Rules { .. }) => error.to_string(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_is_wrong_is_named_with_file_line_rule_and_remedy() {
    assert_eq!(rules::parse([("house.toml", GOOD)]).unwrap().list.len(), 1);
    let check = |check: &str| GOOD.replace("check = \"not_null\"", check);
    let cases = [
        (
            GOOD.replace("fact_item", "fact_itm"),
            "house.toml, line 1: there is no table \"fact_itm\". Did you mean fact_item?",
        ),
        (
            GOOD.replace("\"hs6\"", "\"hs66\""),
            "line 3, rule a.b: there is no column \"hs66\" in fact_item. Did you mean hs6",
        ),
        (GOOD.replace("validity", "validness"), "line 5: unknown variant `validness`, expected one of `completeness`"),
        (GOOD.replace("says = \"It is so.\"", ""), "missing field `says`"),
        (GOOD.replace("It is so.", " "), "rule a.b: says is empty; say in words what the rule demands"),
        (GOOD.replace("a.b", "A b"), "an id has small letters, digits, _ and . alone"),
        (format!("{GOOD}weight = 0\n"), "weight is 0; expected more than 0 and at most 100"),
        (format!("{GOOD}weigth = 1\n"), "line 9: unknown field `weigth`"),
        (format!("{GOOD}when = \"\"\n"), "when is empty; give an SQL condition"),
        (check("check = \"not_nul\""), "there is no check \"not_nul\". Did you mean not_null?"),
        (check("check = \"code_list\""), "the column hs6 has no code list; use the check reference or sql"),
        (check("check = \"range\""), "the check range needs the parameter min, above or max"),
        (check("check = \"range\"\nparameters = { min = 1 }"), "the check range needs numbers, but hs6 is Utf8"),
        (check("check = \"not_null\"\nparameters = { min = 1 }"), "the check not_null has no parameters; remove min"),
        (
            check("check = \"matches\"\nparameters = { min = 1, pattern = \"x\" }"),
            "the check matches has no parameter min; it takes pattern",
        ),
        (
            check("check = \"reference\"\nparameters = { table = \"dim_hs\", column = \"hs7\" }"),
            "there is no column \"hs7\" in dim_hs. Did you mean hs2 or hs4 or hs6?",
        ),
        (
            check("check = \"check_digit\"\nparameters = { scheme = \"iso6364\" }"),
            "there is no scheme \"iso6364\". Did you mean iso6346? The schemes are kr_business_number, iso6346, imo",
        ),
        (
            check("check = \"near_duplicate\"\nparameters = { date = \"hs6\", within_days = 3 }"),
            "date must name a column of dates, but hs6 is Utf8",
        ),
        (
            check("check = \"outlier\"\nparameters = { value = \"1\", groups = [], factor = 2 }"),
            "groups must be lists with at least one expression each",
        ),
        (check("check = \"sql\""), "the check sql needs the parameter expect"),
        (format!("{GOOD}{}", &GOOD[GOOD.find("[[").unwrap()..]), "line 9, rule a.b: another rule has the same id"),
        ("dataset = ".to_owned(), "house.toml, line 1: "),
    ];
    for (text, part) in cases {
        let message = wrong(&text);
        assert!(message.contains(part), "{text}\n{message}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let message = wrong(&GOOD.replace("\"hs6\"", "\"hs66\"").replace("It is so.", ""));
    assert!(message.contains("hs66") && message.contains("says is empty"), "{message}");
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[test]
fn sql_that_does_not_fit_the_tables_changes_nothing() {
    let place = Place::new();
    let rule = |id: &str, sql: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\nfamily = \"validity\"\ncolumns = [\"hs6\"]\nsays = \"It is so.\"\ncheck = \"sql\"\n\
             parameters = {{ expect = \"{sql}\" }}\n"
        )
    };
    let text = format!(
        "dataset = \"fact_item\"\n{}{}{}",
        rule("good", "t.hs6 <> ''"),
        rule("column", "t.hs66 = '1'"),
        rule("words", "t.hs6 == = 1")
    );
    let rules = rules::parse([("house.toml", text.as_str())]).unwrap();
    let error = place.run(&rules, &options()).unwrap_err().to_string();
    let column = "house.toml, line 9, rule column: its SQL does not fit the tables: there is no column \"hs66\" in t. Did you \
         mean hs6";
    assert!(error.contains(column), "{error}");
    assert!(error.contains("rule words: its SQL does not fit the tables: this is not valid SQL"), "{error}");
    assert!(!error.contains("rule good"), "{error}");
    assert_eq!(place.store.current_version().unwrap(), 0);
    let delete = rule("sneaky", "true) then 1; delete from customs.fact_item; --");
    let rules = rules::parse([("house.toml", format!("dataset = \"fact_item\"\n{delete}").as_str())]).unwrap();
    assert!(place.run(&rules, &options()).is_err());
}

#[test]
fn the_shipped_rules_are_of_every_family() {
    let rules = shipped().unwrap();
    let families: std::collections::BTreeSet<String> = rules.list.iter().map(|rule| rule.family.to_string()).collect();
    let expected =
        ["completeness", "consistency", "mirror", "outliers", "text", "timeliness", "uniqueness", "validity"];
    assert_eq!(families.into_iter().collect::<Vec<_>>(), expected);
    for rule in &rules.list {
        assert!(rule.says.ends_with('.') || rule.says.ends_with(')'), "{} needs a sentence", rule.id);
    }
}

#[test]
fn files_and_folders_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.toml");
    std::fs::write(&path, GOOD).unwrap();
    std::fs::write(folder.path().join("readme.txt"), "no rules").unwrap();
    assert_eq!(rules::read(&path).unwrap().list.len(), 1);
    assert_eq!(rules::read(folder.path()).unwrap().list.len(), 1);
    let missing = rules::read(&folder.path().join("no.toml")).unwrap_err().to_string();
    assert!(missing.contains("cannot read the rules in ") && missing.contains("No such file"), "{missing}");
}
