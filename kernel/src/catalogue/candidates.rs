//! A statement and a place in it -> what can stand there, the likeliest first.

use super::names::{KEYWORDS, is_keyword, quoted};
use super::statement::{Named, Typed, named_tables, typed};
use super::{Answer, Candidate, Contents, Table};
use haetae_client::sql::tokens;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whatever can stand in the statement.
    All,
    /// Columns only.
    Columns,
}

/// Completes `sql` at a byte.
pub(super) fn complete(sql: &str, cursor: usize, contents: &Contents, wanted: Wanted) -> Answer {
    let Some(typed) = typed(&sql[..cursor]) else { return Answer { start: cursor, candidates: Vec::new() } };
    // What is being typed is no table yet.
    let mut all = tokens(&sql[..typed.start]);
    all.extend(tokens(&sql[cursor..]));
    let (named, with) = named_tables(&all);
    let mut candidates = match typed.owners.as_slice() {
        [] if wanted == Wanted::Columns => columns(&named, contents),
        [] if typed.table => tables(contents, &with),
        [] => anywhere(&named, &with, contents),
        [.., owner] => owned(&typed, owner, &named, contents),
    };
    let word = typed.word.to_lowercase();
    candidates.retain(|candidate| candidate.text.to_lowercase().starts_with(&word));
    let loud = typed.word.starts_with(|c: char| c.is_ascii_uppercase());
    for candidate in &mut candidates {
        let is_name = matches!(candidate.kind, "column" | "table" | "schema" | "saved query" | "alias");
        if is_name {
            candidate.text = quoted(&candidate.text, typed.quoted);
        } else if loud && candidate.kind == "keyword" {
            candidate.text = candidate.text.to_uppercase();
        }
    }
    if typed.quoted {
        candidates.retain(|candidate| candidate.text.starts_with('"'));
    }
    Answer { start: typed.start, candidates }
}

/// Tables that need no schema, then schemas, then the tables of other schemas with it.
fn tables(contents: &Contents, with: &[String]) -> Vec<Candidate> {
    let with = with.iter().map(|name| Candidate::new(name, "table", "of this statement"));
    let plain = |of_server: bool| {
        contents
            .tables
            .iter()
            .filter(move |table| (table.query.is_none()) == of_server)
            .filter(|table| table.query.is_some() || table.schema == contents.default_schema)
            .map(move |table| Candidate::new(&table.name, kind(table), detail(table)))
    };
    with.chain(plain(false)).chain(plain(true)).chain(schemas(contents)).collect()
}

fn kind(table: &Table) -> &'static str {
    if table.query.is_some() { "saved query" } else { "table" }
}

fn detail(table: &Table) -> String {
    let columns = table.columns.len();
    if table.schema.is_empty() { format!("{columns} columns") } else { format!("{}, {columns} columns", table.schema) }
}

fn schemas(contents: &Contents) -> Vec<Candidate> {
    let mut names: Vec<&str> =
        contents.tables.iter().map(|table| table.schema.as_str()).filter(|schema| !schema.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| Candidate::new(name, "schema", "")).collect()
}

/// Columns of the tables that the statement names; without one, of all that need no schema.
fn columns(named: &[Named], contents: &Contents) -> Vec<Candidate> {
    let tables: Vec<&Table> = named.iter().filter_map(|of| contents.table(&of.schema, &of.table)).collect();
    tables.into_iter().flat_map(columns_of).collect()
}

fn columns_of(table: &Table) -> Vec<Candidate> {
    table.columns.iter().map(|column| Candidate::new(&column.name, "column", &column.data_type)).collect()
}

