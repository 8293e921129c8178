//! Arguments of commands: what can stand behind `%describe`, `%sqlplot` and those with a few words.

use super::candidates::{self, Wanted};
use super::{Answer, Candidate, Contents};
use crate::magics::{AGGREGATES, CHART_OPTIONS, KINDS, SQL_OPTIONS, words};
use std::future::Future;

/// The options of `%%sql` that are not there yet.
pub(super) fn sql_options(code: &str, start: usize, cursor: usize) -> Answer {
    let line = &code[..start];
    fitting(start, &code[start..cursor], options(SQL_OPTIONS, line))
}

fn options(known: &[(&'static str, &'static str)], there: &str) -> Vec<Candidate> {
    let missing = known.iter().filter(|(name, _)| !there.split_whitespace().any(|word| word == *name));
    missing.map(|(name, does)| Candidate::new(*name, "option", *does)).collect()
}

/// Completes the argument of a command, which begins at `start`.
pub(super) async fn complete(
    command: &str,
    code: &str,
    start: usize,
    cursor: usize,
    contents: impl Future<Output = Contents>,
) -> Answer {
    let argument = &code[start..cursor];
    match command {
        "%describe" => table(argument, &contents.await).moved_to(cursor, argument),
        "%sqlplot" => {
            let line = code[start..].lines().next().unwrap_or("");
            chart(line, argument, contents).await.moved_to(cursor, argument)
        }
        "%progress" => fitting(start, argument, plain(&["off", "on"])),
        "%opt" => fitting(start, argument, plain(&["0", "1", "2", "3"])),
        _ => Answer { start: cursor, candidates: Vec::new() },
    }
}

fn plain(words: &[&str]) -> Vec<Candidate> {
    words.iter().map(|word| Candidate::new(*word, "value", "")).collect()
}

fn fitting(start: usize, word: &str, mut candidates: Vec<Candidate>) -> Answer {
    candidates.retain(|candidate| candidate.text.starts_with(word));
    Answer { start, candidates }
}

/// Tables, as behind `from`. The answer begins within `word`.
fn table(word: &str, contents: &Contents) -> Answer {
    within("from ", word, "", contents, Wanted::All)
}

/// Completes `word` in a statement that is made for it; the answer begins within `word`.
fn within(before: &str, word: &str, behind: &str, contents: &Contents, wanted: Wanted) -> Answer {
    let sql = format!("{before}{word}{behind}");
    let mut answer = candidates::complete(&sql, before.len() + word.len(), contents, wanted);
    answer.start = answer.start.saturating_sub(before.len());
    answer
}

impl Answer {
    /// An answer for the end of `argument`, in the text that ends at `cursor`.
    fn moved_to(self, cursor: usize, argument: &str) -> Self {
        self.moved(cursor - argument.len())
    }
}

/// Completes the last word of what stands behind `%sqlplot`; the answer begins within `argument`.
async fn chart(line: &str, argument: &str, contents: impl Future<Output = Contents>) -> Answer {
    let from = argument.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (before, word) = argument.split_at(from);
    let before = words(before);
    let mut found = match before.last().map(String::as_str) {
        None => fitting(0, word, KINDS.iter().map(|(name, _)| Candidate::new(*name, "chart", "")).collect()),
        Some("--table" | "-t") => table(word, &contents.await),
        Some("--column" | "-c" | "--y" | "--by") => {
            let table = table_of(line).map(|table| format!(" from {table}")).unwrap_or_default();
            within("select ", word, &table, &contents.await, Wanted::Columns)
        }
        Some("--agg") => fitting(0, word, plain(AGGREGATES)),
        Some("--bins" | "-b" | "--limit" | "--title") => Answer::default(),
        Some(_) => fitting(0, word, options(CHART_OPTIONS, line)),
    };
    for candidate in found.candidates.iter_mut().filter(|candidate| candidate.text.starts_with('"')) {
        // The command takes one pair of quotes off.
        candidate.text = format!("'{}'", candidate.text);
    }
    found.moved(from)
}

/// The table that a line names.
fn table_of(line: &str) -> Option<String> {
    let words = words(line);
    let at = words.iter().position(|word| word == "--table" || word == "-t")?;
    words.get(at + 1).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::contents;

    async fn at(code: &str) -> Vec<String> {
        let cursor = code.find('|').unwrap();
        let code = code.replace('|', "");
        let (command, _) = code.split_once(' ').unwrap();
        let answer = complete(command, &code, command.len() + 1, cursor, async { contents() }).await;
        answer.candidates.into_iter().map(|of| of.text).collect()
    }

    #[tokio::test]
    async fn arguments_are_tables_columns_and_options() {
        assert_eq!(at("%describe fa|").await, ["fact_item"]);
        assert_eq!(at("%describe kcs.|").await, ["fact_item"]);
        assert_eq!(at("%sqlplot |").await, ["bar", "box", "histogram", "line", "scatter"]);
        assert_eq!(at("%sqlplot bar --table b|").await, ["busy"]);
        assert_eq!(at("%sqlplot bar --column h| --table dim_hs").await, ["hs6", "heading"]);
        assert_eq!(at("%sqlplot bar --table dim_hs --t|").await, ["--title"]);
        assert_eq!(at("%sqlplot bar --table fact_item --y o|").await, ["'\"Odd One\"'"]);
        assert_eq!(at("%sqlplot bar --table t --agg m|").await, ["max", "median", "min"]);
        assert_eq!(at("%progress o|").await, ["off", "on"]);
        assert_eq!(at("%load |").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_is_replaced_is_the_last_word() {
        let code = "%sqlplot bar --table kcs.fa";
        let answer = complete("%sqlplot", code, 9, code.len(), async { contents() }).await;
        assert_eq!(&code[answer.start..], "fa");
    }
}
