//! A cell's text, taken apart: its new variables, its items, and where its last expression begins.

use super::typed::has_hole;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;

/// A variable that a cell defines with `let` and without a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewVariable {
    pub(super) name: String,
    pub(super) mutable: bool,
}

impl NewVariable {
    pub(super) fn mutability(&self) -> &'static str {
        if self.mutable { "mut " } else { "" }
    }
}

/// What the kernel has to know of a cell.
pub(super) struct Cell {
    pub(super) new: Vec<NewVariable>,
    /// Variables with a type of their own: name, and the type as it is written.
    pub(super) typed: Vec<(NewVariable, String)>,
    /// Items as (name, text).
    pub(super) items: Vec<(String, String)>,
    /// Where the items stand.
    pub(super) item_ranges: Vec<std::ops::Range<usize>>,
    /// Where statements can be added: before the last expression, else at the end.
    pub(super) end: usize,
    /// Whether the last expression is one whose value can be shown: no loop, and nothing that never returns.
    pub(super) has_value: bool,
    /// Whether it waits for something (`.await`) outside of an `async` block of its own.
    pub(super) waits: bool,
}

/// Takes a cell apart; `None` where it does not parse.
pub(super) fn parse(code: &str) -> Option<Cell> {
    // The brace and its line keep offsets simple: one line, two bytes before the cell.
    let block: syn::Block = syn::parse_str(&format!("{{\n{code}\n}}")).ok()?;
    let offset = |position: usize| position.checked_sub(2);
    let mut cell = Cell {
        new: Vec::new(),
        typed: Vec::new(),
        items: Vec::new(),
        item_ranges: Vec::new(),
        end: code.len(),
        has_value: false,
        waits: code.parse().is_ok_and(waits),
    };
    for (i, statement) in block.stmts.iter().enumerate() {
        let range = statement.span().byte_range();
        match statement {
            syn::Stmt::Local(local) => {
                new_variables(&local.pat, &mut cell.new);
                let names = |name: &str| cell.new.iter().any(|variable| variable.name == name);
                cell.typed.retain(|(variable, _)| !names(&variable.name));
                if let syn::Pat::Type(typed) = &local.pat
                    && let syn::Pat::Ident(ident) = &*typed.pat
                    && !names(&ident.ident.to_string())
                {
                    let name = ident.ident.to_string();
                    cell.typed.retain(|(variable, _)| variable.name != name);
                    let variable = NewVariable { mutable: ident.mutability.is_some(), name };
                    cell.typed.push((variable, quoted(&typed.ty)));
                }
            }
            syn::Stmt::Item(item) => {
                let range = offset(range.start)?..offset(range.end)?;
                cell.items.push((item_name(item), code.get(range.clone())?.to_owned()));
                cell.item_ranges.push(range);
            }
            syn::Stmt::Expr(last, None) if i + 1 == block.stmts.len() => {
                cell.end = offset(range.start)?;
                cell.has_value = !matches!(
                    last,
                    syn::Expr::ForLoop(_)
                        | syn::Expr::While(_)
                        | syn::Expr::Loop(_)
                        | syn::Expr::Return(_)
                        | syn::Expr::Break(_)
                        | syn::Expr::Continue(_)
                );
            }
            syn::Stmt::Macro(last) if i + 1 == block.stmts.len() && last.semi_token.is_none() => {
                cell.end = offset(range.start)?;
                let name = last.mac.path.segments.last().map(|segment| segment.ident.to_string());
                cell.has_value = !name
                    .is_some_and(|name| ["panic", "todo", "unimplemented", "unreachable"].contains(&name.as_str()));
            }
            _ => {}
        }
    }
    // A comment at the end of the cell would swallow what is added behind it.
    if cell.end == code.len()
        && let Some(last) = block.stmts.last()
    {
        cell.end = offset(last.span().byte_range().end)?;
    }
    (code.is_char_boundary(cell.end)).then_some(cell)
}

