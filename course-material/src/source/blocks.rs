//! The text of a source, to its head and its blocks: text, and the fenced blocks that mean something to us.

use std::collections::BTreeMap;

/// Words behind a fence that make it a block of ours; any other fence is part of the text.
const OURS: [&str; 6] = ["cell", "answer", "right", "check", "hint", "trap"];

/// Values by their keys, each with the number of its line.
pub type Fields = BTreeMap<String, (usize, String)>;

/// A piece of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The word behind the fence; empty for text.
    pub kind: String,
    /// What stands behind that word.
    pub name: String,
    /// What is inside, without the fences.
    pub body: String,
}

/// A source file, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    /// The lines `key: value` at the top.
    pub head: Fields,
    /// What follows.
    pub blocks: Vec<Block>,
}

/// A mistake at a line: what, and the remedy.
pub type Complaint = (usize, String, String);

/// Takes a source apart.
///
/// # Errors
/// The first place that cannot be understood.
pub fn pieces(text: &str) -> Result<Pieces, Complaint> {
    let lines: Vec<&str> = text.lines().collect();
    let (head, start) = head(&lines)?;
    let mut pieces = Pieces { head, blocks: Vec::new() };
    let mut text = Vec::new();
    let mut text_line = start + 1;
    let mut at = start;
    while at < lines.len() {
        let ours = lines[at].strip_prefix("```").and_then(|info| {
            let (kind, name) = info.split_once(' ').unwrap_or((info, ""));
            OURS.contains(&kind).then(|| (kind.to_owned(), name.trim().to_owned()))
        });
        let Some((kind, name)) = ours else {
            text.push(lines[at]);
            at += 1;
            continue;
        };
        push_text(&mut pieces.blocks, &mut text, text_line);
        let Some(length) = lines[at + 1..].iter().position(|line| line.trim_end() == "```") else {
            let what = format!("the block `{kind}` has no end");
            return Err((at + 1, what, "Close it by a line of three backquotes".to_owned()));
        };
        let body = lines[at + 1..at + 1 + length].join("\n");
        pieces.blocks.push(Block { line: at + 1, kind, name, body });
        at += length + 2;
        text_line = at + 1;
    }
    push_text(&mut pieces.blocks, &mut text, text_line);
    Ok(pieces)
}

/// A cell of text ends before each heading of the second level, so that one can jump there.
fn push_text(blocks: &mut Vec<Block>, text: &mut Vec<&str>, first: usize) {
    let mut begin = 0;
    for at in 0..=text.len() {
        let ends = at == text.len() || (at > begin && text[at].starts_with("## "));
        if !ends {
            continue;
        }
        let blank = text[begin..at].iter().take_while(|line| line.trim().is_empty()).count();
        let body = text[begin..at].join("\n").trim().to_owned();
        if !body.is_empty() {
            let line = first + begin + blank;
            blocks.push(Block { line, kind: String::new(), name: String::new(), body });
        }
        begin = at;
    }
    text.clear();
}

/// The lines between `---` and `---`, and the number of the first line behind them.
fn head(lines: &[&str]) -> Result<(Fields, usize), Complaint> {
    if lines.first().map(|line| line.trim_end()) != Some("---") {
        let remedy = "Begin it with the lines `---`, `title: …`, `---`".to_owned();
        return Err((1, "the file has no head".to_owned(), remedy));
    }
    let Some(end) = lines[1..].iter().position(|line| line.trim_end() == "---") else {
        return Err((1, "the head has no end".to_owned(), "Close it by a line `---`".to_owned()));
    };
    Ok((fields(&lines[1..=end], 2)?, end + 2))
}

/// Lines `key: value`, the first of them with the number `first`.
///
/// # Errors
/// A line of another form, or a key that stands there twice.
pub fn fields(lines: &[&str], first: usize) -> Result<Fields, Complaint> {
    let mut fields = BTreeMap::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = first + at;
        let Some((key, value)) = line.split_once(':') else {
            let what = format!("expected `key: value`, found `{line}`");
            return Err((number, what, "Write one `key: value` a line".to_owned()));
        };
        if fields.insert(key.trim().to_owned(), (number, value.trim().to_owned())).is_some() {
            let what = format!("`{}` stands there twice", key.trim());
            return Err((number, what, "Keep one of the two".to_owned()));
        }
    }
    Ok(fields)
}
