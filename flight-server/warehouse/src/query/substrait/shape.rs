//! What goes in: a Substrait plan. What comes out: its relations in one line, without its values, for logs and audits.

use datafusion_substrait::serializer::deserialize_bytes;
use datafusion_substrait::substrait::proto::plan_rel::RelType as Tree;
use datafusion_substrait::substrait::proto::read_rel::ReadType;
use datafusion_substrait::substrait::proto::rel::RelType;
use datafusion_substrait::substrait::proto::{ReadRel, Rel};

use super::PLAN_BYTES;
use crate::query::shape::{SHAPE_BYTES, is_name};

/// `Substrait: fetch(sort(read(customs.fact_item)))`, from the last step to the first. The names of tables stand in it
/// where the warehouse has them. What is no plan, or too long for one, gives its length alone.
pub fn plan_shape(plan: &[u8]) -> String {
    let decoded = if plan.len() <= PLAN_BYTES { deserialize_bytes(plan).ok() } else { None };
    let Some(decoded) = decoded else { return format!("no Substrait plan, {} bytes", plan.len()) };
    let mut text = "Substrait: ".to_owned();
    for (number, tree) in decoded.relations.iter().enumerate() {
        if number > 0 {
            text.push_str("; ");
        }
        match &tree.rel_type {
            Some(Tree::Rel(rel)) => step(&mut text, Some(rel)),
            Some(Tree::Root(root)) => step(&mut text, root.input.as_ref()),
            None => text.push('?'),
        }
        if text.len() > SHAPE_BYTES {
            break;
        }
    }
    if text.len() > SHAPE_BYTES {
        // Names of relations and of the warehouse's tables are ASCII.
        text.truncate(SHAPE_BYTES);
        text.push('…');
    }
    text
}

/// Adds a relation and those that it is made of.
fn step(text: &mut String, rel: Option<&Rel>) {
    if text.len() > SHAPE_BYTES {
        return;
    }
    let Some(rel) = rel.and_then(|rel| rel.rel_type.as_ref()) else {
        text.push('?');
        return;
    };
    let (name, inputs): (&str, Vec<Option<&Rel>>) = match rel {
        RelType::Read(read) => {
            table(text, read);
            return;
        }
        RelType::Filter(rel) => ("filter", vec![rel.input.as_deref()]),
        RelType::Fetch(rel) => ("fetch", vec![rel.input.as_deref()]),
        RelType::Aggregate(rel) => ("aggregate", vec![rel.input.as_deref()]),
        RelType::Sort(rel) => ("sort", vec![rel.input.as_deref()]),
        RelType::Project(rel) => ("project", vec![rel.input.as_deref()]),
        RelType::Join(rel) => ("join", vec![rel.left.as_deref(), rel.right.as_deref()]),
        RelType::Cross(rel) => ("cross", vec![rel.left.as_deref(), rel.right.as_deref()]),
        RelType::Set(rel) => ("set", rel.inputs.iter().map(Some).collect()),
        RelType::Write(_) => ("write", Vec::new()),
        RelType::Update(_) => ("update", Vec::new()),
        RelType::Ddl(_) => ("ddl", Vec::new()),
        _ => ("other", Vec::new()),
    };
    text.push_str(name);
    text.push('(');
    for (number, input) in inputs.into_iter().enumerate() {
        if number > 0 {
            text.push_str(", ");
        }
        step(text, input);
    }
    text.push(')');
}

fn table(text: &mut String, read: &ReadRel) {
    let name = match &read.read_type {
        Some(ReadType::NamedTable(table)) => {
            let known = |name: &String| if is_name(name) { name.clone() } else { "?".to_owned() };
            let names: Vec<String> = table.names.iter().take(3).map(known).collect();
            format!("read({})", names.join("."))
        }
        Some(ReadType::VirtualTable(_)) => "values()".to_owned(),
        Some(ReadType::LocalFiles(_) | ReadType::IcebergTable(_)) => "files()".to_owned(),
        Some(ReadType::ExtensionTable(_)) | None => "read(?)".to_owned(),
    };
    text.push_str(&name);
}
