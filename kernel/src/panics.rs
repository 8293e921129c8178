//! The place of a panic in generated code -> the line of the cell that its author knows.

use haetae_display::channel::Failure;
use std::path::Path;

/// How the toolkit's report of a panic names a place in a cell.
const OF_CELL: &str = "at src/lib.rs:";

/// Says where in `code` a panic was, where that can be told; `cells` is the folder in which cells are compiled.
pub fn locate(failure: &mut Failure, cells: &Path, code: &str) {
    for text in &mut failure.traceback {
        if let Some(place) = text.strip_prefix(OF_CELL) {
            let number = place.split(':').next().and_then(|number| number.parse().ok());
            let generated = std::fs::read_to_string(cells.join("src/lib.rs")).unwrap_or_default();
            let found = number.and_then(|number| line(&generated, number, code));
            *text = found.map_or(String::new(), |number| {
                format!("at line {number}: {}", code.lines().nth(number - 1).unwrap_or_default().trim())
            });
        }
    }
    failure.traceback.retain(|text| !text.is_empty());
}

/// The line of `code` that stands in line `number` of what was generated from it.
fn line(generated: &str, number: usize, code: &str) -> Option<usize> {
    if code.trim().lines().count() == 1 {
        return code.lines().position(|line| !line.trim().is_empty()).map(|at| at + 1);
    }
    let at = number.checked_sub(1)?;
    let panicked = generated.lines().nth(at)?;
    // Something may stand around a line of the author's.
    let lines = code.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && panicked.contains(line.trim()));
    let (_, text) = lines.max_by_key(|(_, line)| line.trim().len())?;
    let nth = generated.lines().take(at).filter(|line| line.contains(text.trim())).count();
    let mut same = code.lines().enumerate().filter(|(_, line)| line.contains(text.trim()));
    same.nth(nth).map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_one_of_the_cell() {
        let code = "let a = f();\nlet b = v[3];\nlet b = v[3];\nv[4]";
        let generated =
            "fn run() {\nlet a = f();\nlet b = v[3];\nlet b = v[3];\n let b: i32 = b;(v[4]\n).evcxr_display();\n}";
        assert_eq!([3, 4, 5].map(|number| line(generated, number, code)), [Some(2), Some(3), Some(4)]);
        assert_eq!(line(generated, 1, code), None);
        assert_eq!(line("anything", 1, "\nlet n = 1; n / m"), Some(2));
    }

    #[test]
    fn a_place_of_the_evaluator_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let traceback = vec!["at src/lib.rs:7:3".to_owned(), "at /std/vec.rs:1:1".to_owned()];
        let mut failure = Failure { name: String::new(), message: String::new(), traceback };
        locate(&mut failure, folder.path(), "a;\nb;");
        assert_eq!(failure.traceback, ["at /std/vec.rs:1:1"]);
    }
}
