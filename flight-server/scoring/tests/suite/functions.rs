//! Functions of scores and of models, in SQL.

use std::sync::Arc;

use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use haetae_scoring::{Definition, Served};
use haetae_warehouse::query::{Engine, EngineOptions};

use crate::place::{COMPANIES, Place, by, date, definition, parse, text};

/// Answers statements that call functions.
struct Asked {
    place: Place,
    engine: Engine,
}

impl Asked {
    fn of(place: Place) -> Self {
        let engine = Engine::new(place.store.clone(), &EngineOptions::default()).unwrap();
        let engine = engine.with_models(Arc::new(Served::new(place.store.clone())));
        Self { place, engine }
    }

    fn try_ask(&self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        self.place.runtime.block_on(async {
            let snapshot = self.engine.current().unwrap();
            let statement = snapshot.statement(sql).await.map_err(|error| error.to_string())?;
            let stream = statement.execute(None).await.map_err(|error| error.to_string())?;
            let batches: Vec<_> = stream.try_collect().await.map_err(|error| error.to_string())?;
            let row = |batch: &arrow::array::RecordBatch, row: usize| -> Vec<String> {
                batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap()).collect()
            };
            Ok(batches
                .iter()
                .flat_map(|batch| (0..batch.num_rows()).map(|n| row(batch, n)).collect::<Vec<_>>())
                .collect())
        })
    }

    fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        self.try_ask(sql).unwrap()
    }

    fn refused(&self, sql: &str) -> String {
        self.try_ask(sql).unwrap_err()
    }
}

/// The features of a day, as the service makes them: results that are known five days and one before it.
fn features(definition: &Definition, day: u32) -> String {
    format!(
        "with today as (select * from fact_item where declaration_date = date '{0}'), \
         past_item as (select * from fact_item where declaration_date < date '{0}'), \
         past_inspection as (select * from fact_inspection where inspection_date <= date '{1}'), \
         past_finding as (select i.*, p.inspection_date, p.fraud, p.fraud_class, p.additional_duty_krw from past_inspection p \
         join past_item i on i.declaration_id = p.declaration_id and i.item_no = p.item_no), f as ({2})",
        date(day),
        date(day - 6),
        definition.sql
    )
}

fn given<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("'{name}', f.{name}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn sql_has_what_the_champion_said_and_says_of_features() {
    let place = Place::trained();
    place.score(&definition(), None, 38).unwrap();
    let asked = Asked::of(place);
    let kept = "select count(*), sum(case when said = probability and v = version then 1 else 0 end) from \
                (select s.*, risk_score(declaration_id, item_no) as said, RISK_SCORE_VERSION(s.declaration_id, s.item_no) as v \
                from risk.scores s)";
    assert_eq!(asked.ask(kept), [["60", "60"]]);
    let alone = "select risk_score('d3801', 1) > 0, risk_score('d0001', 1) is null, risk_score(null, 1) is null, \
                 risk_score('d3801', 1, 'import') = risk_score('d3801', 1), risk_model_version()";
    assert_eq!(asked.ask(alone), [["true", "true", "true", "true", "import-1"]]);
    let names: Vec<String> = definition().features.into_keys().collect();
    let nulls = names.iter().map(|name| format!("'{name}', null")).collect::<Vec<_>>().join(", ");
    let known = nulls.replace("'duty_rate', null", "'duty_rate', duty_rate");
    let plan = asked.ask(&format!("explain select risk_score_of(named_struct({known})) from fact_item"));
    assert!(plan[0][1].contains("risk_score_of import-1("), "{plan:?}");
    let applied = format!(
        "{} select count(*), max(abs(said - probability)) < 1e-9 from (select s.probability, \
         risk_score_of(named_struct({})) as said from f join risk.scores s on s.declaration_id = f.declaration_id \
         and s.item_no = f.item_no)",
        features(&definition(), 38),
        given(&names)
    );
    assert_eq!(asked.ask(&applied), [["60", "true"]]);
    // A row without features has no score; one whose features are not known has one.
    let missing = format!(
        "select risk_score_of(s) is null, risk_score_of(named_struct({nulls})) > 0 from \
         (select case when item_no = 0 then named_struct({nulls}) end as s from fact_item limit 1)"
    );
    assert_eq!(asked.ask(&missing), [["true", "true"]]);
    // The statement may be one that changes rows, or have parameters.
    let same = "select risk_score_2 = risk_score from (select risk_score('d3801', 1), risk_score('d3801', 1))";
    assert_eq!(asked.ask(same), [["true"]]);
}

