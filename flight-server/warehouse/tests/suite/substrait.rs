//! Plans of Substrait: what they may read and how large they may be. That they are answered as SQL is, is compared in
//! `differential`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::datasource::empty::EmptyTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_substrait::serializer::{deserialize_bytes, serialize_bytes};
use datafusion_substrait::substrait::proto::expression::field_reference::{ReferenceType, RootReference, RootType};
use datafusion_substrait::substrait::proto::expression::literal::LiteralType;
use datafusion_substrait::substrait::proto::expression::reference_segment::{self, StructField};
use datafusion_substrait::substrait::proto::expression::{
    FieldReference, Literal, ReferenceSegment, RexType, ScalarFunction,
};
use datafusion_substrait::substrait::proto::extensions::SimpleExtensionDeclaration;
use datafusion_substrait::substrait::proto::extensions::simple_extension_declaration::{
    ExtensionFunction, MappingType,
};
use datafusion_substrait::substrait::proto::function_argument::ArgType;
use datafusion_substrait::substrait::proto::read_rel::local_files::FileOrFiles;
use datafusion_substrait::substrait::proto::read_rel::local_files::file_or_files::PathType;
use datafusion_substrait::substrait::proto::read_rel::{LocalFiles, NamedTable, ReadType};
use datafusion_substrait::substrait::proto::rel::RelType;
use datafusion_substrait::substrait::proto::rel_common::{Emit, EmitKind};
use datafusion_substrait::substrait::proto::set_rel::SetOp;
use datafusion_substrait::substrait::proto::{
    Expression, FunctionArgument, Plan, PlanRel, ProjectRel, ReadRel, Rel, RelCommon, RelRoot, SetRel, Version,
    plan_rel,
};
use futures::TryStreamExt;
use haetae_warehouse::query::policy::{Access, Column, Mask, MaskKey, Rights, TableAccess};
use haetae_warehouse::query::{PLAN_BYTES, Snapshot, plan_shape, plan_versions};
use haetae_warehouse::{Error, SqlFault};
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::files::{Place, item, items};

/// Item 3 is hidden, importers are hashed, `hs10` does not exist.
fn place() -> (Place, Snapshot) {
    let place = Place::new();
    let lines = [
        item("1", &[("importer_id", "Kim")]),
        item("2", &[("importer_id", "Lee")]),
        item("3", &[("office_id", "30"), ("importer_id", "Kim")]),
    ];
    place.load("fact_item", &place.file("items.csv", items(&lines))).unwrap();
    let columns =
        BTreeMap::from([("importer_id".to_owned(), Column::Mask(Mask::Hash)), ("hs10".to_owned(), Column::Hide)]);
    let shown = TableAccess { filter: Some("office_id = '40'".to_owned()), columns };
    let tables = BTreeMap::from([(("customs".to_owned(), "fact_item".to_owned()), shown)]);
    let rights = Rights::Limited { tables, attributes: BTreeMap::new(), key: MaskKey::new([1; 32]) };
    let access = Access {
        id: "a".to_owned(),
        rights,
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    };
    let snapshot = place.engine().current().unwrap().seen_by(&Arc::new(access)).unwrap();
    (place, snapshot)
}

