//! A page of `course-material/project`, to the cells of its notebook.

use std::path::Path;

use crate::error::{Error, Mistake, Result};
use crate::notebook::Cell;
use crate::source::pieces;

/// A page with cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Its name, without `.md`.
    pub name: String,
    cells: Vec<Cell>,
}

impl Template {
    /// Takes a page apart. The first cell has the parameters.
    ///
    /// # Errors
    /// A page that has no head, or a block of another kind than `cell`.
    pub fn new(name: &str, text: &str) -> Result<Self> {
        let mistake = |line: usize, what: String, remedy: &str| {
            let file = Path::new("project").join(format!("{name}.md"));
            Error::Sources(vec![Mistake { file, line, what, remedy: remedy.to_owned() }])
        };
        let page = pieces(text).map_err(|(line, what, remedy)| mistake(line, what, &remedy))?;
        let Some((_, title)) = page.head.get("title") else {
            return Err(mistake(1, "the head has no `title`".to_owned(), "Add a line `title: …`"));
        };
        let mut cells = vec![Cell::text("project-00".to_owned(), format!("# {title}"))];
        let mut parameters = true;
        for (at, block) in page.blocks.iter().enumerate() {
            let id = format!("project-{:02}", at + 1);
            cells.push(match block.kind.as_str() {
                "" => Cell::text(id, &block.body),
                "cell" => {
                    let cell = Cell::code(id, &block.body, None);
                    if std::mem::take(&mut parameters) { cell.tagged("parameters") } else { cell }
                }
                other => {
                    let what = format!("a block `{other}` has no place here");
                    return Err(mistake(block.line, what, "A project has texts and blocks `cell` alone"));
                }
            });
        }
        Ok(Self { name: name.to_owned(), cells })
    }

    /// The cells of a project, with its name and the day from which on it is scored.
    pub fn cells(&self, name: &str, cut: &str) -> Vec<Cell> {
        let filled = |cell: &Cell| Cell { source: fill(&cell.source, name, cut), ..cell.clone() };
        self.cells.iter().map(filled).collect()
    }
}

/// A text of the template for a project.
pub(super) fn fill(text: &str, name: &str, cut: &str) -> String {
    text.replace("{{name}}", name).replace("{{cut}}", cut)
}
