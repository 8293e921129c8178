//! Declarations that are right, and what is said about those that are wrong.

use haetae_pipeline::declared::parse;
use haetae_pipeline::shipped;

#[test]
fn the_shipped_ones_can_be_used() {
    let names: Vec<String> = shipped().unwrap().into_iter().map(|pipeline| pipeline.name).collect();
    assert_eq!(names, ["documents", "generated-items", "kcs", "unipass-import"]);
    let lists = haetae_pipeline::shipped_of_tables().unwrap();
    assert_eq!(lists.len(), 1);
    for (table, pipeline) in haetae_schema::tables().iter().zip(&lists[0]) {
        assert_eq!((pipeline.name.as_str(), pipeline.table.name), ("generated", table.name));
        let endings = ["parquet", "csv"].map(|kind| format!("{}.{kind}", table.name));
        assert_eq!(pipeline.source.endings(), endings);
    }
    let digests: std::collections::BTreeSet<_> = lists[0].iter().map(|pipeline| &pipeline.sha256).collect();
    assert_eq!((lists[0].len(), digests.len()), (haetae_schema::tables().len(), lists[0].len()));
}

#[test]
fn all_that_is_wrong_is_told_with_its_line() {
    let text = "name = \"My pipeline\"\nsays = \"x\"\n[source]\nkind = \"xml\"\nendings = [\".xml\"]\nrecord = \"A/B\"\n\
        columns = { id = \"X/ID\" }\n[[step]]\nname = \"source\"\nsql = \"select 1\"\n[[check]]\ncolumn = \"net_mass\"\n\
        says = \"x\"\nexpect = \"true\"\n[target]\nschema = \"customs\"\ntable = \"fact_item\"\nchange = \"replace\"\n";
    let told = parse("p.toml", text).unwrap_err().to_string();
    for part in [
        "p.toml, line 1: a name has small letters, digits and - alone",
        "p.toml, line 3: the path \"X/ID\" of id must lead from the root A",
        "p.toml, line 8: a step has a name of its own",
        "p.toml, line 11: there is no column \"net_mass\" in fact_item. Did you mean net_mass_kg?",
        "p.toml, line 15: change is \"replace\"; a pipeline can append or upsert",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let broken = parse("p.toml", "name = \"a\"\nsayz = 1\n").unwrap_err().to_string();
    assert!(broken.contains("p.toml, line 2: ") && broken.contains("sayz"), "{broken}");
    let kind = parse("p.toml", &text.replace("\"xml\"", "\"json\"")).unwrap_err().to_string();
    assert!(kind.contains("there is no kind \"json\"; the kinds are table, kcs, xml, document"), "{kind}");
    let direct = include_str!("../../pipelines/kcs.toml")
        .replace("[target]", "[[step]]\nname = \"a\"\nsql = \"select 1\"\n[target]");
    let direct = parse("kcs.toml", &direct).unwrap_err().to_string();
    assert!(direct.contains("files that are loaded as they are have no steps"), "{direct}");
}
