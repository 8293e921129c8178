//! Answers that are right, wrong, and right in another way, as tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use haetae_check::{Check, Difference, Finding, Language, Order, Says, Table, Trap, Value, compare};

fn text(values: &[&str]) -> Vec<Value> {
    values.iter().map(|value| if *value == "-" { Value::Null } else { Value::Text((*value).to_owned()) }).collect()
}

fn numbers(values: &[f64]) -> Vec<Value> {
    values.iter().map(|value| if value.is_nan() { Value::Null } else { Value::Number(*value) }).collect()
}

fn offices(names: &[&str], lines: &[f64]) -> Table {
    Table::new([("office_id", text(names)), ("lines", numbers(lines))])
}

fn keyed() -> Check {
    Check { exercise: "q1".into(), key: vec!["office_id".into()], ..Check::default() }
}

fn ordered() -> Check {
    let by = |column: &str, descending| Order { column: column.into(), descending };
    Check { order: vec![by("lines", true), by("office_id", false)], ..keyed() }
}

#[test]
fn equivalent_answers_are_right() {
    let right = offices(&["40", "20", "30"], &[9.0, 5.0, 2.0]);
    let turned = Table::new([("LINES", numbers(&[2.0, 9.000_000_1, 5.0])), ("Office_ID", text(&["30", "40", "20"]))]);
    for check in [keyed(), Check::default()] {
        assert_eq!(compare(&check, &right, &right), None);
        assert_eq!(compare(&check, &turned, &right), None);
    }
    assert_eq!(compare(&ordered(), &right, &right), None);
    let shares = Table::new([("share", numbers(&[0.123_456]))]);
    let rounded = Table::new([("share", numbers(&[0.12]))]);
    assert!(compare(&Check::default(), &rounded, &shares).is_some());
    assert_eq!(compare(&Check { decimals: Some(2), ..Check::default() }, &rounded, &shares), None);
}

#[test]
fn a_wrong_answer_is_told_what_is_wrong() {
    let right = offices(&["40", "20", "30"], &[9.0, 5.0, 2.0]);
    let cases = [
        (Table::new([("office_id", text(&["40"])), ("count(*)", numbers(&[9.0]))]), "`lines` is missing"),
        (
            Table::new([("office_id", text(&["40"])), ("lines", numbers(&[9.0])), ("kind", text(&["-"]))]),
            "does not ask for `kind`",
        ),
        (offices(&[], &[]), "no rows"),
        (offices(&["40", "20"], &[9.0, 5.0]), "2 rows, and that is too few"),
        (offices(&["40", "20", "30", "10"], &[9.0, 5.0, 2.0, 1.0]), "4 rows, and that is too many"),
        (offices(&["40", "20", "20"], &[9.0, 5.0, 2.0]), "20 stands there more than once"),
        (offices(&["40", "20", "10"], &[9.0, 5.0, 2.0]), "one row does not belong there: that with `office_id` 10"),
        (offices(&["40", "20", "30"], &[9.0, 5.0, 3.0]), "`lines` is wrong in 1 of 3"),
        (offices(&["40", "20", "30"], &[900.0, 500.0, 200.0]), "100 times too large"),
        (offices(&["40", "20", "30"], &[0.09, 0.05, 0.02]), "100 times too small"),
        (offices(&["40", "20", "30"], &[9e3, 5e3, 2e3]), "power of ten"),
        (offices(&["40", "20", "30"], &[-9.0, -5.0, -2.0]), "wrong sign"),
        (offices(&["40", "20", "30"], &[9.0, f64::NAN, 2.0]), "null"),
        (
            Table::new([("office_id", numbers(&[40.0, 20.0, 30.0])), ("lines", numbers(&[9.0, 5.0, 2.0]))]),
            "Codes are text",
        ),
        (offices(&["20", "40", "30"], &[5.0, 9.0, 2.0]), "their order is not: the largest `lines` comes first"),
    ];
    for (answer, part) in cases {
        let message = compare(&ordered(), &answer, &right).expect(part).to_string();
        assert!(message.contains(part), "expected `{part}` in: {message}");
        // The numbers of the right answer stay with us.
        assert!(!message.contains(" 9") && !message.contains("5.0"), "{message}");
    }
}

