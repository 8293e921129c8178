//! The compiler's messages about the last cell -> warnings at the lines of the cell's author.

use crate::compiler::MESSAGES;
use haetae_display::Bundle;
use haetae_display::table::escape;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What the compiler advises about one place of a cell, line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(Vec<String>);

/// The warnings of the cell that was compiled last in `cells`, as far as they are about the author's `code`.
pub fn of_last_cell(cells: &Path, code: &str) -> Vec<Warning> {
    let text = fs::read_to_string(cells.join(MESSAGES)).unwrap_or_default();
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut warnings: Vec<Warning> = messages.filter_map(|message| warning(&message, code)).collect();
    // The evaluator's code repeats parts of a cell.
    warnings.dedup();
    warnings
}

fn warning(message: &Value, code: &str) -> Option<Warning> {
    if message["level"] != "warning" {
        return None;
    }
    let spans = message["spans"].as_array()?;
    let span = spans.iter().find(|span| span["is_primary"] == true)?;
    let mut lines = vec![format!("warning: {}", message["message"].as_str()?)];
    lines.extend(place(span, code)?);
    lines.extend(helps(message));
    Some(Warning(lines))
}

/// The compiler's advice in a message.
pub fn helps(message: &Value) -> Vec<String> {
    // Notes speak of the compiler's own switches.
    let children = message["children"].as_array().into_iter().flatten().filter(|child| child["level"] == "help");
    let help = children.map(|child| {
        let text = child["message"].as_str().unwrap_or_default();
        match child["spans"][0]["suggested_replacement"].as_str() {
            Some(advice) if !text.contains('`') => format!("help: {text}: `{}`", advice.trim()),
            _ => format!("help: {text}"),
        }
    });
    help.collect()
}

/// The author's line that a span is about, with a mark below it; `None` for generated code.
pub fn place(span: &Value, code: &str) -> Option<[String; 2]> {
    let shown = span["text"][0]["text"].as_str()?;
    let generated = shown.trim();
    let (number, line, offset) = code.lines().enumerate().find_map(|(number, line)| {
        let at = line.find(generated)?;
        Some((number + 1, line, line[..at].chars().count()))
    })?;
    if generated.is_empty() {
        return None;
    }
    let indent = shown.chars().count() - shown.trim_start().chars().count();
    let column = |key: &str| span["text"][0][key].as_u64().and_then(|column| usize::try_from(column).ok());
    let from = (column("highlight_start")? - 1).saturating_sub(indent) + offset;
    let to = (column("highlight_end")? - 1).saturating_sub(indent) + offset;
    let gutter = " ".repeat(number.to_string().len());
    let label = span["label"].as_str().unwrap_or_default();
    let mark = format!("{gutter} | {}{} {label}", " ".repeat(from), "^".repeat(to.saturating_sub(from).max(1)));
    Some([format!("{number} | {line}"), mark.trim_end().to_owned()])
}

/// Warnings as one output that is folded where a front end can do so.
pub fn bundle(warnings: &[Warning]) -> Bundle {
    let count = match warnings.len() {
        1 => "1 warning of the compiler".to_owned(),
        many => format!("{many} warnings of the compiler"),
    };
    let text: Vec<String> = warnings.iter().map(|warning| warning.0.join("\n")).collect();
    let text = text.join("\n\n");
    let html = format!("<details><summary>{count}</summary><pre>{}</pre></details>", escape(&text));
    Bundle::text(format!("{count}\n{text}")).with("text/html", html.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(line: &str, from: usize, to: usize) -> Value {
        json!({
            "level": "warning", "message": "unused variable: `n`",
            "spans": [{
                "is_primary": true, "label": "not used",
                "text": [{"text": line, "highlight_start": from, "highlight_end": to}],
            }],
            "children": [
                {"level": "note", "message": "`#[warn(unused_variables)]` on by default", "spans": []},
                {"level": "help", "message": "prefix it", "spans": [{"suggested_replacement": "_n"}]},
            ],
        })
    }

    #[test]
    fn a_warning_stands_below_the_authors_line() {
        let code = "1;\n  let a = 1; fn f(n: i32) {}";
        let warning = warning(&message("    fn f(n: i32) {}", 10, 11), code).unwrap();
        let lines = [
            "warning: unused variable: `n`",
            "2 |   let a = 1; fn f(n: i32) {}",
            "  |                   ^ not used",
            "help: prefix it: `_n`",
        ];
        assert_eq!(warning.0, lines);
    }

    #[test]
    fn what_is_not_of_the_author_is_left_out() {
        assert_eq!(warning(&message("let evcxr_variable = 1;", 5, 9), "let a = 1;"), None);
        assert_eq!(warning(&json!({"level": "warning", "message": "2 warnings emitted", "spans": []}), "a"), None);
    }

    #[test]
    fn warnings_are_folded_and_escaped() {
        let html = bundle(&[Warning(vec!["a <b>".into()])]).into_json()["text/html"].as_str().unwrap().to_owned();
        assert_eq!(html, "<details><summary>1 warning of the compiler</summary><pre>a &lt;b&gt;</pre></details>");
    }
}
