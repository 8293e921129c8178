//! Past cases that are like an item, and models that are due.

use haetae_scoring::{Retrained, Similar, Which};

use crate::place::{COMPANIES, Place, by, date, definition, fraud, parse, text};

fn found(place: &Place, which: Which<'_>, most: usize) -> haetae_scoring::Result<Vec<Similar>> {
    let definition = definition();
    let looking = haetae_scoring::similar(place.warehouse(), &definition, None, (date(38), which), most);
    place.runtime.block_on(looking)
}

#[test]
fn the_nearest_past_cases_come_first_and_none_that_was_not_known() {
    let place = Place::trained();
    // An item from VN, of which there are some, and then those of other origins.
    let all = found(&place, Which::One("d3807", 1), 200).unwrap();
    let cases = &all[0].cases;
    // Delay 5: results up to day 32 are known before day 38.
    let expected = place.ask(
        "select count(*) from fact_item p join fact_inspection n on n.declaration_id = p.declaration_id and n.item_no = p.item_no \
         cross join (select hs6, origin_country from fact_item where declaration_id = 'd3807') t \
         where p.hs6 = t.hs6 and p.origin_country = t.origin_country and n.inspection_date <= date '2026-02-02'",
    );
    let alike = cases.iter().filter(|case| case.shared == "hs6 and origin").count();
    assert!(alike > 20, "{alike}");
    assert_eq!(expected, [[alike.to_string()]]);
    assert_eq!(cases.len(), 200);
    assert!(cases[alike..].iter().all(|case| case.shared == "hs6"));
    for part in [&cases[..alike], &cases[alike..]] {
        assert!(part.windows(2).all(|pair| pair[0].distance <= pair[1].distance));
        assert!(part[0].distance < part[part.len() - 1].distance);
    }
    for case in cases {
        let (day, n): (u32, u32) =
            (case.declaration_id[1..3].parse().unwrap(), case.declaration_id[3..].parse().unwrap());
        assert_eq!((case.day, case.inspection_date), (date(day), date(day + 2)));
        assert!(case.inspection_date <= date(32));
        assert_eq!(case.fraud, fraud(day, n), "{}", case.declaration_id);
    }
    let few = found(&place, Which::One("d3807", 1), 5).unwrap();
    assert_eq!(few[0].cases, cases[..5]);
    let none = found(&place, Which::One("d3707", 1), 5).unwrap_err().to_string();
    assert_eq!(none, "there is no item d3707/1 among those declared on 2026-02-08");
    let companies = parse(COMPANIES);
    let asked = haetae_scoring::similar(place.warehouse(), &companies, None, (date(38), Which::Laned), 3);
    let said = place.runtime.block_on(asked).unwrap_err().to_string();
    assert!(said.starts_with("the definition `companies` is about companies"), "{said}");
}

#[test]
fn cases_of_all_items_in_lanes_are_kept_once() {
    let place = Place::trained();
    let keep = || {
        let definition = definition();
        let keeping = haetae_scoring::keep_similar(place.warehouse(), &definition, None, date(38), 3);
        place.runtime.block_on(keeping).unwrap()
    };
    assert_eq!(keep().map(|(items, _)| items), Some(0), "nothing is in a lane yet");
    place.score(&definition(), None, 38).unwrap();
    assert_eq!(keep().map(|(items, _)| items), Some(21));
    let version = place.store.current_version().unwrap();
    assert_eq!(keep(), None);
    assert_eq!(place.store.current_version().unwrap(), version);
    let kept = "select count(*), count(distinct s.declaration_id), max(place) from risk.similar s \
                join risk.lanes l on l.declaration_id = s.declaration_id and l.version = s.version and l.office_id = s.office_id \
                where l.lane <> 'green'";
    assert_eq!(place.ask(kept), [["63", "21", "3"]]);
    let some =
        place.ask("select declaration_id, past_declaration_id, distance from risk.similar order by 1, place limit 3");
    let again = found(&place, Which::One(&some[0][0], 1), 3).unwrap();
    for (case, row) in again[0].cases.iter().zip(&some) {
        assert_eq!(case.declaration_id, row[1]);
        assert!((case.distance - row[2].parse::<f64>().unwrap()).abs() < 1e-12);
    }
}

#[test]
fn a_challenger_is_trained_once_in_a_period() {
    let place = Place::trained();
    let every = |days: u32, results: u32| {
        parse(&format!("{}\n[retrain]\nevery_days = {days}\nnew_results = {results}\n", text()))
    };
    let due = |definition: &haetae_scoring::Definition, day: u32| {
        place.runtime.block_on(haetae_scoring::retrain(place.warehouse(), definition, date(day), &by()))
    };
    let none = due(&definition(), 60).unwrap_err().to_string();
    assert!(none.contains("does not say when a new model is due"), "{none}");
    // Trained as of day 36.
    let four = every(4, 50);
    assert_eq!(four.version("import-1"), definition().version("import-1"));
    assert_eq!(due(&four, 39).unwrap(), Retrained::NotDue { model: "import-1".to_owned(), due: date(40) });
    let Retrained::Trained { as_of, trained } = due(&four, 42).unwrap() else { panic!("it is due") };
    assert_eq!((as_of, trained.model.as_str(), trained.repeated), (date(40), "import-2", false));
    let version = place.store.current_version().unwrap();
    assert_eq!(due(&four, 43).unwrap(), Retrained::NotDue { model: "import-2".to_owned(), due: date(44) });
    // 40 results a day, of days 35 to 38.
    let few = Retrained::TooFew { model: "import-2".to_owned(), results: 160, wanted: 161 };
    assert_eq!(due(&every(4, 161), 44).unwrap(), few);
    assert_eq!(place.store.current_version().unwrap(), version);
    let champion = "select model from risk.acts where act = 'promoted'";
    assert_eq!(place.ask(champion), [["import-1"]]);
    assert_eq!(place.ask("select as_of from risk.models order by 1"), [["2026-02-06"], ["2026-02-10"]]);
}
