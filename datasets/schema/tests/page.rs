//! `docs/reference/tables.md` is what the schema says. After a change, run with HAETAE_UPDATE_SNAPSHOTS=1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use arrow_schema::DataType;
use haetae_schema::{CodeList, Column, Table, course_tables, meta_tables, quality_tables, risk_tables, tables};

const HEAD: &str = "# Tables

All tables that the warehouse has, made from the crate `haetae-schema`: do not edit this page. In SQL, `%describe TABLE` and the
schema `meta` say the same. A column that may be null says what null means. *Shown as* is the
[classification](security.md) by which policies mask a column; a column without a word there is open to all.
";

#[test]
fn the_page_of_tables_is_what_the_schema_says() {
    let mut page = HEAD.to_owned();
    for (schema, says, tables) in [
        (
            "customs",
            "What is loaded: `fact_` tables hold what happened, `dim_` tables whom and what it is about, `bridge_` tables which of\n\
             these belong together.",
            tables(),
        ),
        ("quality", "What the [rules of data quality](quality.md) have found.", quality_tables()),
        ("risk", "Models, [what they say, and what was decided](risk.md).", risk_tables()),
        (
            "course",
            "Cohorts, [what they have handed in, and what it was worth](../guides/training-office.md).",
            course_tables(),
        ),
        ("meta", "What the warehouse knows of its own tables.", meta_tables()),
    ] {
        write!(page, "\n## Schema `{schema}`\n\n{says}\n").unwrap();
        tables.iter().for_each(|table| section(&mut page, table));
    }
    page.push_str("\n## Code lists\n");
    code_lists().values().for_each(|list| codes(&mut page, list));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/tables.md");
    if std::env::var_os("HAETAE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/reference/tables.md is not what the schema says; run with HAETAE_UPDATE_SNAPSHOTS=1");
}

fn section(page: &mut String, table: &Table) {
    let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    write!(page, "\n### `{}`\n\n{}\n\nKey: {}.", table.name, table.comment, names(table.key)).unwrap();
    if !table.sort.is_empty() {
        write!(page, " Files are sorted by {}.", names(table.sort)).unwrap();
    }
    page.push_str(
        "\n\n| column | type | unit | codes | refers to | shown as | what it says |\n|---|---|---|---|---|---|---|\n",
    );
    for column in table.columns {
        writeln!(page, "| {} |", cells(column).map(|cell| cell.replace('|', "\\|")).join(" | ")).unwrap();
    }
}

fn cells(column: &Column) -> [String; 7] {
    let class = column.classification.name();
    [
        format!("`{}`", column.name),
        format!("{}{}", type_name(&column.data_type), if column.nullable { ", may be null" } else { "" }),
        column.unit.unwrap_or_default().to_owned(),
        column.code_list.map(|list| format!("[{0}](#{0})", list.name)).unwrap_or_default(),
        column.references.map(|(table, key)| format!("`{table}.{key}`")).unwrap_or_default(),
        if class == "open" { String::new() } else { class.replace('_', " ") },
        column.comment.to_owned(),
    ]
}

fn type_name(of: &DataType) -> String {
    match of {
        DataType::Utf8 => "text".to_owned(),
        DataType::Boolean => "true or false".to_owned(),
        DataType::Date32 => "day".to_owned(),
        DataType::Float64 => "number".to_owned(),
        of if of.is_integer() => "whole number".to_owned(),
        DataType::Timestamp(_, _) => "time (UTC)".to_owned(),
        other => format!("{other}"),
    }
}

/// Those that a column refers to, by name.
fn code_lists() -> BTreeMap<&'static str, &'static CodeList> {
    let columns = [tables(), quality_tables(), risk_tables(), course_tables(), meta_tables()]
        .into_iter()
        .flatten()
        .flat_map(|table| table.columns);
    columns.filter_map(|column| column.code_list).map(|list| (list.name, list)).collect()
}

fn codes(page: &mut String, list: &CodeList) {
    write!(page, "\n### {}\n\n| code | meaning |\n|---|---|\n", list.name).unwrap();
    for (code, meaning) in list.codes {
        writeln!(page, "| `{code}` | {meaning} |").unwrap();
    }
}
