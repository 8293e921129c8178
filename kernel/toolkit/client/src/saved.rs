//! Queries that were saved under a name, and a query that names them, to the statement to run. The kernel
//! leaves them in a file, so that a query in a Rust cell knows them too.

use crate::sql::{Kind, Token, tokens};
use std::path::Path;
use std::{fs, io};

/// Environment variable with the file of the notebook's saved queries.
pub const SAVED_VARIABLE: &str = "HAETAE_SAVED_QUERIES";

/// Saved queries, in the order in which they were saved first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedQueries(Vec<(String, String)>);

impl SavedQueries {
    /// The queries that the kernel has left; none outside of a notebook, or before the first is saved.
    ///
    /// # Errors
    /// When the file cannot be read, or is none of the kernel's.
    pub fn of_notebook() -> io::Result<Self> {
        let Some(path) = std::env::var_os(SAVED_VARIABLE) else { return Ok(Self::default()) };
        match fs::read(path) {
            Ok(text) => Ok(Self(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Leaves them in a file, whole at any moment.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let part = path.with_extension("part");
        fs::write(&part, serde_json::to_vec(&self.0)?)?;
        fs::rename(part, path)
    }

    /// Keeps a query under a name that later queries can use like a table.
    pub fn save(&mut self, name: &str, query: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = query.to_owned(),
            None => self.0.push((name.to_owned(), query.to_owned())),
        }
    }

    /// The query of a name; capitals do not matter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, query)| query.as_str())
    }

    /// A query with those saved ones in front, as common table expressions, that it names: directly,
    /// or through another saved one.
    pub fn expand(&self, query: &str) -> String {
        let mut order = Vec::new();
        self.collect(query, &mut vec![false; self.0.len()], &mut order);
        if order.is_empty() {
            return query.to_owned();
        }
        let tables: Vec<String> = order.into_iter().map(|(name, saved)| format!("{name} as (\n{saved}\n)")).collect();
        let tables = tables.join(",\n");
        let tokens = code(query);
        let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
        let behind = |at: usize| query[tokens.get(at).map_or(query.len(), Token::end)..].trim_start();
        match (is(0, "with"), is(1, "recursive")) {
            (true, true) => format!("with recursive {tables},\n{}", behind(1)),
            (true, false) => format!("with {tables},\n{}", behind(0)),
            _ => format!("with {tables}\n{}", &query[tokens.first().map_or(0, |token| token.at)..]),
        }
    }

    /// The saved queries that a text needs, each behind those that it needs itself.
    fn collect<'a>(&'a self, text: &str, seen: &mut [bool], order: &mut Vec<&'a (String, String)>) {
        for (at, entry) in self.0.iter().enumerate() {
            // A query that was saved anew under its own name does not mean itself, and a table that a query
            // defines for itself is no saved one.
            if !seen[at] && entry.1 != text && needs(text, &entry.0) {
                seen[at] = true;
                self.collect(&entry.1, seen, order);
                order.push(entry);
            }
        }
    }
}

/// Whether a name stands in a query, and the query does not define it itself as a common table expression.
fn needs(query: &str, name: &str) -> bool {
    let tokens = code(query);
    let named = |token: &Token<'_>| token.name().is_some_and(|found| found.eq_ignore_ascii_case(name));
    let defines = |three: &[Token<'_>]| named(&three[0]) && three[1].is("as") && three[2].is("(");
    tokens.iter().any(named) && !tokens.windows(3).any(defines)
}

/// All but the comments.
fn code(query: &str) -> Vec<Token<'_>> {
    tokens(query).into_iter().filter(|token| token.kind != Kind::Comment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_queries_are_tables_of_later_ones() {
        let mut saved = SavedQueries::default();
        saved.save("busy", "select * from offices where items > 10");
        saved.save("offices", "select office_id, count(*) as items from fact_item group by 1");
        assert_eq!(saved.expand("select 1"), "select 1");
        assert_eq!(saved.expand("select 'busy'"), "select 'busy'");
        let composed = saved.expand("select count(*) from BUSY");
        let expected = "with offices as (\nselect office_id, count(*) as items from fact_item group by 1\n),\n\
                        busy as (\nselect * from offices where items > 10\n)\nselect count(*) from BUSY";
        assert_eq!(composed, expected);
        for own in
            ["with offices as (select 1 as items) select * from offices", "WITH Offices As(select 1) table offices"]
        {
            assert_eq!(saved.expand(own), own);
        }
        let composed = saved.expand("select items as (x) from my_offices, offices as o");
        assert!(composed.starts_with("with offices as ("), "{composed}");
        let composed = saved.expand("WITH a as (select 1) select * from a, offices");
        assert!(composed.starts_with("with offices as (") && composed.contains("),\na as (select 1)"), "{composed}");
        let composed = saved.expand("-- today's\nselect count(*) from offices /* isn't it */");
        assert!(composed.starts_with("with offices as (") && composed.contains("from offices"), "{composed}");
        assert_eq!(saved.expand("select 1 -- of offices"), "select 1 -- of offices");
        let composed = saved.expand("-- of offices\nwith recursive\na as (select 1) select * from offices");
        assert!(composed.starts_with("with recursive offices as ("), "{composed}");
        assert!(composed.ends_with("),\na as (select 1) select * from offices"), "{composed}");
    }

    #[test]
    fn what_the_kernel_leaves_is_what_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved.json");
        let mut saved = SavedQueries::default();
        saved.save("offices", "select '세관' as name");
        saved.save("Busy", "select * from offices");
        saved.write(&path).unwrap();
        let read: Vec<(String, String)> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(SavedQueries(read), saved);
        assert_eq!(saved.get("busy"), Some("select * from offices"));
        assert_eq!(saved.get("offic"), None);
    }
}
