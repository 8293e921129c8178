//! Each check on a few rows of which one knows what is wrong with them.

use crate::place::{Place, item};

fn rule(dataset: &str, columns: &str, check: &str) -> String {
    format!(
        "dataset = \"{dataset}\"\n[[rule]]\nid = \"r\"\nfamily = \"validity\"\ncolumns = {columns}\nsays = \"It is so.\"\n\
         check = {check}\n"
    )
}

fn lines(changes: &[(&str, &[(&str, &str)])]) -> Vec<String> {
    let line = |(id, changes): &(&str, &[(&str, &str)])| {
        let all: Vec<(&str, &str)> = changes.iter().copied().chain([("declaration_id", *id)]).collect();
        item(&all)
    };
    changes.iter().map(line).collect()
}

#[test]
fn checks_of_one_row() {
    let place = Place::new();
    place.load("dim_hs", "hs6,hs2,hs4,description,unit\n010129,01,0101,Horses,U\n");
    place.items(&lines(&[
        ("good", &[]),
        ("no_quantity", &[("quantity", "")]),
        ("no_unit", &[("quantity_unit", "")]),
        ("blank", &[("quantity_unit", "  ")]),
        ("code", &[("import_type", "77")]),
        ("hs", &[("hs6", "999999")]),
        ("free", &[("item_price_krw", "0")]),
        ("dear", &[("item_price_krw", "5000000")]),
    ]));
    let cases = [
        (rule("fact_item", "[\"quantity\"]", "\"not_null\""), "no_quantity/1"),
        (rule("fact_item", "[\"quantity_unit\"]", "\"not_null\""), "blank/1 no_unit/1"),
        (rule("fact_item", "[\"quantity\", \"quantity_unit\"]", "\"not_null\""), "blank/1 no_quantity/1 no_unit/1"),
        (rule("fact_item", "[\"import_type\"]", "\"code_list\""), "code/1"),
        (rule("fact_item", "[\"quantity_unit\"]", "\"code_list\""), "blank/1"),
        (
            rule("fact_item", "[\"hs6\"]", "\"reference\"\nparameters = { table = \"dim_hs\", column = \"hs6\" }"),
            "hs/1",
        ),
        (
            rule("fact_item", "[\"item_price_krw\"]", "\"range\"\nparameters = { above = 0, max = 4999999 }"),
            "dear/1 free/1",
        ),
        (rule("fact_item", "[\"item_price_krw\"]", "\"range\"\nparameters = { min = 0 }"), ""),
        (rule("fact_item", "[\"hs6\"]", "\"matches\"\nparameters = { pattern = \"^01\" }"), "hs/1"),
        (
            rule(
                "fact_item",
                "[\"hs6\"]",
                "\"lookup\"\nparameters = { table = \"dim_hs\", on = \"r.hs2 = substr(t.hs6, 1, 2)\" }",
            ),
            "hs/1",
        ),
        (
            rule(
                "fact_item",
                "[\"quantity\"]",
                "\"sql\"\nparameters = { expect = \"t.quantity = 4\" }\nwhen = \"t.item_price_krw = 0\"",
            ),
            "free/1",
        ),
        // A null is not wrong: that is what not_null is for.
        (rule("fact_item", "[\"quantity\"]", "\"sql\"\nparameters = { expect = \"t.quantity = 3\" }"), ""),
    ];
    for (rule, expected) in cases {
        assert_eq!(place.broken(&rule), expected, "{rule}");
    }
}

#[test]
fn check_digits() {
    let place = Place::new();
    // Right ones from the public: ISO 6346's own example, ships, companies that print their number.
    let right = [
        ("iso6346", "CSQU3054383"),
        ("iso6346", "csqu 305438-3"),
        ("imo", "IMO 9074729"),
        ("imo", "9074729"),
        ("kr_business_number", "124-81-00998"),
        ("kr_business_number", "2208162517"),
    ];
    let wrong = [
        ("iso6346", "CSQU3054384"),
        ("iso6346", "CSQX3054383"),
        ("iso6346", "한글QU3054383"),
        ("imo", "9074728"),
        ("imo", "90747290"),
        ("kr_business_number", "124-81-00997"),
        ("kr_business_number", "124810099"),
        ("kr_business_number", "12481O0998"),
    ];
    let rows = right.iter().chain(&wrong).enumerate().map(|(n, (_, text))| format!("C{n:02},{text}"));
    place.load("dim_courier", &format!("courier_id,name\n{}\nC99,\n", rows.collect::<Vec<_>>().join("\n")));
    for scheme in ["iso6346", "imo", "kr_business_number"] {
        let of = |list: &[(&str, &str)], first: usize| -> Vec<String> {
            let named = list.iter().enumerate().filter(|(_, (name, _))| *name == scheme);
            named.map(|(n, _)| format!("C{:02}", first + n)).collect()
        };
        let keys = [of(&right, 0), of(&wrong, right.len())].concat();
        let chosen = keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ");
        let rule = rule(
            "dim_courier",
            "[\"name\"]",
            &format!(
                "\"check_digit\"\nparameters = {{ scheme = \"{scheme}\" }}\nwhen = \"t.courier_id in ({chosen}, 'C99')\""
            ),
        );
        assert_eq!(place.broken(&rule), of(&wrong, right.len()).join(" "), "{scheme}");
    }
}