#[test]
fn what_is_quoted_stays_what_it_is_beside_a_call() {
    let place = Place::trained();
    place.score(&definition(), None, 38).unwrap();
    let asked = Asked::of(place);
    // Two quotes that are meant, and one behind a backslash, which does not escape it.
    assert_eq!(
        asked.ask(r"select 'a''''b', '\'' or true --', upper('c''''d' || risk_model_version())"),
        [["a''b", r"\' or true --", "C''DIMPORT-1"]]
    );
    let named = r#"select "x""""y" from (select risk_model_version() as "x""""y")"#;
    assert_eq!(asked.ask(named), [["import-1"]]);
    let explained = asked.ask("explain select 'a''''b', risk_model_version()");
    assert!(explained[0][1].contains("a''b"), "{explained:?}");
    let none = r"where declaration_id = '\'' or true --' and risk_score(declaration_id, item_no) > 0";
    assert_eq!(asked.ask(&format!("select count(*) from fact_item {none}")), [["0"]]);
    // The same within a call.
    let within = r"select risk_score('d3801''''', 1) is null, risk_score('\'' or true --', 1) is null";
    assert_eq!(asked.ask(within), [["true", "true"]]);
    let unknown = asked.refused("select risk_score_of(named_struct('a''''b', 1))");
    assert!(unknown.contains("has no feature \"a''b\""), "{unknown}");
    // A column that is called as the rewriting calls an argument is the user's.
    let own = "select risk_score(risk__argument_1, risk__argument_0) > 0 from \
               (select 1 as risk__argument_0, 'd3801' as risk__argument_1)";
    assert_eq!(asked.ask(own), [["true"]]);
    // And in statements that change rows.
    let changed = |sql: &str| {
        asked.place.runtime.block_on(async {
            let update = asked.engine.current().unwrap().update(sql).await.unwrap();
            let rows: Vec<_> = update.rows(None).await.unwrap().try_collect().await.unwrap();
            rows.into_iter().filter(|batch| batch.num_rows() > 0).collect::<Vec<_>>()
        })
    };
    let none = r"where declaration_id = '\'' or true --' and risk_model_version() = 'import-1'";
    assert!(changed(&format!("delete from fact_item {none}")).is_empty());
    assert!(changed(&format!("update fact_item set origin_country = 'XX' {none}")).is_empty());
    let rows = changed(
        "update fact_item set seller_id = 'a''''b' where declaration_id = 'd3801' and risk_model_version() = 'import-1'",
    );
    let [row] = rows.as_slice() else { panic!("one batch: {rows:?}") };
    assert_eq!(array_value_to_string(row.column_by_name("seller_id").unwrap(), 0).unwrap(), "a''b");
}

#[test]
fn the_score_is_that_of_the_champion_of_the_day() {
    let place = Place::trained();
    let other = parse(&text().replace("trees = 40", "trees = 5"));
    place.train(&other).unwrap();
    // Both score day 37; the challenger becomes the champion, and scores day 38.
    place.score(&definition(), None, 37).unwrap();
    place.score(&other, Some("import-2"), 37).unwrap();
    let asked = Asked::of(place);
    let said =
        "select distinct s.day, risk_score_version(s.declaration_id, s.item_no) as v from risk.scores s order by 1, 2";
    let (first, second) = (definition().version("import-1"), other.version("import-2"));
    assert_eq!(asked.ask(said), [["2026-02-07", first.as_str()]]);
    asked.place.promote("import-2").unwrap();
    asked.place.score(&other, None, 38).unwrap();
    assert_eq!(asked.ask(said), [["2026-02-07", first.as_str()], ["2026-02-08", second.as_str()]]);
    // A second champion of one day is the one that decided last.
    asked.place.score(&definition(), Some("import-1"), 38).unwrap();
    asked.place.promote("import-1").unwrap();
    let third = parse(&text().replace("seed = 7\n\n[[rule]]", "seed = 8\n\n[[rule]]"));
    assert_ne!(third.version("import-1"), first);
    asked.place.score(&third, None, 38).unwrap();
    assert_eq!(asked.ask(said)[1], ["2026-02-08", third.version("import-1").as_str()]);
}

