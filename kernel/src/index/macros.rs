//! The macros of a crate, and their calls that stand for items -> those items.

use super::features::enabled;
use super::matching::{Bound, matched};
use super::parts::{Part, parts, variables};
use super::written::written;
use proc_macro2::{Group, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// How deep calls may lie in what other calls stand for.
const DEEPEST: usize = 16;

/// What is found while the modules of a crate are read: a macro may stand in a later module than its call.
#[derive(Default)]
pub(super) struct Macros {
    /// By name, with the number of the file.
    known: BTreeMap<String, Vec<(usize, Vec<Rule>)>>,
    calls: Vec<(usize, syn::Macro)>,
}

struct Rule {
    pattern: Vec<Part>,
    body: Vec<Part>,
}

impl Macros {
    /// Takes the macros and the calls among the items of a file.
    pub(super) fn see(&mut self, file: usize, items: &[syn::Item], features: &BTreeSet<String>) {
        for item in items {
            let syn::Item::Macro(of) = item else { continue };
            if !enabled(&of.attrs, features) {
                continue;
            }
            match &of.ident {
                Some(name) => self.known.entry(name.to_string()).or_default().push((file, rules(&of.mac.tokens))),
                None => self.calls.push((file, of.mac.clone())),
            }
        }
    }

    /// Calls `see` with the items of each call; calls of macros of other crates are passed over.
    pub(super) fn expand(&self, features: &BTreeSet<String>, see: &mut dyn FnMut(&[syn::Item])) {
        for (file, call) in &self.calls {
            self.expand_call(*file, call, features, DEEPEST, see);
        }
    }

    fn expand_call(
        &self,
        file: usize,
        call: &syn::Macro,
        features: &BTreeSet<String>,
        deepest: usize,
        see: &mut dyn FnMut(&[syn::Item]),
    ) {
        let Some(items) = self.items(file, call) else { return };
        see(&items);
        for item in &items {
            if let syn::Item::Macro(of) = item
                && of.ident.is_none()
                && deepest > 0
                && enabled(&of.attrs, features)
            {
                self.expand_call(file, &of.mac, features, deepest - 1, see);
            }
        }
    }

    /// A macro of the same file goes before one of the same name elsewhere.
    fn items(&self, file: usize, call: &syn::Macro) -> Option<Vec<syn::Item>> {
        let known = self.known.get(&call.path.segments.last()?.ident.to_string())?;
        let (own, others): (Vec<_>, Vec<_>) = known.iter().partition(|(of, _)| *of == file);
        own.into_iter().chain(others).flat_map(|(_, rules)| rules).find_map(|rule| {
            let bindings = matched(&rule.pattern, call.tokens.clone())?;
            let tokens =
                transcribed(&rule.body, &bindings.iter().map(|(name, bound)| (name.as_str(), bound)).collect())?;
            // By way of text, so that signatures can be read off it.
            Some(syn::parse_file(&written(tokens)).ok()?.items)
        })
    }
}

/// `(pattern) => { body }; …`; rules that cannot be read are left out.
fn rules(tokens: &TokenStream) -> Vec<Rule> {
    let groups = tokens.clone().into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    let sides: Vec<TokenStream> = groups.collect();
    let rule = |sides: &[TokenStream]| match sides {
        [pattern, body] => Some(Rule { pattern: parts(pattern.clone(), true)?, body: parts(body.clone(), false)? }),
        _ => None,
    };
    sides.chunks(2).filter_map(rule).collect()
}

/// The body with what its variables stand for; none where it does not fit the pattern.
fn transcribed(body: &[Part], bound: &BTreeMap<&str, &Bound>) -> Option<TokenStream> {
    let mut tokens = TokenStream::new();
    for part in body {
        match part {
            Part::Token(token) => tokens.extend([token.clone()]),
            Part::Group(delimiter, parts) => {
                tokens.extend([TokenTree::Group(Group::new(*delimiter, transcribed(parts, bound)?))]);
            }
            Part::Variable(name, _) => match bound.get(name.as_str())? {
                Bound::Once(of) => tokens.extend(of.clone()),
                Bound::Rounds(_) => return None,
            },
            Part::Repeated(of) => {
                let rounds = variables(&of.parts).into_iter().filter_map(|name| match bound.get(name) {
                    Some(Bound::Rounds(rounds)) => Some((name, rounds)),
                    _ => None,
                });
                let rounds: Vec<_> = rounds.collect();
                for round in 0..rounds.first()?.1.len() {
                    let mut inner = bound.clone();
                    for (name, rounds) in &rounds {
                        inner.insert(name, rounds.get(round)?);
                    }
                    if round > 0 {
                        tokens.extend(of.between.iter().cloned());
                    }
                    tokens.extend(transcribed(&of.parts, &inner)?);
                }
            }
        }
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::spanned::Spanned;

    /// The names of the functions that the calls of the last file stand for; each text is a file.
    fn functions(files: &[&str]) -> Vec<String> {
        let (mut macros, features) = (Macros::default(), BTreeSet::from(["lazy".to_owned()]));
        for (file, text) in files.iter().enumerate() {
            macros.see(file, &syn::parse_file(text).unwrap().items, &features);
        }
        let mut names = Vec::new();
        macros.expand(&features, &mut |items| {
            names.extend(items.iter().filter_map(|item| match item {
                syn::Item::Fn(of) => Some(of.sig.ident.to_string()),
                syn::Item::Impl(of) => of.items.iter().find_map(|item| match item {
                    syn::ImplItem::Fn(of) => Some(format!("{}.{}", written(type_of(&of.sig)), of.sig.ident)),
                    _ => None,
                }),
                _ => None,
            }));
        });
        names
    }

    fn type_of(of: &syn::Signature) -> TokenStream {
        match &of.output {
            syn::ReturnType::Type(_, of) => of.span().source_text().unwrap_or_default().parse().unwrap(),
            syn::ReturnType::Default => TokenStream::new(),
        }
    }

    #[test]
    fn rules_are_tried_in_turn_and_rounds_lie_in_one_another() {
        let each = "macro_rules! each {
            () => {};
            ($($of:ty => [$($name:ident),* $(,)?]);+) => { $($(impl X { fn $name(&self) -> Option<$of> {} })*)+ };
            ($(#[$doc:meta])* $see:vis fn $name:ident = $value:expr, $word:tt) => { $(#[$doc])* $see fn $name() { $value } };
        }";
        let calls = "each!(); each!(Vec<u8> => [a, b,]; &'a str => [c]);
            each! { /// Said.
                pub(crate) fn d = 1 + 2, 'a }
            each!(nothing of these); other_crate::each_one! {}";
        assert_eq!(functions(&[each, calls]), ["Option<Vec<u8>>.a", "Option<Vec<u8>>.b", "Option<&'a str>.c", "d"]);
    }

    #[test]
    fn a_call_may_stand_before_its_macro_or_in_another_one_and_the_own_file_goes_first() {
        let first = "make!(a); macro_rules! make { ($name:ident) => { inner! { $name } }; }
            macro_rules! inner { ($name:ident) => { fn $name() {} inner!(); }; () => { fn end() {} inner!(); }; }";
        let end = functions(&[first]);
        assert_eq!((end[0].as_str(), end[1].as_str(), end.len()), ("a", "end", DEEPEST), "one without an end is ended");
        let own = |name: &str| format!("macro_rules! own {{ () => {{ fn {name}() {{}} }} }} own!();");
        assert_eq!(functions(&[&own("one"), &own("two"), "crate::one::own!();"]), ["one", "two", "one"]);
        assert!(functions(&["macro_rules! off { () => { fn f() {} } } #[cfg(feature = \"csv\")] off!();"]).is_empty());
    }
}
