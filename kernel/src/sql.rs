//! The connection of SQL cells, and the queries that were saved: statement -> the statement to run.

use haetae_client::{AsyncClient, ConnectOptions, Error};

/// The kernel's connection, opened by the first SQL cell, and the queries that were saved.
#[derive(Default)]
pub struct SqlRunner {
    client: Option<AsyncClient>,
    /// Name and query, in the order in which they were saved first.
    saved: Vec<(String, String)>,
}

impl SqlRunner {
    /// The connection, opened where there is none yet. Clones share it.
    ///
    /// # Errors
    /// What the client says: no server, or a wrong secret.
    pub async fn client(&mut self) -> Result<AsyncClient, Error> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = AsyncClient::connect(&ConnectOptions::from_env()?).await?;
        Ok(self.client.insert(client).clone())
    }

    /// Connects anew; the server's address.
    ///
    /// # Errors
    /// As [`SqlRunner::client`].
    pub async fn connect(&mut self) -> Result<String, Error> {
        let options = ConnectOptions::from_env()?;
        self.client = Some(AsyncClient::connect(&options).await?);
        Ok(options.url().to_owned())
    }

    /// Keeps a query under a name that later queries can use like a table.
    pub fn save(&mut self, name: &str, query: &str) {
        match self.saved.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = query.to_owned(),
            None => self.saved.push((name.to_owned(), query.to_owned())),
        }
    }

    /// A query with those saved ones in front, as common table expressions, that it names: directly,
    /// or through another saved one.
    pub fn with_saved(&self, query: &str) -> String {
        let mut order = Vec::new();
        self.collect(query, &mut vec![false; self.saved.len()], &mut order);
        if order.is_empty() {
            return query.to_owned();
        }
        let tables: Vec<String> = order.into_iter().map(|(name, saved)| format!("{name} as (\n{saved}\n)")).collect();
        let tables = tables.join(",\n");
        let rest = without_comments(query);
        let rest = match after_word(rest, "with") {
            None => return format!("with {tables}\n{rest}"),
            Some(rest) => rest,
        };
        match after_word(rest, "recursive") {
            None => format!("with {tables},\n{rest}"),
            Some(rest) => format!("with recursive {tables},\n{rest}"),
        }
    }

    /// The saved queries that a text needs, each behind those that it needs itself.
    fn collect<'a>(&'a self, text: &str, seen: &mut [bool], order: &mut Vec<&'a (String, String)>) {
        for (at, entry) in self.saved.iter().enumerate() {
            // A query that was saved anew under its own name does not mean itself.
            if !seen[at] && entry.1 != text && mentions(text, &entry.0) {
                seen[at] = true;
                self.collect(&entry.1, seen, order);
                order.push(entry);
            }
        }
    }
}

/// A statement without the comments and blanks in front of it.
fn without_comments(query: &str) -> &str {
    let query = query.trim_start();
    let behind = if let Some(comment) = query.strip_prefix("--") {
        comment.split_once('\n')
    } else if let Some(comment) = query.strip_prefix("/*") {
        comment.split_once("*/")
    } else {
        return query;
    };
    behind.map_or("", |(_, rest)| without_comments(rest))
}

/// What follows `word` at the beginning of a text.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (first, rest) = text.split_at_checked(word.len())?;
    (first.eq_ignore_ascii_case(word) && rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

/// Whether a name stands in a query as a word, outside of text in quotes.
fn mentions(query: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let code: String = query.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    code.split(|c| !is_word(c)).any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_queries_are_tables_of_later_ones() {
        let mut runner = SqlRunner::default();
        runner.save("busy", "select * from offices where items > 10");
        runner.save("offices", "select office_id, count(*) as items from fact_item group by 1");
        assert_eq!(runner.with_saved("select 1"), "select 1");
        assert_eq!(runner.with_saved("select 'busy'"), "select 'busy'");
        let composed = runner.with_saved("select count(*) from BUSY");
        let expected = "with offices as (\nselect office_id, count(*) as items from fact_item group by 1\n),\n\
                        busy as (\nselect * from offices where items > 10\n)\nselect count(*) from BUSY";
        assert_eq!(composed, expected);
        let composed = runner.with_saved("WITH a as (select 1) select * from a, offices");
        assert!(composed.starts_with("with offices as (") && composed.contains("),\na as (select 1)"), "{composed}");
        let composed = runner.with_saved("-- of offices\nwith recursive\na as (select 1) select * from offices");
        assert!(composed.starts_with("with recursive offices as ("), "{composed}");
        assert!(composed.ends_with("),\na as (select 1) select * from offices"), "{composed}");
    }
}
