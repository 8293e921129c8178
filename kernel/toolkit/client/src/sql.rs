//! SQL, also unfinished -> its pieces. Nothing is said of whether they make a statement: that is for the server.

/// What a piece of SQL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or a name.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A text in single quotes, a number, a comment: nothing that can be completed.
    Other,
    /// A comment.
    Comment,
    /// Anything else, one character.
    Sign,
}

/// A piece of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: &'a str,
    /// Its first byte.
    pub at: usize,
}

impl Token<'_> {
    /// The byte behind it.
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// Whether it is this keyword, this name without quotes, or this sign; capitals do not matter.
    pub fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    /// The name that it is; the server makes names without quotes small.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_lowercase()),
            Kind::Quoted => {
                let text = &self.text[1..];
                Some(text.strip_suffix('"').unwrap_or(text).replace("\"\"", "\""))
            }
            _ => None,
        }
    }
}

/// All tokens but blanks.
pub fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let length_while = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let (kind, length) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '-' if rest.starts_with("--") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (Kind::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '\'' => (Kind::Other, closed(rest, '\'')),
            '"' => (Kind::Quoted, closed(rest, '"')),
            _ if first.is_ascii_digit() => (Kind::Other, length_while(|c| c.is_alphanumeric() || "._".contains(c))),
            _ if is_word(first) => (Kind::Word, length_while(is_word)),
            _ => (Kind::Sign, first.len_utf8()),
        };
        tokens.push(Token { kind, text: &rest[..length], at });
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a text in quotes; as far as the end where they are not closed. Doubled quotes are part of it.
fn closed(text: &str, quote: char) -> usize {
    let mut from = quote.len_utf8();
    while let Some(end) = text[from..].find(quote) {
        let behind = from + end + quote.len_utf8();
        if !text[behind..].starts_with(quote) {
            return behind;
        }
        from = behind + quote.len_utf8();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_within_quotes_belong_to_the_text() {
        let texts: Vec<&str> = tokens("'it''s' \"a\"\"b\" 세관").iter().map(|token| token.text).collect();
        assert_eq!(texts, ["'it''s'", "\"a\"\"b\"", "세관"]);
        assert_eq!(tokens("\"a\"\"b\"")[0].name().as_deref(), Some("a\"b"));
    }
}