/// Names that a pattern binds. A typed pattern needs no answer of rustc's.
fn new_variables(pattern: &syn::Pat, into: &mut Vec<NewVariable>) {
    match pattern {
        syn::Pat::Ident(ident) => {
            let name = ident.ident.to_string();
            let variable = NewVariable { mutable: ident.mutability.is_some(), name };
            // A shadowed name counts as it is at the end of the cell.
            into.retain(|other: &NewVariable| other.name != variable.name);
            into.push(variable);
        }
        syn::Pat::Tuple(tuple) => tuple.elems.iter().for_each(|part| new_variables(part, into)),
        syn::Pat::TupleStruct(tuple) => tuple.elems.iter().for_each(|part| new_variables(part, into)),
        syn::Pat::Struct(record) => {
            record.fields.iter().for_each(|field| new_variables(&field.pat, into));
        }
        syn::Pat::Paren(inner) => new_variables(&inner.pat, into),
        syn::Pat::Type(typed) if matches!(*typed.pat, syn::Pat::Ident(_)) => {
            let mut names = Vec::new();
            new_variables(&typed.pat, &mut names);
            into.retain(|other| !names.iter().any(|name| name.name == other.name));
            if has_hole(&quoted(&typed.ty)) {
                into.append(&mut names);
            }
        }
        syn::Pat::Type(typed) => new_variables(&typed.pat, into),
        _ => {}
    }
}

/// Whether there is an `.await`, or a macro that stands for some, that no `async` of the text's own encloses.
fn waits(tokens: TokenStream) -> bool {
    const MACROS: [&str; 3] = ["join", "select", "try_join"];
    let mut tokens = tokens.into_iter().peekable();
    let (mut after_dot, mut after_async) = (false, false);
    while let Some(token) = tokens.next() {
        let is_dot = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '.');
        match token {
            TokenTree::Ident(word) if word == "async" => after_async = true,
            TokenTree::Ident(word) if after_dot && word == "await" => return true,
            TokenTree::Ident(word) if MACROS.iter().any(|name| word == name) => {
                if matches!(tokens.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!') {
                    return true;
                }
            }
            // The body of `async`; its other brackets are parameters.
            TokenTree::Group(group) if after_async && group.delimiter() == Delimiter::Brace => after_async = false,
            TokenTree::Group(group) if waits(group.stream()) => return true,
            _ => {}
        }
        after_dot = is_dot;
    }
    false
}

fn quoted(of: &syn::Type) -> String {
    of.span().source_text().unwrap_or_default()
}

fn item_name(item: &syn::Item) -> String {
    match item {
        syn::Item::Fn(item) => format!("value {}", item.sig.ident),
        syn::Item::Const(item) => format!("value {}", item.ident),
        syn::Item::Static(item) => format!("value {}", item.ident),
        syn::Item::Struct(item) => format!("type {}", item.ident),
        syn::Item::Enum(item) => format!("type {}", item.ident),
        syn::Item::Type(item) => format!("type {}", item.ident),
        syn::Item::Trait(item) => format!("type {}", item.ident),
        syn::Item::Union(item) => format!("type {}", item.ident),
        syn::Item::Mod(item) => format!("type {}", item.ident),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<(String, bool)> {
        parse(code).unwrap().new.into_iter().map(|v| (v.name, v.mutable)).collect()
    }

    #[test]
    fn only_untyped_variables_are_asked_for() {
        let found = names("let a = 1; let mut b = 2; let c: i32 = 3; let (d, _) = f(); let a = \"x\"; a");
        let expected = [("b", true), ("d", false), ("a", false)];
        assert_eq!(found, expected.map(|(name, mutable)| (name.to_owned(), mutable)));
        assert_eq!(names("let v: Vec<_> = x.collect();").len(), 1);
    }

    #[test]
    fn bindings_stand_before_the_last_expression_and_before_a_comment() {
        let cell = |code: &str| code[parse(code).unwrap().end..].to_owned();
        assert_eq!(cell("let a = 1;\na + 1"), "a + 1");
        assert_eq!(cell("let a = 1; // one"), " // one");
        assert_eq!(cell("let a = f();\nformat!(\"{a}\")"), "format!(\"{a}\")");
        assert_eq!(cell("let 해 = 1;\n해"), "해");
    }

    #[test]
    fn a_cell_waits_where_no_async_of_its_own_does() {
        let waits = |code: &str| parse(code).unwrap().waits;
        assert!(waits("let rows = fetch().await?;"));
        assert!(waits("for n in 0..3 { println!(\"{}\", ask(n).await); }"));
        assert!(waits("let (a, b) = tokio::join!(f(), g());"));
        assert!(!waits("async fn two() -> i32 { one().await + 1 }"));
        assert!(!waits("let later = async move { one().await };"));
        assert!(waits("let later = async { one().await }; later.await"));
        assert!(!waits("let text = \"x.await\"; // y.await"));
    }

    #[test]
    fn items_are_known_by_their_names() {
        let cell = parse("use std::fmt; fn f() {} struct S; f();").unwrap();
        let names: Vec<&str> = cell.items.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["", "value f", "type S"]);
    }
}