#[test]
fn rows_without_a_key_are_compared_as_a_bag() {
    let right = offices(&["40", "40", "20"], &[1.0, 1.0, 5.0]);
    assert_eq!(compare(&Check::default(), &offices(&["20", "40", "40"], &[5.0, 1.0, 1.0]), &right), None);
    let wrong = offices(&["20", "40", "20"], &[5.0, 1.0, 5.0]);
    assert_eq!(compare(&Check::default(), &wrong, &right), Some(Finding::SomeRows { rows: 1, of: 3 }));
    let one = |n: f64| Table::new([("n", numbers(&[n]))]);
    let finding = Finding::Values { column: "n".into(), rows: 1, of: 1, like: Difference::Some };
    assert_eq!(compare(&Check::default(), &one(3.0), &one(2.0)), Some(finding));
}

#[test]
fn ties_may_stand_in_the_order_of_the_next_column_only() {
    let right = offices(&["20", "30"], &[2.0, 2.0]);
    assert_eq!(compare(&ordered(), &right, &right), None);
    let turned = offices(&["30", "20"], &[2.0, 2.0]);
    let finding = Finding::Order { column: "office_id".into(), descending: false };
    assert_eq!(compare(&ordered(), &turned, &right), Some(finding));
}

#[test]
fn a_finding_is_complete_in_every_language() {
    let (key, example) = (vec!["office_id".to_owned()], "40".to_owned());
    let values = |like| Finding::Values { column: "share".into(), rows: 2, of: 3, like };
    let likes = [
        Difference::Some,
        Difference::Hundredfold,
        Difference::Hundredth,
        Difference::TimesPower,
        Difference::Nulls,
        Difference::NotNulls,
        Difference::Sign,
    ];
    let mut findings = vec![
        (Finding::MissingColumns { missing: vec!["a_1".into()], found: vec![] }, vec!["`a_1`"]),
        (
            Finding::MissingColumns { missing: vec!["a_1".into(), "b".into()], found: key.clone() },
            vec!["`b`", "`office_id`"],
        ),
        (Finding::ExtraColumns { extra: vec!["kind".into()] }, vec!["`kind`"]),
        (Finding::NoRows, vec![]),
        (Finding::Rows { found: 17, too_many: true }, vec!["17"]),
        (Finding::Rows { found: 17, too_many: false }, vec!["17"]),
        (Finding::Repeated { key: key.clone(), example: example.clone() }, vec!["`office_id`", "40"]),
        (Finding::Strangers { key: key.clone(), rows: 1, example: example.clone() }, vec!["`office_id`", "40"]),
        (Finding::Strangers { key, rows: 5, example }, vec!["5", "`office_id`", "40"]),
        (Finding::Kind { column: "hs6".into(), found: Says::Number, expected: Says::Text }, vec!["`hs6`"]),
        (Finding::SomeRows { rows: 4, of: 9 }, vec!["4", "9"]),
        (Finding::Order { column: "lines".into(), descending: true }, vec!["`lines`"]),
        (Finding::Order { column: "lines".into(), descending: false }, vec!["`lines`"]),
    ];
    findings.extend(likes.map(|like| (values(like), vec!["`share`", "2", "3"])));
    for (finding, facts) in findings {
        let texts = ["en", "ko", "ru"].map(|code| finding.text(Language::of(code).unwrap()));
        for text in &texts {
            assert!(!text.contains(['{', '}']), "{text}");
            assert!(facts.iter().all(|fact| text.contains(fact)), "{facts:?} in: {text}");
        }
        assert_eq!(texts[0], finding.to_string());
        assert!(texts[0] != texts[1] && texts[1] != texts[2] && texts[0] != texts[2], "{texts:?}");
    }
    assert_eq!(Language::of("xx"), None);
}

#[test]
fn a_check_keeps_its_language_and_english_needs_no_word_for_it() {
    let korean = Check { language: Language::Korean, ..keyed() };
    assert_eq!(Check::open(&korean.seal().unwrap()).unwrap(), korean);
    assert!(!serde_json::to_string(&keyed()).unwrap().contains("language"));
}

#[test]
fn a_sealed_check_opens_and_a_changed_one_does_not() {
    let trap = Trap { query: "select 2".into(), says: "세관: that is the wrong office".into() };
    let check = Check { query: "select {trainee} as n".into(), decimals: Some(2), traps: vec![trap], ..ordered() };
    let sealed = check.seal().unwrap();
    assert_eq!(Check::open(&sealed).unwrap(), check);
    assert!(!sealed.contains("select"));
    assert!(!sealed.contains("c2VsZWN0"), "no plain base64 either");
    for at in 0..sealed.len() {
        let mut letters: Vec<char> = sealed.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        assert!(Check::open(&letters.into_iter().collect::<String>()).is_err(), "letter {at}");
    }
    assert!(Check::open("").is_err() && Check::open("?").is_err());
}
