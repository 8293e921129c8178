//! Scores and grades of companies.

use haetae_scoring::Outcome;

use crate::place::{COMPANIES, Place, by, date, parse};

fn text() -> String {
    COMPANIES
        .replace("days = 120\ndelay_days = 14", "days = 20\ndelay_days = 5")
        .replace("t.declarants > 5", "t.lines > 20")
}

#[test]
fn companies_get_a_score_a_grade_and_reasons_that_add_up() {
    let place = Place::new();
    let definition = parse(&text());
    let by = by();
    let training = haetae_scoring::train(place.warehouse(), &definition, date(40), &by);
    let done = place.runtime.block_on(training).unwrap();
    assert_eq!((done.model.as_str(), done.rows), ("companies-1", 40));
    place.promote("companies-1").unwrap();
    let scored = place.score(&definition, None, 41).unwrap();
    assert!(matches!(scored.outcome, Outcome::Scored { items: 40, head: None, .. }), "{scored:?}");
    let sums = "select count(*), count(distinct importer_id), \
                sum(case when score = base_points + card_points + factor_points + limit_points then 1 else 0 end), \
                min(grade) >= '01' and max(grade) <= '10', min(score) >= 0 and max(score) <= 1000 from risk.taxpayer_scores";
    assert_eq!(place.ask(sums), [["40", "40", "40", "true", "true"]]);
    let suspects = "select avg(case when importer_id < 'I06' then score end) > avg(case when importer_id >= 'I06' then score end) \
                    from risk.taxpayer_scores";
    assert_eq!(place.ask(suspects), [["true"]]);
    let words = place.ask("select reason_1 from risk.taxpayer_scores where importer_id = 'I01'");
    assert!(!words[0][0].is_empty(), "{words:?}");
    let again = place.score(&definition, None, 41).unwrap();
    assert!(matches!(again.outcome, Outcome::Before { .. }));
    let other = parse(&text().replace("points = 15", "points = 40"));
    assert!(
        place
            .refused(&other, None, 42)
            .contains("does not fit the definition: expected the features, factors and seed")
    );
    assert_eq!(place.ask("select items, last_record from risk.runs"), [["40", "0"]]);
}
