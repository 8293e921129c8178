//! One side of a macro's rule -> its parts: what stands for itself, what for something else, what is repeated.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;

pub(super) enum Part {
    /// A token that stands for itself.
    Token(TokenTree),
    /// A pair of brackets and what is in it.
    Group(Delimiter, Vec<Part>),
    /// `$name:kind` of a pattern, `$name` of a body, whose kind is empty.
    Variable(String, String),
    /// `$( … ) between *`
    Repeated(Repeated),
}

pub(super) struct Repeated {
    pub(super) parts: Vec<Part>,
    /// What stands between two rounds.
    pub(super) between: Vec<TokenTree>,
    /// `*`, `+` or `?`
    pub(super) how_often: char,
}

/// The parts of a pattern, or of a body; none where they use what only newer compilers know.
pub(super) fn parts(tokens: TokenStream, pattern: bool) -> Option<Vec<Part>> {
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        found.push(match token {
            TokenTree::Punct(mark) if mark.as_char() == '$' => special(&mut tokens, pattern)?,
            TokenTree::Group(group) => Part::Group(group.delimiter(), parts(group.stream(), pattern)?),
            token => Part::Token(token),
        });
    }
    Some(found)
}

/// What begins with a dollar sign.
fn special(tokens: &mut impl Iterator<Item = TokenTree>, pattern: bool) -> Option<Part> {
    match tokens.next()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            let parts = parts(group.stream(), pattern)?;
            let mut between = Vec::new();
            let how_often = loop {
                match tokens.next()? {
                    TokenTree::Punct(mark) if matches!(mark.as_char(), '*' | '+' | '?') => break mark.as_char(),
                    token => between.push(token),
                }
            };
            Some(Part::Repeated(Repeated { parts, between, how_often }))
        }
        TokenTree::Ident(name) if name == "crate" => Some(Part::Token(TokenTree::Ident(name))),
        TokenTree::Ident(name) if pattern => match (tokens.next()?, tokens.next()?) {
            (TokenTree::Punct(colon), TokenTree::Ident(kind)) if colon.as_char() == ':' => {
                Some(Part::Variable(name.to_string(), kind.to_string()))
            }
            _ => None,
        },
        TokenTree::Ident(name) => Some(Part::Variable(name.to_string(), String::new())),
        _ => None,
    }
}

/// Names of the variables in `parts`, also of repeated ones.
pub(super) fn variables(parts: &[Part]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for part in parts {
        match part {
            Part::Token(_) => {}
            Part::Group(_, parts) => names.extend(variables(parts)),
            Part::Variable(name, _) => names.extend([name.as_str()]),
            Part::Repeated(of) => names.extend(variables(&of.parts)),
        }
    }
    names
}
