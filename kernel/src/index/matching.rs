//! A pattern of a macro, and what a call gives it -> what each variable stands for.

use super::parts::{Part, Repeated, variables};
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeMap;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};

/// What a variable stands for.
pub(super) enum Bound {
    Once(TokenStream),
    /// In each round of a repetition.
    Rounds(Vec<Bound>),
}

pub(super) type Bindings = BTreeMap<String, Bound>;

/// None where the call is not what the pattern says.
pub(super) fn matched(pattern: &[Part], call: TokenStream) -> Option<Bindings> {
    all(pattern, call).ok()
}

fn all(pattern: &[Part], tokens: TokenStream) -> syn::Result<Bindings> {
    let take_all = |input: ParseStream<'_>| {
        let mut found = Bindings::new();
        take(pattern, input, &mut found)?;
        Ok(found)
    };
    take_all.parse2(tokens)
}

fn take(pattern: &[Part], input: ParseStream<'_>, found: &mut Bindings) -> syn::Result<()> {
    for part in pattern {
        match part {
            Part::Token(token) => take_token(token, input)?,
            Part::Group(delimiter, parts) => match input.parse()? {
                TokenTree::Group(group) if group.delimiter() == *delimiter => found.extend(all(parts, group.stream())?),
                _ => return Err(input.error("expected brackets")),
            },
            Part::Variable(name, kind) => {
                found.insert(name.clone(), Bound::Once(fragment(kind, input)?));
            }
            Part::Repeated(of) => take_rounds(of, input, found)?,
        }
    }
    Ok(())
}

fn take_token(token: &TokenTree, input: ParseStream<'_>) -> syn::Result<()> {
    let same = match (input.parse()?, token) {
        // Whether a space follows does not count.
        (TokenTree::Punct(found), TokenTree::Punct(token)) => found.as_char() == token.as_char(),
        (found, token) => found.to_string() == token.to_string(),
    };
    if same { Ok(()) } else { Err(input.error("expected another token")) }
}

fn take_rounds(of: &Repeated, input: ParseStream<'_>, found: &mut Bindings) -> syn::Result<()> {
    let mut rounds: BTreeMap<&str, Vec<Bound>> =
        variables(&of.parts).into_iter().map(|name| (name, Vec::new())).collect();
    let mut count = 0;
    while !input.is_empty() && (count == 0 || of.how_often != '?') {
        let ahead = input.fork();
        let separated = count == 0 || of.between.iter().all(|token| take_token(token, &ahead).is_ok());
        let mut one = Bindings::new();
        if !separated || take(&of.parts, &ahead, &mut one).is_err() || ahead.cursor() == input.cursor() {
            break;
        }
        input.advance_to(&ahead);
        count += 1;
        for (name, bound) in one {
            if let Some(all) = rounds.get_mut(name.as_str()) {
                all.push(bound);
            }
        }
    }
    if count == 0 && of.how_often == '+' {
        return Err(input.error("expected at least one"));
    }
    found.extend(rounds.into_iter().map(|(name, all)| (name.to_owned(), Bound::Rounds(all))));
    Ok(())
}

/// The tokens that a variable of this kind takes.
fn fragment(kind: &str, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let (mut at, mut tokens) = (input.cursor(), Vec::new());
    match kind {
        "ident" => drop(input.call(syn::Ident::parse_any)?),
        "ty" => drop(input.parse::<syn::Type>()?),
        "path" => drop(input.parse::<syn::Path>()?),
        "expr" | "expr_2021" => drop(input.parse::<syn::Expr>()?),
        "literal" => {
            input.parse::<Option<syn::Token![-]>>()?;
            input.parse::<syn::Lit>()?;
        }
        "lifetime" => drop(input.parse::<syn::Lifetime>()?),
        "vis" => drop(input.parse::<syn::Visibility>()?),
        "meta" => drop(input.parse::<syn::Meta>()?),
        "block" => drop(input.parse::<syn::Block>()?),
        "item" => drop(input.parse::<syn::Item>()?),
        "stmt" => drop(input.parse::<syn::Stmt>()?),
        "pat" => drop(input.call(syn::Pat::parse_multi)?),
        "pat_param" => drop(input.call(syn::Pat::parse_single)?),
        "tt" if input.peek(syn::Lifetime) => drop(input.parse::<syn::Lifetime>()?),
        "tt" => drop(input.parse::<TokenTree>()?),
        _ => return Err(input.error("expected another kind of variable")),
    }
    while at != input.cursor()
        && let Some((token, next)) = at.token_tree()
    {
        tokens.push(token);
        at = next;
    }
    Ok(tokens.into_iter().collect())
}