/// An engine that knows what the user is told of the tables, and has none of their rows.
fn author(snapshot: &Snapshot) -> SessionContext {
    let catalog = MemoryCatalogProvider::new();
    for (schema, table, columns) in snapshot.tables() {
        let tables = catalog.schema(&schema).unwrap_or_else(|| {
            let tables: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
            catalog.register_schema(&schema, Arc::clone(&tables)).unwrap();
            tables
        });
        tables.register_table(table, Arc::new(EmptyTable::new(columns))).unwrap();
    }
    let config = SessionConfig::new().with_default_catalog_and_schema("haetae", "customs");
    let context = SessionContext::new_with_config(config.with_create_default_catalog_and_schema(false));
    context.register_catalog("haetae", Arc::new(catalog));
    context
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

fn plan(snapshot: &Snapshot, sql: &str) -> Plan {
    let bytes = run(serialize_bytes(sql, &author(snapshot))).unwrap();
    *deserialize_bytes(&bytes).unwrap()
}

fn answer(snapshot: &Snapshot, plan: &[u8], values: Option<&RecordBatch>) -> Result<Vec<Vec<String>>, Error> {
    run(async {
        let batches: Vec<_> = snapshot.substrait(plan).await?.execute(values).await?.try_collect().await?;
        Ok(crate::differential::cells(&batches))
    })
}

fn ask(snapshot: &Snapshot, plan: &Plan) -> Result<Vec<Vec<String>>, Error> {
    answer(snapshot, &plan.encode_to_vec(), None)
}

fn refusal(snapshot: &Snapshot, plan: &Plan) -> (SqlFault, String) {
    match ask(snapshot, plan) {
        Err(Error::Sql { fault, message }) => (fault, message),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// Changes each read of a plan.
fn each_read(plan: &mut Plan, change: &mut dyn FnMut(&mut ReadRel)) {
    fn go(rel: &mut Rel, change: &mut dyn FnMut(&mut ReadRel)) {
        match rel.rel_type.as_mut().unwrap() {
            RelType::Read(read) => change(read),
            RelType::Project(rel) => go(rel.input.as_mut().unwrap(), change),
            RelType::Filter(rel) => go(rel.input.as_mut().unwrap(), change),
            RelType::Aggregate(rel) => go(rel.input.as_mut().unwrap(), change),
            RelType::Fetch(rel) => go(rel.input.as_mut().unwrap(), change),
            RelType::Sort(rel) => go(rel.input.as_mut().unwrap(), change),
            other => panic!("{other:?}"),
        }
    }
    let Some(plan_rel::RelType::Root(root)) = &mut plan.relations[0].rel_type else { panic!("{plan:?}") };
    go(root.input.as_mut().unwrap(), change);
}

fn field(index: i32) -> Expression {
    let segment = StructField { field: index, child: None };
    let segment =
        ReferenceSegment { reference_type: Some(reference_segment::ReferenceType::StructField(Box::new(segment))) };
    let reference = FieldReference {
        reference_type: Some(ReferenceType::DirectReference(segment)),
        root_type: Some(RootType::RootReference(RootReference {})),
    };
    Expression { rex_type: Some(RexType::Selection(Box::new(reference))) }
}

fn call(function: u32, arguments: Vec<Expression>) -> Expression {
    let arguments = arguments.into_iter().map(|value| FunctionArgument { arg_type: Some(ArgType::Value(value)) });
    let function =
        ScalarFunction { function_reference: function, arguments: arguments.collect(), ..ScalarFunction::default() };
    Expression { rex_type: Some(RexType::ScalarFunction(function)) }
}

fn text(value: &str) -> Expression {
    let literal = Literal { literal_type: Some(LiteralType::String(value.to_owned())), ..Literal::default() };
    Expression { rex_type: Some(RexType::Literal(literal)) }
}

fn declared(function: u32, name: &str) -> SimpleExtensionDeclaration {
    let function =
        ExtensionFunction { function_anchor: function, name: name.to_owned(), ..ExtensionFunction::default() };
    SimpleExtensionDeclaration { mapping_type: Some(MappingType::ExtensionFunction(function)) }
}

fn over(input: Rel, expressions: Vec<Expression>, chosen: Vec<i32>) -> Rel {
    let emit = EmitKind::Emit(Emit { output_mapping: chosen });
    let project = ProjectRel {
        common: Some(RelCommon { emit_kind: Some(emit), ..RelCommon::default() }),
        input: Some(Box::new(input)),
        expressions,
        ..ProjectRel::default()
    };
    Rel { rel_type: Some(RelType::Project(Box::new(project))) }
}

fn rooted(base: &Plan, input: Rel, names: &[&str]) -> Plan {
    let root = RelRoot { input: Some(input), names: names.iter().map(|name| (*name).to_owned()).collect() };
    Plan { relations: vec![PlanRel { rel_type: Some(plan_rel::RelType::Root(root)) }], ..base.clone() }
}

fn top(plan: &Plan) -> Rel {
    let Some(plan_rel::RelType::Root(root)) = &plan.relations[0].rel_type else { panic!("{plan:?}") };
    root.input.clone().unwrap()
}

/// The library hands the condition of a read to the table's scan, which asks it of rows as they are: before masks.
#[test]
fn a_condition_within_a_read_sees_what_its_author_sees() {
    let (_place, snapshot) = place();
    let mut condition = plan(&snapshot, "select declaration_id, importer_id from fact_item");
    let (mut place_of, mut hash) = (0, String::new());
    let seen = ask(&snapshot, &condition).unwrap();
    assert_eq!(seen.len(), 2);
    each_read(&mut condition, &mut |read| {
        let names = &read.base_schema.as_ref().unwrap().names;
        place_of = i32::try_from(names.iter().position(|name| name == "importer_id").unwrap()).unwrap();
        hash.clone_from(&seen[0][1]);
    });
    condition.extensions.push(declared(900, "equal:any_any"));
    let mut with = |value: &str| {
        each_read(&mut condition, &mut |read| {
            read.filter = Some(Box::new(call(900, vec![field(place_of), text(value)])));
        });
        ask(&snapshot, &condition).unwrap()
    };
    assert!(with("Kim").is_empty() && with("Lee").is_empty());
    assert_eq!(with(&hash), [seen[0].clone()]);
}

#[test]
fn a_plan_reads_tables_by_name_and_nothing_else() {
    let (place, snapshot) = place();
    let good = plan(&snapshot, "select declaration_id from fact_item");
    assert_eq!(ask(&snapshot, &good).unwrap(), [["1"], ["2"]]);
    let named = |names: &[&str]| {
        let mut plan = good.clone();
        each_read(&mut plan, &mut |read| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            read.read_type = Some(ReadType::NamedTable(NamedTable { names, advanced_extension: None }));
        });
        plan
    };
    for names in [&["fact_item"][..], &["customs", "fact_item"], &["haetae", "customs", "fact_item"]] {
        assert_eq!(ask(&snapshot, &named(names)).unwrap(), [["1"], ["2"]], "{names:?}");
    }
    // What does not exist for the user is told of in the words of SQL.
    for (names, sql) in [
        (&["dim_importer"][..], "dim_importer"),
        (&["kcs", "fact_item"], "kcs.fact_item"),
        (&["system", "audit"], "system.audit"),
        (&["nowhere", "customs", "fact_item"], "nowhere.customs.fact_item"),
    ] {
        let wanted = run(snapshot.statement(&format!("select declaration_id from {sql}"))).unwrap_err().to_string();
        assert_eq!(ask(&snapshot, &named(names)).unwrap_err().to_string(), wanted);
    }
    assert!(refusal(&snapshot, &named(&["a", "haetae", "customs", "fact_item"])).1.contains("found 4 names"));
    // A column that is hidden.
    let mut hidden = good.clone();
    each_read(&mut hidden, &mut |read| {
        let names = &mut read.base_schema.as_mut().unwrap().names;
        let known = names.iter_mut().find(|name| *name == "hs6").unwrap();
        "hs10".clone_into(known);
    });
    let (fault, message) = refusal(&snapshot, &hidden);
    assert_eq!(fault, SqlFault::UnknownColumn, "{message}");
    assert!(message.starts_with("there is no column \"hs10\""), "{message}");

    let file = place.file("secret.csv", "a\n1\n");
    let uri = format!("file://{}", file.display());
    for path in
        [PathType::UriFile(uri.clone()), PathType::UriPathGlob("/etc/*".into()), PathType::UriFolder("/".into())]
    {
        let mut plan = good.clone();
        each_read(&mut plan, &mut |read| {
            let items = vec![FileOrFiles { path_type: Some(path.clone()), ..FileOrFiles::default() }];
            read.read_type = Some(ReadType::LocalFiles(LocalFiles { items, advanced_extension: None }));
        });
        let (_, message) = refusal(&snapshot, &plan);
        assert_eq!(message, "a plan can read tables of the warehouse by their names, but no files");
    }
    let write = Rel { rel_type: Some(RelType::Write(Box::default())) };
    let (fault, message) = refusal(&snapshot, &rooted(&good, write, &[]));
    assert_eq!(fault, SqlFault::ReadOnly, "{message}");
    let mut odd = rooted(&good, over(top(&good), vec![call(901, vec![field(0)])], vec![1]), &["x"]);
    odd.extensions.push(declared(901, "take_over:any"));
    assert!(refusal(&snapshot, &odd).1.contains("take_over"));
}

/// `a + a` of `a + a` of ... has a name that doubles; here it has not, and the number is right.
#[test]
fn a_small_plan_stays_small() {
    let (_place, snapshot) = place();
    let mut base = plan(&snapshot, "select item_no from fact_item where declaration_id = '1'");
    base.extensions.push(declared(900, "add:any_any"));
    let mut doubled = top(&base);
    for _ in 0..30 {
        doubled = over(doubled, vec![call(900, vec![field(0), field(0)])], vec![1]);
    }
    let item = ask(&snapshot, &base).unwrap()[0][0].parse::<i64>().unwrap();
    assert_eq!(ask(&snapshot, &rooted(&base, doubled, &["n"])).unwrap(), [[(item << 30).to_string()]]);
    // A column may be handed on more than once, also from a step that does so itself.
    let twice = over(over(top(&base), Vec::new(), vec![0, 0, 0]), Vec::new(), vec![2, 0, 0, 1]);
    let item = item.to_string();
    assert_eq!(
        ask(&snapshot, &rooted(&base, twice, &["a", "b", "c", "d"])).unwrap(),
        [[item.as_str(), &item, &item, &item]]
    );
    let wide = over(top(&base), Vec::new(), vec![0; 2000]);
    assert!(refusal(&snapshot, &rooted(&base, wide, &[])).1.contains("2000 columns; 1024 are the most"));
    let none = over(top(&base), Vec::new(), vec![7]);
    assert!(refusal(&snapshot, &rooted(&base, none, &["a"])).1.contains("chooses the column 7 of 1"));
    let set = |inputs: usize| {
        let set = SetRel { inputs: vec![top(&base); inputs], op: SetOp::UnionAll as i32, ..SetRel::default() };
        rooted(&base, Rel { rel_type: Some(RelType::Set(set)) }, &["a"])
    };
    assert_eq!(ask(&snapshot, &set(64)).unwrap().len(), 64);
    assert!(refusal(&snapshot, &set(65)).1.contains("more than 64 inputs of set operations"));
    let mut deep = top(&base);
    for _ in 0..60 {
        deep = over(deep, Vec::new(), vec![0]);
    }
    let (fault, message) = refusal(&snapshot, &rooted(&base, deep, &["a"]));
    assert_eq!(fault, SqlFault::Syntax);
    assert!(message.ends_with("messages can lie 100 deep in one another"), "{message}");
    let (fault, message) = refusal(&snapshot, &rooted(&base, top(&base), &["x".repeat(PLAN_BYTES).as_str()]));
    assert_eq!(fault, SqlFault::Resources);
    assert!(message.starts_with("a Substrait plan can have 1048576 bytes"), "{message}");
}

#[test]
fn what_is_no_plan_is_said_so() {
    let (_place, snapshot) = place();
    let good = plan(&snapshot, "select office_id, count(*) from fact_item where item_no > 0 group by office_id");
    let refused = |bytes: &[u8]| answer(&snapshot, bytes, None).unwrap_err().to_string();
    assert!(refused(b"select 1").contains("this is no Substrait plan"));
    assert!(refused(&[]).contains("expected a Substrait plan with one tree of relations, found 0"));
    let newest = plan_versions().1;
    for (major, minor) in [(1, 0), (0, 31)] {
        let version = Some(Version { major_number: major, minor_number: minor, ..Version::default() });
        let (_, message) = refusal(&snapshot, &Plan { version, ..good.clone() });
        assert_eq!(
            message,
            format!("the plan is of Substrait {major}.{minor}.0; this server reads plans of 0.32.0 to {newest}")
        );
    }
    assert_eq!(ask(&snapshot, &Plan { version: None, ..good.clone() }).unwrap(), ask(&snapshot, &good).unwrap());
    // A newer one is taken as long as it says nothing new.
    let version = Some(Version { minor_number: 9999, ..Version::default() });
    let newer = Plan { version, ..good.clone() };
    assert_eq!(ask(&snapshot, &newer).unwrap(), ask(&snapshot, &good).unwrap());
    // The field 1000 of a plan, with one byte.
    let unknown = [newer.encode_to_vec(), vec![0xc2, 0x3e, 1, 7]].concat();
    let message = refused(&unknown);
    assert!(
        message.contains(&format!("says what {newest}, the newest that this server knows, does not have")),
        "{message}"
    );
    let root = plan_rel::RelType::Root(RelRoot::default());
    let empty = Plan { relations: vec![PlanRel { rel_type: Some(root) }], ..good.clone() };
    assert!(refusal(&snapshot, &empty).1.contains("a root without a relation"));

    // Bytes that were changed are a plan or none, and nothing of hidden rows.
    let (mut dice, bytes) = (ChaCha8Rng::seed_from_u64(28), good.encode_to_vec());
    let mut refusals = 0;
    for _ in 0..300 {
        let mut changed = bytes.clone();
        for _ in 0..dice.random_range(1..4) {
            let place = dice.random_range(0..changed.len());
            changed[place] = dice.random_range(0..=255);
        }
        let text = format!("{:?}", answer(&snapshot, &changed, None).inspect_err(|_| refusals += 1));
        assert!(!text.contains("Kim") && !text.contains("Lee"), "{text}");
    }
    assert!(refusals > 100, "{refusals}");
}

#[test]
fn parameters_are_bound_and_shapes_have_no_values() {
    let (_place, snapshot) = place();
    let sql =
        "select declaration_id from fact_item where item_no = $1 and declaration_id <> 'Secret' order by 1 limit 5";
    let bytes = plan(&snapshot, sql).encode_to_vec();
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let values = RecordBatch::try_from_iter([("a", number)]).unwrap();
    let wanted = run(async {
        let statement = snapshot.statement(sql).await.unwrap();
        let batches: Vec<_> = statement.execute(Some(&values)).await.unwrap().try_collect().await.unwrap();
        crate::differential::cells(&batches)
    });
    assert_eq!(answer(&snapshot, &bytes, Some(&values)).unwrap(), wanted);
    assert!(answer(&snapshot, &bytes, None).unwrap_err().to_string().contains("1 parameters, but 0 values"));
    let shape = plan_shape(&bytes);
    assert!(shape.starts_with("Substrait: ") && shape.contains("fact_item)"), "{shape}");
    assert!(!shape.contains("Secret"), "{shape}");
    let mut elsewhere = *deserialize_bytes(&bytes).unwrap();
    each_read(&mut elsewhere, &mut |read| {
        let names = vec!["Secret".to_owned()];
        read.read_type = Some(ReadType::NamedTable(NamedTable { names, advanced_extension: None }));
    });
    assert!(plan_shape(&elsewhere.encode_to_vec()).contains("read(?)"));
    assert_eq!(plan_shape(b"select 1"), "no Substrait plan, 8 bytes");
}
