//! A day from its items to its lanes.

use haetae_scoring::Outcome;

use crate::place::{Place, by, date, definition, fraud, importers, inspections, items, parse, text};

#[test]
fn a_day_is_scored_laned_and_logged_once() {
    let place = Place::new();
    let missing = place.refused(&definition(), None, 38);
    assert_eq!(
        missing,
        "there is no promoted model for the definition `import`: `haetae-server model train` makes one"
    );
    let trained = place.train(&definition()).unwrap();
    assert!(trained.rows > 900 && trained.positives > 60, "{trained:?}");
    assert!(trained.judged.unwrap().0 > 0.7, "{trained:?}");
    let early = place.refused(&definition(), None, 38);
    assert!(early.contains("registered are import-1; `haetae-server model promote` makes one the champion"), "{early}");
    assert!(place.promote("import-1").unwrap());
    assert!(!place.promote("import-1").unwrap(), "it is the champion already");
    let acts = place.ask("select model, act, done_by, reason from risk.acts order by run_id");
    assert_eq!(acts, [["import-1", "registered", "kim", "a test"], ["import-1", "promoted", "kim", "a test"]]);

    let done = place.score(&definition(), None, 38).unwrap();
    let Outcome::Scored { items, lanes, head, version, .. } = done.outcome else { panic!("{done:?}") };
    // 20 items an office: 2 yellow, 4 red, 1 blue.
    assert_eq!((items, lanes), (60, [6, 12, 3]));
    let quotas = "select office_id, lane, count(*) from risk.lanes where lane <> 'green' group by 1, 2 order by 1, 2";
    let expected: Vec<Vec<String>> = ["10", "20", "30"]
        .iter()
        .flat_map(|office| [("blue", "1"), ("red", "4"), ("yellow", "2")].map(|(lane, n)| [*office, lane, n]))
        .map(|row| row.map(str::to_owned).to_vec())
        .collect();
    assert_eq!(place.ask(quotas), expected);
    let runs = "select model, role, items, yellow, red, blue, last_record, last_hash from risk.runs";
    let head = head.unwrap();
    assert_eq!(place.ask(runs), [["import-1", "champion", "60", "6", "12", "3", "60", head.hash.as_str()]]);
    let sums = "select count(*), max(abs(start + value_1 + value_2 + value_3 + other_value - log_odds)) < 1e-9, \
                max(abs(1 / (1 + exp(-log_odds)) - probability)) < 1e-9, \
                max(abs(probability * stake_krw - expected_revenue_krw)) < 1e-6 from risk.scores";
    assert_eq!(place.ask(sums), [["60", "true", "true", "true"]]);
    let reasons = place.ask("select reason from risk.lanes where why = 'model' order by 1 limit 1");
    assert!(reasons[0][0].contains("the score starts at"), "{reasons:?}");
    let named = "select count(*) from risk.lanes where reason like '%share of fraud%' and reason like '% by %'";
    assert_ne!(place.ask(named), [["0"]]);
    // The suspects of the data are those of the model.
    let ranked = "select avg(case when s.importer_id < 'I06' then s.probability end) > \
                  2 * avg(case when s.importer_id >= 'I06' then s.probability end) from risk.scores s";
    assert_eq!(place.ask(ranked), [["true"]]);
    let log = "select count(*), min(d.record), max(d.record) from risk.decisions d join risk.lanes l \
               on d.line like '%\"item\":\"' || l.declaration_id || '/1\"%' and d.line like '%\"lane\":\"' || l.lane || '\"%'";
    assert_eq!(place.ask(log), [["60", "1", "60"]]);

    let again = place.score(&definition(), None, 38).unwrap();
    assert!(matches!(again.outcome, Outcome::Before { .. }), "{again:?}");
    assert_eq!(place.store.current_version().unwrap(), version, "nothing is written twice");
    let quiet = place.score(&definition(), None, 300).unwrap();
    assert_eq!(quiet.outcome, Outcome::Nothing);
}

