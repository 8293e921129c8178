//! What cannot be scored, and what is said of it. Nothing is written then.

use haetae_scoring::{Definition, Outcome};
use haetae_warehouse::store::{Kind, MadeColumn, NewOperation};

use crate::place::{COMPANIES, Place, definition, parse, text};

fn rule(name: &str, when: &str, lane: &str) -> String {
    format!(
        "\n[[rule]]\nname = \"{name}\"\nowner = \"Audit\"\ntext = \"a test\"\nwhen = \"{when}\"\nlane = \"{lane}\"\n"
    )
}

fn wrong(text: &str) -> String {
    Definition::parse("test.toml", text).unwrap_err().to_string()
}

#[test]
fn definitions_that_are_wrong_are_named() {
    let cases = [
        (text().replace("name = \"import\"", "name = \"Im port\""), "name has small letters"),
        (
            text().replace("from today t", "from fact_item t"),
            "SQL names `fact_`, which may hold what was not known on the day",
        ),
        (
            text().replace("t.duty_rate > 0.4", "1 in (select 1 from customs.\\\"FACT_inspection\\\")"),
            "SQL names `fact_`",
        ),
        (
            text().replace("t.duty_rate > 0.4", "1 in (select 1 from customs.dim_currency_rate)"),
            "SQL names `dim_currency_rate`",
        ),
        (
            text().replace("duty_rate = \"the duty rate\"", "score = \"the score\"\nduty_rate = \"the duty rate\""),
            "the feature `score` has a name that reasons and drift use",
        ),
        (
            text().replace("duty_rate = \"the duty rate\"", "start = \"the start\"\nduty_rate = \"the duty rate\""),
            "the feature `start` has a name",
        ),
        (
            text().replace("[\"tariff_type\"]", "[\"tarif_type\"]"),
            "there is no feature `tarif_type`. Did you mean tariff_type?",
        ),
        (text().replace("yellow = 0.1", "yellow = 0.9"), "lanes: the shares sum to 1.15"),
        (text().replace("explore = 0.1", "explore = 2.0"), "explore: expected a share from 0 to 1, found 2"),
        (text().replace("trees = 40", "treees = 40"), "unknown field `treees`"),
        (text() + &rule("r", "true", "red").replace("owner = \"Audit\"\n", ""), "missing field `owner`"),
        (COMPANIES.to_owned() + &rule("r", "true", "red"), "a taxpayer definition has factors"),
        (text() + "\n[retrain]\nevery_days = 0\n", "retrain: every_days is at least 1"),
        (text().replace("kind = ", "schema = \"custom\"\nkind = "), "there is no schema \"custom\""),
    ];
    for (text, part) in cases {
        let said = wrong(&text);
        assert!(said.contains(part), "{part}: {said}");
    }
    let missing = Definition::read(std::path::Path::new("no/such.toml")).unwrap_err();
    assert!(missing.to_string().starts_with("cannot read the definition no/such.toml: "));
}

