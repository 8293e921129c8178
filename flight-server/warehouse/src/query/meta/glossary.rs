//! What goes in: the page `docs/glossary.md`, which is the one source, and edits. What comes out: the terms.

use crate::store::{About, Edits};

const PAGE: &str = include_str!("../../../../../docs/glossary.md");

/// The values of a term, in the order of their columns.
pub(in crate::query) const VALUES: [&str; 3] = ["korean", "russian", "meaning"];
/// What is said of a term that is no longer one.
pub(in crate::query) const REMOVED: &str = "removed";

/// The terms as they are now: those of the page in its order, then those that were added, in the order of the alphabet.
pub(super) fn current(edits: Edits<'_>) -> Result<Vec<[String; 4]>, String> {
    let page: Vec<[String; 4]> = terms()?.into_iter().map(|term| term.map(str::to_owned)).collect();
    let mut added: Vec<&str> =
        edits.of(About::Glossary, &[]).filter_map(|edit| edit.place.first()).map(String::as_str).collect();
    added.retain(|term| !page.iter().any(|[known, ..]| known == term));
    added.dedup();
    let added = added.into_iter().map(|term| [term.to_owned(), String::new(), String::new(), String::new()]);
    let mut found: Vec<[String; 4]> = page.into_iter().chain(added).collect();
    found.retain(|[term, ..]| edits.get(About::Glossary, &[term], REMOVED).is_none());
    for term in &mut found {
        for (place, property) in (1..).zip(VALUES) {
            if let Some(Some(value)) = edits.get(About::Glossary, &[&term[0]], property) {
                term[place] = value.to_owned();
            }
        }
    }
    // A part of what was added may have been taken back.
    found.retain(|term| term.iter().all(|cell| !cell.is_empty()));
    Ok(found)
}

/// Term, Korean, Russian, meaning, in the order of the page. Fails where a row has not four cells.
pub(super) fn terms() -> Result<Vec<[&'static str; 4]>, String> {
    let rows = PAGE.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells.as_slice() {
            &[term, korean, russian, meaning] if cells.iter().all(|cell| !cell.is_empty()) => {
                Ok([term, korean, russian, meaning])
            }
            _ => Err(format!("docs/glossary.md: expected four cells, found {line}")),
        }
    });
    cells.collect()
}
