//! Words of SQL, and names that need quotes.

/// Words that begin or join the parts of a statement, and what is written around values.
pub(super) const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "cross",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "false",
    "filter",
    "first",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "last",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "qualify",
    "recursive",
    "right",
    "select",
    "semi",
    "show",
    "then",
    "true",
    "union",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

/// Whether a word is one of SQL's own, in whatever case.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// A name as a statement must have it: in quotes where the server would read another one.
pub(super) fn quoted(name: &str, always: bool) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !is_keyword(name);
    if plain && !always { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_quotes_where_it_needs_them() {
        let names = ["hs6", "_a", "HS", "odd one", "6a", "order", "세관", "a\"b"].map(|name| quoted(name, false));
        assert_eq!(names, ["hs6", "_a", "\"HS\"", "\"odd one\"", "\"6a\"", "\"order\"", "\"세관\"", "\"a\"\"b\""]);
        assert_eq!(quoted("hs6", true), "\"hs6\"");
        assert!(KEYWORDS.is_sorted());
    }
}