fn anywhere(named: &[Named], with: &[String], contents: &Contents) -> Vec<Candidate> {
    let aliases =
        named.iter().filter(|of| of.alias != of.table).map(|of| Candidate::new(&of.alias, "alias", &of.table));
    let functions = contents.functions.iter().map(|of| Candidate::new(&of.name, "function", &of.syntax));
    let keywords = KEYWORDS.iter().map(|word| Candidate::new(*word, "keyword", ""));
    // A function that is a keyword too, such as `left`, is offered once.
    let functions = functions.filter(|function| !is_keyword(&function.text));
    columns(named, contents)
        .into_iter()
        .chain(aliases)
        .chain(keywords)
        .chain(functions)
        .chain(tables(contents, with))
        .collect()
}

/// What stands behind a dot: columns of a table or an alias, or tables of a schema.
fn owned(typed: &Typed, owner: &str, named: &[Named], contents: &Contents) -> Vec<Candidate> {
    let of_schema = || {
        let tables = contents.tables.iter().filter(|table| table.schema == owner);
        tables.map(|table| Candidate::new(&table.name, "table", detail(table))).collect()
    };
    if typed.table {
        return of_schema();
    }
    let table = match typed.owners.as_slice() {
        [.., schema, table] => contents.table(schema, table),
        _ => match named.iter().find(|of| of.alias == owner) {
            Some(of) => contents.table(&of.schema, &of.table),
            None => contents.table("", owner),
        },
    };
    table.map_or_else(of_schema, columns_of)
}

impl Contents {
    /// A table; without a schema, a saved query or one of the schema that needs none.
    pub(super) fn table(&self, schema: &str, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| {
            let here = table.query.is_some() || table.schema == self.default_schema;
            table.name == name && if schema.is_empty() { here } else { table.schema == schema }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::contents;

    /// Completes at the `|`; texts only.
    fn at(sql: &str) -> Vec<String> {
        let cursor = sql.find('|').unwrap();
        let answer = complete(&sql.replace('|', ""), cursor, &contents(), Wanted::All);
        answer.candidates.into_iter().map(|candidate| candidate.text).collect()
    }

    #[test]
    fn columns_of_the_tables_that_are_named_come_first() {
        assert_eq!(at("select | from fact_item")[..4], ["item_no", "hs6", "price", "\"Odd One\""]);
        assert_eq!(at("select h| from dim_hs")[..2], ["hs6", "heading"]);
        assert_eq!(at("select s| from kcs.fact_item")[0], "seller");
        assert_eq!(at("select o| from busy")[..2], ["office_id", "offset"]);
    }

    #[test]
    fn behind_a_dot_stand_columns_or_tables() {
        assert_eq!(at("select h.| from fact_item i join dim_hs h on i.hs6 = h.hs6"), ["hs6", "heading"]);
        assert_eq!(at("select fact_item.p|"), ["price"]);
        assert_eq!(at("select * from kcs.|"), ["fact_item"]);
        assert_eq!(at("select kcs.fact_item.| from kcs.fact_item"), ["seller"]);
        assert_eq!(at("select nothing.|"), Vec::<String>::new());
    }

    #[test]
    fn behind_from_stand_tables() {
        assert_eq!(
            at("with own as (select 1) select * from |"),
            ["own", "busy", "fact_item", "dim_hs", "customs", "kcs"]
        );
        assert_eq!(at("select * from fact_item, d|"), ["dim_hs"]);
        assert_eq!(at("select * from fact_item join k|"), ["kcs"]);
    }

    #[test]
    fn words_follow_the_hand_that_types_them() {
        assert_eq!(at("SEL|"), ["SELECT"]);
        assert_eq!(at("select c|")[..3], ["case", "cast", "cross"]);
        assert!(at("select co|").contains(&"count".to_owned()));
        assert_eq!(at("select \"O| from fact_item"), ["\"Odd One\""]);
        assert_eq!(at("select 'o|' from fact_item"), Vec::<String>::new());
    }

    #[test]
    fn a_column_says_its_type() {
        let answer = complete("select pr from fact_item", 9, &contents(), Wanted::All);
        assert_eq!(answer.candidates[0], Candidate::new("price", "column", "f64"));
        assert_eq!(answer.start, 7);
    }
}
