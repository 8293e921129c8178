//! Tokens -> text as a person would write it, as far as signatures need that.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A token, or marks that stand side by side.
enum Piece {
    Word(String),
    Marks(String),
    Group(Delimiter, String),
}

pub(super) fn written(tokens: TokenStream) -> String {
    let mut text = String::new();
    let mut before: Option<Piece> = None;
    for piece in pieces(tokens) {
        if before.as_ref().is_some_and(|before| apart(before, &piece)) {
            text.push(' ');
        }
        match &piece {
            Piece::Word(word) | Piece::Marks(word) => text.push_str(word),
            Piece::Group(Delimiter::Parenthesis, inner) => text.push_str(&format!("({inner})")),
            Piece::Group(Delimiter::Bracket, inner) => text.push_str(&format!("[{inner}]")),
            Piece::Group(Delimiter::Brace, inner) => text.push_str(&format!("{{ {inner} }}")),
            Piece::Group(Delimiter::None, inner) => text.push_str(inner),
        }
        before = Some(piece);
    }
    text
}

fn pieces(tokens: TokenStream) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut open = String::new();
    for token in tokens {
        match token {
            TokenTree::Punct(mark) => {
                open.push(mark.as_char());
                if mark.spacing() == Spacing::Joint {
                    continue;
                }
            }
            TokenTree::Group(group) => {
                close(&mut open, &mut found);
                found.push(Piece::Group(group.delimiter(), written(group.stream())));
            }
            word => {
                close(&mut open, &mut found);
                found.push(Piece::Word(word.to_string()));
            }
        }
        close(&mut open, &mut found);
    }
    close(&mut open, &mut found);
    found
}

/// Marks end where a word begins; a lifetime's quote is joint with its word.
fn close(open: &mut String, found: &mut Vec<Piece>) {
    if !open.is_empty() {
        found.push(Piece::Marks(std::mem::take(open)));
    }
}

/// Whether a space stands between the two: where others would be read without it, and where readers expect it.
fn apart(before: &Piece, after: &Piece) -> bool {
    match (before, after) {
        (_, Piece::Group(Delimiter::Brace, _)) => true,
        (Piece::Marks(marks), Piece::Group(..)) if marks.ends_with('>') => marks.ends_with("->"),
        (Piece::Marks(marks), Piece::Word(_) | Piece::Group(..)) => {
            !marks.ends_with("::") && !marks.ends_with(['<', '&', '.', '!', '#', '\'', '*'])
        }
        (Piece::Marks(before), Piece::Marks(after)) => {
            let closes = before.ends_with('>') && after.starts_with(['>', ',', ';', '.']);
            let opens = before.ends_with(['<', '&']) && after.starts_with('\'');
            !closes && !opens
        }
        (_, Piece::Marks(marks)) => !marks.starts_with([',', ';', ':', '.', '?', '<', '>', '!']),
        (Piece::Word(_), Piece::Word(_)) | (Piece::Group(..), Piece::Word(_)) => true,
        (_, Piece::Group(..)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_read_as_they_were_written() {
        for text in [
            "fn clip(mut self, most: Option<f64>) -> Self",
            "pub fn of<'a, T: Into<Vec<T>>>(&'a mut self, rows: &[T], by: &dyn Fn(&str) -> bool) -> (Vec<T>, u8)",
            "fn schedule(self, schedule: crate::nets::Schedule) -> Result<Self, Box<dyn Error + 'static>>",
            "#[doc = \"Rows.\"] pub(crate) const fn f() -> [u8; 3]",
        ] {
            assert_eq!(written(text.parse().unwrap()), text);
        }
    }
}
