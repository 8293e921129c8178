//! What becomes of files: rows, refused rows with their place, nothing the second time.

use haetae_pipeline::declared::parse;
use haetae_pipeline::{Outcome, Pipeline, files};
use haetae_warehouse::ingest::Change;

use crate::place::{Place, Runs, message, pipeline, xml_item};

#[test]
fn a_message_becomes_a_row_for_each_item() {
    let place = Place::new();
    let items = [xml_item("1", "6208220000", "140461.3"), xml_item("2", "010129", "5")];
    let file = place.file("a.xml", message("M-1", &items));
    let Outcome::Loaded(done) = place.run(&pipeline("unipass-import"), &file).unwrap() else { panic!() };
    assert_eq!((done.version, done.accepted, done.rejected), (1, 2, 0));
    let sql = "select declaration_id, item_no, declaration_date, office_id, hs6, hs10, duty_rate, seller_id, quantity_unit, \
               net_mass_kg, item_price_krw from fact_item order by item_no";
    let expected = [
        ["M-1", "1", "2026-03-02", "40", "620822", "6208220000", "0.104", "", "U", "12.5", "140461.3"],
        ["M-1", "2", "2026-03-02", "40", "010129", "", "0.104", "", "U", "12.5", "5.0"],
    ];
    assert_eq!(place.ask(sql), expected);
}

#[test]
fn refused_rows_say_where_they_stand_in_the_message() {
    let place = Place::new();
    let twice = xml_item("5", "010129", "5").replace("<UseCode>21", "<UseCode>11</UseCode><UseCode>21");
    let items = [
        xml_item("1", "010129", "5"),
        xml_item("2", "12", "5"),
        xml_item("3", "010129", "-5"),
        xml_item("1", "010129", "6"),
        xml_item("4", "010129", "5").replace("KGM", "LBR"),
        twice,
        xml_item("6", "010129", "five"),
        xml_item("7", "010129", "5").replace("10.4", "10,4"),
    ];
    let file = place.file("a.xml", message("M-1", &items));
    let Outcome::Loaded(done) = place.run(&pipeline("unipass-import"), &file).unwrap() else { panic!() };
    assert_eq!((done.accepted, done.rejected), (1, 7));
    let rejects =
        place.ask("select line_number, column_name, reason, raw_text, file from rejects order by line_number");
    let told: Vec<[&str; 3]> = rejects.iter().map(|row| [row[0].as_str(), &row[1], &row[2]]).collect();
    let expected = [
        ["6", "hs6", "expected ClassificationID as six or ten digits"],
        ["7", "item_price_krw", "-5 is negative; expected 0 or more"],
        ["8", "declaration_id", "duplicate key declaration_id \"M-1\", item_no 1: an earlier row of this load has it"],
        ["9", "net_mass_kg", "expected NetWeightMeasure in kilograms, with unitCode KGM"],
        ["10", "use_code", "is there more than once; expected one value"],
        ["11", "item_price_krw", "\"five\" is not a number"],
        ["12", "duty_rate", "expected TaxRateNumeric as a number, in percent"],
    ];
    assert_eq!(told, expected);
    assert_eq!(rejects[0][3], xml_item("2", "12", "5").trim());
    assert_eq!(rejects[0][4], file.to_str().unwrap());
}

#[test]
fn what_was_loaded_is_passed_over_and_an_interrupted_run_goes_on() {
    let (whole, cut) = (Place::new(), Place::new());
    let unipass = pipeline("unipass-import");
    let folder = |place: &Place| {
        for n in 1..=3 {
            place.file(&format!("in/{n}.xml"), message(&format!("M-{n}"), &[xml_item("1", "010129", "5")]));
        }
        place.file("in/notes.txt", "nothing");
        files(
            &unipass,
            &[place.file("in/1.xml", message("M-1", &[xml_item("1", "010129", "5")])).parent().unwrap().into()],
        )
        .unwrap()
    };
    let all = folder(&whole);
    assert_eq!(all.len(), 3);
    for file in &all {
        assert!(matches!(whole.run(&unipass, file).unwrap(), Outcome::Loaded(_)));
    }
    // Ended after the second file, and begun again.
    let again = folder(&cut);
    for file in again[..2].iter().chain(&again) {
        cut.run(&unipass, file).unwrap();
    }
    let rows = "select * from fact_item order by declaration_id";
    assert_eq!(whole.ask(rows), cut.ask(rows));
    assert_eq!(cut.ask("select count(*) from meta.pipeline_runs"), [["3"]]);
    let version = cut.store.current_version().unwrap();
    let copy = cut.file("copy.xml", message("M-2", &[xml_item("1", "010129", "5")]));
    assert_eq!(cut.run(&unipass, &copy).unwrap(), Outcome::Skipped { version: 2 });
    assert_eq!(cut.store.current_version().unwrap(), version);
}