#[test]
fn checks_that_compare_rows() {
    let place = Place::new();
    let twin = ("item_price_krw", "7777");
    place.items(&lines(&[
        ("a", &[]),
        ("b", &[twin]),
        ("c", &[twin, ("declaration_date", "2026-03-04")]),
        ("d", &[twin, ("declaration_date", "2026-03-09")]),
        ("e", &[twin, ("importer_id", "I2")]),
    ]));
    let unique = rule("fact_item", "[\"importer_id\", \"item_price_krw\"]", "\"unique\"");
    assert_eq!(place.broken(&unique), "b/1 c/1 d/1");
    let near = |days: u32| {
        let parameters =
            format!("\"near_duplicate\"\nparameters = {{ date = \"declaration_date\", within_days = {days} }}");
        rule("fact_item", "[\"importer_id\", \"item_price_krw\"]", &parameters)
    };
    assert_eq!(place.broken(&near(3)), "c/1");
    assert_eq!(place.broken(&near(5)), "c/1 d/1");
    assert_eq!(place.broken(&near(0)), "");
}

#[test]
fn outliers_are_far_from_the_first_group_that_is_large_enough() {
    let place = Place::new();
    let mut rows = Vec::new();
    // Two goods whose usual prices differ by a thousand, 12 rows each, within ten percent.
    for n in 0..12 {
        let near = 1.0 + 0.01 * f64::from(n % 7 - 3);
        for (hs6, middle) in [("010129", 100.0), ("010121", 100_000.0)] {
            let price = format!("{}", middle * near * 12.5);
            rows.push(item(&[("declaration_id", &format!("{hs6}-{n:02}")), ("hs6", hs6), ("item_price_krw", &price)]));
        }
    }
    let lone = [("declaration_id", "lone"), ("hs6", "020110"), ("item_price_krw", "1")];
    rows.push(item(&lone));
    rows.push(item(&[("declaration_id", "slip"), ("item_price_krw", "125000")]));
    rows.push(item(&[("declaration_id", "tenth"), ("hs6", "010121"), ("item_price_krw", "125000")]));
    rows.push(item(&[("declaration_id", "free"), ("item_price_krw", "0")]));
    place.items(&rows);
    let far = |factor: f64, groups: &str| {
        let parameters = format!(
            "\"outlier\"\nparameters = {{ value = \"t.item_price_krw / t.net_mass_kg\", groups = {groups}, min_group = 8, \
             cutoff = 5, factor = {factor} }}"
        );
        rule("fact_item", "[\"item_price_krw\"]", &parameters)
    };
    // The group of the lone row is too small, and nothing coarser is given: it is not judged.
    assert_eq!(place.broken(&far(20.0, "[[\"t.hs6\"]]")), "slip/1");
    assert_eq!(place.broken(&far(5.0, "[[\"t.hs6\"]]")), "slip/1 tenth/1");
    assert_eq!(place.broken(&far(200.0, "[[\"t.hs6\"]]")), "");
    // Beside all goods it is judged, and its price is like none of theirs.
    let with_all = far(5.0, "[[\"t.hs6\"], [\"1\"]]");
    assert!(["slip/1 tenth/1", "lone/1 slip/1 tenth/1"].contains(&place.broken(&with_all).as_str()));
}

#[test]
fn vague_texts() {
    let place = Place::new();
    place.load(
        "dim_courier",
        "courier_id,name\nA,Fast Couriers\nB, N/A \nC,Unknown\nD,---\nE,x\nF,느린 택배\nG,ЭКСПРЕСС\nH,12345\nI,\n",
    );
    let rule = rule(
        "dim_courier",
        "[\"name\"]",
        "\"vague\"\nparameters = { terms = [\"N/A\", \"unknown\"], min_letters = 2 }",
    );
    assert_eq!(place.broken(&rule), "B C D E H");
}
