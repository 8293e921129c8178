//! What goes in: the page `docs/glossary.md`, which is the one source. What comes out: its terms.

const PAGE: &str = include_str!("../../../../../docs/glossary.md");

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