#[test]
fn a_pipeline_under_a_new_name_loads_old_files_anew() {
    let place = Place::new();
    let file = place.file("a.xml", message("M-1", &[xml_item("1", "010129", "5"), xml_item("2", "010129", "7")]));
    let mut first = with_step("select * from lines where item_no <> '2'");
    first.change = Change::Upsert;
    let accepted = |pipeline: &Pipeline| match place.run(pipeline, &file).unwrap() {
        Outcome::Loaded(done) => done.accepted,
        Outcome::Skipped { .. } => panic!("{} has not loaded the file", pipeline.name),
    };
    assert_eq!(accepted(&first), 1);
    let mut changed = pipeline("unipass-import");
    changed.change = Change::Upsert;
    assert!(matches!(place.run(&changed, &file).unwrap(), Outcome::Skipped { version: 1 }));
    changed.name = "unipass-import-2".to_owned();
    assert_eq!(accepted(&changed), 2);
    // Two pipelines may add to one table by the same message.
    let appending = |name: &str, item: &str| {
        let made = with_step(&format!(
            "select l.* exclude (declaration_id), '{name}' as declaration_id from lines l where item_no = '{item}'"
        ));
        Pipeline { name: name.to_owned(), ..made }
    };
    assert_eq!(accepted(&appending("one", "1")), 1);
    assert_eq!(accepted(&appending("two", "1")), 1);
    assert_eq!(place.ask("select count(*) from fact_item"), [["4"]]);
    let runs = place.ask("select pipeline, rows_read, accepted from meta.pipeline_runs order by run_id");
    let expected = [["unipass-import", "2", "1"], ["unipass-import-2", "2", "2"], ["one", "2", "1"], ["two", "2", "1"]];
    assert_eq!(runs, expected);
    assert_eq!(place.ask("select count(distinct file_sha256) from meta.pipeline_runs"), [["1"]]);
}

#[test]
fn a_file_that_is_no_message_changes_nothing() {
    let place = Place::new();
    let told = |content: &[u8]| {
        let file = place.file("bad.xml", content);
        place.run(&pipeline("unipass-import"), &file).unwrap_err().to_string()
    };
    let good = message("M-1", &[xml_item("1", "010129", "5")]);
    assert!(told(&good.as_bytes()[..good.len() - 20]).contains("expected a well-formed XML message, found in line "));
    assert!(told(b"").contains("with at least one Declaration/GoodsShipment/GovernmentAgencyGoodsItem, found none"));
    assert!(
        told(b"<Declaration>\xB0\xA1</Declaration>").contains("expected a message in UTF-8, found the byte 0xb0 at 13")
    );
    assert!(told(message("M-1", &[]).as_bytes()).ends_with("found none"));
    assert_eq!(place.store.current_version().unwrap(), 0);
}

#[test]
fn kcs_files_and_generated_lines_are_loaded_as_they_are() {
    let place = Place::new();
    let header = "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,\
        Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,\
        Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud";
    let line =
        "97061800,2020-01-01,30,B,11,21,11,10,ZZR1LT6,QLRUBN9,0VKY2BR,,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,0,0";
    let file = place.file("kcs.csv", format!("{header}\n{line}\ntoo,few\n"));
    let Outcome::Loaded(done) = place.run(&pipeline("kcs"), &file).unwrap() else { panic!() };
    assert_eq!((done.accepted, done.rejected), (1, 1));
    assert_eq!(place.ask("select fraud from kcs.fact_inspection"), [["false"]]);
    let made = "select source_column from meta.lineage where table_name = 'fact_inspection' and column_name = 'inspection_date'";
    assert_eq!(place.ask(made), [["Date"]]);
    let runs = place.ask("select pipeline, rows_read, left_out, accepted, rejected from meta.pipeline_runs");
    assert_eq!(runs, [["kcs", "2", "0", "1", "1"]]);
}

