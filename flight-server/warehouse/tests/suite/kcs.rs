//! Declarations of the Korea Customs Service: the files' 22 columns become the warehouse's tables.

use std::path::PathBuf;

use haetae_warehouse::ingest::Format;

use crate::files::{KCS_LINES, Place, kcs};

#[test]
fn a_line_becomes_item_finding_and_dimensions() {
    let place = Place::new();
    let done = place.load_as("kcs", &Format::Kcs, &place.file("kcs.csv", kcs(&KCS_LINES))).unwrap();
    assert_eq!((done.accepted, done.rejected), (3, 0));

    let items = place.ask(
        "select declaration_id, item_no, declaration_date, hs6, hs10, duty_rate, seller_id, courier_id, net_mass_kg, \
         item_price_krw from kcs.fact_item order by declaration_id desc",
    );
    let expected = [
        ["97061800", "1", "2020-01-01", "440890", "", "0.0", "0VKY2BR", "", "108.0", "372254.4"],
        ["85945189", "1", "2020-01-01", "010129", "", "0.08", "8WDKMC6", "", "11352.0", "375751.2"],
        ["77770316", "1", "2020-01-02", "620822", "", "0.104", "", "OVKY2B", "351.0", "140461.3"],
    ];
    assert_eq!(items, expected);
    let findings = place.ask("select declaration_id, inspection_date, fraud, fraud_class, additional_duty_krw from kcs.fact_inspection order by 1");
    let expected = [
        ["77770316", "2020-01-02", "true", "2", ""],
        ["85945189", "2020-01-01", "true", "1", ""],
        ["97061800", "2020-01-01", "false", "0", ""],
    ];
    assert_eq!(findings, expected);
    assert_eq!(place.ask("select declarant_id from kcs.dim_declarant order by 1"), [["SWF9S4X"], ["ZZR1LT6"]]);
    assert_eq!(place.ask("select country_code from kcs.dim_country order by 1"), [["BE"], ["CN"], ["DE"]]);
    assert_eq!(place.ask("select hs6, hs4, hs2 from kcs.dim_hs where hs6 = '010129'"), [["010129", "0101", "01"]]);
    assert_eq!(place.ask("select count(*) from customs.fact_item"), [["0"]]);
}

#[test]
fn dimensions_are_filled_once() {
    let place = Place::new();
    place.load_as("kcs", &Format::Kcs, &place.file("one.csv", kcs(&KCS_LINES[..2]))).unwrap();
    let done = place.load_as("kcs", &Format::Kcs, &place.file("two.csv", kcs(&KCS_LINES[2..]))).unwrap();
    let added = |table: &str| done.tables.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows);
    assert_eq!(added("dim_declarant"), None);
    assert_eq!(added("dim_importer"), Some(1));
    assert_eq!(place.ask("select count(*), count(distinct importer_id) from kcs.dim_importer"), [["3", "3"]]);
}

#[test]
fn bad_declarations_are_refused_under_the_names_of_the_file() {
    let place = Place::new();
    let bad = [
        KCS_LINES[0].to_owned(),
        KCS_LINES[1].replace("2020-01-01", "01.01.2020"),
        KCS_LINES[1].replace("11352.0", "-11352.0"),
        KCS_LINES[0].replace("QLRUBN9", "OTHER"),
        KCS_LINES[2].replace(",1,2", ",1,3"),
        KCS_LINES[2].replace("10.4", "-10.4"),
    ];
    let lines: Vec<&str> = bad.iter().map(String::as_str).collect();
    let done = place.load_as("kcs", &Format::Kcs, &place.file("kcs.csv", kcs(&lines))).unwrap();
    assert_eq!((done.accepted, done.rejected), (1, 5));
    let expected = [
        ["3", "Date", "\"01.01.2020\" is not a date; expected YYYY-MM-DD"],
        ["4", "Net Mass", "-11352 is negative; expected 0 or more"],
        [
            "5",
            "Declaration ID",
            "duplicate key declaration_id \"97061800\", item_no 1: an earlier row of this load has it",
        ],
        ["6", "Critical Fraud", "3 is not among the codes 0, 1, 2"],
        ["7", "Tax Rate", "-10.4 is negative; expected 0 or more"],
    ];
    assert_eq!(place.ask("select line_number, column_name, reason from kcs.rejects order by 1"), expected);
    assert_eq!(place.ask("select count(*) from kcs.dim_importer"), [["1"]]);
}

#[test]
fn the_published_files_are_read_whole() {
    let Some(folder) = std::env::var_os("HAETAE_KCS_DIR").map(PathBuf::from) else {
        eprintln!("HAETAE_KCS_DIR IS NOT SET: THE PUBLISHED KCS FILES ARE NOT TESTED");
        return;
    };
    let place = Place::new();
    for (file, rows) in [("df_syn_train_eng.csv", 37_385), ("df_syn_valid_eng.csv", 8_134)] {
        let done = place.load_as("kcs", &Format::Kcs, &folder.join(file)).unwrap();
        assert_eq!(done.accepted + done.rejected, rows, "{file}");
        assert_eq!(done.rejected, 0, "{file}: {:?}", place.ask("select * from kcs.rejects limit 3"));
    }
    // Counted in the train file with other tools.
    let train = place.ask(
        "select count(*), count(distinct office_id), count(distinct declarant_id), count(distinct importer_id), \
         count(distinct seller_id), count(distinct hs6), count(*) - count(courier_id) from kcs.fact_item \
         where declaration_date < '2021-01-01'",
    );
    assert_eq!(train, [["37385", "42", "1220", "12720", "10536", "2368", "30671"]]);
    let classes = place.ask(
        "select fraud_class, count(*) from kcs.fact_inspection where inspection_date < '2021-01-01' group by 1 order by 1",
    );
    assert_eq!(classes, [["0", "29271"], ["1", "7720"], ["2", "394"]]);
}
