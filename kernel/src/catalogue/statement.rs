//! SQL as it is typed, often unfinished -> the tables that it names, and what stands at a place.

use haetae_client::sql::{Kind, Token, tokens};

/// A table that a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Empty where it has none.
    pub(super) schema: String,
    pub(super) table: String,
    /// By what its columns are called: the alias, or else the table's own name.
    pub(super) alias: String,
}

/// The tables behind `from` and `join`, wherever they stand, and the names that `with` gives.
pub(super) fn named_tables(tokens: &[Token<'_>]) -> (Vec<Named>, Vec<String>) {
    let tokens: Vec<&Token<'_>> = tokens.iter().filter(|token| token.kind != Kind::Comment).collect();
    let (mut tables, mut with) = (Vec::new(), Vec::new());
    for at in 0..tokens.len() {
        if tokens[at].is("from") || tokens[at].is("join") {
            let mut next = at + 1;
            while let Some((named, behind)) = named_table(&tokens, next) {
                tables.push(named);
                if !tokens.get(behind).is_some_and(|token| token.is(",")) {
                    break;
                }
                next = behind + 1;
            }
        }
        let opens = |at: usize| tokens.get(at).is_some_and(|token| token.is("("));
        if tokens.get(at + 1).is_some_and(|token| token.is("as"))
            && opens(at + 2)
            && let Some(name) = tokens[at].name()
        {
            with.push(name);
        }
    }
    (tables, with)
}

fn named_table(tokens: &[&Token<'_>], at: usize) -> Option<(Named, usize)> {
    let mut parts = vec![name_at(tokens, at)?];
    let mut next = at + 1;
    while tokens.get(next).is_some_and(|token| token.is("."))
        && let Some(part) = tokens.get(next + 1).and_then(|token| token.name())
    {
        parts.push(part);
        next += 2;
    }
    if tokens.get(next).is_some_and(|token| token.is("as")) {
        next += 1;
    }
    let table = parts.pop()?;
    let schema = parts.pop().unwrap_or_default();
    let alias = name_at(tokens, next);
    next += usize::from(alias.is_some());
    let alias = alias.unwrap_or_else(|| table.clone());
    Some((Named { schema, table, alias }, next))
}

/// A name that is no keyword.
fn name_at(tokens: &[&Token<'_>], at: usize) -> Option<String> {
    let token = tokens.get(at)?;
    let is_keyword = token.kind == Kind::Word && super::names::is_keyword(token.text);
    if is_keyword { None } else { token.name() }
}

/// What stands in front of a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// Where the word begins that is being typed.
    pub(super) start: usize,
    /// The word, without its quotes.
    pub(super) word: String,
    /// Whether it began with a quote.
    pub(super) quoted: bool,
    /// Names with a dot in front of it, outermost first.
    pub(super) owners: Vec<String>,
    /// Whether only a table can stand here.
    pub(super) table: bool,
}

/// What is being typed at the end of `before`; `None` in a text, a number or a comment.
pub(super) fn typed(before: &str) -> Option<Typed> {
    let tokens = tokens(before);
    let mut rest = tokens.as_slice();
    let (mut start, mut word, mut quoted) = (before.len(), String::new(), false);
    if let Some((last, front)) = rest.split_last()
        && last.end() == before.len()
    {
        let ends = |quote| last.text.len() > 1 && last.text.ends_with(quote);
        match last.kind {
            Kind::Other if last.text.starts_with('\'') && ends('\'') => {}
            Kind::Comment if ends('/') => {}
            Kind::Other | Kind::Comment => return None,
            Kind::Sign => {}
            Kind::Quoted if ends('"') => {}
            Kind::Word | Kind::Quoted => {
                (start, quoted) = (last.at, last.kind == Kind::Quoted);
                word = if quoted { last.name()? } else { last.text.to_owned() };
                rest = front;
            }
        }
    }
    let mut owners = Vec::new();
    while let [front @ .., owner, dot] = rest
        && dot.is(".")
        && let Some(name) = owner.name()
    {
        owners.insert(0, name);
        rest = front;
    }
    let table = expects_table(rest);
    Some(Typed { start, word, quoted, owners, table })
}

/// Whether what follows is a table: behind `from` or `join`, and behind a comma in a list of tables.
fn expects_table(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0;
    let mut tokens = tokens.iter().rev().filter(|token| token.kind != Kind::Comment).peekable();
    match tokens.peek() {
        Some(last) if last.is("from") || last.is("join") => return true,
        Some(last) if last.is(",") => {}
        _ => return false,
    }
    for token in tokens {
        match token.text {
            ")" => depth += 1,
            "(" if depth == 0 => return false,
            "(" => depth -= 1,
            _ if depth > 0 || token.kind != Kind::Word => {}
            word if word.eq_ignore_ascii_case("from") => return true,
            word if ["select", "where", "by", "on", "having", "values"]
                .iter()
                .any(|of| word.eq_ignore_ascii_case(of)) =>
            {
                return false;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_with_their_aliases() {
        let (tables, with) = named_tables(&tokens(
            "with own as (select 1), \"Two\" as (select 2) select i.hs6 -- from nowhere\n\
             from customs.fact_item as i, dim_hs h join \"Odd One\" on 1 = 1 where x in (select y from kcs.a.b)",
        ));
        let found: Vec<_> =
            tables.iter().map(|of| (of.schema.as_str(), of.table.as_str(), of.alias.as_str())).collect();
        assert_eq!(
            found,
            [("customs", "fact_item", "i"), ("", "dim_hs", "h"), ("", "Odd One", "Odd One"), ("a", "b", "b"),]
        );
        assert_eq!(with, ["own", "Two"]);
    }

    #[test]
    fn what_is_typed_is_told_from_what_stands_before_it() {
        let is = |before: &str| typed(before).map(|typed| (typed.word, typed.owners, typed.table, typed.quoted));
        let no: Vec<String> = Vec::new();
        assert_eq!(is("select hs"), Some(("hs".to_owned(), no.clone(), false, false)));
        assert_eq!(is("select i."), Some((String::new(), vec!["i".to_owned()], false, false)));
        assert_eq!(is("from customs.fa"), Some(("fa".to_owned(), vec!["customs".to_owned()], true, false)));
        assert_eq!(is("select f(a, b) from a, "), Some((String::new(), no.clone(), true, false)));
        assert_eq!(is("select f(a, "), Some((String::new(), no.clone(), false, false)));
        assert_eq!(is("select a, "), Some((String::new(), no.clone(), false, false)));
        assert_eq!(is("select \"Odd O"), Some(("Odd O".to_owned(), no.clone(), false, true)));
        assert_eq!(is("select 'a' "), Some((String::new(), no.clone(), false, false)));
        for nowhere in ["select 'a", "select 1", "-- fro", "/* fro"] {
            assert_eq!(is(nowhere), None, "{nowhere}");
        }
    }
}
