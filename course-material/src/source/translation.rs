//! A page in another language and the English one, to the whole page: texts, hints and advice are its own, all code is
//! that of the English page, so that there is one source of it.

use super::blocks::{Block, Complaint};

/// Blocks whose inside stands in the English page alone.
const CODE: [&str; 4] = ["cell", "answer", "right", "check"];

/// The translated page, complete.
///
/// # Errors
/// Each block that is missing, is out of place, or holds what it should not.
pub fn merge(english: &[Block], page: &str, translated: Vec<Block>) -> Result<Vec<Block>, Vec<Complaint>> {
    let mut complaints = Vec::new();
    let mut merged = Vec::new();
    let last = translated.last().map_or(1, |block| block.line);
    let mut rest = translated.into_iter();
    for of in english {
        let Some(block) = rest.next() else {
            let what = format!("the page ends before {}", name_of(of));
            complaints.push((last, what, format!("Translate {page} from line {} on", of.line)));
            break;
        };
        if (&block.kind, &block.name) != (&of.kind, &of.name) {
            let what = format!("expected {}, found {}", name_of(of), name_of(&block));
            complaints.push((block.line, what, format!("Translate in the order of {page}, here its line {}", of.line)));
            break;
        }
        match inside(of, &block) {
            Ok(body) => merged.push(Block { body, ..block }),
            Err((what, remedy)) => complaints.push((block.line, what.to_owned(), remedy.to_owned())),
        }
    }
    if let (Some(block), true) = (rest.next(), complaints.is_empty()) {
        let what = format!("{} is not in {page}", name_of(&block));
        complaints.push((block.line, what, "Take it out, or write it in English, too".to_owned()));
    }
    if complaints.is_empty() { Ok(merged) } else { Err(complaints) }
}

fn name_of(block: &Block) -> String {
    let start = || block.body.chars().take(30).collect::<String>();
    match (block.kind.as_str(), block.name.as_str()) {
        ("", _) => format!("the text `{}…`", start().lines().next().unwrap_or_default()),
        (kind, "") => format!("a block `{kind}`"),
        (kind, name) => format!("a block `{kind} {name}`"),
    }
}

/// The inside of a block, of which a translation has its part.
fn inside(english: &Block, block: &Block) -> Result<String, (&'static str, &'static str)> {
    let empty = block.body.trim().is_empty();
    match english.kind.as_str() {
        kind if CODE.contains(&kind) && empty => Ok(english.body.clone()),
        kind if CODE.contains(&kind) => {
            Err(("a translation holds no code", "Leave the block empty: it is taken from English"))
        }
        _ if empty => Err(("the block is empty", "Translate it")),
        "trap" => {
            let query = english.body.split_once("\n---\n").map_or("", |(_, query)| query);
            match block.body.contains("\n---") {
                true => Err(("a translation holds no code", "Write `says: …` alone: the query is taken from English")),
                false => Ok(format!("{}\n---\n{query}", block.body.trim())),
            }
        }
        _ => Ok(block.body.clone()),
    }
}
