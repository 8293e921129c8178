//! Code as it is typed, often unfinished: brackets and words, without a parser.

/// The closing brackets that are missing at the end, outermost first; a `"` for an open string. `None`
/// where a bracket closes what was not opened.
pub fn open_brackets(code: &str) -> Option<Vec<char>> {
    let mut stack = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|&c| c == '\n');
            }
            '"' => {
                let mut closed = false;
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => {
                            closed = true;
                            break;
                        }
                        _ => {}
                    }
                }
                if !closed {
                    stack.push('"');
                    return Some(stack);
                }
            }
            // A character literal, not a lifetime: its content must not count as a bracket.
            '\'' => {
                let mut ahead = chars.clone();
                let first = ahead.next();
                if first == Some('\\') {
                    chars.by_ref().take(2).for_each(drop);
                    chars.by_ref().find(|&c| c == '\'');
                } else if ahead.next() == Some('\'') {
                    chars.by_ref().take(2).for_each(drop);
                }
            }
            '(' => stack.push(')'),
            '[' => stack.push(']'),
            '{' => stack.push('}'),
            ')' | ']' | '}' if stack.pop() != Some(c) => return None,
            _ => {}
        }
    }
    Some(stack)
}

/// Brackets within brackets that a cell may have; parsers use a piece of stack for each.
pub const MOST_DEPTH: usize = 256;

/// How deep brackets stand within each other, as far as they can be told.
pub fn depth(code: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    let mut in_text = false;
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_text => drop(chars.next()),
            '"' => in_text = !in_text,
            '(' | '[' | '{' if !in_text => {
                now += 1;
                most = most.max(now);
            }
            ')' | ']' | '}' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Text apart: what stands before its last word, and that word, which may be empty. A command at the
/// beginning of a cell is a word, with its `%`.
pub fn word_before(text: &str) -> (&str, &str) {
    let command = text.trim_start();
    if command.starts_with('%') && !command.contains(char::is_whitespace) {
        return text.split_at(text.len() - command.len());
    }
    let start = text.char_indices().rev().take_while(|(_, c)| is_word(*c)).last().map_or(text.len(), |(at, _)| at);
    text.split_at(start)
}

/// The word that the cursor (counted in characters) touches, and what stands before it.
pub fn word_around(code: &str, cursor: usize) -> (&str, &str) {
    let at = code.char_indices().nth(cursor).map_or(code.len(), |(at, _)| at);
    let blank = code.len() - code.trim_start().len();
    let first = code[blank..].split_whitespace().next().unwrap_or("");
    if first.starts_with('%') && (blank..=blank + first.len()).contains(&at) {
        return (&code[..blank], first);
    }
    let (head, _) = word_before(&code[..at]);
    let rest = &code[head.len()..];
    let end = rest.char_indices().find(|(_, c)| !is_word(*c)).map_or(rest.len(), |(at, _)| at);
    (head, &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_brackets_are_those_that_code_still_needs() {
        let open = |code: &str| open_brackets(code).map(|open| open.into_iter().collect::<String>());
        assert_eq!(open("f(a, [1, {"), Some(")]}".to_owned()));
        assert_eq!(open("f('(', \"[\") // {"), Some(String::new()));
        assert_eq!(open("f(\"open"), Some(")\"".to_owned()));
        assert_eq!(open("f(]"), None);
    }

    #[test]
    fn words_are_found_by_character() {
        assert_eq!(word_before("해 + de"), ("해 + ", "de"));
        assert_eq!(word_before("%%s"), ("", "%%s"));
        assert_eq!(word_before("!1 %a"), ("!1 %", "a"));
        assert_eq!(word_before("x."), ("x.", ""));
        assert_eq!(word_around("해.height()", 4), ("해.", "height"));
        assert_eq!(word_around("abc", 3), ("", "abc"));
        assert_eq!(word_around("%%sql a <<", 3), ("", "%%sql"));
    }

    #[test]
    fn depth_counts_brackets_within_brackets() {
        assert_eq!(depth("((a)[b])"), 2);
        assert_eq!(depth(&"(".repeat(10_000)), 10_000);
        assert_eq!(depth("\"((((\""), 0);
    }
}