/// Over the items of a message, with another last step.
fn with_step(sql: &str) -> Pipeline {
    let text = include_str!("../../pipelines/unipass-import.toml");
    let step = format!("[[step]]\nname = \"more\"\nsql = \"{sql}\"\n\n[[check]]");
    parse("more.toml", &text.replacen("[[check]]", &step, 1)).unwrap()
}

#[test]
fn steps_may_leave_rows_out_and_join_and_must_not_double_rows() {
    let place = Place::new();
    let file = place.file("a.xml", message("M-1", &[xml_item("1", "010129", "5"), xml_item("2", "010129", "7")]));
    let refused = |sql: &str| place.run(&with_step(sql), &file).unwrap_err().to_string();
    let double = refused("select l.* from lines l cross join (values (1), (2)) v(x)");
    assert!(double.contains("they make several rows of the one in line 5; choose one of them"), "{double}");
    let lost = refused("select * exclude (source_row) from lines");
    assert!(lost.contains("there is no column \"source_row\""), "{lost}");
    let twice = xml_item("1", "010129", "5").replace("<UseCode>21", "<UseCode>11</UseCode><UseCode>21");
    let refused_row = place.file("b.xml", message("M-2", &[twice, xml_item("2", "010129", "7")]));
    let step = with_step("select * exclude (source_row), cast(0 as bigint) as source_row from lines");
    let strange = place.run(&step, &refused_row).unwrap_err().to_string();
    assert!(strange.contains("a row has a source_row that is not in source"), "{strange}");
    let slip = refused("select * from line");
    assert!(slip.starts_with("the pipeline unipass-import cannot do its steps: there is no table \"line\""), "{slip}");
    assert_eq!(place.store.current_version().unwrap(), 0);
    let Outcome::Loaded(done) = place.run(&with_step("select * from lines where item_no <> '1'"), &file).unwrap()
    else {
        panic!()
    };
    assert_eq!((done.accepted, done.rejected), (1, 0));
    assert_eq!(place.ask("select rows_read, left_out from meta.pipeline_runs"), [["2", "1"]]);
}

#[test]
fn a_folder_of_documents_becomes_a_row_for_each() {
    let place = Place::new();
    let documents = pipeline("documents");
    place.file("in/invoice.txt", "Invoice 17\nTotal 5 KRW\n");
    place.file("in/scan.pdf", b"%PDF-1.4\n\xE2\xE3");
    // What a name says does not count.
    place.file("in/wrong.jpg", b"\x89PNG\r\n\x1a\n\0\0\0");
    place.file("in/empty.txt", "");
    place.file("in/program.exe", "MZ");
    // A link leads out of the folder.
    std::os::unix::fs::symlink(place.file("elsewhere.txt", "secret"), place.folder.path().join("in/link.txt")).unwrap();
    let folder = place.folder.path().join("in");
    let found = files(&documents, std::slice::from_ref(&folder)).unwrap();
    assert_eq!(found.len(), 4);
    for file in &found {
        assert!(matches!(place.run(&documents, file).unwrap(), Outcome::Loaded(_)), "{}", file.display());
    }
    let sql = "select file_name, media_type, byte_size, document_text from fact_document order by file_name";
    let expected = [
        ["invoice.txt", "text/plain", "23", "Invoice 17\nTotal 5 KRW\n"],
        ["scan.pdf", "application/pdf", "11", ""],
        ["wrong.jpg", "image/png", "11", ""],
    ];
    assert_eq!(place.ask(sql), expected);
    let rejects = place.ask("select column_name, reason, raw_text from rejects");
    assert_eq!(rejects, [["byte_size", "expected a file with something in it", "empty.txt"]]);
    let version = place.store.current_version().unwrap();
    // Again, and under another name: nothing new.
    let copy = place.file("in/copy.txt", "Invoice 17\nTotal 5 KRW\n");
    for file in found.iter().chain([&copy]) {
        assert!(matches!(place.run(&documents, file).unwrap(), Outcome::Skipped { .. }), "{}", file.display());
    }
    assert_eq!(place.store.current_version().unwrap(), version);
    let from = place.ask("select source_table, source_path from meta.lineage where column_name = 'media_type'");
    assert_eq!(from, [["file", "first bytes"]]);
}