#[test]
fn days_that_cannot_be_decided_are_refused_whole() {
    let place = Place::trained();
    let both = text() + &rule("one", "t.item_no = 1", "green") + &rule("two", "t.office_id = '10'", "red");
    let said = place.refused(&parse(&both), None, 38);
    assert!(
        said.starts_with("item d3800/1 of 2026-02-08: row 0: the rules `one` (green) and `two` (red) contradict"),
        "{said}"
    );
    let fails = text() + &rule("price", "100 / (case when t.declaration_id = 'd3817' then 0 else 1 end) > 1", "red");
    let said = place.refused(&parse(&fails), None, 38);
    assert!(said.starts_with("rule `price` fails on the item d3817/1 of 2026-02-08: "), "{said}");
    assert!(said.contains("Divide by zero"), "{said}");
    let none = text() + &rule("price", "t.prices > 1", "red");
    let said = place.refused(&parse(&none), None, 38);
    assert!(said.starts_with("rule `price`: there is no column \"prices\" in t"), "{said}");
    let number = text() + &rule("price", "t.item_price_krw", "red");
    assert!(
        place.refused(&parse(&number), None, 38).contains("expected a condition that is true or false, found Float64")
    );
    let lane = text() + &rule("price", "true", "purple");
    assert!(place.refused(&parse(&lane), None, 38).contains("there is no lane `purple`"));

    let much = text() + "[[lanes.office]]\nid = \"10\"\nyellow = 10\nred = 20\nblue = 1\n";
    let said = place.refused(&parse(&much), None, 38);
    assert!(
        said.contains("office `10`, 2026-02-08: the quotas (yellow 10, red 20, blue 1) ask for 31 items, found 20"),
        "{said}"
    );
    let few = text() + "[[lanes.office]]\nid = \"10\"\nyellow = 0\nred = 3\nblue = 0\n" + &rule("all", "true", "red");
    assert!(place.refused(&parse(&few), None, 38).contains("rules ask for 20 items in the lane red, the quota is 3"));

    let sql = text().replace("t.duty_rate, t.item", "t.duty_rates, t.item");
    let said = place.refused(&parse(&sql), None, 38);
    assert!(
        said.starts_with("the sql of the definition fails on 2026-02-08: there is no column \"duty_rates\""),
        "{said}"
    );
    // Day 38 can still be decided.
    assert!(matches!(place.score(&definition(), None, 38).unwrap().outcome, Outcome::Scored { .. }));
}

/// A table that a user has made.
fn make_work_table(place: &Place) {
    let mut transaction = place.store.begin().unwrap();
    let column = MadeColumn { name: "n".to_owned(), data_type: "Int64".to_owned(), nullable: true };
    transaction.make("work", "later", vec![column]);
    transaction.record(NewOperation {
        kind: Kind::Append,
        schema: "work".to_owned(),
        table: "later".to_owned(),
        format: String::new(),
        inputs: Vec::new(),
        accepted: 0,
        rejected: 0,
        removed: 0,
    });
    transaction.commit().unwrap();
}

#[test]
fn a_definition_reads_nothing_that_was_not_known_on_the_day() {
    let place = Place::trained();
    make_work_table(&place);
    let tables = [
        ("work.later", "work.later"),
        ("'risk'.scores", "risk.scores"),
        ("risk . scores", "risk.scores"),
        ("haetae.risk.scores", "risk.scores"),
        ("'quality'.violations", "quality.violations"),
        ("meta.versions", "meta.versions"),
        ("rejects", "customs.rejects"),
        ("information_schema.tables", "information_schema.tables"),
        ("kcs.dim_importer", "kcs.dim_importer"),
    ];
    for (written, read) in tables {
        // In the file a rule stands between double quotes, the SQL between three of them.
        let quoted = written.replace('\'', "\"");
        let joined = format!("from today t cross join (select count(*) from {quoted}) x\nleft");
        let sql = text().replace("from today t\nleft", &joined);
        assert_ne!(sql, text());
        let said = place.refused(&parse(&sql), None, 38);
        let start = format!("the sql of the definition fails on 2026-02-08: it reads {read}, which may hold what was");
        assert!(said.starts_with(&start), "{said}");
        assert!(place.train(&parse(&sql)).unwrap_err().to_string().contains(&format!("it reads {read}, ")), "{read}");
        let escaped = written.replace('\'', "\\\"");
        let when = text() + &rule("look", &format!("(select count(*) from {escaped}) > 0"), "red");
        let said = place.refused(&parse(&when), None, 38);
        assert!(said.starts_with(&format!("rule `look`: it reads {read}, which may hold")), "{said}");
    }
    // A name is not what it reads.
    let alias = text() + &rule("look", "(select max(risk.item_no) from today risk) = 1", "yellow");
    place.score(&parse(&(alias + "advisory = true\n")), None, 38).unwrap();
}

