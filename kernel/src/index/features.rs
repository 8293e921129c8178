//! `#[cfg(…)]` and a crate's features -> whether an item is compiled.

use std::collections::BTreeSet;

/// False where one of the attributes leaves the item out: for its features, or because it is a test.
pub(super) fn enabled(attributes: &[syn::Attribute], features: &BTreeSet<String>) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .all(|attribute| attribute.parse_args::<syn::Meta>().is_ok_and(|condition| holds(&condition, features)))
}

fn holds(condition: &syn::Meta, features: &BTreeSet<String>) -> bool {
    let name = condition.path().get_ident().map(ToString::to_string).unwrap_or_default();
    match condition {
        syn::Meta::NameValue(pair) if name == "feature" => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => features.contains(&text.value()),
            _ => false,
        },
        syn::Meta::List(list) => {
            let parts =
                list.parse_args_with(syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated);
            let Ok(parts) = parts else { return false };
            match name.as_str() {
                "all" => parts.iter().all(|part| holds(part, features)),
                "any" => parts.iter().any(|part| holds(part, features)),
                "not" => !parts.iter().any(|part| holds(part, features)),
                _ => false,
            }
        }
        // Of the rest only what is true on the systems that the workbench runs on.
        syn::Meta::Path(_) => name == "unix",
        syn::Meta::NameValue(_) => name.starts_with("target_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_worked_out() {
        let features = BTreeSet::from(["lazy".to_owned()]);
        let is = |condition: &str| {
            let item: syn::ItemStruct = syn::parse_str(&format!("#[cfg({condition})] struct S;")).unwrap();
            enabled(&item.attrs, &features)
        };
        assert!(is("feature = \"lazy\"") && is("any(feature = \"csv\", feature = \"lazy\")") && is("not(test)"));
        assert!(!is("feature = \"csv\"") && !is("all(feature = \"lazy\", feature = \"csv\")") && !is("test"));
        assert!(!is("not(any(feature = \"lazy\"))"));
    }
}
