//! Each check on a few rows of which one knows what is wrong with them.

use crate::place::{Place, item, options};

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

#[test]
fn whiskers_are_as_long_as_the_data_is_skewed() {
    let place = Place::new();
    // Prices of a kilogram with a long tail upwards: 1.0, 1.1, 1.3 … 31.6; quartiles 2.3 and 15.4, medcouple 0.52.
    let tail = (0..31).map(|n| 10f64.powf(f64::from(n) / 20.0));
    let price =
        |id: &str, price: f64| item(&[("declaration_id", id), ("item_price_krw", &format!("{}", price * 12.5))]);
    let mut rows: Vec<String> = tail.enumerate().map(|(n, value)| price(&format!("n{n:02}"), value)).collect();
    rows.extend([price("high", 40.0), price("higher", 400.0), price("low", 0.001)]);
    place.items(&rows);
    let boxed = |whisker: f64, factor: f64, min_group: u32| {
        let parameters = format!(
            "\"boxplot\"\nparameters = {{ value = \"t.item_price_krw / t.net_mass_kg\", groups = [[\"t.hs6\"]], \
             min_group = {min_group}, whisker = {whisker}, factor = {factor} }}"
        );
        rule("fact_item", "[\"item_price_krw\"]", &parameters)
    };
    // An even boxplot would end at 15.4 + 1.5 * 13.1 = 35 and call 40 far out; this one ends at 109.
    assert_eq!(place.broken(&boxed(1.5, 1.0, 20)), "higher/1");
    assert_eq!(place.broken(&boxed(0.1, 10.0, 20)), "higher/1 low/1");
    assert_eq!(place.broken(&boxed(1.5, 1.0, 100)), "", "the group is too small");
}

#[test]
fn first_digits_tell_who_makes_up_numbers() {
    let place = Place::new();
    let mut rows = Vec::new();
    for (importer, made_up) in [("GROWN", false), ("MADE-UP", true), ("FEW", true)] {
        for n in 0..if importer == "FEW" { 90 } else { 400 } {
            // Evenly spread logarithms obey the law; evenly spread numbers do not.
            let part = (f64::from(n) + 0.5) / 100.0;
            let price = if made_up { 1000.0 * (1.0 + 9.0 * part.fract()) } else { 1000.0 * 10f64.powf(part.fract()) };
            let (id, price) = (format!("{importer}-{n:03}"), format!("{price:.2}"));
            rows.push(item(&[("declaration_id", &id), ("importer_id", importer), ("item_price_krw", &price)]));
        }
    }
    place.items(&rows);
    let law = |parameters: &str| {
        let parameters = format!(
            "\"benford\"\nparameters = {{ value = \"t.item_price_krw\", group = [\"t.importer_id\"], {parameters} }}"
        );
        rule("fact_item", "[\"importer_id\", \"item_price_krw\"]", &parameters)
    };
    assert_eq!(place.broken(&law("min_group = 200")), "MADE-UP");
    assert_eq!(place.broken(&law("digits = 2, min_group = 200")), "MADE-UP");
    assert_eq!(place.broken(&law("mad = 0.2, min_group = 200")), "", "within the bound");
    let office = law("min_group = 200").replace("t.importer_id", "t.office_id");
    assert_eq!(place.broken(&office), "40", "a group is what the rule says");
    let kept = place.ask(
        "select row_key, declaration_id, item_no, found from quality.violations where row_key = 'MADE-UP' order by run_id limit 1",
    );
    // The shares of 1 to 9 are a ninth each: the mean of |1/9 - log10(1 + 1/d)| is 0.0596.
    let found = "first digits of t.item_price_krw in 400 rows: MAD 0.0";
    assert!(kept[0][3].starts_with(found) && kept[0][1..3] == ["", ""], "{kept:?}");
    // Numbers that begin with a power of ten, where logarithms are rounded.
    let tens: Vec<String> = (0..150)
        .map(|n| {
            item(&[("declaration_id", &format!("t{n}")), ("item_price_krw", &format!("1{}", "0".repeat(2 + n % 9)))])
        })
        .collect();
    place.replace_items(&tens);
    let all_ones = law("mad = 0.154, min_group = 100").replace("t.importer_id", "1");
    assert_eq!(place.broken(&all_ones), "1", "1 leads in all of them: MAD 2 * (1 - 0.301) / 9 = 0.155");
    // Fractions, which are no sums of halves. Were the digits 2 and 11, the MADs would be 0.183 and 0.02138.
    let fraction = |number: &str, parameters: &str| {
        law(&format!("{parameters}, min_group = 100")).replace("t.item_price_krw", number).replace("t.importer_id", "1")
    };
    assert_eq!(place.broken(&fraction("0.3", "mad = 0.19")), "1", "MAD 2 * (1 - log10(4 / 3)) / 9 = 0.194");
    assert_eq!(
        place.broken(&fraction("1.2", "digits = 2, mad = 0.0214")),
        "1",
        "MAD 2 * (1 - log10(13 / 12)) / 90 = 0.02145"
    );
}

