//! What is kept of runs: which file, and what each column was made of, for those who may see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haetae_pipeline::declared::parse;
use haetae_warehouse::query::policy::{Access, Column, MaskKey, Rights, TableAccess};

use crate::place::{Place, Runs, ask, message, pipeline, xml_item};

#[test]
fn each_column_says_what_it_was_made_of_once() {
    let place = Place::new();
    let unipass = pipeline("unipass-import");
    for n in ["1", "2"] {
        let file = place.file(&format!("{n}.xml"), message(&format!("M-{n}"), &[xml_item("1", "010129", "5")]));
        place.run(&unipass, &file).unwrap();
    }
    let of = |column: &str| {
        let sql = format!(
            "select source_table, source_column, source_path from meta.lineage where column_name = '{column}' order by 2"
        );
        place.ask(&sql)
    };
    let path = "Declaration/GoodsShipment/GovernmentAgencyGoodsItem/Commodity/ClassificationID";
    assert_eq!(of("hs6"), [["file", "hs", path]]);
    assert_eq!(of("declaration_date"), [["file", "issued", "Declaration/IssueDateTime"]]);
    assert_eq!(of("item_no").len(), 1);
    // One declaration is recorded once, its files each.
    assert_eq!(place.ask("select count(distinct run_id) from meta.lineage"), [["1"]]);
    assert_eq!(place.ask("select count(distinct column_name) from meta.lineage"), [["24"]]);
    let sql = "select r.run_id, r.accepted, v.kind from meta.pipeline_runs r join meta.versions v on v.operation_id = r.run_id order by 1";
    assert_eq!(place.ask(sql), [["2", "1", "append"], ["5", "1", "append"]]);
}

#[test]
fn tables_that_steps_read_are_in_it() {
    let place = Place::new();
    let text = include_str!("../../pipelines/unipass-import.toml");
    let step = "[[step]]\nname = \"named\"\nsql = \"\"\"select l.* exclude (hs10), coalesce(l.hs10, h.description) as hs10 from \
                lines l left join customs.dim_hs h on h.hs6 = l.hs6\"\"\"\n\n[[check]]";
    let joined = parse("joined.toml", &text.replacen("[[check]]", step, 1)).unwrap();
    place.run(&joined, &place.file("a.xml", message("M-1", &[xml_item("1", "010129", "5")]))).unwrap();
    let sql = "select source_table, source_column from meta.lineage where column_name = 'hs10' order by 1, 2";
    assert_eq!(place.ask(sql), [["customs.dim_hs", "description"], ["customs.dim_hs", "hs6"], ["file", "hs"]]);
    // A user who sees the lines of one office, without hs10, and not the headings.
    let columns = BTreeMap::from([("hs10".to_owned(), Column::Hide)]);
    let item = TableAccess { filter: Some("office_id = '40'".to_owned()), columns };
    let tables = BTreeMap::from([(("customs".to_owned(), "fact_item".to_owned()), item)]);
    let rights = Rights::Limited { tables, attributes: BTreeMap::new(), key: MaskKey::new([0; 32]) };
    let access = Arc::new(Access {
        id: "kim".to_owned(),
        rights,
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    });
    let kim = place.engine().current().unwrap().seen_by(&access).unwrap();
    assert!(ask(&kim, "select * from meta.lineage where column_name = 'hs10' or source_table <> 'file'").is_empty());
    assert_eq!(ask(&kim, "select source_column from meta.lineage where column_name = 'hs6'"), [["hs"]]);
    let runs = ask(&kim, "select pipeline, rows_read, accepted from meta.pipeline_runs");
    assert_eq!(runs, [["unipass-import", "", ""]], "counts would tell of hidden rows");
}