#[test]
fn items_that_come_later_are_told_of() {
    let place = Place::trained();
    place.score(&definition(), None, 38).unwrap();
    let all = items();
    let (header, first) = (all.lines().next().unwrap(), all.lines().find(|line| line.starts_with("d3800,")).unwrap());
    place.load("fact_item", &format!("{header}\n{}\n", first.replace("d3800,", "d3899,")));
    let again = place.score(&definition(), None, 38).unwrap();
    assert!(matches!(again.outcome, Outcome::Before { late: 1, .. }), "{again:?}");
    place.score(&definition(), None, 39).unwrap();
    let again = place.score(&definition(), None, 39).unwrap();
    assert!(matches!(again.outcome, Outcome::Before { late: 0, .. }), "{again:?}");
}

#[test]
fn dimensions_are_those_of_the_definitions_schema() {
    let place = Place::new();
    place.load_into("kcs", "fact_item", &items());
    place.load_into("kcs", "fact_inspection", &inspections(fraud));
    place.load_into("kcs", "dim_importer", &importers().replace("Seoul", "Jeju").replace("Busan", "Jeju"));
    let rule = "\n[[rule]]\nname = \"island\"\nowner = \"Audit\"\ntext = \"a test\"\nlane = \"red\"\nadvisory = true\n\
                when = \"(select max(region) from dim_importer) = 'Jeju'\"\n";
    let schema = "schema = \"kcs\"\nkind = \"clearance\"";
    let definition = parse(&(text().replace("kind = \"clearance\"", schema) + rule));
    place.train(&definition).unwrap();
    place.promote("import-1").unwrap();
    place.score(&definition, None, 38).unwrap();
    assert_eq!(place.ask("select count(*) from risk.lanes where rules like '%island%'"), [["60"]]);
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    let made = || {
        let place = Place::trained();
        place.score(&definition(), None, 38).unwrap();
        place.score(&definition(), None, 39).unwrap();
        let lines = place.ask("select line from risk.decisions order by record");
        (lines, place.ask("select file_sha256, definition_sha256 from risk.models"))
    };
    assert_eq!(made(), made());
}

#[test]
fn nothing_that_was_not_known_on_the_day_changes_a_score() {
    // The same world, but for results that come after what is known before day 38 (delay 5, inspection after 2).
    let other = Place::with(|day, n| if day + 2 > 37 - 5 { !fraud(day, n) } else { fraud(day, n) });
    let place = Place::trained();
    let trained = other.train(&definition());
    // Trained as of day 36: labels up to day 30.
    assert_eq!(place.ask("select file_sha256 from risk.models"), {
        assert_eq!(trained.unwrap().model, "import-1");
        other.ask("select file_sha256 from risk.models")
    });
    other.promote("import-1").unwrap();
    for place in [&place, &other] {
        place.score(&definition(), None, 38).unwrap();
    }
    let scores = "select declaration_id, probability from risk.scores order by 1";
    assert_eq!(place.ask(scores), other.ask(scores));
    let later = place.score(&definition(), None, 45).unwrap();
    assert!(matches!(later.outcome, Outcome::Scored { .. }));
    other.score(&definition(), None, 45).unwrap();
    assert_ne!(place.ask(scores), other.ask(scores), "by day 45 the results are known");
}

#[test]
fn rules_bind_and_raise_what_is_a_share() {
    let place = Place::trained();
    let rule = "\n[[rule]]\nname = \"watch\"\nowner = \"Audit\"\ntext = \"on the watch list\"\nwhen = \"t.office_id = '20'\"\n\
                lane = \"red\"\nfrom = \"2026-01-01\"\nto = \"2026-02-08\"\n";
    let definition = parse(&(text() + rule));
    place.score(&definition, None, 38).unwrap();
    let red =
        "select office_id, count(*), max(why), max(rules) from risk.lanes where lane = 'red' group by 1 order by 1";
    let found = place.ask(red);
    assert_eq!(found[1], ["20", "20", "rule", "watch"], "all of the office's items: {found:?}");
    assert_eq!(found[0][1], "4");
    let words =
        place.ask("select count(*) from risk.lanes where reason like 'on the watch list (rule `watch`, Audit)%'");
    assert_eq!(words, [["20"]]);
    // Its last day has passed.
    assert_eq!(date(39).to_string(), "2026-02-09");
    place.score(&definition, None, 39).unwrap();
    let day = "select count(*) from risk.lanes where lane = 'red' and day = date '2026-02-09'";
    assert_eq!(place.ask(day), [["12"]]);
    assert_eq!(by().who, "kim");
}