#[test]
fn reports_of_partners_are_compared_with_what_was_declared() {
    let place = Place::new();
    let line = |id: &str, date: &str, price: &str, from: &str| {
        item(&[
            ("declaration_id", id),
            ("declaration_date", date),
            ("item_price_krw", price),
            ("departure_country", from),
        ])
    };
    place.items(&[
        line("a", "2026-01-31", "100", "CN"),
        line("b", "2026-02-01", "300", "CN"),
        // By way of another country: the partner has sent it there.
        line("c", "2026-01-15", "900", "HK"),
        line("d", "2026-04-10", "1000", "CN"),
    ]);
    place.load(
        "fact_partner_export",
        "partner_country,hs6,export_month,fob_value_krw,net_mass_kg\n\
         CN,010129,2025-12-01,50,1\nCN,010129,2026-01-01,900,1\nCN,010129,2026-02-01,500,1\nCN,010129,2026-03-01,900,1\n\
         DE,010129,2026-01-01,40,1\nCN,010121,2026-01-01,7000,1\n",
    );
    let mirror = |months: u32, least: u32| {
        rule(
            "fact_partner_export",
            "[\"fob_value_krw\"]",
            &format!(
                "\"mirror\"\nparameters.table = \"fact_item\"\nparameters.value = \"t.fob_value_krw\"\n\
                 parameters.month = \"t.export_month\"\nparameters.declared = \"r.item_price_krw\"\n\
                 parameters.declared_on = \"r.declaration_date\"\n\
                 parameters.declared_when = \"r.departure_country = r.origin_country\"\n\
                 parameters.pairs = [[\"t.partner_country\", \"r.origin_country\"], [\"t.hs6\", \"r.hs6\"]]\n\
                 parameters.months_after = {months}\nparameters.factor = 2\nparameters.at_least = {least}"
            ),
        )
    };
    assert_eq!(place.broken(&mirror(1, 100)), "CN/010121/2026-01-01 CN/010129/2026-01-01");
    assert_eq!(place.broken(&mirror(1, 0)), "CN/010121/2026-01-01 CN/010129/2026-01-01 DE/010129/2026-01-01");
    assert_eq!(place.broken(&mirror(0, 1000)), "CN/010121/2026-01-01");
    assert_eq!(place.broken(&mirror(0, 850)), "CN/010121/2026-01-01 CN/010129/2026-03-01");
    let found = place.ask("select found from quality.violations where row_key = 'CN/010129/2026-01-01' limit 1");
    assert_eq!(found, [["fob_value_krw = 900.0, declared 400.0"]]);
    // A month is judged when the last day that counts has been declared, whenever the report came.
    let columns = "partner_country,hs6,export_month,fob_value_krw,net_mass_kg";
    place.load("fact_partner_export", &format!("{columns}\nCN,010121,2026-03-01,5000,1\n"));
    let version = place.store.current_version().unwrap();
    let before = "CN/010121/2026-01-01 CN/010129/2026-01-01";
    assert_eq!(place.broken(&mirror(1, 100)), before);
    place.items(&[line("e", "2026-04-29", "1", "CN")]);
    assert_eq!(place.broken(&mirror(1, 100)), before);
    place.items(&[line("f", "2026-04-30", "1", "CN")]);
    let after = "CN/010121/2026-01-01 CN/010121/2026-03-01 CN/010129/2026-01-01";
    assert_eq!(place.broken(&mirror(1, 100)), after);
    let rules = haetae_quality::rules::parse([("rules.toml", mirror(1, 100).as_str())]).unwrap();
    let added = haetae_quality::Options { since: Some(version), ..options() };
    let outcome = place.run(&rules, &added).unwrap().outcomes.remove(0);
    assert_eq!((outcome.checked, outcome.violations), (7, 3), "all months, also where only added rows are judged");
}