#[test]
fn what_a_function_cannot_say_is_named() {
    let place = Place::new();
    let asked = Asked::of(place);
    let none = "risk_score: there is no promoted clearance model; `haetae-server model promote` makes one the champion";
    assert_eq!(asked.refused("select risk_score('d3801', 1)"), none);
    asked.place.train(&definition()).unwrap();
    assert_eq!(asked.refused("select risk_score('d3801', 1)"), none);
    let said = asked.refused("select risk_score('d3801', 1, 'import')");
    assert!(said.starts_with("risk_score: there is no promoted model for the definition import; "), "{said}");
    asked.place.promote("import-1").unwrap();
    let other = text().replace("name = \"import\"", "name = \"second\"");
    asked.place.train(&parse(&other)).unwrap();
    asked.place.promote("second-1").unwrap();
    let names: Vec<String> = definition().features.into_keys().collect();
    let nulls = |names: &[String]| names.iter().map(|name| format!("'{name}', null")).collect::<Vec<_>>().join(", ");
    let of = |arguments: &str, last: &str| format!("select risk_score_of(named_struct({arguments}){last})");
    let cases = [
        ("select risk_score('d3801', 1)".to_owned(), "there are champions of the definitions import, second; name one"),
        (
            "select risk_score('d3801', 1, 'imports')".to_owned(),
            "there is no definition imports with a promoted model. Did you mean import?",
        ),
        (
            "select risk_score('d3801', 1, 'import-1')".to_owned(),
            "import-1 is a model; name its definition, which is 'import'",
        ),
        (
            "select taxpayer_grade('I01', 'import')".to_owned(),
            "expected a taxpayer definition, found import, which is of kind clearance",
        ),
        (
            "select taxpayer_score_of(named_struct('a', 1), 'import-1')".to_owned(),
            "expected a taxpayer model, found import-1",
        ),
        (
            "select risk_score('d3801')".to_owned(),
            "expected risk_score(declaration_id, item_no), with the name of a definition",
        ),
        ("select risk_score(declaration_id, item_no, office_id) from fact_item".to_owned(), "expected risk_score("),
        (of(&nulls(&names[1..]), ", 'import'"), "the model import-1 needs declarant_rate too"),
        (
            of(&(nulls(&names) + ", 'duty_rat', 0.1"), ", 'import'"),
            "the model import-1 has no feature \"duty_rat\". Did you mean duty_rate?",
        ),
        (
            "select risk_score_of(0.3, 'second')".to_owned(),
            "expected the features of the model second-1 by their names",
        ),
        (
            of(&nulls(&names).replace("'duty_rate', null", "'duty_rate', 'high'"), ", 'import'"),
            "the feature duty_rate: expected numbers",
        ),
        (
            "select max(risk_score(declaration_id, item_no, 'import')) from fact_item".to_owned(),
            "select it in an inner query",
        ),
        (
            "select 1 from fact_item order by risk_score(declaration_id, item_no, 'import')".to_owned(),
            "select it in an inner query",
        ),
    ];
    for (sql, part) in cases {
        let said = asked.refused(&sql);
        assert!(said.contains(part), "{sql}: expected {part}, found {said}");
    }
    // What only looks like a call is none.
    assert_eq!(asked.ask("select 'risk_score(1)', 2 as risk_score"), [["risk_score(1)", "2"]]);
    // A file is read once; who has not read it yet is told.
    assert!(asked.try_ask(&of(&nulls(&names), ", 'import'")).is_ok());
    for one in asked.ask("select file_sha256 from risk.models") {
        let _ = std::fs::remove_file(asked.place.store.root().join("models").join(format!("{}.model", one[0])));
    }
    assert!(asked.try_ask(&of(&nulls(&names), ", 'import'")).is_ok());
    let fresh = asked.engine.store().clone();
    let engine =
        Engine::new(fresh.clone(), &EngineOptions::default()).unwrap().with_models(Arc::new(Served::new(fresh)));
    let lost = Asked { engine, ..asked }.refused(&of(&nulls(&names), ", 'import'"));
    assert_eq!(lost, "the file of the model import-1 cannot be used; ask whoever runs the server");
}

#[test]
fn companies_have_functions_too() {
    let place = Place::new();
    let text = COMPANIES
        .replace("days = 120\ndelay_days = 14", "days = 20\ndelay_days = 5")
        .replace("t.declarants > 5", "t.lines > 20");
    let definition = parse(&text);
    place.runtime.block_on(haetae_scoring::train(place.warehouse(), &definition, date(40), &by())).unwrap();
    place.promote("companies-1").unwrap();
    place.score(&definition, None, 40).unwrap();
    place.score(&definition, None, 41).unwrap();
    let asked = Asked::of(place);
    let kept = "select count(*), sum(case when a = score and b = grade then 1 else 0 end) from (select t.*, \
                taxpayer_score(importer_id) as a, taxpayer_grade(importer_id) as b from risk.taxpayer_scores t) \
                where day = date '2026-02-11'";
    assert_eq!(asked.ask(kept), [["40", "40"]]);
    let names: Vec<String> = definition.features.keys().cloned().collect();
    let all = format!("{}, 'changes its declarants', f.lines > 20", given(&names));
    let applied = format!(
        "{} select count(*), sum(case when a = score and b = grade then 1 else 0 end) from (select t.score, t.grade, \
         taxpayer_score_of(named_struct({all})) as a, taxpayer_grade_of(named_struct({all})) as b \
         from f join risk.taxpayer_scores t on t.importer_id = f.importer_id and t.day = date '2026-02-11')",
        features(&definition, 41)
    );
    assert_eq!(asked.ask(&applied), [["40", "40"]]);
    let few = asked.refused(&format!(
        "{} select taxpayer_score_of(named_struct({})) from f",
        features(&definition, 41),
        given(&names)
    ));
    assert!(few.contains("the model companies-1 needs changes its declarants too"), "{few}");
}