#[test]
fn the_sql_gives_the_items_of_the_day_and_no_others() {
    let place = Place::trained();
    let left = "left join seen on seen.importer_id = t.importer_id";
    let inner = text().replace(left, "join seen on seen.importer_id = t.importer_id and seen.importer_id <> 'I05'");
    let declared = "select count(*) from fact_item where declaration_date = date '2026-02-08' and importer_id = 'I05'";
    let dropped = &place.ask(declared)[0][0];
    let said = place.refused(&parse(&inner), None, 38);
    let start =
        format!("the sql of the definition does not give the 60 items of 2026-02-08: {dropped} are left out and 0 are");
    assert!(dropped != "0" && said.starts_with(&start) && said.contains("`left join`"), "{said}");
    let none = parse(&inner.replace("<> 'I05'", "= 'nobody'"));
    assert!(place.refused(&none, None, 38).contains("60 are left out"));
    // Items of the day before, by the same columns.
    let before = "from (select * from past_item where declaration_date = {day} - interval '1 day') t\nleft";
    let other = text().replace("from today t\nleft", before);
    assert_ne!(other, text());
    let said = place.refused(&parse(&other), None, 38);
    assert!(said.contains("60 are left out and 60 are not of the day"), "{said}");
}

#[test]
fn nobody_promotes_no_model() {
    let place = Place::new();
    place.train(&definition()).unwrap();
    let nobody = haetae_scoring::By { who: " ".to_owned(), ..crate::place::by() };
    let promoting = haetae_scoring::promote(place.warehouse(), "import-1", &nobody);
    let said = place.runtime.block_on(promoting).unwrap_err().to_string();
    assert_eq!(said, "expected the name of who promotes the model import-1, found nothing");
}

#[test]
fn models_that_do_not_fit_are_refused() {
    let place = Place::trained();
    let said = place.refused(&definition(), Some("import-7"), 38);
    assert!(
        said.starts_with("there is no model `import-7` for the definition `import`: registered are import-1"),
        "{said}"
    );
    let kcs = parse(&text().replace("kind = ", "schema = \"kcs\"\nkind = "));
    let said = place.refused(&kcs, None, 38);
    assert!(said.contains("does not fit the definition: expected the schema kcs, found the schema customs"), "{said}");
    let fewer = parse(&text().replace("net_mass_kg = \"the mass\"\n", ""));
    let said = place.refused(&fewer, None, 38);
    assert!(
        said.contains("expected the features declarant_rate") && said.contains("train a model by this definition"),
        "{said}"
    );
    let other = parse(&COMPANIES.replace("name = \"companies\"", "name = \"import\""));
    assert!(place.refused(&other, None, 38).contains("expected a taxpayer model, found a clearance model"));

    let sum = &place.ask("select file_sha256 from risk.models")[0][0];
    let file = place.store.root().join("models").join(format!("{sum}.model"));
    let bytes = std::fs::read(&file).unwrap();
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&file, changed).unwrap();
    let said = place.refused(&definition(), None, 38);
    assert!(
        said.contains("the file of the model import-1 cannot be used") && said.contains("it was changed"),
        "{said}"
    );
    std::fs::remove_file(&file).unwrap();
    assert!(place.refused(&definition(), None, 38).contains("bring it back, or train the model again"));
    std::fs::write(&file, bytes).unwrap();
    place.score(&definition(), None, 38).unwrap();
}

#[test]
fn there_is_nothing_to_learn_before_results_are_known() {
    let place = Place::new();
    let train = |text: &str, day: u32| {
        let definition = parse(text);
        let by = crate::place::by();
        let done = haetae_scoring::train(place.warehouse(), &definition, crate::place::date(day), &by);
        place.runtime.block_on(done).unwrap_err().to_string()
    };
    let said = train(&text(), 4);
    assert!(said.starts_with("nothing to learn from: no item declared from"), "{said}");
    assert!(train(COMPANIES, 4).starts_with("nothing to learn from: of 0 companies"));
    assert!(place.ask("select * from risk.models").is_empty());
}
