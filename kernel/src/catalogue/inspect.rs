//! A statement and a place in it -> what stands there: a table with its columns, a column with its type, a
//! function with how it is used.

use super::statement::named_tables;
use super::{Contents, Function, Table};
use haetae_client::sql::{Kind, Token, tokens};

/// What is known of the name at a byte of `sql`.
pub(super) fn text(sql: &str, cursor: usize, contents: &Contents) -> Option<String> {
    let all = tokens(sql);
    let is_name = |token: &Token<'_>| matches!(token.kind, Kind::Word | Kind::Quoted);
    let at = all.iter().position(|token| is_name(token) && (token.at..=token.end()).contains(&cursor))?;
    let name = all[at].name()?;
    let (named, _) = named_tables(&all);
    let owner = at.checked_sub(2).filter(|_| all[at - 1].is(".")).and_then(|owner| all[owner].name());
    if let Some(owner) = owner {
        if let Some(table) = contents.table(&owner, &name) {
            return Some(of_table(table));
        }
        let of_alias = named.iter().find(|of| of.alias == owner);
        let table = of_alias.map_or_else(|| contents.table("", &owner), |of| contents.table(&of.schema, &of.table))?;
        return of_column(table, &name);
    }
    if all.get(at + 1).is_some_and(|next| next.is("("))
        && let Some(function) = contents.functions.iter().find(|of| of.name == name)
    {
        return Some(of_function(function));
    }
    let tables: Vec<&Table> = named.iter().filter_map(|of| contents.table(&of.schema, &of.table)).collect();
    let columns: Vec<String> = tables.iter().filter_map(|table| of_column(table, &name)).collect();
    if !columns.is_empty() {
        return Some(columns.join("\n"));
    }
    let by_alias = named.iter().find(|of| of.alias == name).and_then(|of| contents.table(&of.schema, &of.table));
    let table = by_alias.or_else(|| contents.table("", &name)).map(of_table);
    table.or_else(|| contents.functions.iter().find(|of| of.name == name).map(of_function))
}

fn full_name(table: &Table) -> String {
    if table.schema.is_empty() { table.name.clone() } else { format!("{}.{}", table.schema, table.name) }
}

fn of_table(table: &Table) -> String {
    let width = table.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
    let lines = table.columns.iter().map(|column| {
        let nulls = if column.nullable { ", may be null" } else { "" };
        format!("\n  {:width$}  {}{nulls}", column.name, column.data_type)
    });
    let columns: String = lines.collect();
    let query = table.query.as_ref().map(|query| format!("\n\nsaved query\n{query}")).unwrap_or_default();
    format!("{}{columns}{query}", full_name(table))
}

fn of_column(table: &Table, name: &str) -> Option<String> {
    let column = table.columns.iter().find(|column| column.name == name)?;
    let nulls = if column.nullable { ", may be null" } else { "" };
    Some(format!("{}.{name}: {}{nulls}", full_name(table), column.data_type))
}

fn of_function(function: &Function) -> String {
    let Function { name, syntax, description } = function;
    let syntax = if syntax.is_empty() { name } else { syntax };
    if description.is_empty() { syntax.clone() } else { format!("{syntax}\n\n{description}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::contents;

    /// Inspects at the `|`.
    fn at(sql: &str) -> Option<String> {
        text(&sql.replace('|', ""), sql.find('|').unwrap(), &contents())
    }

    #[test]
    fn tables_columns_and_functions_are_described() {
        let table = at("select * from fact|_item").unwrap();
        assert!(
            table.starts_with("customs.fact_item\n  item_no  i32\n") && table.contains("price    f64, may be null")
        );
        assert_eq!(at("select pri|ce from fact_item").as_deref(), Some("customs.fact_item.price: f64, may be null"));
        assert_eq!(at("select i.hs6| from fact_item i").as_deref(), Some("customs.fact_item.hs6: str"));
        assert_eq!(
            at("select |hs6 from fact_item, dim_hs").as_deref(),
            Some("customs.fact_item.hs6: str\ncustoms.dim_hs.hs6: str")
        );
        assert!(at("select i|.hs6 from dim_hs i").unwrap().starts_with("customs.dim_hs\n"));
        assert!(at("select * from kcs.fact|_item").unwrap().contains("seller"));
        assert_eq!(at("select coun|t(*) from fact_item").as_deref(), Some("count(expression)\n\nCounts."));
        assert!(at("select * from bus|y").unwrap().ends_with("saved query\nselect 1"));
    }

    #[test]
    fn of_anything_else_nothing_is_known() {
        for nothing in ["sel|ect 1", "select 'fact|_item'", "select nothing| from fact_item", "|"] {
            assert_eq!(at(nothing), None, "{nothing}");
        }
    }
}
